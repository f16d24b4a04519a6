-- SPDX-License-Identifier: MIT
--- What a policy expects: `expect(agent):open_at "sat 11:00"`, `expect(#list).never:equals(0)`. Each matcher is a
-- function(subject, …) → whether it is met (nil: that cannot be told), what was expected ("to be open"), and what is there
-- instead, or a function that tells it.
local core = require "handoff.core"

local expectation = {}

-- What is raised where an expectation is not met.
local Unmet = {}
Unmet.__tostring = function(self) return self.message end

--- Whether a value is what an expectation raised that was not met; anything else that a test raises is an error of its own.
function expectation.is_unmet(value) return getmetatable(value) == Unmet end

local Agent = {}

--- The table as the agent that a test is given: { name=, tags=, config=, at= what --at gave }.
function expectation.agent(fields) return setmetatable(fields, Agent) end

local function refuse(message)
  core.error.raise { path = "expect", rule = "policy", message = message }
end

local function refuse_matcher(matchers, name)
  local known = {}
  for matcher in pairs(matchers) do known[#known + 1] = matcher end
  table.sort(known)
  local nearest = type(name) == "string" and core.schema.nearest(name, known)
  refuse(("there is no %s; %s"):format(tostring(name), nearest and "did you mean " .. nearest .. "?"
    or "there are " .. table.concat(known, ", ")))
end

local Expectation = {}

-- An expectation again, so that a second one of the same can follow.
local function demand(self, name, ...)
  if getmetatable(self) ~= Expectation then refuse(("write a colon before it, expect(…):%s"):format(name)) end
  local met, expected, found = rawget(self, "matchers")[name](rawget(self, "subject"), ...)
  local is_negated = rawget(self, "is_negated")
  if met == not is_negated then return self end
  if type(found) == "function" then found = found() end
  local message = ("expected %s%s; %s"):format(is_negated and "never " or "", expected, found)
  error(setmetatable({ message = message }, Unmet), 0)
end

local function new(subject, matchers, is_negated)
  return setmetatable({ subject = subject, matchers = matchers, is_negated = is_negated }, Expectation)
end

function Expectation.__index(self, name)
  local matchers = rawget(self, "matchers")
  if name == "never" then return new(rawget(self, "subject"), matchers, not rawget(self, "is_negated")) end
  if not matchers[name] then refuse_matcher(matchers, name) end
  return function(this, ...) return demand(this, name, ...) end
end

--- expect(agent), or of any value.
function expectation.of(...)
  if select("#", ...) == 0 then refuse "a value expected, such as the agent" end
  local subject = ...
  local kind = getmetatable(subject) == Agent and "agent" or "value"
  return new(subject, require("handoff.policy." .. kind).matchers, false)
end

return expectation
