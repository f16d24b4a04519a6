-- SPDX-License-Identifier: MIT
--- The library inside nginx, where nothing may block: `local hn = require "handoff.nginx"`. Clients and fleets as those of
-- `require "handoff"`, with the same contracts, whose requests run on nginx's thread pool while the worker serves others.
-- @module handoff.nginx
local core = require "handoff.core"

if not (rawget(_G, "ngx") and ngx.get_phase) then
  error('handoff.nginx works inside nginx alone; elsewhere use require "handoff"', 0)
end

local options = require "handoff.options"

-- Of what is raised and not caught nginx tells only what is text, and "unknown reason" of all else.
core.error.catchers { [pcall] = true, [xpcall] = true }

-- What init_by_lua* loads no request has to wait for, and the workers share.
if ngx.get_phase() == "init" then
  require "handoff.fleet"
  require "handoff.nginx.loop"
end

local hn = {}

-- ---- the transport --------------------------------------------------------------------------------------------------

local rows = {
  pool = { "string", default = "handoff" },
  carrier = { "string", default = "threads" },
  concurrency = { "number", min = 1, max = 200, integer = true, default = 64 },
}

-- Options of others by the first, the rest by the second: what is wrong is found where it is read.
local function split(opts)
  local own, others = {}, {}
  for name, value in pairs(opts) do (rows[name] and own or others)[name] = value end
  return own, others
end

local function loop_of(own)
  local loop = require "handoff.nginx.loop"
  if own.carrier == "threads" then
    return loop.new { pool = require("handoff.nginx.pool").new(own.pool, own.concurrency) }
  elseif own.carrier == "resty-http" then
    return loop.new { carry = require("handoff.nginx.resty").carrier(own) }
  end
  core.error.raise { path = "handoff.nginx.transport: carrier", rule = "choice", value = own.carrier,
    message = 'one of "threads", "resty-http" expected' }
end

local function new_transport(opts)
  local own, others = split(opts)
  if others.loop ~= nil then
    core.error.raise { path = "handoff.nginx.transport", rule = "unknown",
      message = "it has a loop of its own; leave loop out" }
  end
  own = options.read(own, rows, "handoff.nginx.transport")
  others.loop = loop_of(own)
  local made = require("handoff.transport").curl(others)
  made.place = require("handoff.nginx.place").on(own.pool)
  return made
end

local shared

--- A transport that never blocks the worker.
-- @function transport
-- @tparam[opt] table opts also those of `handoff.transport.curl`; nil: the one that this worker shares
-- @tparam[opt="handoff"] string opts.pool a thread_pool of nginx.conf
-- @tparam[opt="threads"] "threads"|"resty-http" opts.carrier
-- @tparam[opt=64] integer opts.concurrency requests under way at once in this worker; more wait for their turn
-- @treturn Transport
function hn.transport(opts)
  if opts ~= nil then return new_transport(opts) end
  shared = shared or new_transport {}
  return shared
end

-- ---- clients and fleets ---------------------------------------------------------------------------------------------

-- The service's limits are for a token, and the workers do not know of each other.
local function budget()
  return ("%d%%"):format(math.max(1, math.floor(100 / ngx.worker.count())))
end

local function with_defaults(opts, what)
  if opts ~= nil and type(opts) ~= "table" then
    core.error.raise { path = what, rule = "type",
      message = ("a table of options expected, got %s"):format(type(opts)) }
  end
  local all = {}
  for name, value in pairs(opts or {}) do all[name] = value end
  all.transport = all.transport or hn.transport()
  all.budget = all.budget or budget()
  return all
end

--- `handoff.client`, with the worker's transport and its share of the service's limits where the options name no others.
-- @function client
-- @tparam[opt] ClientOptions opts
-- @treturn Client
function hn.client(opts)
  return require("handoff.client").new(with_defaults(opts, "handoff.nginx.client"))
end

--- `handoff.fleet`, likewise; no history is kept unless its path is given.
-- @function fleet
-- @tparam string|table source
-- @tparam[opt] FleetOptions opts
-- @treturn ?Fleet
-- @treturn ?Error err
function hn.fleet(source, opts)
  local all = with_defaults(opts, "handoff.nginx.fleet")
  if all.history == nil then all.history = false end
  return require("handoff.fleet").new(source, all)
end

--- The history in that file, to look at its runs; its work on the disk is the thread pool's. It is to be closed.
-- @function history
-- @tparam string path
-- @treturn ?History
-- @treturn ?Error err
function hn.history(path)
  local transport = hn.transport()
  return require("handoff.history").look(path, {
    sleep = function(seconds) return transport:sleep(seconds) end, place = transport.place,
  })
end

-- ---- rooms that are loaded when they are used -------------------------------------------------------------------------

--- A cache of the configurations of all agents of an inventory, for all workers. Make it once, in init_by_lua or
-- init_worker_by_lua; one a dictionary.
-- @function cache
-- @tparam string|table source as of `handoff.fleet`
-- @tparam[opt] table opts
-- @tparam[opt="handoff"] string opts.dict the name of a lua_shared_dict
-- @tparam[opt=60] number opts.ttl seconds after which a configuration is old; it is fetched anew before
-- @tparam[opt=86400] number opts.stale seconds for which an old one is served while there is no newer
-- @tparam[opt] string opts.folder documents are kept in files there, too, which a restart reads; it is made where it is missing
-- @tparam[opt] FleetOptions opts.fleet
-- @treturn ?Cache nil where the inventory cannot be read
-- @treturn ?Error err
function hn.cache(source, opts) return require("handoff.nginx.cache").new(source, opts) end

--- Whether an agent hands over to humans now, and until when, as JSON that browsers and caches between may keep until it changes.
-- @function status
-- @tparam table opts
-- @tparam Cache opts.cache
-- @tparam string|function opts.agent a name, or a function that gives one or nil
-- @tparam[opt] string|string[] opts.origins whose pages may read it: `"*"` or a list
-- @tparam[opt] number opts.max_age seconds that others may keep it, at most
-- @treturn function for content_by_lua
function hn.status(opts) return require("handoff.nginx.status").new(opts) end
--- Whether an agent hands over to humans now, as one word: "open", "closed" or "unknown". Nothing here waits.
-- @function variable
-- @tparam table opts
-- @tparam Cache opts.cache
-- @tparam string|function opts.agent a name, or a function that gives one or nil
-- @treturn fun():string for set_by_lua
function hn.variable(opts) return require("handoff.nginx.variable").new(opts) end
--- The same as a header.
-- @function header
-- @tparam table opts
-- @tparam Cache opts.cache
-- @tparam string|function opts.agent a name, or a function that gives one or nil
-- @tparam[opt="X-Handoff"] string opts.name
-- @treturn function for header_filter_by_lua
function hn.header(opts) return require("handoff.nginx.variable").header(opts) end
--- The figures of a cache as Prometheus reads them. It names agents: let the one who collects them alone reach it.
-- @function metrics
-- @tparam table opts
-- @tparam Cache opts.cache
-- @treturn function for content_by_lua
function hn.metrics(opts) return require("handoff.nginx.metrics").new(opts) end
--- 200 where each agent's document is there, fresh or stale, else 503.
-- @function healthz
-- @tparam table opts
-- @tparam Cache opts.cache
-- @treturn function for content_by_lua
function hn.healthz(opts) return require("handoff.nginx.healthz").new(opts) end

return hn
