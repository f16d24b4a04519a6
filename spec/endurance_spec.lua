-- SPDX-License-Identifier: MIT
--- A few rounds of what `make test-endurance` does for an hour.
local faults = require "handoff.sandbox.faults"
local rounds = require "endurance.rounds"
local rules = require "endurance.rules"

describe("edits over a fleet while every fault comes by chance", function()
  it("are there exactly once where they were told as made, and both books agree", function()
    local running = rounds.start { agents = 20, part = 12, seed = 1, faults = 0.2, timeout = 0.3 }
    local ok, err = pcall(function()
      for i = 1, 6 do running:next(i % 3 == 0 and "undo" or "update", i % 2 == 0) end
      local figures = running:conclude()
      assert.truthy(figures.found > 50 and figures.bytes > 100000)
    end)
    running:close()
    if not ok then error(err, 0) end
    assert.same({}, running.failures)
    assert.truthy(running.counts.undo == 2 and running.counts.faults > 20)
  end)

  it("meet every fault that there is", function()
    local used = {}
    for _, rule in ipairs(rules.at_random(0.2, true)) do used[rule.fault] = true end
    for name in faults.describe():gmatch "  (%S+) [^\n]*\n" do assert.truthy(used[name], name) end
  end)
end)
