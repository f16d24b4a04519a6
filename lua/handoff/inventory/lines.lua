-- SPDX-License-Identifier: MIT
--- Where the items of a list stand in a text: lines.lua(source), lines.json(source) → a list of their lines, or nil where that
-- cannot be told for sure. The text is valid.
local lines = {}

local find, sub = string.find, string.sub

-- Looks no further than `to`: what comes after may be a line of many megabytes.
local function count_lines(text, from, to)
  local _, count = sub(text, from, to):gsub("\n", "")
  return count
end

-- At a quote → where its text ends.
local function end_of_quoted(text, at)
  local quote = sub(text, at, at)
  local stops = quote == '"' and '["\\]' or "['\\]"
  local stop = find(text, stops, at + 1)
  while stop and sub(text, stop, stop) == "\\" do stop = find(text, stops, stop + 2) end
  return stop
end

-- At the first bracket of a long text → where it ends; nil where none begins there.
local function end_of_long(text, at)
  local equals = text:match("^%[(=*)%[", at)
  return equals and select(2, find(text, "]" .. equals .. "]", at, true))
end

local function end_of_comment(text, at)
  local stop = end_of_long(text, at + 2) or find(text, "\n", at, true)
  return stop and (sub(text, stop, stop) == "\n" and stop - 1 or stop) or #text
end

local opening = { ["{"] = true, ["["] = true, ["("] = true }
local closing = { ["}"] = true, ["]"] = true, [")"] = true }

-- Where what begins with the character c ends, and whether it is a comment.
local function extent(text, at, c, is_lua)
  if c == '"' or c == "'" and is_lua then return end_of_quoted(text, at) end
  if c == "[" and is_lua then return end_of_long(text, at) or at end
  if c == "-" and is_lua and sub(text, at + 1, at + 1) == "-" then return end_of_comment(text, at), true end
  return at
end

-- The list begins at `at`. Its items are to be tables or quoted texts: nothing else may stand beside the commas.
local function items(text, at, line, is_lua)
  local found, depth, begun, after = {}, 1, false, at + 1
  while depth > 0 do
    at = find(text, "[\n\"'%-%[%]{}(),;]", after)
    if not at then return nil end
    local c = sub(text, at, at)
    local stop, comment = extent(text, at, c, is_lua)
    if not stop or depth == 1 and (find(text, "%S", after) or at) < at then return nil end
    if c ~= "\n" and not comment then
      if closing[c] then depth = depth - 1 end
      if depth == 1 and (c == "," or c == ";") then
        begun = false
      elseif depth == 1 and not begun then
        if c == "[" and is_lua then return nil end
        found[#found + 1], begun = line, true
      end
      if opening[c] and stop == at then depth = depth + 1 end
    end
    line, after = line + count_lines(text, at, stop), stop + 1
  end
  return found, after
end

function lines.json(source)
  local at = find(source, "%S")
  return items(source, at, 1 + count_lines(source, 1, at), false)
end

-- Where `return` stands in a chunk, but for comments that begin before it on its line.
local function find_returns(source)
  local list = {}
  for at in source:gmatch "()%f[%w_]return%f[^%w_]" do
    local before = source:sub(math.max(1, at - 200), at - 1)
    if not (before:match "^.*\n(.*)$" or before):find("--", 1, true) then list[#list + 1] = at end
    if #list > 1 then break end
  end
  return list
end

--- Of a chunk whose one `return` gives a table that is written there.
function lines.lua(source)
  local returns = find_returns(source)
  if #returns ~= 1 or source:find "\r[^\n]" then return nil end
  local at = source:match("^return%s*(){", returns[1])
  if not at then return nil end
  local found, after = items(source, at, 1 + count_lines(source, 1, at), true)
  return found and source:find("^[%s;]*$", after) and found or nil
end

return lines
