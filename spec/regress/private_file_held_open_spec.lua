-- SPDX-License-Identifier: MIT
-- A private file was written into the file that was there: whoever had that one open, or by another name, read the new text.
local core = require "handoff.core"
local program = require "support.program"

describe("a private file", function()
  it("is a new one: nobody has it open, or by another name", function()
    local folder = program.folder()
    local path = program.write(folder .. "/a", "old")
    program.run(("chmod 666 %s; ln %s %s/b"):format(path, path, folder))
    local early = assert(io.open(path, "rb"))
    assert(core.file.write_private(path, "new secret"))
    assert.equal("old", early:read "*a")
    early:close()
    assert.equal("old", (program.run(("cat %s/b"):format(folder))))
    program.remove(folder)
  end)
end)
