-- SPDX-License-Identifier: MIT
--- Where the history has no documents of an agent that a run may have written, to undo or resume the run raised "attempt to index
--- a nil value", and none of the run's other agents had its turn.
local handoff = require "handoff"
local program = require "support.program"
local sandbox = require "support.sandbox"

describe("an agent without documents in the history", function()
  local box, folder, history, fleet
  before_each(function()
    box = sandbox.start { agents = 2, no_rate_limit = true }
    folder = program.folder()
    history = folder .. "/history.db"
    fleet = box:fleet(history)
  end)
  after_each(function()
    box:stop()
    program.remove(folder)
  end)

  -- A run of the fleet of which the second agent has documents → its number.
  local function record(status)
    local kept = assert(handoff.history(history))
    local run = assert(kept:start { kind = "update", agents = assert(fleet:identities()) })
    local name = box.agents[2].name
    local before = box:document(name)
    local meant = assert(handoff.config(before))
    meant.settings.question_message = "A human?"
    assert(run:done(box.agents[1].name, status))
    assert(run:writing(name, before, meant:text()))
    assert(run:finish "stopped")
    kept:close()
    box:store(name, meant:text())
    return run.id
  end

  it("fails alone where the run is taken back", function()
    local run = assert(fleet:undo(record "unknown"))
    assert.same({ changed = 1, failed = 1 }, run.counts)
    assert.equal("documents", run.results[1].error.rule)
  end)

  it("fails alone where the run is gone on with", function()
    for _, status in ipairs { "writing", "planned" } do
      local run = assert(fleet:resume(record(status), function() error "not called" end))
      assert.same({ changed = 1, failed = 1 }, run.counts)
      assert.equal("documents", run.results[1].error.rule)
    end
  end)
end)
