-- SPDX-License-Identifier: MIT
-- Questions about money go to the people who can answer them: a routing profile "Billing" with two operators, for every agent
-- whose handoff is on.
--
--     lua5.4 examples/route_billing.lua agents.lua
--
-- agents.lua says who the agents are: return { { name = "shop-uk", token = env "SHOP_UK_TOKEN" }, … }
-- What was there before goes into the history, so that the run can be taken back: see examples/take_back.lua
-- HANDOFF_BASE_URL says where the API is when it is not the vendor's: a sandbox on this machine, for one.

local handoff = require "handoff"

if not arg[1] then
  io.stderr:write "usage: lua5.4 route_billing.lua agents.lua\n"
  os.exit(64)
end
local fleet = assert(handoff.fleet(arg[1]))

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

-- Many agents at once. One agent's failure, or the edit's on one agent, does not keep the others from theirs.
local run, err = fleet:update(edit, { edit = "route_billing" })
if not run then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end
print(run:text())
os.exit(not run.counts.failed)
