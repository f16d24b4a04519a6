-- SPDX-License-Identifier: MIT
-- What LDoc makes the reference of, in the folder of the first argument: its configuration, with the files that have public
-- names, its template, with the subjects, and a file of comments for the configuration's objects, made from the schema.
local files = require "handoff.file"
local reference = require "handoff.reference"

local folder = arg[1]

local function read(path) return assert(files.read(path)) end

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "wb"))
  assert(file:write(text))
  assert(file:close())
end

-- What a field may hold as a comment's tag; a list is shown as what it is of.
local function tag(classes, field)
  local list = classes[field.type]
  local type = list and list.item and list.item .. "[]" or field.type
  return ("-- @tfield%s %s %s %s"):format(field.optional and "[opt]" or "", type, field.name, field.text)
end

local function comments()
  local lines = {
    "-- made from the schema", "--- The objects of a configuration: its parts, their fields, and what those may hold.",
    "-- @module configuration",
  }
  local classes = reference.configuration()
  for _, class in ipairs(classes) do
    if not class.item then
      lines[#lines + 1] = ("\n--- %s\n-- @table %s"):format(class.text, class.name)
      for _, field in ipairs(class.fields) do lines[#lines + 1] = tag(classes, field) end
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

-- The files, with the core's, the page of each class before what adds to it.
local function documented()
  local list = { folder .. "/configuration.lua" }
  local core = package.searchpath("handoff.core", package.cpath):gsub("%.so$", ".doc")
  for path in read(core):gmatch "/%* (csrc/%S+) %*/\n" do
    list[#list + 1] = path
  end
  for _, name in ipairs(reference.modules) do
    local path = package.searchpath(name, package.path)
    if name ~= "handoff.core" then list[#list + 1] = path:match "lua/handoff.*$" end
  end
  return list
end

local function absolute(path)
  return path:find "^/" and path or os.getenv "PWD" .. "/" .. path
end

-- Where each class is that is no page, so that types lead there from other pages.
local function links(lines)
  local function add(name, place)
    lines[#lines + 1] = ("custom_see_handler(%q, function() return %q, %q end)"):format("^" .. name .. "$", name, place)
  end
  local seen = {}
  for _, page in ipairs(assert(reference.pages())) do
    seen[page.name] = true
    for _, item in ipairs(page.items) do
      local folder_of = page.is_class and "classes" or "modules"
      local owner = page.is_class and page.name .. "." or ""
      if item.kind == "table" and item.name ~= page.name then
        seen[item.name] = true
        add(item.name, ("../%s/%s.html#%s%s"):format(folder_of, page.name, owner, item.name))
      elseif item.class and not seen[item.class] then -- of a class that has methods alone the first one
        seen[item.class] = true
        add(item.class, ("../%s/%s.html#%s:%s"):format(folder_of, page.name, item.class, item.name))
      end
    end
  end
  for _, class in ipairs(reference.configuration()) do
    if not class.item then add(class.name, "../modules/configuration.html#" .. class.name) end
  end
end

local function configuration()
  local lines = { read ".ldoc.ld", ("dir = %q\ntemplate = %q\nstyle = %q\nfile = {"):format(absolute(arg[2]), folder,
    absolute "spec/support/ldoc") }
  for _, path in ipairs(documented()) do lines[#lines + 1] = ("  %q,"):format(absolute(path)) end
  lines[#lines + 1] = "}"
  links(lines)
  return table.concat(lines, "\n") .. "\n"
end

-- The template gets nothing of the configuration that LDoc does not know: the subjects are written into it.
local function template()
  local list = {}
  for i, subject in ipairs(reference.subjects) do
    list[i] = ("{title=%q"):format(subject.title)
    for _, name in ipairs(subject) do list[i] = ("%s, %q"):format(list[i], name) end
  end
  local subjects = "{" .. table.concat(list, "}, ") .. "}}"
  return (read "spec/support/ldoc/ldoc.ltp":gsub("ldoc%.subjects", function() return subjects end))
end

folder = absolute(folder)
write("configuration.lua", comments())
write("config.ld", configuration())
write("ldoc.ltp", template())
