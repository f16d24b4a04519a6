-- SPDX-License-Identifier: MIT
-- One team answers for agents in all the world: each gets the team's hours as the clocks of its own zone show them. Clocks are
-- put forward and back on other days in Berlin than in New York, so those hours change some times a year: run it every night.
--
--     handoff apply examples/recipes/follow_the_team.lua --yes
--
-- TODAY=2027-03-20 in its environment shows what a day will bring, with `handoff plan` in place of `handoff apply`.
-- It puts these hours back whoever set others: leave it out while holiday_hours.lua has its own.

local handoff = require "handoff"
local time = require "handoff.time"

local TEAM = { zone = "Europe/Berlin", hours = handoff.week "mon-fri 09:00-17:30" }

local noon = assert(time.read((os.getenv "TODAY" or os.date "!%Y-%m-%d") .. "T12:00Z"))

-- Minutes that clocks there are ahead of UTC.
local function ahead(zone) return assert(time.zone(zone)):offset(noon) / 60 end

return function(cfg)
  local zone = cfg.settings.timezone
  if type(zone) ~= "string" then return nil, "it has no zone; set settings.timezone" end
  cfg.availability = TEAM.hours:shift(ahead(zone) - ahead(TEAM.zone))
end
