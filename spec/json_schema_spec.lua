-- SPDX-License-Identifier: MIT
local handoff = require "handoff"
local core = require "handoff.core"
local json_schema = require "handoff.json_schema"
local document = require "support.document"
local program = require "support.program"
local random = require "support.random"

local json = core.json

-- A Python that has a validator of JSON Schema.
local function find_python()
  for _, candidate in ipairs { "python3", "/usr/bin/python3" } do
    local import = ' -c "from jsonschema import Draft202012Validator" 2>/dev/null && echo yes || echo no'
    if program.run(candidate .. import):find "yes" then return candidate end
  end
end

local judge = [[
import json, sys
from jsonschema import Draft202012Validator
schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
for line in open(sys.argv[2], encoding="utf-8", newline="\n"):
    print("yes" if validator.is_valid(json.loads(line)) else "no")
]]

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- What the validator says of each value: a list of true or false.
local function judged(schema, texts)
  local python = assert(find_python(), "no jsonschema for Python; Debian has it in: python3-jsonschema")
  local folder = program.folder()
  write(folder .. "/schema", json.encode(schema))
  write(folder .. "/texts", table.concat(texts, "\n") .. "\n")
  local out = program.run(("%s -c %s %s/schema %s/texts"):format(python, program.quote(judge), folder, folder))
  program.remove(folder)
  local verdicts = {}
  for word in out:gmatch "%a+" do verdicts[#verdicts + 1] = word == "yes" end
  assert.equal(#texts, #verdicts, out)
  return verdicts
end

-- ---- documents ------------------------------------------------------------------------------------------------------------

-- Values to try wherever there is one, as JSON, by kind of row and by format; good ones and bad ones.
local anything = {
  "null", "true", "false", "0", "-7", "1.0", "1.5", "1e2", "123456789012345678901234567890", '""', '"x"', "[]", "{}",
  "[null]", '["x"]', "[1]", '{"a":1}',
}
local texts = {
  day_span = { "monday", "monday-friday", "saturday-monday", "monday-", "-monday", "Monday", "mon",
    "monday-friday-sunday", "monday\\n", " monday" },
  time = { "00:00", "23:59", "24:00", "09:60", "9:00", "09:00\\n", "09:00:00", "0٣:00" },
  zone = { "UTC", "Europe/London", "America/Argentina/Buenos_Aires", "Etc/GMT+2", "europe/london", "Europe/", "/UTC",
    "UTC\\n", "Europe//London", "Europe/Nowhere" },
  email = { "a@example.com", "a.b+c@x-y.example.org", "zoë@exämple.com", "a", "a@b", "a@@example.com", ".a@example.com",
    "a.@example.com", "a..b@example.com", "a@-x.com", "a@x-.com", "a@.com", "a@x..com", "a b@x.com", "a@x.com\\n",
    "a@x.com ", "<a@x.com>", "a@[1.2.3.4]", "a,b@x.com", "a\\u007f@x.com", "a\\u00a0b@x.com",
    ("a"):rep(64) .. "@x.com", ("a"):rep(65) .. "@x.com", "a@" .. ("b"):rep(63) .. ".com",
    "a@" .. ("b"):rep(64) .. ".com", "a@" .. ("b1."):rep(83) .. "comm", "a@" .. ("b1."):rep(83) .. "comma",
    "!#$%&'*+/=?^_`{|}~-@x.com",
  },
}

local function values_of(row)
  local list = {}
  for _, text in ipairs(texts[row.format] or row.choices or {}) do list[#list + 1] = '"' .. text .. '"' end
  if row.max then
    list[#list + 1] = '"' .. ("😀"):rep(row.max) .. '"'
    list[#list + 1] = '"' .. ("é"):rep(row.max + 1) .. '"'
  end
  for _, text in ipairs(anything) do list[#list + 1] = text end
  return list
end

-- A valid value's JSON. `name` tells one time from another.
local function good_text(row, name)
  if row.kind == "object" then
    local members = {}
    for i, field in ipairs(row.fields) do
      members[i] = ('"%s":%s'):format(field.name, good_text(field, name .. field.name))
    end
    return "{" .. table.concat(members, ",") .. "}"
  end
  if row.kind == "list" then return "[" .. good_text(row.item, name) .. "]" end
  if row.choices then return '"' .. row.choices[1] .. '"' end
  if row.format == "time" then return name:find "end" and '"17:00"' or '"09:00"' end
  if row.format then return '"' .. texts[row.format][1] .. '"' end
  return ({ boolean = "true", integer = "5", string = '"text"' })[row.kind]
end

-- The good document's text, where each row's value comes from `choose(row, path)`, a text, false for none, nil for a good one.
local function built(choose, row, path)
  local chosen = choose(row, path)
  if chosen ~= nil then return chosen end
  if row.kind == "list" then
    local item = built(choose, row.item, path .. "[]")
    return item and "[" .. item .. "]" or "[]"
  end
  if row.kind ~= "object" then return good_text(row, path) end
  local members = {}
  for _, field in ipairs(row.fields) do
    local value = built(choose, field, path .. "." .. field.name)
    if value then members[#members + 1] = ('"%s":%s'):format(field.name, value) end
  end
  return "{" .. table.concat(members, ",") .. "}"
end

local function each_row(row, path, visit)
  visit(row, path)
  if row.item then each_row(row.item, path .. "[]", visit) end
  for _, field in ipairs(row.fields or {}) do each_row(field, path .. "." .. field.name, visit) end
end

-- Every value to try at every place of a good document, and every place without one.
local function mutants(list)
  local root = core.schema.document()
  each_row(root, "", function(row, path)
    local values = values_of(row)
    values[#values + 1] = false
    for _, value in ipairs(values) do
      if path ~= "" or value then
        list[#list + 1] = built(function(_, here) if here == path then return value end end, root, "")
      end
    end
  end)
end

local function random_documents(list, count)
  local root = core.schema.document()
  for seed = 1, count do
    local r = random(seed)
    list[#list + 1] = built(function(row, path)
      if path == "" or r:below(12) > 0 then return nil end
      return r:one(values_of(row))
    end, root, "")
  end
end

-- The good document with a list of two items of one id.
local function with_twins()
  return built(function(row, path)
    if path ~= ".custom_guidelines" then return nil end
    local item = good_text(row.item, "")
    return ("[%s,%s]"):format(item, (item:gsub('"text"', '"other"')))
  end, core.schema.document(), "")
end

local function documents()
  local list = { with_twins(), (document.text():gsub("\n", " ")) }
  mutants(list)
  random_documents(list, 300)
  return list
end

-- ---- what the library says ------------------------------------------------------------------------------------------------

-- Rules that JSON Schema has no words for (see handoff.json_schema): whether the schema may accept what breaks it.
local beyond = {
  time_order = true, duplicate_id = true, zone = true,
  email = function(text) return text:find "[\128-\255]" or text:find "\\u00[89a-f]" end,
}

-- true, false, or nil where only a rule beyond the schema is broken; `rules` collects which were.
local function expected(text, rules)
  local cfg = handoff.config(text)
  if not cfg then return false end
  local verdict = true
  for _, issue in ipairs(cfg:check()) do
    if issue.severity == "error" then
      local out = beyond[issue.rule]
      rules[issue.rule] = true
      if type(out) == "function" then out = out(text) end
      if not out then return false end
      verdict = nil
    end
  end
  return verdict
end

describe("the JSON Schema of a configuration", function()
  it("says what the checks say, as a validator of others reads it", function()
    local list, rules, odd = documents(), {}, {}
    local verdicts = judged(json_schema.document(), list)
    for i, text in ipairs(list) do
      local want = expected(text, rules)
      if want ~= nil and want ~= verdicts[i] then
        odd[#odd + 1] = ("%s, by the checks %s: %s"):format(tostring(verdicts[i]), tostring(want), text)
      end
    end
    assert.equal("", table.concat(odd, "\n"))
    local broken = {}
    for rule in pairs(rules) do broken[#broken + 1] = rule end
    table.sort(broken)
    assert.same({ "choice", "day_span", "duplicate_id", "email", "max_length", "null", "required", "time", "time_order",
      "type", "zone" }, broken)
  end)
end)
