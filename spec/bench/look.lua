-- SPDX-License-Identifier: MIT
-- What a plan needs, and nothing that is shown:
--     look.lua get|plan URL INVENTORY CONCURRENCY
-- get: one GET an agent through the transport, its body dropped. plan: a dry run of the benchmarks' edit.
local handoff = require "handoff"
local edit = require "bench.edit"
local loop = require("handoff.loop").default()
local transport = require "handoff.transport"

local what, url, inventory, concurrency = arg[1], arg[2], arg[3], tonumber(arg[4])

local function get(agent)
  local res = assert(transport.default():request { method = "GET", url = url .. "human_handoff/configuration",
    headers = { Authorization = "Bearer " .. agent.token } })
  assert(res.status == 200)
end

if what == "get" then
  loop:spawn(function()
    local _, errors = loop:map(concurrency, dofile(inventory), get)
    assert(not next(errors), select(2, next(errors)))
  end)
  loop:run()
else
  local fleet = assert(handoff.fleet(inventory, { base_url = url, concurrency = concurrency, history = false }))
  local run = assert(fleet:update(function(cfg) edit(cfg, "constant") end, { dry_run = true }))
  assert(run.counts.changed == #fleet:agents(), tostring(run))
end
