-- SPDX-License-Identifier: MIT
--- json.array gave a configuration's list the mark for a metatable: later edits of the list raised nothing and were lost.
local handoff = require "handoff"
local document = require "support.document"

describe("json.array", function()
  it("refuses what has a metatable of its own, and leaves it as it is", function()
    local cfg = assert(handoff.config(document.text()))
    local marked = handoff.json.array {}
    assert.equal(marked, handoff.json.array(marked))
    assert.is_false(pcall(handoff.json.array, cfg.custom_guidelines))
    assert.is_false(pcall(handoff.json.array, setmetatable({}, {})))
    cfg.custom_guidelines:add { name = "New", description = "It is new.", is_active = true }
    assert.is_false(pcall(function() cfg.custom_guidelines[1] = "no guideline" end))
    assert.equal(1, #cfg:changes())
  end)
end)
