-- SPDX-License-Identifier: MIT
--- Three-way merge: what led from `base` to `mine` is done to `theirs`. Pure functions on plain tables, as handoff.json
-- decodes them. Nothing given is changed; what is merged shares tables with what was given.
--
-- Field by field; the items of a list are matched as handoff.change does it, new ones by label (their name; a slot's day and
-- times) whatever their ids, and so are all where no id is there any more; leniently, one whose id is gone also where there is
-- the same under another id, as after an undo; lists of scalars are sets with an order. Read-only fields are theirs, and so are
-- ids. Of an order, theirs stays unless only mine is another than before; what only one side has follows what it followed there.
--
-- The same field changed two ways, and an item edited on one side and removed on the other, are a conflict: a table that prints
-- as one line, with path, part, field, id and name as of a change, and base, mine, theirs: the values, nil where there is
-- none. Where a conflict is left, what is merged holds theirs.
local core = require "handoff.core"
local options = require "handoff.options"
local shape = require "handoff.shape"
local words = require "handoff.words"

local differing, array, names_of = core.change.differing, core.json.array, words.names_of
local document, is_list, is_object, same = shape.document, shape.is_list, shape.is_object, shape.same

local merge = {}

local next, ipairs, type, setmetatable = next, ipairs, type, setmetatable

-- Conflicts -----------------------------------------------------------------------------------------------------------

local Conflict = {}

-- What is merged where the two sides disagree; `field` of the place, or nil for its item or part.
local function disagree(ctx, place, field, base, mine, theirs)
  if not place.path then words.locate(place) end
  local conflict = setmetatable({
    path = field and words.child_path(place.path, field) or place.path, part = place.part, field = field,
    id = place.id, name = place.name, base = base, mine = mine, theirs = theirs,
  }, Conflict)
  local how, value = ctx.resolve, nil
  if type(how) == "function" then how, value = how(conflict) end
  if how == "mine" then return mine end
  if how == "value" then return value end
  if how == nil then
    ctx.conflicts[#ctx.conflicts + 1] = conflict
  elseif how ~= "theirs" then
    core.error.raise { path = conflict.path, rule = "choice", value = how,
      message = 'what resolves a conflict returned something else than "mine", "theirs", "value" and a value, or nil' }
  end
  return theirs
end

-- The names of the item's fields that one side changed.
local function changed_names(row, base, value)
  local names = {}
  for i, name in ipairs(names_of(differing(base, value), row)) do names[i] = words.plain(name) end
  return table.concat(names, ", ")
end

local function side_text(conflict, side, row)
  local base, value = conflict.base, conflict[side]
  if value == nil then return side .. " removed it" end
  if base == nil then return side .. " " .. words.show(value, row) end
  if not conflict.field and is_object(base) and is_object(value) then
    return side .. " changed " .. changed_names(row, base, value)
  end
  return side .. " " .. words.transition(base, value, row)
end

function Conflict.__tostring(conflict)
  local row = words.row_of(conflict)
  return conflict.path .. ": " .. side_text(conflict, "mine", row) .. "; " .. side_text(conflict, "theirs", row)
end

-- Values --------------------------------------------------------------------------------------------------------------

local function merge_leaf(ctx, name, base, mine, theirs, place)
  if same(mine, theirs) or same(base, mine) then return theirs end
  local my_bare = ctx.bare(mine)
  -- Where mine changed nothing but blanks, theirs without them may be what was there before as well as what was trimmed.
  if ctx.lenient and my_bare == ctx.bare(theirs) and my_bare ~= ctx.bare(base) then return theirs end
  if same(base, theirs) then return mine end
  return disagree(ctx, place, name, base, mine, theirs)
end

-- The server gives ids: mine is taken only where theirs has none of its own.
local function merge_id(base, mine, theirs)
  if mine ~= nil and (theirs == nil or same(base, theirs)) then return mine end
  return theirs
end

-- Lists ---------------------------------------------------------------------------------------------------------------
-- An entry is what one member of the lists becomes: base, mine, theirs are its places there, value what is merged, nil where
-- nothing is left of it.

local function is_moved(entries, side)
  local last = 0
  for _, entry in ipairs(entries) do
    local at = entry[side]
    if at and at < last then return true end
    last = at or last
  end
  return false
end

-- The entries that are left of `second` and not in `first`, by the one before which has its place in both; `false` for none.
local function group(second, side)
  local groups, last = { [false] = {} }, false
  for _, entry in ipairs(second) do
    if entry.value ~= nil and entry[side] then
      last = entry
      groups[last] = {}
    elseif entry.value ~= nil then
      local following = groups[last]
      following[#following + 1] = entry
    end
  end
  return groups
end

-- The merged list, of the entries in each list's order.
local function arrange(base, mine, theirs)
  local first, second, first_side, second_side = theirs, mine, "theirs", "mine"
  if is_moved(base, "mine") and not is_moved(base, "theirs") then
    first, second, first_side, second_side = mine, theirs, "mine", "theirs"
  end
  local merged, groups = array {}, group(second, first_side)
  local following = groups[false]
  local function add_following()
    for _, entry in ipairs(following) do merged[#merged + 1] = entry.value end
  end
  for _, entry in ipairs(first) do
    if entry.value ~= nil and entry[second_side] then
      add_following()
      following = groups[entry]
    end
    merged[#merged + 1] = entry.value
  end
  add_following()
  return merged
end

-- How many of a value are left, of how many there were. Both sides removing, or both adding, are one and the same.
local function count_left(base, mine, theirs)
  if mine == base then return theirs end
  if theirs == base then return mine end
  return mine < base and theirs < base and math.min(mine, theirs) or math.max(mine, theirs)
end

-- Adds the members to `sets`: keys → a list of entries, the first for the first of that key, and so on → theirs in order.
local function add_members(sets, side, list, key)
  local entries, counts = {}, {}
  for at = 1, #list do
    local k = key(list[at])
    local n = (counts[k] or 0) + 1
    counts[k], sets[k] = n, sets[k] or {}
    local entry = sets[k][n] or { member = list[at] }
    sets[k][n], entries[at] = entry, entry
    entry[side] = at
  end
  return entries, counts
end

local function merge_set(ctx, base, mine, theirs)
  if shape.is_same_list(mine, theirs) or shape.is_same_list(base, mine) then return theirs end
  local sets, odd, known = {}, {}, {}
  for at = 1, ctx.lenient and #base or 0 do known[ctx.bare(base[at])] = true end
  local function key(value)
    local bare = ctx.bare(value)
    return shape.key_of(known[bare] and value or bare, odd)
  end
  local their_entries, their_counts = add_members(sets, "theirs", theirs, key)
  local my_entries, my_counts = add_members(sets, "mine", mine, key)
  local base_entries, base_counts = add_members(sets, "base", base, key)
  for k, entries in next, sets do
    local left = count_left(base_counts[k] or 0, my_counts[k] or 0, their_counts[k] or 0)
    for n = 1, left do entries[n].value = entries[n].member end
  end
  return arrange(base_entries, my_entries, their_entries)
end

-- Items ---------------------------------------------------------------------------------------------------------------

-- Whether one side has changed what a side can change of the item.
local function is_edited(row, base, item)
  for name in next, differing(base, item) or {} do
    local field, before, after = row.known[name], base[name], item[name]
    local is_servers = field and (field.read_only or field.id)
    local is_list_still = field and field.kind == "list" and is_list(before) and is_list(after)
    if not is_servers and not (is_list_still and shape.is_same_list(before, after)) then return true end
  end
  return false
end

local merge_fields

local function merge_item(ctx, row, base, mine, theirs, place)
  if mine == nil and theirs == nil then return nil end
  if mine ~= nil and theirs ~= nil then
    return is_object(base) and merge_fields(ctx, row, base, mine, theirs, place) or theirs
  end
  if not is_object(base) or not is_edited(row, base, mine or theirs) then return nil end
  return disagree(ctx, place, nil, base, mine, theirs)
end

-- Whether no items are matched by id: a service may give all of them anew whenever something is written.
local function is_renumbered(row, base, list, matched)
  for at = 1, #base do
    local before, after = base[at], list[matched[at]]
    local are_items = is_object(before) and is_object(after)
    if are_items and shape.id_of(row, before) and shape.id_of(row, after) then return false end
  end
  return true
end

-- What was taken out and put back, as an undo does, has an id of its own, and is what it was before.
local function pair_put_back(ctx, row, base, list, matched, used)
  local odd = {}
  local function content(item)
    if not is_object(item) then return nil end
    local fields = {}
    for name, value in next, item do
      if name ~= row.key then fields[name] = ctx.bare(value) end
    end
    return shape.key_of(fields, odd)
  end
  shape.pair(matched, used, base, content, shape.index(list, content, used))
end

-- Whose is whose.
local function match(ctx, row, base, list)
  if shape.is_aligned(row, base, list) then
    local places = {}
    for at = 1, #base do places[at] = at end
    return places
  end
  local matched, used = shape.match(row, base, list, nil, ctx.label)
  if ctx.lenient then pair_put_back(ctx, row, base, list, matched, used) end
  if not is_renumbered(row, base, list, matched) then return matched end
  local function label(item) return is_object(item) and ctx.label(row, item) or nil end
  shape.pair(matched, used, base, label, shape.index(list, label, used))
  return matched
end

-- The entries of the items that were there before → each list's, by place.
local function enter(base, my_places, their_places)
  local base_entries, my_entries, their_entries = {}, {}, {}
  for at = 1, #base do
    local entry = { base = at, mine = my_places[at], theirs = their_places[at] }
    base_entries[at] = entry
    if entry.mine then my_entries[entry.mine] = entry end
    if entry.theirs then their_entries[entry.theirs] = entry end
  end
  return base_entries, my_entries, their_entries
end

-- The items of the list that have no entry, and their places.
local function rest(list, entries)
  local items, places = {}, {}
  for at = 1, #list do
    if not entries[at] then items[#items + 1], places[#places + 1] = list[at], at end
  end
  return items, places
end

-- Entries for what was added: what both sides added is one. By id; by label, as an answer that was lost had given mine an id
-- of its own; what has no label, by being equal.
local function enter_added(ctx, row, mine, theirs, my_entries, their_entries)
  local my_items, my_places = rest(mine, my_entries)
  local their_items, their_places = rest(theirs, their_entries)
  local matched, used, odd = {}, {}, {}
  local function id(item) return shape.id_key(row, item, odd) end
  local function label(item) return is_object(item) and ctx.label(row, item) or nil end
  local function whole(item)
    if not label(item) then return shape.key_of(item, odd) end
  end
  for _, key in ipairs { id, label, whole } do
    shape.pair(matched, used, my_items, key, shape.index(their_items, key, used))
  end
  for i, at in ipairs(my_places) do my_entries[at] = { mine = at, theirs = their_places[matched[i]] } end
  for i, at in ipairs(their_places) do
    if not used[i] then their_entries[at] = { theirs = at } end
  end
  for _, entry in ipairs(my_entries) do
    if entry.theirs then their_entries[entry.theirs] = entry end
  end
end

local function merge_added(ctx, row, mine, theirs, place)
  if is_object(mine) and is_object(theirs) then return merge_fields(ctx, row, {}, mine, theirs, place) end
  if theirs ~= nil then return theirs end
  return mine
end

local function merge_items(ctx, row, base, mine, theirs, place)
  if same(mine, theirs) or same(base, mine) then return theirs end
  local base_entries, my_entries, their_entries =
    enter(base, match(ctx, row, base, mine), match(ctx, row, base, theirs))
  enter_added(ctx, row, mine, theirs, my_entries, their_entries)
  local item = { above = place, part = place.part, row = row, list = base }
  for at, entry in ipairs(base_entries) do
    item.at, item.path = at, nil
    entry.value = merge_item(ctx, row, base[at], mine[entry.mine], theirs[entry.theirs], item)
  end
  item.list, item.counts = mine, nil
  for at, entry in ipairs(my_entries) do
    item.at, item.path = at, nil
    if not entry.base then entry.value = merge_added(ctx, row, mine[at], theirs[entry.theirs], item) end
  end
  for at, entry in ipairs(their_entries) do
    if not entry.base and not entry.mine then entry.value = theirs[at] end
  end
  return arrange(base_entries, my_entries, their_entries)
end

-- Objects -------------------------------------------------------------------------------------------------------------

-- Items or fields one by one, where both sides have the documented shape for it → whether they have, and what is merged. A
-- base without it counts as empty.
local function merge_within(ctx, row, base, mine, theirs, place)
  if row.kind == "list" and is_list(mine) and is_list(theirs) then
    if not is_list(base) then base = {} end
    if row.item.fields then return true, merge_items(ctx, row.item, base, mine, theirs, place) end
    return true, merge_set(ctx, base, mine, theirs)
  elseif row.kind == "object" and is_object(mine) and is_object(theirs) then
    return true, merge_fields(ctx, row, is_object(base) and base or {}, mine, theirs, place)
  end
  return false
end

local function merge_field(ctx, row, base, mine, theirs, place)
  if row.read_only then return theirs end
  if row.id then return merge_id(base, mine, theirs) end
  if row.kind == "list" then -- a set: the schema has neither items nor objects within an object
    local done, merged = merge_within(ctx, row, base, mine, theirs, place)
    if done then return merged end
  end
  return merge_leaf(ctx, row.name, base, mine, theirs, place)
end

-- Only what mine changed can make a difference to theirs.
function merge_fields(ctx, row, base, mine, theirs, place)
  local differs, merged = differing(base, mine), theirs
  for _, name in ipairs(differs and names_of(differs, row) or {}) do
    local field = row.known[name]
    local value = (field and merge_field or merge_leaf)(ctx, field or name, base[name], mine[name], theirs[name], place)
    if value ~= theirs[name] then
      if merged == theirs then merged = shape.copy(theirs) end
      merged[name] = value
    end
  end
  return merged
end

-- Documents -----------------------------------------------------------------------------------------------------------

local function merge_part(ctx, name, base, mine, theirs)
  local row, place = document.known[name], { path = name, part = name }
  if row then
    local done, merged = merge_within(ctx, row, base, mine, theirs, place)
    if done then return merged end
  end
  return merge_leaf(ctx, nil, base, mine, theirs, place)
end

local rows = { resolve = { "string function" }, lenient = { "boolean", default = false } }

local function as_it_is(value) return value end

local function bare_label(row, item) return (shape.bare(shape.label_text(row, item))) end

local function context(opts, what)
  local o = options.read(opts, rows, what)
  if type(o.resolve) == "string" and o.resolve ~= "mine" and o.resolve ~= "theirs" then
    core.error.raise { path = what .. ": resolve", rule = "choice", value = o.resolve,
      message = '"mine", "theirs" or a function expected' }
  end
  o.bare, o.label = o.lenient and shape.bare or as_it_is, o.lenient and bare_label or shape.label_text
  o.conflicts = {}
  return o
end

--- Merges one part of a document.
-- @param name "settings", "availability", …; an unknown part is merged as a whole
-- @param base, mine, theirs the part's values, nil where a document has none
-- @param opts { resolve = "mine", "theirs", or function(conflict) that returns one of them, "value" and a value (nil: none),
--   or nil (it stays a conflict), lenient = false (true: a text of mine that differs from theirs only in blanks that a service
--   may trim counts as the same, and theirs stays; an item that was put back under another id is the one it was) }
-- @return what is merged, and a list of the conflicts that are left
function merge.part(name, base, mine, theirs, opts)
  local ctx = context(opts, "merge.part")
  return merge_part(ctx, name, base, mine, theirs), ctx.conflicts
end

--- Merges three whole documents; opts, and what is returned, as of merge.part.
function merge.document(base, mine, theirs, opts)
  local ctx, names, merged = context(opts, "merge.document"), {}, {}
  for _, one in ipairs { base, mine, theirs } do
    for name in next, one do names[name] = true end
  end
  for _, name in ipairs(names_of(names, document)) do
    merged[name] = merge_part(ctx, name, base[name], mine[name], theirs[name])
  end
  return merged, ctx.conflicts
end

return merge
