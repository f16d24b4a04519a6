-- SPDX-License-Identifier: MIT
--- The library inside nginx, where nothing may block: `local hn = require "handoff.nginx"`. Clients and fleets as those of
-- `require "handoff"`, with the same contracts, whose requests run on nginx's thread pool while the worker serves others.
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
-- @param opts { pool = "handoff" (a thread_pool of nginx.conf), carrier = "threads" (or "resty-http"), concurrency = 64 (requests
--   under way at once in this worker; more wait for their turn) }, and the options of handoff.transport.curl; nil: the one that
--   this worker shares
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

--- handoff.client, with the worker's transport and its share of the service's limits where the options name no others.
function hn.client(opts)
  return require("handoff.client").new(with_defaults(opts, "handoff.nginx.client"))
end

--- handoff.fleet, likewise; no history is kept unless its path is given.
function hn.fleet(source, opts)
  local all = with_defaults(opts, "handoff.nginx.fleet")
  if all.history == nil then all.history = false end
  return require("handoff.fleet").new(source, all)
end

--- The history in that file, to look at its runs; its work on the disk is the thread pool's. It is to be closed.
-- @return as handoff.history.look
function hn.history(path)
  local transport = hn.transport()
  return require("handoff.history").look(path, {
    sleep = function(seconds) return transport:sleep(seconds) end, place = transport.place,
  })
end

-- ---- rooms that are loaded when they are used -------------------------------------------------------------------------

--- A cache of the agents' configurations, for all workers, see handoff.nginx.cache.
function hn.cache(source, opts) return require("handoff.nginx.cache").new(source, opts) end

--- Handlers, made once, see the files of their names.
function hn.status(opts) return require("handoff.nginx.status").new(opts) end
function hn.variable(opts) return require("handoff.nginx.variable").new(opts) end
function hn.header(opts) return require("handoff.nginx.variable").header(opts) end
function hn.metrics(opts) return require("handoff.nginx.metrics").new(opts) end
function hn.healthz(opts) return require("handoff.nginx.healthz").new(opts) end

return hn
