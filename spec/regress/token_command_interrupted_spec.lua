-- SPDX-License-Identifier: MIT
-- Ctrl-C at what a token's command asks was told as a command that "printed too much".
local handoff = require "handoff"
local program = require "support.program"

describe("a token's command", function()
  it("that is interrupted is said to be", function()
    local folder = program.folder()
    finally(function() program.remove(folder) end)
    local inventory = '[{ "name": "a", "token_command": "kill -INT $PPID" }]'
    local fleet = assert(handoff.fleet(program.write(folder .. "/agents.json", inventory)))
    local _, err = fleet:get()
    assert.truthy(tostring(err):find("a: the command was interrupted; try again", 1, true), tostring(err))
  end)
end)
