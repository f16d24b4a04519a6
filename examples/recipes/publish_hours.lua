-- SPDX-License-Identifier: MIT
-- The week of every agent, for a wall, a wiki and people's calendars: who is there when, and when nobody is. No agent is written
-- to.
--
--     lua5.4 examples/recipes/publish_hours.lua agents.lua /srv/www/hours
--
-- The folder, which is there already, gets hours.html, a page of its own, hours.svg, the same as a picture, and hours.ics, a
-- calendar to subscribe to. A new file is its owner's alone; one that is there keeps its mode: let the web server read it once.

local handoff = require "handoff"
local page = require "handoff.page"
local timetable = require "handoff.timetable"

if not arg[2] then
  io.stderr:write "usage: lua5.4 publish_hours.lua agents.lua FOLDER\n"
  os.exit(64)
end
local run = assert(handoff.fleet(arg[1])):get()

local agents = {}
for _, result in ipairs(run.results) do
  if result.value then agents[#agents + 1] = { agent = result.agent, cfg = result.value } end
end
local week = assert(timetable.new { agents = agents }) -- each in its own timezone; zone = "Europe/London": all in that
for _, kind in ipairs { "html", "svg", "ics" } do
  assert(page.save(kind, week, ("%s/hours.%s"):format(arg[2], kind)))
end

print(("%s: %d agents"):format(arg[2], #agents))
print(week.nobody and ("nobody is there (%s): %s"):format(week.zone, week.nobody) or "somebody is always there")
-- An agent that could not be read is missing from the page: that must not go unseen.
if run.counts.failed then io.stderr:write(run:text(), "\n") end
os.exit(not run.counts.failed)
