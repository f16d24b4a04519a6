-- SPDX-License-Identifier: MIT
--- Options, read strictly: an unknown name, a wrong type or a value out of range raises at the caller's place.
local core = require "handoff.core"

core.error.home(debug.getinfo(1, "S").source)

local options = {}

-- A text is never kept in the error: it may be a token that was given to the wrong option.
local function refuse(path, rule, value, message)
  if type(value) == "string" then value = nil end
  core.error.raise { path = path, rule = rule, value = value, message = message }
end

local function names(rows)
  local list = {}
  for name in pairs(rows) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local function refuse_unknown(rows, what, name)
  local known = names(rows)
  local near = type(name) == "string" and core.schema.nearest(name, known)
  refuse(what, "unknown", name, ("no option %q; %s"):format(tostring(name),
    near and ("did you mean %q?"):format(near) or "known are: " .. table.concat(known, ", ")))
end

-- What reading needs of the rows, made once: the types that each allows, as sets, and the defaults, a list.
local prepared = setmetatable({}, { __mode = "k" })

local function prepare(rows)
  local ready = { types = {}, defaults = {} }
  for name, row in pairs(rows) do
    local types = {}
    for word in row[1]:gmatch "%S+" do types[word] = true end
    ready.types[name] = types
    if row.default ~= nil then ready.defaults[#ready.defaults + 1] = { name, row.default } end
  end
  prepared[rows] = ready
  return ready
end

local function check(row, types, what, name, value)
  local got = type(value)
  if not types[got] then
    refuse(what .. ": " .. name, "type", not row.secret and value or nil,
      ("%s expected, got %s"):format(row[1]:gsub(" ", " or "), got))
  end
  if got ~= "number" then return end
  if value ~= value or value < (row.min or -math.huge) or value > (row.max or math.huge) then
    refuse(what .. ": " .. name, "range", value,
      ("%s is out of range, %s to %s allowed"):format(value, row.min or "any", row.max or "any"))
  end
  if row.integer and value % 1 ~= 0 then
    refuse(what .. ": " .. name, "integer", value, ("%s is not a whole number"):format(value))
  end
end

--- Reads options against rows.
-- @param given the caller's table, or nil; it is not changed or kept
-- @param rows name → { types, default=, min=, max=, integer=, secret= }, types as `type` names them, a blank between; no
--   error holds the value of a secret
-- @param what the name of the function, for messages: "handoff.client"
-- @return a fresh table: what was given, and the defaults of what was not
function options.read(given, rows, what)
  if given ~= nil and type(given) ~= "table" then
    refuse(what, "type", nil, ("a table of options expected, got %s"):format(type(given)))
  end
  local read, ready = {}, prepared[rows] or prepare(rows)
  for _, default in ipairs(ready.defaults) do read[default[1]] = default[2] end
  for name, value in next, given or {} do
    local row = rows[name]
    if not row then refuse_unknown(rows, what, name) end
    check(row, ready.types[name], what, name, value)
    read[name] = value
  end
  return read
end

return options
