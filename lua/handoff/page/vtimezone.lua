-- SPDX-License-Identifier: MIT
--- A zone as iCalendar describes it: the offset at first, then every kind of change of the clock, by its rule where all that are
-- looked up follow one ("the last sunday of march at 01:00"), else by its dates.
local time = require "handoff.time"

local vtimezone = {}

local DAY = 86400 -- seconds
local YEARS = 12 -- that are looked up, from two before on: readers find out what summer time is from a change to it

local days = { [0] = "MO", "TU", "WE", "TH", "FR", "SA", "SU" } -- by weekday

vtimezone.days = days

--- Local time, given as the seconds that UTC would give it → the fields of it.
function vtimezone.date(seconds) return assert(time.zone "UTC"):local_time(seconds) end

--- The same → "20261127T183000"
function vtimezone.wall(seconds)
  local at = vtimezone.date(seconds)
  return ("%04d%02d%02dT%02d%02d%02d"):format(at.year, at.month, at.day, at.hour, at.min, at.sec)
end

local function offset_text(east)
  local sign, seconds = east < 0 and "-" or "+", math.abs(east)
  local text = ("%s%02d%02d"):format(sign, math.floor(seconds / 3600), math.floor(seconds / 60) % 60)
  return seconds % 60 > 0 and text .. ("%02d"):format(seconds % 60) or text
end

-- The changes from an instant on, those alike together: a list of { from=, to= (offsets), name=, is_dst=, at = list of
-- local times by the offset before }.
local function kinds(zone, from)
  local list, known, at = {}, {}, from
  while true do
    local before = zone:offset(at)
    at = zone:next_transition(at)
    if not at or at > from + YEARS * 366 * DAY then return list end
    local after, name, is_dst = zone:offset(at)
    local key = ("%d %d %s %s"):format(before, after, name, tostring(is_dst))
    if not known[key] then
      known[key] = { from = before, to = after, name = name, is_dst = is_dst, at = {} }
      list[#list + 1] = known[key]
    end
    table.insert(known[key].at, at + before)
  end
end

local function is_last(at) return vtimezone.date(at + 7 * DAY).month ~= vtimezone.date(at).month end

-- The rule that all of them follow, one a year for as long as is looked up; or nil.
local function rule(list)
  if #list < YEARS - 1 then return nil end
  local first = vtimezone.date(list[1])
  local nth, last = math.ceil(first.day / 7), true
  for i, seconds in ipairs(list) do
    local at = vtimezone.date(seconds)
    if at.year ~= first.year + i - 1 or at.month ~= first.month or at.weekday ~= first.weekday
      or (seconds - list[1]) % DAY ~= 0 then
      return nil
    end
    if math.ceil(at.day / 7) ~= nth then nth = nil end
    last = last and is_last(seconds)
  end
  nth = last and -1 or nth
  return nth and ("RRULE:FREQ=YEARLY;BYMONTH=%d;BYDAY=%d%s"):format(first.month, nth, days[first.weekday])
end

local function observance(out, kind, more)
  local name = kind.is_dst and "DAYLIGHT" or "STANDARD"
  local function add(line) out[#out + 1] = line end
  add("BEGIN:" .. name)
  add("DTSTART:" .. vtimezone.wall(kind.at[1]))
  add("TZOFFSETFROM:" .. offset_text(kind.from))
  add("TZOFFSETTO:" .. offset_text(kind.to))
  add("TZNAME:" .. kind.name)
  for _, line in ipairs(more) do add(line) end
  add("END:" .. name)
end

local function dates(list)
  local lines = {}
  for i = 2, #list do lines[i - 1] = "RDATE:" .. vtimezone.wall(list[i]) end
  return lines
end

--- Adds the lines of a zone to a list, for events from `monday` on (local, as the seconds that UTC would give it).
function vtimezone.add(out, name, monday)
  local zone = assert(time.zone(name))
  local from = monday - 2 * 366 * DAY
  local offset, abbreviation, is_dst = zone:offset(from)
  out[#out + 1] = "BEGIN:VTIMEZONE"
  out[#out + 1] = "TZID:" .. name
  observance(out, { from = offset, to = offset, name = abbreviation, is_dst = is_dst, at = { from + offset } }, {})
  for _, kind in ipairs(kinds(zone, from)) do
    local by_rule = rule(kind.at)
    observance(out, kind, by_rule and { by_rule } or dates(kind.at))
  end
  out[#out + 1] = "END:VTIMEZONE"
end

return vtimezone
