-- SPDX-License-Identifier: MIT
-- An error was one line, but for the other control characters of its parts: who a saved plan says that made it, and whose the
-- documents in it are, went to the terminal as they stood.
local core = require "handoff.core"
local plan = require "handoff.plan"
local program = require "support.program"

describe("an error as text", function()
  it("holds no control character, whatever its parts hold", function()
    local err = core.error.new { kind = "file", agent = "a\0b", path = "c\r\127\27[2Jd",
      message = "e\nf\194\155g \194\160h\226\130\172 \194" }
    assert.equal("a b: c   [2Jd: e f g \194\160h\226\130\172 \194", tostring(err))
  end)

  it("of a saved plan is one", function()
    local folder = program.folder()
    local function read(...)
      return plan.read(program.write(folder .. "/a.plan", table.concat({ ... }, "\n") .. "\n"))
    end
    local _, err = read [[{"kind":"handoff plan","format_version":2,"made_by":"x\u001b[31m"}]]
    assert.matches("it was made by x\\u001b[31m, in a form", err.message, 1, true)
    local saved = assert(read([[{"kind":"handoff plan","format_version":1}]],
      [[{"agent":"a","key":"k\u001b]0;\u0007","before":"{}","meant":"{}"}]], [[{"end":true,"agents":1}]]))
    program.remove(folder)
    _, err = plan.check(saved, { { name = "a", key = "other" } })
    assert.matches("it was k\\u001b]0;\\u0007 when the plan was made", err.message, 1, true)
  end)
end)
