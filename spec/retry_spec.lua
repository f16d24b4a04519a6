-- SPDX-License-Identifier: MIT
--- What is tried again, when, and how often.
local document = require "support.document"
local services = require "support.service"

local unpack = table.unpack or unpack

describe("a client", function()
  local service, client, events

  before_each(function()
    service, events = services.start(), {}
    client = service:client { on_event = function(event)
      if event.type == "retry" then events[#events + 1] = event end
    end }
  end)
  after_each(function() service:close() end)

  -- The first so many requests of each method are answered so, the others as the API does.
  local function fail(times, ...)
    local answer, n = { ... }, select("#", ...)
    service.on = function(_, count)
      if count <= times then return unpack(answer, 1, n) end
    end
  end

  local function get(with)
    return service:run(function() return (with or client):get() end)
  end

  -- What every failure has: one line with a next step.
  local function failed(kind, attempts, cfg, err)
    assert.is_nil(cfg)
    assert.same({ kind, attempts, "shop" }, { err.kind, err.attempts, err.agent })
    assert.matches("^shop: [^%c]*; [^%c]+$", tostring(err))
    return err
  end

  describe("tries again", function()
    local rows = { ["a connection cut"] = { "drop" } }
    for _, status in ipairs { 429, 500, 502, 503, 504 } do rows["status " .. status] = { status, "" } end
    for name, row in pairs(rows) do
      it("after " .. name, function()
        fail(1, row[1], row[2])
        assert(get())
        assert.equal("GET GET", service.asked)
        assert.equal(1, #service.waits)
      end)
    end

    it("after it waited a random time, whose bound doubles up to 30 seconds", function()
      local longest = {}
      service.on = function() return 503, "" end
      for _ = 1, 20 do
        service.waits = {}
        failed("server", 10, get(service:client { retries = 9, deadline = 1e6 }))
        for i, wait in ipairs(service.waits) do
          assert.is_true(wait >= 0 and wait <= math.min(30, 0.5 * 2 ^ (i - 1)), wait)
          longest[i] = math.max(longest[i] or 0, wait)
        end
      end
      assert.equal(9, #longest)
      for i, wait in ipairs(longest) do assert.is_true(wait > math.min(30, 0.5 * 2 ^ (i - 1)) / 2) end
    end)

    it("no sooner than the service said, in seconds or by a date", function()
      local date = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 20)
      for header, least in pairs { ["7"] = 7, ["0"] = 0, [date] = 17 } do
        service.waits, service.counts = {}, {}
        fail(1, 503, "", { ["Retry-After"] = header })
        assert(get())
        assert.is_true(service.waits[1] >= least and service.waits[1] <= least + 4, header)
      end
    end)

    it("as often as it was told, and says how often it was", function()
      fail(99, "drop")
      local err = failed("network", 5, get())
      assert.matches("; it was tried 5 times$", err.message)
      assert.equal("GET GET GET GET GET", service.asked)
      service.asked = nil
      failed("network", 2, get(service:client { retries = 1 }))
      assert.equal("GET GET", service.asked)
      service.asked = nil
      local _, one = service:run(function() return client:update(function() end, { retries = 0 }) end)
      failed("network", 1, nil, one)
      assert.equal("GET", service.asked)
    end)

    it("where nobody listens", function()
      local nowhere = service:client { base_url = "http://127.0.0.1:1/v1" }
      failed("network", 5, get(nowhere))
      local err = failed("network", 5, service:run(function() return nowhere:put(document.new()) end))
      assert.is_nil(err.unknown)
    end)

    it("and tells on_event before each wait", function()
      fail(2, 503, "")
      assert(get())
      local seen = {}
      for i, event in ipairs(events) do
        assert.equal(service.waits[i], event.wait)
        assert.matches("/v1/api/human_handoff/configuration$", event.url)
        seen[i] = { event.agent, event.method, event.attempt, event.error, event.status }
      end
      assert.same({ { "shop", "GET", 1, "server", 503 }, { "shop", "GET", 2, "server", 503 } }, seen)
    end)

    it("and leaves the script's random numbers as they are", function()
      fail(3, 503, "")
      math.randomseed(42)
      local first, second = math.random(), math.random()
      math.randomseed(42)
      assert.equal(first, math.random())
      assert(get())
      assert.equal(second, math.random())
    end)
  end)

  describe("does not try again", function()
    it("what stays refused, or is not the API", function()
      for status, kind in pairs {
        [400] = "rejected", [401] = "auth", [403] = "scope", [404] = "rejected", [408] = "rejected", [422] = "rejected",
        [501] = "server", [302] = "protocol", [200] = "protocol",
      } do
        service.asked, service.counts = nil, {}
        fail(1, status, "<html>")
        local err = failed(kind, status ~= 200 and 1 or nil, get(service:client()))
        assert.equal(status, err.status)
        assert.equal("GET", service.asked)
      end
      local err = failed("tls", 1, get(service:client { base_url = client and "https://127.0.0.1:"
        .. service.server:port() }))
      assert.equal("tls", err.kind)
      assert.same({}, service.waits)
    end)

    it("where the wait would end beyond the deadline, and names the option", function()
      fail(9, 503, "", { ["Retry-After"] = "200" })
      local err = failed("server", 1, get())
      assert.equal(200, err.retry_after)
      assert.matches("; the next try, in 200 s, would be beyond the deadline: raise deadline %(120 s for the whole%)$",
        err.message)
      assert.same({}, service.waits)
      fail(3, 503, "", { ["Retry-After"] = "200" })
      assert(get(service:client { deadline = 1000 }))
    end)

    it("a put of which it is not known that it was not written", function()
      for _, row in ipairs { { "drop" }, { "lose" }, { 503, "" }, { 500, "" }, { 200, "<html>" }, { 302, "" } } do
        service.asked, service.counts = nil, {}
        fail(1, row[1], row[2])
        local _, err = service:run(function() return service:client():put(document.new()) end)
        assert.is_true(err.unknown)
        assert.matches("; it may have been written or not, so look %(client:get%) before repeating it$", tostring(err))
        assert.equal("PUT", service.asked)
      end
      for _, status in ipairs { 400, 401, 403, 404 } do
        service.counts = {}
        fail(1, status, "")
        local _, err = service:run(function() return service:client():put(document.new()) end)
        assert.is_nil(err.unknown)
      end
      service.asked, service.counts = nil, {}
      fail(1, 429, "", { ["Retry-After"] = "3" })
      assert(service:run(function() return client:put(document.new()) end))
      assert.equal("PUT PUT", service.asked)
    end)
  end)

  describe("within its deadline", function()
    it("gives no request longer than what is left", function()
      fail(1, 503, "", { ["Retry-After"] = "25" })
      assert(get(service:client { deadline = 40, timeout = 20 }))
      assert.equal(20, service.timeouts[1])
      assert.near(40 - service.waits[1], service.timeouts[2], 1e-6)
    end)

    it("does not count the time that the edit takes", function()
      local outcome = service:run(function()
        return assert(client:update(function(cfg)
          service.time = service.time + 1000
          cfg.settings.timezone = "UTC"
        end))
      end)
      assert.equal("changed", outcome.status)
      for _, timeout in ipairs(service.timeouts) do assert.equal(30, timeout) end
    end)

    it("sends nothing when it is over", function()
      service.on = function() service.time = service.time + 200 end
      local _, err = service:run(function()
        return client:update(function(cfg) cfg.settings.timezone = "UTC" end)
      end)
      failed("timeout", 0, nil, err)
      assert.matches("not sent: no time is left; raise deadline %(120 s for the whole%)", err.message)
      assert.equal("GET", service.asked)
    end)

    it("says that it was the deadline which cut an answer off", function()
      service.on = function()
        service.time = service.time + 3
        service.loop:sleep(0.05)
      end
      local err = failed("timeout", 1, get(service:client { deadline = 0.02 }))
      assert.matches("no answer in the 0.02 s that were left of the deadline; raise deadline", err.message, 1, true)
    end)
  end)

  it("ends a wait when its task is cancelled", function()
    fail(9, 503, "")
    service.on_wait = function() service.task:cancel() end
    local err = failed("cancelled", nil, get())
    assert.matches("; nothing more was sent$", err.message)
    assert.equal("GET", service.asked)
  end)

  it("sends nothing in a task that was cancelled, and says so", function()
    local err
    service:run(function()
      service.task:cancel()
      err = select(2, client:put(document.new()))
      return true
    end)
    failed("cancelled", 1, nil, err)
    assert.is_nil(err.unknown)
    assert.matches("; nothing was sent$", err.message)
    assert.is_nil(service.asked)
  end)
end)
