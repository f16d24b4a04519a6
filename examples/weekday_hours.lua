-- SPDX-License-Identifier: MIT
-- Weekday hours for every agent: people answer from Monday to Friday, each agent in its own timezone.
--
--     lua5.4 examples/weekday_hours.lua agents.lua
--
-- agents.lua says who the agents are: return { { name = "shop-uk", token = "eyJ…" }, … }
-- HANDOFF_BASE_URL says where the API is when it is not the vendor's: a sandbox on this machine, for one.

local handoff = require "handoff"

if not arg[1] then
  io.stderr:write "usage: lua5.4 weekday_hours.lua agents.lua\n"
  os.exit(64)
end
local agents = dofile(arg[1])

local function edit(cfg)
  -- The slots are replaced as a whole. Day and time are checked here and now: "25:00" would raise, and so would "mon".
  cfg.availability = {
    { day_span = "monday-thursday", start_time = "09:00", end_time = "17:30" },
    { day_span = "friday", start_time = "09:00", end_time = "16:00" },
  }
  cfg.settings.working_hours_active = true
  -- At most 500 characters, and an é or an emoji counts as one.
  cfg.settings.confirmation_outside_working_hours_message =
    "Our team is here Monday to Thursday 9:00 to 17:30 and Friday 9:00 to 16:00. Leave a message and we write back."
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
