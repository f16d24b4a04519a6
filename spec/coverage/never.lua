-- SPDX-License-Identifier: MIT
--- The table of spec/coverage/never.md: lines that no test runs, and why.
local never = {}

local cache = {}
--- The lines of a file; none where it cannot be read.
function never.lines(path)
  if cache[path] then return cache[path] end
  local lines, file = {}, io.open(path)
  for line in file and file:lines() or function() end do lines[#lines + 1] = line end
  if file then file:close() end
  cache[path] = lines
  return lines
end

--- The rows: { place=, a file, or a folder with its slash; text=, a line without the blanks around it, or * for any; why=;
-- seen=, how many lines it explained }
never.rows = {}
for _, line in ipairs(never.lines "spec/coverage/never.md") do
  local place, text, why = line:gsub("\\|", "\0"):match "^| `(.-)` | `(.-)` | (.-) |$"
  if place then table.insert(never.rows, { place = place, text = text:gsub("%z", "|"), why = why, seen = 0 }) end
end

local function fits(row, file, text)
  local at = row.place:sub(-1) == "/" and file:sub(1, #row.place) or file
  return at == row.place and (row.text == "*" or text:match "^%s*(.-)%s*$" == row.text)
end

function never.explains(file, line)
  for _, row in ipairs(never.rows) do
    if fits(row, file, never.lines(file)[line] or "") then
      row.seen = row.seen + 1
      return true
    end
  end
  return false
end

--- The rows that explained nothing, as text.
function never.stale()
  local stale = {}
  for _, row in ipairs(never.rows) do
    if row.seen == 0 then stale[#stale + 1] = ("%s: %s"):format(row.place, row.text) end
  end
  return stale
end

return never
