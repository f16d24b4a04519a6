-- SPDX-License-Identifier: MIT
--- A list of predefined items in which the service had sent something else than objects could not be assigned: what was raised
-- was Lua's own "attempt to index a number value".
local handoff = require "handoff"
local document = require "support.document"

describe("a list of predefined items", function()
  it("is held against what is there, whatever that is", function()
    local cfg = assert(handoff.config(document.text { generic_guidelines = '[{"name":"media_message"},0.5]' }))
    local guideline = { name = "media_message", description = "d", is_active = true }
    local function edit() cfg.generic_guidelines = { guideline, guideline } end
    document.refused(cfg, edit, "generic_guidelines", "fixed")
    cfg.generic_guidelines = cfg.generic_guidelines
    assert.same({}, cfg:changes())
  end)
end)
