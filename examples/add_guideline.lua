-- SPDX-License-Identifier: MIT
-- One more reason for a handoff, everywhere: each agent gets the custom guideline "Refund over 500", or has it brought up to
-- date where it is there already.
--
--     lua5.4 examples/add_guideline.lua agents.lua
--
-- agents.lua says who the agents are: return { { name = "shop-uk", token = "eyJ…" }, … }
-- HANDOFF_BASE_URL says where the API is when it is not the vendor's: a sandbox on this machine, for one.

local handoff = require "handoff"

if not arg[1] then
  io.stderr:write "usage: lua5.4 add_guideline.lua agents.lua\n"
  os.exit(64)
end
local agents = dofile(arg[1])

local function edit(cfg)
  -- `upsert` finds the guideline by its name. Found, its fields are set and its id stays; not found, it is added and the
  -- server gives it an id. So running this twice adds nothing twice. The other guidelines go back exactly as they came.
  cfg.custom_guidelines:upsert {
    name = "Refund over 500",
    description = "The visitor asks for a refund of more than 500 EUR, or says that a promised refund has not arrived.",
    is_active = true,
  }
end

-- One agent's failure, or the edit's on one agent, does not keep the others from theirs; it shows in the exit status.
local failed = 0
for _, agent in ipairs(agents) do
  local ok, outcome, err = pcall(function()
    local token = assert(agent.token, "no token in the inventory")
    return handoff.client { name = agent.name, token = token }:update(edit)
  end)
  if ok and outcome then
    print(("%s: %s"):format(agent.name, outcome.status))
    for _, change in ipairs(outcome.changes) do print("  " .. tostring(change)) end
    for _, warning in ipairs(outcome.warnings) do print("  " .. tostring(warning)) end
  else
    failed = failed + 1
    io.stderr:write(agent.name, ": ", tostring(ok and err or outcome), "\n")
  end
end
os.exit(failed == 0)
