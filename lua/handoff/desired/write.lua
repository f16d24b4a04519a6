-- SPDX-License-Identifier: MIT
--- A configuration as desired state: what of it can be written, and that as Lua.
local core = require "handoff.core"
local shape = require "handoff.shape"
local words = require "handoff.words"

local null, array = core.json.null, core.json.array

local write = {}

-- ---- what can be written ----------------------------------------------------------------------------------------------

-- `left` holds the paths that are left out; by their paths with places, how items are called: labels; and the set of the parts
-- that go.
local writable

local function writable_object(row, object, path, left)
  local kept = {}
  for _, name in ipairs(words.names_of(object, row)) do
    local field, value = row.known[name], object[name]
    local here = path == "" and name or words.child_path(path, name)
    if not field then
      left[#left + 1] = here
    elseif not field.read_only and value ~= null then
      kept[name] = writable(field, value, here, left)
    end
  end
  return kept
end

local function writable_list(row, list, path, left)
  local kept, counts = array {}, row.item.fields and words.count_labels(row.item, list)
  for at, item in ipairs(list) do
    local here = ("%s[%s]"):format(path, counts and words.item_label(row.item, list, at, counts) or at)
    left.labels[("%s[%d]"):format(path, at)] = here
    kept[at] = writable(row.item, item, here, left)
  end
  return kept
end

-- A value of another type than the schema's is taken as it is: it breaks a rule, and is dropped for that.
function writable(row, value, path, left)
  if row.fields and shape.is_object(value) then return writable_object(row, value, path, left) end
  if row.item and shape.is_list(value) then return writable_list(row, value, path, left) end
  return value
end

-- Takes a field, or where none is named all but its id, out of an item → whether it did. An item that has an id stays what it is
-- live where that alone is written; one that has none must keep what tells it apart.
local function drop_field(row, item, name)
  local has_id, is_label = row.key and item[row.key] ~= nil, not name
  for _, label in ipairs(row.label) do is_label = is_label or name == label end
  if name == row.key or is_label and not has_id then return false end
  local dropped = false
  for _, other in ipairs(name and { name } or row.names) do
    if other ~= row.key and item[other] ~= nil then item[other], dropped = nil, true end
  end
  return dropped
end

-- Takes out what breaks the rule at the path: a field of settings or of an item, or, of predefined items, the item; its place
-- becomes false. What cannot be taken out without losing the item stays, as it is there live.
-- @return the path of what was taken out, or nil
local function drop(value, path)
  local part, rest = path:match "^([%w_]+)(.*)$"
  local row, at = shape.document.known[part], tonumber(rest:match "^%[(%d+)%]")
  local name = rest:match "^[^.]*%.([%w_]+)"
  local owner = at and ("%s[%d]"):format(part, at) or part
  local object = value[part]
  if at then row, object = row.item, object[at] end
  if not object then return nil end
  if at and shape.document.known[part].fixed and (not name or name == row.named) then
    value[part][at] = false
    return owner
  end
  local field = name and owner .. "." .. name or owner
  return shape.is_object(object) and drop_field(row, object, name) and field or nil
end

local function drop_broken(value, left)
  local broken = {}
  for _, issue in ipairs(assert(core.check.document(value))) do
    if issue.severity == "error" and issue.rule ~= "required" then broken[#broken + 1] = issue.path end
  end
  for _, path in ipairs(broken) do
    local dropped = drop(value, path)
    if dropped then left[#left + 1] = dropped:gsub("^[^%]]*%]", left.labels) end
  end
  return #broken > 0
end

-- Whether the item can be found again by what desired state says of it.
local function is_tellable(row, item)
  return shape.is_object(item) and (row.key and item[row.key] ~= nil or shape.label_text(row, item) ~= nil)
end

-- Of predefined items only those that can be told are there; another list is left out where one of its items cannot: without it,
-- the item would go.
local function drop_untellable(value, left)
  for _, part in ipairs(shape.document.fields) do
    local list, kept = part.item and value[part.name] or {}, array {}
    for at, item in ipairs(list) do
      if is_tellable(part.item, item) then
        kept[#kept + 1] = item
      elseif part.fixed and item then
        left[#left + 1] = left.labels[("%s[%d]"):format(part.name, at)]
      end
    end
    if part.fixed then value[part.name] = kept end
    if not part.fixed and #kept < #list then left.parts[part.name] = true end
  end
end

-- A part that still breaks a rule, with two items of one id in it, is left out.
local function drop_parts(value, left, is_broken)
  for _, issue in ipairs(is_broken and core.check.document(value) or {}) do
    local part = issue.path:match "^[%w_]+"
    if issue.severity == "error" and issue.rule ~= "required" then left.parts[part] = true end
  end
  for _, part in ipairs(shape.document.fields) do
    if left.parts[part.name] then value[part.name], left[#left + 1] = nil, part.name end
  end
end

--- → what desired state can have of the configuration, plain, and a list of the paths that it cannot have.
function write.value(cfg)
  local value, left = {}, { labels = {}, parts = {} }
  for _, row in ipairs(shape.document.fields) do
    value[row.name] = writable(row, core.config.part(cfg, row.name), row.name, left)
  end
  for name in core.config.each(cfg) do
    if not shape.document.known[name] then left[#left + 1] = name end
  end
  local is_broken = drop_broken(value, left)
  drop_untellable(value, left)
  drop_parts(value, left, is_broken)
  left.labels, left.parts = nil, nil
  return value, left
end

-- ---- as Lua -------------------------------------------------------------------------------------------------------------

local WIDTH = 100 -- of a line that holds a whole table

local escapes = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\", ['"'] = '\\"' }

local function literal(value)
  if type(value) ~= "string" then return core.json.encode(value) end
  return '"' .. value:gsub('[%c"\\]', function(c) return escapes[c] or ("\\x%02x"):format(c:byte()) end) .. '"'
end

-- The document and its parts have a line for each of what they hold.
local is_tall = { [shape.document] = true }
for _, part in ipairs(shape.document.fields) do is_tall[part] = true end

-- The texts of a table's entries, keys among them.
local function entries_of(row, value, indent)
  local entries = {}
  if row.item then
    for at, item in ipairs(value) do entries[at] = write.render(row.item, item, indent) end
    return entries
  end
  for at, name in ipairs(words.names_of(value, row)) do
    entries[at] = name .. " = " .. write.render(row.known[name], value[name], indent)
  end
  return entries
end

--- The value as Lua, where `indent` is that of the line it begins on.
function write.render(row, value, indent)
  if type(value) ~= "table" then return literal(value) end
  if next(value) == nil then return "{}" end
  local inner = indent .. "  "
  local entries = entries_of(row, value, inner)
  local line = "{ " .. table.concat(entries, ", ") .. " }"
  if not is_tall[row] and not line:find("\n", 1, true) and #indent + #line < WIDTH then return line end
  return "{\n" .. inner .. table.concat(entries, ",\n" .. inner) .. ",\n" .. indent .. "}"
end

--- The value as a file.
function write.lua(value)
  return "return " .. write.render(shape.document, value, "") .. "\n"
end

return write
