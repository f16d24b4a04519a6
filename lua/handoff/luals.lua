-- SPDX-License-Identifier: MIT
--- Types for editors: a library file for lua-language-server (LuaLS), made of the reference and of the schema. With it
-- `cfg.settings.` completes, and a wrong type is underlined.
-- @module handoff.luals
local core = require "handoff.core"
local reference = require "handoff.reference"

local luals = {}

-- What a list may be set to, beside a list of its items; what has the fields of another class, too.
local also = { SlotList = "Week" }
local parents = { Config = "Configuration", FleetOptions = "ClientOptions", Agent = "ClientOptions" }

-- ---- types ----------------------------------------------------------------------------------------------------------------

-- A type of the reference as LuaLS writes it. `known`: the classes; `item`: what Item stands for.
local function type_of(text, known, item)
  local inner = text:match "^%?(.*)$"
  local parts = {}
  for plain, quoted in ((inner or text) .. '""'):gmatch '([^"]*)("[^"]*")' do
    parts[#parts + 1] = plain:gsub("%f[%w_]%u[%w_]*", function(name)
      if name == "Item" then return item and type_of(item, known) or "any" end
      return known[name] and "handoff." .. name
    end)
    parts[#parts + 1] = quoted
  end
  parts[#parts] = nil
  return table.concat(parts) .. (inner and (inner:find "|" and "|nil" or "?") or "")
end

local function one_line(text) return (text:gsub("%s+", " "):match "^(.-) ?$") end

local function say(out, text)
  for line in (text .. "\n"):gmatch "(.-)\n" do out[#out + 1] = "---" .. line end
end

-- ---- classes and functions ------------------------------------------------------------------------------------------------

local function write_class(out, known, name, fields, text, parent)
  say(out, text)
  out[#out + 1] = ("---@class handoff.%s%s"):format(name, parent and " : handoff." .. parent or "")
  for _, field in ipairs(fields) do
    local kind, class = type_of(field.type, known), known[field.type]
    if class and class.item then -- it reads as a list with methods, and takes plain ones
      kind = ("%s|%s[]"):format(kind, type_of(class.item, known))
      if also[field.type] then kind = kind .. "|handoff." .. also[field.type] end
    end
    local mark = field.optional and "?" or ""
    out[#out + 1] = one_line(("---@field %s%s %s %s"):format(field.name, mark, kind, field.text))
  end
end

-- Options that a function's parameter has become a class of their own, of that parameter's name.
local function options_of(item, param)
  local fields = {}
  for _, one in ipairs(item.params) do
    local name = one.name:match("^" .. param.name .. "%.(.+)$")
    if name then
      fields[#fields + 1] = { name = name, type = one.type, text = one.text, optional = one.optional }
    end
  end
  return fields[1] and fields
end

local function write_function(out, known, owner, handle, item, stands_for)
  local names, head = {}, {}
  for _, param in ipairs(item.params) do
    local kind, fields = type_of(param.type, known, stands_for), options_of(item, param)
    if fields then
      local class = ("%s.%s.%s"):format(owner, item.name, param.name)
      write_class(out, known, class, fields, ("Options of %s."):format(item.name))
      out[#out + 1], kind = "", "handoff." .. class
    end
    if not param.name:find ".%." or param.name == "..." then
      names[#names + 1] = param.name
      local mark = param.optional and param.name ~= "..." and "?" or ""
      head[#head + 1] = one_line(("---@param %s%s %s %s"):format(param.name, mark, kind, param.text))
    end
  end
  say(out, item.text)
  for _, line in ipairs(head) do out[#out + 1] = line end
  for _, value in ipairs(item.returns) do
    out[#out + 1] = one_line("---@return " .. type_of(value.type, known, stands_for)
      .. (value.text ~= "" and " # " .. value.text or ""))
  end
  out[#out + 1] = ("function %s%s%s(%s) end\n"):format(handle, item.class and ":" or ".", item.name,
    table.concat(names, ", "))
end

-- ---- the file -------------------------------------------------------------------------------------------------------------

-- All classes by name: a table in the reference, what has methods, and the configuration's; `functions` are the items of each.
local function classes_of(pages)
  local known = reference.configuration()
  local function class(name, text)
    if not known[name] then
      known[name] = { name = name, text = text or "", fields = {}, functions = {} }
      known[#known + 1] = known[name]
    end
    local found = known[name]
    found.functions = found.functions or {}
    if text and found.text == "" then found.text = text end
    return found
  end
  for _, page in ipairs(pages) do
    if page.is_class then class(page.name, page.text) end
    for _, item in ipairs(page.items) do
      if item.kind == "table" then class(item.name, item.text).fields = item.params end
      if item.class and not item.is_local then table.insert(class(item.class).functions, item) end
    end
  end
  return known
end

-- A list has List's methods; those that take or give an item have it with its type.
local function write_list(out, known, list)
  write_class(out, known, list.name, {}, list.text, "List")
  out[#out + 1] = ("---@field [integer] %s"):format(type_of(list.item, known))
  out[#out + 1] = ("local %s = {}\n"):format(list.name)
  for _, item in ipairs(known.List.functions) do
    local mentions = false
    for _, one in ipairs(item.params) do mentions = mentions or one.type:find "Item" end
    for _, one in ipairs(item.returns) do mentions = mentions or one.type:find "Item" end
    if mentions then write_function(out, known, list.name, list.name, item, list.item) end
  end
end

local function write_module(out, known, page)
  local short = page.name:match "[%w_]+$"
  say(out, page.text)
  out[#out + 1] = "---@class " .. page.name
  for _, item in ipairs(page.items) do
    if item.kind == "field" then
      out[#out + 1] = one_line(("---@field %s %s %s"):format(item.name, type_of(item.type, known), item.text))
    end
  end
  out[#out + 1] = ("local %s = {}\n"):format(short)
  for _, item in ipairs(page.items) do
    if item.kind == "function" and not item.class and not item.is_local then
      write_function(out, known, short, short, item)
    end
  end
end

--- The library file: every class that a script meets, and what `require "handoff"` gives.
-- @treturn ?string nil where the reference cannot be read
-- @treturn ?Error err
function luals.text()
  local pages, err = reference.pages()
  if not pages then return nil, err end
  local known = classes_of(pages)
  local out = { "---@meta handoff", ("-- Made by handoff %s: handoff schema --format luals\n"):format(core.version) }
  for _, class in ipairs(known) do
    if class.item then
      write_list(out, known, class)
    else
      write_class(out, known, class.name, class.fields, class.text, parents[class.name])
      out[#out + 1] = ("local %s = {}\n"):format(class.name)
      for _, item in ipairs(class.functions or {}) do write_function(out, known, class.name, class.name, item) end
    end
  end
  for i = #pages, 1, -1 do -- that of the library itself comes last
    if not pages[i].is_class then write_module(out, known, pages[i]) end
  end
  out[#out + 1] = "return handoff\n"
  return table.concat(out, "\n")
end

return luals
