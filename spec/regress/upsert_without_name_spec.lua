-- SPDX-License-Identifier: MIT
--- upsert took a name that was nil for "any name", and edited the first item that agreed in the other required fields.
local handoff = require "handoff"
local document = require "support.document"

local function refused(path, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal(path, err.path)
  assert.equal("required", err.rule)
end

describe("upsert without what tells items apart", function()
  it("adds, which says what is missing, and edits no other item", function()
    local cfg = assert(handoff.config(document.text()))
    local upsert = cfg.routing_profiles.upsert
    refused("routing_profiles[3].name", upsert, cfg.routing_profiles, { is_active = true, user_ids = { 99 } })
    refused("custom_guidelines[3].name", upsert, cfg.custom_guidelines, { is_active = true })
    refused("availability[4].start_time", upsert, cfg.availability, { day_span = "saturday", end_time = "14:00" })
    assert.equal(0, #cfg:changes())
    assert.equal(document.text(), cfg:text())
  end)
end)
