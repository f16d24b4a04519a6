-- SPDX-License-Identifier: MIT
--- What the benchmarks share: rounds of all cases interleaved, so that whatever else the machine does meets all of them.
local measure = {}

local function median(list)
  table.sort(list)
  return list[(#list + 1) / 2]
end

--- Measures the cases and prints their medians, and what they are beside the first one.
-- @param title what is measured, a line's head
-- @param cases a list of { name, what }
-- @param rounds an odd number
-- @param seconds function(what) → the processor time that one of what takes
function measure.print(title, cases, rounds, seconds)
  local times = {}
  for i in ipairs(cases) do times[i] = {} end
  for round = 1, rounds do
    for i, case in ipairs(cases) do times[i][round] = seconds(case[2]) end
  end
  local first = median(times[1])
  print(("%-30s %10s %8s"):format(title, "µs", "ratio"))
  for i, case in ipairs(cases) do
    local time = median(times[i])
    print(("%-30s %9.1f %8.2f"):format(case[1], time * 1e6, time / first))
  end
end

return measure
