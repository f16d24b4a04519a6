-- SPDX-License-Identifier: MIT
--- Where everything stands in a JSON text: a tree as handoff.desired.lua describes it.
local core = require "handoff.core"

local find, match, sub = string.find, string.match, string.sub
local decode = core.json.decode

-- The text is valid: only what tells its pieces apart is looked at. Each reader is given where a value begins.
local read_value

local function end_of_text(text, at)
  local stop = find(text, '["\\]', at + 1)
  while sub(text, stop, stop) == "\\" do stop = find(text, '["\\]', stop + 2) end
  return stop
end

local function read_text(text, at)
  local stop = end_of_text(text, at)
  local value = sub(text, at + 1, stop - 1)
  if find(value, "\\", 1, true) then value = decode(sub(text, at, stop)) end
  return { kind = "text", value = value, from = at, to = stop }
end

local function read_table(text, at, kind, close)
  local node = { kind = kind, from = at, entries = {} }
  at = find(text, "%S", at + 1)
  while sub(text, at, at) ~= close do
    local entry = { from = at }
    if kind == "object" then
      local key = read_text(text, at)
      entry.name, at = key.value, match(text, "^%s*:%s*()", key.to + 1)
    end
    entry.node = read_value(text, at)
    entry.to = entry.node.to
    node.entries[#node.entries + 1] = entry
    at = match(text, "^%s*,?%s*()", entry.to + 1)
  end
  node.to = at
  return node
end

local kinds = { t = "boolean", f = "boolean", n = "null" }

function read_value(text, at)
  local c = sub(text, at, at)
  if c == "{" then return read_table(text, at, "object", "}") end
  if c == "[" then return read_table(text, at, "list", "]") end
  if c == '"' then return read_text(text, at) end
  local scalar = match(text, "^[%w+.-]+", at)
  local kind = kinds[c] or "number"
  local value
  if kind ~= "null" then value = decode(scalar) end
  return { kind = kind, value = value, from = at, to = at + #scalar - 1 }
end

local json = {}

--- → the tree, or nil, { line=, column=, rule=, message= } of the first thing that is wrong.
function json.read(text)
  local value, err = decode(text)
  if value == nil then
    return nil, { line = err.line, column = err.column, rule = "syntax", message = err.message:gsub("^the text: ", "")
      :gsub(" at line %d+, column %d+", "") }
  end
  return read_value(text, find(text, "%S"))
end

return json
