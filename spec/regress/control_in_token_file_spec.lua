-- SPDX-License-Identifier: MIT
--- The path of a token's file stood in messages as the inventory has it, whatever it would make a terminal do.
local inventory = require "handoff.inventory"

describe("the message of a token's file that cannot be read", function()
  it("holds nothing of its name that is no text of one line", function()
    for _, name in ipairs { "no\27[2Jfile", "no\nfile", "no\255file" } do
      local agents = inventory.load { { name = "a", token_file = "/tmp/" .. name } }
      local _, err = inventory.resolve(agents)
      local said = err.message:find "^a: the file whose name has [%a %-]+8? cannot be read: No such file"
      assert.truthy(said, err.message)
    end
    local _, err = inventory.resolve(inventory.load { { name = "a", token_file = "/tmp/no-file" } })
    assert.truthy(err.message:find("the file /tmp/no-file cannot be read: No such file", 1, true), err.message)
  end)
end)
