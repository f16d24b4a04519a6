-- SPDX-License-Identifier: MIT
--- The difference of two documents, as data. Pure functions on plain tables, as handoff.json decodes them.
--
-- A change is a table, and prints as one line:
--   kind    "added", "changed", "removed", or "moved": the members that a list had before come in another order
--   path    for people: settings.timezone, settings.keywords["agent"], custom_guidelines["Refund"].is_active; an item
--           is called what it was called before
--   before, after   the values themselves, not copies; nil where there is none; of "moved" the two lists
--   part    "settings", "availability", ...
--   id, name   of the list's item that is or holds the change, where it has them
--   field   the field that changed, of the part or its item; nil where a whole part, an item or the order of items did
--   member  true where one member of a list of scalars was added or removed: before or after is that member
-- Changes come in the document's order. What the server derives (read-only) is left out; so is an id that only one side
-- has, as the server gives it.
local core = require "handoff.core"
local null, differing = core.json.null, core.change.differing

local change = {}

local getmetatable, next, tostring, type = getmetatable, next, tostring, type
local ipairs, tonumber = ipairs, tonumber
local concat, sort = table.concat, table.sort

-- The schema, prepared once -------------------------------------------------------------------------------------------

local is_word = {} -- the names of the schema, which need no quotes in a path

-- Adds to an object's row `known`, its fields by name, `names`, theirs in order, and what tells such items apart,
-- as names of fields: `key`, the id; `named`; and `label`, that name or, where there is none, what every item must have
-- (a slot's days and times).
local function prepare(row)
  if row.name then is_word[row.name] = true end
  if row.item then prepare(row.item) end
  if not row.fields then return row end
  row.known, row.names, row.label = {}, {}, {}
  local required = {}
  for i, field in ipairs(row.fields) do
    row.known[field.name], row.names[i] = prepare(field), field.name
    if field.id then row.key = field.name end
    if field.identity then row.label[1] = field.name end
    if field.required then required[#required + 1] = field.name end
  end
  row.named = row.label[1]
  if not row.named then row.label = required end
  return row
end

local document = prepare(core.schema.document())

-- Values --------------------------------------------------------------------------------------------------------------

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

--- Whether two plain values are equal at every depth.
change.same = same

-- The same of two lists, whether or not an empty one is marked.
local function is_same_list(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] and not same(a[i], b[i]) then return false end
  end
  return true
end

-- What stands for a value as a key: itself, or the first equal one among `odd`, as big numbers and tables are equal by
-- value.
local function key_of(value, odd)
  local kind = type(value)
  if kind == "string" or kind == "number" or kind == "boolean" then return value end
  for i = 1, #odd do
    if same(odd[i], value) then return odd[i] end
  end
  odd[#odd + 1] = value
  return value
end

local function by_text(a, b)
  return tostring(a) < tostring(b)
end

-- Words for people ----------------------------------------------------------------------------------------------------

local escapes = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\", ['"'] = '\\"' }

local function escape(c)
  return escapes[c] or ("\\u%04x"):format(c:byte(-1))
end

-- On one line, and nothing in it can command a terminal: C0 and C1 controls are escaped.
local function quote(text)
  return '"' .. text:gsub('[%c"\\]', escape):gsub("\194[\128-\159]", escape) .. '"'
end

local function number_text(value)
  if type(value) ~= "number" or tostring(value):find "^-?%d+$" then return tostring(value) end
  local text = ("%.14g"):format(value)
  return tonumber(text) == value and text or ("%.17g"):format(value)
end

local SHOWN, SHOWN_MEMBERS = 72, 12

-- A text of at most SHOWN characters: the middle of a longer one is left out.
local function shorten(text)
  local count = core.schema.utf8_length(text)
  if not count or count <= SHOWN then return text end
  local half = ("[^\128-\191][\128-\191]*"):rep(SHOWN / 2)
  return text:match("^" .. half) .. "..." .. text:match(half .. "$")
end

-- The names of an object's fields, those of the schema in its order, then the others sorted.
local function names_of(object, row)
  local names, others = {}, {}
  for _, field in ipairs(row and row.fields or {}) do
    if object[field.name] ~= nil then names[#names + 1] = field.name end
  end
  for name in next, object do
    if not (row and row.known and row.known[name]) then others[#others + 1] = name end
  end
  sort(others, by_text)
  for _, name in ipairs(others) do names[#names + 1] = name end
  return names
end

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

-- A label as it stands in a path: a name in quotes.
local function shown_label(row, label)
  local quoted = quote(label)
  return row.named and quoted or quoted:sub(2, -2)
end

-- JSON on one line, long texts and lists cut short. `row` is the schema's, for the order of fields, or nil.
local function show(value, row)
  if value == null then return "null" end
  if type(value) == "string" then return quote(shorten(value)) end
  if type(value) == "number" then return number_text(value) end
  if type(value) ~= "table" then return tostring(value) end
  local words = {}
  if is_list(value) and (value[1] ~= nil or getmetatable(value) or row and row.kind == "list") then
    for i = 1, #value > SHOWN_MEMBERS + 1 and SHOWN_MEMBERS or #value do words[i] = show(value[i], row and row.item) end
    if #value > #words then words[#words + 1] = ("... %d more"):format(#value - #words) end
    return "[" .. concat(words, ", ") .. "]"
  end
  for i, name in ipairs(names_of(value, row)) do
    words[i] = quote(tostring(name)) .. ": " .. show(value[name], row and row.known and row.known[name])
  end
  return "{" .. concat(words, ", ") .. "}"
end

local function child_path(path, name)
  if is_word[name] then return path .. "." .. name end
  return path .. (tostring(name):find "^[%a_][%w_]*$" and "." .. name or "[" .. quote(tostring(name)) .. "]")
end

local function id_of(row, item)
  local id = row.key and item[row.key]
  return id ~= null and id or nil
end

-- How many items of the list have each label.
local function count_labels(row, list)
  local counts = {}
  for at = 1, #list do
    local label = is_object(list[at]) and label_text(row, list[at])
    if label then counts[label] = (counts[label] or 0) + 1 end
  end
  return counts
end

-- What the item is called in a path: its label; where others have the same, its id or its place as well.
local function item_label(row, list, at, counts)
  local item = list[at]
  local label, id
  if is_object(item) then label, id = label_text(row, item), id_of(row, item) end
  if not label then return id and "#" .. number_text(id) or tostring(at) end
  if counts[label] == 1 then return shown_label(row, label) end
  return shown_label(row, label) .. (id and " #" .. number_text(id) or " at " .. at)
end

-- A change prints as its line.
local Change = {}

-- Reporting -----------------------------------------------------------------------------------------------------------

-- A place is where in the document a comparison is: `path`, `part`, `id`, `name`. Of an item (`at` in `list`, below the
-- place `above`) those are filled in when its first change is reported, as most items have none.
local function locate(place)
  local row, item = place.row, place.list[place.at]
  place.counts = place.counts or count_labels(row, place.list)
  place.path = place.above.path .. "[" .. item_label(row, place.list, place.at, place.counts) .. "]"
  place.id, place.name = nil, nil
  if not is_object(item) then return end
  place.id = id_of(row, item)
  local name = row.named and item[row.named]
  place.name = type(name) == "string" and name or nil
end

local function kind_of(before, after)
  return before == nil and "added" or after == nil and "removed" or "changed"
end

-- A change of the place itself or, where one is named, of a field there.
local function report(out, place, kind, before, after, field)
  if not place.path then locate(place) end
  local row = {
    kind = kind, path = field and child_path(place.path, field) or place.path, before = before, after = after,
    part = place.part, id = place.id, name = place.name, field = field,
  }
  out[#out + 1] = setmetatable(row, Change)
  return row
end

local function report_field(out, place, name, before, after)
  return report(out, place, kind_of(before, after), before, after, name)
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

-- Adds pairs of members with the same key, before → after, each in one pair at most; the indexes of `after` are tried
-- in turn.
local function pair(matched, used, before, key, members, otherwise)
  for at = 1, #before do
    local k
    if not matched[at] then k = key(before[at]) end
    local other = k ~= nil and (take(members, k) or otherwise and take(otherwise, k))
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

-- By id; then by label, unless both have an id; what has neither, by being equal.
local function match(row, before, after)
  local matched, used, odd = {}, {}, {}
  local function id(item)
    local value = is_object(item) and id_of(row, item)
    if value then return key_of(value, odd) end
  end
  local function label_with_id(item)
    if id(item) then return label_text(row, item) end
  end
  local function label_without_id(item)
    if is_object(item) and not id(item) then return label_text(row, item) end
  end
  local function whole(item)
    if not id(item) and not label_without_id(item) then return key_of(item, odd) end
  end
  pair(matched, used, before, id, index(after, id, used))
  pair(matched, used, before, label_with_id, index(after, label_without_id, used))
  local with_id = index(after, label_with_id, used)
  pair(matched, used, before, label_without_id, index(after, label_without_id, used), with_id)
  pair(matched, used, before, whole, index(after, whole, used))
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

-- Comparing -----------------------------------------------------------------------------------------------------------

local compare_field

-- Fields the schema does not know, each as a whole. `differs` is a set of names.
local function compare_unknown(out, known, differs, before, after, place)
  local names = {}
  for name in next, differs do
    if not known[name] and not same(before[name], after[name]) then names[#names + 1] = name end
  end
  sort(names, by_text)
  for _, name in ipairs(names) do report_field(out, place, name, before[name], after[name]) end
end

local function compare_fields(out, row, before, after, place)
  local differs, left = differing(before, after)
  if not differs then return end
  for i, name in ipairs(row.names) do
    if differs[name] then
      compare_field(out, row.fields[i], before[name], after[name], place)
      left = left - 1
      if left == 0 then return end
    end
  end
  compare_unknown(out, row.known, differs, before, after, place)
end

local function compare_items(out, row, before, after, place)
  local matched, used
  if not is_aligned(row, before, after) then matched, used = match(row, before, after) end
  local item = { above = place, part = place.part, row = row, list = before }
  for at = 1, #before do
    local other = at
    if matched then other = matched[at] end
    item.at, item.path = at, nil
    if not other then
      report(out, item, "removed", before[at], nil)
    elseif is_object(before[at]) then
      compare_fields(out, row, before[at], after[other], item)
    end
  end
  if not matched then return end
  item.list, item.counts = after, nil
  for at = 1, #after do
    item.at, item.path = at, nil
    if not used[at] then report(out, item, "added", nil, after[at]) end
  end
  if is_moved(#before, matched) then report(out, place, "moved", before, after) end
end

local function report_member(out, place, name, before, after)
  local row = report_field(out, place, name, before, after)
  if before == nil then before = after end
  row.path = row.path .. "[" .. show(before) .. "]"
  row.member = true
end

-- A list of scalars is an ordered set; one that comes twice must go twice.
local function compare_members(out, name, before, after, place)
  if is_same_list(before, after) then return end
  local matched, used, odd = {}, {}, {}
  local function key(value) return key_of(value, odd) end
  pair(matched, used, before, key, index(after, key, used))
  for at = 1, #before do
    if not matched[at] then report_member(out, place, name, before[at], nil) end
  end
  for at = 1, #after do
    if not used[at] then report_member(out, place, name, nil, after[at]) end
  end
  if is_moved(#before, matched) then report(out, place, "moved", before, after, name) end
end

-- Items or fields one by one, where both values have the documented shape for it. False where there is nothing to go
-- into.
local function compare_within(out, row, before, after, place)
  if row.kind == "list" and row.item.fields and is_list(before) and is_list(after) then
    compare_items(out, row.item, before, after, place)
  elseif row.kind == "object" and is_object(before) and is_object(after) then
    compare_fields(out, row, before, after, place)
  else
    return false
  end
  return true
end

function compare_field(out, row, before, after, place)
  if row.read_only or row.id and (before == nil or after == nil) then return end
  if row.kind == "list" and not row.item.fields and is_list(before) and is_list(after) then
    return compare_members(out, row.name, before, after, place)
  end
  if row.kind == "list" or row.kind == "object" then
    if not place.path then locate(place) end
    local below = { path = child_path(place.path, row.name), part = place.part, id = place.id, name = place.name }
    if compare_within(out, row, before, after, below) then return end
  end
  if not same(before, after) then report_field(out, place, row.name, before, after) end
end

local function compare_part(out, name, before, after)
  if before == after then return end
  local row, place = document.known[name], { path = name, part = name }
  if row and compare_within(out, row, before, after, place) then return end
  if not same(before, after) then report(out, place, kind_of(before, after), before, after) end
end

--- What changed in one part of a document.
-- @param name "settings", "availability", ...; an unknown part is compared as a whole
-- @param before, after the part's value, nil where the document has none
-- @return a list of changes, in the document's order; empty where nothing changed
function change.part(name, before, after)
  local out = {}
  compare_part(out, name, before, after)
  return out
end

--- What changed between two whole documents, tables as handoff.json decodes them.
-- @return a list of changes, in the document's order, unknown parts last
function change.diff(before, after)
  local out, others = {}, {}
  for _, row in ipairs(document.fields) do compare_part(out, row.name, before[row.name], after[row.name]) end
  for name in next, before do
    if not document.known[name] then others[#others + 1] = name end
  end
  for name in next, after do
    if not document.known[name] and before[name] == nil then others[#others + 1] = name end
  end
  sort(others, by_text)
  for _, name in ipairs(others) do compare_part(out, name, before[name], after[name]) end
  return out
end

-- Changes as text -----------------------------------------------------------------------------------------------------

local signs = { added = "+", removed = "-", changed = "~", moved = "~" }

-- The schema's row of what a change holds, or nil.
local function row_of(c)
  local row = document.known[c.part]
  if not row or c.path == c.part then return row end
  if row.item then row = row.item end
  if c.field then row = row.known[c.field] end
  return row
end

-- The order of a list that moved, by what its members are called.
local function order_text(c, list)
  local row = row_of(c)
  if not (row and row.item and row.item.fields) then return show(list, row) end
  local words, counts = {}, count_labels(row.item, list)
  for at = 1, #list do words[at] = item_label(row.item, list, at, counts) end
  return concat(words, ", ")
end

--- One change on one line, `~ settings.timezone: "UTC" → "Europe/London"`, a sign in front: + - or ~. Long texts are
-- cut in the middle; nothing in it can command a terminal.
function change.line(c)
  local line = signs[c.kind] .. " " .. c.path
  if c.member then return line end
  if c.kind == "moved" then return line .. ": order " .. order_text(c, c.before) .. " → " .. order_text(c, c.after) end
  local row = row_of(c)
  if c.kind == "added" then return line .. ": " .. show(c.after, row) end
  if c.kind == "removed" then return line .. ": " .. show(c.before, row) end
  return line .. ": " .. show(c.before, row) .. " → " .. show(c.after, row)
end

Change.__tostring = change.line

--- The changes as lines, one each, without a newline at the end.
function change.text(changes)
  local lines = {}
  for i, c in ipairs(changes) do lines[i] = change.line(c) end
  return concat(lines, "\n")
end

return change
