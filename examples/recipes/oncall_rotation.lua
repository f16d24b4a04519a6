-- SPDX-License-Identifier: MIT
-- On-call: the profile "Urgent" of every agent notifies one operator, another one each week, in turn. From cron, monday morning,
-- or every night: it changes nothing while the week lasts.
--
--     ONCALL='7 8 12' handoff apply examples/recipes/oncall_rotation.lua --yes
--
-- ONCALL has the operators' ids, from the vendor's dashboard. TODAY=2027-03-20 beside it shows whose turn it will be, with
-- `handoff plan` in place of `handoff apply`. Agents without such a profile stay as they are.

local time = require "handoff.time"

local operators = {}
for id in (os.getenv "ONCALL" or ""):gmatch "%d+" do operators[#operators + 1] = tonumber(id) end
if #operators == 0 then error("ONCALL has the operators' ids: ONCALL='7 8 12' handoff apply …", 0) end

local WEEK, FIRST_MONDAY = 7 * 24 * 3600, 4 * 24 * 3600 -- 1970 began on a thursday
local now = assert(time.read((os.getenv "TODAY" or os.date "!%Y-%m-%d") .. "T12:00Z"))
local turn = math.floor((now - FIRST_MONDAY) / WEEK) % #operators + 1

return function(cfg)
  local urgent = cfg.routing_profiles:find { name = "Urgent" }
  if urgent then urgent.user_ids = { operators[turn] } end
end
