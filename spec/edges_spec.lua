-- SPDX-License-Identifier: MIT
-- What a script is told that calls the library as it is not meant.
local handoff = require "handoff"
local sandbox = require "handoff.sandbox"

local function raised(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return (tostring(err):gsub("^%S+:%d+: ", ""))
end

describe("a fleet", function()
  local fleet
  before_each(function()
    fleet = handoff.fleet({ { name = "a", token = "x" }, { name = "b", token = "y" } })
  end)

  it("prints as what it is, and a shard of it as its part", function()
    assert.equal("handoff.fleet(2 agents)", tostring(fleet))
    assert.equal("handoff.fleet(1 agent)", tostring(fleet:shard(1, 2)))
  end)

  it("takes a function for an edit, and undoes nothing without a history", function()
    assert.equal("fleet:update: a function expected, got number", raised(fleet.update, fleet, 5))
    assert.equal("fleet:undo: it needs a history; leave history=false out",
      raised(fleet.undo, fleet, 1, { history = false }))
  end)
end)

describe("a sandbox", function()
  it("revokes the tokens of its own agents only", function()
    local box = assert(sandbox.new { agents = 1 })
    assert.equal("name: there is no agent of that name", raised(box.revoke, box, "nobody"))
    box:revoke(box:agents()[1].name)
    box:close()
  end)
end)

describe("handoff.nginx", function()
  it("says where it works", function()
    assert.equal('handoff.nginx works inside nginx alone; elsewhere use require "handoff"',
      raised(require, "handoff.nginx"):match "handoff.nginx works[^\n]*")
  end)
end)
