-- SPDX-License-Identifier: MIT
--- A plan that could not be read was told with its path twice, or half of it, where the path has a colon.
local plan = require "handoff.plan"

describe("a plan whose path has a colon", function()
  it("is told with its path once", function()
    for _, path in ipairs { "no such folder/9:30.plan", "no such folder: really/a.plan" } do
      local _, err = plan.read(path)
      assert.equal(path .. ": the plan cannot be read: No such file or directory; name another file", tostring(err))
    end
  end)
end)
