-- SPDX-License-Identifier: MIT
-- One more reason for a handoff, everywhere: each agent gets the custom guideline "Refund over 500", or has it brought up to
-- date where it is there already.
--
--     lua5.4 examples/add_guideline.lua agents.lua
--
-- agents.lua says who the agents are: return { { name = "shop-uk", token = "eyJ…" }, … }
-- HANDOFF_BASE_URL says where the API is when it is not the vendor's: a sandbox on this machine, for one.

local handoff = require "handoff"

local agents = dofile(arg[1] or error("usage: lua5.4 add_guideline.lua agents.lua", 0))

local function edit(cfg)
  -- `upsert` finds the guideline by its name. Found, its fields are set and its id stays; not found, it is added and the
  -- server gives it an id. So running this twice adds nothing twice. The other guidelines go back exactly as they came.
  cfg.custom_guidelines:upsert {
    name = "Refund over 500",
    description = "The visitor asks for a refund of more than 500 EUR, or says that a promised refund has not arrived.",
    is_active = true,
  }
end

local failed = 0
for _, agent in ipairs(agents) do
  local client = handoff.client { name = agent.name, token = agent.token }
  local outcome, err = client:update(edit)
  if outcome then
    print(("%s: %s, %d changes"):format(agent.name, outcome.status, #outcome.changes))
  else
    failed = failed + 1
    io.stderr:write(tostring(err), "\n")
  end
end
os.exit(failed == 0)
