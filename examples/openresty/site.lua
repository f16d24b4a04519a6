-- SPDX-License-Identifier: MIT
-- What nginx.conf calls: the agents of this site, their configurations kept at hand, and what answers from them. It is loaded once,
-- before the workers are there (init_by_lua_block).
local hn = require "handoff.nginx"

local prefix = ngx.config.prefix() -- the folder after nginx's -p
local ttl = tonumber(os.getenv "HANDOFF_TTL") or 60

-- An edit that is made elsewhere is here after `ttl` seconds; one made through `cache.fleet` and `cache:put` at once. While the API
-- does not answer, what it said last serves on for a day. run/state keeps that for a restart in such a time, and the history of
-- what the console wrote, so that it can be taken back.
local cache = hn.cache(prefix .. "agents.lua", {
  ttl = ttl, stale = 86400, folder = prefix .. "run/state", fleet = { history = prefix .. "run/state/history.db" },
})

-- $handoff_agent of nginx.conf's server block.
local function agent() return ngx.var.handoff_agent end

return {
  cache = cache,
  state = hn.variable { cache = cache, agent = agent },
  status = hn.status { cache = cache, agent = agent, max_age = ttl },
  metrics = hn.metrics { cache = cache },
  healthz = hn.healthz { cache = cache },
}
