-- SPDX-License-Identifier: MIT
-- A test of a policy that could not even begin, as there was no memory for it, passed. (Where else memory fails: make torture.)
local handoff = require "handoff"
local program = require "support.program"
local sample = require "bench.sample"

describe("a test of a policy that cannot begin", function()
  it("does not pass", function()
    local folder = program.folder()
    local suite = assert(handoff.policy(program.write(folder .. "/policy.lua", 'it("holds", function() end)')))
    program.remove(folder)
    local cfg, resume = assert(handoff.config(sample)), coroutine.resume
    coroutine.resume = function(co) -- luacheck: ignore 122
      resume(co)
      return false, "not enough memory"
    end
    local ok, why = pcall(suite.hold, suite, cfg, { name = "shop", tags = {} })
    coroutine.resume = resume -- luacheck: ignore 122
    assert.same({ false, "not enough memory" }, { ok, why })
  end)
end)
