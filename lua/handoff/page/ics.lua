-- SPDX-License-Identifier: MIT
--- Weekly hours as a calendar to subscribe to (RFC 5545): an event for hours that are the same on several days, in the agent's
-- own zone, from the timetable's week on. The same hours in the same week give the same bytes.
local core = require "handoff.core"
local plain = require "handoff.plain"
local time = require "handoff.time"
local vtimezone = require "handoff.page.vtimezone"

local floor, max, min = math.floor, math.max, math.min

local ics = {}

local DAY, WEEK = 86400, 7 * 86400 -- seconds
local HORIZON = 5 * 366 * DAY -- how far on changes of the clock are looked up; whoever subscribes asks again long before
local LINE = 75 -- bytes, without the line's end

local days, wall = vtimezone.days, vtimezone.wall

-- ---- lines ----------------------------------------------------------------------------------------------------------------

-- Longer lines go on in the next one after a blank; no character is cut.
local function fold(line)
  local parts, room = {}, LINE
  while #line > room do
    local cut = room
    while line:find("^[\128-\191]", cut + 1) do cut = cut - 1 end
    parts[#parts + 1], line, room = line:sub(1, cut), line:sub(cut + 1), LINE - 1
  end
  parts[#parts + 1] = line
  return table.concat(parts, "\r\n ")
end

local function text(value) return (plain(value):gsub("[\\;,]", "\\%0")) end

-- ---- hours ----------------------------------------------------------------------------------------------------------------

-- Spans of the week that begin at the same time of day and are as long: a list of { start=, length= (minutes), days = list of
-- 0 to 6 }.
local function alike(spans)
  local list, known = {}, {}
  for _, span in ipairs(spans) do
    local start, length = span.from % 1440, span.to - span.from
    local key = start .. "+" .. length
    if not known[key] then
      known[key] = { start = start, length = length, days = {} }
      list[#list + 1] = known[key]
    end
    table.insert(known[key].days, floor(span.from / 1440))
  end
  return list
end

-- What of the local times from `from` to `to` (as the seconds that UTC would give them) there is: a list of spans of instants.
local function there(zone, from, to)
  local list = {}
  for at, stop, east in time.stretches(zone, from - DAY, to + DAY) do
    local span, last = { from = max(from - east, at), to = min(to - east, stop) }, list[#list]
    if span.from < span.to then
      if last and last.to == span.from then last.to = span.to else list[#list + 1] = span end
    end
  end
  return list
end

-- Whether readers make of a recurrence what there is. To them it begins at the first such local time, and lasts to the second as
-- long as the first recurrence does.
local function is_plain(zone, from, to, spans)
  local first = zone:epoch(vtimezone.date(from))
  return #spans == 1 and spans[1].from == first and spans[1].to == first + to - from
end

-- The recurrences, from the local time `first` on, that a change of the clock disturbs: a list of { from = local, spans = what
-- there is instead }.
local function disturbed(zone, monday, group, first)
  local list, seen, at = {}, {}, monday - WEEK
  local stop = monday + HORIZON
  while true do
    at = zone:next_transition(at)
    if not at or at > stop then return list end
    local this = floor((at + zone:offset(at) - monday) / WEEK)
    for week = max(this - 1, -1), max(this + 1, -1) do
      for _, day in ipairs(group.days) do
        local from = monday + week * WEEK + day * DAY + group.start * 60
        local to = from + group.length * 60
        local spans = there(zone, from, to)
        if from >= first and not seen[from] and not is_plain(zone, from, to, spans) then
          list[#list + 1] = { from = from, spans = spans }
        end
        seen[from] = true
      end
    end
  end
end

-- ---- events ---------------------------------------------------------------------------------------------------------------

local function add(out, ...)
  for _, line in ipairs { ... } do out[#out + 1] = line end
end

local function event(out, row, id, stamp, ...)
  local name = row.agent:gsub("[^%w._-]", function(c) return ("%%%02X"):format(c:byte()) end)
  add(out, "BEGIN:VEVENT", ("UID:%s-%s@handoff"):format(name, id), "DTSTAMP:" .. stamp, ...)
  add(out, "SUMMARY:" .. text(row.agent .. " open"), ("DESCRIPTION:%s"):format(text(row.text .. (row.own_zone
    and (" (%s)"):format(row.own_zone) or ""))), "TRANSP:TRANSPARENT", "END:VEVENT")
end

-- Hours that never end are a day's, every day.
local function whole_days(out, row, monday, stamp)
  event(out, row, "always", stamp, "DTSTART;VALUE=DATE:" .. wall(monday):sub(1, 8), "RRULE:FREQ=DAILY")
end

local function instead(out, row, id, stamp, list)
  for _, one in ipairs(list) do
    for i, span in ipairs(one.spans) do
      event(out, row, ("%s-%s-%d"):format(id, wall(one.from), i), stamp, ("DTSTART:%sZ"):format(wall(span.from)),
        ("DTEND:%sZ"):format(wall(span.to)))
    end
  end
end

-- The first recurrence that there is to tell of: the one of the week before where that goes on into this one.
local function first_of(group, monday)
  for _, day in ipairs(group.days) do
    if day * 1440 + group.start + group.length > 10080 then return monday - WEEK + day * DAY + group.start * 60 end
  end
  return monday + group.days[1] * DAY + group.start * 60
end

-- The first one from there on that nothing disturbs: readers take its length for that of all.
local function model_of(group, monday, first, except)
  local is_disturbed, week = {}, -1
  for _, one in ipairs(except) do is_disturbed[one.from] = true end
  while true do -- changes of the clock are only so many
    for _, day in ipairs(group.days) do
      local from = monday + week * WEEK + day * DAY + group.start * 60
      if from >= first and not is_disturbed[from] then return from end
    end
    week = week + 1
  end
end

local function weekly(out, row, group, zone, monday, stamp)
  local first = first_of(group, monday)
  local on, except, excluded = {}, disturbed(zone, monday, group, first), {}
  local from = model_of(group, monday, first, except)
  for i, day in ipairs(group.days) do on[i] = days[day] end
  for _, one in ipairs(except) do
    if one.from > from then excluded[#excluded + 1] = wall(one.from) end
  end
  local id = ("%s-%04d-%d"):format(table.concat(on), floor(group.start / 60) * 100 + group.start % 60, group.length)
  local at = ";TZID=" .. row.own_zone .. ":"
  event(out, row, id, stamp, "DTSTART" .. at .. wall(from), "DTEND" .. at .. wall(from + group.length * 60),
    "RRULE:FREQ=WEEKLY;WKST=MO;BYDAY=" .. table.concat(on, ","),
    excluded[1] and "EXDATE" .. at .. table.concat(excluded, ",") or nil)
  instead(out, row, id, stamp, except)
end

local function add_agent(out, row, monday, stamp)
  for _, group in ipairs(alike(core.week.new(row.text):spans())) do
    if group.length == 10080 then
      whole_days(out, row, monday, stamp)
    else
      weekly(out, row, group, time.zone(row.own_zone), monday, stamp)
    end
  end
end

-- Which agents are not in it, and why.
local function missing(t)
  local list = {}
  for _, row in ipairs(t.rows) do
    local why = (row.state == "off" or row.state == "unknown") and row.state or row.minutes == 0 and "never open"
    if why then list[#list + 1] = ("%s (%s)"):format(row.agent, why) end
  end
  return list[1] and "Not in it: " .. table.concat(list, ", ")
end

-- The zones of agents that have hours, each once; UTC where there is none, since a calendar has to hold something.
local function zones_of(t)
  local list, known = {}, {}
  for _, row in ipairs(t.rows) do
    if row.state == "hours" and not known[row.own_zone] then
      known[row.own_zone] = true
      list[#list + 1] = row.own_zone
    end
  end
  return list[1] and list or { "UTC" }
end

--- @param t a timetable
-- @return an iCalendar document of all its agents
function ics.of(t)
  local monday, out = time.zone "UTC":epoch(t.days[1]), {}
  local stamp, note = wall(monday) .. "Z", missing(t)
  local name = #t.rows == 1 and "Working hours of " .. t.rows[1].agent or "Working hours"
  add(out, "BEGIN:VCALENDAR", "VERSION:2.0", ("PRODID:-//handoff//handoff %s//EN"):format(core.version),
    "CALSCALE:GREGORIAN", "METHOD:PUBLISH", "X-WR-CALNAME:" .. text(name))
  if note then add(out, "X-WR-CALDESC:" .. text(note)) end
  add(out, "REFRESH-INTERVAL;VALUE=DURATION:PT12H", "X-PUBLISHED-TTL:PT12H")
  for _, zone in ipairs(zones_of(t)) do vtimezone.add(out, zone, monday) end
  for _, row in ipairs(t.rows) do
    if row.state == "always" or row.state == "hours" then add_agent(out, row, monday, stamp) end
  end
  add(out, "END:VCALENDAR")
  for i, line in ipairs(out) do out[i] = fold(line) end
  return table.concat(out, "\r\n") .. "\r\n"
end

return ics
