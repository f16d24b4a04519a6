-- SPDX-License-Identifier: MIT
--- What turns the direction of a line stood in a change as it is: one name could pass for another in the plan that is agreed to.
local change = require "handoff.change"
local path = require "handoff.path"

local TURN, ISOLATE = "\226\128\174", "\226\129\167"

describe("a text with characters that turn the direction of a line", function()
  local before = { settings = { question_message = "Hi" }, custom_guidelines = {} }
  local after = {
    settings = { question_message = "Hi" .. TURN },
    custom_guidelines = { { name = "a" .. ISOLATE .. "b", description = "", is_active = true } },
  }

  it("is escaped in a change, whose path leads to the same place", function()
    local changes = change.diff(before, after)
    assert.equal([[~ settings.question_message: "Hi" → "Hi\u202e"]], tostring(changes[1]))
    assert.equal('custom_guidelines["a\\u2067b"]', changes[2].path)
    assert.equal("a" .. ISOLATE .. "b", path.values(path.parse(changes[2].path), after)[1].value.name)
  end)
end)
