-- SPDX-License-Identifier: MIT
local handoff = require "handoff"
local core = require "handoff.core"
local document = require "support.document"

local raised = document.raised

local function slots_text(week)
  local texts = {}
  for i, slot in ipairs(week:slots()) do
    texts[i] = ("%s %s-%s"):format(slot.day_span, slot.start_time, slot.end_time)
  end
  return table.concat(texts, "; ")
end

local function spans_text(spans)
  local texts = {}
  for i, span in ipairs(spans) do texts[i] = span.text end
  return table.concat(texts, "; ")
end

describe("hours as text", function()
  for _, row in ipairs {
    { "mon-fri 09:00-17:30, sat 10:00-14:00", "mon-fri 09:00-17:30, sat 10:00-14:00",
      "monday-friday 09:00-17:30; saturday 10:00-14:00" },
    { "Monday to Friday: 9am – 5:30 P.M.; SAT 10—14", "mon-fri 09:00-17:30, sat 10:00-14:00" },
    { "Mon - Fri, 9:00 AM - 5:00 PM\nSat, Sun: closed", "mon-fri 09:00-17:00" },
    { "mon,wed and fri 9-12", "mon,wed,fri 09:00-12:00",
      "monday 09:00-12:00; wednesday 09:00-12:00; friday 09:00-12:00" },
    { "sat-mon 10-14", "sat-mon 10:00-14:00", "saturday-monday 10:00-14:00" },
    { "mon-fri 09:00-12:00 13:00-17:00", "mon-fri 09:00-12:00 13:00-17:00",
      "monday-friday 09:00-12:00; monday-friday 13:00-17:00" },
    { "mon-fri 9-12, 13-17\nsat 10-14\n", "mon-fri 09:00-12:00 13:00-17:00, sat 10:00-14:00" },
    { "mo-fr 9.30-12, th 13-15", "mon-wed,fri 09:30-12:00, thu 09:30-12:00 13:00-15:00",
      "monday-friday 09:30-12:00; thursday 13:00-15:00" },
    { "daily 9-noon", "mon-sun 09:00-12:00", "monday-sunday 09:00-12:00" },
    { "weekdays 9-17, weekend 10-14", "mon-fri 09:00-17:00, sat-sun 10:00-14:00" },
    { "mon-sun 0-24", "24/7", "monday-sunday 00:00-23:59" },
    { "24/7, sun closed", "mon-sat 00:00-24:00", "monday-saturday 00:00-23:59" },
    { "closed", "closed", "" },
    { "mon-fri 9-17; wed, fri closed", "mon-tue,thu 09:00-17:00" },
    { "wed 14:00-08:00", "wed 14:00-08:00", "wednesday 14:00-23:59; thursday 00:00-08:00" },
    { "mon 14:00-08:01", "mon 14:00-24:00, tue 00:00-08:01", "monday 14:00-23:59; tuesday 00:00-08:01" },
    { "fri 22:00-02:00", "fri 22:00-02:00", "friday 22:00-23:59; saturday 00:00-02:00" },
    { "sun 10pm-midnight, mon midnight-2am", "sun 22:00-02:00", "monday 00:00-02:00; sunday 22:00-23:59" },
    { "daily 20:00-06:00", "mon-sun 20:00-06:00", "monday-sunday 00:00-06:00; monday-sunday 20:00-23:59" },
    { "fri 12-24, sat 0-24, sun 0-6", "fri 12:00-24:00, sat 00:00-24:00, sun 00:00-06:00" },
    { "mon 09:00-23:59", "mon 09:00-24:00", "monday 09:00-23:59" },
    { "mon-sat 18:00-02:00, sun closed", "mon-sat 18:00-02:00" },
    { "daily 22:00-02:00, sun closed", "mon-sat 22:00-02:00" },
    { "mon 7:30-11:30, 9:30-noon", "mon 07:30-12:00", "monday 07:30-12:00" },
    { "mon 9-12, mon 12-17, tue 9-17", "mon-tue 09:00-17:00", "monday-tuesday 09:00-17:00" },
    { "Mon.\194\1609\226\128\175am -\226\128\1755 pm", "mon 09:00-17:00" }, -- pasted blanks
  } do
    it(row[1], function()
      local week = handoff.week(row[1])
      assert.equal(row[2], tostring(week))
      if row[3] then assert.equal(row[3], slots_text(week)) end
      assert.is_true(handoff.week(row[2]) == week and handoff.week(week:slots()) == week)
    end)
  end

  it("is refused at the character that is wrong, with what to write", function()
    for _, row in ipairs {
      { "mon 9-5", 5, '"9-5" may be meant in two ways; write 9am-5pm or 09:00-17:00, or 21:00-05:00 for a night' },
      { "mon ?", 5, '"?" is not understood; write hours, such as 09:00-17:30, or closed' },
      { "closed mon 09:00-10:00", 1, "which days are closed? write sun closed, or closed alone" },
      { "mon 9-12, 1-5", 11,
        '"1-5" may be meant in two ways; write 1pm-5pm or 13:00-17:00, or 01:00-05:00 for a night' },
      { "mon 9:00-5:30", 5,
        '"9:00-5:30" may be meant in two ways; write 9am-5:30pm or 09:00-17:30, or 21:00-05:30 for a night' },
      { "mon 22-6", 5, '"22-6" may be meant in two ways; write 22:00-06:00 for a night, or say am or pm' },
      { "mon 9-midnight", 5, '"9-midnight" may be meant in two ways; write 09:00-24:00, or say am or pm' },
      { "mon 9:00-12:00, 1:30-5:30", 17, '"1:30-5:30" may be meant in two ways; write 1:30pm-5:30pm or 13:30-17:30, '
        .. "or 01:30-05:30 for a night" },
      { "mon 8:30-midnight", 5, '"8:30-midnight" may be meant in two ways; write 08:30-24:00, or say am or pm' },
      { "mon 9-5pm", 5, '"9-5pm" says am or pm of one time only; write the other as 9am or 9pm' },
      { "mon 9am-5", 9, '"9am-5" says am or pm of one time only; write the other as 5am or 5pm' },
      { "mon–fri 9-17; sat", 15, '"sat" has no hours; write 00:00-24:00 after it for all day, or closed' },
      { "mon 22:00-22:00", 5, '"22:00-22:00" ends when it starts; write 00:00-24:00 for a whole day' },
      { "mon 24:00-02:00", 5, "24:00 is an end; write 00:00 to start at midnight" },
      { "mon 23:59-02:00", 5, "a span cannot start at 23:59, which the API reads as midnight; write an earlier time, "
        .. "or 00:00 of the next day" },
      { "mon 9-17, tuseday 9-17", 11, '"tuseday" is not understood; did you mean "tuesday"?' },
      { "mon 9-17 ü", 10, '"ü" is not understood; write hours such as mon-fri 09:00-17:30, sat 10:00-14:00' },
      { "mon-daily 9-17", 5, '"daily" is not understood; write a day, such as fri' },
      { "mon 9-fri 17", 7, '"fri" is not understood; write a time, such as 09:00 or 9am' },
      { "mon - 9-17", 4, "a day expected after the dash; write a colon or a blank before the hours" },
      { "sat 24/7", 5, "24/7 is all of a week; write 00:00-24:00 for all of a day" },
      { "9:00-17:00", 1, "hours without their days; write mon-fri before them, or daily" },
      { "mon 9", 6, "a dash and the time when it ends expected; write 09:00-17:30" },
      { "mon 9-25", 7, "a day has the hours 0 to 24; write a time up to 24:00" },
      { "mon 9:5-10", 5, "minutes are two digits, 00 to 59; write 09:05" },
      { "mon 0900-1700", 5, "more digits than an hour has; write HH:MM, such as 09:00 or 17:30" },
      { "mon 13pm-2", 5, "with am and pm an hour is 1 to 12; write 9am, or 21:00 without pm" },
      { "mon 9-17, closed", 11, "which days are closed? write sun closed, or closed alone" },
      { " , ", 4, "no hours; write mon-fri 09:00-17:30, or closed" },
      { "mon \255", 5, "not UTF-8; write it as UTF-8" },
      { ("mon 9-10,"):rep(10000), 1, "the text is longer than hours can be; shorten it" },
    } do
      local err = raised(handoff.week, row[1])
      local message = ("character %d: %s"):format(row[2], row[3])
      assert.same({ "invalid", "week", "week", row[2], row[1], message },
        { err.kind, err.path, err.rule, err.column, err.value, err.message })
    end
  end)

  it("of what else is no week, too", function()
    for _, value in ipairs { 5, true, handoff.null } do assert.equal("type", raised(handoff.week, value).rule) end
    assert.equal("type", raised(handoff.week).rule)
  end)
end)

describe("hours as slots", function()
  it("are those of a configuration, or plain", function()
    local cfg = document.new()
    assert.equal("mon-fri 09:00-17:30, sat 10:00-14:00, sun 10:00-12:00", tostring(handoff.week(cfg.availability)))
    assert.equal("closed", tostring(handoff.week {}))
    assert.equal("[]", handoff.json.encode(handoff.week "closed":slots()))
  end)

  it("are refused by the path of what is wrong", function()
    local good = { day_span = "monday", start_time = "09:00", end_time = "17:00" }
    local function with(name, value)
      local slot = { day_span = "monday", start_time = "09:00", end_time = "17:00" }
      slot[name] = value
      return { good, slot }
    end
    for _, row in ipairs {
      { with("day_span", "mon"), "week[2].day_span", "day_span" },
      { with("start_time", "9:00"), "week[2].start_time", "time" },
      { with("end_time", "24:00"), "week[2].end_time", "time" },
      { with("end_time", "09:00"), "week[2]", "time_order" },
      { with("end_time", nil), "week[2].end_time", "required" },
      { with("end_time", 17), "week[2].end_time", "type" },
      { { good, "tue 9-17" }, "week[2]", "type" },
    } do
      local err = raised(handoff.week, row[1])
      assert.same({ row[2], row[3] }, { err.path, err.rule })
      local week, broken = core.week.read(row[1])
      assert.same({ "mon 09:00-17:00", 1, row[2], row[3], err.message },
        { tostring(week), #broken, broken[1].path, broken[1].rule, broken[1].message })
    end
    local cfg = document.new {
      availability = '[{"id": 1, "day_span": "monday", "start_time": "10:00", "end_time": "9"}]',
    }
    assert.equal("availability[1].end_time", raised(handoff.week, cfg.availability).path)
  end)

  it("are a list, and neither one slot in its place nor another list", function()
    local cfg = document.new()
    for _, value in ipairs { { day_span = "monday", start_time = "09:00", end_time = "17:00" }, cfg.routing_profiles,
      { [2] = cfg:plain().availability[1] }, cfg.availability[1] } do
      assert.same({ "week", "type" }, { raised(handoff.week, value).path, raised(handoff.week, value).rule })
    end
  end)

  it("cannot tell the last minute of a day from midnight", function()
    local week = handoff.week("mon 09:00-17:00"):shift(6 * 60 + 59)
    local err = raised(week.slots, week)
    assert.same({ "week", "last_minute" }, { err.path, err.rule })
    assert.equal("mon 15:59-24:00", tostring(week:add "mon 17:00-24:00"))
  end)
end)

describe("a week", function()
  local week = handoff.week "mon-fri 09:00-12:00 12:30-17:00, fri 22:00-02:00"

  it("is a set of minutes", function()
    assert.equal(5 * 450 + 240, week:minutes())
    assert.equal("mon,wed-thu 09:00-12:00 12:30-17:00", tostring(
      week:subtract "tue 00:00-24:00" - "fri 00:00-24:00, sat 0-24"))
    assert.equal("mon 11:00-12:00", tostring(week:intersect "mon 11:00-12:30"))
    assert.equal("mon-fri 09:00-17:00", tostring("mon-fri 9-17" - handoff.week "mon-sun 17:00-24:00"))
    assert.is_true(week + "mon 9-12" == week and week + "sun 9-12" ~= week)
    assert.is_true(week:invert():invert() == week and week:invert() + week == handoff.week "24/7")
    assert.equal("sun 23:15-01:15", tostring(handoff.week("mon 0-2"):shift "-45m"))
    assert.equal("tue 02:30-03:30", tostring(handoff.week("mon 01:00-02:00"):shift "25h 30m"))
    assert.is_true(week:shift(10080) == week and week:shift(-61):shift "1h 1m" == week)
  end)

  it("tells what is between, and what is said twice", function()
    assert.equal("mon 12:00-12:30; tue 12:00-12:30; wed 12:00-12:30; thu 12:00-12:30; fri 12:00-12:30",
      spans_text(week:gaps(60)))
    assert.equal("sat 02:00-mon 09:00", spans_text(handoff.week("mon 9-24, tue-fri 0-24, sat 0-2"):gaps()))
    assert.equal("", spans_text(handoff.week("closed"):gaps()) .. spans_text(handoff.week("24/7"):gaps()))
    assert.same({ { from = 6 * 1440 + 1320, to = 10080 + 180, text = "sun 22:00-mon 03:00" } },
      handoff.week("sun 22:00-02:00, mon 01:00-03:00"):spans())
    assert.equal("mon 01:00-02:00; fri 11:00-12:00",
      spans_text(handoff.week("sun 22:00-02:00, mon 01:00-03:00, fri 9-12 11-17"):overlaps()))
    local twice = handoff.week { { day_span = "sunday-monday", start_time = "09:00", end_time = "12:00" },
      { day_span = "monday", start_time = "11:00", end_time = "13:00" } }
    assert.equal("mon 11:00-12:00", spans_text(twice:overlaps()))
    assert.equal("24/7", spans_text(handoff.week("24/7"):spans()))
  end)

  it("is made of its spans again", function()
    for _, text in ipairs { "closed", "24/7", "mon-fri 09:00-17:30, sun 22:00-02:00" } do
      assert.is_true(core.week.of(handoff.week(text):spans()) == handoff.week(text))
    end
    -- the last minute of a day is as the one before it
    assert.equal("mon 22:00-24:00, wed 00:00-01:00", tostring(core.week.of { { from = 1320, to = 1439 },
      { from = 2 * 1440 - 1, to = 2 * 1440 + 60 }, { from = 5 * 1440 - 1, to = 5 * 1440 } }))
    for _, row in ipairs { { {}, "spans[1].from" }, { { from = 10080, to = 10090 }, "spans[1].from" },
      { { from = 5, to = 5 }, "spans[1].to" }, { { from = 5, to = 10086 }, "spans[1].to" },
      { { from = 0, to = 0 / 0 }, "spans[1].to" }, { 5, "spans[1]" } } do
      assert.equal(row[2], raised(core.week.of, { row[1] }).path)
    end
    assert.equal("week", raised(core.week.of, { from = 0, to = 5 }).path)
  end)

  it("is told whole, however many its hours", function()
    local days = {}
    for i, day in ipairs { "mon", "tue", "wed", "thu", "fri", "sat", "sun" } do
      local spans = {}
      for hour = 0, 23 do spans[hour + 1] = ("%02d:%02d-%02d:%02d"):format(hour, i, hour, 30 + i) end
      days[i] = day .. " " .. table.concat(spans, " ")
    end
    local text = table.concat(days, ", ")
    assert.equal(text, tostring(handoff.week(text)))
  end)

  it("is open at a minute, until the next change", function()
    assert.is_true(week:is_open "fri 22:00" and week:is_open "saturday 1:59 am" and week:is_open(9 * 60))
    assert.is_false(week:is_open "sat 02:00" or week:is_open "mon noon" or week:is_open "sun 24:00")
    assert.equal(30, week:next_change "mon 12:00")
    assert.equal(2 * 1440 + 7 * 60, week:next_change "sat 02:00")
    assert.is_nil(handoff.week("24/7"):next_change(0))
    for _, minute in ipairs { -1, 10080, 0.5, 0 / 0, "fri", "fri 6", "now" } do
      assert.equal("minute", raised(week.is_open, week, minute).path)
    end
    assert.equal("minutes", raised(week.shift, week, "soon").path)
  end)

  it("is not changed, and is itself what a week is made of", function()
    local before = tostring(week)
    week:add "sun 0-24"
    week:invert()
    assert.equal(before, tostring(week))
    assert.equal(week, handoff.week(week))
    assert.has_error(function() week.open = true end)
  end)
end)

describe("moments of a week", function()
  it("are a day and a time", function()
    assert.equal(4 * 1440 + 1110, core.week.moment "fri 18:30")
    assert.equal(4 * 1440 + 1110, core.week.moment " Friday 6:30 pm ")
    assert.equal(0, core.week.moment "sun 24:00")
    local _, why = core.week.moment "fri 6"
    assert.equal("character 5: morning or afternoon? write 6am or 6pm", why)
    _, why = core.week.moment "daily 18:30"
    assert.equal('character 1: "daily" is not understood; write a day and a time, such as fri 18:30', why)
    assert.is_nil(core.week.moment "fri 18:30 or so")
    assert.is_nil(core.week.moment "18:30")
  end)
end)

describe("a week as a configuration's hours", function()
  it("changes nothing where the hours are the same, whatever the slots", function()
    local cfg = document.new { availability = [==[[{"id": 1, "day_span": "monday-tuesday", "start_time": "09:00",
      "end_time": "12:00"}, {"id": 2, "day_span": "tuesday-monday", "start_time": "11:00", "end_time": "23:59"},
      {"id": 3, "day_span": "tuesday", "start_time": "10:00", "end_time": "12:00"}]]==] }
    local before = cfg:json()
    cfg.availability = handoff.week "mon-tue 09:00-24:00, wed-sun 11:00-24:00"
    assert.same({}, cfg:changes())
    assert.equal(before, cfg:json())
  end)

  -- The slots of an answer: id, or "new", and what it says.
  local function slots_of(cfg)
    local texts = {}
    for i, slot in ipairs(cfg:plain().availability) do
      texts[i] = ("%s %s %s-%s%s"):format(slot.id or "new", slot.day_span, slot.start_time, slot.end_time,
        slot.note and " note" or "")
    end
    return texts
  end

  it("keeps what stays: slots, then those of the days, then those of the times", function()
    for text, expected in pairs {
      ["mon-fri 9-18, sat 10-14, sun 10-12"] = { "1 monday-friday 09:00-18:00", "2 saturday 10:00-14:00 note",
        "3 sunday 10:00-12:00" },
      ["sun 10-12, sat 10-14"] = { "2 saturday 10:00-14:00 note", "3 sunday 10:00-12:00" },
      ["sat 10-12, sun 10-13"] = { "2 saturday 10:00-12:00 note", "3 sunday 10:00-13:00" },
      ["mon-thu 09:00-17:30, fri 9-12"] = { "1 monday-thursday 09:00-17:30", "new friday 09:00-12:00" },
      ["tue 01:00-02:00"] = { "new tuesday 01:00-02:00" },
      closed = {},
    } do
      local cfg = document.new()
      cfg.availability = handoff.week(text)
      assert.same(expected, slots_of(cfg), text)
      assert.is_true(handoff.week(cfg.availability) == handoff.week(text))
    end
  end)

  it("is taken by a new configuration, and by no other field", function()
    local plain = document.new():plain()
    plain.availability = handoff.week "mon 22:00-02:00"
    assert.equal("mon 22:00-02:00", tostring(handoff.week(assert(handoff.config(plain)).availability)))
    local cfg = document.new()
    for _, part in ipairs { "settings", "generic_guidelines", "routing_profiles" } do
      assert.equal("type", raised(function() cfg[part] = handoff.week "mon 9-17" end).rule)
    end
    assert.equal('a list expected, got the string "mon 9-17"; handoff.week makes hours of a text',
      raised(function() cfg.availability = "mon 9-17" end).message)
    assert.equal("last_minute", raised(function() cfg.availability = handoff.week("mon 9-17"):shift(419) end).rule)
    assert.same({}, cfg:changes())
  end)
end)
