-- SPDX-License-Identifier: MIT
local handoff = require "handoff"
local schedule = require "handoff.schedule"

local function slots(text)
  local list = {}
  for span, from, to in text:gmatch "(%S+) (%S+)-(%S+)" do
    list[#list + 1] = { day_span = span, start_time = from, end_time = to, id = #list + 1 }
  end
  return list
end

-- Each a configuration's availability, and whether its working hours are on.
local function told(before, after, was_on, is_on)
  return schedule.words({ settings = { working_hours_active = was_on }, availability = before },
    { settings = { working_hours_active = is_on }, availability = after })
end

describe("an edit of hours in words", function()
  for _, row in ipairs {
    { "monday-friday 09:00-17:30 saturday 10:00-14:00", "monday-friday 09:00-17:30", "Sat closed; −4 h a week" },
    { "monday-friday 09:00-17:30", "monday-friday 09:00-18:00", "Mon-Fri 09:00-18:00; +2 h 30 min a week" },
    { "monday-sunday 09:00-17:00", "monday-tuesday 09:00-17:00 wednesday 10:00-18:00 thursday-saturday 09:00-17:00 "
      .. "sunday 09:00-12:30", "Wed 10:00-18:00, Sun 09:00-12:30; −4 h 30 min a week" },
    { "", "saturday-monday 10:00-10:45", "Mon 10:00-10:45, Sat-Sun 10:00-10:45; +2 h 15 min a week" },
    { "monday 09:00-12:00 monday 13:00-17:00", "monday 09:00-12:00 monday 14:00-18:00",
      "Mon 09:00-12:00, 14:00-18:00; as many hours a week" },
    { "monday 09:00-17:00", "monday 09:00-13:00 monday 12:00-17:00", "the same hours" },
    { "monday 09:00-17:00", "monday 09:00-23:59 tuesday 00:00-02:00",
      "Mon 09:00-24:00, Tue 00:00-02:00; +9 h a week" },
    { "monday 09:00-17:00 tuesday 09:00-17:00", "monday-tuesday 09:00-17:00", "the same hours" },
  } do
    it(row[3], function() assert.equal(row[3], told(slots(row[1]), slots(row[2]), true, true)) end)
  end

  it("is what it comes to, with the working hours on or off", function()
    local long, short = slots "monday-friday 09:00-17:30", slots "monday-friday 09:00-17:00"
    local all = slots "monday-sunday 00:00-23:59"
    assert.equal("Mon-Fri 09:00-17:00; −2 h 30 min a week", told(long, short, true, true))
    assert.equal("Mon-Fri 09:00-17:00; −2 h 30 min a week (working hours are off)", told(long, short, false, nil))
    assert.equal("Mon-Fri 09:00-17:00, Sat-Sun closed; −128 h a week", told(long, short, false, true))
    assert.equal("Mon-Sun 00:00-24:00; +125 h 30 min a week", told(long, long, true, false))
    assert.equal("the same hours", told(all, all, handoff.null, true))
    assert.is_nil(told(long, slots "someday 09:00-10:00", false, false))
  end)

  it("is not told of what is no slot", function()
    local times = { "someday 09:00-10:00", "monday 10:00-09:00", "monday 09:00-24:00", "monday 09:60-10:00" }
    for _, wrong in ipairs(times) do
      assert.is_nil(told({}, slots(wrong), true, true), wrong)
    end
    assert.is_nil(told({}, { handoff.null }, true, true))
    assert.is_nil(told(handoff.null, {}, true, true))
  end)
end)
