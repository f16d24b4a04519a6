-- SPDX-License-Identifier: MIT
-- What is read from texts and written as texts: hours, tokens, paths, selections, times, pages.
local list = {}
local function add(op) list[#list + 1] = op end
local function pure(name, run, more)
  local op = { name = name, run = run }
  for key, value in pairs(more or {}) do op[key] = value end
  add(op)
end

local sample = require "bench.sample"
local refused = require "torture.refused"

local function handoff() return require "handoff" end
local function core() return require "handoff.core" end
local function cfg_of() return assert(handoff().config(sample)) end

local NOON = 1795608000 -- 2026-11-25T12:00Z

-- ---- the week ------------------------------------------------------------------------------------------------------------

local night = "mon-thu 09:00-12:00 13:00-17:30; fri 22:00-02:00; Saturday: 9am – 5:30pm"

pure("week text", function() return tostring(handoff().week(night)) end)
pure("week slots", function()
  local texts = {}
  for i, slot in ipairs(handoff().week(night):slots()) do
    texts[i] = slot.day_span .. slot.start_time .. slot.end_time
  end
  return texts
end)
pure("week sets", function()
  local a, b = handoff().week(night), handoff().week "daily 10:00-11:00"
  return { tostring(a + b), tostring(a - b), tostring(a:intersect(b)), tostring(a:invert()), tostring(a:shift "1h 30m"),
    a == b, a:minutes(), a:is_open "tue 10:30", a:next_change "fri 23:00" }
end)
pure("week gaps", function()
  local a, parts = handoff().week(night), {}
  for i, span in ipairs(a:spans()) do parts[i] = span.from .. "-" .. span.to end
  return { parts, #a:gaps(90), #a:overlaps() }
end)
pure("week of slots", function() return tostring(handoff().week(cfg_of().availability)) end)
pure("week that is none", function()
  return refused(handoff().week, "mon-fri 9-25")
end)

-- ---- token, schema, options ----------------------------------------------------------------------------------------------

local jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzY2VuYXJpb19pZCI6ImFiYyIsInNjb3BlIjoid3JpdGVfYWxsIiwiZXhwIjo0MTAyNDQ0ODAwfQ.c2ln"

pure("token", function()
  local t = core().token
  return { t.unverified_claims(jwt) or "", t.plausible(jwt) }
end)
pure("schema", function() return core().json.encode(core().schema.document()) end)
pure("schema near", function() return core().schema.nearest("keyword", { "keywords", "emails" }) or "none" end)
pure("schema as JSON Schema", function()
  return core().json.encode(require("handoff.json_schema").document())
end)
pure("schema of desired state", function()
  return core().json.encode(require("handoff.json_schema").desired())
end)
pure("types for editors", function()
  local text, err = require("handoff.luals").text()
  return text and #text, err
end, { most = 2000 })
pure("rules", function() return #handoff().rules() end)
pure("errors", function()
  local errors = core().error
  local err = errors.new { kind = "network", message = "it is gone", path = "a.b" }
  local mistake = { path = "here", rule = "type", message = "a text expected" }
  return { tostring(err), errors.is(err), refused(errors.raise, mistake) }
end)
pure("options", function()
  local rows = { a = { "number", min = 1, default = 3 }, b = { "string" }, c = { "boolean", default = false } }
  return require("handoff.options").read({ b = "x" }, rows, "f")
end)
pure("options that are wrong", function()
  return refused(require("handoff.options").read, { bb = 1 }, { b = { "string" } }, "f")
end)

-- ---- paths, selections, query --------------------------------------------------------------------------------------------

pure("paths", function()
  local path, cfg = require "handoff.path", cfg_of()
  path.edit { "settings.is_active=false", 'custom_guidelines["Guideline 2"].is_active=false',
    "availability=mon-fri 9-17", "settings.keywords=[\"a\", \"b\"]", "routing_profiles[*].is_active=true" }(cfg)
  return cfg:json()
end)
pure("path values", function()
  local path, seen = require "handoff.path", {}
  local found = path.values(path.parse "custom_guidelines[*].name", cfg_of())
  for i, one in ipairs(found) do seen[i] = tostring(one.value) end
  return seen
end)
pure("path that is none", function()
  return refused(require("handoff.path").parse, "settings.timezon")
end)
pure("selections", function()
  local select = require "handoff.select"
  local agents = { { name = "shop-uk", tags = { region = "eu" } }, { name = "shop-us", tags = { region = "us" } } }
  local names = {}
  for i, agent in ipairs(select.apply(agents, 'region=eu,us name!=free name~shop-*')) do names[i] = agent.name end
  return { names, #select.shard(agents, 1, 2) }
end)

-- ---- time and pages: GLib's own memory cannot fail, it ends the process ------------------------------------------------------

pure("zone", function()
  local zone = assert(require("handoff.zone").open "Europe/Warsaw")
  local here = zone:local_time(NOON)
  local twice = zone:epoch { year = 2026, month = 10, day = 25, hour = 2 }
  return { here.hour, here.weekday, zone:offset(NOON), zone:next_transition(NOON), twice }
end)
pure("zone that is none", function()
  local zone, err = require("handoff.zone").open "Europe/Nowhere"
  return not zone and err
end)
pure("fold", function() return require("handoff.fold").contains("RÜCKRUF, Please İ", "please") end)
pure("times", function()
  local time = require "handoff.time"
  local zone = assert(time.zone "Europe/Berlin")
  return { time.read("fri 18:30", zone, NOON), time.read("tomorrow 9am", zone, NOON), time.text(NOON, zone),
    time.iso(NOON, zone), time.duration(9000), (time.read("2026-11-27T18:30Z")) }
end)
pure("hours", function()
  local cfg, hours = cfg_of(), require "handoff.hours"
  local open, why = cfg:is_open(NOON)
  return { open, why, cfg:next_change(NOON), #hours.spans(cfg, NOON, NOON + 86400 * 7) }
end)
pure("hours at an instant", function()
  local hours = require "handoff.hours"
  local now, err = hours.at(cfg_of(), NOON)
  return now and { now.open, now.reason, now.next_change, tostring(now.week), tostring(hours.week(cfg_of())) }, err
end)
pure("stretches", function()
  local time, seen = require "handoff.time", {}
  local zone = assert(time.zone "Europe/Berlin")
  for from, to, offset in time.stretches(zone, NOON, NOON + 86400 * 365) do
    seen[#seen + 1] = from .. "-" .. to .. offset
  end
  return { seen, time.date(zone:local_time(NOON)), time.clock(75), time.length(75) }
end)
pure("simulation", function()
  return tostring(assert(handoff().simulate(cfg_of(), { message = "an AGENT, please", answer = "yes", time = NOON })))
end)
pure("schedule", function()
  local plain, other = cfg_of():plain(), cfg_of()
  other.availability = handoff().week "daily 9-17"
  return require("handoff.schedule").words(plain, other:plain())
end)

local function table_of(other)
  local agents = { { agent = "a", cfg = cfg_of() }, other and { agent = "b", cfg = cfg_of() } or nil }
  return assert(require("handoff.timetable").new { at = NOON, agents = agents })
end
local function table_of_two() return table_of(true) end
pure("timetable", function()
  local t = table_of()
  return { t.zone, t.nobody, #t.uncovered, t.rows[1].minutes, #t.rows[1].spans }
end)
for _, kind in ipairs { "svg", "html", "ics" } do
  local function draw(t) return #require("handoff.page")[kind](t) end
  add { name = "page " .. kind, prepare = table_of, run = draw }
  add { name = "page " .. kind .. " of many", prepare = table_of_two, run = draw }
end

local page_file = os.getenv "TORTURE_FOLDER" .. "/page.svg"
add { name = "page saved", prepare = table_of, run = function(t)
  return require("handoff.page").save("svg", t, page_file)
end, finish = function() os.remove(page_file) end }

return list
