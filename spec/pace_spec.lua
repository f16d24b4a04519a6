-- SPDX-License-Identifier: MIT
--- The limits of a token: how many requests go in any 60 seconds, who shares them, what it costs.
local document = require "support.document"
local pace = require "handoff.pace"
local random = require "support.random"
local services = require "support.service"

-- A pacer upon a clock of its own: with an upvalue, since Lua 5.3 makes one function of those that have the same.
local function new(percent) return pace.pacer(function() return percent end, percent or 100) end

-- How many of the ascending times lie in the fullest window of so many seconds.
local function fullest(times, window)
  local most, first = 0, 1
  for last = 1, #times do
    while times[last] - times[first] > window do first = first + 1 end
    most = math.max(most, last - first + 1)
  end
  return most
end

describe("a pacer", function()
  it("lets no more than the limit go in any 60 seconds, and no fewer than it may", function()
    for _, row in ipairs { { "GET", 100, 120 }, { "PUT", 100, 60 }, { "GET", 25, 30 }, { "PUT", 1, 1 } } do
      local method, percent, limit = row[1], row[2], row[3]
      local pacer, draw = new(percent), random(limit)
      local times, now = {}, 0
      for _ = 1, 2000 do
        local wait = pacer:take(method, "t", now)
        if not wait then
          times[#times + 1] = now
        else
          assert.equal(limit, fullest(times, 60.99))
          assert.is_true(wait > 0 and wait <= 61)
        end
        now = now + (wait and draw:boolean() and wait or draw:below(100) / 100)
      end
      assert.equal(limit, fullest(times, 60))
    end
  end)

  it("tells when so many more will have gone, to the second", function()
    for _, row in ipairs { { 0, 60, 0 }, { 0, 61, 61 }, { 40, 0, 0 }, { 40, 21, 51 }, { 60, 1, 51 },
      { 10, 300, 295 } } do
      local pacer, now = new(), 0
      for _ = 1, row[1] do assert.is_nil(pacer:take("PUT", "t", now)) end
      now = row[1] > 0 and 10 or 0
      local span, last = pacer:span("PUT", "t", row[2], now), now
      for _ = 1, row[2] do
        last = last + (pacer:wait("PUT", "t", last) or 0)
        assert.is_nil(pacer:take("PUT", "t", last))
      end
      assert.equal(last - now, span)
      assert.equal(row[3], span)
    end
    local held = new()
    held:hold("GET", "t", 0, 7)
    assert.equal(5, held:span("GET", "t", 3, 2))
  end)

  it("keeps tokens, methods and clocks apart, and shares one of them between budgets", function()
    local clock = function() end
    local all, half = pace.pacer(clock, 100), pace.pacer(clock, 50)
    for _ = 1, 30 do assert.is_nil(half:take("PUT", "a", 0)) end
    assert.equal(61, half:take("PUT", "a", 0))
    for _ = 1, 30 do assert.is_nil(all:take("PUT", "a", 1)) end
    assert.equal(60, all:take("PUT", "a", 1))
    assert.equal(61, half:wait("PUT", "a", 1))
    assert.is_nil(all:take("PUT", "b", 1))
    assert.is_nil(all:take("GET", "a", 1))
    assert.is_nil(new():take("PUT", "a", 1))
  end)

  it("holds a token's method until the time that the service said", function()
    local pacer = new()
    pacer:hold("GET", "t", 10, 5)
    pacer:hold("GET", "t", 11, 1)
    assert.equal(4, pacer:take("GET", "t", 11))
    assert.is_nil(pacer:take("PUT", "t", 11))
    assert.is_nil(pacer:take("GET", "t", 15))
  end)

  -- Kilobytes that fn leaves in use.
  local function kept(fn)
    collectgarbage()
    collectgarbage()
    local before = collectgarbage "count"
    fn()
    collectgarbage()
    collectgarbage()
    return collectgarbage "count" - before
  end

  it("forgets tokens that are idle, and none that is held or in use", function()
    local pacer, now = new(1), 0
    pacer:hold("GET", "held", now, 1e6)
    local kilobytes = kept(function()
      for i = 1, 20000 do
        now = now + 1
        local token = "t" .. i
        assert.is_nil(pacer:take("GET", token, now))
        assert.is_not_nil(pacer:wait("GET", token, now))
        pacer:hold("GET", token, now, 30)
      end
    end)
    assert.is_true(kilobytes < 100, kilobytes)
    assert.is_not_nil(pacer:wait("GET", "held", now))
    assert.is_not_nil(pacer:wait("GET", "t19950", now))
    assert.is_nil(pacer:wait("GET", "t19900", now))
  end)

  it("costs little for a token that sends little", function()
    local pacer = new()
    local kilobytes = kept(function()
      for i = 1, 10000 do
        for _ = 1, 2 do pacer:take("GET", "t" .. i, 0) end
        pacer:take("PUT", "t" .. i, 0)
      end
    end)
    assert.is_true(kilobytes < 3500, kilobytes)
    assert.is_nil(pacer:wait("PUT", "t1", 0))
  end)
end)

describe("a client keeps within the limits", function()
  local service
  before_each(function() service = services.start() end)
  after_each(function() service:close() end)

  -- So many GETs → the error of the first that failed.
  local function get(client, count)
    return service:run(function()
      for _ = 1, count do
        local cfg, err = client:get()
        if not cfg then return err end
      end
    end)
  end

  it("by waiting", function()
    local client = service:client()
    assert.is_nil(get(client, 120))
    assert.same({}, service.waits)
    assert.is_nil(get(client, 1))
    assert.same({ 61 }, service.waits)
  end)

  it("together with every other client of that token, whatever its budget", function()
    assert.is_nil(get(service:client { token = "shared" }, 50))
    assert.is_nil(get(service:client { token = "shared", budget = "50%" }, 10))
    assert.same({}, service.waits)
    assert.is_nil(get(service:client { token = "shared", budget = "50%" }, 1))
    assert.same({ 61 }, service.waits)
  end)

  it("or says at once that it would be too long", function()
    local client = service:client { budget = "1%", deadline = 30, retries = 0 }
    local err = get(client, 2)
    assert.same({ "rate_limit", 61, 0, "shop" }, { err.kind, err.retry_after, err.attempts, err.agent })
    assert.matches("^shop: GET [^ ]*: not sent: by its limits this token may send the next one in 61 s; "
      .. "raise deadline %(30 s for the whole%), or try again later$", tostring(err))
    assert.equal("GET", service.asked)
    assert.same({}, service.waits)
  end)

  describe("and reads what is there after it waited for a write,", function()
    local function update(client, on_put)
      return assert(client:update(function(cfg) cfg.settings.timezone = "UTC" end, { on_put = on_put }))
    end

    before_each(function()
      service.on_wait = function() service:edit(function(cfg) cfg.settings.is_active = false end) end
    end)

    -- The edit that was made during the wait is still there.
    local function assert_merged(outcome)
      assert.equal(1, #service.waits)
      assert.is_true(outcome.merged)
      local settings = service:config().settings
      assert.same({ "UTC", false }, { settings.timezone, settings.is_active })
    end

    it("which it does before it looks again", function()
      service.on = function(method, count)
        if method == "PUT" and count == 1 then return 429, "", { ["Retry-After"] = "50" } end
      end
      local outcome = service:run(function()
        service:client { token = "waits", retries = 0 }:put(document.new())
        return update(service:client { token = "waits" })
      end)
      assert.equal("PUT GET GET PUT", service.asked)
      assert_merged(outcome)
    end)

    it("also where another took the turn after it had looked", function()
      local first, other = true, service:client { token = "both", budget = "3%" }
      local outcome = service:run(function()
        return update(service:client { token = "both", budget = "3%" }, function()
          if first then assert(other:put(service:config())) end
          first = false
          return true
        end)
      end)
      assert.equal("GET GET PUT GET PUT", service.asked)
      assert_merged(outcome)
    end)

    it("and knows that nothing was written where that fails", function()
      local other = service:client { token = "fails", budget = "3%" }
      service.on = function(method, count)
        if method == "GET" and count == 3 then return 401, "" end
      end
      local err = service:run(function()
        return select(2, service:client { token = "fails", budget = "3%" }:update(function(cfg)
          cfg.settings.timezone = "UTC"
        end, { on_put = function() return other:put(service:config()) ~= nil end }))
      end)
      assert.same({ "auth", "GET GET PUT GET" }, { err.kind, service.asked })
      assert.is_nil(err.unknown)
    end)
  end)

  it("and lets nothing go that the service asked to hold back, by any client", function()
    local client, other = service:client { token = "busy", retries = 0 }, service:client { token = "busy" }
    service.on = function(method, count)
      if method == "GET" and count == 1 then return 429, "", { ["Retry-After"] = "50" } end
    end
    service:run(function()
      assert.equal("rate_limit", select(2, client:get()).kind)
      assert.same({}, service.waits)
      assert(other:put(document.new()))
      assert.same({}, service.waits)
      assert(other:get())
    end)
    assert.same({ 50 }, service.waits)
  end)
end)
