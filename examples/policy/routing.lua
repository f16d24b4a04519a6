-- SPDX-License-Identifier: MIT
-- Who is told. The operators are those of examples/recipes/route_billing.lua.

describe("questions about money", function()
  it("go to the two who can answer them, and to nobody else", function(agent)
    if not agent.config.settings.is_active then return end
    expect(agent):routes("Billing", { 7, 8 })
  end)
end)

describe("everything else", function()
  it("goes to the desk", function(agent)
    if not agent.config.settings.is_active then return end
    expect(agent):notifies { emails = { "desk@" .. agent.name .. ".example", "lead@" .. agent.name .. ".example" } }
  end)
end)
