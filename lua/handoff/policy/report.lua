-- SPDX-License-Identifier: MIT
--- What tests found of many agents: a row a test, and of one that fails each failure once, with the agents it is the same for.
-- @classmod PolicyReport

--- What came of it. Agents that could not be read, and that nothing was tested at all, are rows of their own, without a file.
-- @table PolicyResult
-- @tfield table[] rows `{name, file, line, status, agents, failures}`: agents, how many it is for; failures, a list of `{status,
--   message, place, frames, agents}`, place `FILE:LINE` or "", agents their names. A status is "passed", "failed", "raised" (an
--   error in the test), "pending" or "skipped" (it is for none of the agents)
-- @tfield {[string]:integer} counts `agents`, `tests`, `passed`, `failed`, `pending`, `skipped`
-- @tfield boolean ok whether nothing failed
local Report = {}
Report.__index = Report

-- The group of those that a test failed for in the same way.
local function group_of(row, finding)
  local key = table.concat({ finding.status, finding.place, finding.message, table.concat(finding.frames, "\n") }, "\0")
  local group = row.by_key[key]
  if not group then
    group = {
      status = finding.status, place = finding.place, message = finding.message, frames = finding.frames, agents = {},
    }
    row.by_key[key], row.failures[#row.failures + 1] = group, group
  end
  return group
end

--- Adds an agent.
-- @function add
-- @tparam string name
-- @tparam table findings see `Suite:hold`
function Report:add(name, findings)
  self.agents = self.agents + 1
  for i, row in ipairs(self.tests) do
    local finding = findings[i]
    if finding then
      row.agents = row.agents + 1
      if finding.status ~= "passed" then
        local group = group_of(row, finding)
        group.agents[#group.agents + 1] = name
      end
    end
  end
end

--- Adds an agent whose configuration could not be had: that is a failure, too.
-- @function add_unreadable
-- @tparam string name
-- @tparam Error err
function Report:add_unreadable(name, err)
  self.agents = self.agents + 1
  if not self.unreadable then
    self.unreadable = { name = "the configuration can be read", agents = 0, failures = {}, by_key = {} }
  end
  local row = self.unreadable
  row.agents = row.agents + 1
  local message = require("handoff.digest").anonymous(err)
  local group = group_of(row, { status = "raised", place = "", message = message, frames = {} })
  group.agents[#group.agents + 1] = name
end

local function status_of(row, is_pending)
  if is_pending then return "pending" end
  for _, group in ipairs(row.failures) do
    if group.status == "raised" then return "raised" end
  end
  return row.failures[1] and "failed" or row.agents > 0 and "passed" or "skipped"
end

--- What came of it.
-- @function finish
-- @tparam[opt=false] boolean may_spare whether it will do that all tests are for other agents: of those that an edit changes it
--   may well be so
-- @treturn PolicyResult
function Report:finish(may_spare)
  local rows, ran = {}, false
  for i, row in ipairs(self.tests) do
    rows[i] = row
    ran = ran or row.agents > 0 or may_spare and not self.is_pending[i]
  end
  rows[#rows + 1] = self.unreadable
  if not ran and not self.unreadable then
    rows[#rows + 1] = { name = "a test is for one of the agents", agents = self.agents, failures = { {
      status = "failed", place = "", message = #self.tests == 0 and "there is no test; write one with `it`"
        or "no test ran: each is pending, or for other agents; look at the selections", frames = {}, agents = {},
    } } }
  end
  local counts = { agents = self.agents, tests = #rows, passed = 0, failed = 0, pending = 0, skipped = 0 }
  for i, row in ipairs(rows) do
    row.status = status_of(row, self.is_pending[i])
    local count = row.status == "raised" and "failed" or row.status
    counts[count] = counts[count] + 1
  end
  return { rows = rows, counts = counts, ok = counts.failed == 0 }
end

local report = {}

function report.new(suite)
  local self = setmetatable({ agents = 0, tests = {}, is_pending = {} }, Report)
  for i, test in ipairs(suite.tests) do
    self.tests[i] = { name = test.name, file = test.file, line = test.line, agents = 0, failures = {}, by_key = {} }
    self.is_pending[i] = not test.fn
  end
  return self
end

return report
