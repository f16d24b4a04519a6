-- SPDX-License-Identifier: MIT
--- Instants as people write and read them. An instant is a whole number of seconds since 1970, UTC; where no zone is given it is
-- UTC.
-- @module handoff.time
local core = require "handoff.core"
local glib = require "handoff.glib"
local plain = require "handoff.plain"

local time = {}

--- The last instant there is, and, before 1970, the first.
-- @tfield integer LIMIT
time.LIMIT = 1e10

local zones = setmetatable({}, { __mode = "v" })

--- A zone of the system by its name, `"Europe/London"`.
-- @tparam string name
-- @treturn ?Zone the same one as long as somebody holds it
-- @treturn ?Error err of kind "invalid"
function time.zone(name)
  if zones[name] then return zones[name] end
  local module, err = glib("handoff.zone", "time zones cannot be read")
  if not module then return nil, err end
  local zone
  zone, err = module.open(name)
  zones[name] = zone
  return zone, err
end

--- How far clocks are ahead.
-- @function Zone:offset
-- @tparam integer instant
-- @treturn integer seconds east of UTC
-- @treturn string the abbreviation
-- @treturn boolean whether it is summer time

--- What clocks there show.
-- @function Zone:local_time
-- @tparam integer instant
-- @treturn table `{year, month, day, hour, min, sec, weekday, offset}`; `weekday` 0 is monday

--- When clocks are put forward or back next, or the abbreviation changes.
-- @function Zone:next_transition
-- @tparam integer instant
-- @treturn ?integer the first instant after it; nil where there is none up to the year 2286

--- When clocks there show this, the first time where they do so twice.
-- @function Zone:epoch
-- @tparam table date `{year, month, day, hour=0, min=0, sec=0}`, which may be out of their ranges: the day after the 31st is 32
-- @treturn ?integer instant; nil where clocks skip it
-- @treturn ?integer then the first instant after it

--- Lets go of it, as the collector does.
-- @function Zone:close

local function known(zone) return zone or assert(time.zone "UTC") end

--- Goes through the stretches from one instant to another in which clocks keep one offset.
-- @tparam Zone zone
-- @tparam integer from
-- @tparam integer to
-- @treturn fun():integer,integer,integer of begin, end and seconds east of UTC
function time.stretches(zone, from, to)
  return function()
    if from >= to then return nil end
    local start = from
    from = math.min(zone:next_transition(start) or to, to)
    return start, from, (zone:offset(start))
  end
end

-- ---- written --------------------------------------------------------------------------------------------------------------

local days = { [0] = "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" } -- by weekday
local months = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

--- Their names by weekday, from 0, monday, on.
-- @tfield string[] days
time.days = days
--- Their names, from 1 on.
-- @tfield string[] months
time.months = months

--- A day as people write it, `Fri 27 Nov`.
-- @tparam table at what `zone:local_time` gave
-- @treturn string
function time.date(at) return ("%s %d %s"):format(days[at.weekday], at.day, months[at.month]) end

--- A time of day, `18:30`.
-- @tparam integer minute of the day
-- @treturn string
function time.clock(minute) return ("%02d:%02d"):format(math.floor(minute / 60), minute % 60) end

--- A length in hours, `42 h 30 min`.
-- @tparam integer minutes
-- @treturn string
function time.length(minutes)
  local hours, rest = math.floor(minutes / 60), minutes % 60
  if rest == 0 then return ("%d h"):format(hours) end
  return hours == 0 and ("%d min"):format(rest) or ("%d h %d min"):format(hours, rest)
end

--- An instant as people write it, `Fri 27 Nov 2026 18:30`, as clocks in the zone show it; with seconds where it has any.
-- @tparam integer epoch
-- @tparam[opt] Zone zone
-- @treturn string
function time.text(epoch, zone)
  local at = known(zone):local_time(epoch)
  local seconds = at.sec > 0 and (":%02d"):format(at.sec) or ""
  return ("%s %d %02d:%02d%s"):format(time.date(at), at.year, at.hour, at.min, seconds)
end

--- An instant as ISO 8601 has it, `2026-11-27T18:30:00+00:00`; in UTC where the zone's offset has seconds, which that cannot say.
-- @tparam integer epoch
-- @tparam[opt] Zone zone
-- @treturn string
function time.iso(epoch, zone)
  local at = known(zone):local_time(epoch)
  if at.offset % 60 ~= 0 then at = known():local_time(epoch) end
  local east = math.floor(math.abs(at.offset) / 60)
  return ("%04d-%02d-%02dT%02d:%02d:%02d%s%02d:%02d"):format(at.year, at.month, at.day, at.hour, at.min, at.sec,
    at.offset < 0 and "-" or "+", math.floor(east / 60), east % 60)
end

local units = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } }

--- A length, `1 d 22 h`, `45 min`, `30 s`: the largest unit and the next, what is less is left out.
-- @tparam integer seconds
-- @treturn string
function time.duration(seconds)
  for i, unit in ipairs(units) do
    local count = math.floor(seconds / unit[1])
    if count > 0 then
      local lesser = units[i + 1]
      local rest = lesser and math.floor(seconds % unit[1] / lesser[1]) or 0
      local text = ("%d %s"):format(count, unit[2])
      return rest > 0 and ("%s %d %s"):format(text, rest, lesser[2]) or text
    end
  end
  return "0 s"
end

-- ---- read -----------------------------------------------------------------------------------------------------------------

local WAYS = "write 2026-11-27T18:30, fri 18:30, 18:30, tomorrow 18:30, now, or seconds since 1970"
local SHOWN = 60 -- bytes of a text that is refused

local function quoted(text)
  return ('"%s"'):format(plain(#text > SHOWN and text:sub(1, SHOWN) .. "…" or text))
end

local function refuse(text) return nil, ("%s is no time; %s"):format(quoted(text), WAYS) end

-- The date as zone:epoch takes it, or nil where there is no such date or time.
local function date_of(text)
  local year, month, day, rest = text:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$"
  local hour, min, sec, offset
  if rest == "" then rest = "T00:00" end
  if year then hour, min, rest = rest:match "^[Tt ](%d%d):(%d%d)(.*)$" end
  if not hour then return nil end
  sec, offset = rest:match "^:(%d%d)(.*)$"
  if sec then offset = offset:gsub("^[.,]%d+", "") end
  local date = { year = tonumber(year), month = tonumber(month), day = tonumber(day), hour = tonumber(hour),
    min = tonumber(min), sec = tonumber(sec or 0) }
  return date, offset or rest
end

local function is_there(date)
  if date.year < 1700 or date.year > 2199 or date.min > 59 or date.sec > 59 then return false end
  if date.hour > 24 or date.hour == 24 and date.min + date.sec > 0 then return false end
  local midnight = { year = date.year, month = date.month, day = date.day }
  local read = known():local_time(known():epoch(midnight))
  return read.month == date.month and read.day == date.day
end

-- Seconds east: Z, +01:00, +0100, +01.
local function east_of(text)
  if text:find "^[Zz]$" then return 0 end
  local sign, hours, minutes = text:match "^([+-])(%d%d):?(%d*)$"
  minutes = minutes == "" and "00" or minutes
  if not sign or #minutes ~= 2 or tonumber(hours) > 23 or tonumber(minutes) > 59 then return nil end
  return (sign == "-" and -60 or 60) * (hours * 60 + minutes)
end

local function at_local(date, zone, text)
  local epoch, after = zone:epoch(date)
  if epoch then return epoch end
  return nil, ("%s is a time that the clocks there skip; the next one that they show is %s"):format(
    quoted(text), time.iso(after, zone))
end

local function read_date(text, zone)
  local date, offset = date_of(text)
  if not date then return refuse(text) end
  if not is_there(date) then
    return nil, ("%s: there is no such date or time, of the years 1700 to 2199; %s"):format(quoted(text), WAYS)
  end
  offset = offset:match "^%s*(.*)$"
  if offset == "" then return at_local(date, zone, text) end
  local east = east_of(offset)
  if east then return math.floor(known():epoch(date) - east) end
  return nil, ("%s: %s is no offset; write Z, +01:00, or none for local time"):format(quoted(text), quoted(offset))
end

-- The instant from `now` on at which clocks show what they do at `first`: that, or one after they are put back; or nil.
local function not_past(first, zone, now)
  if first >= now then return first end
  local back = zone:next_transition(first)
  local again = back and first + zone:offset(first) - zone:offset(back)
  return again and again >= back and again >= now and again or nil
end

-- The first instant from `now` on with that time of day, on a day every `step` days from the one `ahead` days from now.
local function read_next(minute, ahead, step, zone, now)
  local today = zone:local_time(now)
  for i = 0, 2 do -- one that is past today, one that the clocks skip
    local day = today.day + ahead + i * step
    local epoch = zone:epoch { year = today.year, month = today.month, day = day, min = minute }
    epoch = epoch and not_past(epoch, zone, now)
    if epoch then return epoch end
  end
end

-- A time of day in the ways of a week's, up to 24:00 → its minute, or nil.
local function minute_of(text)
  local minute = core.week.moment("mon " .. text)
  return minute and minute <= 1440 and minute or nil
end

-- today 18:30, tomorrow 9am
local function read_near(text, word, clock, zone, now)
  local minute = minute_of(clock)
  if not minute then return refuse(text) end
  local today = zone:local_time(now)
  local day = today.day + (word == "tomorrow" and 1 or 0)
  return at_local({ year = today.year, month = today.month, day = day, min = minute }, zone, text)
end

local function read_weekly(text, zone, now)
  if text:find "^%d" then
    local minute = minute_of(text)
    if minute then return read_next(minute, 0, 1, zone, now) end
    return refuse(text)
  end
  local minute, why = core.week.moment(text)
  if not minute and not text:find "^%a+%s" then return refuse(text) end
  if not minute then return nil, ("%s: %s"):format(quoted(text), why) end
  local day = math.floor(minute / 1440)
  return read_next(minute % 1440, (day - zone:local_time(now).weekday) % 7, 7, zone, now)
end

local function read_text(text, zone, now)
  local word, clock = text:lower():match "^(%a+)%s+(.+)$"
  if text:lower() == "now" then return now end
  if word == "today" or word == "tomorrow" then return read_near(text, word, clock, zone, now) end
  if text:find "^%d%d%d%d%d%d%d%d%d%d?$" then return math.floor(tonumber(text)) end
  if text:find "^%d%d%d%d%-" then return read_date(text, zone) end
  return read_weekly(text, zone, now)
end

--- Reads a time: an instant; or a text, `2026-11-27T18:30:00Z` or with an offset; without one local time, where one that the
-- clocks show twice is the first (`2026-11-27 18:30`, `2026-11-27` for midnight); `now`; `fri 18:30`, `18:30`, the next from now
-- on, a skipped one left out, one that comes twice the next of the two; `tomorrow 9am`; nine or ten digits, seconds since 1970.
-- @tparam[opt] integer|string value nil is now
-- @tparam[opt] Zone zone of local times
-- @tparam[opt] integer now by default the system's clock
-- @treturn ?integer the instant
-- @treturn ?string why there is none, with what to write
function time.read(value, zone, now)
  now = math.floor(now or os.time())
  if value == nil then return now end
  if type(value) == "number" then
    if value >= -time.LIMIT and value <= time.LIMIT then return math.floor(value) end
    return nil, "seconds since 1970 expected, between the years 1653 and 2286"
  end
  if type(value) ~= "string" then return nil, ("a time expected, got %s; %s"):format(type(value), WAYS) end
  local text = value:match "^%s*(.-)%s*$"
  return read_text(text, known(zone), now)
end

return time
