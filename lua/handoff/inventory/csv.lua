-- SPDX-License-Identifier: MIT
--- An inventory as CSV (RFC 4180): a header, then an agent a row. The columns `name`, one of `token`, `token_env`, `token_file`,
-- `token_command`, and `base_url` are what they say; `tag.region`, and any other column, is a tag. An empty cell is nothing.
local core = require "handoff.core"
local text = require "handoff.inventory.text"

local csv = {}

local MOST_ROWS, MOST_PROBLEMS = 1000000, 1000

-- ---- rows and cells -----------------------------------------------------------------------------------------------

-- A quoted cell that begins at `at` → its text, the place after it; or nil and what is wrong.
local function quoted_cell(source, at)
  local stop = source:find('"', at + 1, true)
  while stop and source:byte(stop + 1) == 34 do stop = source:find('"', stop + 2, true) end
  if not stop then return nil, "a quote that is not closed" end
  local rest = source:match("^\r?()", stop + 1)
  if not source:find("^,", stop + 1) and not source:find("^\n", rest) and rest <= #source then
    return nil, "text after the quote that closes a cell; a quote within a cell is written twice"
  end
  return source:sub(at + 1, stop - 1):gsub('""', '"'), stop + 1
end

local function plain_cell(source, at)
  local stop = source:find("[,\n]", at) or #source + 1
  local cell = source:sub(at, stop - 1)
  if source:byte(stop) ~= 44 then cell = cell:gsub("\r$", "") end
  if cell:find('"', 1, true) then
    return nil, "a quote within a cell; put the whole cell in quotes, and write each of its own twice"
  end
  return cell, stop
end

local function line_ends(value)
  local _, count = value:gsub("\n", "")
  return count
end

-- One row that begins at `at` → its cells, the place after it, how many lines it takes; or nil and what is wrong.
local function read_row(source, at)
  local cells, height = {}, 0
  while true do
    local quoted = source:byte(at) == 34
    local cell, after = (quoted and quoted_cell or plain_cell)(source, at)
    if not cell then return nil, after end
    cells[#cells + 1], height = cell, height + (quoted and line_ends(cell) or 0)
    at = source:match("^\r?()\n", after) or after
    if source:byte(at) ~= 44 then return cells, at + 1, height + 1 end
    at = at + 1
  end
end

-- → a list of { line=, a cell each }; and a problem where it ends early.
local function read_rows(source)
  local rows, line, at = {}, 1, source:match "^\239\187\191()" or 1
  while at <= #source do
    local row, after, height = read_row(source, at)
    if not row then return rows, { line = line, rule = "syntax", message = after } end
    if #row > 1 or row[1] ~= "" then
      if #rows > MOST_ROWS then
        return rows, { line = line, rule = "size",
          message = ("more than %d agents; make two files of it"):format(MOST_ROWS) }
      end
      row.line = line
      rows[#rows + 1] = row
    end
    at, line = after, line + height
  end
  return rows
end

-- ---- columns ------------------------------------------------------------------------------------------------------

local own = { "name", "token", "token_env", "token_file", "token_command", "base_url" }
local is_own = {}
for _, name in ipairs(own) do is_own[name] = true end

-- A tag is there for all to see: what may well hold tokens does not become one by a slip.
local function column(cell)
  if is_own[cell] then return { key = cell } end
  local tag = cell:match "^tag%.(.*)$"
  local near = not tag and core.schema.nearest(cell, own)
  if near and near:find "^token" then
    return nil, ("the column %s: did you mean %q? A tag that is called so is the column tag.NAME"):format(
      text.shown(cell), near)
  end
  if cell == "" then return nil, "a column without a name in the header" end
  return { tag = tag or cell }
end

local function read_header(row, problems)
  local columns, seen = {}, {}
  local function refuse(rule, message) problems[#problems + 1] = { line = row.line, rule = rule, message = message } end
  for i, cell in ipairs(row) do
    local what, message = column(cell)
    local key = what and (what.key or "tag." .. what.tag)
    if not what then
      refuse("unknown", message)
    elseif seen[key] then
      refuse("duplicate", ("the column %s stands there twice"):format(text.shown(cell)))
    else
      columns[i], seen[key] = what, true
    end
  end
  if not seen.name then
    refuse("required",
      "no column name; the first line names the columns, with commas between: name,token_env,tag.region")
  end
  return columns
end

local function entry_of(row, columns)
  local entry = { tags = {} }
  for i, what in ipairs(columns) do
    local cell = row[i]
    if cell == "" then cell = nil end
    if what.key then entry[what.key] = cell else entry.tags[what.tag] = cell end
  end
  return entry
end

--- → a list of entries, their lines, and a list of problems { line=, rule=, message= }; nil where the header is wrong.
function csv.read(source)
  local rows, problem = read_rows(source)
  local problems = { problem }
  local broken = #problems
  local columns = read_header(rows[1] or { line = 1 }, problems)
  if #problems > broken then return nil, nil, problems end
  local entries, lines = {}, {}
  for i = 2, #rows do
    local row = rows[i]
    if #row == #rows[1] then
      entries[#entries + 1], lines[#lines + 1] = entry_of(row, columns), row.line
    elseif #problems < MOST_PROBLEMS then
      problems[#problems + 1] = { line = row.line, rule = "cells",
        message = ("%d cells, and %d columns; an empty cell keeps its comma"):format(#row, #rows[1]) }
    end
  end
  return entries, lines, problems
end

return csv
