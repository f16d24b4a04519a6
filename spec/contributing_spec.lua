-- SPDX-License-Identifier: MIT
-- What .github/CONTRIBUTING.md says of a new field and of a new verb: a row, and a file. Tried in a copy of the tree.
local program = require "support.program"

local row = [[
    {.name = "greeting", .kind = HO_STRING, .max = 10, .doc = "Said before all else."},
]]

local verb = [[
return {
  summary = "say hello", group = "look",
  flags = { { name = "loud", switch = true, help = "in capitals" } },
  run = function(ctx) ctx:say(ctx.args.loud and "HELLO" or "hello") end,
}
]]

-- What the sandbox makes of a PUT; a row a value.
local put = [[
local service, document = require "handoff.sandbox.service", ...
for _, value in ipairs { '"hello"', '"much too long"', '7' } do
  local sent = document:gsub('"settings":{', '"settings":{"greeting":' .. value .. ",", 1)
  local text, problems = service.put(document, sent, function() return 1 end)
  print(text and text:match '"greeting":"[^"]*"' or problems[1].path .. ": " .. problems[1].message)
end
]]

-- Editing a configuration that lacks the field, checking one that has too much of it.
local edit = [[
local handoff, document = require "handoff", ...
local cfg = assert(handoff.config(document))
cfg.settings.greeting = "hello"
print(cfg:changes()[1], select(2, pcall(function() cfg.settings.greeting = "much too long" end)).rule)
print(cfg:json():match '"greeting":"[^"]*"')
]]

local document = '{"settings":{"is_active":true},"availability":[],"generic_guidelines":[],"custom_guidelines":[],'
  .. '"routing_profiles":[]}'

if program.vm == "lua54" then describe("a copy of the tree", function()
  local folder
  local function run(command)
    local output, status = program.run_fresh(("cd %s && %s"):format(program.quote(folder), command))
    return output, status
  end
  local function handoff(words) return run(("%s lua/bin/handoff %s"):format(program.lua, words)) end
  local function script(text)
    local path = program.write(folder .. "/script.lua", text)
    local output, status = program.run_fresh(("%s %s %s"):format(program.lua, path, program.quote(document)), {
      LUA_PATH_5_4 = ("%s/lua/?.lua;%s/lua/?/init.lua;;"):format(folder, folder),
      LUA_CPATH_5_4 = folder .. "/build/lua54/?.so;;",
    })
    assert.equal(0, status, output)
    return output
  end

  setup(function()
    folder = program.folder()
    local output, status = program.run_fresh(("cp -r Makefile .ldoc.ld csrc lua spec %s"):format(program.quote(folder)))
    assert.equal(0, status, output)
    local path = folder .. "/csrc/core/schema.c"
    local file = assert(io.open(path))
    local text, count = file:read "*a":gsub("static const ho_field settings_fields%[%] = {\n", function(head)
      return head .. row
    end)
    file:close()
    assert.equal(1, count)
    program.write(path, text)
    program.write(folder .. "/lua/handoff/command/verb/hello.lua", verb)
    output, status = run "make -s lua54 DEPS=no CFLAGS=-O0"
    assert.equal(0, status, output)
  end)
  teardown(function() program.remove(folder) end)

  it("with one more row in the schema has the field everywhere", function()
    assert.matches("greeting +text, at most 10 characters\n", (handoff "explain"))
    assert.matches("Said before all else.", (handoff "explain settings.greeting"), 1, true)
    assert.matches('"greeting": {[^}]*"maxLength": 10', (handoff "schema"))
    assert.matches("---@field greeting? string Said before all else. At most 10 characters.\n",
      (handoff "schema --format luals"), 1, true)
    program.write(folder .. "/shop.lua", 'return { settings = { greeting = "much too long" } }\n')
    local said, status = handoff "validate shop.lua"
    assert.equal(1, status, said)
    assert.matches("shop.lua:1:34: error: settings.greeting: 13 characters, at most 10 allowed [max_length]", said, 1,
      true)
    assert.equal('+ settings.greeting: "hello"\tmax_length\n"greeting":"hello"\n', script(edit))
    assert.equal('"greeting":"hello"\nsettings.greeting: 13 characters, at most 10 allowed\n'
      .. "settings.greeting: a string expected, got a number\n", script(put))
    assert.equal(0, select(2, run "make -s doc-run"))
    assert.equal(0, select(2, run "grep -q 'Said before all else' build/doc/modules/configuration.html"))
  end)

  it("with one more file has the verb everywhere", function()
    assert.equal("HELLO\n", (handoff "hello --loud"))
    assert.matches("\n  hello       say hello\n", (handoff "--help"), 1, true)
    assert.matches("in capitals", (handoff "hello --help"), 1, true)
    assert.matches("did you mean", (handoff "helo"), 1, true)
    for _, shell in ipairs { "bash", "zsh", "fish" } do
      assert.matches("hello", (handoff("completion " .. shell)), 1, true)
    end
    assert.matches("in capitals", script 'print(require("handoff.command.manual").page "1")', 1, true)
  end)
end) end
