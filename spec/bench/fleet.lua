-- SPDX-License-Identifier: MIT
-- Fleets edited by the library, beside what else does the same: a bare program in C over libcurl's multi interface that makes
-- the two transfers and no JSON (bare.c), the vendor's recipe in a loop (requests_loop.py), and the two transfers through our
-- transport.
--   plain     GET, edit, check, PUT
--   guarded   GET, edit, check, GET, merge, PUT, verify: what fleet:update does
-- Against an nginx that answers every GET with one document of 4 KB and every PUT with what the edit makes of that, and against
-- the sandbox, each on this machine. Processor time is that of the whole client process; rounds are interleaved, medians are
-- printed.
local handoff = require "handoff"
local edit = require "bench.edit"
local measure = require "bench.measure"
local nginx = require "support.nginx"
local program = require "support.program"
local sandbox = require "support.sandbox"
local sample = require "bench.sample"

local AGENTS, CONCURRENCY, ROUNDS, SANDBOX_ROUNDS = 2000, 32, 7, 3
local SIZES = { 100, 1000, 10000 }
local LATENCY, LATE_AGENTS, LATE_CONCURRENCY = 0.2, 640, 64
local STAMP = "constant"
local build = assert(os.getenv "HANDOFF_BENCH", "run it by make bench")
local lua = program.lua

-- ---- servers --------------------------------------------------------------------------------------------------------

-- As the words of nginx's configuration, which hold less than 4 KB each.
local function words(text)
  assert(#text < 8000 and not text:find "[$'\\]")
  return ("'%s'"):format(text:sub(1, 4000)), ("'%s'"):format(text:sub(4001))
end

local function start_nginx()
  local cfg = handoff.config(sample)
  edit(cfg, STAMP)
  local a, b = words(sample)
  local c, d = words(cfg:text())
  return nginx.start(([[
    location = /v1/api/human_handoff/configuration {
      default_type application/json;
      set $get_1 %s; set $get_2 %s; set $put_1 %s; set $put_2 %s;
      if ($request_method = PUT) { return 200 $put_1$put_2; }
      return 200 $get_1$get_2;
    }]]):format(a, b, c, d))
end

local function write_tokens(path, box)
  local file = assert(io.open(path, "w"))
  for _, agent in ipairs(box.agents) do file:write(agent.token, "\n") end
  file:close()
end

-- ---- clients --------------------------------------------------------------------------------------------------------

local bare = { "bare libcurl in C", build .. "/bare" }
local loop = { "requests in a loop, Python", "python3 spec/bench/requests_loop.py", rounds = 1 }
local transfers = { "transport, no document", lua .. " spec/bench/transport.lua" }
local plain = { "plain", lua .. " spec/bench/update.lua plain" }
local guarded = { "guarded", lua .. " spec/bench/update.lua guarded" }
local history = { "guarded, with history", lua .. " spec/bench/update.lua history" }

local stamps = 0

-- The edits of no two runs are alike, where the server keeps them.
local function new_stamp()
  stamps = stamps + 1
  return "run-" .. stamps
end

-- Runs one → its seconds of processor time, seconds by the clock, most memory in KiB.
local function run(command, url, tokens, agents, concurrency, stamp)
  local arguments = ("%s %s %s %d %d %s"):format(command, url, program.quote(tokens), agents, concurrency, stamp)
  local pipe = assert(io.popen(("export TMPDIR=$(mktemp -d); %s; rm -rf $TMPDIR"):format(arguments)))
  local text = pipe:read "*a"
  pipe:close()
  local processor, clock, memory = text:match "^(%S+) (%S+) (%S+)"
  assert(processor, text)
  return tonumber(processor), tonumber(clock), tonumber(memory)
end

-- ---- tables ---------------------------------------------------------------------------------------------------------

local function print_row(name, numbers, first)
  local processor, clock, memory = numbers[1], numbers[2], numbers[3]
  print(("%-30s %9.0f %12.1f %7.2f %8.1f"):format(name, AGENTS / clock, processor / AGENTS * 1e6, processor / first,
    memory / 1024))
end

local function compare(title, cases, rounds, url, tokens, stamp)
  local results = measure.medians(cases, rounds, function(command)
    return run(command, url, tokens, AGENTS, CONCURRENCY, stamp or new_stamp())
  end)
  print(("\n%-30s %9s %12s %7s %8s"):format(title, "agents/s", "µs an agent", "ratio", "MB"))
  for i, case in ipairs(cases) do print_row(case[1], results[i], results[1][1]) end
end

-- What a process needs before its first agent is left out here: it is what one agent takes.
local function compare_sizes(cases, url, tokens)
  local function one(command, agents)
    local processor, _, memory = run(command, url, tokens, agents, CONCURRENCY, STAMP)
    return processor, memory
  end
  local heads = {}
  for i, agents in ipairs(SIZES) do heads[i] = ("%11d agents"):format(agents) end
  print(("\n%-31s%s"):format("µs an agent after the first, MB", table.concat(heads, "  ")))
  for _, case in ipairs(cases) do
    local cells, first = {}, one(case[2], 1)
    for i, agents in ipairs(SIZES) do
      local processor, memory = one(case[2], agents)
      cells[i] = ("%9.1f %8.1f"):format((processor - first) / (agents - 1) * 1e6, memory / 1024)
    end
    print(("%-30s %s"):format(case[1], table.concat(cells, "  ")))
  end
end

local function compare_latency(cases, tokens)
  local box = sandbox.start { agents = LATE_AGENTS, no_rate_limit = true, latency = LATENCY * 1000 }
  print(("\n%-30s %9s %9s %7s"):format(("%d agents, %d at a time, %d ms"):format(LATE_AGENTS, LATE_CONCURRENCY,
    LATENCY * 1000), "s", "least", "ratio"))
  for _, case in ipairs(cases) do
    local least = case.transfers * LATE_AGENTS * LATENCY / LATE_CONCURRENCY
    local _, clock = run(case[2], box:url(), tokens, LATE_AGENTS, LATE_CONCURRENCY, new_stamp())
    print(("%-30s %9.2f %9.2f %7.2f"):format(case[1], clock, least, clock / least))
  end
  box:stop()
end

-- ---- all of it ------------------------------------------------------------------------------------------------------

plain.transfers, guarded.transfers, history.transfers = 2, 3, 3

local folder = program.folder()
local tokens = folder .. "/tokens"
local box = sandbox.start { agents = SIZES[#SIZES], no_rate_limit = true }
local server = start_nginx()
local url = server.http .. "/v1/api/human_handoff/configuration"

local ok, err = pcall(function()
  write_tokens(tokens, box)
  local all = { bare, loop, transfers, plain, guarded, history }
  compare(("%d agents, nginx"):format(AGENTS), all, ROUNDS, url, tokens, STAMP)
  compare(("%d agents, sandbox"):format(AGENTS), all, SANDBOX_ROUNDS, box:url(), tokens)
  compare_sizes({ bare, transfers, plain, guarded, history }, url, tokens)
  compare_latency({ plain, guarded, history }, tokens)
end)
server:stop()
box:stop()
program.remove(folder)
if not ok then error(err, 0) end
