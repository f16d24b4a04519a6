-- SPDX-License-Identifier: MIT
--- Whole documents made at random, plain, and random edits of them, all from an r of support.random: unknown fields at every
-- level, null, empty lists, items without ids, items of one name, reordered lists, another read-only value.
local core = require "handoff.core"

local null, array = core.json.null, core.json.array

local edits = {}

function edits.copy(value)
  if type(value) ~= "table" then return value end
  local fresh = setmetatable({}, getmetatable(value))
  for key, inner in pairs(value) do fresh[key] = edits.copy(inner) end
  return fresh
end

edits.lists = { "availability", "generic_guidelines", "custom_guidelines", "routing_profiles" }

-- Values that lose something wherever they are not taken as they are.
local function odd(r)
  local big = core.json.decode "12345678901234567890"
  return r:one { null, array {}, {}, false, 0.5, big, { list = { 1, null, {} } }, "" }
end

local function text(r)
  return r:boolean() and r:text() or ("word "):rep(20) .. r:text()
end

local function slot(r, id)
  return { id = id, day_span = r:one { "monday", "friday", "sunday" }, start_time = "0" .. r:below(4) .. ":00",
    end_time = "23:00" }
end

local function guideline(r, id, names)
  return { id = id, name = r:one(names), description = text(r), is_active = r:boolean() }
end

-- An item for the list, of one of the few names or, where `fresh`, of a name that no other has.
local function item_for(r, part, id, fresh)
  if part == "availability" then
    local one = slot(r, id)
    if fresh then one.end_time = fresh end
    return one
  end
  local one = guideline(r, id, fresh and { fresh } or { "a", "b", "Zoë", "a b" })
  if part == "routing_profiles" then one.user_ids = array(r:boolean() and {} or { 1, r:below(9) }) end
  if part == "generic_guidelines" then one.name = fresh or "generic" .. 10 + r:below(90) end
  return one
end

local function with_extras(r, object)
  if r:below(4) == 0 then object.future = odd(r) end
  return object
end

local function id_for(r, part, i)
  if part == "generic_guidelines" or r:below(5) == 0 then return nil end
  if r:below(9) == 0 then return core.json.decode("900719925474099300" .. i) end
  return i
end

--- A document. `with_ids`: every item that can have an id has one, as those from the service have.
function edits.document(r, with_ids)
  local doc = {
    settings = with_extras(r, {
      is_active = r:boolean(), keywords = array(r:set()), topic_based_routing_active = r:boolean(),
      timezone = r:one { "UTC", null }, confirmation_message = text(r), emails = array(r:set()),
    }),
    future = { name = r:text(), deep = { odd(r) } },
  }
  for _, part in ipairs(edits.lists) do
    doc[part] = array {}
    for i = 1, r:below(6) do
      local id = id_for(r, part, i)
      if with_ids and part ~= "generic_guidelines" then id = id or i end
      doc[part][i] = with_extras(r, item_for(r, part, id, part == "generic_guidelines" and "generic" .. i or nil))
    end
  end
  return doc
end

--- What the service makes of a document: a copy, in which items have ids; new ones from `id` on.
function edits.answer(doc, id)
  local answer = edits.copy(doc)
  for _, part in ipairs { "availability", "custom_guidelines", "routing_profiles" } do
    for _, item in ipairs(answer[part]) do
      if item.id == nil then item.id, id = id, id + 1 end
    end
  end
  return answer
end

local function shuffle(r, list)
  for i = #list, 2, -1 do
    local j = r:below(i) + 1
    list[i], list[j] = list[j], list[i]
  end
end
edits.shuffle = shuffle

-- The name of the document's side that edits goes into fresh values, so that two sides' differ.
local kinds = {}

function kinds.setting(r, doc, side)
  local name = r:one { "is_active", "timezone", "confirmation_message", "future", "newer " .. side }
  doc.settings[name] = r:one { null, true, text(r), "word " .. side, { deep = { 1, null } } }
  if r:below(4) == 0 then doc.settings[name] = nil end
end

function kinds.member(r, doc, side)
  local list = doc.settings[r:one { "keywords", "emails" }]
  if type(list) ~= "table" then return end
  local how = r:below(4)
  if how == 0 then shuffle(r, list) end
  if how == 1 then table.remove(list, r:below(#list) + 1) end
  if how > 1 then table.insert(list, r:below(#list + 1) + 1, r:one { "agent", "by " .. side, list[1] }) end
end

function kinds.field(r, doc, side)
  local part = r:one(edits.lists)
  local item = doc[part][r:below(#doc[part]) + 1]
  if not item then return end
  local name = r:one { "is_active", "description", "future", "newer", "name" }
  if part == "availability" then name = r:one { "start_time", "future" } end
  if part == "generic_guidelines" and name == "name" then name = "is_active" end
  item[name] = r:one { "word " .. side, odd(r), text(r) }
  if name == "name" or name == "start_time" then item[name] = r:one { "renamed", "by " .. side } end
end

function kinds.users(r, doc)
  local item = doc.routing_profiles[r:below(#doc.routing_profiles) + 1]
  if not item or type(item.user_ids) ~= "table" then return end
  if r:boolean() then
    table.remove(item.user_ids)
  else
    table.insert(item.user_ids, 1, 10 + r:below(9))
  end
end

function kinds.add(r, doc, side, fresh_only)
  local part = r:one(edits.lists)
  local fresh = (fresh_only or r:boolean()) and side .. " " .. #doc[part] .. r:text() or nil
  table.insert(doc[part], r:below(#doc[part] + 1) + 1, item_for(r, part, nil, fresh))
end

function kinds.remove(r, doc)
  local list = doc[r:one(edits.lists)]
  table.remove(list, r:below(#list) + 1)
end

function kinds.order(r, doc) shuffle(r, doc[r:one(edits.lists)]) end

function kinds.read_only(r, doc) doc.settings.topic_based_routing_active = r:one { true, false, null } end

function kinds.unknown_part(r, doc, side)
  doc[r:one { "future", "newer " .. side }] = r:one { odd(r), "by " .. side }
end

local names = { "setting", "setting", "member", "member", "field", "field", "field", "users", "add", "add", "remove",
  "order", "read_only", "unknown_part" }

--- A copy of the document with up to `most` edits. `side`: a word that stands in new values; `fresh_only`: what is added has a
-- name that nothing else has; `but`: a set of the kinds of edits that are not made.
function edits.edit(r, doc, most, side, fresh_only, but)
  local edited = edits.copy(doc)
  for _ = 1, r:below(most + 1) do
    local kind = r:one(names)
    if not (but and but[kind]) then kinds[kind](r, edited, side, fresh_only) end
  end
  return edited
end

return edits
