-- SPDX-License-Identifier: MIT
-- What a script is told that calls the library as it is not meant.
local change = require "handoff.change"
local handoff = require "handoff"
local program = require "support.program"
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

  it("names the call that was given no number of a run", function()
    local message = "the number of a run expected, such as history:runs() lists"
    assert.equal("fleet:undo: " .. message, raised(fleet.undo, fleet, "12"))
    assert.equal("fleet:resume: " .. message, raised(fleet.resume, fleet, nil, function() end))
  end)
end)

describe("the core", function()
  it("names lua-cjson, without which it does not load", function()
    local own = package.cpath:match "^[^;]+"
    local told = program.run(("exec %s -e %s"):format(program.lua, program.quote
      'print((select(2, pcall(require, "handoff.core"))))'), { LUA_CPATH = own, LUA_CPATH_5_4 = own })
    assert.truthy(told:find("handoff needs lua-cjson (Debian: lua-cjson; LuaRocks: lua-cjson), which", 1, true), told)
  end)
end)

describe("changes", function()
  it("are of no document that has something else in their place", function()
    local before, after = { settings = { keywords = { "a" } } }, { settings = { keywords = { "b" } } }
    local made = change.diff(before, after)
    for _, other in ipairs { { settings = "none" }, { settings = { keywords = "none" } } } do
      assert.matches("the document has no such thing to change", raised(change.apply, other, made))
    end
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
