-- SPDX-License-Identifier: MIT
--- What the service does with a configuration that is sent to it, on texts and plain tables. Which fields there are and what they
-- may hold, the schema says.
local core = require "handoff.core"
local json = core.json

local service = {}

-- The parts that are lists, in canonical order: { name=, fixed=, id=, identity= }, the last two names of an item's fields.
local lists, by_name = {}, {}
for _, part in ipairs(core.schema.document().fields) do
  if part.kind == "list" then
    local list = { name = part.name, fixed = part.fixed }
    for _, field in ipairs(part.item.fields or {}) do
      if field.id then list.id = field.name end
      if field.identity then list.identity = field.name end
    end
    lists[#lists + 1], by_name[list.name] = list, list
  end
end

--- A value as a key of a table: an id beyond what a number holds is none by itself.
local function key_of(value)
  return value ~= nil and value ~= json.null and json.encode(value) or nil
end

--- What the items of a list have in that field: a set of keys.
local function values_of(items, field)
  local set = {}
  if type(items) ~= "table" then return set end
  for _, item in ipairs(items) do
    local key = type(item) == "table" and key_of(item[field])
    if key then set[key] = true end
  end
  return set
end

local function problem(list, path, message, ...)
  list[#list + 1] = { path = path, message = message:format(...) }
end

--- The stored item that is the same one as the sent item, by its id, its name or, of a scalar, its value.
local function counterpart(list, sent, stored)
  local field = type(sent) == "table" and list and (list.id or list.identity)
  local function key(item)
    if type(sent) ~= "table" then return key_of(item) end
    return field and type(item) == "table" and key_of(item[field])
  end
  local wanted = key(sent)
  for _, item in ipairs(wanted and type(stored) == "table" and stored or {}) do
    if key(item) == wanted then return item end
  end
end

--- Whether the value at that path is what the service has there itself: then it is right, whatever the schema says. The
-- service may know guidelines that this schema does not, or hold texts from before a limit.
local function is_own(path, sent, stored)
  local list
  for name, at in path:gmatch "%.?([^.%[%]]*)%[?(%d*)%]?" do
    if name ~= "" then
      if type(sent) ~= "table" or type(stored) ~= "table" then return false end
      sent, stored, list = sent[name], stored[name], by_name[name]
    end
    if at ~= "" then
      if type(sent) ~= "table" then return false end
      sent = sent[tonumber(at)]
      stored = counterpart(list, sent, stored)
    end
  end
  return sent ~= nil and stored ~= nil and json.encode(sent) == json.encode(stored)
end

--- Every broken rule of what was sent, or nil and what makes it no configuration at all.
local function broken_rules(body, sent, stored)
  local issues, err = core.check.document(body)
  if not issues then return nil, err.message end
  local found = {}
  for _, issue in ipairs(issues) do
    if issue.severity == "error" and not is_own(issue.path, sent, stored) then
      found[#found + 1] = { path = issue.path, message = issue.message }
    end
  end
  return found
end

--- The predefined items are the ones that there are, each once.
local function check_fixed(list, sent, stored, found)
  local left, extra = values_of(stored[list.name], list.identity), {}
  for _, item in ipairs(sent[list.name]) do
    local key = key_of(item[list.identity])
    if not left[key] then extra[#extra + 1] = key end
    left[key] = nil
  end
  for _, key in ipairs(extra) do problem(found, list.name, "%s cannot be added: the list is predefined", key) end
  for key in pairs(left) do problem(found, list.name, "%s is missing: the list is predefined", key) end
end

local function check_ids(list, sent, stored, found)
  local known, seen = values_of(stored[list.name], list.id), {}
  for i, item in ipairs(sent[list.name]) do
    local key = key_of(item[list.id])
    local path = ("%s[%d].%s"):format(list.name, i, list.id)
    if key and not known[key] then problem(found, path, "there is no item with the id %s", key) end
    if key and seen[key] then problem(found, path, "the id %s comes twice", key) end
    if key then seen[key] = true end
  end
end

local function check_identities(sent, stored)
  local found = {}
  for _, list in ipairs(lists) do
    if list.fixed and type(stored[list.name]) == "table" then check_fixed(list, sent, stored, found) end
    if list.id then check_ids(list, sent, stored, found) end
  end
  table.sort(found, function(a, b)
    if a.path ~= b.path then return a.path < b.path end
    return a.message < b.message
  end)
  return found
end

local function give_ids(document, new_id)
  for _, list in ipairs(lists) do
    for _, item in ipairs(list.id and document[list.name] or {}) do
      if not key_of(item[list.id]) then item[list.id] = new_id() end
    end
  end
end

--- Fills in what the service derives, whatever was sent.
local function derive(document)
  local active = false
  for _, profile in ipairs(document.routing_profiles) do active = active or profile.is_active == true end
  document.settings.topic_based_routing_active = active
end

--- A document as plain tables → its text, with what the service derives.
function service.text(document)
  derive(document)
  return json.encode(document)
end

--- What a PUT of that body makes of the document.
-- @param stored the text of the document there is
-- @param body the text that was sent
-- @param new_id function that gives an id nobody has
-- @return the text of the new document, or nil and a list of what is wrong, { path= (nil: the whole), message= }
function service.put(stored, body, new_id)
  local sent, err = json.decode(body)
  if sent == nil then return nil, { { message = err.message } } end
  local old = json.decode(stored)
  if type(old) ~= "table" then old = {} end -- a test may store anything
  local found, shape = broken_rules(body, sent, old)
  if not found then return nil, { { message = shape } } end
  if #found == 0 then found = check_identities(sent, old) end
  if #found > 0 then return nil, found end
  give_ids(sent, new_id)
  return service.text(sent)
end

return service
