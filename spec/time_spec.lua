-- SPDX-License-Identifier: MIT
local time = require "handoff.time"

local NOW = 1795773600 -- Fri 27 Nov 2026 11:00 in Berlin, 10:00 in UTC
local berlin

-- What a text is read as, in Berlin, as ISO; or nil and why.
local function read(text, now)
  local epoch, why = time.read(text, berlin, now or NOW)
  return epoch and time.iso(epoch, berlin), why
end

local function instant(text) return assert(time.read(text, berlin)) end

describe("time.read", function()
  lazy_setup(function() berlin = time.zone "Europe/Berlin" end)

  for text, iso in pairs {
    ["2026-07-01T12:00:05Z"] = "2026-07-01T14:00:05+02:00", ["2026-07-01t12:00-0330"] = "2026-07-01T17:30:00+02:00",
    ["2026-07-01 12:00:00.75 +01"] = "2026-07-01T13:00:00+02:00", ["2024-02-29"] = "2024-02-29T00:00:00+01:00",
    ["2026-11-27T24:00"] = "2026-11-28T00:00:00+01:00", ["2026-12-31T23:59:59"] = "2026-12-31T23:59:59+01:00",
    ["2026-10-25T02:30"] = "2026-10-25T02:30:00+02:00", -- shown twice: the first
    ["2026-10-25T02:30+01:00"] = "2026-10-25T02:30:00+01:00",
    ["now"] = "2026-11-27T11:00:00+01:00", ["1795773600"] = "2026-11-27T11:00:00+01:00",
    ["fri 11:00"] = "2026-11-27T11:00:00+01:00", ["fri 10:59"] = "2026-12-04T10:59:00+01:00",
    ["Monday 6:30 pm"] = "2026-11-30T18:30:00+01:00", ["11:00"] = "2026-11-27T11:00:00+01:00",
    ["10:59"] = "2026-11-28T10:59:00+01:00", [" 9pm "] = "2026-11-27T21:00:00+01:00",
    ["24:00"] = "2026-11-28T00:00:00+01:00", ["tomorrow 24:00"] = "2026-11-29T00:00:00+01:00",
    ["fri 24:00"] = "2026-11-28T00:00:00+01:00",
    ["today 9am"] = "2026-11-27T09:00:00+01:00", ["Tomorrow 09:00"] = "2026-11-28T09:00:00+01:00",
  } do
    it(("takes %q"):format(text), function() assert.equal(iso, (read(text))) end)
  end

  it("takes instants, without their fraction, and nothing for now", function()
    assert.equal(NOW, time.read(NOW + 0.75, berlin))
    assert.equal(-1, time.read(-0.5))
    assert.equal(NOW, time.read(nil, berlin, NOW + 0.5))
    assert.is_true(math.abs(time.read() - os.time()) <= 1)
  end)

  it("is in UTC without a zone", function()
    assert.equal(NOW, time.read "2026-11-27T10:00")
    assert.equal("2026-11-27T10:00:00+00:00", time.iso(NOW))
  end)

  it("leaves out what the clocks skip where the next such time is meant, and says so where that time is", function()
    local saturday = instant "2026-03-28T12:00"
    assert.equal("2026-03-30T02:30:00+02:00", (read("02:30", saturday)))
    assert.equal("2026-04-05T02:30:00+02:00", (read("sun 02:30", saturday)))
    for _, text in ipairs { "2026-03-29T02:00", "2026-03-29T02:59:59", "tomorrow 02:30" } do
      local epoch, why = read(text, saturday)
      assert.is_nil(epoch)
      assert.equal(('"%s" is a time that the clocks there skip; the next one that they show is %s'):format(text,
        "2026-03-29T03:00:00+02:00"), why)
    end
  end)

  it("never gives the past where the next such time is meant, not even in an hour that comes twice", function()
    local second = instant "2026-10-25T02:30+01:00"
    assert.equal("2026-10-26T02:15:00+01:00", (read("02:15", second)))
    assert.equal("2026-11-01T02:15:00+01:00", (read("sun 02:15", second)))
  end)

  it("means the second of two where the first is past", function()
    local first, second = instant "2026-10-25T02:30+02:00", instant "2026-10-25T02:30+01:00"
    assert.equal("2026-10-25T02:15:00+01:00", (read("02:15", first)))
    assert.equal("2026-10-25T02:15:00+01:00", (read("sun 02:15", first)))
    assert.equal("2026-10-25T02:45:00+02:00", (read("02:45", first)))
    assert.equal("2026-10-25T02:45:00+01:00", (read("02:45", second)))
    assert.equal("2026-10-26T01:59:00+01:00", (read("01:59", first)))
  end)

  for text, why in pairs {
    ["2026-02-29"] = "there is no such date or time", ["2026-13-01"] = "there is no such date or time",
    ["2026-11-00"] = "there is no such date or time", ["2026-11-27T24:01"] = "there is no such date or time",
    ["2026-11-27T12:60"] = "there is no such date or time", ["0001-01-01"] = "there is no such date or time",
    ["2026-11-27T18:30 CET"] = '"CET" is no offset; write Z, +01:00', ["2026-11-27T18:30+1"] = '"+1" is no offset',
    ["2026-11-27T18"] = "is no time; write 2026-11-27T18:30, fri 18:30", ["2026-11-27 9pm"] = "is no time; write 2026",
    [""] = "is no time; write", ["fri"] = "is no time; write", ["soon"] = "is no time; write",
    ["25:00"] = "is no time; write",
    ["12345"] = "is no time; write", ["tomorrow"] = "is no time; write", ["tomorrow soon"] = "is no time; write",
    ["fri 25:00"] = '"fri 25:00": character 5: ', ["fry 18:30"] = '"fry 18:30": character 1: ',
    ["fri\27[2J"] = '"fri\\u001b[2J" is no time',
  } do
    it(("refuses %q and says what to write"):format(text), function()
      local epoch, message = read(text)
      assert.is_nil(epoch)
      assert.matches(why, message, 1, true)
      assert.not_matches("[%c]", message)
    end)
  end

  it("refuses what is no text and no instant", function()
    for _, wrong in ipairs { 1 / 0, 0 / 0, 1e11, {}, true } do
      local epoch, why = time.read(wrong, berlin)
      assert.is_nil(epoch)
      assert.matches("expected", why)
    end
  end)
end)

describe("a time in words", function()
  it("is a date as clocks show it", function()
    assert.equal("Fri 27 Nov 2026 11:00", time.text(NOW, berlin))
    assert.equal("Thu 1 Jan 1970 00:00:07", time.text(7))
    assert.equal("2026-11-27T06:30:00-03:30", time.iso(NOW, time.zone "America/St_Johns"))
    assert.equal("1970-01-01T00:00:00+00:00", time.iso(0, time.zone "Africa/Monrovia")) -- 44 min 30 s behind
  end)

  for seconds, text in pairs {
    [0] = "0 s", [59] = "59 s", [60] = "1 min", [61] = "1 min 1 s", [3600] = "1 h", [5459] = "1 h 30 min",
    [46 * 3600] = "1 d 22 h", [86400 * 9 + 59] = "9 d",
  } do
    it(("is %s of a length"):format(text), function() assert.equal(text, time.duration(seconds)) end)
  end
end)
