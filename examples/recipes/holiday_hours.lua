-- SPDX-License-Identifier: MIT
-- Holiday hours, and back again afterwards: on the first day of a holiday agents get its hours; the day after its last one that
-- is taken back, where nobody did so by hand, and what others edited meanwhile stays. From cron, every night or every hour:
--
--     lua5.4 examples/recipes/holiday_hours.lua agents.lua holidays.txt [today]
--
-- holidays.txt has a holiday a line, first day, last day and hours; they do not overlap:
--
--     2026-12-24 2026-12-26 closed
--     2026-12-31 2026-12-31 daily 09:00-13:00
--
-- Days are those of this machine's clock. The history knows what was done: a run that failed for some agents, or was killed, is
-- gone on with the next time, and agents that are new in the inventory get the holiday's hours, too. A line stays until the day
-- after; its last day may change at any time. Where it goes or gets another first day or other hours while agents have its hours,
-- the run to take back is named, and nothing new is given until that is done.

local handoff = require "handoff"

if not arg[2] then
  io.stderr:write "usage: lua5.4 holiday_hours.lua agents.lua holidays.txt [YYYY-MM-DD]\n"
  os.exit(64)
end
local today = arg[3] or os.date "%Y-%m-%d"
assert(today:find "^%d%d%d%d%-%d%d%-%d%d$", "today is a date, such as 2026-12-24")
local fleet = assert(handoff.fleet(arg[1]))

local over, in_force, named = {}, {}, {}
for line in io.lines(arg[2]) do
  local first, last, hours = line:match "^(%d%d%d%d%-%d%d%-%d%d) (%d%d%d%d%-%d%d%-%d%d) (.+)$"
  assert(hours and first <= last or not line:find "%S",
    arg[2] .. ": a line of first day, last day and hours expected: " .. line)
  local week = hours and handoff.week(hours)
  local holiday = week and { name = ("holiday %s: %s"):format(first, tostring(week)), week = week }
  if holiday then named[holiday.name] = true end
  if holiday and last < today then
    over[#over + 1] = holiday
  elseif holiday and first <= today then
    in_force[#in_force + 1] = holiday
  end
end

local history, ok = assert(handoff.history()), true
local function runs(holiday) return assert(history:runs { edit = holiday.name, kind = "update" }) end
local function report(run, err)
  if run then print(run:text()) else io.stderr:write(tostring(err), "\n") end
  ok = ok and run ~= nil and not (run.counts.failed or run.stopped)
end

local keys = {} -- who an agent is, as the history has it: names come to stand for others, in a rehearsal, say
for _, one in ipairs(assert(fleet:identities())) do keys[one.name] = one.key end
local function among(set) return fleet:select(function(agent) return set[agent.name] end) end
local function take_back(run)
  for _, part in ipairs(assert(run:remaining())) do
    local some = among(part.agents)
    local there = some:agents()[1] ~= nil -- they may be of another inventory
    if there and part.undo then report(some:resume(part.undo)) end
    if there and not part.undo then report(some:undo(run.id)) end
  end
end
local function is_in_force(run)
  for _, part in ipairs(assert(run:remaining())) do
    for agent, entry in pairs(part.agents) do
      if entry.key == keys[agent] then return true end
    end
  end
end
local done = { changed = true, unchanged = true, skipped = true }
-- To whom a holiday was given, once, stays with what became of it.
local function give(holiday)
  local function edit(cfg)
    cfg.settings.working_hours_active = true
    cfg.availability = holiday.week
  end
  local new = {}
  for _, agent in ipairs(fleet:agents()) do new[agent.name] = true end
  for _, run in ipairs(runs(holiday)) do
    local given, open = {}, run.state == "interrupted"
    for agent, entry in assert(run:entries()) do
      if entry.key == keys[agent] then
        open = open or new[agent] and not done[entry.status]
        given[agent], new[agent] = new[agent], nil
      end
    end
    local some = among(given)
    if open and some:agents()[1] then report(some:resume(run.id, edit)) end
  end
  local rest = among(new)
  if rest:agents()[1] then report(rest:update(edit, { edit = holiday.name })) end
end

for _, holiday in ipairs(over) do
  for _, run in ipairs(runs(holiday)) do take_back(run) end
end
local stale = false
for _, run in ipairs(assert(history:runs { kind = "update", limit = 10000 })) do
  if (run.edit or ""):find "^holiday %d%d%d%d%-" and not named[run.edit] and is_in_force(run) then
    io.stderr:write(("%s: %s has no such line any more, and agents still have its hours; put the line back, or take "
      .. "them back: handoff undo %d\n"):format(run.edit, arg[2], run.id))
    stale = true
  end
end
for _, holiday in ipairs(stale and {} or in_force) do give(holiday) end
history:close()
os.exit(ok and not stale)
