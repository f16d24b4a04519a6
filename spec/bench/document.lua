-- SPDX-License-Identifier: MIT
-- Processor time per document of 4 KB with all parts filled, beside bare cjson.decode + cjson.encode of the same text:
--   (a) load, change three settings, check what changed, write       (b) the same, touching every part
--   (c) load and check everything
-- Rounds of all cases are interleaved, so that whatever else the machine does meets all of them; medians are printed.
local cjson = require "cjson"
local handoff = require "handoff"

local ROUNDS, DOCUMENTS = 15, 1000

local function document()
  local settings = {
    '"is_active": true, "keywords": ["speak to human", "agent", "köszönöm, emberrel beszélnék", "człowiek"]',
    '"ai_summary_active": true, "topic_based_routing_active": true',
    '"question_message": "Would you like me to connect you with one of our colleagues?"',
    '"confirmation_message": "One moment, a colleague will be with you shortly. 🙂"',
    '"confirmation_outside_working_hours_message": "Our team is away. We are here Monday to Friday, 9:00 to 17:30."',
    '"working_hours_active": true, "timezone": "Europe/Warsaw", "send_email_notification": true',
    '"emails": ["support@example.com", "night@example.com"]',
  }
  local slots, generic, custom, profiles = {}, {}, {}, {}
  for i, days in ipairs { "monday-thursday", "friday", "saturday" } do
    slots[i] = ('{"id": %d, "day_span": "%s", "start_time": "09:00", "end_time": "17:30"}'):format(4100 + i, days)
  end
  local names = {
    "user_frustration", "customer_support_suggestion", "lack_of_knowledge", "irrelevant_advice", "media_message",
  }
  for i, name in ipairs(names) do
    generic[i] = ('{"name": "%s", "description": "The usual reason number %d for a handoff.", "is_active": %s}'):format(
      name, i, i % 2 == 0)
  end
  for i = 1, 5 do
    custom[i] = ('{"id": %d, "name": "Guideline %d", "description": "%s", "is_active": true}'):format(880 + i, i,
      ("The visitor asks for a refund, or a café near them. "):rep(3))
  end
  for i = 1, 3 do
    profiles[i] = ('{"id": %d, "name": "Topic %d", "description": "%s", "is_active": true, "user_ids": [%d]}'):format(
      60 + i, i, ("Invoices, payments, a card that was declined. "):rep(3), 7 * i)
  end
  local text = ('{"settings": {%s}, "availability": [%s], "generic_guidelines": [%s], "custom_guidelines": [%s], ' ..
    '"routing_profiles": [%s]}'):format(table.concat(settings, ", "), table.concat(slots, ", "),
    table.concat(generic, ", "), table.concat(custom, ", "), table.concat(profiles, ", "))
  -- The last description makes up what is left of 4 KB.
  assert(#text <= 4096, #text)
  return (text:gsub('("description": "[^"]*)("[^{}]*%]}%]})$', function(before, after)
    return before .. ("."):rep(4096 - #text) .. after
  end))
end

local text = document()
assert(#text == 4096, #text)

local function change_settings(cfg)
  local settings = cfg.settings
  settings.is_active = false
  settings.confirmation_message = "A colleague takes over now."
  settings.timezone = "Europe/London"
end

local function change_every_part(cfg)
  change_settings(cfg)
  cfg.availability[1].end_time = "18:00"
  cfg.generic_guidelines[1].is_active = true
  cfg.custom_guidelines[2].description = "The visitor asks for a refund above 500 EUR."
  cfg.routing_profiles[3].user_ids:add(9)
end

local function edited(change)
  return function()
    local cfg = handoff.config(text)
    change(cfg)
    cfg:check { edited = true }
    return cfg:text()
  end
end

-- What is measured does what it says.
local function holds(change, changes)
  local cfg = handoff.config(text)
  change(cfg)
  assert(#cfg:changes() == changes)
  assert(#handoff.config(text):check() == 0)
  local sent = handoff.config(edited(change)())
  change(sent)
  assert(#sent:changes() == 0)
end
holds(change_settings, 3)
holds(change_every_part, 7)

local cases = {
  { "cjson.decode + cjson.encode", function() return cjson.encode(cjson.decode(text)) end },
  { "(a) three settings", edited(change_settings) },
  { "(b) every part", edited(change_every_part) },
  { "(c) check everything", function() return handoff.config(text):check() end },
}

local function microseconds(work)
  collectgarbage()
  local began = os.clock()
  for _ = 1, DOCUMENTS do work() end
  return (os.clock() - began) / DOCUMENTS * 1e6
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) / 2]
end

local times = {}
for i in ipairs(cases) do times[i] = {} end
for round = 1, ROUNDS do
  for i, case in ipairs(cases) do times[i][round] = microseconds(case[2]) end
end

print(("%-30s %10s %8s"):format("per document of 4 KB", "µs", "ratio"))
local bare = median(times[1])
for i, case in ipairs(cases) do
  print(("%-30s %9.1f %8.2f"):format(case[1], median(times[i]), median(times[i]) / bare))
end
