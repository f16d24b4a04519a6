-- SPDX-License-Identifier: MIT
--- Whether the documents of all agents can be served. Names and reasons are in the metrics, which are not for everybody.
local answer = require "handoff.nginx.answer"

local healthz = {}

local function count(agents)
  local served, stale = 0, 0
  for _, agent in ipairs(agents) do
    if agent.age then served = served + 1 end
    if agent.age and agent.stale then stale = stale + 1 end
  end
  return served, stale
end

--- What hn.healthz is.
function healthz.new(opts)
  local cache = answer.cache_of(opts, "hn.healthz")
  return answer.page("hn.healthz", function()
    local agents = cache:states()
    local served, stale = count(agents)
    local is_well = served == #agents
    return is_well and 200 or 503, "application/json", ('{"ok":%s,"agents":%d,"served":%d,"stale":%d}\n'):format(
      tostring(is_well), #agents, served, stale)
  end)
end

return healthz
