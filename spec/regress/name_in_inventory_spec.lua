-- SPDX-License-Identifier: MIT
--- A name that an inventory of Lua used stood in the message as it is: what a terminal obeys, or a token without its quotes.
local inventory = require "handoff.inventory"
local program = require "support.program"

local function message_of(text)
  local folder = program.folder()
  program.write(folder .. "/agents.lua", text)
  local ok, err = pcall(inventory.load, folder .. "/agents.lua")
  program.remove(folder)
  assert.is_false(ok)
  return err.message
end

describe("the message of a name that an inventory does not have", function()
  it("shows words only", function()
    assert.truthy(message_of("return { os.exit }"):find("there is no os here", 1, true))
    local message = message_of "return { { token = eyJhbGciOiJIUzI1NiJ9.x.y } }"
    assert.truthy(message:find("there is no such thing here", 1, true), message)
  end)

  it("is a line whatever the name is", function()
    assert.is_nil(message_of 'return { ({})["a\\27[2Jb"]() }':find "%c")
    assert.is_nil(message_of 'return { ({})["a\\255b"]() }':find "\255")
  end)
end)
