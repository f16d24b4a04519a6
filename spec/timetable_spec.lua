-- SPDX-License-Identifier: MIT
local handoff = require "handoff"
local time = require "handoff.time"
local timetable = require "handoff.timetable"

-- A configuration whose hours are "monday-friday 09:00-17:30 …"; none: working hours are off.
local function config(zone, hours)
  local slots = {}
  for span, from, to in (hours or ""):gmatch "(%S+) (%S+)-(%S+)" do
    slots[#slots + 1] = { day_span = span, start_time = from, end_time = to }
  end
  return assert(handoff.config {
    settings = { is_active = true, working_hours_active = hours ~= nil, timezone = zone },
    availability = handoff.json.array(slots), generic_guidelines = handoff.json.array {},
    custom_guidelines = handoff.json.array {}, routing_profiles = handoff.json.array {},
  })
end

local function at(text, zone) return assert(time.read(text, zone and assert(time.zone(zone)))) end

-- The timetable of configurations named a, b, c …
local function draw(cfgs, more)
  local opts = { agents = {}, at = at "2026-11-25T12:00Z" }
  for i, cfg in ipairs(cfgs) do opts.agents[i] = { agent = ("abc"):sub(i, i), cfg = cfg } end
  for name, value in pairs(more or {}) do opts[name] = value end
  return assert(timetable.new(opts))
end

-- The half hours of a day that are not empty: "18=30 19=15", counted from 0.
local function day(cells, number)
  local list = {}
  for i = 0, 47 do
    local minutes = cells[(number - 1) * 48 + i + 1]
    if minutes > 0 then list[#list + 1] = ("%d=%d"):format(i, minutes) end
  end
  return table.concat(list, " ")
end

-- An instant as "Mon 23 09:00".
local function short(instant, zone)
  local text = time.text(instant, time.zone(zone))
  return text:match "^%a+ %d+" .. text:match " [%d:]+$"
end

local function spans(list, zone)
  local texts = {}
  for i, span in ipairs(list) do texts[i] = short(span.from, zone) .. " - " .. short(span.to, zone) end
  return table.concat(texts, ", ")
end

describe("a timetable", function()
  it("leaves out what is no slot, and says what is wrong with it", function()
    local text = config("UTC", "monday 09:00-10:00 tuesday 09:00-10:00 friday 09:00-10:00"):json()
    local cfg = assert(handoff.config((text:gsub('"(%a+)","start_time":"09:00"', {
      monday = '"monday","start_time":"9:00"', friday = '"friday","start_time":"11:00"',
    }))))
    local row = draw({ cfg }).rows[1]
    assert.same({ "tue 09:00-10:00", 60 }, { row.text, row.minutes })
    assert.equal('left out, as it is no slot: availability[1].start_time: "9:00" is no time; write HH:MM from 00:00 to '
      .. "23:59, such as 09:00 (and 1 more)", row.note)
  end)

  -- 17:59 there is 23:59 of the zone that is drawn, a minute that no slot begins at
  it("begins and ends a minute before midnight in another zone, and what is drawn of it says midnight", function()
    local t = draw({ config("UTC", "monday 10:00-17:59 tuesday 17:59-20:00") }, { zone = "Asia/Omsk" })
    assert.equal("mon 16:00-24:00, wed 00:00-02:00", tostring(t.rows[1].wall))
    assert.equal("mon 00:00-16:00, tue,thu-sun 00:00-24:00, wed 02:00-24:00", t.nobody)
    local view = require("handoff.page.view").of(t)
    assert.same({ 16 * 60, 24 * 60 - 1, t.nobody }, { view.days[1] and view.rows[1].days[1][1].from,
      view.rows[1].days[1][1].to, view.nobody })
    local lines = require("handoff.command.hours").sentences(t, { width = 200, days = { 1, 2, 3, 4, 5, 6, 7 } })
    assert.truthy(lines[1]:find("Monday 16:00 to midnight. Wednesday 00:00 to 02:00.", 1, true))
  end)

  it("has the half hours, the spans and the change to come of the week around its moment", function()
    local t = draw {
      config("Europe/London", "monday-friday 09:00-12:15 friday 22:00-23:59 saturday 00:00-02:00"),
    }
    local row = t.rows[1]
    assert.same({ year = 2026, month = 11, day = 23, weekday = 0 }, t.days[1])
    assert.same({ "Europe/London", "hours", true, 5 * 195 + 240, 2 * 48 + 25 },
      { t.zone, row.state, row.open, row.minutes, row.now })
    assert.equal(t.now, row.now)
    assert.equal(at "2026-11-25T12:15Z", row.next)
    assert.equal("18=30 19=30 20=30 21=30 22=30 23=30 24=15", day(row.cells, 1))
    assert.equal("0=30 1=30 2=30 3=30", day(row.cells, 6))
    assert.equal("", day(row.cells, 7))
    assert.equal(336, #row.cells)
    assert.equal("Mon 23 09:00 - Mon 23 12:15, Tue 24 09:00 - Tue 24 12:15, Wed 25 09:00 - Wed 25 12:15, "
      .. "Thu 26 09:00 - Thu 26 12:15, Fri 27 09:00 - Fri 27 12:15, Fri 27 22:00 - Sat 28 02:00",
      spans(row.spans, "UTC"))
  end)

  it("draws another week than that of its moment, without a now", function()
    local t = draw({ config("UTC", "monday 09:00-10:00") }, { week_of = at "2026-12-06T23:59Z" })
    assert.same({ year = 2026, month = 11, day = 30, weekday = 0 }, t.days[1])
    assert.is_nil(t.now or t.rows[1].now)
    assert.equal("Mon 30 09:00 - Mon 30 10:00", spans(t.rows[1].spans, "UTC"))
  end)

  it("closes an hour that the clock skips, and has one that comes twice once", function()
    local cfg = config("Europe/London", "sunday 00:30-02:30")
    local spring = draw({ cfg }, { at = at "2026-03-29T12:00Z" }).rows[1]
    assert.equal("1=30 4=30", day(spring.cells, 7))
    assert.equal("Sun 29 00:30 - Sun 29 02:30", spans(spring.spans, "Europe/London"))
    assert.equal(3600, spring.spans[1].to - spring.spans[1].from)
    assert.same({ { at = at "2026-03-29T01:00Z", by = 3600 } }, spring.shifts)
    local autumn = draw({ cfg }, { at = at "2026-10-25T12:00Z" }).rows[1]
    assert.equal("1=30 2=30 3=30 4=30", day(autumn.cells, 7))
    assert.equal(3 * 3600, autumn.spans[1].to - autumn.spans[1].from)
  end)

  -- The cells against a probe of every minute, in weeks in which the clocks of hard zones change; Apia has no 30 December 2011.
  for _, row in ipairs {
    { "Australia/Lord_Howe", "2026-04-05" }, { "Australia/Lord_Howe", "2026-10-04" }, { "Pacific/Apia", "2011-12-28" },
    { "Africa/Casablanca", "2026-02-15" }, { "America/Nuuk", "2026-10-25" }, { "America/New_York", "2026-03-08" },
  } do
    it(("counts what every minute says, %s %s"):format(row[1], row[2]), function()
      local zone, noon = time.zone(row[1]), at(row[2] .. "T12:00", row[1])
      local cfg = config(row[1], "saturday-sunday 00:45-03:10 friday 20:20-23:59 monday 00:00-00:40")
      local drawn = draw({ cfg }, { at = noon, zone = row[1] })
      local cells, seen = {}, {}
      for i = 1, 336 do cells[i] = 0 end
      for minute = drawn.from, drawn.to - 60, 60 do
        local shown = zone:local_time(minute)
        local on_wall = (shown.weekday * 24 + shown.hour) * 60 + shown.min
        if not seen[on_wall] and cfg:is_open(minute) then
          seen[on_wall] = true
          local cell = math.floor(on_wall / 30) + 1
          cells[cell] = cells[cell] + 1
        end
      end
      assert.same(cells, drawn.rows[1].cells)
    end)
  end

  it("draws all in the zone that is asked for, as its clocks have it", function()
    local cfg = config("Asia/Tokyo", "monday 06:00-12:00")
    local row = draw({ cfg }, { zone = "America/New_York" }).rows[1]
    assert.same({ "America/New_York", "Asia/Tokyo", "mon 06:00-12:00" }, { row.zone, row.own_zone, row.text })
    assert.equal("32=30 33=30 34=30 35=30 36=30 37=30 38=30 39=30 40=30 41=30 42=30 43=30", day(row.cells, 7))
    assert.equal("sun 16:00-22:00", tostring(row.wall))
    assert.equal("Sun 29 16:00 - Sun 29 22:00", spans(row.spans, "America/New_York"))
    local nothing, err = timetable.new { agents = {}, zone = "Europe/Londn" }
    assert.is_nil(nothing)
    assert.matches("Europe/London", tostring(err))
  end)

  it("counts who is there, and tells when nobody is", function()
    local t = draw {
      config("Europe/London", "monday-friday 09:00-13:00"), config("Europe/London", "monday-friday 12:00-17:15"),
      config("Europe/London", "sunday 09:00-10:00"),
    }
    assert.same({ 0, 1, 1, 2, 1, 0 }, {
      t.coverage[18], t.coverage[19], t.coverage[24], t.coverage[25], t.coverage[35], t.coverage[36] })
    assert.equal("mon-fri 09:00-17:15, sun 09:00-10:00", tostring(handoff.week(t.nobody):invert()))
    assert.equal("Mon 23 00:00 - Mon 23 09:00, Mon 23 17:15 - Tue 24 09:00",
      spans({ t.uncovered[1], t.uncovered[2] }, "Europe/London"))
    assert.equal(t.to, t.uncovered[#t.uncovered].to)
  end)

  it("counts in one zone: the one that all hours are in, else UTC", function()
    local london = config("Europe/London", "monday 09:00-10:00")
    assert.equal("Europe/London", draw { london, config("Asia/Tokyo") }.zone)
    local t = draw { london, config("Asia/Tokyo", "monday 09:00-10:00") }
    assert.equal("UTC", t.zone)
    assert.same({ "18=30 19=30", "18=30 19=30", "0=1 1=1 18=1 19=1" }, {
      day(t.rows[1].cells, 1), day(t.rows[2].cells, 1), day(t.coverage, 1) })
  end)

  it("says who is never asked, always there, or not known, and guesses nothing", function()
    local off = config("UTC", "monday 09:00-10:00")
    off.settings.is_active = false
    local t = draw { off, config("Asia/Tokyo"), config(handoff.null, "monday 09:00-10:00") }
    local off_row, always, unknown = t.rows[1], t.rows[2], t.rows[3]
    local function facts(row) return { row.state, row.minutes, row.open, row.text } end
    assert.same({ "off", 0, false, "mon 09:00-10:00" }, facts(off_row))
    assert.same({ "always", 10080, true, "24/7" }, facts(always))
    assert.same({ "unknown", "mon 09:00-10:00" }, { unknown.state, unknown.text })
    assert.is_nil(unknown.open or unknown.minutes or unknown.next)
    assert.matches("settings.timezone", unknown.note)
    assert.same({ "", ("0=1 1=1"), {} }, { day(unknown.cells, 1), day(t.coverage, 1):sub(1, 7), t.uncovered })
    assert.same({}, draw({ config(handoff.null, "monday 09:00-10:00") }).uncovered)
  end)

  it("names breaks and what is there twice, each kind once", function()
    local hours = "monday-friday 09:00-12:00 monday-friday 13:00-17:00 tuesday 16:00-18:00"
    local row = draw({ config("UTC", hours) }).rows[1]
    assert.same({ "mon-fri 12:00-13:00", "tue 16:00-17:00" }, { row.gaps, row.overlaps })
    local plain = draw({ config("UTC", "monday-friday 09:00-17:00") }).rows[1]
    assert.is_nil(plain.gaps or plain.overlaps or plain.note)
    assert.matches("never open", draw({ config("UTC", "") }).rows[1].note)
  end)
end)
