-- SPDX-License-Identifier: MIT
-- What bare.c does, through loop and transport.
--     transport.lua URL AGENTS CONCURRENCY     prints: CPU seconds, wall seconds
local transport = require "handoff.transport"
local loops = require "handoff.loop"

local url, agents, concurrency = arg[1], tonumber(arg[2]), tonumber(arg[3])
local loop, curl = loops.default(), transport.default()
local headers = { Authorization = "Bearer benchmark", ["Content-Type"] = "application/json" }
local document = ("x"):rep(4096)

local function get_and_put()
  local res = assert(curl:request { method = "GET", url = url, headers = headers })
  assert(res.status == 200)
  res = assert(curl:request { method = "PUT", url = url, headers = headers, body = document })
  assert(res.status == 200)
end

local started, left = curl:now(), agents
local function next_agent()
  left = left - 1
  return left >= 0 or nil
end
loop:spawn(function()
  local _, errors = loop:map(concurrency, next_agent, get_and_put)
  assert(not next(errors), select(2, next(errors)))
end)
loop:run()
print(("%.3f %.3f"):format(os.clock(), curl:now() - started))
