-- SPDX-License-Identifier: MIT
--- What this process holds of the machine, and whether that grows.
local lfs = require "lfs"

local usage = {}

local function read(path)
  local file = io.open(path)
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text
end

--- Kilobytes resident, kilobytes of Lua after a full collection, descriptors.
function usage.now()
  collectgarbage()
  collectgarbage()
  local descriptors = -1 -- the one that lists them
  for name in lfs.dir "/proc/self/fd" do
    if name:find "^%d" then descriptors = descriptors + 1 end
  end
  return { rss = tonumber(read "/proc/self/status":match "VmRSS:%s+(%d+)"), heap = collectgarbage "count",
    descriptors = descriptors }
end

-- The fields of /proc/PID/stat after the name: utime, stime, cutime and cstime are the 12th to the 15th, in ticks.
local function ticks(pid, last)
  local place, sum = 0, 0
  for field in read("/proc/" .. pid .. "/stat"):gsub("^.*%) ", ""):gmatch "%S+" do
    place = place + 1
    if place >= 12 and place <= last then sum = sum + field end
  end
  return sum
end

--- Seconds of processor time: this process's and its children's that have ended, and another's.
function usage.processor(pid) return (ticks("self", 15) + ticks(pid, 13)) / 100 end

--- A line through the samples' values: the growth from the first to the last of them, and their mean.
function usage.growth(samples, name)
  local n, sx, sy, sxx, sxy = #samples, 0, 0, 0, 0
  for i, sample in ipairs(samples) do
    local y = sample[name]
    sx, sy, sxx, sxy = sx + i, sy + y, sxx + i * i, sxy + i * y
  end
  return (n * sxy - sx * sy) / (n * sxx - sx * sx) * (n - 1), sy / n
end

return usage
