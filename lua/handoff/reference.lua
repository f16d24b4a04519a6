-- SPDX-License-Identifier: MIT
-- What is said of the public names: the comments of the sources, in LDoc's form, as data; and the objects of a configuration,
-- made from the schema. The HTML reference (`make doc`) and the types for editors (handoff.luals) are made of these.
--
-- A page is a module or a class, and may stand in several files:
--   name      "handoff.plan", or "Client" of a class
--   is_class  whether its functions are methods
--   text      what it is
--   items     a list of { kind = "function", "table" or "field", class = the class whose method it is, or nil, name=, text=,
--             type= of a field, params, returns, is_local = true where it is not for scripts }; params of a table are its
--             fields; each is { name=, type=, text=, optional= true or nil }, returns have no name
local core = require "handoff.core"
local files = require "handoff.file"

local reference = {}

-- The modules whose files have public names, in the order of the reference. What the core has to say stands beside it, see the
-- Makefile.
reference.modules = {
  "handoff", "handoff.core", "handoff.config", "handoff.change", "handoff.client", "handoff.fleet", "handoff.fleet.run",
  "handoff.inventory", "handoff.select", "handoff.path", "handoff.query", "handoff.history", "handoff.history.run",
  "handoff.history.record", "handoff.plan", "handoff.drift", "handoff.desired", "handoff.doctor", "handoff.policy",
  "handoff.policy.agent", "handoff.policy.value", "handoff.policy.report", "handoff.policy.gate", "handoff.simulate",
  "handoff.hours", "handoff.time", "handoff.timetable", "handoff.page", "handoff.json_schema", "handoff.luals",
  "handoff.transport", "handoff.loop", "handoff.loop.map", "handoff.loop.task", "handoff.nginx", "handoff.nginx.cache",
  "handoff.sandbox",
}

-- The pages by subject, as the reference shows them.
reference.subjects = {
  { title = "To begin with", "handoff", "Error" },
  { title = "A configuration", "Config", "configuration", "List", "Week" },
  { title = "One agent", "Client" },
  { title = "Many agents", "Fleet", "Run", "handoff.inventory", "handoff.select", "handoff.path", "handoff.query",
    "handoff.doctor" },
  { title = "What was done", "handoff.history", "RecordedRun", "RunningRun", "handoff.plan", "handoff.drift" },
  { title = "Files", "handoff.desired", "handoff.json", "handoff.json_schema", "handoff.luals" },
  { title = "Hours", "handoff.hours", "handoff.time", "handoff.timetable", "handoff.page" },
  { title = "What happens then", "handoff.simulate", "handoff.policy", "Expectation", "PolicyReport", "PolicyGate" },
  { title = "Inside nginx", "handoff.nginx", "Cache" },
  { title = "Underneath", "handoff.loop", "handoff.transport", "handoff.sandbox" },
}

-- ---- comments -----------------------------------------------------------------------------------------------------------

-- The comments that begin with --- or /***, each a list of lines with the line of code that follows as `subject`.
local function blocks(text)
  local all, open = {}, nil
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local in_c, first = line:match "^/%*%*%*%s?(.*)$", line:match "^%s*%-%-%-%s?(.*)$"
    local more = line:match "^%s*%-%-%s?(.*)$"
    if in_c then
      open = { is_c = true, in_c ~= "" and in_c or nil }
      all[#all + 1] = open
    elseif open and open.is_c then
      if not line:find "^ %*/" then open[#open + 1] = line:match "^ %*%s?(.*)$" else open = nil end
    elseif first and not first:find "^%-" and not open then
      open = { first }
      all[#all + 1] = open
    elseif open and more then
      open[#open + 1] = more
    elseif open then
      open.subject, open = line, nil
    end
  end
  return all
end

-- A comment's text and tags: a list of { name, text }, a tag's modifiers in brackets are part of its name.
local function tags_of(block)
  local text, tags = {}, {}
  for _, line in ipairs(block) do
    local name, rest = line:match "^%s*@([%a]+%b[])%s*(.*)$"
    if not name then name, rest = line:match "^%s*@(%a+)%s*(.*)$" end
    if name then
      tags[#tags + 1] = { name = name, text = rest }
    elseif #tags > 0 then
      tags[#tags].text = tags[#tags].text .. " " .. line:match "^%s*(.-)%s*$"
    else
      text[#text + 1] = line
    end
  end
  return table.concat(text, "\n"), tags
end

local function member(tag)
  local type, name, text = tag.text:match "^(%S+)%s+(%S+)%s*(.*)$"
  return { name = name, type = type, text = text, optional = tag.name:find("[opt", 1, true) and true or nil }
end

local named = { ["function"] = true, table = true }

-- An item of a comment; nil where it names nothing.
local function item_of(text, tags, subject)
  local item = { kind = "function", text = text, params = {}, returns = {} }
  local owner, mark, name = (subject or ""):match "^function ([%w_]+)([.:])([%w_]+)%s*%("
  item.name = mark == ":" and owner .. mark .. name or name
  for _, tag in ipairs(tags) do
    local kind = tag.name:match "^%a+"
    if named[kind] then
      item.kind, item.name = kind, tag.text
    elseif kind == "tparam" or kind == "tfield" then
      item.params[#item.params + 1] = member(tag)
    elseif kind == "treturn" then
      local type, about = tag.text:match "^(%S+)%s*(.*)$"
      item.returns[#item.returns + 1] = { type = type, text = about }
    elseif kind == "local" then
      item.is_local = true
    end
  end
  if not item.name and #item.params == 1 then
    item.kind, item.name, item.type = "field", item.params[1].name, item.params[1].type
  end
  return item.name and item
end

-- Of a class all functions are methods, whatever their code calls it; elsewhere those that say whose they are.
local function place(page, item)
  local owner, name = item.name:match "^([%w_]+):([%w_]+)$"
  item.name = name or item.name
  item.class = item.kind == "function" and (page.is_class and page.name or owner) or nil
  page.items[#page.items + 1] = item
end

-- Puts what a file says into the pages.
local function read_into(pages, text)
  local page
  for _, block in ipairs(blocks(text)) do
    local about, tags = tags_of(block)
    local opened = tags[1] and (tags[1].name == "module" or tags[1].name == "classmod")
    if opened then
      local name = tags[1].text
      page = pages[name] or { name = name, text = about, is_class = tags[1].name == "classmod", items = {} }
      if not pages[name] then pages[name], pages[#pages + 1] = page, page end
    elseif page then
      local item = item_of(about, tags, block.subject)
      if item then place(page, item) end
    end
  end
end

local function source_of(name)
  if name ~= "handoff.core" then return package.searchpath(name, package.path) end
  local path = package.searchpath(name, package.cpath)
  return path and path:gsub("%.so$", ".doc")
end

-- All pages: a list in the order of the modules, and each by its name; or nil, err where a file cannot be read.
function reference.pages()
  local pages = {}
  for _, name in ipairs(reference.modules) do
    local path = source_of(name)
    local text = path and files.read(path)
    if not text then
      return nil, core.error.new { kind = "invalid", rule = "reference", path = path,
        message = ("what %s says of itself cannot be read; install handoff again, or run make in the checkout")
          :format(name) }
    end
    read_into(pages, text)
  end
  return pages
end

-- ---- the configuration ----------------------------------------------------------------------------------------------------

local formats = { day_span = "a day or a range of days", time = "HH:MM", zone = "a zone's name", email = "an address" }

-- "custom guideline" → CustomGuideline
local function class_name(words)
  return (words:gsub("(%a)(%a*)%s*", function(first, rest) return first:upper() .. rest end))
end

-- What a field may hold, beyond its type.
local function limits(row)
  local list = {}
  if row.read_only then list[#list + 1] = "Read-only: " .. row.why .. "." end
  if row.max then list[#list + 1] = ("At most %d characters."):format(row.max) end
  if row.format then list[#list + 1] = "Format: " .. formats[row.format] .. "." end
  return table.concat(list, " ")
end

local function type_of(row)
  if row.object then return class_name(row.object) end
  if row.kind == "list" then return class_name(type_of(row.item)) .. "List" end
  if row.choices then return '"' .. table.concat(row.choices, '"|"') .. '"' end
  return row.kind
end

local describe

-- A list class has its members at its indexes; what is done to it stands in List, of which it is one.
local function describe_list(classes, row)
  local name = type_of(row)
  if classes[name] then return end
  if row.item.fields then describe(classes, row.item) end
  local list = { name = name, text = "A list: " .. row.item.doc, item = type_of(row.item), fields = {} }
  classes[name], classes[#classes + 1] = list, list
end

function describe(classes, row)
  local class = { name = class_name(row.object), text = row.doc, fields = {} }
  classes[class.name], classes[#classes + 1] = class, class
  for i, field in ipairs(row.fields) do
    if field.kind == "list" then describe_list(classes, field) elseif field.fields then describe(classes, field) end
    class.fields[i] = {
      name = field.name, type = type_of(field), text = (field.doc .. " " .. limits(field)):match "^(.-)%s*$",
      optional = not field.required and field.kind ~= "list" or nil, -- lists are there, to be added to
    }
  end
end

-- The classes of the objects and lists of a configuration, made from the schema: a list of { name=, text=, fields = as params },
-- those of lists with `item`, the type of a member; and each by its name. `Configuration` is the document itself.
function reference.configuration()
  local classes = {}
  describe(classes, core.schema.document())
  return classes
end

return reference
