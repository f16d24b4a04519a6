-- SPDX-License-Identifier: MIT
--- The verb when.
local command = require "support.command"
local core = require "handoff.core"

-- The file of an agent that is open by its hours; with more slots, as they stand in JSON.
local function file(availability)
  return ([[{"settings":{"is_active":true,"working_hours_active":true,"timezone":"Europe/Berlin",
    "confirmation_message":"Soon.","confirmation_outside_working_hours_message":"At nine."}, "availability":[
      {"day_span":"monday-friday","start_time":"09:00","end_time":"17:30"}%s]}]]):format(availability or "")
end

describe("handoff when", function()
  local box
  setup(function() box = command.sandbox(2) end)
  teardown(function() box:stop() end)

  local function when(words, text)
    box:write("shop.json", text)
    return box:run("when shop --from shop.json " .. words)
  end

  local function says(words, text, lines)
    local ran = when(words, text)
    assert.same({ "", table.concat(lines, "\n") .. "\n", 0 }, { ran.err, ran.out, ran.status })
  end

  it("says whether a human is offered, until when, and what the visitor reads", function()
    says("--at 2026-11-27T16:00", file(), {
      "Fri 27 Nov 2026 16:00 (Europe/Berlin): a human is offered: it is within working hours",
      "until Fri 27 Nov 2026 17:30, 1 h 30 min later",
      "hours: mon-fri 09:00-17:30",
      "a visitor who confirms reads: Soon. (settings.confirmation_message)",
    })
    says("--at 2026-11-27T17:30+01:00", file(), {
      "Fri 27 Nov 2026 17:30 (Europe/Berlin): no human is there: it is outside working hours",
      "until Mon 30 Nov 2026 09:00, 2 d 15 h later",
      "hours: mon-fri 09:00-17:30",
      "a visitor who confirms reads: At nine. (settings.confirmation_outside_working_hours_message)",
    })
  end)

  it("names the switch that decides, and an empty message", function()
    says("--at 2026-11-27T16:00", '{"settings":{"is_active":false}}', {
      "Fri 27 Nov 2026 16:00 (UTC): no human is offered: handoff is off (settings.is_active)",
      "at any other time, too",
      "a visitor is not asked, and reads nothing",
    })
    local always = '{"settings":{"is_active":true,"working_hours_active":false,"timezone":"Asia/Tokyo"}}'
    says("--at 2026-11-27T16:00", always, {
      "Fri 27 Nov 2026 16:00 (Asia/Tokyo): a human is offered: handoff is on, and working hours are off "
        .. "(settings.working_hours_active)",
      "at any other time, too",
      "a visitor who confirms reads nothing: settings.confirmation_message is empty",
    })
  end)

  it("gives the same as JSON", function()
    local ran = when("--at 2026-11-27T16:00 --json", file())
    assert.same({
      format_version = 1, agent = "shop", at = "2026-11-27T16:00:00+01:00", open = true, reason = "open",
      timezone = "Europe/Berlin", hours = "mon-fri 09:00-17:30", next_change = "2026-11-27T17:30:00+01:00",
      reads = { field = "settings.confirmation_message", text = "Soon." },
    }, core.json.decode(ran.out))
  end)

  it("refuses a time that the clocks of the agent's zone skip, and a zone that is missing", function()
    local ran = when("--at 2027-03-28T02:30", file())
    assert.same({ "", 64 }, { ran.out, ran.status })
    assert.matches("^handoff when: %-%-at: .* skip; the next one that they show is 2027%-03%-28T03:00:00", ran.err)
    ran = when("", '{"settings":{"is_active":true,"working_hours_active":true}}')
    assert.same({ "", 1 }, { ran.out, ran.status })
    assert.matches("settings.timezone: there is no time zone for the working hours; set it", ran.err)
  end)

  it("says whose file it has where it has none of this agent", function()
    box:write("shop.json", file())
    local ran = box:run "when kiosk --from shop.json"
    assert.same({ "", "handoff when: kiosk: shop.json has nothing of this agent; it has shop\n", 64 },
      { ran.out, ran.err, ran.status })
  end)

  it("asks a live agent, and leaves out what is no slot, by name", function()
    local name = box.box.agents[1].name
    box.box:store(name, (file(',{"day_span":"someday","start_time":"09:00","end_time":"10:00"}'):gsub("}$",
      ',"generic_guidelines":[],"custom_guidelines":[],"routing_profiles":[]}')))
    local ran = box:run(("when %s --at 'mon 10:00'"):format(name))
    assert.equal(0, ran.status)
    assert.matches("hours: mon%-fri 09:00%-17:30\n", ran.out)
    assert.matches("^availability%[2%].*someday.*; the slot is left out here\n$", ran.err)
  end)
end)
