-- SPDX-License-Identifier: MIT
--- What an edit of working hours comes to, in words: `Sat closed; −4 h a week`. Pure functions on plain slots, as
-- handoff.json decodes them.
local core = require "handoff.core"
local time = require "handoff.time"

local schedule = {}

-- The short name of a day, 1 to 7.
local function short(day) return time.days[day - 1] end

-- A list of slots → its week; nil where something in it is no slot.
local function week_of(slots)
  if type(slots) ~= "table" then return nil end
  local week, broken = core.week.read(slots)
  return #broken == 0 and week or nil
end

--- The hours that a week has on one day, 1 to 7: "09:00-12:00, 13:00-17:00", or "closed".
function schedule.day(week, day)
  local texts = {}
  for i, span in ipairs(week:intersect(short(day) .. " 00:00-24:00"):spans()) do texts[i] = span.text:match " (.*)" end
  return #texts == 0 and "closed" or table.concat(texts, ", ")
end

local function difference_text(minutes)
  if minutes == 0 then return "as many hours a week" end
  return ("%s%s a week"):format(minutes < 0 and "−" or "+", time.length(math.abs(minutes)))
end

-- The days whose hours are others now, those in a row that are alike as one: { "Mon-Fri 09:00-18:00", "Sat closed" }.
local function changed_days(before, after)
  local runs, last = {}, nil
  for day = 1, 7 do
    local text = schedule.day(after, day)
    if text == schedule.day(before, day) then
      last = nil
    elseif last and last.text == text then
      last.to = day
    else
      last = { from = day, to = day, text = text }
      runs[#runs + 1] = last
    end
  end
  for i, run in ipairs(runs) do
    local name = short(run.from) .. (run.to > run.from and "-" .. short(run.to) or "")
    runs[i] = name .. " " .. run.text
  end
  return runs
end

--- What leads from one configuration's hours to another's, in words for people: the days on which visitors are handed over at
-- other times now, with those times, and the difference of a week. Working hours that are off count as always open, unless they
-- stay off: then the slots are told of, and that.
-- @param before, after { settings=, availability= }, as handoff.json decodes them
-- @return one line, "Mon-Fri 09:00-18:00, Sat closed; −1 h 30 min a week", or "the same hours" where only the slots are others;
--   nil where something is no slot
function schedule.words(before, after)
  local was_on, is_on = before.settings.working_hours_active == true, after.settings.working_hours_active == true
  local was, is, always = week_of(before.availability), week_of(after.availability), core.week.new "24/7"
  if is_on and not was_on then was = always end
  if was_on and not is_on then is = always end
  if not (was and is) then return nil end
  local changed, aside = changed_days(was, is), (was_on or is_on) and "" or " (working hours are off)"
  if #changed == 0 then return "the same hours" .. aside end
  return table.concat(changed, ", ") .. "; " .. difference_text(is:minutes() - was:minutes()) .. aside
end

return schedule
