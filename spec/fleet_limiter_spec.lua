-- SPDX-License-Identifier: MIT
local limiter = require "handoff.fleet.limiter"

describe("the limiter", function()
  local function answers(limit, count, one)
    for _ = 1, count do limit:observe(one.method or "GET", one.status, one.kind, one.seconds or 0.01) end
  end
  local function fine(limit, count, seconds) answers(limit, count, { status = 200, seconds = seconds }) end

  it("starts at what is allowed at most, and never exceeds it", function()
    local limit = limiter.new(32)
    fine(limit, 1000)
    assert.equal(32, limit.limit)
  end)

  for what, answer in pairs {
    ["429"] = { status = 429 }, ["503"] = { status = 503 }, ["a timeout"] = { kind = "timeout" },
  } do
    it("halves for " .. what .. ", once for all that was under way", function()
      local limit = limiter.new(32)
      answers(limit, 1, answer)
      assert.equal(16, limit.limit)
      answers(limit, 63, answer)
      assert.equal(16, limit.limit)
      answers(limit, 1, answer)
      assert.equal(8, limit.limit)
    end)
  end

  it("goes down to one, not to none", function()
    local limit = limiter.new(8)
    answers(limit, 1000, { status = 429 })
    assert.equal(1, limit.limit)
  end)

  it("grows back by one a round of good answers", function()
    local limit = limiter.new(32)
    answers(limit, 1, { status = 503 })
    fine(limit, 16)
    assert.is_true(limit.limit > 16.5 and limit.limit <= 17)
    fine(limit, 1000)
    assert.equal(32, limit.limit)
  end)

  it("halves where answers come much later than they used to", function()
    local limit = limiter.new(32)
    fine(limit, 100, 0.1)
    fine(limit, 20, 1)
    assert.equal(16, limit.limit)
  end)

  it("is calm about a slow service, a slower method and a little more", function()
    local limit = limiter.new(32)
    fine(limit, 1000, 3)
    answers(limit, 100, { status = 200, method = "PUT", seconds = 9 })
    fine(limit, 1000, 4)
    assert.equal(32, limit.limit)
    limit = limiter.new(32)
    fine(limit, 100, 0.001)
    fine(limit, 100, 0.1)
    assert.equal(32, limit.limit)
  end)

  it("takes what stays late with fewer at once for the usual time, and grows back", function()
    local limit = limiter.new(32)
    fine(limit, 100, 0.1)
    local least = 32
    for _ = 1, 700 do
      fine(limit, 1, 2)
      least = math.min(least, limit.limit)
    end
    assert.equal(8, least)
    assert.equal(32, limit.limit)
    -- And what is quick again is the usual time again.
    fine(limit, 100, 0.1)
    fine(limit, 20, 1)
    assert.equal(16, limit.limit)
  end)

  it("is calm about single answers that come very late", function()
    local limit = limiter.new(32)
    for _ = 1, 100 do
      fine(limit, 19, 0.05)
      fine(limit, 1, 20)
    end
    assert.equal(32, limit.limit)
  end)
end)
