-- SPDX-License-Identifier: MIT
--- Of files of desired state with an error in them the warnings were counted, and told, as errors.
local command = require "support.command"
local program = require "support.program"

describe("files of desired state with an error and a warning", function()
  local folder
  setup(function()
    folder = program.folder()
    local file = assert(io.open(folder .. "/shop.lua", "w"))
    file:write [[
return {
  settings = { is_active = true, working_hours_active = true, timezone = 5 },
  availability = {},
}
]]
    file:close()
  end)
  teardown(function() program.remove(folder) end)

  it("are refused for the error alone", function()
    for _, words in ipairs { "plan shop.lua", "hours --from shop.lua" } do
      local ran = command.run(words, { folder = folder })
      assert.equal(1, ran.status)
      assert.matches("^shop.lua:2:%d+: error: settings.timezone: [^\n]*\nhandoff %a+: shop.lua: 1 problem; [^\n]*\n$",
        ran.err)
    end
  end)
end)
