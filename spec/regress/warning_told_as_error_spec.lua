-- SPDX-License-Identifier: MIT
--- Where a file of desired state had an error, the warnings of all files were told as errors, too, and counted with them.
local command = require "support.command"

describe("a folder of desired state with an error and a warning", function()
  local box
  setup(function()
    box = command.sandbox(1)
    os.execute(("mkdir %s/state"):format(box.folder))
    box:write("state/bad.json", '{"settings":{"timezone":"Europe/Londn"}}')
    box:write("state/odd.json", '{"settings":{"working_hours_active":true,"timezone":"Etc/GMT-3"}}')
  end)
  teardown(function() box:stop() end)

  it("is refused for the error alone", function()
    local ran = box:run "plan state"
    assert.matches("^state/bad.json:1:25: error: settings.timezone: [^\n]+\nhandoff plan: state: 1 problem; [^\n]+\n$",
      ran.err)
    ran = box:run "hours --from state"
    assert.matches("^state/bad.json:1:25: settings.timezone: [^\n]+\nhandoff hours: state: not all [^\n]+\n$", ran.err)
    assert.matches("state/odd.json:1:%d+: warning: ", box:run("validate state").out)
  end)
end)
