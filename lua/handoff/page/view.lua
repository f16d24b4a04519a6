-- SPDX-License-Identifier: MIT
--- A timetable as a picture and a page show it: minutes of the week to draw, and the words beside them.
local plain = require "handoff.plain"
local time = require "handoff.time"

local floor, max, min = math.floor, math.max, math.min

local view = {}

local DAY, WEEK = 1440, 10080 -- minutes
local LEVELS = 5 -- shades of coverage

local days = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" }
local months = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

-- ---- text -----------------------------------------------------------------------------------------------------------------

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }
local UNFIT = "\239\191[\190\191]" -- U+FFFE and U+FFFF, which XML cannot hold however they are written

--- Anybody's text as it may stand in HTML and XML, between tags or quotes.
function view.escape(text)
  text = plain(text):gsub(UNFIT, "\239\191\189")
  return (text:gsub("[&<>\"']", entities))
end

--- A text of at most so many characters, the last of them "…" where it is cut.
function view.cut(text, most)
  local count, at = 0, nil
  for position in text:gmatch "()[^\128-\191]" do
    count = count + 1
    if count == most then at = position end
    if count > most then return text:sub(1, at - 1) .. "…" end
  end
  return text
end

local function clock(minute) return ("%02d:%02d"):format(floor(minute / 60), minute % 60) end

--- "42 h 30 min"
function view.duration(minutes)
  local hours, rest = floor(minutes / 60), minutes % 60
  if rest == 0 then return ("%d h"):format(hours) end
  return hours == 0 and ("%d min"):format(rest) or ("%d h %d min"):format(hours, rest)
end

-- ---- instants -------------------------------------------------------------------------------------------------------------

local function zone_of(name) return name and time.zone(name) or assert(time.zone "UTC") end

-- An instant as it is said at another one: "17:30" of the same day, "Mon 09:00" within six days, else with its date.
local function later(zone, at, epoch)
  if epoch - at > 6 * 86400 then return time.text(epoch, zone) end
  local now, here = zone:local_time(at), zone:local_time(epoch)
  local said = clock(here.hour * 60 + here.min)
  return here.day == now.day and said or days[here.weekday + 1] .. " " .. said
end

-- ---- what is drawn --------------------------------------------------------------------------------------------------------

local function joined(spans)
  local list = {}
  table.sort(spans, function(a, b) return a.from < b.from end)
  for _, span in ipairs(spans) do
    local last = list[#list]
    if last and span.from <= last.to then
      last.to = max(last.to, span.to)
    elseif span.from < span.to then
      list[#list + 1] = span
    end
  end
  return list
end

-- Instants → minutes of the week on the wall, in a zone whose clock changes at `shifts`; an hour that comes twice once.
local function on_wall(spans, zone, monday, shifts)
  local list = {}
  for _, span in ipairs(spans) do
    local from = span.from
    local function piece(to)
      local shift = zone:offset(from) - monday
      list[#list + 1] = { from = max((from + shift) / 60, 0), to = min((to + shift) / 60, WEEK) }
      from = to
    end
    for _, shift in ipairs(shifts or {}) do
      if from < shift.at and shift.at < span.to then piece(shift.at) end
    end
    piece(span.to)
  end
  return joined(list)
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

--- Spans of a day in words: "09:00-12:00, 13:00-17:30".
function view.day_text(spans)
  local list = {}
  for i, span in ipairs(spans) do list[i] = clock(span.from) .. "-" .. clock(span.to) end
  return list[1] and table.concat(list, ", ") or "closed"
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
  if row.state == "hours" and row.minutes then list[1] = view.duration(row.minutes) .. " a week" end
  if row.breaks then list[#list + 1] = "breaks: " .. row.breaks end
  if row.overlaps then list[#list + 1] = "twice: " .. row.overlaps end
  if row.note then list[#list + 1] = row.note end
  return list
end

-- The hours, with the zone that they are in where another one is drawn.
local function hours_text(row)
  local is_other = row.own_zone and row.own_zone ~= row.zone
  return is_other and ("%s (%s)"):format(row.text, row.own_zone) or row.text
end

local function agent(row, t, monday, zone)
  local class, said = status(row, zone, t.at)
  local spans = on_wall(row.spans, zone, monday, row.shifts)
  return {
    agent = row.agent, zone = row.zone, class = class, status = said, text = hours_text(row), facts = facts(row),
    spans = spans, days = by_day(spans), now = row.now and (t.at + zone:offset(t.at) - monday) / 60,
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
--   counts by class, days = seven of { name, day, month }, rows, coverage = { steps, most, zone, now }, nobody = text or
--   nil }; a row: { agent, zone, class = "open" | "closed" | "off" | "unknown", status, text, facts = list of texts, spans =
--   minutes of the week, days = the same a day, now = minute of the week or nil }
function view.of(t)
  local zone, rows, same = zone_of(t.zone), {}, t.zone
  local monday = zone_of "UTC":epoch(t.first_day)
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
    nobody = t.nobody,
  }
  v.coverage.zone, v.coverage.now = t.zone, t.now and (t.at + zone:offset(t.at) - monday) / 60
  for i, day in ipairs(t.days) do
    v.days[i] = { name = days[i], day = day.day, month = months[day.month] }
  end
  return v
end

return view
