-- SPDX-License-Identifier: MIT
-- The week of every agent on one page, for a wall or a wiki: who is there when, and when nobody is. No agent is written to.
--
--     lua5.4 examples/hours_page.lua agents.lua week.html
--
-- agents.lua says who the agents are: return { { name = "shop-uk", token = env "SHOP_UK_TOKEN" }, … }
-- HANDOFF_BASE_URL says where the API is when it is not the vendor's: a sandbox on this machine, for one.

local handoff = require "handoff"
local page = require "handoff.page"
local timetable = require "handoff.timetable"

if not arg[2] then
  io.stderr:write "usage: lua5.4 hours_page.lua agents.lua week.html\n"
  os.exit(64)
end
local run = assert(handoff.fleet(arg[1])):get()

local agents = {}
for _, result in ipairs(run.results) do
  if result.value then agents[#agents + 1] = { agent = result.agent, cfg = result.value } end
end
local week = assert(timetable.new { agents = agents }) -- each in its own timezone; zone = "Europe/London": all in that
assert(page.save("html", week, arg[2])) -- or "svg", a picture, or "ics", a calendar to subscribe to

print(("%s: %d agents"):format(arg[2], #agents))
print(week.nobody and ("nobody is there (%s): %s"):format(week.zone, week.nobody) or "somebody is always there")
-- An agent that could not be read is missing from the page: that must not go unseen.
if run.counts.failed then io.stderr:write(run:text(), "\n") end
os.exit(not run.counts.failed)
