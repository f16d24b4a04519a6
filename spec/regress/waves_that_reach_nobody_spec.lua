-- SPDX-License-Identifier: MIT
--- A roll-out whose waves came to no agent at all wrote nothing, and did not say why.
local sandbox = require "support.sandbox"

describe("waves that reach nobody", function()
  it("stop the run, which says so", function()
    local box = sandbox.start { agents = 2, no_rate_limit = true }
    finally(function() box:stop() end)
    local run = assert(box:fleet(false):update(function(cfg)
      cfg.settings.question_message = "A human?"
    end, { waves = { 0 } }))
    assert.same({ planned = 2 }, run.counts)
    assert.equal("stopped: the waves end at 0 of 2 agents to change; 2 left untouched", run.stopped)
  end)
end)
