-- SPDX-License-Identifier: MIT
local command = require "support.command"
local handoff = require "handoff"
local hours = require "handoff.hours"
local page = require "handoff.page"
local program = require "support.program"
local time = require "handoff.time"
local timetable = require "handoff.timetable"

local YEAR = 366 * 86400

-- Debian's: what it packages is for its own.
local PYTHON = "/usr/bin/python3"

-- What the hours of an agent may be; nil: working hours are off.
local function config(zone, text, is_off)
  return assert(handoff.config {
    settings = { is_active = not is_off, working_hours_active = text ~= nil, timezone = zone },
    availability = handoff.json.array(handoff.week(text or "closed"):slots()),
    generic_guidelines = handoff.json.array {}, custom_guidelines = handoff.json.array {},
    routing_profiles = handoff.json.array {},
  })
end

local function at(text) return assert(time.read(text)) end

local function draw(agents, instant)
  return assert(timetable.new { agents = agents, at = at(instant or "2026-11-25T12:00Z") })
end

local folder

local function save(kind, t)
  local path = folder .. "/week." .. kind
  assert(page.save(kind, t, path))
  return path
end

-- What a program of Python prints.
local function python(words)
  local output, status = program.run(PYTHON .. " " .. words, { LD_PRELOAD = false })
  assert(status == 0, output)
  return output
end

local function lines(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = line end
  return list
end

-- What of one list is not in the other.
local function without(list, other)
  local there, rest = {}, {}
  for _, one in ipairs(other) do there[one] = true end
  for _, one in ipairs(list) do
    if not there[one] then rest[#rest + 1] = one end
  end
  return rest
end

describe("a timetable as a file", function()
  lazy_setup(function() folder = program.folder() end)
  lazy_teardown(function() program.remove(folder) end)

  it("holds any name there may be", function()
    local names = { "a<b>&\"c'", "tab\t, bell \7, C1 \194\133, \239\191\191 and \239\191\190", "bytes \255", "عربي" }
    local agents = {}
    for i, name in ipairs(names) do
      agents[i] = { agent = name, cfg = config("Europe/London", "mon-fri 09:00-17:30") }
    end
    local titles = "import sys, xml.dom.minidom as dom\n"
      .. "for t in dom.parse(sys.argv[1]).getElementsByTagName('title')[1:5]: print(t.firstChild.data.split(';')[0])"
    local shown = {
      names[1], "tab\\t, bell \\u0007, C1 \\u0085, \239\191\189 and \239\191\189", "bytes \\xff", names[4],
    }
    assert.same(shown, lines(python(("-c %s %s"):format(program.quote(titles), save("svg", draw(agents))))))
    assert.is_truthy(page.html(draw(agents)):find("<bdi>a&lt;b&gt;&amp;&quot;c&#39;</bdi>", 1, true))
  end)

  it("draws an hour that the clock skips as closed, and one that comes twice once", function()
    local agents = { { agent = "a", cfg = config("Europe/London", "sun 00:00-06:00") },
      { agent = "b", cfg = config("Europe/London", "mon 09:00-10:00") } }
    local function bars(instant) return page.html(draw(agents, instant)):match '<path d="(.-)"/>' end
    assert.equal("M8640 4h60v16h-60zM8760 4h240v16h-240z", bars "2026-03-25T12:00Z")
    assert.equal("M8640 4h360v16h-360z", bars "2026-10-21T12:00Z")
  end)

  it("calls no day of an agent closed that is off, or whose hours are not known", function()
    for word, cfg in pairs { off = config("Europe/London", "mon-fri 09:00-17:00", true),
      unknown = config("Europe/Lodnon", "mon-fri 09:00-17:00") } do
      local t = draw { { agent = "a", cfg = cfg } }
      for kind, text in pairs { html = page.html(t), svg = page.svg(t) } do
        local _, days = text:gsub(">" .. word .. "</t[de]", "")
        assert.same({ word, 7 }, { word, days }, kind)
        assert.is_nil(text:find "closed")
        assert.is_truthy(text:find("mon-fri 09:00-17:00", 1, true))
      end
    end
    local t = draw { { agent = "a", cfg = config("Europe/Lodnon", "24/7") }, { agent = "b", cfg = config("", "24/7") } }
    assert.is_truthy(page.html(t):find("nobody: not known", 1, true))
    assert.is_truthy(page.svg(t):find("Nobody: not known", 1, true))
  end)

  it("has breaks and what is there twice in words, in the zone that they are in", function()
    local cfg = config("Europe/London", "mon-fri 09:00-12:00 13:00-17:30")
    local t = assert(timetable.new { agents = { { agent = "a", cfg = cfg } }, zone = "Asia/Tokyo", at = 0 })
    for _, text in ipairs { page.html(t), page.svg(t) } do
      assert.is_truthy(text:find("closed in between: mon-fri 12:00-13:00 (Europe/London)", 1, true))
    end
  end)

  it("draws days to the second, and writes them to the minute", function()
    local agents = { { agent = "a", cfg = config("UTC", "mon 10:00-11:00") } }
    local t = assert(timetable.new { agents = agents, zone = "Africa/Monrovia", at = at "1971-06-07T12:00Z" })
    local text = page.html(t) -- 44 min 30 s behind
    assert.is_truthy(text:find('d="M555.5 4h60v16h-60z"', 1, true))
    assert.is_truthy(text:find("09:15-10:16", 1, true))
  end)

  it("leaves names of a picture where they belong", function()
    local cfg = config("UTC", "24/7")
    local agents = { { agent = ("名"):rep(30), cfg = cfg }, { agent = "b", cfg = cfg } }
    assert.is_truthy(page.svg(draw(agents)):find(">" .. ("名"):rep(10) .. "…</text>", 1, true))
  end)

  it("breaks the words below a picture where they do not fit on a line, and has room for all of them", function()
    local days, parts = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" }, {}
    for i, day in ipairs(days) do parts[i] = ("%s %02d:00-10:30 11:00-14:00 15:%d0-18:00"):format(day, i, i % 6) end
    local text = page.svg(draw { { agent = "a", cfg = config("Europe/London", table.concat(parts, ", ")) } })
    local said = text:match "<g role=\"listitem\">.*</g>(.*)</svg>"
    local lines_of, height = {}, tonumber(text:match '^<svg [^>]- height="(%d+)"')
    for y, line in said:gmatch '<text x="24" y="(%d+)" class="s">(.-)</text>' do
      lines_of[#lines_of + 1] = line
      assert.is_true(#line <= 170 and tonumber(y) < height)
    end
    assert.is_true(#lines_of > 1)
    local whole = table.concat(lines_of, " ")
    assert.matches("^a; Europe/London; open until 14:00; mon 01:00", whole)
    for _, part in ipairs(parts) do assert.is_truthy(whole:find(part, 1, true), part) end
  end)

  it("replaces a file at one stroke, and follows no link", function()
    local t = draw { { agent = "a", cfg = config("Europe/London", "mon-fri 09:00-17:30") } }
    local path = save("svg", t)
    program.run(("chmod 644 %s && ln -s %s %s/link"):format(path, path, folder))
    save("svg", t)
    assert.equal("644\n", (program.run("stat -c %a " .. path)))
    local ok, err = page.save("ics", t, folder .. "/link")
    assert.is_nil(ok)
    assert.equal("file", err.kind)
    assert.matches("/link: it cannot be written: it is there and no regular file; name another file$", tostring(err))
  end)

  it("is what `handoff hours` writes", function()
    local box = command.sandbox(3)
    finally(function() box:stop() end)
    local ran = box:run "hours --at 2026-11-25T12:00Z --svg week.svg --html week.html --ics week.ics"
    assert.same({ status = 0, out = "", err = "week.svg is written\nweek.html is written\nweek.ics is written\n" }, ran)
    assert.matches("^<svg ", box:read "week.svg")
    assert.matches("^<!doctype html>", box:read "week.html")
    assert.matches("^BEGIN:VCALENDAR\r\n", box:read "week.ics")
    ran = box:run "hours --html missing/week.html"
    assert.equal(1, ran.status)
    assert.equal("handoff hours: missing/week.html: it cannot be written: No such file or directory; "
      .. "name another file\n", ran.err)
  end)

  describe("a calendar", function()
    -- Hours that a change of the clock cuts, moves, doubles or takes away, and some that it leaves alone.
    local weeks = {
      "mon-fri 09:00-12:00 13:00-17:30, sat 10:00-14:00", "fri-sun 22:00-06:00", "sat-sun 01:15-01:45 02:15-02:45",
      "sat 20:00-24:00, sun 00:00-24:00, mon 00:00-01:00", "24/7", "sun 00:00-02:00 03:00-04:00",
    }
    local zones = {
      "Europe/London", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Nuuk", "Asia/Kathmandu",
      "Asia/Beirut",
    }

    local function every()
      local agents = { { agent = "always", cfg = config() } }
      for _, zone in ipairs(zones) do
        for i, text in ipairs(weeks) do
          agents[#agents + 1] = { agent = ("%s, \\%d;"):format(zone, i), cfg = config(zone, text) }
        end
      end
      return agents
    end

    -- "agent, TAB, from, TAB, to" of the instants that an agent is open
    local function expected(agents, from, to)
      local list = {}
      for _, agent in ipairs(agents) do
        for _, span in ipairs(hours.spans(agent.cfg, from, to)) do
          list[#list + 1] = ("%s open\t%d\t%d"):format(agent.agent, span.from, span.to)
        end
      end
      return list
    end

    it("gives others' libraries, over a year of changes of the clock, exactly the hours that there are", function()
      local agents = every()
      local t = draw(agents, "2026-02-04T12:00Z")
      local from = t.from + 86400 -- by then it is that week everywhere
      local got = lines(python(("spec/support/read_calendar.py %s %d %d"):format(save("ics", t), from, from + YEAR)))
      local wanted = expected(agents, from, from + YEAR)
      assert.is_true(#wanted > 5000)
      assert.same({ lacking = {}, odd = {} }, { lacking = without(wanted, got), odd = without(got, wanted) })
    end)

    it("has all hours of a first week in which the clock changes, or of which some began the week before", function()
      for _, day in ipairs { "2026-10-26", "2026-03-30", "2026-03-25", "2026-02-02" } do
        local agents = {
          { agent = "a", cfg = config("Europe/London", "sun 00:30-24:00, mon 00:00-06:00, wed 12:00-13:00") },
          { agent = "b", cfg = config("Europe/London", "sat 22:00-01:30") },
        }
        local t = draw(agents, day .. "T12:00")
        local from, to = t.from, t.from + YEAR
        local got = lines(python(("spec/support/read_calendar.py %s %d %d"):format(save("ics", t), from, to)))
        assert.same(expected(agents, from, to), got)
      end
    end)

    it("keeps to lines of 75 bytes that end in CRLF, and cuts no character", function()
      local name = ("ü€😀"):rep(20)
      local text = page.ics(draw { { agent = name, cfg = config("Europe/London", weeks[1]) } })
      assert.is_nil(text:gsub("\r\n", ""):find "[\r\n]")
      for line in text:gmatch "(.-)\r\n" do
        assert.is_true(#line <= 75, line)
        assert.is_truthy(handoff.json.encode(line), "whole characters")
      end
      assert.is_truthy(text:gsub("\r\n ", ""):find(("SUMMARY:%s open\r\n"):format(name), 1, true))
    end)

    it("is the same, byte for byte, all week, and changes no event's name while the hours stay", function()
      local agents = { { agent = "a", cfg = config("Europe/London", weeks[1]) } }
      local text = page.ics(draw(agents, "2026-11-23T00:00Z"))
      assert.equal(text, page.ics(draw(agents, "2026-11-29T23:59Z")))
      local function names(calendar)
        local list = {}
        for name in calendar:gmatch "UID:([^\r]*)" do list[#list + 1] = name end
        return list
      end
      assert.same(names(text), names(page.ics(draw(agents, "2027-07-01T12:00Z"))))
    end)

    it("says who is not in it, and holds a zone where nobody is", function()
      local text = page.ics(draw {
        { agent = "off", cfg = config("Europe/London", weeks[1], true) },
        { agent = "never", cfg = config("UTC", "closed") }, { agent = "lost", cfg = config("Europe/Lodnon", weeks[1]) },
      })
      assert.is_truthy(text:find("\r\nX-WR-CALDESC:Not in it: off (off)\\, never (never open)\\, lost (", 1, true))
      assert.is_nil(text:find "BEGIN:VEVENT")
      assert.is_truthy(text:find("BEGIN:VTIMEZONE\r\nTZID:UTC\r\n", 1, true))
    end)
  end)
end)
