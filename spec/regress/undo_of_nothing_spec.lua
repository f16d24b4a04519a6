-- SPDX-License-Identifier: MIT
--- Taking back from an agent what a run had not written to it was told as a selection that fits no agent.
local program = require "support.program"
local sandbox = require "support.sandbox"

describe("a run that is taken back for agents that it did not change", function()
  it("says that it wrote nothing to these", function()
    local box, folder = sandbox.start { agents = 2, no_rate_limit = true }, program.folder()
    finally(function()
      box:stop()
      program.remove(folder)
    end)
    local fleet = box:fleet(folder .. "/history.db")
    local id = assert(fleet:select("name=shop-uk"):update(function(cfg) cfg.settings.timezone = "Asia/Tokyo" end)).id
    assert.matches("^0 agents: run 1 wrote nothing to these that could be taken back; 1 more agent of run 1",
      tostring(assert(fleet:select("name=shop-de"):undo(id))))
    assert.matches("^0 agents: the selection fits none;", tostring(assert(fleet:select("name=none"):undo(id))))
  end)
end)
