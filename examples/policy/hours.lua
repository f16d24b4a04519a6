-- SPDX-License-Identifier: MIT
-- When people are there. A policy holds agents against what is expected of them:
--
--     handoff test examples/policy                          what agents have now
--     handoff test examples/policy --from config            what files would give them
--     handoff apply edit.lua --test examples/policy         an edit is only written where these pass on what it would write
--
-- A policy is plain Lua, as for busted. Each test runs once for every agent that it is for.

local handoff = require "handoff"

describe("where handoff is on", function()
  for _, day in ipairs { "mon", "tue", "wed", "thu", "fri" } do
    it("somebody is there on " .. day .. " at 11:00", function(agent)
      if not agent.config.settings.is_active then return end
      expect(agent):open_at(day .. " 11:00") -- in the agent's own timezone
    end)
  end

  it("people are there for at least 20 hours a week", function(agent)
    local settings = agent.config.settings
    if not (settings.is_active and settings.working_hours_active) then return end
    expect(handoff.week(agent.config.availability):minutes() / 60):at_least(20)
  end)
end)

-- A selection between name and function, as --select takes it: this is for some agents only.
describe("in Europe", "region=eu", function()
  it("the clocks are those of a place in Europe", function(agent)
    expect(agent.config.settings.timezone):contains "Europe/"
  end)
end)
