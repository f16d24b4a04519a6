-- SPDX-License-Identifier: MIT
--- Options, read strictly: an unknown name, a wrong type or a value out of range raises at the caller's place.
local core = require "handoff.core"
local hint = require "handoff.hint"

core.error.home(debug.getinfo(1, "S").source)

local take = core.options.take

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

-- A name is shown where it may be one: a token may have been given in its place.
local function refuse_unknown(rows, what, name)
  local shown = "of that name"
  if type(name) ~= "string" or #name <= 32 and name:find "^[%a_][%w_]*$" then shown = ("%q"):format(tostring(name)) end
  refuse(what, "unknown", name, ("no option %s; %s"):format(shown, hint(name, names(rows))))
end

-- What reading needs of the rows, made once: the types and the defaults by name, and the names of those that are or may be
-- numbers.
local prepared = setmetatable({}, { __mode = "k" })

local function prepare(rows)
  local ready = { types = {}, defaults = {}, numbers = {} }
  for name, row in pairs(rows) do
    ready.types[name], ready.defaults[name] = row[1], row.default
    if row[1]:find "number" then ready.numbers[#ready.numbers + 1] = name end
  end
  prepared[rows] = ready
  return ready
end

local function refuse_type(row, what, name, value)
  refuse(what .. ": " .. name, "type", not row.secret and value or nil,
    ("%s expected, got %s"):format(row[1]:gsub(" ", " or "), type(value)))
end

local function check_number(row, what, name, value)
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
  local ready = prepared[rows] or prepare(rows)
  local read, wrong = take(given, ready.types, ready.defaults)
  if not read then
    if not rows[wrong] then refuse_unknown(rows, what, wrong) end
    refuse_type(rows[wrong], what, wrong, rawget(given, wrong))
  end
  for i = 1, #ready.numbers do
    local name = ready.numbers[i]
    local value, row = read[name], rows[name]
    if value ~= row.default and type(value) == "number" then check_number(row, what, name, value) end
  end
  return read
end

return options
