-- SPDX-License-Identifier: MIT
--- A busted helper: each test fails that leaves a descriptor, a thread, a child process or a temporary file behind, and so does
-- the suite as a whole. What a setup made before the test began is its file's own, to be gone by the end of the suite.
-- With HANDOFF_GC=2 the collector runs at every allocation, in each test for two seconds of processor time.
local busted = require "busted"
local lfs = require "lfs"

-- Adds what the folder holds. Its entries are described once it is closed: the descriptor that lists it is nobody's leak.
local function entries(folder, describe, into)
  local names = {}
  for name in lfs.dir(folder) do names[#names + 1] = name end
  for _, name in ipairs(names) do
    local what = name ~= "." and name ~= ".." and describe(name)
    if what then into[what] = true end
  end
end

local function thread(name) return "thread " .. name end
local function file(name) return "temporary file " .. name end
local function descriptor(name)
  local target = lfs.symlinkattributes("/proc/self/fd/" .. name, "target")
  return target and ("descriptor %s (%s)"):format(name, target)
end

local function children(into)
  local list = io.open "/proc/thread-self/children"
  if not list then return end
  for pid in list:read("*a"):gmatch "%d+" do into["child process " .. pid] = true end
  list:close()
end

--- What is there now: a set of descriptions.
local function holdings()
  local held = {}
  children(held)
  entries("/proc/self/task", thread, held)
  entries("/proc/self/fd", descriptor, held)
  local temp = os.getenv "TMPDIR"
  if temp then entries(temp, file, held) end
  return held
end

-- Connections that the shared transport keeps alive are meant to outlive a test; garbage is nobody's leak.
local function settle()
  local transport = package.loaded["handoff.transport"]
  if transport then transport.default():close() end
  collectgarbage()
  collectgarbage()
end

local function audit(before, whose)
  settle()
  local left = {}
  for what in pairs(holdings()) do
    if not before[what] then left[#left + 1] = what end
  end
  table.sort(left)
  if #left > 0 then error(("left behind by %s: %s"):format(whose, table.concat(left, ", ")), 0) end
end

local seconds = tonumber((os.getenv "HANDOFF_GC"))
local gc = seconds and require "support.gc"

local at_start, before_test
busted.setup(function() at_start = holdings() end)
busted.teardown(function()
  if gc then print(("%d tests took long and ended with an ordinary collector"):format(gc.relaxed)) end
  audit(at_start, "the suite")
end)
busted.before_each(function()
  before_test = holdings()
  if gc then gc.restless(seconds) end
end)
busted.after_each(function()
  if gc then gc.restful() end
  audit(before_test, "this test")
end)
