-- SPDX-License-Identifier: MIT
--- What the documented shape says of plain values: when two are the same, and which items of two lists are. Pure functions.
local core = require "handoff.core"
local null = core.json.null

local shape = {}

local getmetatable, next, tostring, type, ipairs = getmetatable, next, tostring, type, ipairs

-- The schema, prepared once -------------------------------------------------------------------------------------------

-- Adds to an object's row `known`, its fields by name, `names`, theirs in order, and what tells such items apart,
-- as names of fields: `key`, the id; `named`; and `label`, that name or, where there is none, what every item must have
-- (a slot's days and times). A slot's row has `is_slot`.
local function prepare(row)
  if row.item then prepare(row.item) end
  if not row.fields then return row end
  row.known, row.names, row.label = {}, {}, {}
  local required = {}
  for i, field in ipairs(row.fields) do
    row.known[field.name], row.names[i] = prepare(field), field.name
    if field.id then row.key = field.name end
    if field.identity then row.label[1] = field.name end
    if field.format == "day_span" then row.is_slot = true end
    if field.required then required[#required + 1] = field.name end
  end
  row.named = row.label[1]
  if not row.named then row.label = required end
  return row
end

--- The document, prepared. Its parts are in `known` and `fields`.
shape.document = prepare(core.schema.document())

-- Values --------------------------------------------------------------------------------------------------------------

-- An empty table can be either.
local function is_list(value)
  return type(value) == "table" and (value[1] ~= nil or next(value) == nil)
end

local function is_object(value)
  return type(value) == "table" and value[1] == nil
end

-- Two empty tables are the same only where both or neither are marked as an array: [] is not {}.
local function same(a, b)
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" then return false end
  if next(a) == nil and next(b) == nil then return getmetatable(a) == getmetatable(b) end
  for key, value in next, a do
    if not same(value, b[key]) then return false end
  end
  for key in next, b do
    if a[key] == nil then return false end
  end
  return true
end

-- The same of two lists, whether or not an empty one is marked.
local function is_same_list(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] and not same(a[i], b[i]) then return false end
  end
  return true
end

-- A text as it is without the blanks that a service may trim; anything else as it is.
local function bare(value)
  if type(value) ~= "string" then return value end
  return (value:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

-- What stands for a value as a key: itself, or the first equal one among `odd`, as tables are equal by value, and a few
-- numbers. Those with more digits than a number of Lua has stand apart from all text: byte 0xFF is in none.
local function key_of(value, odd)
  local kind = type(value)
  if kind == "string" or kind == "number" or kind == "boolean" or value == null then return value end
  if kind == "userdata" and tostring(value):find "^-?%d+$" then return "\255" .. tostring(value) end
  for i = 1, #odd do
    if same(odd[i], value) then return odd[i] end
  end
  odd[#odd + 1] = value
  return value
end

-- Items ---------------------------------------------------------------------------------------------------------------

-- The values of the label's fields joined by blanks, two times by a hyphen; nil where one is no text.
local function label_text(row, item)
  local text = row.named and item[row.named]
  if row.named then return type(text) == "string" and text or nil end
  for i, name in ipairs(row.label) do
    local value = item[name]
    if type(value) ~= "string" then return nil end
    local between = row.known[name].format == "time" and row.known[row.label[i - 1] or ""]
    between = between and between.format == "time" and "-" or " "
    text = text and text .. between .. value or value
  end
  return text
end

local function id_of(row, item)
  local id = row.key and item[row.key]
  return id ~= null and id or nil
end

-- Matching ------------------------------------------------------------------------------------------------------------

-- Keys → the first of the members that have it; `chain` leads from a member to the next with the same key. Those in
-- `skip` and those without a key are left out.
local function index(list, key, skip)
  local first, chain = {}, {}
  for at = #list, 1, -1 do
    local k
    if not skip[at] then k = key(list[at]) end
    if k ~= nil then chain[at], first[k] = first[k], at end
  end
  return { first = first, chain = chain }
end

local function take(members, key)
  local at = members.first[key]
  if at then members.first[key] = members.chain[at] end
  return at
end

-- Adds pairs of members with the same key, before → after, each in one pair at most. `members` is an index of `after`.
local function pair(matched, used, before, key, members)
  for at = 1, #before do
    local k
    if not matched[at] then k = key(before[at]) end
    local other = k ~= nil and take(members, k)
    if other then matched[at], used[other] = other, true end
  end
end

-- Whether every item has its own id, or label, at the same place on both sides: by far the commonest case.
local function is_aligned(row, before, after)
  if #before ~= #after then return false end
  for at = 1, #before do
    local b, a = before[at], after[at]
    if not is_object(b) or not is_object(a) then return false end
    local id = id_of(row, b)
    if id ~= id_of(row, a) then return false end
    for i = 1, id == nil and #row.label or 0 do
      local name = row.label[i]
      if type(b[name]) ~= "string" or b[name] ~= a[name] then return false end
    end
  end
  return true
end

-- The item's id as a key, or nil.
local function id_key(row, item, odd)
  local id = is_object(item) and id_of(row, item)
  if id then return key_of(id, odd) end
end

-- Whose is whose: the places of `before` → those of `after`, and the set of the latter. By id; then by label, unless both
-- have an id; what has neither, by being equal. Places that are in `used` from the start are nobody's; `label_of` is
-- label_text, or a function like it.
function shape.match(row, before, after, used, label_of)
  local matched, odd = {}, {}
  used, label_of = used or {}, label_of or label_text
  local function id(item) return id_key(row, item, odd) end
  local function label_with_id(item)
    if id(item) then return label_of(row, item) end
  end
  local function label_without_id(item)
    if is_object(item) and not id(item) then return label_of(row, item) end
  end
  local function whole(item)
    if not id(item) and not label_without_id(item) then return key_of(item, odd) end
  end
  pair(matched, used, before, id, index(after, id, used))
  pair(matched, used, before, label_without_id, index(after, label_without_id, used))
  pair(matched, used, before, label_with_id, index(after, label_without_id, used))
  pair(matched, used, before, label_without_id, index(after, label_with_id, used))
  pair(matched, used, before, whole, index(after, whole, used))
  return matched, used
end

--- Whose is whose of lists of scalars, as match has it of items: by value, each once. Places in `used` are nobody's.
function shape.match_members(before, after, used)
  local matched, odd = {}, {}
  used = used or {}
  local function key(value) return key_of(value, odd) end
  pair(matched, used, before, key, index(after, key, used))
  return matched, used
end

-- Whether the members that are on both sides come in another order.
local function is_moved(count, matched)
  local last = 0
  for at = 1, count do
    local other = matched[at]
    if other and other < last then return true end
    last = other or last
  end
  return false
end

--- A table with the same members, which are shared.
function shape.copy(object)
  local fresh = {}
  for name, value in next, object do fresh[name] = value end
  return fresh
end

shape.is_list, shape.is_object = is_list, is_object
shape.same, shape.is_same_list, shape.bare, shape.key_of = same, is_same_list, bare, key_of
shape.id_of, shape.id_key, shape.label_text = id_of, id_key, label_text
shape.index, shape.pair, shape.is_aligned, shape.is_moved = index, pair, is_aligned, is_moved

local function without(item, key)
  if type(item) ~= "table" or item[key] == nil then return item end
  local fresh = shape.copy(item)
  fresh[key] = nil
  return fresh
end

--- The items, without the ids that none of `others` has: those are another agent's, or of items that are gone, and the service
-- gives ids itself.
function shape.without_strange_ids(row, items, others)
  local known, odd, stripped = {}, {}, core.json.array {}
  for _, item in ipairs(others) do known[id_key(row, item, odd) or false] = true end
  for at, item in ipairs(items) do
    local id = id_key(row, item, odd)
    stripped[at] = id and not known[id] and without(item, row.key) or item
  end
  return stripped
end

--- A part of a document, or an item of it, without the ids that the service gave the items: they differ from agent to agent.
-- @param row the schema's of the part, or nil
-- @return the value itself where there is nothing to leave out, a fresh one otherwise
function shape.without_ids(row, value)
  local key = row and row.item and row.item.key
  if not key or type(value) ~= "table" then return value end
  if not shape.is_list(value) then return without(value, key) end
  local list = core.json.array {}
  for i, item in ipairs(value) do list[i] = without(item, key) end
  return list
end

return shape
