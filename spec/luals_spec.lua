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
  file.params[name] = split(kind, file.names)
end

readers["return"] = function(file, rest)
  local kind, text = split(rest, file.names)
  assert(text == "" or text:find "^# ", "a # expected before the text: " .. rest)
  file.returns[#file.returns + 1] = kind
end

-- A class is that of the local that stands right below its fields; a function of it is among its methods.
local function read_code(file, line)
  local handle = line:match "^local ([%w_]+) = {}$"
  if handle then
    file.handles[handle] = assert(file.class, "no class above " .. line)
    return
  end
  local owner, name, names = line:match "^function ([%w_]+)[.:]([%w_]+)%(([^)]*)%) end$"
  if not owner then
    file.given = file.given or line:match "^return ([%w_]+)$"
    return assert(file.given or line == "" or line:find "^%-%- ", line)
  end
  assert.equal(names, table.concat(file.params, ", "), line)
  file.handles[owner].methods[name] = { params = file.params, returns = file.returns }
  file.params, file.returns = {}, {}
end

-- All of it: { classes = { [name] = { fields, parent, methods = { [name] = { params = { [name] = type }, returns } } } }, names =
-- what is named as a type, handles = classes by the locals that stand for them, given = which of those require gives }.
local function read(text)
  local file = { classes = {}, names = {}, handles = {}, params = {}, returns = {} }
  for line in text:gmatch "([^\n]*)\n" do
    local tag, rest = line:match "^%-%-%-@(%l+) (.*)$"
    if tag then
      assert(readers[tag], "no such annotation: " .. line)(file, rest)
    elseif not line:find "^%-%-%-" then
      read_code(file, line)
      file.class = nil -- which reaches as far as the lines that stand together
    else
      assert(not line:find "^%-%-%-%s*@", line)
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

  -- The class that a chain of fields and calls ends in, beginning with what require "handoff" gives; ".x" a field, "x()" what a
  -- call returns, "x(fn)#2" the second parameter of the function that a call takes as `fn`.
  local function class_at(chain)
    local class = file.handles[file.given]
    for step in chain:gmatch "%S+" do
      local found, name, call, at = nil, step:match "^([%w_]+)(%(?%w*%)?)#?(%d*)$"
      local here = class
      while here and not found do
        found = call == "" and here.fields[name] and here.fields[name].type or here.methods[name]
        here = file.classes[here.parent]
      end
      assert(found, chain .. ": there is no " .. step)
      if call == "()" then found = found.returns[1] end
      if at ~= "" then
        found = found.params[call:match "%w+"]:match "^fun(%b())"
        for _ = 1, tonumber(at) do found = found:match ":(.*)$" end
      end
      class = assert(file.classes[found:match "^[%w_.]+"], chain .. ": no class: " .. found)
    end
    return class
  end

  it("lead from each way to a configuration to its settings, and to the items of its lists", function()
    local settings, item = file.classes["handoff.Settings"], file.classes["handoff.RoutingProfile"]
    for _, way in ipairs {
      "config()", "client() get()", "client() put()", "client() update(fn)#1", "client() update() after",
      "fleet() update(fn)#1", "fleet() select() shard() update(fn)#1", "fleet() resume(fn)#1",
      "fleet() each(fn)#1 get()",
      "config() copy()", "client() update(fn)#2 get()",
    } do
      assert.equal(settings, class_at(way .. " settings"), way)
      assert.equal(item, class_at(way .. " routing_profiles add()"), way)
      assert.equal(item, class_at(way .. " routing_profiles find()"), way)
      assert.is_not_nil(class_at(way .. " changes()"))
    end
    assert.equal("handoff.ClientOptions", class_at "fleet() update(fn)#2".parent) -- the agent
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
