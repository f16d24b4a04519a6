-- SPDX-License-Identifier: MIT
-- One more reason for a handoff, everywhere: each agent gets the custom guideline "Refund over 500", or has it brought up to
-- date where it is there already.
--
--     lua5.4 examples/add_guideline.lua agents.lua
--
-- agents.lua says who the agents are: return { { name = "shop-uk", token = env "SHOP_UK_TOKEN" }, … }
-- What was there before goes into the history, so that the run can be taken back: see examples/take_back.lua
-- HANDOFF_BASE_URL says where the API is when it is not the vendor's: a sandbox on this machine, for one.

local handoff = require "handoff"

if not arg[1] then
  io.stderr:write "usage: lua5.4 add_guideline.lua agents.lua\n"
  os.exit(64)
end
local fleet = assert(handoff.fleet(arg[1]))

local function edit(cfg)
  -- `upsert` finds the guideline by its name. Found, its fields are set and its id stays; not found, it is added and the
  -- server gives it an id. So running this twice adds nothing twice. The other guidelines go back exactly as they came.
  cfg.custom_guidelines:upsert {
    name = "Refund over 500",
    description = "The visitor asks for a refund of more than 500 EUR, or says that a promised refund has not arrived.",
    is_active = true,
  }
end

-- Many agents at once. One agent's failure, or the edit's on one agent, does not keep the others from theirs.
local run, err = fleet:update(edit, { edit = "add_guideline" })
if not run then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end
print(run:text())
os.exit(not run.counts.failed)
