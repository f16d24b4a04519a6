-- SPDX-License-Identifier: MIT
local optional = require "handoff.optional"
local program = require "support.program"

describe("a module that may be missing", function()
  local NAME = "handoff_spec_optional"
  after_each(function() package.preload[NAME], package.loaded[NAME] = nil, nil end)

  it("is nil where it is not there, or what it is linked with is not, and itself where it is", function()
    assert.is_nil(optional(NAME))
    local folder, cpath = program.folder(), package.cpath
    finally(function()
      package.cpath = cpath
      program.remove(folder)
    end)
    program.write(folder .. "/" .. NAME .. ".so", "no library")
    package.cpath = folder .. "/?.so"
    assert.is_nil(optional(NAME))
    package.preload[NAME] = function() return "there" end
    assert.equal("there", optional(NAME))
  end)

  -- Whoever took these for its absence would tell a user to install what is installed.
  local causes = { ["memory is short"] = "not enough memory", ["Ctrl-C is pressed"] = "x.lua:1: interrupted!",
    ["something else is raised"] = {} }
  for what, raised in pairs(causes) do
    it("is not said to be missing where " .. what .. " while it loads, and is tried afresh the next time", function()
      package.preload[NAME] = function() error(raised, 0) end
      local ok, told = pcall(optional, NAME)
      assert.is_false(ok)
      if type(raised) == "table" then assert.equal(raised, told) else assert.matches(raised, told, 1, true) end
      package.preload[NAME] = function() return "there" end
      assert.equal("there", optional(NAME))
    end)
  end
end)
