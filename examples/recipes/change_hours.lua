-- SPDX-License-Identifier: MIT
-- Hours as arithmetic: a saturday morning is added to whatever hours each agent has, and lunch taken out of all days.
--
--     handoff apply examples/recipes/change_hours.lua --select region=eu
--
-- `handoff hours` draws what came of it.

local handoff = require "handoff"

-- Text is read once, here: a slip in it raises now, with the character's place.
local saturday = handoff.week "sat 10:00-14:00"
local lunch = handoff.week "daily 12:30-13:30"

return function(cfg)
  -- A week is a set of minutes. Assigning one writes the fewest slots that say it; slots that stay as they are keep their ids,
  -- and the same hours are no change at all.
  cfg.availability = handoff.week(cfg.availability):add(saturday):subtract(lunch)
end
