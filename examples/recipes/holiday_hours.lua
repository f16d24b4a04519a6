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
-- gone on with the next time.

local handoff = require "handoff"

if not arg[2] then
  io.stderr:write "usage: lua5.4 holiday_hours.lua agents.lua holidays.txt [YYYY-MM-DD]\n"
  os.exit(64)
end
local today = arg[3] or os.date "%Y-%m-%d"
assert(today:find "^%d%d%d%d%-%d%d%-%d%d$", "today is a date, such as 2026-12-24")
local fleet = assert(handoff.fleet(arg[1]))

local over, in_force = {}, {}
for line in io.lines(arg[2]) do
  local first, last, hours = line:match "^(%d%d%d%d%-%d%d%-%d%d) (%d%d%d%d%-%d%d%-%d%d) (.+)$"
  assert(hours and first <= last or not line:find "%S",
    arg[2] .. ": a line of first day, last day and hours expected: " .. line)
  local holiday = hours and { name = "holiday " .. first, week = handoff.week(hours) }
  if holiday and last < today then
    over[#over + 1] = holiday
  elseif holiday and first <= today then
    in_force[#in_force + 1] = holiday
  end
end

local history, ok = assert(handoff.history()), true
local function newest(holiday)
  return assert(history:runs { edit = holiday.name, kind = "update", limit = 1 })[1]
end
local function report(run, err)
  if run then print(run:text()) else io.stderr:write(tostring(err), "\n") end
  ok = ok and run ~= nil and not (run.counts.failed or run.stopped)
end

local wrote = { changed = true, writing = true, unknown = true, unverified = true } -- or may have
local done = { changed = true, unchanged = true, skipped = true }
local function among(set) return fleet:select(function(agent) return set[agent.name] end) end
local function take_back(run)
  local left = {}
  for agent, entry in assert(run:entries()) do left[agent] = wrote[entry.status] end
  for _, back in ipairs(assert(history:runs { of = run.id })) do -- of some agents only, where that was by hand
    local open = {}
    for agent, entry in assert(back:entries()) do
      open[agent], left[agent] = left[agent] and not done[entry.status], nil
    end
    local rest = among(open)
    if rest:agents()[1] then report(rest:resume(back.id)) end
  end
  local rest = among(left)
  if rest:agents()[1] then report(rest:undo(run.id)) end
end

for _, holiday in ipairs(over) do
  local run = newest(holiday)
  if run then take_back(run) end
end
for _, holiday in ipairs(in_force) do
  local function edit(cfg)
    cfg.settings.working_hours_active = true
    cfg.availability = holiday.week
  end
  local run = newest(holiday)
  if run and not run:complete() then report(fleet:resume(run.id, edit)) end
  if not run then report(fleet:update(edit, { edit = holiday.name })) end
end
history:close()
os.exit(ok)
