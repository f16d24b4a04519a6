-- SPDX-License-Identifier: MIT
--- The variables HANDOFF_*: each stands for a flag, and one that stands for none is a slip.
local core = require "handoff.core"
local description = require "handoff.command.description"
local failure = require "handoff.command.failure"
local flags = require "handoff.command.flags"
local status = require "handoff.command.status"

local environment = {}

local function known_variables()
  local known, list = {}, {}
  local function add(name)
    if known[name] then return end
    known[name], list[#list + 1] = true, name
  end
  for _, name in ipairs(flags.library_variables) do add(name) end
  for _, verb in ipairs(description.names()) do
    for _, row in ipairs(flags.of(description.verb(verb).flags)) do add(flags.variable(row.name)) end
  end
  table.sort(list)
  return known, list
end

local function refuse_unknown(names)
  local known, list = known_variables()
  table.sort(names)
  for _, name in ipairs(names) do
    if not known[name] then
      local nearest = core.schema.nearest(name, list)
      failure.raise(status.misuse, ("%s: no such variable; %s"):format(name, nearest
        and "did you mean " .. nearest .. "?" or "unset it: HANDOFF_SELECT stands for --select, and so on"))
    end
  end
end

--- Sets what was not given on the command line from the variables, then the defaults.
-- @param args what argparse made of the command line
-- @param verb its description
-- @param variables the environment
function environment.complete(args, verb, variables)
  local own, others = {}, {}
  for _, row in ipairs(flags.of(verb.flags)) do
    local name, variable = row.name:gsub("-", "_"), flags.variable(row.name)
    local text = variables[variable]
    own[variable] = true
    if row.many and args[name] and #args[name] == 0 then args[name] = nil end
    if args[name] == nil and text and text ~= "" then
      local value, expected = description.convert(row, text)
      if value == nil then failure.raise(status.misuse, ("%s: %s"):format(variable, expected)) end
      args[name] = row.many and { value } or value
    end
    if args[name] == nil then args[name] = row.default end
  end
  for _, name in ipairs(flags.library_variables) do own[name] = true end
  for name in pairs(variables) do
    if name:find "^HANDOFF_" and not own[name] then others[#others + 1] = name end
  end
  if #others > 0 then refuse_unknown(others) end
end

return environment
