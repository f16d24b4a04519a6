-- SPDX-License-Identifier: MIT
--- A few rounds of what `make test-kill` does two hundred times.
local killed = require "support.killed"

describe("a run that is killed at any instant and gone on with", function()
  it("edits every agent exactly once, and has every document before and after in the history", function()
    local figures = killed.rounds { kills = 4, agents = 60, seed = 5 }
    assert.equal(0, figures.missed)
    assert.equal(0, figures.doubled)
    assert.equal(60 * figures.round, figures.documents)
  end)
end)
