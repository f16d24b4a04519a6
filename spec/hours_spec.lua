-- SPDX-License-Identifier: MIT
local document = require "support.document"
local handoff = require "handoff"
local hours = require "handoff.hours"
local time = require "handoff.time"
local zdump = require "support.zdump"

-- A configuration with these hours, and settings beside what it takes to be open by them.
local function config(text, settings)
  local cfg = handoff.config(document.text())
  cfg.availability = handoff.week(text):slots()
  for name, value in pairs(settings or {}) do cfg.settings[name] = value end
  return cfg
end

-- The same with a text of settings as the service may send it.
local function sent(settings) return handoff.config(document.text { settings = settings }) end

local function iso(list, zone)
  local texts = {}
  for i, span in ipairs(list) do texts[i] = time.iso(span.from, zone) .. " " .. time.iso(span.to, zone) end
  return texts
end

describe("a configuration", function()
  it("is open by the clocks of its zone, up to but not with the end", function()
    local cfg = config "mon-fri 09:00-17:30"
    for text, open in pairs {
      ["2026-11-27T08:59:59"] = false, ["2026-11-27T09:00"] = true, ["2026-11-27T17:29:59"] = true,
      ["2026-11-27T17:30"] = false, ["2026-11-27T08:00Z"] = true, ["2026-11-28T12:00"] = false, ["fri 12:00"] = true,
    } do
      assert.same({ open, open and "open" or "closed" }, { cfg:is_open(text) }, text)
    end
    local zone = hours.zone(cfg)
    assert.equal("2026-11-27T17:30:00+01:00", time.iso(cfg:next_change "2026-11-27T09:00", zone))
    assert.equal("2026-11-30T09:00:00+01:00", time.iso(cfg:next_change "2026-11-27T17:30", zone))
    assert.equal("boolean", type(cfg:is_open()))
  end)

  it("has an hour that comes twice twice, and one that is skipped not at all", function()
    local cfg = config("sun 02:00-02:30", { timezone = "Europe/Berlin" })
    local zone = hours.zone(cfg)
    assert.same({
      "2026-10-25T02:00:00+02:00 2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00 2026-10-25T02:30:00+01:00",
    }, iso(hours.spans(cfg, "2026-10-25", "2026-10-26"), zone))
    assert.same({}, hours.spans(cfg, "2026-03-29", "2026-03-30"))
    assert.equal("2026-04-05T02:00:00+02:00", time.iso(cfg:next_change "2026-03-28T12:00", zone))
  end)

  it("has one span over midnight, over sunday, and over a change of the clocks", function()
    local cfg = config("daily 22:00-06:00", { timezone = "Europe/Berlin" })
    assert.same({
      "2026-03-28T22:00:00+01:00 2026-03-29T06:00:00+02:00", "2026-03-29T22:00:00+02:00 2026-03-30T00:00:00+02:00",
    }, iso(hours.spans(cfg, "2026-03-28T12:00", "2026-03-30"), hours.zone(cfg)))
    assert.equal("2026-03-30T06:00:00+02:00", time.iso(cfg:next_change "2026-03-30T03:00", hours.zone(cfg)))
  end)

  it("changes only after a day that a zone left out", function()
    local cfg = config("fri 10:00-11:00", { timezone = "Pacific/Apia" }) -- had no friday, 30 December 2011
    assert.equal("2012-01-06T10:00:00+14:00", time.iso(cfg:next_change "2011-12-23T11:00", hours.zone(cfg)))
  end)

  it("never changes where it is off, always open, or closed all week", function()
    for reason, cfg in pairs {
      off = config("mon 09:00-10:00", { is_active = false }),
      always = config("mon 09:00-10:00", { working_hours_active = false }),
      open = config "24/7", closed = config "closed",
    } do
      local open = reason == "always" or reason == "open"
      assert.same({ open, reason }, { cfg:is_open(0) })
      assert.same({}, { cfg:next_change(0) })
      assert.same(open and { { from = 10, to = 20 } } or {}, hours.spans(cfg, 10, 20))
    end
  end)

  it("has no change after the last instant there is, nor is it asked for one", function()
    local cfg = config("mon 09:00-10:00", { timezone = "UTC" })
    assert.same({ false, "closed" }, { cfg:is_open(1e10) })
    assert.same({}, { cfg:next_change(1e10) })
    assert.same({}, { cfg:next_change(1e10 - 60) })
    assert.equal("1653-02-10T09:00:00+00:00", time.iso((cfg:next_change(-1e10))))
  end)

  it("is off or always open whatever its zone is", function()
    assert.same({ false, "off" }, { sent '{"working_hours_active":true}':is_open() })
    assert.same({ true, "always" }, { sent '{"is_active":true,"timezone":"Mars/Base"}':is_open "fri 10:00" })
  end)

  for zone, why in pairs {
    ["null"] = "there is no time zone for the working hours; set it, as Europe/London",
    ['"Mars/Base"'] = '"Mars/Base" is no time zone; write Area/City, such as Europe/London',
    ['"Europe/Londn"'] = '"Europe/Londn" is no time zone; did you mean "Europe/London"?',
  } do
    it("is neither open nor closed in the zone " .. zone, function()
      local cfg = sent(('{"is_active":true,"working_hours_active":true,"timezone":%s}'):format(zone))
      local function spans(of) return hours.spans(of, 0, 1) end
      for _, ask in ipairs { hours.is_open, hours.next_change, hours.at, spans } do
        local answer, err = ask(cfg)
        assert.is_nil(answer)
        assert.equal("invalid", err.kind)
        assert.equal("settings.timezone: " .. why, tostring(err))
      end
    end)
  end

  it("has the hours of its good slots, and names the others", function()
    local cfg = handoff.config(document.text { availability = [==[[
      {"day_span":"monday","start_time":"09:00","end_time":"10:00"}, {"day_span":"mon","start_time":"9","end_time":"10"}
    ]]==] })
    local week, broken = hours.week(cfg)
    assert.equal("mon 09:00-10:00", tostring(week))
    assert.equal(1, #broken)
    assert.matches("^availability%[2%]", broken[1].path)
    assert.same({ true, "open" }, { cfg:is_open "2026-11-30T09:30" })
  end)

  it("raises at the script's line where the time is none", function()
    local cfg = config "24/7"
    for _, ask in ipairs { cfg.is_open, cfg.next_change } do
      local ok, err = pcall(ask, cfg, "someday")
      assert.is_false(ok)
      assert.equal("time", err.path)
      assert.matches('^spec/hours_spec.lua:%d+: time: "someday" is no time; write', tostring(err))
    end
  end)
end)

-- Zones whose clocks change at odd times, by odd amounts, on odd days; with years in which they do. Monrovia was 44 min 30 s
-- behind, Apia left out a day.
local hard = {
  { "Europe/London", 2026 }, { "America/New_York", 2027 }, { "Australia/Lord_Howe", 2026 },
  { "Africa/Casablanca", 2026 },
  { "Europe/Dublin", 2026 }, { "America/Nuuk", 2027 }, { "Asia/Kathmandu", 1985 }, { "Pacific/Apia", 2011 },
  { "Africa/Monrovia", 1972 }, { "Antarctica/Troll", 2026 }, { "Africa/Cairo", 2026 },
}

local weeks = {
  "daily 00:00-03:00", "sun 01:30-02:15, sat 23:00-01:00", "mon-sun 02:30-02:31, fri 22:00-08:00, thu 00:00-12:00",
}

local MONDAY, DAY = 4 * 86400, 86400

-- Whether it is open by what zdump says of the zone: nothing here is shared with what is tested.
local function probe(week, change, epoch)
  local side = epoch < change.epoch and change.before or change.after
  return week:is_open(math.floor((epoch + side.offset - MONDAY) / 60) % 10080)
end

-- The list of spans holds against a look at each minute, and at the seconds beside each end.
local function assert_spans(week, change, list, from, to)
  local at = 1
  for epoch = from, to - 1, 60 do
    while list[at] and list[at].to <= epoch do at = at + 1 end
    local open = list[at] ~= nil and list[at].from <= epoch
    if open ~= probe(week, change, epoch) then error(("%d seconds after the change"):format(epoch - change.epoch)) end
  end
  for i, span in ipairs(list) do
    assert.is_true(not list[i - 1] or list[i - 1].to < span.from)
    assert.is_true(probe(week, change, span.from) and probe(week, change, span.to - 1))
    assert.is_true(span.from == from or not probe(week, change, span.from - 1))
    assert.is_true(span.to == to or not probe(week, change, span.to))
  end
end

-- So do the answers at one instant: before, at and after each end.
local function assert_answers(week, change, cfg, list)
  for i, span in ipairs(list) do
    for _, epoch in ipairs { span.from - 1, span.from, span.to - 1, span.to } do
      assert.equal(probe(week, change, epoch), (cfg:is_open(epoch)))
    end
    if i > 1 then assert.equal(span.from, cfg:next_change(span.from - 1)) end
    if i < #list then
      assert.equal(span.to, cfg:next_change(span.from))
      assert.equal(list[i + 1].from, cfg:next_change(span.to))
    end
  end
end

describe("hours beside a change of the clocks", function()
  for _, row in ipairs(hard) do
    local name, year = row[1], row[2]
    it("are right in " .. name, function()
      local changes = zdump.changes({ name }, year, year + 1)[name]
      assert.is_true(#changes > 0)
      for _, text in ipairs(weeks) do
        local cfg, week = config(text, { timezone = name }), handoff.week(text)
        for _, change in ipairs(changes) do
          local from, to = change.epoch - 2 * DAY - 7, change.epoch + 2 * DAY + 11
          local list = hours.spans(cfg, from, to)
          assert_spans(week, change, list, from, to)
          assert_answers(week, change, cfg, list)
        end
      end
    end)
  end
end)
