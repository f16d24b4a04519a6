-- SPDX-License-Identifier: MIT
--- Runs over agents, and every document before and after, on the disk before a PUT leaves: what resume and undo live on.
-- Failures of the world are `nil, err` of kind "history", or "held" where another run has an agent; mistakes raise.
--
-- That a run is alive is said by a lock: the byte of the file PATH-runs that is its id. The system frees it however the
-- process ends, so a run that is "running" by its row while its lock is free was killed, and shows as "interrupted". A run
-- takes its lock before its row can be seen, and frees it after its end can be.
-- @module handoff.history
local core = require "handoff.core"
local check = require "handoff.history.check"
local group = require "handoff.history.group"
local options = require "handoff.options"
local places = require "handoff.history.place"
local record = require "handoff.history.record"
local run = require "handoff.history.run"

core.error.home(debug.getinfo(1, "S").source)

local failure, refuse, now = core.error.new, core.error.raise, core.http.now

local History = {}
History.__index = History

local POLL = 0.25 -- seconds between two looks whether agents are free

-- ---- reading ------------------------------------------------------------------------------------------------------

local runs_rows = {
  limit = { "number", min = 1, max = 2 ^ 31, integer = true, default = 100 },
  kind = { "string" }, edit = { "string" }, of = { "number" },
}

--- The runs, newest first.
-- @tparam[opt] table opts
-- @tparam[opt=100] integer opts.limit how many, at most
-- @tparam[opt] string opts.kind only those of that kind: "update" or "undo"
-- @tparam[opt] string opts.edit only those whose edit has that name
-- @tparam[opt] integer opts.of only those that took back the run of that number
-- @treturn ?RecordedRun[]
-- @treturn ?Error err
function History:runs(opts)
  check.open("history:runs", self)
  local o = options.read(opts, runs_rows, "history:runs")
  if o.kind then check.choice("history:runs: kind", o.kind, { "update", "undo" }) end
  if o.of then check.id("history:runs: of", o.of) end
  local records, err = self.place:call("runs", { limit = o.limit, kind = o.kind, edit = o.edit, of = o.of })
  if not records then return nil, err end
  for _, one in ipairs(records) do setmetatable(one, self.record) end
  return records
end

--- One of them.
-- @tparam integer id
-- @treturn ?RecordedRun
-- @treturn ?Error err
function History:run(id)
  check.open("history:run", self)
  local found, err = self.place:call("run", check.id("history:run", id))
  if not found then return nil, err end
  return setmetatable(found, self.record)
end

--- What the history knows of agents' documents: of each agent the last entry that wrote, or may have.
-- @treturn ?{[string]:table} by the agent's key (see start) `{run, name, status, at, doubtful}`, doubtful true where nobody knows
--   whether it was written; with the method documents, as of a run
-- @treturn ?Error err
function History:known()
  check.open("history:known", self)
  return record.known(self)
end

-- ---- claiming agents ------------------------------------------------------------------------------------------------

--- Frees the lock of a run that is over.
-- @local
function History:free(id)
  if not self.closed then self.place:free(id) end
end

-- Calls try(), which returns something or nil, err, again and again while another run holds what it wants and there is time.
local function insist(self, what, wait, try)
  if wait > 0 and not self.sleep then
    refuse { path = what .. ": wait", rule = "sleep",
      message = "only a history with a sleep can wait; open it with sleep=" }
  end
  local deadline = now() + wait
  while true do
    local result, err = try()
    if result then return result end
    local left = deadline - now()
    if err.kind ~= "held" or left <= 0 then return nil, err end
    local slept, cancelled = self.sleep(math.min(POLL, left))
    if not slept then return nil, cancelled end
    check.open(what, self)
  end
end

-- Starts or reopens a run by that step, as insist does → the run; or nil, err.
local function claim(self, what, wait, step, given)
  if not self.group then
    refuse { path = what, rule = "look", message = "the history was opened to look at it; open it with history.open" }
  end
  local claimed, err = insist(self, what, wait, function() return self.place:call(step, given) end)
  if not claimed then return nil, err end
  self.place.own[claimed.id] = true
  return run.new(self, claimed.id, claimed.entry, step == "start")
end

local wait_row = { "number", min = 0, max = 1e6, default = 0 }

--- A run as `run` gives it, once it has ended: until then nobody knows what it changes.
-- @tparam integer id
-- @tparam[opt] table opts
-- @tparam[opt=0] number opts.wait seconds to wait for its end
-- @treturn ?RecordedRun
-- @treturn ?Error err of kind "held" where it is still under way then
function History:ended(id, opts)
  check.open("history:ended", self)
  check.id("history:ended", id)
  local o = options.read(opts, { wait = wait_row }, "history:ended")
  return insist(self, "history:ended", o.wait, function()
    local found, err = self.place:call("ended", id)
    return found and setmetatable(found, self.record), err
  end)
end

local start_rows = {
  kind = { "string" },
  of = { "number" },
  edit = { "string" },
  agents = { "table" },
  wait = wait_row,
}

-- → a copy of the list, and names by key.
local function check_agents(agents)
  if not agents then refuse { path = "history:start: agents", rule = "required", message = "a list expected" } end
  local own, seen, names = {}, {}, {}
  for i, agent in ipairs(agents) do
    local path = ("history:start: agents[%d]"):format(i)
    if type(agent) ~= "table" then refuse { path = path, rule = "type", message = "{ key=, name= } expected" } end
    local name, key = check.name(path .. ".name", agent.name), check.name(path .. ".key", agent.key)
    if seen[name] then
      refuse { path = path .. ".name", rule = "unique", message = ("%q is there twice"):format(name) }
    end
    own[i], seen[name], names[key] = { name = name, key = key }, true, names[key] or name
  end
  return own, names
end

--- Starts a run over these agents, each with a row "pending"; no other run can have one of them until it ends.
-- @tparam table opts
-- @tparam "update"|"undo" opts.kind
-- @tparam[opt] integer opts.of the run that is undone
-- @tparam[opt] string opts.edit names the edit
-- @tparam table[] opts.agents `{key, name}`: who it is, and a name of its own
-- @tparam[opt=0] number opts.wait seconds to wait for agents that other runs have
-- @treturn ?RunningRun its number in `id`
-- @treturn ?Error err of kind "held" where another run, `err.run`, has some
function History:start(opts)
  check.open("history:start", self)
  local o = options.read(opts, start_rows, "history:start")
  check.choice("history:start: kind", o.kind, { "update", "undo" })
  if o.edit then check.text("history:start: edit", o.edit) end
  if o.of then check.id("history:start: of", o.of) end
  local agents, names = check_agents(o.agents)
  return claim(self, "history:start", o.wait, "start",
    { kind = o.kind, of = o.of, edit = o.edit, agents = agents, names = names })
end

--- Goes on with a run that was killed or has ended: its agents are its own again.
-- @tparam integer id
-- @tparam[opt] table opts
-- @tparam[opt=0] number opts.wait as for start
-- @treturn ?RunningRun as start; while it is under way it is refused, as one that is held
-- @treturn ?Error err
function History:reopen(id, opts)
  check.open("history:reopen", self)
  check.id("history:reopen", id)
  local o = options.read(opts, { wait = wait_row }, "history:reopen")
  return claim(self, "history:reopen", o.wait, "reopen", id)
end

-- ---- opening and closing ----------------------------------------------------------------------------------------------

--- Writes what waits to be written and closes; idempotent. A run that goes on ends with it, and shows as interrupted.
function History:close()
  if self.closed then return end
  if self.group then self.group:flush() end
  self.closed = true
  self.place:close()
end

local history = {}

local open_rows = {
  sleep = { "function" },
  timeout = { "number", min = 0, max = 1e6, default = 5 },
  place = { "table" },
}

-- Only absolute folders count, as the XDG base directory specification has it.
local function default_path()
  local state, home = os.getenv "XDG_STATE_HOME", os.getenv "HOME"
  if state and state:find "^/" then return state .. "/handoff/history.db" end
  if home and home:find "^/" then return home .. "/.local/state/handoff/history.db" end
  return nil, failure { kind = "history",
    message = "there is no place for the history: neither XDG_STATE_HOME nor HOME is set; set one, or name a file" }
end

-- → the options, and the path as SQLite takes it for a file's; or nil, err.
local function prepare(path, opts, what)
  local o = options.read(opts, open_rows, what)
  local err
  if path then check.name(what .. ": path", path) else path, err = default_path() end
  if not path then return nil, err end
  if not path:find "^/" then path = "./" .. path end -- SQLite knows names, such as :memory:, that are no files
  return o, path
end

local function new(path, o, place)
  local self = setmetatable({ path = path, sleep = o.sleep, place = place, database = place.database }, History)
  self.record = record.class(self)
  return self
end

--- Opens the history in that file, which is made where it is not there, with its folder, its owner's alone.
-- @tparam[opt] string path by default handoff/history.db in `$XDG_STATE_HOME`, or in `~/.local/state`
-- @tparam[opt] table opts
-- @tparam[opt] function opts.sleep a transport's, of seconds: commits of a fleet are grouped by it; without, each is made at once
-- @tparam[opt=5] number opts.timeout seconds that a locked file is waited for
-- @tparam[opt] table opts.place who does what is done to the file, see handoff.history.place
-- @treturn ?History
-- @treturn ?Error err
function history.open(path, opts)
  local o, place, err
  o, path = prepare(path, opts, "history.open")
  if not o then return nil, path end
  place, err = (o.place or places).open(path, o.timeout, o.sleep)
  if not place then return nil, err end
  local self = new(path, o, place)
  self.group = group.new(place, o.sleep)
  return self
end

--- Opens the history in that file to look at it: nothing can be started. One that is not there is an empty one, and is not made.
-- @tparam[opt] string path as of open
-- @tparam[opt] table opts as of open
-- @treturn ?History
-- @treturn ?Error err
function history.look(path, opts)
  local o, place, err
  o, path = prepare(path, opts, "history.look")
  if not o then return nil, path end
  place, err = (o.place or places).look(path, o.timeout, o.sleep)
  return place and new(path, o, place), err
end

return history
