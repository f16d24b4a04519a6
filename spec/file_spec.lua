-- SPDX-License-Identifier: MIT
local file = require "handoff.core".file
local program = require "support.program"

describe("core.file", function()
  local folder
  before_each(function() folder = program.folder() end)
  after_each(function() program.remove(folder) end)

  -- Mode in octal and size.
  local function stat(path) return (program.run("stat -c '%a %s' " .. path):gsub("\n", "")) end

  it("writes files that only their owner reads, those that were there too", function()
    local path = folder .. "/file"
    program.run("umask 0; echo 'what was longer before' >" .. path)
    assert.is_true(file.write_private(path, "new\0\n"))
    assert.equal("600 5", stat(path))
    program.run("ln -s file " .. folder .. "/link")
    assert.same({ nil, "Too many levels of symbolic links" }, { file.write_private(folder .. "/link", "x") })
    assert.has_error(function() file.write_private(path .. "\0x", "x") end)
  end)
end)
