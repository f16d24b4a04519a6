-- SPDX-License-Identifier: MIT
--- Places in a configuration as text: `settings.timezone`, `custom_guidelines["Refund over 500"].is_active`. What a change
-- prints as its path leads to where the change was.
--
--   availability[2]                  the item at that place, from 1
--   availability[#12]                the item of that id
--   availability[monday 09:00-17:00] the item that is called so; a name stands in quotes or, without a ] in it, bare
--   …["Refund" #12], …["Refund" at 2] one of several that are called so
--   custom_guidelines[*]             every item
--   settings.keywords["agent"]       a member of a list of texts; routing_profiles[1].user_ids[5]: operator 5
--   settings["beta"]                 a field that only the service knows
-- @module handoff.path
local core = require "handoff.core"
local plain = require "handoff.plain"
local shape = require "handoff.shape"
local words = require "handoff.words"

core.error.home(debug.getinfo(1, "S").source)

local json, document, label_text = core.json, shape.document, shape.label_text

local path = {}

-- Reading -------------------------------------------------------------------------------------------------------------

-- A path that is being read: `text`, which may go on with =VALUE; `at` (the next byte, from 1), `steps`, and `row`, the
-- schema's of what they lead to, or nil.
local Reader = {}
Reader.__index = Reader

function Reader:refuse(message, at, rule)
  at = at or self.at
  local before = self.text:sub(1, at - 1)
  core.error.raise {
    path = plain(before .. self.text:match("^[^=]*", at)), rule = rule or "path",
    column = core.schema.utf8_length(before) + 1, message = plain(message),
  }
end

-- What the steps before that byte lead to, for messages.
function Reader:so_far(at) return self.text:sub(1, at - 1) end

function Reader:no_field(name, at)
  local near, known = core.schema.nearest(name, self.row.names), table.concat(self.row.names, ", ")
  if not near and self.row == document then
    local settings = document.fields[1]
    near = core.schema.nearest(name, settings.names)
    near = near and settings.name .. "." .. near
  end
  self:refuse(("no %s %q%s; %s"):format(self.row == document and "part" or "field", name,
    self.row == document and "" or " in " .. self:so_far(at - 1),
    near and ("did you mean %q?"):format(near)
      or ("known are: %s, and what only the service knows as [%q]"):format(known, name)), at, "unknown")
end

-- One step on, to a field. `quoted`: it may be one that only the service knows.
function Reader:to_field(name, at, quoted)
  local row = self.row
  if row and row.kind == "list" then
    local one = row.item.named and '["NAME"]' or "[1]"
    self:refuse(("it is a list, of which an item is meant; write %s%s.%s, or %s[*].%s for every item"):format(
      self:so_far(at - 1), one, name, self:so_far(at - 1), name), at)
  elseif row and row.kind ~= "object" then
    self:refuse(("%s has no fields: it is a %s; end the path there"):format(self:so_far(at - 1), row.kind), at)
  elseif row and not row.known[name] and not quoted then
    self:no_field(name, at)
  end
  self.steps[#self.steps + 1], self.row = { field = name }, row and row.known[name]
end

-- The text in quotes that begins here, as in JSON.
function Reader:quoted()
  local from, stop = self.at, self.at + 1
  while stop <= #self.text and self.text:sub(stop, stop) ~= '"' do
    stop = stop + (self.text:sub(stop, stop) == "\\" and 2 or 1)
  end
  if stop > #self.text then self:refuse('the text in quotes does not end; close it with "', from) end
  local value = json.decode(self.text:sub(from, stop))
  if value == nil then self:refuse("no text as JSON has it in quotes; write \\\\ for a backslash", from) end
  self.at = stop + 1
  return value
end

-- A selector is a table of what an item must be: { all }, { at }, { id }, { label [, id or at] }, { member }.

-- What follows a label, ` #12` or ` at 2`, into the selector.
local function take_suffix(selector, text)
  local id, at = text:match "^ #(%-?%d+)$", text:match "^ at ([1-9]%d*)$"
  selector.id, selector.at = id, tonumber(at)
  return text == "" or id or at
end

function Reader:bare_selector(row, text, from)
  local item = row and row.item
  local place, id = text:match "^[1-9]%d*$", text:match "^#(%-?%d+)$"
  if text == "*" then return { all = true } end
  if item and item.kind == "integer" and text:find "^%-?%d+$" then return { member = text } end
  if place then return { at = tonumber(place) } end
  if text == "" or text == "0" then self:refuse("a place from 1, #ID, a name in quotes, or * expected", from) end
  if id and item and item.key then return { id = id } end
  if id then self:refuse("these have no id; write a name in quotes, or a place from 1", from) end
  if item and item.fields and item.named then return { label = text } end
  if not item or not item.fields then self:refuse(("write [%s], in quotes"):format('"' .. text .. '"'), from) end
  local label, suffix = text:match "^(.-)( #%-?%d+)$"
  if not label then label, suffix = text:match "^(.-)( at %d+)$" end
  local selector = { label = label or text }
  take_suffix(selector, suffix or "")
  return selector
end

function Reader:quoted_selector(row)
  local from = self.at
  local value = self:quoted()
  local rest = self.text:match("^[^%]]*", self.at)
  local item = row and row.item
  local selector = item and not item.fields and { member = value } or { label = value }
  if rest ~= "" and not (item and item.fields and take_suffix(selector, rest)) then
    self:refuse('] expected after the quotes, or, of an item with a name, ["NAME" #ID]', self.at)
  end
  if item and item.kind == "integer" then self:refuse("these are numbers; write it without quotes", from) end
  self.at = self.at + #rest
  return selector
end

-- The step in brackets that begins here.
function Reader:bracket()
  local from, row = self.at, self.row
  self.at = from + 1
  local is_quoted, selector = self.text:sub(self.at, self.at) == '"'
  if row and row.kind ~= "list" and not (row.kind == "object" and is_quoted) then
    self:refuse(("%s is no list; %s"):format(from > 1 and self:so_far(from) or "a configuration",
      row.kind == "object" and "write a field's name after a dot" or "end the path there"), from)
  end
  if is_quoted then
    selector = self:quoted_selector(row)
  else
    local text = self.text:match("^[^%]]*", self.at)
    self.at = self.at + #text
    selector = self:bare_selector(row, text, from + 1)
  end
  if self.text:sub(self.at, self.at) ~= "]" then self:refuse("] expected", self.at) end
  self.at = self.at + 1
  if selector.label and not (row and row.kind == "list") then return self:to_field(selector.label, from + 1, true) end
  self.steps[#self.steps + 1], self.row = selector, row and row.item
end

-- Reads steps until something else comes.
function Reader:read()
  if not core.schema.utf8_length(self.text) then
    core.error.raise { rule = "utf8", message = "not UTF-8; write it as UTF-8" }
  end
  local from = self.at
  while true do
    local c = self.text:sub(self.at, self.at)
    local name = (c == "." and self.at > from and self.text:match("^%.([%a_][%w_]*)", self.at))
      or (self.at == from and self.text:match("^[%a_][%w_]*", self.at))
    local before = self.at
    if c == "[" then
      self:bracket()
    elseif name then
      self.at = self.at + #name + (c == "." and 1 or 0)
      self:to_field(name, self.at - #name)
    else
      return self
    end
    self.steps[#self.steps].text = self.text:sub(before, self.at - 1)
  end
end

-- Paths ---------------------------------------------------------------------------------------------------------------

--- A path that was read. It prints as it was written.
-- @table Path
-- @tfield string text
-- @tfield boolean is_many whether it has `[*]`
-- @tfield table[] steps
-- @tfield[opt] table leads_to a row of the schema; nil where only the service knows the field
local Path = {}
Path.__index = Path

-- The schema's row of what the path leads to; nil where only the service knows the field.
function Path:row() return self.leads_to end

function Path:__tostring() return self.text end

local function reader(text)
  return setmetatable({ text = text, at = 1, steps = {}, row = document }, Reader):read()
end

local function path_of(r)
  local p = setmetatable({ text = r.text:sub(1, r.at - 1), steps = r.steps, leads_to = r.row, is_many = false }, Path)
  for _, one in ipairs(p.steps) do p.is_many = p.is_many or one.all == true end
  return p
end

--- Reads a path. What is no path, or names a field that there is not, raises: rule "path" or "unknown", and the column, in
-- characters from 1.
-- @tparam string text
-- @treturn Path
function path.parse(text)
  if type(text) ~= "string" then
    core.error.raise { rule = "type", message = ("a path expected, got %s"):format(type(text)) }
  end
  local r = reader(text)
  if r.at <= #text or #text == 0 then
    r:refuse(#text == 0 and "a path expected, such as settings.timezone"
      or r.text:sub(r.at, r.at) == "." and "a field's name expected after the dot"
      or 'a dot and a field\'s name, or an item in brackets expected')
  end
  return path_of(r)
end

-- Finding -------------------------------------------------------------------------------------------------------------

-- A long text is cut in the path that a change prints; one that is written whole is that text alone.
local function is_member(value, wanted)
  if value == wanted then return true end
  if type(value) == "string" then return words.show(value) == ('"%s"'):format(words.plain(wanted)) end
  return value ~= json.null and words.show(value) == wanted
end

local function fits(row, item, at, selector)
  if selector.all then return true end
  if selector.member ~= nil then return is_member(item, selector.member) end
  if selector.at and selector.at ~= at then return false end
  if not selector.id and not selector.label then return true end
  if not row or not shape.is_object(item) then return false end
  if selector.label and label_text(row, item) ~= selector.label then return false end
  local id = shape.id_of(row, item)
  return not selector.id or id ~= nil and words.show(id) == selector.id
end

-- The places of the list's items that the selector means.
local function places_of(row, list, selector)
  local places = {}
  for at = 1, #list do
    if fits(row, list[at], at, selector) then places[#places + 1] = at end
  end
  return places
end

-- What the item is called in a path. `counts`: of an item of the schema's, how many have each label.
local function label_of(row, list, at, counts)
  if counts then return words.item_label(row, list, at, counts) end
  return row and words.show(list[at]) or tostring(at)
end

-- Adds to `found` what the steps from the i-th on lead to in the value, whose path, group (see path.values) and row those are; to
-- `missing` the path at which they lead no further.
local function collect(found, missing, value, steps, i, here, group, row)
  local one = steps[i]
  if not one then
    found[#found + 1] = { path = here, value = value, group = group }
  elseif one.field then
    local there = words.child_path(here, one.field)
    local inner = shape.is_object(value) and value[one.field]
    if inner == nil or not shape.is_object(value) then
      missing[#missing + 1] = there
      return
    end
    local below = row and row.known and row.known[one.field]
    collect(found, missing, inner, steps, i + 1, there, group .. one.text, below)
  else
    local item, list = row and row.item, shape.is_list(value) and value or {}
    local counts = item and item.fields and words.count_labels(item, list)
    local places = places_of(item, list, one)
    if not places[1] and not one.all then missing[#missing + 1] = here .. one.text end
    for _, at in ipairs(places) do
      local label = "[" .. label_of(item, list, at, counts) .. "]"
      local own = one.all and item and item.named and label or one.text
      collect(found, missing, list[at], steps, i + 1, here .. label, group .. own, item)
    end
  end
end

--- What the path leads to in a configuration. The paths of what is found say what the items are called; `group` is the path as
-- it was given, but that each item of `[*]` that has a name stands for itself: what can be compared between agents.
-- @tparam Path p
-- @tparam Config|table cfg or a document of plain tables
-- @treturn table[] `{path, value, group}`, values as plain tables; empty where nothing is there, of `[*]` one for each item
-- @treturn string[] the paths at which it leads no further, such as that of the field that an item of `[*]` does not have
function path.values(p, cfg)
  local found, missing, name = {}, {}, p.steps[1].field
  local part
  if core.config.is(cfg) then part = core.config.part(cfg, name) else part = cfg[name] end
  local start = words.child_path("", name):gsub("^%.", "")
  if part == nil then return found, { start } end
  collect(found, missing, part, p.steps, 2, start, start, document.known[name])
  return found, missing
end

-- Values as text ------------------------------------------------------------------------------------------------------

local function refuse_value(p, message)
  core.error.raise { path = plain(p.text), rule = "type", message = plain(message) }
end

local read_value = {}

function read_value.boolean(p, text)
  if text ~= "true" and text ~= "false" then
    refuse_value(p, words.show(text) .. " is neither; write true or false")
  end
  return text == "true"
end

function read_value.integer(p, text)
  if not text:find "^%-?%d+$" then refuse_value(p, words.show(text) .. " is no whole number; write it in digits") end
  return json.number(text)
end

local function reason(err) return (err.message:gsub("^the text: ", "")) end

function read_value.string(p, text)
  if text:sub(1, 1) ~= '"' then return text end
  local value, err = json.decode(text)
  if type(value) == "string" then return value end
  refuse_value(p, 'what begins with " is a text as JSON has it: ' .. reason(err)
    .. '; put all of it into quotes, with \\" for those in it')
end

local function read_json(p, text, is_wanted, wanted)
  local value, err = json.decode(text)
  if value == nil then refuse_value(p, ("%s; write %s"):format(reason(err), wanted)) end
  if not is_wanted(value) then refuse_value(p, ("%s expected, got %s"):format(wanted, words.show(text))) end
  return value
end

-- Hours as people write them: a week.
local function read_hours(p, text)
  local ok, value = pcall(core.week.new, text)
  if ok then return value end
  if not core.error.is(value) then error(value, 0) end
  core.error.raise {
    path = p.text, rule = value.rule, value = text, message = value.message,
    column = core.schema.utf8_length(p.text) + 1 + value.column,
  }
end

function read_value.list(p, text)
  if p.leads_to.item.is_slot and not text:find "^%s*[%[{]" then return read_hours(p, text) end
  local wanted = p.leads_to.item.kind == "string" and '["one", "two"]'
    or p.leads_to.item.kind == "integer" and "[1, 2]" or "[{…}, {…}]"
  local value = read_json(p, text, shape.is_list, "a list as JSON, " .. wanted)
  if next(value) == nil and text:find "{" then refuse_value(p, "{} is an object; write []") end
  return value
end

function read_value.object(p, text)
  return read_json(p, text, shape.is_object, 'an object as JSON, {"field": value}')
end

-- Checking without a document -----------------------------------------------------------------------------------------

-- A value that a required field may have. A slot is open all day.
local function sample_of(row, times)
  if row.kind == "list" then return json.array {} end
  if row.kind ~= "string" then return row.kind == "integer" and 1 or false end
  if row.choices then return row.choices[1] end
  if row.format == "time" then return table.remove(times, 1) end
  return row.format == "day_span" and "monday" or ""
end

-- The plainest document there is: an item in each list, with what one must have.
local function sample_document()
  local doc = {}
  for _, part in ipairs(document.fields) do
    local item, times = {}, { "00:00", "23:59" }
    for _, field in ipairs(part.item and part.item.fields or {}) do
      if field.required then item[field.name] = sample_of(field, times) end
    end
    doc[part.name] = part.item and json.array { item } or item
  end
  return doc
end

-- Raises the first error that the value of a whole part has by itself. A field that this version does not know is one.
local function check_part(p, value)
  local doc = sample_document()
  doc[p.steps[1].field] = value
  for _, issue in ipairs(assert(core.config.new(doc)):check()) do
    if issue.rule == "sent_unknown" then
      local hint = issue.message:match "; did you mean .*$" or "; leave it out"
      core.error.raise { path = issue.path, rule = "unknown", message = "no such field" .. hint }
    elseif issue.severity == "error" then
      core.error.raise { path = issue.path, rule = issue.rule, message = issue.message }
    end
  end
end

-- Raises what a field refuses whatever the document is. The error has the path as it was given.
local function check_field(p, value)
  local probe, part, last = assert(core.config.new(sample_document())), p.steps[1].field, p.steps[#p.steps].field
  local ok, err = pcall(function()
    local target = #p.steps == 3 and probe[part][1] or probe[part]
    target[last] = value
  end)
  if ok then return end
  if not core.error.is(err) then error(err, 0) end
  local inner = err.path and err.path:match("%." .. last .. "(%[.*)$") or ""
  core.error.raise {
    path = plain(p.text) .. inner, rule = err.rule, limit = err.limit, value = err.value, message = err.message,
  }
end

-- Editing -------------------------------------------------------------------------------------------------------------

local function refuse_place(r, p)
  if not p.leads_to then
    r:refuse("this version does not know the field, and cannot tell what may stand there; edit it with a script", 1)
  end
  local last = p.steps[#p.steps]
  if last.field then return end
  local list = p.text:match "^(.*)%["
  local whole = p.leads_to.fields and ("set its fields, %s.NAME=VALUE"):format(p.text)
    or ("set the whole list, %s=[…]"):format(list)
  r:refuse(("no item is set at once; %s"):format(whole), #list + 1)
end

local function read_word(word)
  if type(word) ~= "string" then
    core.error.raise { rule = "type", message = ("PATH=VALUE expected, got %s"):format(type(word)) }
  end
  local r = reader(word)
  if word:sub(r.at, r.at) ~= "=" or r.at == 1 then
    r:refuse(r.at == 1 and "PATH=VALUE expected, such as settings.is_active=true" or "= and a value expected here")
  end
  local p = path_of(r)
  refuse_place(r, p)
  local value = read_value[p.leads_to.kind](p, word:sub(r.at + 1))
  if #p.steps == 1 then check_part(p, value) else check_field(p, value) end
  return { path = p, value = value }
end

local function refuse_missing(p, row, list)
  local wanted, labels = p.steps[2].label, json.array {}
  for at = 1, #list do labels[#labels + 1] = shape.is_object(list[at]) and label_text(row, list[at]) or nil end
  local near = wanted and core.schema.nearest(wanted, labels)
  core.error.raise { path = plain(p.text), rule = "missing", message = ("there is no such %s; %s"):format(row.object,
    near and ("did you mean [%s]?"):format(row.named and words.show(near) or words.plain(near))
    or #labels == 0 and "the list is empty" or "there are " .. words.show(labels):sub(2, -2)) }
end

local function refuse_several(p, row, list, places)
  local labels = {}
  local counts = words.count_labels(row, list)
  for i, at in ipairs(places) do labels[i] = "[" .. label_of(row, list, at, counts) .. "]" end
  core.error.raise { path = plain(p.text), rule = "several",
    message = ("%d are called so; write one of %s"):format(#places, table.concat(labels, ", ")) }
end

-- The places of the part's items that the path means.
local function wanted_places(p, cfg)
  local part, selector = p.steps[1].field, p.steps[2]
  local list, row = core.config.part(cfg, part), document.known[part].item
  local places = places_of(row, list, selector)
  if selector.all then return places end
  if #places == 0 then refuse_missing(p, row, list) end
  if #places > 1 then refuse_several(p, row, list, places) end
  return places
end

-- The document takes a table by value.
local function assign(cfg, one)
  local steps, part = one.path.steps, one.path.steps[1].field
  if #steps == 1 then
    cfg[part] = one.value
  elseif #steps == 2 then
    cfg[part][steps[2].field] = one.value
  else
    for _, at in ipairs(wanted_places(one.path, cfg)) do cfg[part][at][steps[3].field] = one.value end
  end
end

--- An edit that sets values, as `handoff set` does. A value is written as its field is: true or false; digits; a text as it is,
-- or in quotes as JSON has it; lists and objects as JSON, the list of slots also as `handoff.week` reads hours. What can be told
-- without a document is, and raises: `path`, `rule`, `message`. An item that the edited document does not have raises then, rule
-- "missing" or "several".
-- @tparam string[] list of `"PATH=VALUE"`
-- @treturn fun(cfg:Config)
function path.edit(list)
  if type(list) ~= "table" or #list == 0 then
    core.error.raise { rule = "type", message = "a list of PATH=VALUE expected, such as settings.is_active=true" }
  end
  local edits, seen = {}, {}
  for i, word in ipairs(list) do
    local one = read_word(word)
    local text = one.path.text
    if seen[text] then
      core.error.raise { path = plain(text), rule = "path", message = "it is given twice; leave one of them out" }
    end
    edits[i], seen[text] = one, true
  end
  return function(cfg)
    for _, one in ipairs(edits) do assign(cfg, one) end
  end
end

return path
