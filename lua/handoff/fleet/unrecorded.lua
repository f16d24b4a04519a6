-- SPDX-License-Identifier: MIT
--- What a run without a history keeps: the documents of a plan until they are written, in memory. The same methods as a
-- run of handoff.history has.
local unrecorded = {}

local Record = {}
Record.__index = Record

function unrecorded.new()
  return setmetatable({ plans = {} }, Record)
end

function Record:plan(name, before, meant)
  self.plans[name] = { before, meant }
  return true
end

function Record:documents(name)
  local plan = self.plans[name]
  return plan[1], plan[2]
end

function Record.writing() return true end

function Record:done(name)
  self.plans[name] = nil
  return true
end

function Record.finish() return true end

function Record.drop() return true end

return unrecorded
