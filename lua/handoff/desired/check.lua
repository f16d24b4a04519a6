-- SPDX-License-Identifier: MIT
--- A tree of desired state held against the schema and all of the rules of cfg:check, each problem at its place in the file.
local core = require "handoff.core"
local hint = require "handoff.hint"
local shape = require "handoff.shape"

local array = core.json.array

local check = {}

local wanted = {
  boolean = "true or false", integer = "a whole number", string = "a string", object = "an object", list = "an array",
}
local kind_of = { boolean = "boolean", integer = "number", string = "text", object = "object", list = "list" }
local got = {
  object = "an object", list = "an array", empty = "an empty table", text = "a string", number = "a number",
}

-- A problem at the place of a node or an entry; `path` leads there in the document.
local function note(c, place, path, rule, message, severity)
  local issue = { at = place.from, path = path, rule = rule, message = message, severity = severity or "error" }
  c.issues[#c.issues + 1] = issue
  return issue
end

local function step(path, name) return path == "" and name or path .. "." .. name end

-- A name as it can stand in a path and in a message.
local function shown(name)
  name = name:gsub("%c", "?"):gsub("\194[\128-\159]", "?")
  local cut = core.schema.utf8_length(name) and name:match(("[^\128-\191][\128-\191]*"):rep(40))
  return cut and cut .. "…" or name
end

-- ---- values -----------------------------------------------------------------------------------------------------------

local take

local function note_unknown(c, row, entry, path)
  note(c, entry, step(path, shown(entry.name)), "unknown", "no such field; " .. hint(entry.name, row.names))
end

local function take_object(c, row, node, path)
  local object = {}
  for _, entry in ipairs(node.entries) do
    local field = row.known[entry.name]
    if not field then
      note_unknown(c, row, entry, path)
    elseif field.read_only then
      note(c, entry, step(path, entry.name), "read_only", ("read-only, leave it out; %s"):format(field.why))
    else
      object[entry.name] = take(c, field, entry.node, step(path, entry.name))
    end
  end
  return object
end

-- What tells a slot, or an item with a name, apart from others of its list.
local function check_tellable(c, row, node, item, path)
  if not row.label or row.key and item[row.key] ~= nil or shape.label_text(row, item) then return end
  note(c, node, path, "required", ("nothing tells which %s it is; give its %s%s"):format(row.object,
    table.concat(row.label, ", "), row.key and " or its " .. row.key or ""))
end

local function take_list(c, row, node, path)
  local list = array {}
  for _, entry in ipairs(node.entries) do
    local here, before = ("%s[%d]"):format(path, #list + 1), #c.issues
    local item = take(c, row.item, entry.node, here)
    list[#list + 1] = item
    if type(item) == "table" and #c.issues == before then check_tellable(c, row.item, entry.node, item, here) end
  end
  return list
end

--- The node as a plain value, but for what is no part of the document or cannot be written: that is noted.
function take(c, row, node, path)
  if node.kind == "null" then
    note(c, node, path, "null", "null is never written in; leave the key out to keep what is live, or give a value")
  elseif node.kind ~= kind_of[row.kind] and not (node.kind == "empty" and (row.fields or row.item)) then
    note(c, node, path, "type", ("%s expected, got %s"):format(wanted[row.kind],
      got[node.kind] or tostring(node.value)))
  elseif node.kind == "text" and not core.schema.utf8_length(node.value) then
    note(c, node, path, "utf8", "the text is not UTF-8; write its characters, or \\u{…}, instead of bytes")
  else
    c.nodes[path] = node
    if row.fields then return take_object(c, row, node, path) end
    if row.item then return take_list(c, row, node, path) end
    return node.value
  end
end

-- ---- rules ------------------------------------------------------------------------------------------------------------

--- A whole document that has nothing but the value: what it leaves out is absent, and lists are empty.
function check.complete(value)
  local document = {}
  for _, part in ipairs(shape.document.fields) do
    document[part.name] = value[part.name] or (part.kind == "list" and array {} or {})
  end
  return document
end

local function all_have(list, name)
  for _, item in ipairs(list) do
    if item[name] == nil then return false end
  end
  return true
end

-- Whether the file has all slots, and all of each.
local function has_all_slots(value)
  if not value.availability then return false end
  for _, name in ipairs(shape.document.known.availability.item.label) do
    if not all_have(value.availability, name) then return false end
  end
  return true
end

-- Warnings that what is live, and not in the file, may make void: whether the file has all that they are about.
local is_whole = {
  never_open = has_all_slots,
  short_gap = has_all_slots,
  hours_without_slots = function(value) return value.availability ~= nil end,
  nothing_triggers = function(value)
    local generic, custom = value.generic_guidelines, value.custom_guidelines
    local named = shape.document.known.generic_guidelines.item.known.name.choices
    return value.settings.keywords and custom and all_have(custom, "is_active") and generic and #generic >= #named
      and all_have(generic, "is_active")
  end,
}

-- What the rules say of places that are in the file. The others, such as a field that an item leaves out, are as they are live.
local function note_rules(c, value)
  local issues = core.check.document(check.complete(value))
  if not issues then -- what was taken has a configuration's form: it can only be too long
    note(c, { from = 1 }, "", "size", "as JSON it has more than 8 MiB, and no configuration may; shorten its texts")
    return
  end
  for _, issue in ipairs(issues) do
    local node, whole = c.nodes[issue.path], is_whole[issue.rule]
    if node and not (whole and not whole(value)) then
      note(c, node, issue.path, issue.rule, issue.message, issue.severity)
    end
  end
end

local function by_place(a, b)
  return a.at < b.at or a.at == b.at and a.rule < b.rule
end

--- @param tree as of handoff.desired.lua
-- @return the value, plain tables with what can be written, and a list of { at=, path=, rule=, message=, severity= } in the
--   order of the text; `hidden`: the line is not to be shown
function check.tree(tree)
  local c = { issues = {}, nodes = {} }
  if tree.kind == "list" then -- with its tokens
    note(c, tree, "", "type", "a list is no desired state, but perhaps an inventory; name other files").hidden = true
    return nil, c.issues
  end
  local value = take(c, shape.document, tree, "")
  if value then note_rules(c, value) end
  table.sort(c.issues, by_place)
  return value, c.issues
end

return check
