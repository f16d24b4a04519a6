-- SPDX-License-Identifier: MIT
local never = require "coverage.never"

-- Whether a file, or one below a folder, has a line of this text.
local function has(row)
  local pipe = assert(io.popen("find " .. row.place .. " -name '*.[ch]' -o -name '*.lua' -o -name handoff -type f"))
  local found = false
  for file in pipe:lines() do
    for line in ipairs(never.lines(file)) do found = never.explains(file, line) or found end
  end
  pipe:close()
  return found
end

describe("the table of lines that never run", function()
  it("explains lines that are in the tree", function()
    assert.is_true(#never.rows > 0)
    for _, row in ipairs(never.rows) do has(row) end
    assert.same({}, never.stale())
  end)
end)
