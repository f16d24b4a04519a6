-- SPDX-License-Identifier: MIT
--- Agents with the same changes were told of apart where their items stood in another order.
local handoff = require "handoff"
local digest = require "handoff.digest"
local document = require "support.document"

local slots = {
  { id = 1, day_span = "monday-friday", start_time = "09:00", end_time = "17:30" },
  { id = 2, day_span = "saturday", start_time = "10:00", end_time = "14:00" },
}

local function changes_of(first, second)
  local cfg = document.new { availability = handoff.json.encode { slots[first], slots[second] } }
  cfg.availability = handoff.week "mon-fri 9-17"
  return cfg:changes()
end

describe("a plan", function()
  it("tells the same changes once, whatever the order of the items", function()
    local groups = digest.changes {
      { agent = "a", changes = changes_of(1, 2) }, { agent = "b", changes = changes_of(2, 1) },
    }
    assert.equal(1, #groups)
    assert.same({ "a", "b" }, groups[1].names)
    assert.equal(2, #groups[1].lines)
  end)
end)
