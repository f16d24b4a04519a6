-- SPDX-License-Identifier: MIT
local program = require "support.program"
local zdump = require "support.zdump"
local zone = require "handoff.zone"

local names, changes_of

local function each_zone(fn)
  for _, name in ipairs(names) do fn(name, assert(zone.open(name)), changes_of[name]) end
end

local function assert_side(name, at, epoch, side)
  local offset, abbreviation, is_dst = at:offset(epoch)
  assert.same({ side.offset, side.abbreviation, side.is_dst }, { offset, abbreviation, is_dst }, name)
  local shown = at:local_time(epoch)
  assert.equal(side.offset, shown.offset)
  shown.offset = nil
  assert.same(side.shown, shown, name)
end

describe("a zone", function()
  lazy_setup(function()
    names = zdump.names()
    assert.is_true(#names > 300, "the system has its zones")
    changes_of = zdump.changes(names, 2020, 2036)
  end)

  it("says what zdump says, of every zone there is, in the second before and after each change", function()
    local count = 0
    each_zone(function(name, at, changes)
      for _, change in ipairs(changes) do
        count = count + 1
        assert_side(name, at, change.epoch - 1, change.before)
        assert_side(name, at, change.epoch, change.after)
      end
    end)
    assert.is_true(count > 3000)
  end)

  it("goes from change to change as zdump lists them, and no further", function()
    local from, to = 1577836800, 2082758400 -- the begins of 2020 and 2036
    each_zone(function(name, at, changes)
      local epoch = at:next_transition(from - 1)
      for i, change in ipairs(changes) do
        assert.equal(change.epoch, epoch, name .. i)
        epoch = at:next_transition(epoch)
      end
      assert.is_true(not epoch or epoch >= to, name)
    end)
  end)

  it("takes no change for one that changes nothing, as Tbilisi's file has in March 1997", function()
    local changes = zdump.changes({ "Asia/Tbilisi" }, 1997, 1998)["Asia/Tbilisi"]
    assert.equal(changes[1].epoch, zone.open("Asia/Tbilisi"):next_transition(852076800)) -- the begin of 1997
  end)

  it("finds the instant of a local time: the first of two, and what comes after a skipped one", function()
    each_zone(function(name, at, changes)
      for _, change in ipairs(changes) do
        local gained, after = change.after.offset - change.before.offset, change.after.shown
        assert.equal(change.epoch - 1, at:epoch(change.before.shown), name)
        local first = gained < 0 and change.epoch + gained or change.epoch
        assert.equal(first, at:epoch(after), name)
        if gained > 0 then
          local skipped = { year = after.year, month = after.month, day = after.day, hour = after.hour }
          skipped.min, skipped.sec = after.min, after.sec - 1
          assert.same({ nil, change.epoch }, { at:epoch(skipped) }, name)
          skipped.sec = after.sec - gained
          assert.same({ nil, change.epoch }, { at:epoch(skipped) }, name)
        end
      end
    end)
  end)

  it("takes fields out of their ranges as os.time does, and has the day's begin without a time", function()
    local at = zone.open "Asia/Kathmandu" -- 5:45 ahead
    assert.equal(at:epoch { year = 2027, month = 1, day = 1, hour = 0 }, at:epoch { year = 2026, month = 12, day = 32 })
    assert.equal(1798748100, at:epoch { year = 2027, month = 1, day = 1, min = 120 })
  end)

  it("drops the fraction of an instant, before 1970 too", function()
    local at = zone.open "UTC"
    assert.equal(59, at:local_time(-0.5).sec)
    assert.equal(0, at:local_time(0.5).sec)
  end)

  for name, message in pairs {
    ["Europe/Londn"] = '"Europe/Londn" is no time zone; did you mean "Europe/London"?',
    ["Nowhere"] = '"Nowhere" is no time zone; write Area/City, such as Europe/London',
    ["Europe/London\27"] = [["Europe/London\u001b" is no time zone; did you mean "Europe/London"?]],
    [":UTC"] = '":UTC" is no time zone; did you mean "UTC"?',
    ["EST5EDT4"] = "no time zone",
    ["UTC\0x"] = [["UTC\u0000x" is no time zone]],
  } do
    it(("is not opened by %q"):format(name), function()
      local at, err = zone.open(name)
      assert.is_nil(at)
      assert.equal("invalid", err.kind)
      assert.matches(message, tostring(err), 1, true)
    end)
  end

  it("refuses what is no instant and no date, and all once it is closed", function()
    local at = zone.open "UTC"
    for _, wrong in ipairs { 1 / 0, -1 / 0, 0 / 0, 1e11, "x", {} } do
      assert.is_false(pcall(at.offset, at, wrong))
    end
    for _, wrong in ipairs { {}, { year = 2026, month = 1 }, { year = 3000, month = 1, day = 1 },
      { year = 2026, month = 1.5, day = 1 }, { year = 2026, month = "1", day = 1 },
      { year = 2026, month = 1e9, day = 1 } } do
      assert.is_false(pcall(at.epoch, at, wrong))
    end
    at:close()
    at:close()
    assert.error_matches(function() at:offset(0) end, "the zone is closed")
    assert.is_false(pcall(at.offset, io.stdout, 0))
  end)

  it("says what to install where the system has no zones", function()
    local folder = program.folder()
    local script = ' -e "print(require [[handoff.zone]].open [[Europe/London]])"'
    local output = program.run(program.lua .. script, { TZDIR = folder })
    program.remove(folder)
    assert.equal('nil\tthis system has no data of the time zone "Europe/London"; install tzdata\n', output)
  end)
end)
