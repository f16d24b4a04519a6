-- SPDX-License-Identifier: MIT
--- The difference of two documents, as data. Pure functions on plain tables, as handoff.json decodes them. Changes come in the
-- document's order. What the server derives (read-only) is left out; so is an id that only one side has, as the server gives it.
-- @classmod Config

--- What was edited in one place. It prints as one line: `~ settings.timezone: "UTC" → "Europe/London"`.
-- @table Change
-- @tfield "added"|"changed"|"removed"|"moved" kind moved: the members that a list had before come in another order
-- @tfield string path for people: `custom_guidelines["Refund"].is_active`; an item is called what it was called before
-- @tfield[opt] any before the value itself, not a copy; nil where there is none; of "moved" the list
-- @tfield[opt] any after likewise
-- @tfield string part `"settings"`, `"availability"`, …
-- @tfield[opt] integer id of the list's item that is or holds the change, where it has one
-- @tfield[opt] string name likewise
-- @tfield[opt] string field the field that changed, of the part or its item; nil where a whole part, an item or the order of
--   items did
-- @tfield[opt] boolean member true where one member of a list of scalars was added or removed: before or after is that member
-- @tfield[opt] integer at the item's place in its list before, nil where it is not there
-- @tfield[opt] integer to the item's place after
-- @tfield[opt] integer member_at the member's place before
-- @tfield[opt] integer member_to the member's place after
local core = require "handoff.core"
local shape = require "handoff.shape"
local words = require "handoff.words"

local differing = core.change.differing
local document, is_list, is_object, same = shape.document, shape.is_list, shape.is_object, shape.same
local match, match_members = shape.match, shape.match_members
local is_same_list, is_aligned, is_moved, copy = shape.is_same_list, shape.is_aligned, shape.is_moved, shape.copy
local show, child_path, locate, by_text = words.show, words.child_path, words.locate, words.by_text

local change = {}

local next, ipairs, type, setmetatable = next, ipairs, type, setmetatable
local concat, sort = table.concat, table.sort

-- Whether two plain values are equal at every depth.
change.same = same

-- A change prints as its line.
local Change = {}

-- Reporting -----------------------------------------------------------------------------------------------------------

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
  if place.list then row.at, row.to = place.from, place.to end
  out[#out + 1] = setmetatable(row, Change)
  return row
end

local function report_field(out, place, name, before, after)
  return report(out, place, kind_of(before, after), before, after, name)
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
    item.at, item.from, item.to, item.path = at, at, other, nil
    if not other then
      report(out, item, "removed", before[at], nil)
    elseif is_object(before[at]) then
      compare_fields(out, row, before[at], after[other], item)
    end
  end
  if not matched then return end
  item.list, item.counts, item.from = after, nil, nil
  for at = 1, #after do
    item.at, item.to, item.path = at, at, nil
    if not used[at] then report(out, item, "added", nil, after[at]) end
  end
  if is_moved(#before, matched) then report(out, place, "moved", before, after) end
end

local function report_member(out, place, name, before, after, at)
  local row = report_field(out, place, name, before, after)
  row.member_at, row.member_to = before ~= nil and at or nil, before == nil and at or nil
  if before == nil then before = after end
  row.path = row.path .. "[" .. show(before) .. "]"
  row.member = true
end

-- A list of scalars is an ordered set; one that comes twice must go twice.
local function compare_members(out, name, before, after, place)
  if is_same_list(before, after) then return end
  local matched, used = match_members(before, after)
  for at = 1, #before do
    if not matched[at] then report_member(out, place, name, before[at], nil, at) end
  end
  for at = 1, #after do
    if not used[at] then report_member(out, place, name, nil, after[at], at) end
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

-- What changed in one part of a document.
-- @param name "settings", "availability", ...; an unknown part is compared as a whole
-- @param before, after the part's value, nil where the document has none
-- @return a list of changes, in the document's order; empty where nothing changed
function change.part(name, before, after)
  local out = {}
  compare_part(out, name, before, after)
  return out
end

-- What changed between two whole documents, tables as handoff.json decodes them.
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

-- Applying ------------------------------------------------------------------------------------------------------------

local function refuse_missing(c)
  core.error.raise { path = c.path, rule = "missing",
    message = "the document has no such thing to change; apply changes to what they were made of, or merge instead" }
end

-- The place where a list has what the change is about: its own, or else the first that is it. `is_it(c, value, at)`.
local function find(list, c, at, gone, is_it)
  if at and list[at] ~= nil and not gone[at] and is_it(c, list[at], at) then return at end
  for other = 1, #list do
    if not gone[other] and is_it(c, list[other], other) then return other end
  end
  refuse_missing(c)
end

local function is_member(c, value) return same(c.before, value) end

-- By id, where both have one; by name; what has no name, by its place.
local function is_item(row, c, item, at)
  if not is_object(item) then return not c.field and same(c.before, item) end
  local id, name = shape.id_of(row, item), row.named and item[row.named]
  if id and c.id then return id == c.id end
  if row.named then return c.name == (type(name) == "string" and name or nil) end
  return at == c.at
end

-- The list with those members that are matched to places, in their order.
local function reorder(list, matched)
  local places, order, moved = {}, {}, copy(list)
  for at = 1, #list do
    if matched[at] then places[#places + 1], order[#order + 1] = at, at end
  end
  sort(order, function(a, b) return matched[a] < matched[b] end)
  for i, at in ipairs(places) do moved[at] = list[order[i]] end
  return moved
end

-- The list with the values, pairs of a place and a value, at their places.
local function insert(list, values)
  local woven, at = core.json.array {}, 1
  sort(values, function(a, b) return a[1] < b[1] end)
  for _, pair_of in ipairs(values) do
    while #woven + 1 < pair_of[1] and list[at] ~= nil do woven[#woven + 1], at = list[at], at + 1 end
    woven[#woven + 1] = pair_of[2]
  end
  for rest = at, #list do woven[#woven + 1] = list[rest] end
  return woven
end

-- The list without the places in `gone`, in the order of the one that `moved` led to, with what was added.
local function rebuild(list, gone, moved, added, match_places)
  local kept, taken = {}, {}
  for at = 1, #list do
    if not gone[at] then kept[#kept + 1] = list[at] end
  end
  for _, pair_of in ipairs(added) do taken[pair_of[1]] = true end
  if moved then kept = reorder(kept, match_places(kept, moved.after, taken)) end
  return insert(kept, added)
end

local function apply_members(list, changes)
  local gone, added, moved = {}, {}, nil
  if not is_list(list) then refuse_missing(changes[1]) end
  for _, c in ipairs(changes) do
    if c.kind == "moved" then
      moved = c
    elseif c.kind == "added" then
      added[#added + 1] = { c.member_to, c.after }
    else
      gone[find(list, c, c.member_at, gone, is_member)] = true
    end
  end
  return rebuild(list, gone, moved, added, match_members)
end

-- Lists of the changes with the same `key(c)`, which is in `key`, in the order of their first ones.
local function group(changes, key)
  local groups, by_key = {}, {}
  for _, c in ipairs(changes) do
    local k = key(c)
    if not by_key[k] then
      by_key[k] = { key = k }
      groups[#groups + 1] = by_key[k]
    end
    table.insert(by_key[k], c)
  end
  return groups
end

local function field_of(c) return c.field end

local function apply_fields(object, changes)
  local applied, of_members = copy(object), {}
  for _, c in ipairs(changes) do
    if c.member or c.kind == "moved" then
      of_members[#of_members + 1] = c
    else
      applied[c.field] = c.after
    end
  end
  for _, own in ipairs(group(of_members, field_of)) do applied[own.key] = apply_members(object[own.key], own) end
  return applied
end

local function apply_items(row, list, changes)
  local gone, added, moved, edits, places, applied = {}, {}, nil, {}, {}, copy(list)
  local function is_it(c, item, at) return is_item(row, c, item, at) end
  for _, c in ipairs(changes) do
    if c.field then
      edits[#edits + 1], places[c] = c, find(list, c, c.at, gone, is_it)
    elseif c.kind == "moved" then
      moved = c
    elseif c.kind == "added" then
      added[#added + 1] = { c.to, c.after }
    else
      gone[find(list, c, c.at, gone, is_it)] = true
    end
  end
  for _, own in ipairs(group(edits, function(c) return places[c] end)) do
    applied[own.key] = apply_fields(list[own.key], own)
  end
  return rebuild(applied, gone, moved, added, function(before, after, used)
    return (match(row, before, after, used))
  end)
end

local function apply_part(name, value, changes)
  local row, first = document.known[name], changes[1]
  if not first.field and not first.at and not first.to and first.kind ~= "moved" then return first.after end
  if row and row.kind == "object" and is_object(value) then return apply_fields(value, changes) end
  if row and row.kind == "list" and is_list(value) then return apply_items(row.item, value, changes) end
  refuse_missing(first)
end

-- Makes the changes to a document: apply(diff(a, b), a) is b, but for what a diff leaves out, which stays as in a.
-- @param doc the document; it is not changed, and what is returned shares tables with it and with the changes
-- @param changes all or some of those that diff or part gave. Items are found by id or name, and by place where they have
--   neither or the name is another's, too; where one is not there it raises: to change what moved on, merge.
function change.apply(doc, changes)
  local applied = copy(doc)
  for _, own in ipairs(group(changes, function(c) return c.part end)) do
    applied[own.key] = apply_part(own.key, doc[own.key], own)
  end
  return applied
end

local opposite = { added = "removed", removed = "added", changed = "changed", moved = "moved" }

-- The changes that take these back, in the same order. Each is called what it was called before.
function change.reverse(changes)
  local reversed = {}
  for i, c in ipairs(changes) do
    local back = copy(c)
    back.kind, back.before, back.after = opposite[c.kind], c.after, c.before
    back.at, back.to, back.member_at, back.member_to = c.to, c.at, c.member_to, c.member_at
    reversed[i] = setmetatable(back, Change)
  end
  return reversed
end

-- Changes as text -----------------------------------------------------------------------------------------------------

local signs = { added = "+", removed = "-", changed = "~", moved = "~" }

-- The order of a list that moved, by what its members are called.
local function order_text(c, list)
  local row = words.row_of(c)
  if not (row and row.item and row.item.fields) then return show(list, row) end
  local labels, counts = {}, words.count_labels(row.item, list)
  for at = 1, #list do labels[at] = words.item_label(row.item, list, at, counts) end
  return concat(labels, ", ")
end

-- One change on one line, `~ settings.timezone: "UTC" → "Europe/London"`, a sign in front: + - or ~. Long texts are
-- cut in the middle; nothing in it can command a terminal.
function change.line(c)
  local line = signs[c.kind] .. " " .. c.path
  if c.member then return line end
  if c.kind == "moved" then return line .. ": order " .. order_text(c, c.before) .. " → " .. order_text(c, c.after) end
  local row = words.row_of(c)
  if c.kind == "added" then return line .. ": " .. show(c.after, row) end
  if c.kind == "removed" then return line .. ": " .. show(c.before, row) end
  return line .. ": " .. words.transition(c.before, c.after, row)
end

Change.__tostring = change.line

-- The changes as lines, one each, without a newline at the end.
function change.text(changes)
  local lines = {}
  for i, c in ipairs(changes) do lines[i] = change.line(c) end
  return concat(lines, "\n")
end

return change
