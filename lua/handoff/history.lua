-- SPDX-License-Identifier: MIT
--- Runs over agents, and every document before and after, on the disk before a PUT leaves: what resume and undo live on.
-- Failures of the world are `nil, err` of kind "history", or "held" where another run has an agent; mistakes raise.
--
-- That a run is alive is said by a lock: the byte of the file PATH-runs that is its id. The system frees it however the
-- process ends, so a run that is "running" by its row while its lock is free was killed, and shows as "interrupted". A run
-- takes its lock before its row can be seen, and frees it after its end can be.
local core = require "handoff.core"
local check = require "handoff.history.check"
local database = require "handoff.history.database"
local group = require "handoff.history.group"
local options = require "handoff.options"
local record = require "handoff.history.record"
local run = require "handoff.history.run"

core.error.home(debug.getinfo(1, "S").source)

local failure, refuse, now = core.error.new, core.error.raise, core.http.now

local History = {}
History.__index = History

local POLL = 0.25 -- seconds between two looks whether agents are free

-- ---- reading ------------------------------------------------------------------------------------------------------

local runs_rows = { limit = { "number", min = 1, max = 2 ^ 31, integer = true, default = 100 } }

--- The runs, newest first, at most `limit` (100): a list of { id, kind, of, edit, started, ended, state = "running",
-- "finished", "stopped" or "interrupted", counts = { status = how many } }; or nil, err. Each has the methods entries and
-- documents (see record.lua).
function History:runs(opts)
  check.open("history:runs", self)
  local o = options.read(opts, runs_rows, "history:runs")
  return record.list(self, "ORDER BY id DESC LIMIT ?", o.limit)
end

--- One of them, or nil, err.
function History:run(id)
  check.open("history:run", self)
  local records, err = record.list(self, "WHERE id = ?", check.id("history:run", id))
  if not records then return nil, err end
  if records[1] then return records[1] end
  return nil, record.missing(self, id)
end

--- What the history knows of agents' documents: of each agent the last entry that wrote, or may have.
-- @return by the agent's key (see start) { run, name, status, at, doubtful = true where nobody knows whether it was written },
--   with the method documents, as of a run; or nil, err
function History:known()
  check.open("history:known", self)
  return record.known(self)
end

-- ---- locks --------------------------------------------------------------------------------------------------------

-- true, or false where somebody else has it; nil, err.
local function take_lock(self, id)
  if self.own[id] then return false end
  local taken, why = self.locks:take(id)
  if taken then self.own[id] = true end
  if taken ~= nil then return taken end
  return nil, failure { kind = "history", path = self.path .. "-runs",
    message = ("a run cannot be locked: %s; name a history on a local disk"):format(why) }
end

--- Frees the lock of a run that is over.
function History:free(id)
  self.own[id] = nil
  if not self.closed then self.locks:free(id) end
end

-- The next id whose lock is free: that of a run that could not be started is freed a little after it was rolled back.
local function take_next(self, db)
  local row, err = db:one "SELECT coalesce(max(id), 0) FROM runs"
  if not row then return nil, err end
  local id = math.floor(row[1])
  while true do
    local taken
    id = id + 1
    taken, err = take_lock(self, id)
    if taken ~= false then return taken and id, err end
  end
end

-- ---- claiming agents ------------------------------------------------------------------------------------------------

-- `row` is the other run's id, kind and start.
local function held(row, what, agents)
  local id = math.floor(row[1])
  return failure { kind = "held", run = id, agents = agents,
    message = ("run %d (%s, since %s UTC) %s; wait for its end, or give wait=SECONDS"):format(id, row[2],
      os.date("!%Y-%m-%d %H:%M:%S", row[3]), what) }
end

-- The names of those of the run's agents that are wanted.
local function common_agents(db, id, names)
  local rows, err = db:all("SELECT key FROM entries WHERE run = ? ORDER BY id", id)
  if not rows then return nil, err end
  local common = {}
  for _, row in ipairs(rows) do common[#common + 1] = names[row[1]] end
  return common
end

-- true where no other living run has one of the agents, whose names by key are wanted.
local function check_free(self, db, own_id, names)
  local rows, err = db:all("SELECT id, kind, started * 1.0 FROM runs WHERE state = 'running' AND id <> ?", own_id)
  if not rows then return nil, err end
  for _, row in ipairs(rows) do
    local alive, agents
    alive, err = record.is_alive(self, math.floor(row[1]))
    if alive == nil then return nil, err end
    if alive then agents, err = common_agents(db, row[1], names) end
    if err then return nil, err end
    if agents and #agents > 0 then
      local more = #agents > 1 and (" and %d more"):format(#agents - 1) or ""
      return nil, held(row, ("is at work on %s%s"):format(agents[1], more), agents)
    end
  end
  return true
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

-- Calls claim_all(database, lock) in a transaction, as insist does; the lock that it takes, lock.id, is freed where it fails.
local function claim(self, what, wait, claim_all)
  if not self.group then
    refuse { path = what, rule = "look", message = "the history was opened to look at it; open it with history.open" }
  end
  return insist(self, what, wait, function()
    local lock = {}
    local claimed, err = self.database:transaction(claim_all, lock)
    if not claimed and lock.id then self:free(lock.id) end
    return claimed, err
  end)
end

local wait_row = { "number", min = 0, max = 1e6, default = 0 }

--- A run as `run` gives it, once it has ended: until then nobody knows what it changes.
-- @param opts { wait = seconds to wait for its end (0) }
-- @return the run; or nil, err, of kind "held" where it is still under way then
function History:ended(id, opts)
  check.open("history:ended", self)
  local o = options.read(opts, { wait = wait_row }, "history:ended")
  return insist(self, "history:ended", o.wait, function()
    local found, err = self:run(id)
    if not found or found.state ~= "running" then return found, err end
    return nil, held({ found.id, found.kind, found.started }, "is under way")
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

-- → the ids of the rows by name.
local function insert_entries(db, id, agents, time)
  local row, err = db:one "SELECT coalesce(max(id), 0) FROM entries"
  if not row then return nil, err end
  local first, entry = math.floor(row[1]), {}
  for i, agent in ipairs(agents) do
    local done
    done, err = db:run("INSERT INTO entries (id, run, name, key, status, at) VALUES (?, ?, ?, ?, 'pending', ?)",
      first + i, id, agent.name, agent.key, time)
    if not done then return nil, err end
    entry[agent.name] = first + i
  end
  return entry
end

-- → true where the run that is undone is there, or none is.
local function check_of(self, db, of)
  if not of then return true end
  local row, err = db:one("SELECT 1 FROM runs WHERE id = ?", of)
  if row then return true end
  return nil, err or record.missing(self, of)
end

--- Starts a run over these agents, each with a row "pending"; no other run can have one of them until it ends.
-- @param opts { kind = "update" or "undo", of = the run that is undone, edit = a text that names the edit,
--   agents = { { key = who it is, name = one of its own }, ... }, wait = seconds to wait for agents that other runs have (0) }
-- @return the run, its number in `id` (see run.lua); or nil, err, of kind "held" where another run, err.run, has some
function History:start(opts)
  check.open("history:start", self)
  local o = options.read(opts, start_rows, "history:start")
  check.choice("history:start: kind", o.kind, { "update", "undo" })
  if o.edit then check.text("history:start: edit", o.edit) end
  if o.of then check.id("history:start: of", o.of) end
  local agents, names = check_agents(o.agents)
  return claim(self, "history:start", o.wait, function(db, lock)
    local done, entry, err
    done, err = check_of(self, db, o.of)
    if done then done, err = check_free(self, db, 0, names) end
    if done then lock.id, err = take_next(self, db) end
    if not lock.id then return nil, err end
    local time = os.time()
    done, err = db:run("INSERT INTO runs (id, kind, of, edit, state, started) VALUES (?, ?, ?, ?, 'running', ?)",
      lock.id, o.kind, o.of, o.edit, time)
    if done then entry, err = insert_entries(db, lock.id, agents, time) end
    return entry and run.new(self, lock.id, entry, true), err
  end)
end

-- → the ids of the run's rows by name, and names by key.
local function read_entries(db, id)
  local rows, err = db:all("SELECT id, name, key FROM entries WHERE run = ? ORDER BY id", id)
  if not rows then return nil, err end
  local entry, names = {}, {}
  for _, row in ipairs(rows) do
    entry[row[2]], names[row[3]] = row[1], names[row[3]] or row[2]
  end
  return entry, names
end

--- Goes on with a run that was killed or has ended: its agents are its own again.
-- @param opts { wait = as for start }
-- @return as start; while it is under way it is refused, as one that is held
function History:reopen(id, opts)
  check.open("history:reopen", self)
  check.id("history:reopen", id)
  local o = options.read(opts, { wait = wait_row }, "history:reopen")
  return claim(self, "history:reopen", o.wait, function(db, lock)
    local row, err = db:one("SELECT id, kind, started * 1.0 FROM runs WHERE id = ?", id)
    if not row then return nil, err or record.missing(self, id) end
    local taken, entry, names, done
    taken, err = take_lock(self, id)
    if taken == false then return nil, held(row, "is under way") end
    if not taken then return nil, err end
    lock.id = math.floor(id)
    entry, names = read_entries(db, id)
    if not entry then return nil, names end
    done, err = check_free(self, db, id, names)
    if done then done, err = db:run("UPDATE runs SET state = 'running', ended = NULL WHERE id = ?", id) end
    return done and run.new(self, lock.id, entry), err
  end)
end

-- ---- opening and closing ----------------------------------------------------------------------------------------------

--- Writes what waits to be written and closes; idempotent. A run that goes on ends with it, and shows as interrupted.
function History:close()
  if self.closed then return end
  if self.group then self.group:flush() end
  self.closed = true
  self.database:close()
  if self.locks then self.locks:close() end
end

local history = {}

local open_rows = {
  sleep = { "function" },
  timeout = { "number", min = 0, max = 1e6, default = 5 },
}

-- Only absolute folders count, as the XDG base directory specification has it.
local function default_path()
  local state, home = os.getenv "XDG_STATE_HOME", os.getenv "HOME"
  if state and state:find "^/" then return state .. "/handoff/history.db" end
  if home and home:find "^/" then return home .. "/.local/state/handoff/history.db" end
  return nil, failure { kind = "history",
    message = "there is no place for the history: neither XDG_STATE_HOME nor HOME is set; set one, or name a file" }
end

-- Makes the file, and its folder, where they are not there.
local function make(path)
  local folder = path:match "^(.+)/[^/]*$" or "/"
  local made, why = core.file.make_folder(folder)
  if not made then
    return nil, failure { kind = "history", path = folder,
      message = ("the folder cannot be made: %s; make it, or name a history in another place"):format(why) }
  end
  made, why = core.file.create_private(path)
  if made then return true end
  return nil, failure { kind = "history", path = path,
    message = ("the history cannot be made: %s; name another file"):format(why) }
end

local function open_locks(path)
  local locks, why = core.file.locks(path)
  if locks then return locks end
  return nil, failure { kind = "history", path = path,
    message = ("the locks of the runs cannot be had: %s; let this user write it, or name another history"):format(why) }
end

-- → the options, and the path as SQLite takes it for a file's; or nil, err.
local function prepare(path, opts, what)
  local o = options.read(opts, open_rows, what)
  local found, err = database.driver()
  if not found then return nil, err end
  if path then check.name(what .. ": path", path) else path, err = default_path() end
  if not path then return nil, err end
  if not path:find "^/" then path = "./" .. path end -- SQLite knows names, such as :memory:, that are no files
  return o, path
end

local function new(path, o)
  local self = setmetatable({ path = path, sleep = o.sleep, own = {} }, History)
  self.record = record.class(self)
  return self
end

--- Opens the history in that file, which is made where it is not there, with its folder, its owner's alone.
-- @param path by default handoff/history.db in $XDG_STATE_HOME, or in ~/.local/state
-- @param opts { sleep = function(seconds), a transport's: commits of a fleet are grouped by it; without, each is made at once.
--   timeout = seconds that a locked file is waited for (5) }
-- @return the history, or nil, err
function history.open(path, opts)
  local o, found, err
  o, path = prepare(path, opts, "history.open")
  if not o then return nil, path end
  found, err = make(path)
  if not found then return nil, err end
  local self = new(path, o)
  self.database, err = database.open(path, o.timeout, o.sleep)
  if not self.database then return nil, err end
  self.locks, err = open_locks(path .. "-runs")
  if not self.locks then
    self.database:close()
    return nil, err
  end
  self.group = group.new(self.database, o.sleep)
  return self
end

-- Whether nothing is there; what is there and cannot be read is there.
local NO_ENTRY = 2 -- ENOENT
local function is_absent(path)
  local file, _, reason = io.open(path, "rb")
  if file then file:close() end
  return reason == NO_ENTRY
end

--- Opens the history in that file to look at it: nothing can be started. One that is not there is an empty one, and is not made.
-- @param path, opts as of open
-- @return the history, or nil, err
function history.look(path, opts)
  local o, err
  o, path = prepare(path, opts, "history.look")
  if not o then return nil, path end
  local self = new(path, o)
  if is_absent(path) then
    self.database, err = database.empty(path, o.timeout)
    return self.database and self, err
  end
  local done
  done, err = make(path)
  if done then self.database, err = database.look(path, o.timeout, o.sleep) end
  if not self.database then return nil, err end
  if is_absent(path .. "-runs") then return self end
  self.locks, err = open_locks(path .. "-runs")
  if self.locks then return self end
  self.database:close()
  return nil, err
end

return history
