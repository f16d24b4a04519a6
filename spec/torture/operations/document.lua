-- SPDX-License-Identifier: MIT
-- One document: read, edited, compared, written.
local list = {}
local function add(op) list[#list + 1] = op end

local sample = require "bench.sample"
local refused = require "torture.refused"

local function handoff() return require "handoff" end
local function core() return require "handoff.core" end
local function cfg_of(text) return assert(handoff().config(text or sample)) end

-- ---- loading ------------------------------------------------------------------------------------------------------------

-- In a state of its own each time: what a load that failed left behind is used by the next one.
add { name = "load", fresh = true }

-- ---- reading -------------------------------------------------------------------------------------------------------------

local function reading(name, run)
  add { name = "read " .. name, prepare = function()
    local cfg = cfg_of()
    cfg.settings.timezone = "Europe/London"
    return cfg
  end, run = run, state = function(cfg) return cfg:json() end }
end

local function walk(cfg)
  local seen = {}
  for name, part in handoff().each(cfg) do
    for key, value in handoff().each(part) do
      seen[#seen + 1] = name .. tostring(key) .. (type(value) == "table" and "" or type(value))
    end
  end
  return #seen
end

reading("a text anew", function() return cfg_of():json() end)
reading("a table anew", function(cfg) return handoff().config(cfg:plain()):json() end)
reading("each part", walk)
reading("json", function(cfg) return cfg:json { indent = 2 } end)
reading("text", function(cfg) return cfg:text() end)
reading("plain", function(cfg) return handoff().json.encode(cfg:plain()) end)
reading("copy", function(cfg) return cfg:copy():json() end)
reading("changes", function(cfg) return tostring(cfg:changes()[1]) end)
reading("check", function(cfg) return #cfg:check() end)
reading("fields", function(cfg)
  local settings, profile = cfg.settings, cfg.routing_profiles[2]
  return { settings.timezone, settings.keywords[3], profile.user_ids[1], #cfg.custom_guidelines }
end)
reading("found", function(cfg)
  local item, at = cfg.custom_guidelines:find { name = "Guideline 3" }
  return { item.id, at, cfg.settings.keywords:find "agent" }
end)
reading("items", function(cfg)
  local names = {}
  for i, item in cfg.custom_guidelines:each() do names[i] = item.name end
  return names
end)
reading("with the VM's own functions", function(cfg)
  if rawget(_G, "jit") then return true end -- its tables have no such metamethods
  local all = {}
  for name in pairs(cfg.settings) do all[#all + 1] = name end
  for _, word in ipairs(cfg.settings.keywords) do all[#all + 1] = word end
  return { table.concat(cfg.settings.keywords, ","), #all, (table.unpack or unpack)(cfg.settings.emails) }
end)
reading("parts", function(cfg)
  local c = core().config
  return { #c.edited(cfg), c.part(cfg, "settings"), c.differing(cfg, cfg_of()), c.is(cfg) }
end)
reading("nothing", function(cfg)
  return refused(function() return cfg.settings.keyword end)
end)
reading("what is no document", function()
  local cfg, err = handoff().config '{"settings": {"is_active": tru}}'
  return not cfg and err
end)

-- ---- editing -------------------------------------------------------------------------------------------------------------

-- Each is one edit: done or not done.
local function editing(name, run, more)
  local op = { name = "edit " .. name, prepare = function()
    local cfg = cfg_of()
    return cfg
  end, run = function(cfg) return run(cfg) or true end, state = function(cfg) return cfg:json() .. cfg:text() end }
  for key, value in pairs(more or {}) do op[key] = value end
  add(op)
end

editing("a text", function(cfg) cfg.settings.question_message = "Shall we get a colleague? 🙂" end)
editing("a flag", function(cfg) cfg.settings.is_active = false end)
editing("a zone", function(cfg) cfg.settings.timezone = "America/New_York" end)
editing("a list of words", function(cfg) cfg.settings.keywords = { "human", "agent", "człowiek" } end)
editing("a word added", function(cfg) return cfg.settings.keywords:add "a person" end)
editing("a word removed", function(cfg) return cfg.settings.keywords:remove "agent" end)
editing("a word replaced", function(cfg) cfg.settings.keywords[2] = "another" end)
editing("the last word gone", function(cfg) cfg.settings.keywords[4] = nil end)
editing("a list cleared", function(cfg) return cfg.custom_guidelines:clear() end)
editing("an item added", function(cfg)
  cfg.custom_guidelines:add { name = "Refund", description = "Over 500.", is_active = true }
end)
editing("an item set", function(cfg)
  cfg.custom_guidelines:upsert { name = "Guideline 2", description = "Otherwise.", is_active = false }
end)
editing("an item upserted anew", function(cfg)
  cfg.custom_guidelines:upsert { name = "Anew", description = "Otherwise.", is_active = false }
end)
editing("items removed", function(cfg) return cfg.custom_guidelines:remove { name = "Guideline 3" } end)
editing("a field of an item", function(cfg) cfg.custom_guidelines[4].description = "Shorter." end)
editing("a field of a found item", function(cfg)
  cfg.generic_guidelines:find { name = "media_message" }.is_active = false
end)
editing("numbers of an item", function(cfg) cfg.routing_profiles[1].user_ids = { 9007199254740993, 2, 3 } end)
editing("a number added", function(cfg) return cfg.routing_profiles[3].user_ids:add(12) end)
editing("an item replaced", function(cfg)
  cfg.routing_profiles[2] = { name = "New", description = "Other.", is_active = true, user_ids = { 1 } }
end)
editing("hours", function(cfg) cfg.availability = handoff().week "mon-fri 09:00-17:30, sat 10:00-14:00" end)
editing("slots", function(cfg)
  cfg.availability = { { day_span = "monday-friday", start_time = "09:00", end_time = "12:00" } }
end)
editing("a whole part", function(cfg) cfg.settings = cfg_of():plain().settings end)
editing("a part of another", function(cfg)
  local other = cfg_of(sample:gsub("Topic 1", "Topic 9"))
  cfg.routing_profiles = other.routing_profiles
end)
editing("with table.insert", function(cfg)
  if rawget(_G, "jit") then return end
  table.insert(cfg.settings.emails, "third@example.com")
end)
editing("with table.insert before others", function(cfg)
  if rawget(_G, "jit") then return end
  table.insert(cfg.settings.emails, 1, "first@example.com")
end, { partial = true })
editing("with table.sort", function(cfg)
  if rawget(_G, "jit") then return end
  table.sort(cfg.settings.keywords, function(a, b) return a > b end)
end, { partial = true })
editing("what cannot be", function(cfg)
  return refused(function() cfg.settings.confirmation_message = ("é"):rep(501) end)
end)
editing("what cannot be in a list", function(cfg)
  return refused(function() cfg.availability = { { day_span = "mon", start_time = "9", end_time = "10" } } end)
end)
editing("and seal", function(cfg)
  core().config.seal(cfg)
  return refused(function() cfg.settings.is_active = false end)
end)
editing("a part replaced", function(cfg)
  local one = { name = "x", description = "y", is_active = true }
  core().config.replace(cfg, "custom_guidelines", core().json.array { one })
end)
editing("five places", function(cfg)
  cfg.settings.working_hours_active = true
  cfg.availability = handoff().week "daily 08:00-20:00"
  for _, profile in handoff().each(cfg.routing_profiles) do profile.is_active = false end
  cfg.custom_guidelines:remove { is_active = true }
end, { partial = true })

-- ---- JSON, change, merge -------------------------------------------------------------------------------------------------

local odd = '{"a":[],"b":{},"c":null,"d":123456789012345678901234567890,"e":1.10,"f":"\\ud83d\\ude42",'
  .. '"g":[1,[2,[3]]],"h":true}'

local function pure(name, run) add { name = name, run = run } end

pure("json there and back", function()
  local json = core().json
  return json.encode(assert(json.decode(odd)), { indent = 2 }) .. json.encode(assert(json.decode(sample)))
end)
pure("json that is none", function()
  local value, err = core().json.decode(odd .. "]")
  return value == nil and err
end)
pure("json of many keys", function()
  local all = {}
  for i = 1, 70 do all[i] = ('"key %d":%d'):format(i, i) end
  return core().json.encode(assert(core().json.decode("{" .. table.concat(all, ",") .. "}")))
end)
pure("json that cannot be", function()
  return refused(core().json.encode, { [1] = 1, x = print })
end)
pure("json numbers", function()
  local number = core().json.number
  return { tostring(number "12345678901234567890"), tostring(number "1.50"), number "7" }
end)

local function edited()
  local cfg = cfg_of()
  cfg.settings.question_message = "Mine?"
  cfg.custom_guidelines:remove { name = "Guideline 2" }
  cfg.availability = handoff().week "mon-fri 09:00-17:00"
  return cfg:plain()
end
local function pair() return { base = cfg_of():plain(), mine = edited(), theirs = cfg_of():plain() } end

add { name = "change", prepare = pair, run = function(p)
  local change = require "handoff.change"
  local changes = change.diff(p.base, p.mine)
  local back = change.apply(change.apply(p.base, changes), change.reverse(changes))
  return { change.text(changes), core().json.encode(back) }
end }
add { name = "merge", prepare = function()
  local p = pair()
  p.theirs.settings.is_active = false
  p.theirs.settings.question_message = "Theirs?"
  return p
end, run = function(p)
  local merged, conflicts = require("handoff.merge").document(p.base, p.mine, p.theirs)
  local lines = {}
  for i, one in ipairs(conflicts or {}) do lines[i] = tostring(one) end
  return core().json.encode(merged) .. table.concat(lines, "\n")
end }
add { name = "canonical", prepare = edited, run = function(plain)
  return require("handoff.canonical").json(plain, nil, "")
end }

return list
