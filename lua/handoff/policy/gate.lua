-- SPDX-License-Identifier: MIT
--- Policies held against what a run would write, before it writes:
--
--   local gate = handoff.policy("policy/"):gate(fleet:agents())
--   fleet:update(edit, { on_planned = function(...) gate:observe(...) end, confirm = function() return gate:finish().ok end })
--
-- What is held is the plan; in the end it is carried over to what is there by then, as any plan is.
local plan = require "handoff.plan"

local Gate = {}
Gate.__index = Gate

--- Of an agent that would change: for a run's on_planned, or the on_result of a dry run.
function Gate:observe(result, outcome)
  local cfg = assert(plan.outcome(outcome.before_text, outcome.after_text))
  self.findings[result.agent] = self.suite:hold(cfg, { name = result.agent, tags = self.tags[result.agent] })
end

--- What came of it, once all is planned → see policy/report.lua
function Gate:finish()
  local report = self.suite:report()
  for _, agent in ipairs(self.agents) do
    local findings = self.findings[agent.name]
    if findings then report:add(agent.name, findings) end
  end
  return report:finish()
end

local gate = {}

function gate.new(suite, agents)
  local self = setmetatable({ suite = suite, agents = agents, tags = {}, findings = {} }, Gate)
  for _, agent in ipairs(agents) do self.tags[agent.name] = agent.tags end
  return self
end

return gate
