-- SPDX-License-Identifier: MIT
--- What an edit of working hours comes to, in words: `Sat closed; −4 h a week`. Pure functions on plain slots, as
-- handoff.json decodes them.
local schedule = {}

local DAY = 24 * 60 -- minutes

local days = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday" }
local short = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" }

local number_of = {}
for i, day in ipairs(days) do number_of[day] = i end

-- Minutes of the day, or nil.
local function minute_of(time)
  local hours, minutes = tostring(time):match "^(%d%d):(%d%d)$"
  if not hours then return nil end
  local minute = hours * 60 + minutes
  return minute < DAY and tonumber(minutes) < 60 and minute or nil
end

-- monday-friday → 1, 5; or nil.
local function days_of(span)
  local from, to = tostring(span):match "^(%l+)%-?(%l*)$"
  from, to = number_of[from], to == "" and number_of[from] or number_of[to]
  if from and to then return from, to end
end

-- Adds the slot's minutes to each of its days → true; nil where the slot is none.
local function add_slot(week, slot)
  if type(slot) ~= "table" then return nil end
  local first, last = days_of(slot.day_span)
  local from, to = minute_of(slot.start_time), minute_of(slot.end_time)
  if not (first and from and to and from < to) then return nil end
  for i = 0, (last - first) % 7 do
    local day = (first - 1 + i) % 7 + 1
    table.insert(week[day], { from, to })
  end
  return true
end

-- Of spans in any order, those that overlap or touch as one.
local function join(spans)
  local joined = {}
  table.sort(spans, function(a, b) return a[1] < b[1] or a[1] == b[1] and a[2] < b[2] end)
  for _, span in ipairs(spans) do
    local last = joined[#joined]
    if last and span[1] <= last[2] then
      last[2] = math.max(last[2], span[2])
    else
      joined[#joined + 1] = { span[1], span[2] }
    end
  end
  return joined
end

-- A list of slots → for each day the spans of minutes it is open, rising; nil where a slot is none.
local function week_of(slots)
  local week = { {}, {}, {}, {}, {}, {}, {} }
  if type(slots) ~= "table" then return nil end
  for _, slot in ipairs(slots) do
    if not add_slot(week, slot) then return nil end
  end
  for day = 1, 7 do week[day] = join(week[day]) end
  return week
end

local function time_text(minute) return ("%02d:%02d"):format((minute - minute % 60) / 60, minute % 60) end

local function day_text(spans)
  local texts = {}
  for i, span in ipairs(spans) do texts[i] = time_text(span[1]) .. "-" .. time_text(span[2]) end
  return #texts == 0 and "closed" or table.concat(texts, ", ")
end

local function minutes_of(week)
  local sum = 0
  for _, spans in ipairs(week) do
    for _, span in ipairs(spans) do sum = sum + span[2] - span[1] end
  end
  return sum
end

local function length_text(minutes)
  local hours, rest = (minutes - minutes % 60) / 60, minutes % 60
  if rest == 0 then return ("%d h"):format(hours) end
  return hours == 0 and ("%d min"):format(rest) or ("%d h %d min"):format(hours, rest)
end

local function difference_text(minutes)
  if minutes == 0 then return "as many hours a week" end
  return ("%s%s a week"):format(minutes < 0 and "−" or "+", length_text(math.abs(minutes)))
end

-- The days whose hours are others now, those in a row that are alike as one: { "Mon-Fri 09:00-18:00", "Sat closed" }.
local function changed_days(before, after)
  local runs, last = {}, nil
  for day = 1, 7 do
    local text = day_text(after[day])
    if text == day_text(before[day]) then
      last = nil
    elseif last and last.text == text then
      last.to = day
    else
      last = { from = day, to = day, text = text }
      runs[#runs + 1] = last
    end
  end
  for i, run in ipairs(runs) do
    local name = short[run.from] .. (run.to > run.from and "-" .. short[run.to] or "")
    runs[i] = name .. " " .. run.text
  end
  return runs
end

--- What leads from one list of slots to another, in words for people: the days that are open at other times now, with those
-- times, and the difference of a week.
-- @return one line, "Mon-Fri 09:00-18:00, Sat closed; −1 h 30 min a week", or "the same hours" where only the slots are others;
--   nil where a list has something that is no slot
function schedule.words(before, after)
  local was, is = week_of(before), week_of(after)
  if not (was and is) then return nil end
  local changed = changed_days(was, is)
  if #changed == 0 then return "the same hours" end
  return ("%s; %s"):format(table.concat(changed, ", "), difference_text(minutes_of(is) - minutes_of(was)))
end

return schedule
