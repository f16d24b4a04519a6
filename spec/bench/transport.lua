-- SPDX-License-Identifier: MIT
-- What bare.c does, through loop and transport, see bench.program.
local transport = require "handoff.transport"
local loop = require "handoff.loop".default()
local program = require "bench.program"

local url, tokens, concurrency = program.arguments()
local curl = transport.default()

local function get_and_put(token)
  local headers = { Authorization = "Bearer " .. token, ["Content-Type"] = "application/json" }
  local res = assert(curl:request { method = "GET", url = url, headers = headers })
  assert(res.status == 200)
  res = assert(curl:request { method = "PUT", url = url, headers = headers, body = res.body })
  assert(res.status == 200)
end

program.report(function()
  loop:spawn(function()
    local _, errors = loop:map(concurrency, tokens, get_and_put)
    assert(not next(errors), select(2, next(errors)))
  end)
  loop:run()
end)
