-- SPDX-License-Identifier: MIT
-- Weekday hours for every agent: people answer from Monday to Friday, each agent in its own timezone.
--
--     lua5.4 examples/recipes/weekday_hours.lua agents.lua
--
-- agents.lua says who the agents are: return { { name = "shop-uk", token = env "SHOP_UK_TOKEN" }, … }
-- What was there before goes into the history, so that the run can be taken back: see take_back.lua.
-- HANDOFF_BASE_URL says where the API is when it is not the vendor's: a sandbox on this machine, for one.

local handoff = require "handoff"

if not arg[1] then
  io.stderr:write "usage: lua5.4 weekday_hours.lua agents.lua\n"
  os.exit(64)
end
local fleet = assert(handoff.fleet(arg[1]))

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

-- Many agents at once. One agent's failure, or the edit's on one agent, does not keep the others from theirs.
local run, err = fleet:update(edit, { edit = "weekday_hours" })
if not run then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end
print(run:text())
os.exit(not (run.counts.failed or run.stopped))
