-- SPDX-License-Identifier: MIT
--- What `confirm` or `on_put` returned counted as consent where it was an answer that says no, or the text of an error; and an
-- `on_put` that refused by nil and a text ended the whole run by an error of Lua's.
local program = require "support.program"
local sandbox = require "support.sandbox"

describe("what is asked before it is written", function()
  local box, folder
  setup(function()
    box = sandbox.start { agents = 2, no_rate_limit = true }
    folder = program.folder()
  end)
  teardown(function()
    box:stop()
    program.remove(folder)
  end)

  local function update(opts)
    return box:fleet(folder .. "/history.db"):update(function(cfg) cfg.settings.question_message = "A human?" end, opts)
  end

  it("is not granted by a text, nor by a table", function()
    for _, answer in ipairs { "no", { ok = false } } do
      local ok, raised = pcall(update, { confirm = function() return answer end })
      assert.same({ false, "confirm", "returned" }, { ok, raised.path, raised.rule })
      local run = assert(update { on_put = function() return answer end })
      assert.same({ { failed = 2 }, "returned" }, { run.counts, run.results[1].error.rule })
    end
    assert.same({}, box:ledger().writes)
  end)

  it("is refused by nil and a text, each agent for itself", function()
    local run = assert(update { on_put = function(result)
      if result.agent == box.agents[1].name then return nil, "not this one" end
      return true
    end })
    assert.same({ changed = 1, failed = 1 }, run.counts)
    assert.same({ "invalid", "not this one" }, { run.results[1].error.kind, run.results[1].error.message })
  end)
end)
