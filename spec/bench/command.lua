-- SPDX-License-Identifier: MIT
-- What the command costs beside what cannot be had for less: its start beside that of `curl --version`, and a plan over 1,000
-- agents of a sandbox, written to nowhere, beside the same requests without a document, and beside the same plan in a script
-- that shows nothing. With and without a latency, by the clock and in processor time of the whole process.
local command = require "support.command"
local measure = require "bench.measure"
local program = require "support.program"

local STARTS, START_ROUNDS, AGENTS, ROUNDS, CONCURRENCY = 20, 9, 1000, 5, 32
local LATENCIES = { 0, 50 } -- milliseconds
local handoff = command.words()

-- Seconds by the clock and of processor time that a shell's words take; what they print is dropped.
local function time(words, times)
  local loop = ("for ((i = 0; i < %d; i++)); do %s >/dev/null || exit 1; done"):format(times or 1, words)
  local output, status = program.run("bash -c " .. program.quote("TIMEFORMAT='%R %U %S'; time { " .. loop .. "; }"),
    { HANDOFF_BENCH = false, LUA_PATH = package.path, LUA_PATH_5_4 = package.path })
  local clock, user, system = output:match "(%d+%.%d+) (%d+%.%d+) (%d+%.%d+)%s*$"
  assert(status == 0 and clock, output)
  return tonumber(clock) / (times or 1), (user + system) / (times or 1)
end

local function compare_starts(folder)
  measure.print("a start", {
    { "curl --version", "curl --version" },
    { "the VM alone", program.lua .. " -e ''" },
    { "handoff version", handoff .. " version" },
    { "handoff validate FILE", ("%s validate %s"):format(handoff, program.quote(folder .. "/agents/shop-uk.lua")) },
  }, START_ROUNDS, function(words) return (time(words, STARTS)) end)
end

local function compare_plans(box, latency)
  local script = ("%s spec/bench/look.lua %%s %s %s %d"):format(program.lua, box.box.base_url, box.inventory,
    CONCURRENCY)
  local plan = ("env HANDOFF_BASE_URL=%s %s plan spec/bench/one_edit.lua --inventory %s --concurrency %d"):format(
    box.box.base_url, handoff, box.inventory, CONCURRENCY)
  local cases = {
    { "GETs, no document", script:format "get" }, { "fleet:update, a dry run", script:format "plan" },
    { "handoff plan", plan }, { "handoff plan --json", plan .. " --json" },
  }
  local results = measure.medians(cases, ROUNDS, time)
  print(("\n%-30s %9s %9s %12s"):format(("%d agents, %d ms"):format(AGENTS, latency), "s", "ratio", "processor s"))
  for i, case in ipairs(cases) do
    print(("%-30s %9.2f %9.2f %12.2f"):format(case[1], results[i][1], results[i][1] / results[1][1], results[i][2]))
  end
end

local function with_sandbox(latency, fn)
  local box = command.sandbox(AGENTS, { no_rate_limit = true, latency = latency })
  local ok, err = pcall(fn, box)
  box:stop()
  if not ok then error(err, 0) end
end

for i, latency in ipairs(LATENCIES) do
  with_sandbox(latency, function(box)
    if i == 1 then
      assert(box:run("pull --select name=shop-uk").status == 0)
      compare_starts(box.folder)
    end
    compare_plans(box, latency)
  end)
end
