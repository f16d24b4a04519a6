-- SPDX-License-Identifier: MIT
--- JSON Schema (2020-12) of a configuration, and of a file of desired state, made from the schema of the core.
--
-- What it refuses, `handoff validate` refuses; what it accepts may still break a rule that JSON Schema has no words for. Those
-- are, by the id of the rule:
--   time_order    it cannot hold one field against another: a slot that ends before it starts
--   duplicate_id  nor one item's field against another item's
--   zone          which zones there are is the system's matter; it has what all of their names look like
--   email         lengths are of bytes, and beyond ASCII not all characters are letters; it is exact for ASCII
--   type          of numbers with more digits than a double holds, most validators cannot tell whether they are whole
--   depth         it has no limit to nesting, which only values of unknown fields can pass
-- Keys that come twice and invalid UTF-8 are what a validator's own reader of JSON has to find.
-- @module handoff.json_schema
local core = require "handoff.core"
local shape = require "handoff.shape"

local array = core.json.array

local json_schema = {}

-- No pattern stands alone: in some dialects $ comes before a newline that ends a text, too.
local BLANK = { pattern = "[\\u0000-\\u0020]" }

-- Characters of an address, as what they are not, so that all beyond ASCII are among them.
local LOCAL = [=[[^\u0000-\u0020"(),.:;<>@\[\\\]\u007f]]=]
local LETTER, INNER = [=[[^\u0000-/:-@\[-`{-\u007f]]=], [=[[^\u0000-,./:-@\[-`{-\u007f]]=]
local LABEL = ("%s(%s{0,61}%s)?"):format(LETTER, INNER, LETTER)

local function day_spans()
  local days, spans = core.schema.days(), {}
  for _, first in ipairs(days) do
    spans[#spans + 1] = first
    for _, last in ipairs(days) do spans[#spans + 1] = first .. "-" .. last end
  end
  return array(spans)
end

-- The formats of texts, by the names that the core's schema has for them.
local function formats()
  return {
    day_span = { type = "string", enum = day_spans() },
    time = { type = "string", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", ["not"] = BLANK },
    zone = {
      type = "string", maxLength = 63, pattern = "^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$", ["not"] = BLANK,
    },
    email = {
      type = "string", ["not"] = BLANK, allOf = array {
        { pattern = ("^%s+(\\.%s+)*@%s(\\.%s)+$"):format(LOCAL, LOCAL, LABEL, LABEL) },
        { pattern = "^[^@]{1,64}@[^@]{1,253}$" },
      },
    },
  }
end

local of_row

-- What tells a file's item apart: its id, or its name, or all that every such item has.
local function tellable(row)
  local by_label = { required = array(shape.copy(row.label)) }
  return row.key and { anyOf = array { { required = array { row.key } }, by_label } } or by_label
end

local function of_object(row, desired, is_item)
  local properties, required = {}, array {}
  for _, field in ipairs(row.fields) do
    properties[field.name] = of_row(field, desired)
    if desired and field.read_only then properties[field.name] = false end
    if field.required then required[#required + 1] = field.name end
  end
  local schema = desired and is_item and tellable(row) or {}
  schema.type, schema.properties = "object", properties
  if desired then schema.additionalProperties = false elseif #required > 0 then schema.required = required end
  return schema
end

local function of_kind(row, desired, is_item)
  if row.kind == "object" then return of_object(row, desired, is_item) end
  if row.kind == "list" then return { type = "array", items = of_row(row.item, desired, true) } end
  if row.format then return { ["$ref"] = "#/$defs/" .. row.format } end
  return { type = row.kind, maxLength = row.max, enum = row.choices and array(row.choices) }
end

-- The schema of what a row of the core's schema describes.
function of_row(row, desired, is_item)
  local schema = of_kind(row, desired, is_item)
  schema.description, schema.readOnly = row.doc, row.read_only
  return schema
end

local function whole(desired, title)
  local schema = of_row(shape.document, desired)
  schema["$schema"], schema["$defs"] = "https://json-schema.org/draft/2020-12/schema", formats()
  schema.title = title
  return schema
end

--- The JSON Schema of a whole configuration: what the service sends, but for null.
-- @treturn table plain tables
function json_schema.document()
  return whole(false, "A human handoff configuration")
end

--- The same of a file of desired state: every key may be left out, and none is there that cannot be written.
-- @treturn table plain tables
function json_schema.desired()
  return whole(true, "The desired state of an agent's human handoff configuration, or a part of it")
end

return json_schema
