-- SPDX-License-Identifier: MIT
-- The types for editors. lua-language-server itself is not among what the tests need: a reader holds each line to the grammar
-- that its manual has for annotations (https://luals.github.io/wiki/annotations/), of which the file keeps to a part.
local core = require "handoff.core"
local luals = require "handoff.luals"

-- ---- types ----------------------------------------------------------------------------------------------------------------

local read_type

-- name: type, name: type …
local function read_params(text, at, names)
  while text:sub(at, at) ~= ")" do
    local name, after = text:match("^([%a_][%w_]*%??)%s*:%s*()", at)
    assert(name, "a parameter expected: " .. text:sub(at))
    at = read_type(text, after, names)
    at = text:match("^%s*,%s*()", at) or at
  end
  return at + 1
end

local function read_function(text, at, names)
  at = read_params(text, at, names)
  local after = text:match("^%s*:%s*()", at)
  while after do
    at = read_type(text, after, names)
    after = text:match("^,%s*()", at)
  end
  return at
end

-- A type without what may stand after it; gives where it ends, and puts the names in it into the set.
local function read_one(text, at, names)
  local after = text:match('^"[^"]*"()', at) or text:match("^nil()", at)
  if after then return after end
  after = text:match("^fun%(()", at)
  if after then return read_function(text, after, names) end
  after = text:match("^{%[()", at)
  if after then
    after = assert(text:match("^%]:()", read_type(text, after, names)), "]: expected in " .. text)
    return assert(text:match("^}()", read_type(text, after, names)), "} expected in " .. text)
  end
  local name, stop = text:match("^([%a_][%w_.]*)()", at)
  assert(name and not name:find "%.$", "a type expected: " .. text:sub(at))
  names[name] = true
  return stop
end

function read_type(text, at, names)
  repeat
    at = read_one(text, at, names)
    at = text:match("^%[%]()", at) or at
    at = text:match("^%?()", at) or at
    local more = text:match("^|()", at)
    at = more or at
  until not more
  return at
end

-- The type that the text begins with, and what stands after it.
local function split(text, names)
  local at = read_type(text, 1, names)
  assert(at > #text or text:sub(at, at) == " ", "a blank expected after the type: " .. text)
  return text:sub(1, at - 1), text:sub(at + 1)
end

-- ---- lines ----------------------------------------------------------------------------------------------------------------

local readers = {}

function readers.meta(_, rest) assert.equal("handoff", rest) end

function readers.class(file, rest)
  local name, parent = rest:match "^([%w_.]+) : ([%w_.]+)$"
  name = name or rest:match "^[%w_.]+$"
  assert(name and not file.classes[name], "a new class expected: " .. rest)
  file.class = { fields = {}, parent = parent, methods = {} }
  file.classes[name] = file.class
  if parent then file.names[parent] = true end
end

function readers.field(file, rest)
  local key, mark, kind = rest:match "^([%a_][%w_]*)(%??) (.*)$"
  if not key then key, mark, kind = "[]", "", rest:match "^%[integer%] (.*)$" end
  assert(kind, "a field expected: " .. rest)
  assert.is_nil(file.class.fields[key], key)
  local text
  kind, text = split(kind, file.names)
  file.class.fields[key] = { type = kind, optional = mark == "?", text = text }
end

function readers.param(file, rest)
  local name, kind = rest:match "^([%a_.][%w_.]*)%?? (.*)$"
  assert(kind, "a parameter expected: " .. rest)
  file.params[#file.params + 1] = name
  split(kind, file.names)
end

readers["return"] = function(file, rest)
  local _, text = split(rest, file.names)
  assert(text == "" or text:find "^# ", "a # expected before the text: " .. rest)
end

-- All of it: { classes = { [name] = { fields, parent, methods } }, names = what is named as a type }.
local function read(text)
  local file = { classes = {}, names = {}, params = {} }
  for line in text:gmatch "([^\n]*)\n" do
    local tag, rest = line:match "^%-%-%-@(%l+) (.*)$"
    local names = line:match "^function [%w_]+[.:][%w_]+%(([^)]*)%) end$"
    if tag then
      assert(readers[tag], "no such annotation: " .. line)(file, rest)
    elseif names then
      assert.equal(names, table.concat(file.params, ", "), line)
      file.params = {}
    else
      assert(not line:find "^%-%-%-%s*@" and (line == "" or line:find "^%-%-" or line:find "^local [%w_]+ = {}$"
        or line == "return handoff"), line)
    end
  end
  return file
end

local builtin = {}
for name in ("any boolean string number integer function table thread userdata lightuserdata"):gmatch "%a+" do
  builtin[name] = true
end

describe("the types for editors", function()
  local text, file
  setup(function()
    text = assert(luals.text())
    file = read(text)
  end)

  it("are Lua", function()
    assert.is_table(assert((loadstring or load)(text))())
  end)

  it("name no type that is not there", function()
    for name in pairs(file.names) do assert.is_true(builtin[name] or file.classes[name] ~= nil, name) end
  end)

  it("have each field of the schema, with its type, its choices and its text", function()
    local scalars = { boolean = "boolean", integer = "integer", string = "string" }
    local seen = 0
    local function check(class, row)
      for _, field in ipairs(row.fields) do
        local made = assert(file.classes[class].fields[field.name], class .. " has no " .. field.name)
        local inner, first = field.item or field, made.type:match "^[^|]+"
        seen = seen + 1
        assert.equal(field.doc, made.text:sub(1, #field.doc))
        assert.equal(not field.required and not field.item, made.optional, field.name)
        if field.item then
          local members = file.classes[first].fields["[]"].type
          assert.equal("handoff.List", file.classes[first].parent)
          assert.truthy(made.type:find(members .. "[]", 1, true))
          if inner.fields then check(members, inner) else assert.equal(scalars[inner.kind], members) end
        elseif field.fields then
          check(made.type, field)
        elseif field.choices then
          assert.equal('"' .. table.concat(field.choices, '"|"') .. '"', made.type)
        else
          assert.equal(scalars[field.kind], made.type)
        end
      end
    end
    check("handoff.Configuration", core.schema.document())
    assert.is_true(seen > 20)
    assert.equal("handoff.Configuration", file.classes["handoff.Config"].parent)
  end)

  it("have what an edit calls", function()
    for _, line in ipairs {
      "function handoff.fleet(source, opts) end", "function Config:changes() end",
      "function Fleet:update(fn, opts) end",
      "---@param fn fun(cfg:handoff.Config,agent:handoff.Agent)", "---@return handoff.Run?",
      "---@return handoff.Slot # the item as it stands in the list now\nfunction SlotList:add(item) end",
    } do
      assert.truthy(text:find("\n" .. line, 1, true), line)
    end
  end)

  it("are printed by the command", function()
    local program = require "support.program"
    local out, status = program.run(program.handoff .. " schema --format luals")
    assert.equal(0, status, out)
    assert.equal(text, out)
  end)

  it("are refused where the core's text is missing, with what to do", function()
    local program = require "support.program"
    local out, status = program.run(program.lua .. [[ -e 'local searchpath = package.searchpath
      require "handoff.core"
      package.searchpath = function(name, path) return name ~= "handoff.core" and searchpath(name, path) or nil end
      print(select(2, require("handoff.luals").text()))']])
    assert.equal(0, status, out)
    assert.matches("^what handoff.core says of itself cannot be read; install handoff again[^\n]*\n$", out)
  end)
end)
