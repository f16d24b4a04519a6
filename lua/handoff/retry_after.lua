-- SPDX-License-Identifier: MIT
--- The header Retry-After, as RFC 9110 (10.2.3, 5.6.7) has it: seconds, or a date in one of three forms.
local retry_after = {}

local MOST = 2147483648 -- seconds; what is more counts as that (RFC 9111, 1.2.2)

local months = {}
for i, name in ipairs { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" } do
  months[name] = i
end

local lengths = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

-- Days from 1970-01-01 to a date. Years begin in March here, so that a leap day is a year's last one.
local function days(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  local leaps = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  return 365 * year + leaps + math.floor((153 * (month - 3) + 2) / 5) + day - 1 - 719468
end

local forms = {
  { "^%a+, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$", "day month year h m s" },
  { "^%a+, (%d%d)%-(%a%a%a)%-(%d%d) (%d%d):(%d%d):(%d%d) GMT$", "day month year h m s" },
  { "^%a%a%a (%a%a%a) ([ %d]%d) (%d%d):(%d%d):(%d%d) (%d%d%d%d)$", "month day h m s year" },
}

local function read(form, text)
  local values = { text:match(form[1]) }
  if not values[1] then return nil end
  local date, i = {}, 0
  for name in form[2]:gmatch "%a+" do
    i = i + 1
    date[name] = name == "month" and months[values[i]] or tonumber(values[i])
  end
  return date
end

local function is_valid(date)
  local has_day = date.month and date.day >= 1 and date.day <= lengths[date.month]
  return has_day and date.h < 24 and date.m < 60 and date.s <= 60
end

--- An HTTP date → seconds since 1970, or nil where it is none.
-- @param now what a year of two digits is held against: it is never more than 50 years ahead
function retry_after.date(text, now)
  for _, form in ipairs(forms) do
    local date = read(form, text)
    if date and not is_valid(date) then return nil end
    if date then
      if date.year < 100 then
        local year = tonumber(os.date("!%Y", now))
        date.year = date.year + year - year % 100
        if date.year > year + 50 then date.year = date.year - 100 end
      end
      return ((days(date.year, date.month, date.day) * 24 + date.h) * 60 + date.m) * 60 + date.s
    end
  end
end

--- → whole seconds from now on, 0 where it is past; or nil where the headers say nothing that can be read.
-- A date is held against the answer's own, as the two clocks may differ.
-- @param headers of an answer, by lower-case name
-- @param now seconds since 1970
function retry_after.seconds(headers, now)
  local text = (headers["retry-after"] or ""):match "^%s*(.-)%s*$"
  if text:find "^%d+$" then return math.min(tonumber(text), MOST) end
  local at = retry_after.date(text, now)
  if not at then return nil end
  local from = retry_after.date(headers.date or "", now) or now
  return math.max(0, math.min(at - from, MOST))
end

return retry_after
