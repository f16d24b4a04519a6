-- SPDX-License-Identifier: MIT
--- What a script raised in a function of its own, while it was loaded, was told with "\\n" between the places.
local command = require "support.command"

describe("a script that raises while it is loaded", function()
  local box
  setup(function()
    box = command.sandbox(1)
    box:write("raises.lua", "local function f() error 'oops' end\nf()\n")
  end)
  teardown(function() box:stop() end)

  it("is told on one line, with the places", function()
    local places = "raises.lua:1: oops (raises.lua:1: in 'f', raises.lua:2: in the file)\n"
    assert.equal("handoff plan: " .. places, box:run("plan raises.lua").err)
    assert.equal("handoff test: " .. places, box:run("test raises.lua").err)
  end)
end)
