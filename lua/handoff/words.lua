-- SPDX-License-Identifier: MIT
--- A document's values and places in words for people. All of it is on one line and of bounded length, and nothing in it can
-- command a terminal.
local core = require "handoff.core"
local shape = require "handoff.shape"

local null = core.json.null
local is_list, is_object, id_of, label_text = shape.is_list, shape.is_object, shape.id_of, shape.label_text

local words = {}

local getmetatable, next, tostring, tonumber, type, ipairs = getmetatable, next, tostring, tonumber, type, ipairs
local concat, sort = table.concat, table.sort

-- Values --------------------------------------------------------------------------------------------------------------

local escapes = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\", ['"'] = '\\"' }

local function escape(c)
  return escapes[c] or ("\\u%04x"):format(c:byte(-1))
end

-- On one line, and nothing in it can command a terminal: C0 and C1 controls are escaped.
local function plain(text)
  return (text:gsub('[%c"\\]', escape):gsub("\194[\128-\159]", escape))
end

local function quote(text)
  return '"' .. plain(text) .. '"'
end

local function by_text(a, b)
  return tostring(a) < tostring(b)
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

-- A label as it stands in a path: a name in quotes.
local function shown_label(row, label)
  return row.named and quote(label) or plain(label)
end

-- JSON on one line, long texts and lists cut short. `row` is the schema's, for the order of fields, or nil.
local function show(value, row)
  if value == null then return "null" end
  if type(value) == "string" then return quote(shorten(value)) end
  if type(value) == "number" then return number_text(value) end
  if type(value) ~= "table" then return tostring(value) end
  local shown = {}
  if is_list(value) and (value[1] ~= nil or getmetatable(value) or row and row.kind == "list") then
    for i = 1, #value > SHOWN_MEMBERS + 1 and SHOWN_MEMBERS or #value do shown[i] = show(value[i], row and row.item) end
    if #value > #shown then shown[#shown + 1] = ("... %d more"):format(#value - #shown) end
    return "[" .. concat(shown, ", ") .. "]"
  end
  for i, name in ipairs(names_of(value, row)) do
    shown[i] = quote(tostring(name)) .. ": " .. show(value[name], row and row.known and row.known[name])
  end
  return "{" .. concat(shown, ", ") .. "}"
end

-- The schema's row of what a change, or a conflict, holds, or nil.
function words.row_of(c)
  local row = shape.document.known[c.part]
  if not row or c.path == c.part then return row end
  if row.item then row = row.item end
  if c.field then row = row.known[c.field] end
  return row
end

--- A value before and after.
function words.transition(before, after, row)
  return show(before, row) .. " → " .. show(after, row)
end

-- Places --------------------------------------------------------------------------------------------------------------

local function child_path(path, name)
  return path .. (tostring(name):find "^[%a_][%w_]*$" and "." .. name or "[" .. quote(tostring(name)) .. "]")
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

words.plain, words.by_text, words.names_of, words.show = plain, by_text, names_of, show
words.child_path, words.count_labels, words.item_label, words.locate = child_path, count_labels, item_label, locate

return words
