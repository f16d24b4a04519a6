-- SPDX-License-Identifier: MIT
-- Processor time per document of 4 KB with all parts filled, beside bare cjson.decode + cjson.encode of the same text:
--   (a) load, change three settings, list and check what changed, write
--   (b) the same, reading every item of every part on the way: all of it is decoded
--   (c) load and check everything
--   and an edit in every part: all of it is decoded, listed, checked and written anew
local cjson = require "cjson"
local handoff = require "handoff"
local edit = require "bench.edit"
local measure = require "bench.measure"
local text = require "bench.sample"

local ROUNDS, DOCUMENTS = 15, 1000

-- What an update does with an edited configuration: what changed, is it right, and the text to send.
local function finish(cfg, changes)
  assert(#cfg:changes() == changes)
  assert(#cfg:check { edited = true } == 0)
  return cfg:text()
end

local function three_settings()
  local cfg = handoff.config(text)
  edit(cfg, 0)
  return cfg
end

local lists = { "availability", "generic_guidelines", "custom_guidelines", "routing_profiles" }

local cases = {
  { "cjson.decode + cjson.encode", function() return cjson.encode(cjson.decode(text)) end },
  { "(a) three settings", function() return finish(three_settings(), 3) end },
  { "(b) ... touching every part", function()
    local cfg = three_settings()
    for _, name in ipairs(lists) do
      local list = cfg[name]
      local key = name == "availability" and "day_span" or "name"
      for i = 1, #list do assert(list[i][key]) end
    end
    return finish(cfg, 3)
  end },
  { "(c) check everything", function() return handoff.config(text):check() end },
  { "    an edit in every part", function()
    local cfg = three_settings()
    cfg.availability[1].end_time = "18:00"
    cfg.generic_guidelines[1].is_active = true
    cfg.custom_guidelines[2].description = "The visitor asks for a refund above 500 EUR."
    cfg.routing_profiles[3].user_ids:add(9)
    return finish(cfg, 7)
  end },
}

local function seconds(work)
  collectgarbage()
  local began = os.clock()
  for _ = 1, DOCUMENTS do work() end
  return (os.clock() - began) / DOCUMENTS
end

measure.print("per document of 4 KB", cases, ROUNDS, seconds)
