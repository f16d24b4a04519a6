-- SPDX-License-Identifier: MIT
--- Values as JSON for people, as cfg:json writes a whole configuration.
local core = require "handoff.core"
local shape = require "handoff.shape"
local words = require "handoff.words"

local canonical = {}

--- The value as JSON, two spaces a level, fields in the order of the schema's row, the others after them.
-- @param row of the schema, or nil; indent of the line it begins on
function canonical.json(value, row, indent)
  local inner, lines, marks = indent .. "  ", {}, "{}"
  if type(value) ~= "table" or next(value) == nil then return core.json.encode(value) end
  if shape.is_list(value) then
    marks = "[]"
    for i = 1, #value do lines[i] = inner .. canonical.json(value[i], row and row.item, inner) end
  else
    for i, name in ipairs(words.names_of(value, row)) do
      local below = row and row.known and row.known[name]
      lines[i] = ("%s%s: %s"):format(inner, core.json.encode(name), canonical.json(value[name], below, inner))
    end
  end
  return ("%s\n%s\n%s%s"):format(marks:sub(1, 1), table.concat(lines, ",\n"), indent, marks:sub(2))
end

return canonical
