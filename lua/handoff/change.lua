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
local shape = require "handoff.shape"
local words = require "handoff.words"

local differing = core.change.differing
local document, is_list, is_object, same = shape.document, shape.is_list, shape.is_object, shape.same
local match, pair, index, key_of = shape.match, shape.pair, shape.index, shape.key_of
local is_same_list, is_aligned, is_moved = shape.is_same_list, shape.is_aligned, shape.is_moved
local show, child_path, locate, by_text = words.show, words.child_path, words.locate, words.by_text

local change = {}

local next, ipairs, setmetatable = next, ipairs, setmetatable
local concat, sort = table.concat, table.sort

--- Whether two plain values are equal at every depth.
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

-- The order of a list that moved, by what its members are called.
local function order_text(c, list)
  local row = words.row_of(c)
  if not (row and row.item and row.item.fields) then return show(list, row) end
  local labels, counts = {}, words.count_labels(row.item, list)
  for at = 1, #list do labels[at] = words.item_label(row.item, list, at, counts) end
  return concat(labels, ", ")
end

--- One change on one line, `~ settings.timezone: "UTC" → "Europe/London"`, a sign in front: + - or ~. Long texts are
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

--- The changes as lines, one each, without a newline at the end.
function change.text(changes)
  local lines = {}
  for i, c in ipairs(changes) do lines[i] = change.line(c) end
  return concat(lines, "\n")
end

return change
