-- SPDX-License-Identifier: MIT
-- What nginx.conf calls: the agents of this site, their configurations kept at hand, and what answers from them. It is loaded
-- once, before the workers are there (init_by_lua_block).
local hn = require "handoff.nginx"

local prefix = ngx.config.prefix() -- the folder after nginx's -p
local seconds = os.getenv "SHOP_TTL" or "60"
local ttl = tonumber(seconds) or error(("SHOP_TTL is %q; a number of seconds expected"):format(seconds), 0)

-- An edit that is made elsewhere is here after `ttl` seconds at most; one that is made through `cache.fleet`, with a `cache:put`
-- after it, at once. While the API does not answer, what it said last serves on for a day. In run/state that outlasts a restart.
-- Who waits at the console for an API that hangs is not to wait for minutes.
local cache, err = hn.cache(prefix .. "agents.lua", { ttl = ttl, stale = 86400, folder = prefix .. "run/state",
  fleet = { timeout = 8, retries = 1, deadline = 20 } })
if not cache then error(tostring(err), 0) end

-- Whose hours a server block's pages follow: its $handoff_agent, see nginx.conf.
local function agent()
  local name = ngx.var.handoff_agent or ""
  if cache:knows(name) then return name end
  error(("$handoff_agent is %q, which is no agent of agents.lua; set it to one in this server block of nginx.conf")
    :format(name), 0)
end

return {
  cache = cache,
  state = hn.variable { cache = cache, agent = agent },
  status = hn.status { cache = cache, agent = agent, max_age = ttl },
  metrics = hn.metrics { cache = cache },
  healthz = hn.healthz { cache = cache },
  console = require("console").new {
    cache = cache, secret = os.getenv "CONSOLE_SECRET", history = prefix .. "run/state/history.db",
  },
}
