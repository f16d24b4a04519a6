-- SPDX-License-Identifier: MIT
-- Hours as arithmetic: a saturday morning is added to whatever hours each agent has, and lunch taken out of all days.
--
--     lua5.4 examples/hours.lua agents.lua
--
-- agents.lua says who the agents are: return { { name = "shop-uk", token = env "SHOP_UK_TOKEN" }, … }
-- What was there before goes into the history, so that the run can be taken back: see examples/take_back.lua
-- HANDOFF_BASE_URL says where the API is when it is not the vendor's: a sandbox on this machine, for one.

local handoff = require "handoff"

if not arg[1] then
  io.stderr:write "usage: lua5.4 hours.lua agents.lua\n"
  os.exit(64)
end
local fleet = assert(handoff.fleet(arg[1]))

-- Text is read once, here: a slip in it would raise now, with the character's place.
local saturday = handoff.week "sat 10:00-14:00"
local lunch = handoff.week "daily 12:30-13:30"

local function edit(cfg)
  -- A week is a set of minutes. Assigning one writes the fewest slots that say it; slots that stay as they are keep their ids,
  -- and the same hours are no change at all.
  cfg.availability = handoff.week(cfg.availability):add(saturday):subtract(lunch)
end

local run, err = fleet:update(edit, { edit = "hours" })
if not run then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end
print(run:text())

-- What came of it, an agent a line: the hours, how many they are, and until when it is open or closed now.
for _, result in ipairs(fleet:get().results) do
  local cfg = result.value
  if cfg then
    local week = handoff.week(cfg.availability)
    local open, reason = cfg:is_open()
    print(("%s: %s; %g h a week; now %s (%s)"):format(result.agent, tostring(week), week:minutes() / 60,
      open and "open" or "closed", tostring(reason)))
  end
end
os.exit(not run.counts.failed)
