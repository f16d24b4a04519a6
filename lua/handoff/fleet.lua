-- SPDX-License-Identifier: MIT
--- Many agents as one: `handoff.fleet "agents.lua"`. One edit over all or some of them, many at once, recorded in the history so
-- that a run that was stopped can be gone on with, and any run be taken back.
-- @classmod Fleet

--- An agent of an inventory, with options of its own.
-- @table Agent
-- @tfield string name
-- @tfield[opt] {[string]:string} tags
-- @tfield[opt] string base_url

--- What a fleet may be told: the options of a client, for every agent that has none of its own, but `token` and `name`; and
-- these.
-- @table FleetOptions
-- @tfield[opt=32] integer concurrency agents at once, at most: fewer while the service is short of breath
-- @tfield[opt] string|boolean history a file's path, or false: none; by default the user's own
-- @tfield[opt=false] boolean allow_duplicates let two names stand for one agent

--- What a run may be told.
-- @table RunOptions
-- @tfield[opt=false] boolean dry_run as of an update
-- @tfield[opt=true] boolean merge as of an update
-- @tfield[opt="answer"] "answer"|"read"|boolean verify as of an update
-- @tfield[opt] "mine"|"theirs"|function on_conflict as of an update
-- @tfield[opt] integer concurrency as of the fleet
-- @tfield[opt] string|boolean history as of the fleet
-- @tfield[opt] boolean allow_duplicates as of the fleet
-- @tfield[opt] string edit a name for the edit, which the history keeps; by default its file and line
-- @tfield[opt=0] number wait seconds to wait for agents that another run holds
-- @tfield[opt] integer|string max_changes how many agents may change, 12 or `"10%"`; looked at before the first is written
-- @tfield[opt] integer|string max_deletions how many items may go, likewise
-- @tfield[opt] table waves `{1, "10%", "100%"}`: how many have been written after each wave
-- @tfield[opt] fun(wave:table):boolean on_wave between two waves, with `{number, of, reached, left, failed}`; false: no more
--   of them
-- @tfield[opt] integer|string max_failures how many may fail before no further agent is begun, 12 or `"10%"`; with waves 0
-- @tfield[opt] fun(run:Run):boolean confirm called once all is planned and within the limits, before the first is written: true
--   where the plan is to be written. A run that is declined has `declined`, and leaves no trace in the history
-- @tfield[opt] fun(result:Result,outcome:Outcome) on_result for each agent that had its turn
-- @tfield[opt] fun(result:Result,outcome:Outcome) on_planned for each that has a plan now, and has its turn later: with limits,
--   waves or confirm
-- @tfield[opt] fun(result:Result,before:string,meant:string,as_planned:boolean):boolean,any on_put called just before each PUT
--   leaves, which nil and an error stop; as_planned: what it writes is what was planned, to the byte
-- @tfield[opt] fun():boolean stop true where no further agent is to be begun
local core = require "handoff.core"
local check = require "handoff.history.check"
local client = require "handoff.client"
local config = require "handoff.config"
local inventory = require "handoff.inventory"
local options = require "handoff.options"
local rollout = require "handoff.fleet.rollout"
local select = require "handoff.select"
local session = require "handoff.fleet.session"
local statuses = require "handoff.history.status"
local transport = require "handoff.transport"
local unrecorded = require "handoff.fleet.unrecorded"

local refuse = core.error.raise

local Fleet = {}
Fleet.__index, Fleet.__metatable = Fleet, "handoff fleet"

-- ---- options ------------------------------------------------------------------------------------------------------------

local function extend(one, more)
  local all = {}
  for name, value in pairs(one) do all[name] = value end
  for name, value in pairs(more) do all[name] = value end
  return all
end

-- What a run may say, and the fleet for those that do not.
local run_defaults = {
  concurrency = { "number", min = 1, max = 1000, integer = true, default = 32 },
  history = { "boolean string" },
  allow_duplicates = { "boolean", default = false },
}

local function without_default(row)
  local own = extend(row, {})
  own.default = nil
  return own
end

local each_rows = {
  concurrency = without_default(run_defaults.concurrency), on_result = { "function" },
  on_planned = { "function" }, stop = { "function" },
}
local undo_rows = extend(each_rows, {
  history = run_defaults.history, allow_duplicates = without_default(run_defaults.allow_duplicates),
  dry_run = { "boolean", default = false }, verify = { "string boolean" }, on_conflict = { "string function" },
  edit = { "string" }, wait = { "number", min = 0, max = 1e6, default = 0 },
  waves = { "table" }, on_wave = { "function" }, max_failures = { "number string" },
  max_changes = { "number string" }, max_deletions = { "number string" }, confirm = { "function" },
  on_put = { "function" },
})
local update_rows = extend(undo_rows, { merge = { "boolean" } })
local resume_rows = extend(update_rows, {})
resume_rows.dry_run, resume_rows.edit = nil, nil

local fleet_rows = extend(client.rows, run_defaults)
fleet_rows.token, fleet_rows.name = nil, nil

local function read(self, opts, rows, what)
  local o = options.read(opts, rows, "fleet:" .. what)
  for name in pairs(run_defaults) do
    if o[name] == nil then o[name] = self.options[name] end
  end
  return o
end

local function read_run(self, opts, rows, what)
  local o = read(self, opts, rows, what)
  client.check_choices(o, "fleet:" .. what) -- once, before a run is recorded
  rollout.check(o, "fleet:" .. what)
  return o
end

local function check_function(fn, what)
  if type(fn) == "function" then return end
  refuse { path = "fleet:" .. what, rule = "type", message = ("a function expected, got %s"):format(type(fn)) }
end

-- ---- making one, and parts of it ------------------------------------------------------------------------------------------

-- `options` are the fleet's own, `clients` those of every client.
local function make(list, own, clients)
  return setmetatable({
    list = list, options = own, clients = clients, transport = clients.transport or transport.default(),
  }, Fleet)
end

local function part(self, list)
  return make(list, self.options, self.clients)
end

-- A fleet of all agents of an inventory.
-- @param source a file's path (.lua, .json, .csv) or a list, see handoff.inventory
-- @param opts FleetOptions
-- @return the fleet, or nil and an error where the inventory cannot be read. What is wrong in it raises.
local function new(source, opts)
  local o = options.read(opts, fleet_rows, "handoff.fleet")
  local list, err = inventory.load(source)
  if not list then return nil, err end
  local own = {}
  for name in pairs(run_defaults) do own[name], o[name] = o[name], nil end
  return make(list, own, o)
end

local function choose(list, fits)
  local chosen = {}
  for _, agent in ipairs(list) do
    if fits(agent) then chosen[#chosen + 1] = agent end
  end
  return chosen
end

--- The agents that fit.
-- @tparam string|fun(agent:Agent):boolean terms `"region=eu tier!=free name~shop-*"`, see `handoff.select`; or a function
-- @treturn Fleet another one
function Fleet:select(terms)
  return part(self, (type(terms) == "function" and choose or select.apply)(self.list, terms))
end

--- The i-th of n parts of the fleet, so that n jobs can do one each. An agent stays in its part when others come and go.
-- @tparam integer i
-- @tparam integer n
-- @treturn Fleet another one
function Fleet:shard(i, n)
  return part(self, select.shard(self.list, i, n))
end

--- The agents.
-- @treturn Agent[]
function Fleet:agents()
  local list = {}
  for i, agent in ipairs(self.list) do list[i] = agent end
  return list
end

function Fleet:__tostring()
  return ("handoff.fleet(%d agent%s)"):format(#self.list, #self.list == 1 and "" or "s")
end

-- ---- one run --------------------------------------------------------------------------------------------------------------

local function all_of(list)
  local indexes = {}
  for i = 1, #list do indexes[i] = i end
  return indexes
end

local function start(self, agents, o, work, record)
  return session.new {
    agents = agents, options = o, work = work, record = record, clients = self.clients, loop = self.transport.loop,
  }
end

-- Two names of one agent would edit it twice, at once.
local function check_duplicates(agents, o)
  local twice = not o.allow_duplicates and inventory.duplicates(agents)[1]
  if not twice then return true end
  return nil, core.error.new { kind = "invalid", rule = "duplicates", agents = twice.names,
    message = ("%s are one agent (scenario %s), nothing was written; take all but one out of the inventory or the "
      .. "selection, or give allow_duplicates=true"):format(table.concat(twice.names, " and "), twice.scenario_id) }
end

-- What a run holds while it goes on, so that no other one edits it: an agent, whatever it is called.
local function claims(self, agents)
  local list = {}
  for i, agent in ipairs(agents) do
    local url = client.url(agent.base_url or self.clients.base_url, true)
    list[i] = { name = agent.name, key = inventory.identity(agent, url) }
  end
  return list
end

--- Who the agents are, whatever they are called: by what their tokens say, and the service's address.
-- @treturn ?table[] `{name, key}`, the key a text; nil where a token cannot be had
-- @treturn ?Error err
function Fleet:identities()
  local ready, err = inventory.resolve(self.list)
  if not ready then return nil, err end
  return claims(self, self.list)
end

-- Calls fn(history) with the history open; nil where none is kept.
local function with_history(self, o, fn)
  if o.history == false then return fn() end
  local where = type(o.history) == "string" and o.history or nil
  local history, err = require("handoff.history").open(where, {
    sleep = function(seconds) return self.transport:sleep(seconds) end, place = self.transport.place,
  })
  if not history then return nil, err end
  local ok, run, failure = pcall(fn, history)
  history:close()
  if not ok then core.error.again(run) end
  if run then return run end
  return nil, failure
end

local function new_record(self, history, agents, o, kind, of)
  if not history then return unrecorded.new() end
  return history:start { kind = kind, of = of, edit = o.edit, agents = claims(self, agents), wait = o.wait }
end

local function perform(self, history, agents, o, work, kind, of)
  local ready, err = inventory.resolve(agents)
  if ready then ready, err = check_duplicates(agents, o) end
  if not ready then return nil, err end
  local record
  if not o.dry_run then
    record, err = new_record(self, history, agents, o, kind, of)
    if not record then return nil, err end
  end
  return start(self, agents, o, work, record):perform(all_of(agents))
end

local function edit_work(fn)
  return function(s, index, how)
    local agent = s.agents[index]
    return s:client(index):update(function(cfg) return fn(cfg, agent) end, how)
  end
end

-- What the history calls an edit that was given no name: where it stands.
local function place_of(fn)
  local info = debug.getinfo(fn, "S")
  return ("%s:%d"):format(info.short_src, info.linedefined)
end

--- Edits every agent: fn is called with its configuration and its entry of the inventory, as client:update calls it. Each
-- agent's call is a coroutine of its own: requests inside it wait without the others. One agent's failure stops no other.
-- An edit that returns nil and an error of kind "skipped" leaves the agent as it is: that is no failure.
-- @tparam fun(cfg:Config,agent:Agent) fn
-- @tparam[opt] RunOptions opts
-- @treturn ?Run nil where nothing was written: a limit refuses it (`err.run` has the plan), the history cannot be kept, a
--   token is missing, an agent is held by another run
-- @treturn ?Error err
-- @usage local run = assert(fleet:select "region=eu":update(function(cfg, agent)
--   cfg.availability = handoff.week "mon-fri 09:00-17:30"
-- end, { waves = { 1, "100%" }, max_changes = "10%" }))
-- print(run)
function Fleet:update(fn, opts)
  check_function(fn, "update")
  local o = read_run(self, opts, update_rows, "update")
  local agents, work = self.list, edit_work(fn)
  o.edit = o.edit or place_of(fn)
  if o.dry_run then return perform(self, nil, agents, o, work) end
  return with_history(self, o, function(history) return perform(self, history, agents, o, work, "update") end)
end

-- ---- going on, and back ----------------------------------------------------------------------------------------------------

-- Those of the fleet's agents that the list (of a run's entries, by name) has, and that `wanted` likes.
local function agents_of(self, entries, wanted)
  local agents = {}
  for _, agent in ipairs(self.list) do
    local entry = entries[agent.name]
    if entry and wanted(entry) then agents[#agents + 1] = agent end
  end
  return agents
end

-- Says that the fleet does not have all agents of a run that `wanted` likes: they are in another selection, or in no inventory
-- any more. nil where it has them.
local function describe_absent(self, id, entries, wanted)
  local here, count = {}, 0
  for _, agent in ipairs(self.list) do here[agent.name] = true end
  for name, entry in pairs(entries) do
    if wanted(entry) and not here[name] then count = count + 1 end
  end
  if count == 0 then return nil end
  return ("%d more agent%s of run %d %s not in this fleet"):format(count, count == 1 and "" or "s", id,
    count == 1 and "is" or "are")
end

local function entries_of(recorded)
  local entries = {}
  for name, entry in assert(recorded:entries()) do entries[name] = entry end
  return entries
end

local is_done, is_doubtful = statuses.done, statuses.doubtful

-- What of two claims differs.
local function other_part(was, now)
  return was:match "^(.*) at " == now:match "^(.*) at " and "base_url" or "name"
end

-- A name may have come to stand for another agent since, or for another service's.
local function check_same(self, agents, entries, id)
  for _, now in ipairs(claims(self, agents)) do
    local was = entries[now.name]
    if was.key ~= now.key then
      return nil, core.error.new { kind = "invalid", rule = "identity", agent = now.name,
        message = ("it was %s in run %d and is %s now, nothing was written; give it its %s of then, or select "
          .. "the others"):format(was.key, id, now.key, other_part(was.key, now.key)) }
    end
  end
  return true
end

-- The agents of a recorded run that are in the fleet, the same as then, and that `wanted` likes → a list; or nil, err.
local function agents_to_touch(self, entries, wanted, id)
  local agents = agents_of(self, entries, wanted)
  local ready, err = inventory.resolve(agents)
  if ready then ready, err = check_same(self, agents, entries, id) end
  if not ready then return nil, err end
  return agents
end

-- What the agent would have now had the run not been: what the service answered, with the edit taken out of it. What only the
-- answer brought (a time of the last change, say) is no edit, and stays.
local function without_edit(before, meant, answer)
  local cfg = assert(config.new(answer, true))
  config.merge(cfg, meant, before, { resolve = "mine", lenient = true })
  return cfg
end

-- Takes back what the recorded run wrote to one agent.
local function undo_work(recorded)
  return function(s, index, how)
    local before, meant, answer = session.documents(recorded, s.agents[index].name)
    if not before then return nil, meant end
    local was, made = assert(config.new(before, true)), assert(config.new(meant, true))
    if not answer or answer == meant then return s:apply(index, made, was, how) end
    return s:apply(index, assert(config.new(answer, true)), without_edit(was, made, answer), how)
  end
end

-- What both need: the number of a run, and a history that has it.
local function check_past(what, id, o)
  check.id("fleet:" .. what, id)
  if o.history == false then
    refuse { path = "fleet:" .. what, rule = "history", message = "it needs a history; leave history=false out" }
  end
end

--- Takes a run back: what it changed in these agents is merged in reverse into what is there now, so that later edits stay. That
-- is a run itself, which can be taken back. An edit that somebody made since to the same place is a conflict.
-- @tparam integer id the run's
-- @tparam[opt] RunOptions opts without `merge`; `edit` is by default that of the run
-- @treturn ?Run
-- @treturn ?Error err
function Fleet:undo(id, opts)
  local o = read_run(self, opts, undo_rows, "undo")
  check_past("undo", id, o)
  return with_history(self, o, function(history)
    local found, err = history:ended(id, { wait = o.wait })
    if not found then return nil, err end
    o.edit = o.edit or found.edit
    local function wanted(entry) return statuses.wrote[entry.status] end
    local entries = entries_of(found)
    local agents, run
    agents, err = agents_to_touch(self, entries, wanted, id)
    if not agents then return nil, err end
    run, err = perform(self, history, agents, o, undo_work(found), "undo", id)
    if not run then return nil, err end
    run.absent = describe_absent(self, id, entries, wanted)
    if not agents[1] and self:agents()[1] then
      run.nothing = ("run %d wrote nothing to these that could be taken back"):format(id)
    end
    return run
  end)
end

-- What is left to do of a run that is gone on with: agents that are done keep their results; those that may have been
-- written are looked at; those with a plan have it carried over; the others have their turn as if for the first time.
local function left_to_do(s, entries)
  local indexes = {}
  for i, agent in ipairs(s.agents) do
    local status, result = entries[agent.name].status, s.run.results[i]
    if is_done[status] then
      result.status, result.earlier = status, true
    else
      indexes[#indexes + 1], s.doubtful[i] = i, is_doubtful[status]
      s.works[i] = is_doubtful[status] and session.reconcile or status == "planned" and session.carry or nil
    end
  end
  return indexes
end

local function go_on(self, history, id, fn, o)
  local found, err = history:run(id)
  if not found then return nil, err end
  local work
  if found.kind == "undo" then
    local undone
    undone, err = history:run(found.of)
    if not undone then return nil, err end
    work = undo_work(undone)
  else
    check_function(fn, "resume")
    work = edit_work(fn)
  end
  local agents, record
  agents, err = agents_to_touch(self, entries_of(found), function() return true end, id)
  if not agents then return nil, err end
  record, err = history:reopen(id, { wait = o.wait })
  if not record then return nil, err end
  local entries = entries_of(record)
  local s = start(self, agents, o, work, record)
  s.run.absent = describe_absent(self, id, entries, function(entry) return not is_done[entry.status] end)
  return s:perform(left_to_do(s, entries))
end

--- Goes on with a run that was stopped or killed: each agent of it that is also in this fleet is edited once, those that are done
-- stay as they are.
-- @tparam integer id the run's
-- @tparam[opt] fun(cfg:Config,agent:Agent) fn the edit, as for update; nil for an undo that is gone on with
-- @tparam[opt] RunOptions opts without `dry_run` and `edit`
-- @treturn ?Run with the results of the agents that were done earlier marked by `earlier`
-- @treturn ?Error err
function Fleet:resume(id, fn, opts)
  local o = read_run(self, opts, resume_rows, "resume")
  check_past("resume", id, o)
  return with_history(self, o, function(history) return go_on(self, history, id, fn, o) end)
end

-- ---- reading ----------------------------------------------------------------------------------------------------------------

local function visit(self, fn, o)
  local agents = self.list
  local ready, err = inventory.resolve(agents)
  if not ready then return nil, err end
  local function work(s, index)
    local value, failure = fn(s:client(index), agents[index])
    if value ~= nil or failure == nil then return { status = "done", value = value } end
    if core.error.is(failure) then return nil, failure end
    return nil, core.error.new { kind = "invalid", rule = "returned", value = failure, message = tostring(failure) }
  end
  return start(self, agents, o, work):perform(all_of(agents))
end

--- Calls a function for every agent, many at once.
-- @tparam fun(client:Client,agent:Agent):any,any fn
-- @tparam[opt] RunOptions opts `concurrency`, `on_result`, `on_planned` and `stop` alone
-- @treturn ?Run whose results are "done", with the `value` that fn returned, or "failed": it returned nil, err, or raised
-- @treturn ?Error err
function Fleet:each(fn, opts)
  check_function(fn, "each")
  return visit(self, fn, read(self, opts, each_rows, "each"))
end

--- Reads the configuration of every agent. All of them are kept in memory: for thousands, `each` lets one go after another.
-- @tparam[opt] RunOptions opts as of each
-- @treturn ?Run whose results have it as `value`
-- @treturn ?Error err
function Fleet:get(opts)
  return visit(self, function(one) return one:get() end, read(self, opts, each_rows, "get"))
end

return { new = new }
