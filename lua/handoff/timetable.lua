-- SPDX-License-Identifier: MIT
--- The week drawn, as data: what the terminal, a picture and a page are drawn from. Nothing here is read or printed.
-- The week is seven local days, monday first, each of 48 half hours of the clock on the wall, whatever that does: a half hour
-- that is skipped is closed, one that comes twice is open where it is open either time.
-- @module handoff.timetable

--- A week of some agents.
-- @table Timetable
-- @tfield string zone the name of that of coverage and uncovered: the one asked for, or the one that all agents share, or UTC
-- @tfield table[] days seven of `{year, month, day, weekday}`, monday first, whose weekday is 0
-- @tfield integer from the instant at which the week begins in its zone
-- @tfield integer to the instant at which it ends
-- @tfield integer at what "now" is
-- @tfield[opt] integer now the half hour of at in its zone, 1 to 336; nil where that is another week
-- @tfield integer[] coverage 336 counts: the agents that are open at some minute of the half hour
-- @tfield boolean known whether the hours of any agent are known
-- @tfield integer unknown of how many they are not
-- @tfield Span[] uncovered instants, while no agent is open; none where none are known
-- @tfield[opt] string nobody the same as the clock shows it in its zone: "mon-fri 17:30-22:00"; nil where somebody always is
--   there
-- @tfield TimetableRow[] rows an agent each, in the order given

--- An agent's week.
-- @table TimetableRow
-- @tfield string agent its name
-- @tfield[opt] string zone its own or the one asked for; nil where it has none
-- @tfield[opt] string own_zone its own
-- @tfield "hours"|"always"|"off"|"unknown" state always: working hours are off; off: handoff is off; unknown: no zone to read
--   its hours in
-- @tfield[opt] string note one line that says so; nil of "hours" that are right
-- @tfield string text the hours in its own zone, "mon-fri 09:00-17:30", "closed", "24/7"; if off, those it would have
-- @tfield[opt] integer minutes that it is open in a week, 0 where off; nil where unknown
-- @tfield integer[] cells 336, the minutes of each half hour that it is open, 0 to 30, all 0 where off or unknown
-- @tfield[opt] integer now the half hour of the timetable's at
-- @tfield[opt] boolean open whether it is open then; nil: unknown
-- @tfield[opt] integer next when that changes next
-- @tfield Span[] spans the instants between which it is open that week, rising
-- @tfield Span[] bars the same as the clock shows them, seconds since monday 00:00; an hour that comes twice is there once
-- @tfield Week wall the minutes that it is open as the clock shows them that week
-- @tfield[opt] string gaps the hours that it is closed for less than GAP minutes between two spans
-- @tfield[opt] string overlaps the hours that more than one slot has
-- @tfield table[] shifts `{at, by}`, an instant and seconds: the changes of the clock that week in its zone
local core = require "handoff.core"
local hours = require "handoff.hours"
local options = require "handoff.options"
local time = require "handoff.time"

core.error.home(debug.getinfo(1, "S").source)

local floor, max, min = math.floor, math.max, math.min

local timetable = {}

local DAY, WEEK, CELL = 86400, 7 * 86400, 1800 -- seconds
local CELLS = 336
--- Minutes: closed for less is a break, for more a night.
-- @tfield integer GAP
timetable.GAP = 6 * 60

-- ---- a week in a zone -----------------------------------------------------------------------------------------------------

-- The local midnight of the monday before an instant, as the seconds that UTC would give it.
local function monday_of(zone, epoch)
  local here = zone:local_time(epoch)
  return floor((epoch + here.offset) / DAY) * DAY - here.weekday * DAY
end

-- The stretches of one offset that the seven days from `monday` (see monday_of) on are made of: a list of { from=, to=, offset= }
-- in instants; and the changes of the clock between them.
local function pieces_of(zone, monday)
  local pieces, shifts = {}, {}
  -- no zone is further from UTC than a day
  for at, stop, offset in time.stretches(zone, monday - DAY, monday + WEEK + DAY) do
    local from = max(at, monday - offset)
    local till = min(stop, monday + WEEK - offset)
    if from < till then
      local last = pieces[#pieces]
      if last and last.offset ~= offset then shifts[#shifts + 1] = { at = from, by = offset - last.offset } end
      pieces[#pieces + 1] = { from = from, to = till, offset = offset }
    end
  end
  return pieces, shifts
end

local Week = {}
Week.__index = Week

local function new_week(zone, monday)
  local pieces, shifts = pieces_of(zone, monday)
  return setmetatable({
    zone = zone, monday = monday, pieces = pieces, shifts = shifts, from = pieces[1].from, to = pieces[#pieces].to,
  }, Week)
end

-- The half hour in which the instant is, or nil where it is in another week.
function Week:cell(epoch)
  local since = epoch + self.zone:offset(epoch) - self.monday
  return since >= 0 and since < WEEK and floor(since / CELL) + 1 or nil
end

-- Spans, those that overlap or touch as one, rising.
local function joined(spans)
  local list = {}
  table.sort(spans, function(a, b) return a.from < b.from end)
  for _, span in ipairs(spans) do
    local last = list[#list]
    if last and span.from <= last.to then
      last.to = max(last.to, span.to)
    else
      list[#list + 1] = { from = span.from, to = span.to }
    end
  end
  return list
end

-- What of the spans is between two instants.
local function clipped(spans, from, to)
  local list = {}
  for _, span in ipairs(spans) do
    local one = { from = max(span.from, from), to = min(span.to, to) }
    if one.from < one.to then list[#list + 1] = one end
  end
  return list
end

-- The spans as the clock shows them, seconds since monday 00:00; an hour that comes twice is there once.
function Week:on_wall(spans)
  local list = {}
  for _, piece in ipairs(self.pieces) do
    local shift = piece.offset - self.monday
    for _, span in ipairs(clipped(spans, piece.from, piece.to)) do
      list[#list + 1] = { from = span.from + shift, to = span.to + shift }
    end
  end
  return joined(list)
end

-- The minutes that the spans (see on_wall) have of each half hour.
local function cells_of(wall)
  local cells = {}
  for i = 1, CELLS do cells[i] = 0 end
  for _, span in ipairs(wall) do
    for i = floor(span.from / CELL), floor((span.to - 1) / CELL) do
      cells[i + 1] = cells[i + 1] + floor((min(span.to, (i + 1) * CELL) - max(span.from, i * CELL)) / 60)
    end
  end
  return cells
end

-- A week of spans on the wall: a minute that is open for a part of it is open.
local function week_on(wall)
  local spans = {}
  for i, span in ipairs(wall) do spans[i] = { from = floor(span.from / 60), to = -floor(-span.to / 60) } end
  return core.week.of(spans)
end

-- ---- an agent -------------------------------------------------------------------------------------------------------------

-- Spans in the fewest words, or nil for none.
local function words_of(spans) return spans[1] and tostring(core.week.of(spans)) or nil end

local notes = { off = "handoff is off: nobody is offered", always = "working hours are off: open at all times" }

local function state_of(reason) return notes[reason] and reason or "hours" end

-- @param seen as of hours.at, or nil
local function describe_hours(row, cfg, seen)
  local week = seen and seen.week or hours.week(cfg)
  row.text = cfg.settings.working_hours_active == true and tostring(week) or "24/7"
  if row.state == "always" then row.minutes = 10080 end
  if row.state ~= "hours" then return end
  row.minutes = week:minutes()
  row.gaps, row.overlaps = words_of(week:gaps(timetable.GAP)), words_of(week:overlaps())
  local broken = seen.broken
  if broken[1] then
    local more = broken[2] and (" (and %d more)"):format(#broken - 1) or ""
    row.note = ("left out, as it is no slot: %s: %s%s"):format(broken[1].path, broken[1].message, more)
  elseif row.minutes == 0 then
    row.note = "never open: working hours are on and have no slot"
  end
end

local function own_zone(cfg)
  local name = cfg.settings.timezone
  return type(name) == "string" and name or nil
end

-- What is known of an agent before anything is drawn.
local function new_row(agent, at)
  local cfg = agent.cfg
  local row = { agent = agent.agent, own_zone = own_zone(cfg), minutes = 0 }
  local seen, err = hours.at(cfg, at)
  if seen then
    row.state, row.open, row.next = state_of(seen.reason), seen.open, seen.next_change
    row.note = notes[seen.reason]
  else
    row.state, row.note, row.minutes = "unknown", ("%s: %s"):format(err.path, err.message), nil
  end
  describe_hours(row, cfg, seen)
  return row
end

-- ---- all of them ----------------------------------------------------------------------------------------------------------

--- Hours of a row as text, with the zone that they are in where the row is drawn in another one: "fri 20:00-04:00 (Asia/Tokyo)".
-- @tparam TimetableRow row
-- @tparam string text
-- @treturn string
function timetable.zoned(row, text)
  local is_other = row.own_zone and row.own_zone ~= row.zone
  return is_other and ("%s (%s)"):format(text, row.own_zone) or text
end

--- The zone in which all of them are told of together: the one that all agents with hours have, or UTC.
-- @tparam table[] agents as new takes them
-- @treturn string its name
function timetable.shared_zone(agents)
  local shared
  for _, agent in ipairs(agents) do
    local settings = agent.cfg.settings
    local zone = settings.is_active == true and settings.working_hours_active == true and own_zone(agent.cfg)
    if zone and shared and shared ~= zone then return "UTC" end
    shared = zone or shared
  end
  return shared and time.zone(shared) and shared or "UTC"
end

-- What is between the spans, from one instant to another.
local function between(spans, from, to)
  local list = {}
  for _, span in ipairs(spans) do
    if from < span.from then list[#list + 1] = { from = from, to = span.from } end
    from = max(from, span.to)
  end
  if from < to then list[#list + 1] = { from = from, to = to } end
  return list
end

local function days_of(monday)
  local days = {}
  for i = 1, 7 do
    local date = os.date("!*t", monday + (i - 1) * DAY)
    days[i] = { year = date.year, month = date.month, day = date.day, weekday = i - 1 }
  end
  return days
end

-- Fills in what is drawn of an agent, in a week, and what it adds to the coverage. All weeks have the same monday on the wall.
local function draw(row, cfg, week, t, whole)
  local spans = row.state == "unknown" and {} or hours.spans(cfg, whole.monday - DAY,
    whole.monday + WEEK + DAY) or {}
  row.spans, row.bars = clipped(spans, week.from, week.to), week:on_wall(spans)
  row.cells, row.wall = cells_of(row.bars), week_on(row.bars)
  row.now, row.shifts = week:cell(t.at), week.shifts
  local counted = week == whole and row.cells or cells_of(whole:on_wall(spans))
  for i = 1, CELLS do
    if counted[i] > 0 then t.coverage[i] = t.coverage[i] + 1 end
  end
  for _, span in ipairs(clipped(spans, whole.from, whole.to)) do t.open[#t.open + 1] = span end
end

local function finish(t, week)
  t.unknown = 0
  for _, row in ipairs(t.rows) do t.unknown = t.unknown + (row.state == "unknown" and 1 or 0) end
  t.known = t.unknown < #t.rows
  t.uncovered = t.known and between(joined(t.open), week.from, week.to) or {}
  t.nobody = t.uncovered[1] and tostring(week_on(week:on_wall(t.uncovered))) or nil
  t.open = nil
  return t
end

local LATEST = 8000000000 -- the year 2223: the days around it are instants of handoff.zone's, too

local rows_of_options = {
  agents = { "table", default = {} }, zone = { "string" }, at = { "number", min = 0, max = LATEST },
  week_of = { "number", min = 0, max = LATEST },
}

-- The week of a zone, made once; where there is no such zone, whose name then decides nothing, the one of them all.
local function week_in(weeks, name, whole)
  if not weeks[name] then
    local zone = time.zone(name)
    weeks[name] = zone and new_week(zone, whole.monday) or whole
  end
  return weeks[name]
end

--- Draws a week.
-- @tparam[opt] table opts
-- @tparam[opt] table[] opts.agents `{agent, cfg}`, a name and a configuration
-- @tparam[opt] string opts.zone the name of the zone to draw all of them in; by default each in its own
-- @tparam[opt] integer opts.at the instant that is now; by default the clock's
-- @tparam[opt] integer opts.week_of an instant of the week to draw; by default at
-- @treturn ?Timetable nil where there is no zone of that name
-- @treturn ?Error err
function timetable.new(opts)
  local o = options.read(opts, rows_of_options, "handoff.timetable")
  local at, rows = o.at or os.time(), {}
  for i, agent in ipairs(o.agents) do rows[i] = new_row(agent, at) end
  local name = o.zone or timetable.shared_zone(o.agents)
  local zone, err = time.zone(name)
  if not zone then return nil, err end
  local whole = new_week(zone, monday_of(zone, o.week_of or at))
  local weeks = { [name] = whole }
  local t = {
    zone = name, days = days_of(whole.monday), from = whole.from, to = whole.to, at = at, now = whole:cell(at),
    rows = rows, coverage = {}, open = {},
  }
  for i = 1, CELLS do t.coverage[i] = 0 end
  for i, row in ipairs(rows) do
    row.zone = o.zone or row.own_zone
    local week = week_in(weeks, row.state ~= "unknown" and row.zone or name, whole)
    draw(row, o.agents[i].cfg, week, t, whole)
  end
  return finish(t, whole)
end

return timetable
