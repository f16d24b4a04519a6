-- SPDX-License-Identifier: MIT
--- Rounds of edits for so many minutes, over so many agents of a sandbox in which every fault comes by chance; a line a minute.
--   lua run.lua MINUTES AGENTS SEED [PERCENT of requests with a fault, 5]
local rounds = require "endurance.rounds"
local transports = require "handoff.transport"
local usage = require "endurance.usage"

local now = require("handoff.core").http.now

local minutes, agents, seed = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])
local faults = (tonumber(arg[4]) or 5) / 100

local PART = 0.2  -- of the agents, each round
local CORES = 0.4 -- at most, on average
local EDITS = 10  -- a second, at most

local began = now()
local running = rounds.start { agents = agents, part = math.ceil(agents * PART), seed = seed, faults = faults,
  timeout = 2 }
local counts, samples, told = running.counts, {}, 0

local function count(name) return counts[name] or 0 end
local function edits() return count "changed" + count "unchanged" + count "failed" end

-- The processor time of one's own work, without what was used before.
local before = usage.processor(running.box.pid)
local function processor() return usage.processor(running.box.pid) - before end

local function say(format, ...)
  io.write(format:format(...), "\n")
  io.flush()
end

local function tell(passed)
  local sample = usage.now()
  samples[#samples + 1] = sample
  say("%3.0f min: %d rounds, %d undone, %d killed, %d resumed; %d changed, %d failed, %d untouched; %d edits outside; "
    .. "%d wrong; %.1f MB, %.2f MB of Lua, %d descriptors, %.2f cores", passed / 60, count "rounds", count "undo",
    count "killed", count "resumed", count "changed", count "failed", count "untouched" + count "planned",
    count "outside", #running.failures, sample.rss / 1024, sample.heap / 1024, sample.descriptors,
    processor() / passed)
end

-- Waits until as much time has passed as what was done may have taken.
local function pace()
  local due = math.max(processor() / CORES, edits() / EDITS)
  local wait = due - (now() - began)
  if wait > 0 then transports.default():sleep(wait) end
end

local function go_on()
  while now() - began < minutes * 60 and #running.failures < 20 do
    running:next()
    pace()
    local passed = now() - began
    if passed >= (told + 1) * 60 then
      told = math.floor(passed / 60)
      tell(passed)
    end
  end
end

-- What may grow, by how much over the last two thirds of the time, or by a twentieth of what it is.
local limits = {
  { "rss", 2048, "KB resident" }, { "heap", 256, "KB of Lua" }, { "descriptors", 3, "descriptors" },
}

local function check_flat()
  local last = {}
  for i = math.floor(#samples / 3) + 1, #samples do last[#last + 1] = samples[i] end
  if #last < 5 then return say "too short to tell whether memory and descriptors grow" end
  for _, row in ipairs(limits) do
    local growth, mean = usage.growth(last, row[1])
    say("%s: %.1f on average, %+.1f by a line through %d samples", row[3], mean, growth, #last)
    if growth > math.max(row[2], mean / 20) then
      running.wrong("%s grew by %.1f over %d minutes", row[3], growth, #last)
    else
      counts.passed = counts.passed + 1
    end
  end
end

local function sorted(of)
  local names = {}
  for name in pairs(of) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function report(figures)
  for _, name in ipairs(sorted(counts)) do say("%-24s %8d", name, counts[name]) end
  for _, name in ipairs(sorted(running.fired)) do say("fault %-18s %8d", name, running.fired[name]) end
  local books = running.books
  say("%d PUTs stored, %d of them in the history (%d bytes the same), %d replaced by a later one of their run; "
    .. "%d rows with documents; %d PUTs over what somebody had just written", figures.puts, figures.found,
    figures.bytes, books.superseded, figures.rows, books.races)
end

local ok, err = xpcall(function()
  go_on()
  check_flat()
  report(running:conclude())
end, debug.traceback)
if not ok then running.wrong("%s", tostring(err)) end
for _, failure in ipairs(running.failures) do say("FAILED: %s", failure) end
running:close(#running.failures > 0)
if #running.failures > 0 then say("what there was is in %s", running.folder) end
say("%.1f minutes, %.2f cores", (now() - began) / 60, processor() / (now() - began))
say("%d passed, %d failed", counts.passed, #running.failures)
os.exit(#running.failures == 0)
