-- SPDX-License-Identifier: MIT
-- Questions about money go to the people who can answer them: a routing profile "Billing" with two operators, for every agent
-- whose handoff is on.
--
--     handoff apply examples/recipes/route_billing.lua --test examples/policy/routing.lua

return function(cfg)
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
