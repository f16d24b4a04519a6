-- SPDX-License-Identifier: MIT
--- The agents' configurations for all workers of an nginx, read in microseconds: kept in a shared dictionary, refreshed by one
-- worker before they are old, served on while the API is down. See cache/store.lua for what is where.
--
--   init_worker_by_lua_block { cache = require "handoff.nginx".cache "agents.lua"; cache:start() }
-- @classmod Cache

--- What a configuration of the cache is.
-- @table Freshness
-- @tfield integer version a number for its text
-- @tfield number fetched seconds since 1970
-- @tfield number age seconds
-- @tfield boolean stale whether that is beyond ttl
-- @tfield[opt] string error the kind of how the last refresh failed

--- What it holds.
-- @table Cache
-- @tfield Fleet fleet its agents
local core = require "handoff.core"
local config = require "handoff.config"
local client = require "handoff.client"
local environment = require "handoff.environment"
local flights = require "handoff.nginx.cache.flight"
local folders = require "handoff.nginx.cache.folder"
local hint = require "handoff.hint"
local inventory = require "handoff.inventory"
local options = require "handoff.options"
local phase = require "handoff.nginx.phase"
local stores = require "handoff.nginx.cache.store"

local failure, refuse, now = core.error.new, core.error.raise, core.http.now

local Cache = {}
Cache.__index, Cache.__metatable = Cache, "handoff cache"

local TIMEOUT, CONNECT_TIMEOUT = 10, 5 -- seconds of a fetch: somebody may wait for it
local EARLY, SPREAD = 0.5, 0.3 -- a refresh begins after so much of ttl, and up to so much more
local TICK = 1 -- seconds, at most, between two looks at what is due
local LEAD = 3 -- ticks without a sign of the worker that refreshes, after which another does
local QUIET = 10 -- seconds without a second line in the log about the same
local KEPT = 24 -- how often in `stale` a file is written anew although its document has not changed
local GONE = 60 -- seconds without a sign of what writes the files, after which another does: nginx may drop timers

local rows = {
  dict = { "string", default = "handoff" },
  ttl = { "number", min = 0.1, max = 1e6, default = 60 },
  stale = { "number", min = 0, max = 1e8, default = 86400 },
  folder = { "string" },
  fleet = { "table" },
}

-- ---- the log ----------------------------------------------------------------------------------------------------------------

-- Says it, unless the same was said just now of another agent: thousands may fail at once.
local function say(self, what, level, text)
  local said = self.said[what] or { at = -QUIET, unsaid = 0 }
  self.said[what] = said
  if now() - said.at < QUIET then
    said.unsaid = said.unsaid + 1
    return
  end
  local more = said.unsaid > 0 and (" (and %d more such since)"):format(said.unsaid) or ""
  said.at, said.unsaid = now(), 0
  ngx.log(level, "handoff: ", text, more)
end

local function say_failed(self, record, err)
  local age = self.store:age(record)
  local served = age and ("what is there, %d s old, is served on"):format(age) or "there is nothing to serve"
  say(self, "failed", ngx.WARN, ("%s: %s; %s"):format(record.name, err.message, served))
end

local function say_full(self, record, size, why)
  say(self, "full", ngx.ERR, ("%s: the dictionary takes no document of %d bytes more (%s), so each worker fetches "
    .. "for itself; give it more room, as in `lua_shared_dict %s 64m;`"):format(record.name, size, why,
    self.options.dict))
end

-- What a pool without threads raised names the next step itself.
local function say_unwritten(self, path, why)
  local step = core.error.is(why) and "" or ("; make the folder %s where it is missing, and let the user of the "
    .. "workers write in it"):format(self.options.folder)
  say(self, "folder", ngx.ERR, ("%s cannot be written: %s%s"):format(path, tostring(why), step))
end

-- ---- files ------------------------------------------------------------------------------------------------------------------

-- The disk may be slow: a thread writes, where the transport has some.
local function save(pool, path, content)
  if not pool then return core.file.replace(path, content) end
  local ok, saved, why = pcall(pool.run, pool, "replace_file", path, content)
  if ok then return saved, why end
  return nil, saved
end

local function write_file(self, record, text)
  local path = folders.path(self.options.folder, record.name)
  local loop = self.fleet.transport.loop
  local ok, why = save(loop and loop.pool, path, folders.content(record.name, record.identity, record.filed_at, text))
  if ok then return end
  record.filed = nil
  say_unwritten(self, path, why)
end

-- One after the other: of thousands at once, each in a timer of its own, none would be left for the pool that writes them.
local function write_files(is_ending, self)
  local record, text = next(self.unfiled)
  while record and not is_ending do
    self.unfiled[record], self.filing = nil, now()
    write_file(self, record, text)
    record, text = next(self.unfiled)
    is_ending = ngx.worker.exiting()
  end
  self.filing = nil
end

-- Where the document is another one, or the file says that it is much older or newer than it is.
local function keep_file(self, record, text)
  local o, version, fetched = self.options, stores.version(text), ngx.now()
  if not o.folder then return end
  if record.filed == version and math.abs(fetched - record.filed_at) < o.stale / KEPT then return end
  record.filed, record.filed_at, self.unfiled[record] = version, fetched, text
  if self.filing and now() - self.filing < GONE then return end
  self.filing = now()
  ngx.timer.at(0, write_files, self)
end

-- What is done with a document once it is in the dictionary, or is not: why.
local function note(self, record, text, why)
  if why then say_full(self, record, #text, why) end
  keep_file(self, record, text)
end

-- Takes from the files what the dictionary does not have.
local function load_files(self)
  local where = self.options.folder
  for _, record in ipairs(self.records) do
    local fetched, text
    if not self.store:age(record) then
      fetched, text = folders.read(folders.path(where, record.name), record.identity)
    end
    local cfg = text and config.new(text, true)
    local age = cfg and math.max(0, ngx.now() - fetched)
    if age and age <= self.store.lasting then
      record.filed, record.filed_at = stores.version(text), fetched
      local ok, why = self.store:put(record, text, cfg, age, fetched)
      if not ok then say_full(self, record, #text, why) end
    end
  end
end

-- ---- making one -------------------------------------------------------------------------------------------------------------

-- What every request is counted by, besides what the caller's own on_event does.
local function counting(self, on_event)
  return function(event)
    if event.type == "request_end" then self.store:count_request(event.method, event.status or event.error) end
    if on_event then return on_event(event) end
  end
end

local function check_dict(name)
  if ngx.shared[name] then return end
  refuse { path = "handoff.nginx.cache: dict", rule = "dict", value = name,
    message = ("nginx has no shared dictionary %q; add the line `lua_shared_dict %s 16m;` within http")
      :format(name, name) }
end

-- Tokens are read here, where they may be readable by nobody but the master process. One that cannot be is told by each refresh.
local function record_of(agent, base_url)
  inventory.resolve { agent }
  return stores.record(agent, inventory.identity(agent, client.url(agent.base_url or base_url, true)))
end

local function copy(fields)
  local all = {}
  for name, value in pairs(fields) do all[name] = value end
  return all
end

-- The options of the fleet: the workers' environment is not the one that the master has here.
local function fleet_options(self)
  local all = copy(self.options.fleet or {})
  all.on_event = counting(self, all.on_event)
  all.base_url = all.base_url or environment.get "HANDOFF_BASE_URL"
  return all
end

local function new_flights(self, given)
  local clients = copy(self.fleet.clients)
  clients.timeout, clients.connect_timeout = given.timeout or TIMEOUT, given.connect_timeout or CONNECT_TIMEOUT
  return flights.new {
    store = self.store, clients = clients, ttl = self.options.ttl,
    on_failed = function(record, err) say_failed(self, record, err) end,
    on_fetched = function(record, text, why) note(self, record, text, why) end,
  }
end

-- What hn.cache is.
local function new(source, opts)
  local o = options.read(opts, rows, "handoff.nginx.cache")
  check_dict(o.dict)
  local self = { options = o, said = {}, records = {}, by_name = {}, unfiled = {},
    store = stores.new(o.dict, o.ttl + o.stale) }
  local given = fleet_options(self)
  local fleet, err = require("handoff.nginx").fleet(source, given)
  if not fleet then return nil, err end
  self.fleet = fleet
  for i, agent in ipairs(self.fleet:agents()) do
    local record = record_of(agent, given.base_url)
    self.records[i], self.by_name[agent.name] = record, record
    self.store:forgive(record)
  end
  self.flights = new_flights(self, given)
  if o.folder then load_files(self) end
  return setmetatable(self, Cache)
end

-- ---- refreshing -------------------------------------------------------------------------------------------------------------

-- Seconds until the agent's document is to be fetched.
local function due_in(self, record)
  local age, failed, ttl = self.store:age(record), self.store:failure(record), self.options.ttl
  if failed then return failed.next - now() end
  return age and ttl * (EARLY + SPREAD * flights.spread(record, self.store:stamp(record) or "")) - age or 0
end

-- When each is due is looked up once and then when that time has come: another worker may have fetched it.
local function tick(is_ending, self)
  if is_ending then return self.store:stop_leading() end
  if not self.store:lead(LEAD * self.tick) then
    self.due = {}
    return
  end
  local time, due = now(), self.due
  for i, record in ipairs(self.records) do
    if (due[i] or 0) <= time then
      local wait = due_in(self, record)
      due[i] = time + wait
      if wait <= 0 then self.flights:want(record) end
    end
  end
end

-- The folder is the workers': what the master process made would be root's.
local function make_folder(_, self)
  local ok, why = core.file.make_folder(self.options.folder)
  if not ok then say_unwritten(self, self.options.folder, why) end
  folders.tidy(self.options.folder, self.by_name)
end

--- Begins to keep the configurations fresh. Call it in init_worker_by_lua, in every worker; a second call does nothing.
function Cache:start()
  if ngx.get_phase() == "init" then
    refuse { path = "cache:start", rule = "phase",
      message = "it belongs in init_worker_by_lua_block: there are no timers before" }
  end
  if self.due or not ngx.worker.id() then return end
  self.due, self.tick = {}, math.min(TICK, self.options.ttl / 20)
  if self.options.folder and ngx.worker.id() == 0 then ngx.timer.at(0, make_folder, self) end
  assert(ngx.timer.at(0, tick, self))
  assert(ngx.timer.every(self.tick, tick, self))
end

-- ---- serving ----------------------------------------------------------------------------------------------------------------

local function record_named(self, name, what)
  local record = self.by_name[name]
  if record then return record end
  local names = {}
  for i, other in ipairs(self.records) do names[i] = other.name end
  refuse { path = what, rule = "agent", value = name, message = ("no agent %s in the inventory; %s"):format(
    type(name) == "string" and ("%q"):format(name) or "that is a " .. type(name),
    hint(name, names, "cache:agents() has those that are")) }
end

local function served(self, record, entry)
  local age, failed = math.max(0, now() - entry.at), self.store:failure(record)
  local stale = age > self.options.ttl
  if stale and not (failed and failed.next > now()) then self.flights:want(record) end
  return entry.cfg, { version = entry.version, fetched = entry.fetched, age = age, stale = stale,
    error = failed and failed.kind }
end

local function failed_error(record, failed)
  return failure { kind = failed.kind, agent = record.name, message = failed.message,
    retry_after = math.max(0, math.ceil(failed.next - now())) }
end

-- Fetches where the caller can wait, and otherwise sees to it that it is there later.
local function missed(self, record, can_wait)
  local store, flying = self.store, ngx.get_phase() ~= "init"
  local failed = store:failure(record)
  if failed and failed.next > now() then return nil, failed_error(record, failed) end
  local flight = flying and self.flights:want(record, can_wait)
  if not can_wait then
    return nil, failure { kind = "uncached", agent = record.name,
      message = "its configuration has not been fetched yet, and it cannot be waited for here; ask again in a second" }
  end
  local landed = self.flights:await(flight)
  local entry = store:newest(record)
  if entry then return served(self, record, entry) end
  failed = store:failure(record)
  if failed then return nil, failed_error(record, failed) end
  return nil, failure { kind = landed and "cancelled" or "timeout", agent = record.name,
    message = ("its configuration was not fetched%s; try again later"):format(landed and "" or " in time") }
end

-- @param may_wait whether to wait for what is not there, where nginx can
local function look_up(self, name, what, may_wait)
  local record = record_named(self, name, what)
  local entry = self.store:newest(record)
  if entry then return served(self, record, entry) end
  return missed(self, record, may_wait and phase.can_wait())
end

--- The configuration of an agent, as it was a moment ago; waits where there is none yet and nginx can wait. A name that is no
-- agent's raises.
-- @tparam string name
-- @treturn ?Config sealed: to edit it copy it; nil where nothing is known that is not too old
-- @treturn Freshness|Error of it; or err: what the last fetch failed with, "uncached" where it would take a wait that nginx
--   does not allow there
function Cache:get(name) return look_up(self, name, "cache:get", true) end

--- As get, and never waits, also where nginx could.
-- @tparam string name
-- @treturn ?Config
-- @treturn Freshness|Error
function Cache:peek(name) return look_up(self, name, "cache:peek", false) end

--- Whether the inventory has an agent of that name.
-- @tparam string name
-- @treturn boolean
function Cache:knows(name) return self.by_name[name] ~= nil end

--- Puts a configuration in that was just written, as the service answered: all workers serve it from now on.
-- @tparam string name
-- @tparam Config cfg
function Cache:put(name, cfg)
  local record = record_named(self, name, "cache:put")
  if not core.config.is(cfg) then
    refuse { path = "cache:put", rule = "type", message = ("a configuration expected, got %s"):format(type(cfg)) }
  end
  local text = cfg:text()
  local _, why = self.store:put(record, text, assert(config.new(text, true)), 0, ngx.now())
  note(self, record, text, why)
end

--- The agents.
-- @treturn Agent[] `name` and `tags`
function Cache:agents()
  local list = {}
  for i, record in ipairs(self.records) do list[i] = { name = record.name, tags = record.agent.tags } end
  return list
end

--- How old what there is of each agent is.
-- @treturn table[] `{name, age, stale, error}`, as of get; without an age there is nothing to serve
function Cache:states()
  local store, agents = self.store, {}
  for i, record in ipairs(self.records) do
    local age, failed = store:age(record), store:failure(record)
    agents[i] = { name = record.name, age = age, stale = age ~= nil and age > self.options.ttl,
      error = failed and failed.kind }
  end
  return agents
end

--- What all workers did together since nginx was started, and how old what they have is.
-- @treturn table `requests`, of `{method, status or error, count}`; `refreshes` = `{ok, failed}`; `agents` as of states
function Cache:figures()
  local store = self.store
  return { requests = store:requests(), refreshes = { ok = store:counted "n:ok", failed = store:counted "n:failed" },
    agents = self:states() }
end

return { new = new }
