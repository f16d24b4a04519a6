-- SPDX-License-Identifier: MIT
-- Edits many agents at a time:  edit.lua BASE_URL AGENTS CONCURRENCY  prints: CPU seconds, wall seconds
local handoff = require "handoff"
local loop = require "handoff.loop".default()

local base_url, agents, concurrency = arg[1], tonumber(arg[2]), tonumber(arg[3])

local function edit(cfg)
  local settings = cfg.settings
  settings.is_active = false
  settings.confirmation_message = "A colleague takes over now."
  settings.timezone = "Europe/London"
end

local function work(i)
  local client = handoff.client { name = "agent-" .. i, token = "benchmark-" .. i, base_url = base_url }
  local outcome = assert(client:update(edit, { merge = false, verify = false }))
  assert(outcome.status == "changed" and #outcome.changes == 3)
end

local left, started = agents, require "handoff.loop".now()
local function next_agent()
  left = left - 1
  return left >= 0 and left or nil
end
loop:spawn(function()
  local _, errors = loop:map(concurrency, next_agent, work)
  assert(not next(errors), select(2, next(errors)))
end)
loop:run()
print(("%.3f %.3f"):format(os.clock(), require "handoff.loop".now() - started))
