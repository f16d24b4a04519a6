-- SPDX-License-Identifier: MIT
--- next gave a script the userdata that a list keeps on Lua 5.4, and getmetatable theirs, open to change for all configurations.
--- That of issues was open, too.
local handoff = require "handoff"
local document = require "support.document"

local tables = not rawget(_G, "jit")

describe("what a list keeps", function()
  it("is out of a script's reach, or shows no metatable", function()
    local cfg = assert(handoff.config(document.text()))
    if not tables then return assert.is_false(pcall(next, cfg.custom_guidelines)) end
    local list, found = cfg.custom_guidelines, 0
    table.insert(list, 1, { name = "New", description = "It is new.", is_active = true })
    for _, value in next, list do
      if type(value) == "userdata" then
        found = found + 1
        assert.equal("handoff configuration", getmetatable(value))
      end
    end
    assert.equal(2, found)
  end)
end)

describe("an issue", function()
  it("shows no metatable: it is that of all issues", function()
    local issue = assert(handoff.config(document.text())):check()[1]
    assert.equal("handoff issue", getmetatable(issue))
    assert.matches("^%a+ [%w_.%[%]]+: .* %[[%a_]+%]$", tostring(issue))
  end)
end)
