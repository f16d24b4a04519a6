-- SPDX-License-Identifier: MIT
-- The verb hours, as a process and at a terminal.
local columns = require "handoff.columns"
local command = require "support.command"
local json = require("handoff.core").json
local program = require "support.program"
local terminal = require "support.terminal"

-- A file of desired state. @param hours "monday-friday 09:00-17:30 …", or nil: working hours are off
local function state(zone, hours, is_off)
  local slots = {}
  for span, from, to in (hours or ""):gmatch "(%S+) (%S+)-(%S+)" do
    slots[#slots + 1] = ("{ day_span = %q, start_time = %q, end_time = %q }"):format(span, from, to)
  end
  return ("return { settings = { is_active = %s, working_hours_active = %s, %s }, availability = { %s } }\n"):format(
    tostring(not is_off), tostring(hours ~= nil), zone and ("timezone = %q"):format(zone) or "",
    table.concat(slots, ", "))
end

local files = {
  ["shop-uk"] = state("Europe/London", "monday-friday 09:00-12:00 monday-friday 13:00-17:30 saturday 10:00-14:00"),
  ["night-de"] = state("Europe/Berlin", "friday 22:00-23:59 saturday 00:00-02:00 saturday 01:00-04:00"),
  ["tokyo"] = state "Asia/Tokyo", ["ひばり"] = state("Asia/Tokyo", "monday 09:00-12:00", true),
  ["no-zone"] = state(nil, "monday 09:00-12:00"),
}

describe("handoff hours", function()
  local folder, shown, box
  local function put(name, text)
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(text)
    file:close()
  end
  after_each(function()
    if shown then shown:close() end
    if box then box:stop() end
    shown, box = nil, nil
  end)
  setup(function()
    folder = program.folder()
    program.run(("mkdir %s/state %s/one"):format(folder, folder))
    for name, text in pairs(files) do put(("state/%s.lua"):format(name), text) end
    put("one/a.lua", state("Europe/London", "monday-friday 09:15-12:00"))
    put("one/b.lua", state("Europe/London", "monday-friday 12:00-17:30"))
  end)
  teardown(function() program.remove(folder) end)

  local function run(words, more)
    local all = { folder = folder }
    for name, value in pairs(more or {}) do all[name] = value end
    return command.run("hours " .. words, all)
  end
  local function out(words)
    local ran = run(words)
    assert.same({ "", 0 }, { ran.err, ran.status }, words)
    return ran.out
  end

  it("draws an agent a row, now in the head and in each row, and says when nobody is there", function()
    assert.equal([[
The week of Mon 23 Nov 2026, Europe/London; now Wed 25 Nov 13:10

         Wed 25 Nov               Thu 26 Nov
         0     6      ▼    18     0     6     12    18
a        ·········███·◇·········· ·········███············
b        ············█◆███▌······ ············█████▌······
coverage ·········11111111······· ·········11111111·······

Nobody is there (Europe/London): mon 00:00-09:15 17:30-09:15, tue-thu
  17:30-09:15, fri 17:30-24:00, sat-sun 00:00-24:00
█ open, · closed, ◆ now and open, ◇ now and closed, 1-9 how many agents
]], out "--from one --at 2026-11-25T13:10Z --day wed-thu")
  end)

  it("draws each agent in its own zone, or all in one, with what has no hours in words", function()
    local drawn = out "--from state --at 2026-11-28T00:30Z --day sat"
    assert.equal([[
                       Sat 28 Nov
                       0     6     12    18
night-de Europe/Berlin █◆██····················
no-zone                hours unknown
shop-uk Europe/London  ◇·········████··········
tokyo Asia/Tokyo       █████████◆███always open
ひばり                 handoff off
coverage               222111111122221111111111
]], drawn:match "\n\n(.-\n)\n")
    assert.equal([[
         Sat 28 Nov
         0     6  ▼  12    18
night-de ······███◆██············
]], out("--from state --at 2026-11-28T00:30Z --day sat --zone Asia/Tokyo"):match "\n\n(.-\n)no%-zone")
  end)

  it("draws one agent a day a row, with its hours in words, in 80 columns and in 40", function()
    assert.equal([[
shop-uk, Europe/London: open now until 17:30
mon-fri 09:00-12:00 13:00-17:30, sat 10:00-14:00; 41 h 30 min a week

       0     3     6     9       ▼   15    18    21
Wed 25 ··················██████··◆████████·············  09:00-12:00 13:00-17:30
Sat 28 ····················████████····················  10:00-14:00

Closed for less than 6 h: mon-fri 12:00-13:00
█ open, · closed, ◆ now and open, ◇ now and closed
]], out "shop-uk --from state --at 2026-11-25T13:10Z --day wed,sat")
    shown = terminal.open(("cd %s && %s hours shop-uk --from state --day wed,sat --at 2026-11-25T13:10Z"):format(
      folder, command.words()), { columns = 40 })
    assert.equal(0, shown:ends())
    assert.is_nil(terminal.unreadable(shown.read))
    assert.truthy(shown.read:find("\27[32m", 1, true))
    assert.same({
      "shop-uk, Europe/London: open now until", "  17:30", "mon-fri 09:00-12:00 13:00-17:30, sat",
      "  10:00-14:00; 41 h 30 min a week", "       0     6      ▼    18",
      "Wed 25 ·········███·◆███▌······", "       09:00-12:00 13:00-17:30", "Sat 28 ··········████··········",
      "       10:00-14:00", "Closed for less than 6 h: mon-fri", "  12:00-13:00",
      "█ open, · closed, ◆ now and open, ◇ now", "  and closed", "[exit 0]",
    }, shown:screen())
  end)

  it("draws as many days beside each other as a terminal is wide", function()
    for _, row in ipairs { { 80, 2, 4 }, { 40, 1, 7 }, { 190, 7, 1 } } do
      shown = terminal.open(("cd %s && %s hours --from state --at 2026-11-25T13:10Z"):format(folder,
        command.words()), { columns = row[1], rows = 100 })
      assert.equal(0, shown:ends())
      local screen, bands = shown:screen(), 0
      for _, line in ipairs(screen) do
        assert.is_true(columns.width(line) <= row[1], line)
        local _, dates = line:gsub("%a+ %d+ Nov  ", "")
        if line:find "^ +Mon 23 Nov" then assert.equal(row[2], dates + (line:find "Nov$" and 1 or 0)) end
        if line:find "^coverage" then bands = bands + 1 end
      end
      assert.equal(row[3], bands)
      shown:close()
    end
  end)

  it("tells the same in sentences", function()
    assert.equal([[
night-de, Europe/Berlin: closed now until Fri 27 Nov 22:00. Friday 22:00 to
  midnight. Saturday 00:00 to 04:00. In more than one slot: sat 01:00-02:00.
no-zone: settings.timezone: there is no time zone for the working hours; set it,
  as Europe/London.
shop-uk, Europe/London: open now until 17:30. Monday to Friday 09:00 to 12:00
  and 13:00 to 17:30. Saturday 10:00 to 14:00. Closed for less than 6 h: mon-fri
  12:00-13:00.
tokyo, Asia/Tokyo: working hours are off: open at all times.
ひばり, Asia/Tokyo: handoff is off: nobody is offered. Were it on: mon
  09:00-12:00.
Somebody is there at every minute of the week.
]], out "--from state --at 2026-11-25T13:10Z --text")
  end)

  it("names the days on which nobody is there, where it is asked for some", function()
    assert.equal("b, Europe/London: closed now until Mon 30 Nov 12:00. Saturday to Sunday closed.\n",
      (out("b --from one --at 2026-11-28T13:10Z --text --day weekend"):gsub("\n  ", " ")))
  end)

  it("tells of the days that are asked for, and of no others", function()
    program.run(("mkdir -p %s/two"):format(folder))
    put("two/a.lua", state("Europe/London", "monday-saturday 00:00-23:59"))
    put("two/b.lua", state("Europe/London", "monday 09:00-10:00"))
    local function last(words) return out("--from two --text " .. words):match "([^\n]+)\n$" end
    assert.equal("Somebody is there at every minute of these days.", last "--day mon")
    assert.equal("Nobody is there, Europe/London: Sunday all day.", last "")
  end)

  it("does not say that nobody is there where that is not known of all", function()
    program.run(("mkdir -p %s/some"):format(folder))
    put("some/a.lua", state("UTC", "monday 09:00-10:00"))
    put("some/b.lua", state(nil, "monday 10:00-11:00"))
    assert.matches("\nNobody whose hours are known is there %(UTC%): mon 00:00%-09:00 ", out "--from some --day mon")
    assert.matches("\nNobody whose hours are known is there, UTC: Mon", out "--from some --text --day mon")
    run "--from some --html some.html"
    local page = assert(io.open(folder .. "/some.html"))
    assert.truthy(page:read "*a":find("tue-sun 00:00-24:00; not known of 1<", 1, true))
    page:close()
  end)

  it("puts agents below each other whose names take other widths than they have characters", function()
    program.run(("mkdir -p %s/wide"):format(folder))
    for _, name in ipairs { "ＡＢ", "中文", "é", "👍" } do
      put(("wide/%s.lua"):format(name), state("UTC", "monday 09:00-10:00"))
    end
    local drawn = out "--from wide --day mon --at 2026-11-25T12:00Z"
    for name, blanks in pairs { ["ＡＢ"] = 5, ["中文"] = 5, ["é"] = 8, ["👍"] = 7 } do
      assert.truthy(drawn:find(("\n%s%s·"):format(name, (" "):rep(blanks)), 1, true), drawn)
    end
  end)

  it("names the zone of every agent, below where a name leaves no room for it", function()
    program.run(("mkdir -p %s/long"):format(folder))
    put("long/a-name-that-is-rather-long.lua", state("Australia/Lord_Howe", "monday 09:00-10:00"))
    put("long/b.lua", state("Europe/London", "monday 09:00-10:00"))
    local drawn = out "--from long --day mon"
    assert.truthy(drawn:find("\nb Europe/London ", 1, true), drawn)
    assert.truthy(drawn:find("\nAustralia/Lord_Howe: a-name-that-is-rather-long\n", 1, true), drawn)
  end)

  it("does not say that somebody is there where no hours are known", function()
    program.run(("mkdir %s/lost && cd %s && cp state/no-zone.lua lost/a.lua && cp lost/a.lua lost/b.lua"):format(folder,
      folder))
    assert.equal("When somebody is there is not known of any agent.", out("--from lost --text"):match "([^\n]+)\n$")
    local coverage = json.decode(out("--from lost --json"):match "([^\n]+)\n$")
    local told = { coverage.agents, coverage.unknown, coverage.uncovered, coverage.nobody }
    assert.same({ 2, 2 }, told)
    assert.matches("^no%-zone: settings.timezone: there is no time zone [^\n]+\n[^\n]+\n$", out "no-zone --from state")
  end)

  it("gives programs instants, and the coverage last", function()
    local records = {}
    for line in out("--from one --at 2026-10-25T12:00Z --json"):gmatch "[^\n]+" do
      records[#records + 1] = assert(json.decode(line))
    end
    local a, coverage = records[1], records[3]
    assert.same({ "a", "hours", "mon-fri 09:15-12:00", 825, false, "2026-10-26T09:15:00+00:00" },
      { a.agent, a.state, a.text, a.minutes, a.open, a.next_change })
    assert.same({ from = "2026-10-19T09:15:00+01:00", to = "2026-10-19T12:00:00+01:00" }, a.spans[1])
    assert.same({ 336, 2, "Europe/London", "2026-10-19T00:00:00+01:00", "2026-10-26T00:00:00+00:00" },
      { #coverage.coverage, coverage.agents, coverage.zone, coverage.from, coverage.to })
    assert.same({ from = "2026-10-23T17:30:00+01:00", to = "2026-10-26T00:00:00+00:00" },
      coverage.uncovered[#coverage.uncovered])
  end)

  it("says what the clock does in a week in which it changes", function()
    local drawn = out "a --from one --at 2026-03-29T00:30Z"
    assert.truthy(drawn:find("Sun 29 Mar: the clock goes forward by 1 h at 01:00", 1, true), drawn)
    put("late.lua", state("Asia/Beirut", "monday 09:00-10:00")) -- put back at midnight
    assert.truthy(out("late --from late.lua --at 2026-10-25T12:00Z"):find(
      "Sun 25 Oct: the clock goes back by 1 h at 00:00", 1, true))
    assert.matches("all day\n", out "tokyo --from state --day mon")
    local told = out "a --from one --at 2026-03-29T00:30Z --text"
    assert.truthy(told:find("09:15 to\n  12:00. Sun 29 Mar: the clock goes forward by 1 h at 01:00.\n", 1, true), told)
  end)

  it("says what +1 means where agents share a row, and of how many coverage is", function()
    program.run(("mkdir %s/many && cd %s && for i in $(seq 25); do cp one/a.lua many/a$i.lua; done"):format(folder,
      folder))
    local drawn = out "--from many --day mon"
    assert.truthy(drawn:find("\na1 +24  ", 1, true), drawn)
    assert.truthy(drawn:find("▁-█ how many of 25 agents;\n  +1: one more is drawn alike\n", 1, true), drawn)
  end)

  it("shows the agents that it can read, and names the others", function()
    box = command.sandbox(3, { no_rate_limit = true })
    local names = { box.box.agents[1].name, box.box.agents[2].name }
    box.box:revoke(names[1])
    local ran = box:run "hours --retries 0 --day mon"
    assert.equal(5, ran.status)
    assert.truthy(ran.out:find("\n" .. names[2], 1, true))
    assert.is_nil(ran.out:find("\n" .. names[1], 1, true))
    assert.truthy(ran.err:find(names[1], 1, true))
    local json_line = box:run("hours --retries 0 --json " .. names[1]).out
    assert.same({ names[1], "auth" }, { json.decode(json_line).agent, json.decode(json_line).error.kind })
  end)
end)
