-- SPDX-License-Identifier: MIT
--- An agent that a run may have written was edited once more by a resume, or left as it was by an undo, where something else went
-- wrong in between.
local handoff = require "handoff"
local json = require("handoff.core").json
local program = require "support.program"
local sandbox = require "support.sandbox"

describe("an agent that may have been written", function()
  local box, folder, agent, original
  before_each(function()
    box = sandbox.start { agents = 3, no_rate_limit = true }
    folder, agent = program.folder(), box.agents[2]
    original = json.decode(box:document(agent.name)).settings
  end)
  after_each(function()
    box:stop()
    program.remove(folder)
  end)

  local function fleet(opts) return box:fleet(folder .. "/history.db", opts) end
  local function edit(cfg)
    cfg.settings.question_message = cfg.settings.question_message .. "!"
    cfg.settings.keywords:add "once"
  end
  local function settings() return json.decode(box:document(agent.name)).settings end
  local function assert_edited_once()
    assert.equal(original.question_message .. "!", settings().question_message)
    assert.equal(#original.keywords + 1, #settings().keywords)
  end
  local function status_in_history()
    local history = assert(handoff.history(folder .. "/history.db"))
    for name, entry in history:run(1):entries() do
      if name == agent.name then
        history:close()
        return entry.status
      end
    end
  end
  local lost = { method = "PUT", fault = "reset_after" }
  local function refuse_reading(at)
    return { method = "GET", fault = "status", status = 401, at = at, times = "always" }
  end
  local function faults(list)
    for _, rule in ipairs(list) do rule.agent = agent.name end
    box:faults(list)
  end

  it("stays in doubt when looking at it fails again", function()
    faults { lost, refuse_reading(3) }
    assert.same({ changed = 2, failed = 1 }, assert(fleet():update(edit)).counts)
    for _, opts in ipairs { {}, { waves = { "100%" } } } do
      assert.is_true(assert(fleet():resume(1, edit, opts)).results[2].error.unknown)
      assert.equal("unknown", status_in_history())
    end
    box:faults {}
    local run = assert(fleet():resume(1, edit))
    assert.same({ changed = 3 }, run.counts)
    assert.is_true(run.results[2].reconciled)
    assert_edited_once()
    assert.same({ changed = 3 }, assert(fleet():undo(1)).counts)
    assert.equal(original.question_message, settings().question_message)
  end)

  it("is in doubt where on_event raises when its PUT has ended", function()
    local run = assert(fleet { on_event = function(event)
      if event.agent == agent.name and event.method == "PUT" and event.type == "request_end" then error "no log" end
    end }:update(edit))
    assert.matches("no log", tostring(run.results[2].error))
    assert.equal("unknown", status_in_history())
    assert.same({ changed = 3 }, assert(fleet():resume(1, edit)).counts)
    assert_edited_once()
  end)

  for what, opts in pairs { ["at once"] = {}, ["in waves"] = { waves = { "100%" } } } do
    it("and was in part, is gone on with " .. what .. ", and taken back as a whole", function()
      faults { { method = "PUT", fault = "drop_field", path = "settings.keywords" } }
      assert.equal("unverified", assert(fleet():update(edit)).results[2].error.kind)
      assert.equal("unverified", status_in_history())
      assert.same({ changed = 3 }, assert(fleet():resume(1, edit, opts)).counts)
      assert_edited_once()
      assert.same({ changed = 3 }, assert(fleet():undo(1)).counts)
      assert.same(original, settings())
    end)
  end

  it("in part only is taken back, too", function()
    faults { { method = "PUT", fault = "drop_field", path = "settings.keywords" } }
    assert(fleet():update(edit))
    assert.same({ changed = 3 }, assert(fleet():undo(1)).counts)
    assert.same(original, settings())
  end)
end)
