-- SPDX-License-Identifier: MIT
-- What an inventory of Lua may take had three ways around it: a long text that stands in many places came back once for each,
-- by gigabytes; Lua's parser, which no hook interrupts, took minutes for names below many functions with many locals; and to
-- look for the lines of its agents took the square of how long a line is.
local core = require "handoff.core"
local gc = require "support.gc"
local inventory = require "handoff.inventory"
local program = require "support.program"

describe("an inventory of Lua", function()
  before_each(gc.restful)

  local function run(text, limits, make)
    local all = { bytes = 1e7, steps = 1e7, values = 1e5, seconds = 60 }
    for name, value in pairs(limits or {}) do all[name] = value end
    return core.bounded.run(text, "=x", all, { env = "a text" }, make or function(_, what) return what end)
  end

  it("gives back no more than it may take, though one text stands in many places", function()
    local long = "local s = 'x' for i = 1, 20 do s = s .. s end "
    for _, what in ipairs { "s", "env(s)" } do
      local listed = ("%s local v, t = %s, {} for i = 1, %%d do t[i] = v end return t"):format(long, what)
      assert.equal(2 ^ 20, #run(listed:format(5))[5])
      local value, why = run(listed:format(20))
      assert.is_nil(value)
      assert.equal("it gives back too much", why)
    end
  end)

  it("is not read for longer than it may take", function()
    local names = {}
    for i = 1, 190 do names[i] = "l" .. i end
    local open = ("local %s x = function() "):format(table.concat(names, ","))
    local value, why = run(open:rep(90) .. ("a=a "):rep(1e5) .. (" end "):rep(90), { seconds = 0.1, bytes = 1e8 })
    assert.is_nil(value)
    assert.equal("x: it takes too long to read", why)
    assert.equal(7, run("--" .. ("x"):rep(5000) .. "\nreturn 7"))
    assert.equal(5000, #run("return '" .. ("x"):rep(5000) .. "'"))
  end)

  it("gives back what is true, and where it was made", function()
    assert.is_true(run "return true")
    local function line_of(text)
      return run(text, nil, function(_, _, line) return line or "nowhere" end)
    end
    assert.same({ 2 }, line_of "\nreturn { env 'T' }")
    assert.equal(rawget(_G, "jit") and "nowhere" or 2, line_of "\nreturn env 'T'") -- LuaJIT's last calls leave no place
  end)

  it("may be a single line, and say return in comments", function()
    local agents = {}
    for i = 1, 3000 do agents[i] = ("{name='a%d',token='t%d'}"):format(i, i) end
    local folder = program.folder()
    local path = program.write(folder .. "/agents.lua",
      ("-- return return\n"):rep(1e4) .. "return {" .. table.concat(agents, ",") .. "}")
    local loaded = inventory.load(path)
    program.remove(folder)
    assert.equal(3000, #loaded)
    assert.equal(10001, loaded[3000].line)
  end)
end)
