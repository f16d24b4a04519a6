-- SPDX-License-Identifier: MIT
--- What the benchmarks share: rounds of all cases interleaved, so that whatever else the machine does meets all of them.
local measure = {}

--- The median of a list, which is sorted by it.
function measure.median(list)
  table.sort(list)
  return list[math.floor((#list + 1) / 2)]
end

--- Measures the cases.
-- @param cases a list of { name, what, rounds = fewer than those of the others }
-- @param rounds an odd number
-- @param sample function(what) → a number, and up to two more, that one of what takes
-- @return a list by case of lists of medians
function measure.medians(cases, rounds, sample)
  local all = {}
  for i in ipairs(cases) do all[i] = { {}, {}, {} } end
  for round = 1, rounds do
    for i, case in ipairs(cases) do
      local numbers = round <= (case.rounds or rounds) and { sample(case[2]) } or {}
      for k, number in ipairs(numbers) do all[i][k][round] = number end
    end
  end
  for _, numbers in ipairs(all) do
    for k, list in ipairs(numbers) do numbers[k] = measure.median(list) end
  end
  return all
end

--- Measures the cases and prints their medians, and what they are beside the first one.
-- @param title what is measured, a line's head
-- @param seconds function(what) → the processor time that one of what takes
function measure.print(title, cases, rounds, seconds)
  local times = measure.medians(cases, rounds, seconds)
  print(("%-30s %10s %8s"):format(title, "µs", "ratio"))
  for i, case in ipairs(cases) do
    print(("%-30s %9.1f %8.2f"):format(case[1], times[i][1] * 1e6, times[i][1] / times[1][1]))
  end
end

return measure
