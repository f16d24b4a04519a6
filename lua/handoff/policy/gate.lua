-- SPDX-License-Identifier: MIT
--- Policies held against what a run would write, before it writes:
--
--   local gate = handoff.policy("policy/"):gate(fleet:agents())
--   fleet:update(edit, {
--     on_planned = function(...) gate:observe(...) end, confirm = function() return gate:finish().ok end,
--     on_put = function(...) return gate:admit(...) end,
--   })
--
-- What is held is the plan; and what an agent is written, once more, where others edited it since. Documents are not kept: there
-- may be thousands.
-- @classmod PolicyGate
local core = require "handoff.core"
local plan = require "handoff.plan"

local Gate = {}
Gate.__index = Gate

local function hold(self, name, before, meant)
  local cfg = assert(plan.outcome(before, meant))
  return self.suite:hold(cfg, { name = name, tags = self.tags[name] })
end

--- Of an agent that would change: for a run's on_planned, or the on_result of a dry run.
-- @function observe
-- @tparam Result result
-- @tparam Outcome outcome
function Gate:observe(result, outcome)
  local name = result.agent
  self.findings[name] = hold(self, name, outcome.before_text, outcome.after_text)
end

--- Whether a PUT may leave, for a run's on_put: what is written is what was held, or passes, too.
-- @function admit
-- @tparam Result result
-- @tparam string before
-- @tparam string meant
-- @tparam boolean as_planned
-- @treturn ?boolean true
-- @treturn ?Error err
function Gate:admit(result, before, meant, as_planned)
  local name = result.agent
  if as_planned and self.findings[name] then return true end
  for _, finding in ipairs(hold(self, name, before, meant)) do
    if finding and finding.status ~= "passed" then
      return nil, core.error.new { kind = "invalid", rule = "policy", agent = name,
        message = ("somebody edited it since it was planned, and what would be written fails a test, the agent is left "
          .. "as it is; plan it again: %s: %s"):format(finding.place, finding.message) }
    end
  end
  return true
end

--- What came of it, once all is planned. Tests may all be for agents that do not change; what has no test at all does not pass.
-- @function finish
-- @treturn PolicyResult
function Gate:finish()
  local report = self.suite:report()
  for _, agent in ipairs(self.agents) do
    local findings = self.findings[agent.name]
    if findings then report:add(agent.name, findings) end
  end
  return report:finish(true)
end

local gate = {}

function gate.new(suite, agents)
  local self = setmetatable({ suite = suite, agents = agents, tags = {}, findings = {} }, Gate)
  for _, agent in ipairs(agents) do self.tags[agent.name] = agent.tags end
  return self
end

return gate
