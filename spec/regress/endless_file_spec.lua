-- SPDX-License-Identifier: MIT
-- A saved plan, an edit or a policy that was a link to a device which never ends was read until the memory was gone; a pipe in a
-- plan's place was waited for.
local command = require "support.command"

describe("a file that never ends", function()
  it("is refused", function()
    local box = command.sandbox(1)
    for _, row in ipairs {
      { "ln -s /dev/zero x.plan", "apply x.plan",
        "x.plan: the plan cannot be read: it is no file, but a device; name another file" },
      { "rm x.plan; mkfifo x.plan", "apply x.plan",
        "x.plan: the plan cannot be read: it is no file, but a device; name another file" },
      { "ln -s /dev/zero edit.lua", "plan edit.lua",
        "edit.lua: it cannot be read: it has more than 8 MiB; name a script" },
      { "ln -s /dev/zero policy.lua", "test policy.lua", "policy.lua: " },
    } do
      local ran = box:run(row[2], { before = ("ulimit -t 20; cd %s && %s"):format(box.folder, row[1]) })
      assert.is_true(ran.status > 0 and ran.status < 128, ran.err)
      assert.truthy(ran.err:find(row[3], 1, true), ran.err)
      assert.is_nil(ran.err:find("not enough memory", 1, true))
    end
    box:stop()
  end)
end)
