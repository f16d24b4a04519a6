-- SPDX-License-Identifier: MIT
-- Processor time of the whole client process per agent, 2,000 agents, 32 at a time, against an nginx that answers every GET and
-- PUT with one constant document of 4 KB. Per agent: get, change three settings, check them, put. Beside it a bare program in C
-- over libcurl's multi interface (bare.c) that makes the same two transfers and no JSON, and the same transfers without the
-- document through our transport. Rounds are interleaved; medians are printed.
local nginx = require "support.nginx"
local document = require "bench.sample"
local measure = require "bench.measure"

local ROUNDS, AGENTS, CONCURRENCY = 11, 2000, 32
local folder = assert(os.getenv "HANDOFF_BENCH", "run it by make bench")

-- A word of nginx's configuration holds less than 4 KB.
assert(not document:find "[$'\\]")
local server = nginx.start(([[
    location = /v1/api/human_handoff/configuration {
      default_type application/json;
      set $first '%s'; set $second '%s';
      return 200 $first$second;
    }]]):format(document:sub(1, 2000), document:sub(2001)))
local base = server.http .. "/v1/api/"
local endpoint = base .. "human_handoff/configuration"
local vm = arg[-1]

local cases = {
  { "bare libcurl in C", ("%s/bare %s"):format(folder, endpoint) },
  { "transport, no document", ("%s spec/bench/transport.lua %s"):format(vm, endpoint) },
  { "get, edit, check, put", ("%s spec/bench/edit.lua %s"):format(vm, base) },
}

local function seconds(command)
  local pipe = assert(io.popen(("%s %d %d"):format(command, AGENTS, CONCURRENCY)))
  local text = pipe:read "*a"
  pipe:close()
  return assert(tonumber(text:match "^(%S+)"), text) / AGENTS
end

local ok, err = pcall(measure.print, "per agent (2 transfers)", cases, ROUNDS, seconds)
server:stop()
if not ok then error(err, 0) end
