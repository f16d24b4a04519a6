-- SPDX-License-Identifier: MIT
-- Agents that all timed out were told one by one, since libcurl's words hold the milliseconds that each took.
local core = require "handoff.core"
local digest = require "handoff.digest"

local function timed_out(agent, milliseconds)
  return { agent = agent, error = core.error.new { kind = "timeout", agent = agent,
    message = ("Operation timed out after %d milliseconds with 0 bytes received"):format(milliseconds) } }
end

describe("errors told once", function()
  it("are one where only the milliseconds of a timeout differ", function()
    local groups = digest.errors { timed_out("a", 8001), timed_out("b", 8000), timed_out("c", 8002) }
    assert.equal(1, #groups)
    assert.same({ "a", "b", "c" }, groups[1].names)
    assert.matches("after 8001 milliseconds", groups[1].message, 1, true)
  end)

  it("stay apart where another number differs", function()
    local function refused(agent, limit)
      return { agent = agent, error = core.error.new { kind = "rejected", message = "at most " .. limit .. " slots" } }
    end
    assert.equal(2, #digest.errors { refused("a", 10), refused("b", 20) })
  end)
end)
