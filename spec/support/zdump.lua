-- SPDX-License-Identifier: MIT
--- What the C library's own program says of the system's time zones, to hold ours against.
local program = require "support.program"

local zdump = {}

local FOLDER = "/usr/share/zoneinfo/"

local months, days = {}, {}
for i, name in ipairs { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" } do
  months[name] = i
end
for i, name in ipairs { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" } do days[name] = i - 1 end

-- Seconds since 1970 of a date, by the rule of leap years alone.
local function seconds_of(date)
  local before = date.year - 1
  local day = 365 * date.year + math.floor(before / 4) - math.floor(before / 100) + math.floor(before / 400)
  local is_leap = date.year % 4 == 0 and date.year % 100 ~= 0 or date.year % 400 == 0
  for month = 1, date.month - 1 do
    day = day + ({ 31, is_leap and 29 or 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 })[month]
  end
  return (((day + date.day - 1 - 719527) * 24 + date.hour) * 60 + date.min) * 60 + date.sec
end

local function date_of(text)
  local weekday, month, day, hour, min, sec, year = text:match "(%a+) (%a+) +(%d+) (%d+):(%d+):(%d+) (%d+)"
  return {
    weekday = days[weekday], month = months[month], day = tonumber(day), hour = tonumber(hour), min = tonumber(min),
    sec = tonumber(sec), year = tonumber(year),
  }
end

--- The names of all zones of the system.
function zdump.names()
  local names = {}
  local listed = program.run(("cd %s && find . \\( -name posix -o -name right \\) -prune -o \\( -type f -o -type l \\) "
    .. "-print | xargs grep -l ^TZif | sort"):format(FOLDER))
  for name in listed:gmatch "%./(%u%S*)" do names[#names + 1] = name end
  return names
end

--- Each zone's changes between the begins of two years.
-- @return name → { { epoch= the first second after it, before=, after= }, … }, each side { offset=, abbreviation=, is_dst=,
--   shown= the date of the clocks }, `before` as of the last second before it
function zdump.changes(names, first, last)
  local all, before = {}, nil
  for _, name in ipairs(names) do all[name] = {} end
  local text = program.run(("zdump -v -c %d,%d %s"):format(first, last, table.concat(names, " ")))
  local line = "(%S+)  +(%a+ %a+ [^=]-) UT = (%a+ %a+ [%d: ]+) (%S+) isdst=(%d) gmtoff=(%-?%d+)"
  for name, ut, shown, abbreviation, dst, offset in text:gmatch(line) do
    local side = {
      offset = tonumber(offset), abbreviation = abbreviation, is_dst = dst == "1", shown = date_of(shown),
      epoch = seconds_of(date_of(ut)),
    }
    if before and before.name == name and before.epoch == side.epoch - 1 then
      table.insert(all[name], { epoch = side.epoch, before = before, after = side })
      before = nil
    else
      before = side
      before.name = name
    end
  end
  return all
end

return zdump
