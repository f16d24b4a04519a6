-- SPDX-License-Identifier: MIT
-- A hook between instructions bounded what an inventory of Lua may do: one instruction that joins 150 long texts took gigabytes,
-- one that compares long texts took no steps, and each of a million mistakes was told. Under bounds, one text given back in many
-- places was still copied for each, reading a text took as long as it liked, and a key that is LuaJIT's alone raised.
local core = require "handoff.core"
local gc = require "support.gc"
local inventory = require "handoff.inventory"
local program = require "support.program"

describe("an inventory of Lua that is written to do harm", function()
  local folder
  before_each(function()
    gc.restful() -- millions of instructions
    folder = program.folder()
  end)
  after_each(function() program.remove(folder) end)

  local function refused(text)
    local ok, err = pcall(inventory.load, program.write(folder .. "/agents.lua", text))
    assert.is_false(ok)
    return err
  end

  local long = "local s = 'x' for i = 1, 23 do s = s .. s end\n"

  it("takes little memory, by one instruction too, and by what it gives back", function()
    for text, words in pairs {
      [long .. "return s" .. (" .. s"):rep(150)] = "too much memory",
      ["local t = {} for i = 1, 1e6 do t = { t } end return { { name = 'a', token = t } }"] = "a text expected",
      ["local a = {} for i = 1, 2000 do a[i] = a end return a"] = "it gives back too much",
      [long .. "local a = {} for i = 1, 40 do a[i] = s end return a"] = "it gives back too much",
      ["local a = {} for i = 1, 1e5 do a['k' .. i] = i end return { { name = 'a', tags = a } }"] = "more than 1000",
    } do
      local err = refused(text)
      assert.matches(words, tostring(err), 1, true)
      assert.equal(1, #err.issues)
    end
    assert.equal(1000, #refused("local a = {} for i = 1, 1e5 do a[i] = i end return a").issues)
  end)

  it("takes little time, by few instructions too", function()
    for _, text in ipairs { "while true do end", long .. "while true do local _ = s .. 'a' < s .. 'b' end" } do
      local limits = { bytes = 1e8, steps = 1e12, values = 1, seconds = 0.05 }
      assert.matches("it does not come to an end", select(2, core.bounded.run(text, "=x", limits, {}, print)), 1, true)
    end
  end)

  it("takes little time to be read", function()
    local slow = "local function f() " .. ("goto a "):rep(5000) .. "::a:: end "
    local limits = { bytes = 1e8, steps = 1e12, values = 1, seconds = 0.01 }
    assert.same({ nil, "x: it takes too long to read" }, { core.bounded.run(slow:rep(20), "=x", limits, {}, print) })
  end)

  it("holds no value that is one VM's alone", function()
    if not rawget(_G, "jit") then return end
    for _, text in ipairs { "return { [1LL] = 'a' }", "return { { name = 'a', token = 1LL } }" } do
      assert.equal(1, #refused(text).issues)
    end
  end)
end)
