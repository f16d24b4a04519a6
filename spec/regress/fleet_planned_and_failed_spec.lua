-- SPDX-License-Identifier: MIT
--- An agent whose on_planned yielded was told as failed, and written nevertheless.
local program = require "support.program"
local sandbox = require "support.sandbox"

describe("an agent that fails once it has a plan", function()
  local box, folder
  setup(function()
    box = sandbox.start { agents = 3, no_rate_limit = true }
    folder = program.folder()
  end)
  teardown(function()
    box:stop()
    program.remove(folder)
  end)

  it("is not written, the others are", function()
    local failing = box.agents[2].name
    local run = assert(box:fleet(folder .. "/history.db"):update(function(cfg)
      cfg.settings.question_message = cfg.settings.question_message .. "!"
    end, {
      confirm = function() return true end,
      on_planned = function(result)
        if result.agent == failing then coroutine.yield() end
      end,
    }))
    assert.same({ changed = 2, failed = 1 }, run.counts)
    local agents = box:ledger().agents
    assert.same({ 1, 1 }, { agents[box.agents[1].name].PUT, agents[box.agents[3].name].PUT })
    assert.is_nil(agents[failing].PUT)
  end)
end)
