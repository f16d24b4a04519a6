-- SPDX-License-Identifier: MIT
-- Longer hours from April to September, shorter ones in winter. It looks at the date, and changes nothing while the season lasts,
-- so that cron can run it every night:
--
--     handoff apply examples/recipes/seasonal_hours.lua --yes
--
-- TODAY=2027-06-15 in its environment shows what a day will bring, with `handoff plan` in place of `handoff apply`.
-- It puts these hours back whoever set others: leave it out while holiday_hours.lua has its own.

local handoff = require "handoff"

local SUMMER = handoff.week "mon-fri 08:00-20:00, sat 09:00-16:00"
local WINTER = handoff.week "mon-fri 09:00-17:30"

local today = os.getenv "TODAY" or os.date "%Y-%m-%d"
local month = assert(tonumber(today:match "^%d%d%d%d%-(%d%d)%-%d%d$"), "TODAY is a date, such as 2027-06-15")
local hours = month >= 4 and month <= 9 and SUMMER or WINTER

return function(cfg) cfg.availability = hours end
