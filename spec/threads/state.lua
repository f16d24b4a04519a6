-- SPDX-License-Identifier: MIT
-- What one of many Lua states does (see states.c): requests, edits, mistakes, collections all the while; and it is closed with a
-- request under way.
local number, round, inventory = ...

-- A collector that never rests: a new cycle begins where one ends.
collectgarbage("setpause", 0)
collectgarbage("setstepmul", 400)

local handoff = require "handoff"
local core = require "handoff.core"

local fleet = assert(handoff.fleet(inventory, { history = false, retries = 1 }))
local agents = dofile(inventory)

-- Every thread writes to an agent of its own; the one after those is read by all.
local own = fleet:select(function(agent) return agent.name == agents[number].name end)

local function edit(cfg)
  local stamp = ("thread %d, round %d"):format(number, round)
  cfg.settings.question_message = stamp
  cfg.settings.working_hours_active = true
  cfg.settings.timezone = "Europe/Warsaw"
  cfg.availability = handoff.week "mon-fri 09:00-17:30, sat 10:00-14:00"
  cfg.custom_guidelines:upsert { name = "Refund", description = stamp, is_active = round % 2 == 0 }
  local ok, err = pcall(function() cfg.settings.confirmation_message = ("é"):rep(501) end)
  assert(not ok and err.rule == "max_length", err)
end

local function exercise(cfg)
  cfg:check()
  local text = cfg:json { indent = 2 }
  local again = handoff.json.encode(assert(handoff.json.decode(text)))
  assert(handoff.json.encode(assert(handoff.json.decode(again))) == again)
  assert(not handoff.json.decode(text .. "}"))
  assert(handoff.config(text):json { indent = 2 } == text)
  assert(type(cfg:is_open "2027-03-28T03:30:00") == "boolean")
  assert(handoff.simulate(cfg, { message = "RÜCKRUF, please", time = "2027-03-28T12:00:00" }))
end

local run = assert(own:update(edit))
assert(run.counts.changed == 1, tostring(run.results[1].error))

for _, agent in ipairs { agents[number], agents[#agents] } do
  assert(core.token.unverified_claims(agent.token).scope)
  local client = handoff.client { name = agent.name, token = agent.token, base_url = agent.base_url }
  local cfg = assert(client:get())
  exercise(cfg)
  collectgarbage()
end

local _, err = handoff.client { token = "wrong", base_url = agents[1].base_url, retries = 0 }:get()
assert(err.kind == "auth", tostring(err))

local left = core.http.engine()
left:submit({ method = "GET", url = agents[1].base_url .. "human_handoff/configuration" }, {})
left:step(0)
