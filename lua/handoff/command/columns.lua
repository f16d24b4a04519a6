-- SPDX-License-Identifier: MIT
--- Texts under each other, as a table for people.
local core = require "handoff.core"

local columns = {}

--- How many columns a text takes; of what is not UTF-8, bytes.
local function width(text) return core.schema.utf8_length(text) or #text end

--- @param rows lists of texts of one line, as many in each
-- @return a list of lines: columns as wide as they need to be, two blanks between, none at the end
function columns.lines(rows)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do widths[i] = math.max(widths[i] or 0, width(text)) end
  end
  for i, row in ipairs(rows) do
    local cells = {}
    for j, text in ipairs(row) do cells[j] = text .. (" "):rep(widths[j] - width(text)) end
    lines[i] = table.concat(cells, "  "):gsub(" +$", "")
  end
  return lines
end

columns.width = width

return columns
