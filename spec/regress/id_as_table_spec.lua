-- SPDX-License-Identifier: MIT
--- An item whose id the service sent as an object or a list was called by the address of a Lua table: no two texts of one change
-- were the same.
local handoff = require "handoff"
local document = require "support.document"

describe("the path of a change", function()
  it("calls an item by its id, whatever that is", function()
    local items = '[{"id":{"a":[1]},"description":"d"},{"id":"x\\ny","description":"d"}]'
    local cfg = assert(handoff.config(document.text { custom_guidelines = items }))
    for _, item in handoff.each(cfg.custom_guidelines) do item.description = "e" end
    local paths = {}
    for i, change in ipairs(cfg:changes()) do paths[i] = change.path end
    assert.same({ 'custom_guidelines[#{"a": [1]}].description', 'custom_guidelines[#"x\\ny"].description' }, paths)
  end)
end)
