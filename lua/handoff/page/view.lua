-- SPDX-License-Identifier: MIT
--- A timetable as a picture and a page show it: minutes of the week to draw, and the words beside them.
local plain = require "handoff.plain"
local schedule = require "handoff.schedule"
local time = require "handoff.time"
local xml = require "handoff.xml"
local zoned = require("handoff.timetable").zoned

local max, min = math.max, math.min

local view = {}

local DAY = 1440 -- minutes
local LEVELS = 5 -- shades of coverage

-- ---- text -----------------------------------------------------------------------------------------------------------------

--- Anybody's text as it may stand in HTML and XML, between tags or quotes.
function view.escape(text) return xml(plain(text)) end

-- ---- instants -------------------------------------------------------------------------------------------------------------

local function zone_of(name) return name and time.zone(name) or assert(time.zone "UTC") end

-- An instant as it is said at another one: "17:30" of the same day, "Mon 09:00" within six days, else with its date.
local function later(zone, at, epoch)
  if epoch - at > 6 * 86400 then return time.text(epoch, zone) end
  local now, here = zone:local_time(at), zone:local_time(epoch)
  local said = time.clock(here.hour * 60 + here.min)
  return here.day == now.day and said or time.days[here.weekday] .. " " .. said
end

-- ---- what is drawn --------------------------------------------------------------------------------------------------------

local function minutes_of(bars)
  local list = {}
  for i, bar in ipairs(bars) do list[i] = { from = bar.from / 60, to = bar.to / 60 } end
  return list
end

-- Minutes of the week, a list a day of minutes of that day.
local function by_day(spans)
  local list = {}
  for day = 1, 7 do
    local start, own = (day - 1) * DAY, {}
    for _, span in ipairs(spans) do
      local from, to = max(span.from - start, 0), min(span.to - start, DAY)
      if from < to then own[#own + 1] = { from = from, to = to } end
    end
    list[day] = own
  end
  return list
end

-- The hours of each day in words. Of an agent that is off, or whose zone is not known, no day is closed by its hours.
local function day_texts(row)
  local list, is_drawn = {}, row.state == "hours" or row.state == "always"
  for day = 1, 7 do list[day] = is_drawn and schedule.day(row.wall, day) or row.state end
  return list
end

local function status(row, zone, at)
  if row.state == "off" or row.state == "unknown" then return row.state, row.state end
  if row.state == "always" then return "open", "always open" end
  local class = row.open and "open" or "closed"
  if not row.next then return class, row.open and "always open" or "never open" end
  return class, class .. " until " .. later(zone, at, row.next)
end

local function facts(row)
  local list = {}
  if row.state == "hours" and row.minutes then list[1] = time.length(row.minutes) .. " a week" end
  if row.state == "off" then list[1] = "were it on" end
  if row.gaps then list[#list + 1] = "closed in between: " .. zoned(row, row.gaps) end
  if row.overlaps then list[#list + 1] = "in more than one slot: " .. zoned(row, row.overlaps) end
  if row.note then list[#list + 1] = row.note end
  return list
end

local function agent(row, t, monday, zone)
  local class, said = status(row, zone, t.at)
  local spans = minutes_of(row.bars)
  return {
    agent = row.agent, zone = row.zone, class = class, status = said, text = zoned(row, row.text),
    facts = facts(row), spans = spans, days = by_day(spans), day_texts = day_texts(row),
    now = row.now and (t.at + zone:offset(t.at) - monday) / 60,
  }
end

-- Stretches of one count, and the shade of each: 1 to LEVELS, 0 for nobody.
local function coverage(t)
  local most, steps = 0, {}
  for _, count in ipairs(t.coverage) do most = max(most, count) end
  for i, count in ipairs(t.coverage) do
    local last = steps[#steps]
    if last and last.count == count then
      last.to = i * 30
    else
      steps[#steps + 1] = {
        from = (i - 1) * 30, to = i * 30, count = count, level = most == 0 and 0 or math.ceil(count / most * LEVELS),
      }
    end
  end
  return { steps = steps, most = most }
end

local function nobody_text(t)
  if not t.known then return "not known" end
  if not t.nobody then return "at no time" end
  return t.unknown > 0 and ("%s; not known of %d"):format(t.nobody, t.unknown) or t.nobody
end

local function count_by(rows)
  local counts = { open = 0, closed = 0, off = 0, unknown = 0 }
  for _, row in ipairs(rows) do counts[row.class] = counts[row.class] + 1 end
  local list = {}
  for _, class in ipairs { "open", "closed", "off", "unknown" } do
    if counts[class] > 0 then list[#list + 1] = counts[class] .. " " .. class end
  end
  return counts, table.concat(list, ", ")
end

--- @param t a timetable
-- @return { heading, week = "week of …", asof = when "now" is, summary = "12 open, 8 closed", zone = the one of all rows or nil,
--   counts by class, days = seven of { name, day, month }, rows, coverage = { steps, most, zone, now }, nobody = text };
--   a row: { agent, zone, class = "open" | "closed" | "off" | "unknown", status, text, facts = list of texts, spans =
--   minutes of the week, days = the same a day, day_texts = the same in words, now = minute of the week or nil }
function view.of(t)
  local zone, rows, same = zone_of(t.zone), {}, t.zone
  local monday = zone_of "UTC":epoch(t.days[1])
  for i, row in ipairs(t.rows) do
    rows[i] = agent(row, t, monday, zone_of(row.zone or t.zone))
    if rows[i].zone and rows[i].zone ~= same then same = nil end
  end
  local counts, summary = count_by(rows)
  local v = {
    heading = #rows == 1 and "Working hours of " .. rows[1].agent or "Working hours",
    week = "Week of " .. time.text(monday):match "^%a+ %d+ %a+ %d+",
    asof = ("%s (%s)"):format(time.text(t.at - t.at % 60, zone), t.zone), counts = counts, summary = summary,
    zone = same, rows = rows, days = {}, coverage = coverage(t),
    nobody = nobody_text(t),
  }
  v.coverage.zone, v.coverage.now = t.zone, t.now and (t.at + zone:offset(t.at) - monday) / 60
  for i, day in ipairs(t.days) do
    v.days[i] = { name = time.days[day.weekday], day = day.day, month = time.months[day.month] }
  end
  return v
end

return view
