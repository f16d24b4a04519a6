-- SPDX-License-Identifier: MIT
local browser = require "support.browser"
local handoff = require "handoff"
local page = require "handoff.page"
local program = require "support.program"
local time = require "handoff.time"
local timetable = require "handoff.timetable"

local HOSTILE = [[<script>window.broken = 1</script><img src="http://127.0.0.1:9/x" onerror="broken = 1">&amp;"']]

local function config(zone, text, is_off)
  return assert(handoff.config {
    settings = { is_active = not is_off, working_hours_active = true, timezone = zone },
    availability = handoff.json.array(handoff.week(text):slots()), generic_guidelines = handoff.json.array {},
    custom_guidelines = handoff.json.array {}, routing_profiles = handoff.json.array {},
  })
end

local agents = {
  { agent = "shop-uk", cfg = config("Europe/London", "mon-fri 09:00-12:00 13:00-17:30, sat 10:00-14:00") },
  { agent = "shop-jp", cfg = config("Asia/Tokyo", "fri-sat 22:00-02:00") },
  { agent = HOSTILE, cfg = config("Europe/Berlin", "24/7") },
  { agent = "quiet", cfg = config("Europe/Berlin", "mon-fri 09:00-17:00", true) },
  { agent = ("long-"):rep(39), cfg = config("Europe/Lodnon", "mon-fri 09:00-17:00") },
}

local now = assert(time.read "2026-11-26T11:20Z")

describe("a page", function()
  local b, folder, many, one, picture

  local function save(kind, name, t)
    local path = ("%s/%s.%s"):format(folder, name, kind)
    assert(page.save(kind, t, path))
    return path
  end

  lazy_setup(function()
    folder = program.folder()
    local all = assert(timetable.new { agents = agents, at = now })
    many, picture = save("html", "many", all), save("svg", "many", all)
    one = save("html", "one", assert(timetable.new { agents = { agents[1] }, at = now }))
    b = browser.start()
  end)
  lazy_teardown(function()
    b:close()
    program.remove(folder)
  end)

  -- The page of many with something else in it → its path.
  local function altered(name, pattern, text)
    local path = ("%s/%s.html"):format(folder, name)
    local file = assert(io.open(many, "rb"))
    local page_text = file:read "*a"
    file:close()
    file = assert(io.open(path, "wb"))
    file:write((page_text:gsub(pattern, text)))
    file:close()
    return path
  end

  -- Of the elements that are to be seen.
  local function texts(selector)
    return b:run("return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility())"
      .. ".map(e => e.textContent)", selector)
  end

  it("shows names as they are, asks for nothing, and has nothing to complain of", function()
    for _, path in ipairs { many, one, picture } do
      b:open(path)
      assert.same({}, b:console())
      assert.same({ "file://" .. path }, b:asked())
    end
    b:open(many)
    local names = {}
    for i, agent in ipairs(agents) do names[i] = agent.agent end
    assert.same(names, texts "tbody bdi")
    assert.is_true(b:run "return window.broken === undefined && document.images.length === 0")
  end)

  it("runs no script but its own, whatever stands in it", function()
    b:open(altered("harmed", "</main>", "<script>window.broken = 1</script><img src='http://127.0.0.1:9/x'>%0"))
    assert.is_true(b:run "return window.broken === undefined")
    assert.equal(2, #b:console())
    b:keys "/quiet"
    assert.same({ "quiet" }, texts "tbody bdi")
  end)

  it("is used with the keyboard alone", function()
    b:open(many)
    b:keys(browser.key.tab)
    assert.equal("filter", b:await "document.activeElement.id") -- the key may be taken up a moment later
    b:keys "SHOP  open"
    assert.same({ "shop-uk" }, texts "tbody bdi")
    assert.equal("1 of 5", b:run "return document.getElementById('told').textContent")
    b:keys(browser.key.escape)
    assert.equal(5, #texts "tbody bdi")
    assert.equal("", b:run "return document.getElementById('told').textContent")
    b:keys "/tokyo"
    assert.same({ "shop-jp" }, texts "tbody bdi")
  end)

  it("tells a screen reader all that is drawn", function()
    b:open(many)
    assert.same({ "table", "Agents, whether each is open, and its hours" }, { b:role "table", b:label "table" })
    assert.same({ "searchbox", "Filter" }, { b:role "#filter", b:label "#filter" })
    assert.same({ "rowheader", "columnheader" }, { b:role "tbody th", b:role "thead th" })
    assert.equal("true", b:run "return document.querySelector('tbody svg').getAttribute('aria-hidden')")
    assert.same({ "open until 12:00", "closed until Fri 22:00", "always open", "off", "unknown" }, texts "tbody .said")
    assert.matches("^mon%-fri 09:00%-12:00 13:00%-17:30, sat 10:00%-14:0041 h 30 min a week",
      texts("tbody .hours")[1])
    b:open(one)
    assert.same({ "09:00-12:00, 13:00-17:30", "10:00-14:00", "closed" },
      b:run "return [0, 5, 6].map(i => document.querySelectorAll('tbody .hours')[i].textContent)")
    assert.equal("Thu 26 Nov", b:run "return document.querySelector('[aria-current=date] th').textContent")
    b:open(picture)
    assert.equal(6, b:run "return document.querySelectorAll('[role=list] > [role=listitem]').length")
    assert.is_truthy(b:run("return document.querySelector('[role=listitem] title').textContent"):find(
      "shop-uk; Europe/London; open until 12:00; mon-fri 09:00", 1, true))
  end)

  it("is drawn to the minute", function()
    b:open(many)
    local bars = b:run "return document.querySelector('tbody svg path').getAttribute('d')"
    assert.equal("M540 4h180v16h-180zM780 4h270v16h-270z", bars:sub(1, 38))
    assert.equal("M5000 0v24", b:run "return document.querySelector('tbody .now').getAttribute('d')")
  end)

  it("can be read in light and dark, and is no wider than the window", function()
    for _, path in ipairs { many, one } do
      b:open(path)
      for _, name in ipairs { "light", "dark" } do
        b:scheme(name)
        for _, width in ipairs { 320, 390, 800, 1024, 1025, 1280, 1920 } do
          b:width(width)
          assert.equal(width, b:run "return Math.max(innerWidth, document.documentElement.scrollWidth)")
          assert.same({}, b:faint())
        end
      end
    end
  end)

  it("has its table, and no filter, where no script runs", function()
    b:open(altered("still", "<script>.-</script>", ""))
    assert.equal(#agents, #texts "tbody bdi")
    assert.same({}, texts "#find, #find *")
  end)
end)
