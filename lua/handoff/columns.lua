-- SPDX-License-Identifier: MIT
--- Texts in columns: how wide they are, and a table of them for people.
local core = require "handoff.core"

local columns = {}

local CHARACTER = "[^\128-\191][\128-\191]*"

--- How many columns of a terminal a character takes, near enough to put a mark under it: those of scripts of East Asia and emoji
-- two, accents and what joins emoji none.
function columns.of_character(character)
  if character:find "^\204" or character:find "^\205[\128-\175]" then return 0 end
  if character == "\239\184\143" or character == "\226\128\141" then return 0 end
  if character:find "^\239\188[\129-\191]" or character:find "^\239\189[\128-\160]" then return 2 end -- fullwidth Latin
  return (character:find "^[\227-\237]" or character:find "^\240[\159-\191]") and 2 or 1
end

--- How many columns a text takes; of what is not UTF-8, bytes.
function columns.width(text)
  if not text:find "[\128-\255]" or not core.schema.utf8_length(text) then return #text end
  local sum = 0
  for character in text:gmatch(CHARACTER) do sum = sum + columns.of_character(character) end
  return sum
end

local width = columns.width

--- A text of UTF-8 in at most so many columns; what has more ends in an ellipsis.
function columns.fit(text, most)
  if width(text) <= most then return text end
  local kept, used = {}, 1
  for character in text:gmatch(CHARACTER) do
    used = used + columns.of_character(character)
    if used > most then break end
    kept[#kept + 1] = character
  end
  return table.concat(kept) .. "…"
end

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

return columns
