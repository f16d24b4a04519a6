-- SPDX-License-Identifier: MIT
-- Questions about money go to the people who can answer them: a routing profile "Billing" with two operators, for every agent
-- whose handoff is on.
--
--     lua5.4 examples/route_billing.lua agents.lua
--
-- agents.lua says who the agents are: return { { name = "shop-uk", token = "eyJ…" }, … }
-- HANDOFF_BASE_URL says where the API is when it is not the vendor's: a sandbox on this machine, for one.

local handoff = require "handoff"

local agents = dofile(arg[1] or error("usage: lua5.4 route_billing.lua agents.lua", 0))

local function edit(cfg)
  -- An edit is plain Lua and may look before it acts. Returning without a change means that nothing is written.
  if not cfg.settings.is_active then return end

  cfg.routing_profiles:upsert {
    name = "Billing",
    description = "Invoices, payments, refunds, a card that was declined, a change of the billing address.",
    is_active = true,
    user_ids = { 7, 8 }, -- the operators' ids, from the vendor's dashboard
  }

  -- settings.topic_based_routing_active is not set: the server derives it from the profiles, and assigning it would raise.
end

local failed = 0
for _, agent in ipairs(agents) do
  local client = handoff.client { name = agent.name, token = agent.token }
  local outcome, err = client:update(edit)
  if outcome then
    print(("%s: %s"):format(agent.name, outcome.status))
    for _, warning in ipairs(outcome.warnings) do print("  warning: " .. warning.message) end
  else
    failed = failed + 1
    io.stderr:write(tostring(err), "\n")
  end
end
os.exit(failed == 0)
