-- SPDX-License-Identifier: MIT
-- Hours by region, from the table that the people who plan them keep: region, timezone, hours.
--
--     HOURS=hours.csv handoff apply examples/recipes/hours_from_csv.lua
--
--     region,timezone,hours
--     eu,Europe/Berlin,mon-fri 09:00-17:30
--     us,America/New_York,"mon-fri 09:00-18:00, sat 10:00-14:00"
--
-- A region is the tag `region` of the inventory; agents of a region that is not in the table stay as they are.

local handoff = require "handoff"

local path = os.getenv "HOURS" or error("HOURS names the table: HOURS=hours.csv handoff apply …", 0)

local regions = {}
for line in io.lines(path) do
  -- The hours come last, and may have commas of their own, in quotes or not.
  local region, zone, hours = line:match '^([^,]+),([^,]+),"?([^"]*)"?%s*$'
  if region ~= "region" and line:find "%S" then
    assert(hours, path .. ": a line of region,timezone,hours expected: " .. line)
    regions[region] = { timezone = zone, week = handoff.week(hours) } -- a slip in the hours raises here
  end
end

return function(cfg, agent)
  local own = regions[agent.tags.region]
  if not own then return end
  cfg.settings.timezone = own.timezone
  cfg.settings.working_hours_active = true
  cfg.availability = own.week
end
