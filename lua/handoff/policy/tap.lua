-- SPDX-License-Identifier: MIT
--- The Test Anything Protocol, version 13, as `prove` and others read it: a line a test, what failed in comments below it.
local core = require "handoff.core"
local plain = require "handoff.plain"

-- In a name a # begins a directive, and a leading number a count.
local function named(row)
  return (plain(row.name):gsub("\\", "\\\\"):gsub("#", "\\#"))
end

local directives = { pending = " # SKIP pending", skipped = " # SKIP for none of these agents" }

local function write_failures(lines, row)
  for _, group in ipairs(row.failures) do
    local place = group.place ~= "" and group.place .. ": " or ""
    lines[#lines + 1] = "# " .. plain(place .. group.message)
    for _, frame in ipairs(group.frames) do lines[#lines + 1] = "#   " .. plain(frame) end
    if group.agents[1] then lines[#lines + 1] = "#   of " .. plain(table.concat(group.agents, ", ")) end
  end
end

--- @param result see policy/report.lua
-- @return the text
return function(result)
  local lines = { "TAP version 13", ("1..%d"):format(#result.rows) }
  for i, row in ipairs(result.rows) do
    local sign = row.failures[1] and "not ok" or "ok"
    lines[#lines + 1] = ("%s %d - %s%s"):format(sign, i, named(row), directives[row.status] or "")
    write_failures(lines, row)
  end
  lines[#lines + 1] = ("# handoff %s, %d agents"):format(core.version, result.counts.agents)
  return table.concat(lines, "\n") .. "\n"
end
