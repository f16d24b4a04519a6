-- SPDX-License-Identifier: MIT
local rollout = require "handoff.fleet.rollout"

describe("a roll-out", function()
  it("reads counts and shares", function()
    assert.equal(12, rollout.amount(12, 200, math.floor, "max"))
    assert.equal(2, rollout.amount("10%", 25, math.floor, "max"))
    assert.equal(3, rollout.amount("10%", 25, math.ceil, "max"))
    assert.equal(0, rollout.amount("0%", 25, math.ceil, "max"))
    assert.equal(25, rollout.amount("100%", 25, math.floor, "max"))
  end)

  for _, wrong in ipairs { -1, 1.5, "12", "101%", "-1%", "ten%", true, 0 / 0, math.huge } do
    it("refuses " .. tostring(wrong), function()
      local ok, err = pcall(rollout.amount, wrong, 25, math.floor, "max_changes")
      assert.is_false(ok)
      assert.equal("max_changes", err.path)
    end)
  end

  it("turns waves into rising counts, without empty ones", function()
    assert.same({ 1, 20, 200 }, rollout.waves({ 1, "10%", "100%" }, 200))
    assert.same({ 1, 3 }, rollout.waves({ 1, "10%", "100%" }, 3))
    assert.same({ 5 }, rollout.waves({ 5, 2 }, 30))
    assert.same({}, rollout.waves({ 1, "100%" }, 0))
    assert.same({ 7 }, rollout.waves({ 1000 }, 7))
  end)

  it("is refused before it begins where its waves hold no agent, or are none", function()
    local function refused(limits)
      local ok, err = pcall(rollout.check, limits, "fleet:update")
      assert.is_false(ok)
      return err.path
    end
    assert.equal("fleet:update: waves", refused { waves = {} })
    assert.equal("fleet:update: waves[2]", refused { waves = { 1, "1O%" } })
    assert.equal("fleet:update: max_failures", refused { max_failures = "ten" })
    rollout.check({ waves = { 1, "100%" }, max_changes = "10%", max_deletions = 0 }, "fleet:update")
  end)

  it("names what it counted and the option that lets exactly that through", function()
    local counts = { agents = 200, changes = 21, deletions = 1 }
    assert.is_nil(rollout.refusal(counts, {}))
    assert.is_nil(rollout.refusal(counts, { max_changes = 21, max_deletions = 1 }))
    local err = rollout.refusal(counts, { max_changes = "10%" })
    assert.equal("limit", err.kind)
    assert.matches("^21 agents would change, at most 20 allowed; .*max_changes=21 lets", tostring(err))
    assert.matches("^1 item would be deleted, at most 0 allowed; .*max_deletions=1 lets",
      tostring(rollout.refusal(counts, { max_deletions = 0 })))
  end)
end)
