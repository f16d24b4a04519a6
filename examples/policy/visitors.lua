-- SPDX-License-Identifier: MIT
-- What a visitor meets: asking for a human works, every text says something, and nothing is there by accident.

describe("a visitor", function()
  it("gets a human by asking for one", function(agent)
    local settings = agent.config.settings
    if not settings.is_active then return end
    expect(agent):has "settings.keywords[1]"
    -- Whoever types a keyword, in the middle of a sentence and in capitals.
    expect(agent):hands_over { message = "Hello! " .. settings.keywords[1]:upper() .. ", please." }
  end)

  it("is asked, and told what happens", function(agent)
    local settings = agent.config.settings
    if not settings.is_active then return end
    expect(agent):says "question"
    expect(agent):says "confirmation"
    if settings.working_hours_active then expect(agent):says "outside" end
  end)
end)

describe("the configuration", function()
  -- A service may know more fields than this version: that is no mistake.
  it("means what it says", function(agent) expect(agent):passes_check { "sent_unknown" } end)
end)
