-- SPDX-License-Identifier: MIT
--- What a run did, or would do, told once for all agents that it is the same for. Pure functions on a run's results.
local core = require "handoff.core"
local change = require "handoff.change"
local config = require "handoff.config"
local schedule = require "handoff.schedule"
local shape = require "handoff.shape"

local digest = {}

-- ---- what is only known while an agent has its turn ---------------------------------------------------------------------

local function is_of_hours(c) return c.part == "availability" or c.path == "settings.working_hours_active" end

local function changes_hours(changes)
  for _, c in ipairs(changes or {}) do
    if is_of_hours(c) then return true end
  end
  return false
end

local function of_hours(cfg)
  return { settings = config.part(cfg, "settings"), availability = config.part(cfg, "availability") }
end

-- The warnings that hold for what is there without the edit, too, are none of the edit's.
local function new_warnings(warnings, before)
  local known, new = {}, {}
  for _, issue in ipairs(before:check()) do known[issue.rule .. "\0" .. issue.path] = true end
  for _, issue in ipairs(warnings) do
    if not known[issue.rule .. "\0" .. issue.path] then new[#new + 1] = issue end
  end
  return new
end

--- Adds to a result what only its documents tell: `hours`, its schedule's change in words, and `new_warnings`, those that the
-- edit brought. For a run's on_result and on_planned.
function digest.observe(result, outcome)
  if not outcome or not outcome.before_text then return end
  if changes_hours(result.changes) then
    result.hours = schedule.words(of_hours(outcome.before), of_hours(outcome.after))
  end
  local warnings = result.warnings or {}
  result.new_warnings = warnings[1] and new_warnings(warnings, outcome.before) or nil
end

-- ---- folding --------------------------------------------------------------------------------------------------------------

-- The groups of what has the same key, the largest first, those that are as large in the order they came.
local Groups = {}
Groups.__index = Groups

local function new_groups() return setmetatable({ list = {}, by_key = {} }, Groups) end

function Groups:add(key, name, make)
  local group = self.by_key[key]
  if not group then
    group = make()
    group.names, group.order = {}, #self.list + 1
    self.by_key[key], self.list[group.order] = group, group
  end
  if group.names[#group.names] ~= name then group.names[#group.names + 1] = name end
end

function Groups:sorted()
  table.sort(self.list, function(a, b)
    return #a.names > #b.names or #a.names == #b.names and a.order < b.order
  end)
  return self.list
end

-- ---- changes --------------------------------------------------------------------------------------------------------------

-- A value of the change without ids.
local function bare(c, value)
  return c.field and value or shape.without_ids(shape.document.known[c.part], value)
end

local function text_of(value)
  if value == nil then return "" end
  return type(value) == "string" and value or core.json.encode(value)
end

-- The changes are a set: their order is that of the agent's items.
local function key_of(result)
  local keys = { result.hours or "" }
  for _, c in ipairs(result.changes) do
    keys[#keys + 1] = ("%s\0%s\0%s\0%s\0%s\0%s"):format(c.kind, c.path, type(c.before), text_of(bare(c, c.before)),
      type(c.after), text_of(bare(c, c.after)))
  end
  table.sort(keys)
  return table.concat(keys, "\1")
end

-- The changes as lines, of several agents without ids; which of them is the last about hours.
local function lines_of(changes, count)
  local lines, last = {}, nil
  for i, c in ipairs(changes) do
    if is_of_hours(c) then last = i end
    if count > 1 then
      c = shape.copy(c)
      c.before, c.after = bare(c, c.before), bare(c, c.after)
    end
    lines[i] = change.line(c)
  end
  return lines, last
end

--- The changes of the results, each set of them once.
-- @return a list of { names = the agents', lines = the changes as lines with a sign in front, hours = in words, or nil, after the
--   line hours_at }, the commonest first
function digest.changes(results)
  local groups = new_groups()
  for _, result in ipairs(results) do
    if result.changes and result.changes[1] then
      groups:add(key_of(result), result.agent, function() return { changes = result.changes, hours = result.hours } end)
    end
  end
  local list = groups:sorted()
  for _, group in ipairs(list) do group.lines, group.hours_at = lines_of(group.changes, #group.names) end
  return list
end

-- ---- failures and warnings ------------------------------------------------------------------------------------------------

--- An error as text, without the agent's name in it.
function digest.anonymous(err)
  if not core.error.is(err) then return tostring(err) end
  local anonymous = shape.copy(err)
  anonymous.agent = nil
  return tostring(core.error.new(anonymous))
end

-- What makes two errors one: libcurl's words for a timeout hold the milliseconds that it took, which are no two agents' same.
local function sameness(err, message)
  return type(err) == "table" and err.kind == "timeout" and message:gsub("%d+", "") or message
end

--- The errors of the results, each once.
-- @param wanted function(result) → whether it counts; by default all that have an error do
-- @return a list of { names, message, error = the first of them }
function digest.errors(results, wanted)
  local groups = new_groups()
  for _, result in ipairs(results) do
    if result.error and (not wanted or wanted(result)) then
      local message = digest.anonymous(result.error)
      groups:add(sameness(result.error, message), result.agent, function()
        return { message = message, error = result.error }
      end)
    end
  end
  return groups:sorted()
end

--- The warnings that the edit brought (see observe), each once.
-- @return a list of { names, message }
function digest.warnings(results)
  local groups = new_groups()
  for _, result in ipairs(results) do
    for _, issue in ipairs(result.new_warnings or {}) do
      local message = ("%s: %s [%s]"):format(issue.path, issue.message, issue.rule)
      groups:add(message, result.agent, function() return { message = message } end)
    end
  end
  return groups:sorted()
end

--- Names in at most `width` characters: all, or as many as fit and how many more there are. One is always named.
function digest.names(names, width)
  local line = table.concat(names, ", ")
  if (core.schema.utf8_length(line) or #line) <= width then return line end
  local shown, used = {}, 0
  for i, name in ipairs(names) do
    local more = #(" and %d more"):format(#names - i)
    used = used + (core.schema.utf8_length(name) or #name) + (i > 1 and 2 or 0)
    if i > 1 and used + more > width then break end
    shown[i] = name
  end
  local left = #names - #shown
  return table.concat(shown, ", ") .. (left > 0 and (" and %d more"):format(left) or "")
end

return digest
