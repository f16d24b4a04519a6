-- SPDX-License-Identifier: MIT
--- JUnit's XML, as CI servers read it: a suite a script, a case a test; a failure holds all that failed in the test.
local plain = require "handoff.plain"
local xml = require "handoff.xml"

local function failure_text(row)
  local lines = {}
  for _, group in ipairs(row.failures) do
    lines[#lines + 1] = plain((group.place ~= "" and group.place .. ": " or "") .. group.message)
    for _, frame in ipairs(group.frames) do lines[#lines + 1] = "  " .. plain(frame) end
    if group.agents[1] then lines[#lines + 1] = "  of " .. plain(table.concat(group.agents, ", ")) end
  end
  return table.concat(lines, "\n")
end

local elements = { failed = "failure", raised = "error" }
local reasons = { pending = "pending", skipped = "for none of these agents" }

local function write_case(lines, suite, row)
  local head = ('    <testcase name="%s" classname="%s"'):format(xml(plain(row.name)), xml(plain(suite.name)))
  local element, reason = elements[row.status], reasons[row.status]
  if element then
    lines[#lines + 1] = head .. ">"
    lines[#lines + 1] = ('      <%s message="%s">%s</%s>'):format(element, xml(plain(row.failures[1].message)),
      xml(failure_text(row)), element)
    lines[#lines + 1] = "    </testcase>"
  elseif reason then
    lines[#lines + 1] = ('%s><skipped message="%s"/></testcase>'):format(head, reason)
  else
    lines[#lines + 1] = head .. "/>"
  end
end

-- → attributes, and how many were not run, which is no attribute of the whole.
local function counts_of(rows)
  local counts = { passed = 0, failed = 0, raised = 0, pending = 0, skipped = 0 }
  for _, row in ipairs(rows) do counts[row.status] = counts[row.status] + 1 end
  return ('tests="%d" failures="%d" errors="%d"'):format(#rows, counts.failed, counts.raised),
    counts.pending + counts.skipped
end

-- The rows by the script they stand in, those without one last.
local function suites_of(rows)
  local list, by_name = {}, {}
  for _, row in ipairs(rows) do
    local name = row.file or "handoff"
    if not by_name[name] then
      by_name[name] = { name = name, rows = {} }
      list[#list + 1] = by_name[name]
    end
    table.insert(by_name[name].rows, row)
  end
  return list
end

--- @param result see policy/report.lua
-- @return the text
return function(result)
  local lines = { '<?xml version="1.0" encoding="UTF-8"?>' }
  lines[2] = ('<testsuites name="handoff" %s>'):format((counts_of(result.rows)))
  for _, suite in ipairs(suites_of(result.rows)) do
    local name = xml(plain(suite.name))
    lines[#lines + 1] = ('  <testsuite name="%s" %s skipped="%d">'):format(name, counts_of(suite.rows))
    for _, row in ipairs(suite.rows) do write_case(lines, suite, row) end
    lines[#lines + 1] = "  </testsuite>"
  end
  lines[#lines + 1] = "</testsuites>"
  return table.concat(lines, "\n") .. "\n"
end
