-- SPDX-License-Identifier: MIT
-- Processor time per document of 4 KB with all parts filled, beside bare cjson.decode + cjson.encode of the same text:
--   (a) load, change three settings, check what changed, write       (b) the same, touching every part
--   (c) load and check everything
-- Rounds of all cases are interleaved, so that whatever else the machine does meets all of them; medians are printed.
local cjson = require "cjson"
local handoff = require "handoff"
local text = require "bench.sample"

local ROUNDS, DOCUMENTS = 15, 1000

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
