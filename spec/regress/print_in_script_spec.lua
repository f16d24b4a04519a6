-- SPDX-License-Identifier: MIT
--- What an edit printed stood between the lines of JSON on standard output.
local command = require "support.command"

describe("a script that prints", function()
  local box
  setup(function()
    box = command.sandbox(1)
    box:write("edit.lua", "return function(cfg, agent) print('looking at', agent.name, nil) end\n")
    box:write("policy.lua", "it('holds', function(agent) print(agent.name) end)\n")
  end)
  teardown(function() box:stop() end)

  it("does so on standard error, beside the data", function()
    local name = box.box.agents[1].name
    local ran = box:run "plan edit.lua --json"
    assert.equal(("looking at\t%s\tnil\n"):format(name), ran.err)
    assert.equal(2, select(2, ran.out:gsub("{[^\n]*}\n", "")))
    ran = box:run "test policy.lua --format tap"
    assert.equal(name .. "\n", ran.err)
    assert.matches("^TAP version 13\n1%.%.1\nok 1 ", ran.out)
  end)
end)
