-- SPDX-License-Identifier: MIT
--- A busted output handler for people and for run.lua: a line a file, each failure in full, and last `N passed, N failed`.
-- A pending test counts as failed, because nothing may be skipped in silence; so does a file that does not load, a setup or
-- an after_each (the audit) that fails.
local busted = require "busted"

local function name_of(element)
  local names = {}
  while element and element.descriptor ~= "file" do
    table.insert(names, 1, element.name or element.descriptor)
    element = busted.parent(element)
  end
  return #names > 0 and table.concat(names, " ") or element and element.name or "the suite"
end

return function()
  local handler = {}
  local passed, failed = 0, 0
  local before  -- passed, when the current file began
  local last    -- the latest test
  local bad = {} -- the tests that failed

  local function show(word, element, message)
    io.write(("%s: %s\n    %s\n"):format(word, name_of(element), (tostring(message):gsub("\n", "\n    "))))
  end

  local function fail(element, message, trace)
    local inside = element.descriptor == "it" or element.descriptor == "spec" or element.descriptor == "test"
    local test = inside and element or element.descriptor == "after_each" and last
    if not test or not bad[test] then failed = failed + 1 end
    if test then
      if test.passed and not bad[test] then passed = passed - 1 end
      bad[test] = true
    end
    show(inside and "FAILED" or "FAILED in " .. element.descriptor, test or element, message)
    local stack = trace and trace.traceback or ""
    for line in stack:gmatch "[^%s][^\n]*" do io.write("      ", line, "\n") end
  end

  function handler.file_start() before = passed return nil, true end
  function handler.file_end(file)
    io.write(("%s: %d passed\n"):format(file.name, passed - before))
    io.flush()
    return nil, true
  end
  function handler.test_end(element, _, status)
    last = element
    if status == "success" then
      element.passed, passed = true, passed + 1
    elseif status == "pending" then
      failed = failed + 1
      show("PENDING, which counts as failed", element, element.message or "")
    end
    return nil, true
  end
  function handler.failure(element, _, message, trace)
    fail(element, message, trace)
    return nil, true
  end
  function handler.suite_end()
    io.write(("%d passed, %d failed\n"):format(passed, failed))
    io.flush()
    return nil, true
  end

  function handler.subscribe()
    busted.subscribe({ "file", "start" }, handler.file_start)
    busted.subscribe({ "file", "end" }, handler.file_end)
    busted.subscribe({ "test", "end" }, handler.test_end)
    busted.subscribe({ "failure" }, handler.failure)
    busted.subscribe({ "error" }, handler.failure)
    busted.subscribe({ "suite", "end" }, handler.suite_end)
  end

  return handler
end
