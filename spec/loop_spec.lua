-- SPDX-License-Identifier: MIT
local core = require "handoff.core"
local loops = require "handoff.loop"
local nginx = require "support.nginx"
local program = require "support.program"

describe("loop", function()
  local server, loop

  setup(function() server = nginx.start() end)
  teardown(function() server:stop() end)
  before_each(function() loop = loops.new() end)
  after_each(function() -- with whatever a test left under way
    if loop.engine then loop.engine:close() end
  end)

  local function request(path, fields)
    local req = { method = "GET", url = server.http .. path }
    for name, value in pairs(fields or {}) do req[name] = value end
    return loop:request(req, {}, true)
  end

  local function count(of) return tonumber(request("/count?of=" .. of).body) end

  local function assert_cancelled(value, err)
    assert.is_nil(value)
    assert.equal("cancelled", err.kind)
  end

  describe("tasks", function()
    it("run at the loop's next step, and give what they return to whoever joins", function()
      local ran = false
      local task = loop:spawn(function(...)
        ran = true
        return select("#", ...), nil, ...
      end, 1, nil, nil)
      assert.is_false(ran)
      assert.same({ n = 5, 3, nil, 1 }, { n = select("#", task:join()), task:join() })
      assert.is_true(task.done)
    end)

    it("make requests at the same time", function()
      local inside, most = 0, 0
      for _ = 1, 100 do
        loop:spawn(function()
          inside = inside + 1
          most = math.max(most, inside)
          assert(request("/slow"))
          inside = inside - 1
        end)
      end
      loop:run()
      assert.same({ 0, 100 }, { inside, most })
    end)

    it("sleep in the order of their times, however many", function()
      local woken, expected = {}, {}
      for i = 1, 60 do
        loop:spawn(function()
          assert.is_true(loop:sleep(i * 37 % 60 / 2000))
          woken[#woken + 1] = i
        end)
      end
      loop:step()
      for _, entry in ipairs(loop.sleepers) do expected[#expected + 1] = entry end
      table.sort(expected, function(x, y) return x.at < y.at or x.at == y.at and x.order < y.order end)
      for i, entry in ipairs(expected) do expected[i] = entry.waiter.order end
      loop:run()
      for i = 1, 60 do assert.equal(expected[i], expected[1] - woken[1] + woken[i]) end
    end)

    it("may be started, joined and joined again inside tasks", function()
      local outer = loop:spawn(function()
        local inner = loop:spawn(function() return request("/echo").status end)
        local other = loop:spawn(function() return (inner:join()) + 1 end)
        return inner:join(), other:join()
      end)
      assert.same({ 200, 201 }, { outer:join() })
    end)

    it("use coroutines again", function()
      local seen, count_seen = {}, 0
      for _ = 1, 5 do
        for _ = 1, 4 do
          loop:spawn(function()
            local co = coroutine.running()
            if not seen[co] then seen[co], count_seen = true, count_seen + 1 end
            loop:sleep(0)
          end)
        end
        loop:run()
      end
      assert.equal(4, count_seen)
    end)

    it("wait inside pcall and inside their own iterators", function()
      local task = loop:spawn(function()
        local ok, res = pcall(request, "/echo")
        return ok, res.status
      end)
      assert.same({ true, 200 }, { task:join() })
    end)
  end)

  describe("errors", function()
    it("of a task go to whoever joins it, with the place and the traceback", function()
      local task = loop:spawn(function() error "boo" end)
      local value, err = task:join()
      assert.is_nil(value)
      assert.is_true(core.error.is(err))
      assert.matches("loop_spec%.lua:%d+: boo$", err.message)
      assert.matches("traceback.*loop_spec%.lua", err.traceback)
      loop:run()
    end)

    it("that are the library's stay what they are; any other value is kept", function()
      local own = core.error.new { kind = "scope", message = "no" }
      assert.equal(own, select(2, loop:spawn(error, own):join()))
      local value = {}
      assert.equal(value, select(2, loop:spawn(error, value):join()).value)
      local spiteful = setmetatable({}, { __tostring = function() error "no" end })
      assert.equal("an error that is a table", select(2, loop:spawn(error, spiteful):join()).message)
    end)

    it("that nobody joined are raised by run, and the other tasks come to their end", function()
      local ended = false
      loop:spawn(function() error "first" end)
      loop:spawn(function() error "second" end)
      loop:spawn(function() ended = request("/echo").status end)
      local ok, err = pcall(loop.run, loop)
      assert.is_false(ok)
      assert.matches("first$", err.message)
      assert.equal(200, ended)
      loop:run()
    end)

    it("say so when a task yields to nobody", function()
      local task = loop:spawn(function() coroutine.yield(1) end)
      local _, err = task:join()
      assert.matches("yielded a value of its own", err.message)
      assert.matches("loop_spec%.lua", err.traceback)
    end)

    it("of a bad request are raised where it was made", function()
      local task = loop:spawn(function() return pcall(request, "/echo", { timeout = -1 }) end)
      local ok, err = task:join()
      assert.is_false(ok)
      assert.equal("request.timeout", err.path)
    end)

    it("tell waits that cannot end", function()
      local a, b
      a = loop:spawn(function() return b:join() end)
      b = loop:spawn(function() return a:join() end)
      assert.has_error(function() loop:run() end)
      assert.has_error(function() a:join() end)
      local itself
      itself = loop:spawn(function() return itself:join() end)
      assert.equal("self", select(2, itself:join()).rule)
      assert.equal("nested", select(2, loop:spawn(loop.run, loop):join()).rule)
      for _, bad in ipairs { -1, 0 / 0, math.huge, "1" } do assert.has_error(function() loop:sleep(bad) end) end
      for _, bad in ipairs { {}, loops.new():spawn(print) } do assert.has_error(function() loop:join(bad) end) end
      assert.has_error(function() loop:spawn(1) end)
    end)
  end)

  describe("outside tasks", function()
    it("the same calls block, and the tasks go on meanwhile", function()
      local task = loop:spawn(function()
        assert(loop:sleep(0.001))
        return request("/echo").status
      end)
      assert.equal("slow", request("/slow").body)
      assert.is_true(loop:sleep(0.02))
      assert.is_true(task.done)
      assert.equal(200, (task:join()))
    end)

    it("a coroutine of the script's own blocks, and can yield to its own resumer", function()
      local own = coroutine.wrap(function()
        coroutine.yield(request("/echo").status)
        coroutine.yield(loop:sleep(0.001))
      end)
      assert.same({ 200, true }, { own(), own() })
    end)

    it("a coroutine inside a task does so too", function()
      local progress = 0
      local other = loop:spawn(function()
        for _ = 1, 3 do
          assert(loop:sleep(0.001))
          progress = progress + 1
        end
      end)
      local task = loop:spawn(function()
        local statuses = {}
        for status in coroutine.wrap(function()
          for _ = 1, 3 do
            coroutine.yield(request("/slow").status)
            assert.is_nil((loop:join(other)))
          end
        end) do
          statuses[#statuses + 1] = status
          assert(loop:sleep(0))
        end
        return statuses
      end)
      assert.same({ 200, 200, 200 }, (task:join()))
      assert.equal(3, progress)
    end)

    it("many coroutines inside many tasks do not pile up", function()
      local sum = 0
      for _ = 1, 100 do
        loop:spawn(function()
          local own = coroutine.wrap(function() coroutine.yield(request("/slow").status) end)
          local status = own()
          sum = sum + status
        end)
      end
      loop:run()
      assert.equal(20000, sum)
    end)
  end)

  describe("cancel", function()
    it("ends a request that is under way, and every later wait of the task", function()
      local first, second
      local task = loop:spawn(function()
        first = { request "/never" }
        second = { loop:sleep(100) }
        return "ended"
      end)
      request "/forget"
      while count "never" == 0 do loop:sleep(0.001) end
      task:cancel()
      assert.equal("ended", (task:join()))
      assert_cancelled(first[1], first[2])
      assert_cancelled(second[1], second[2])
      task:cancel()
    end)

    it("ends a sleep and a join", function()
      local sleeper = loop:spawn(function() return loop:sleep(1000) end)
      local joiner = loop:spawn(function() return sleeper:join() end)
      loop:sleep(0)
      joiner:cancel()
      assert_cancelled(joiner:join())
      assert.is_false(sleeper.done)
      sleeper:cancel()
      assert_cancelled(sleeper:join())
      loop:run()
    end)

    it("keeps a task that has not started from starting", function()
      local task = loop:spawn(function() error "never" end)
      task:cancel()
      assert_cancelled(task:join())
      loop:run()
    end)

    it("reaches a wait in a coroutine inside the task", function()
      local task = loop:spawn(function()
        local own = coroutine.wrap(function() return request "/never" end)
        return own()
      end)
      loop:spawn(function()
        loop:sleep(0.01)
        task:cancel()
      end)
      assert_cancelled(task:join())
    end)

    it("of itself is a task's own business", function()
      local task
      task = loop:spawn(function()
        task:cancel()
        return loop:sleep(1)
      end)
      assert_cancelled(task:join())
    end)
  end)

  describe("map", function()
    it("calls for every item, so many at a time, in no more coroutines", function()
      local inside, most, seen, items = 0, 0, {}, {}
      for i = 1, 500 do items[i] = i end
      local results, errors = loop:map(8, items, function(item, index)
        inside = inside + 1
        most = math.max(most, inside)
        seen[coroutine.running()] = true
        assert(request "/document")
        inside = inside - 1
        if item == 7 then error "seven" end
        if item == 8 then return nil, core.error.new { kind = "network", message = "eight" } end
        return item * index
      end)
      assert.equal(8, most)
      local coroutines = 0
      for _ in pairs(seen) do coroutines = coroutines + 1 end
      assert.equal(8, coroutines)
      assert.same({ 1, 500 * 500 }, { results[1], results[500] })
      assert.is_nil(results[7])
      assert.matches("seven$", errors[7].message)
      assert.matches("loop_spec", errors[7].traceback)
      assert.equal("network", errors[8].kind)
      errors[7], errors[8] = nil, nil
      assert.is_nil(next(errors))
    end)

    it("takes items from a function, and works inside a task", function()
      local left = 10
      local task = loop:spawn(function()
        return loop:map(3, function()
          left = left - 1
          return left >= 0 and left or nil
        end, function(item) return item, loop:sleep(0) and nil end)
      end)
      local results, errors = task:join()
      assert.same({ 9, 8, 7, 6, 5, 4, 3, 2, 1, 0 }, results)
      assert.same({}, errors)
      for _, arguments in ipairs { { { 1 }, 32, print }, { 32, nil, print }, { 0, { 1 }, print }, { 32, { 1 } } } do
        local ok, err = pcall(loop.map, loop, arguments[1], arguments[2], arguments[3])
        assert.is_false(ok)
        assert.matches("call it as loop:map(32, items, fn)", tostring(err), 1, true)
      end
      assert.same({}, (loop:map(3, {}, error)))
    end)

    it("raises what its source of items raises", function()
      assert.has_error(function() loop:map(2, function() error "source" end, print) end)
    end)

    it("ends with its task", function()
      local started = 0
      local task = loop:spawn(function()
        return loop:map(2, function() return true end, function()
          started = started + 1
          return request "/never"
        end)
      end)
      loop:spawn(function()
        loop:sleep(0.01)
        task:cancel()
      end)
      assert_cancelled(task:join())
      loop:run()
      assert.equal(2, started)
    end)
  end)

  describe("garbage", function()
    it("takes transfers that run and engines that have some, in any order", function() -- the audit counts descriptors
      local req = { method = "GET", url = server.http .. "/never" }
      for round = 1, 12 do
        local engine, transfers = core.http.engine(), {}
        for i = 1, 4 do transfers[i] = engine:submit(req, {}) end
        engine:step(0)
        if round % 3 == 0 then engine:close() end
        if round % 3 == 1 then transfers[2]:close() end
        if round % 2 == 0 then engine = nil else transfers = nil end
        collectgarbage()
        if engine and round % 3 ~= 0 then assert.is_nil(engine:next()) end
        if transfers and transfers[1] then
          assert_cancelled(transfers[1]:result())
          assert.has_error(function() transfers[1]:result() end)
        end
      end
    end)

    it("is harmless at any point", function()
      local code = ([[
        if jit then collectgarbage("setpause", 10) -- with less, LuaJIT's collector may not come to an end
        else collectgarbage("setpause", 1) collectgarbage("setstepmul", 1000) end
        local loop = require "handoff.loop".new()
        local curl = require "handoff.transport".curl { loop = loop }
        local function work(item)
          local req = { method = "PUT", url = "%s/echo", body = ("x"):rep(item), headers = { A = "b" } }
          local res, err = curl:request(req)
          collectgarbage()
          return assert(res, err).body
        end
        local items = {}
        for i = 1, 200 do items[i] = i end
        local results, errors = loop:map(32, items, work)
        assert(not next(errors), select(2, next(errors)))
        for i = 1, 200 do assert(#results[i]:match "\n\n(x*)$" == i) end
        for i = 1, 20 do loop:spawn(curl.request, curl, { method = "GET", url = "%s/never" }) end
        loop:sleep(0.01)
        print "fine" -- and the state is closed with transfers under way]]):format(server.http, server.http)
      assert.equal("fine\n", (program.run(program.lua .. " -e " .. program.quote(code))))
    end)
  end)

  describe("engines and transfers", function()
    it("tell a wrong type from a closed one, and close twice", function()
      local engine = core.http.engine()
      local transfer = engine:submit({ method = "GET", url = server.http .. "/never" }, {})
      assert.has_error(function() transfer:result() end, "the transfer is still running")
      assert.matches("expected", select(2, pcall(engine.step, transfer)))
      transfer:close()
      transfer:close()
      transfer:cancel()
      assert.has_error(function() transfer:result() end, "the transfer's result was taken before")
      engine:close()
      engine:close()
      assert.has_error(function() engine:step(0) end, "the engine is closed")
    end)
  end)

  it("cannot be closed while requests are under way, and can be used on afterwards", function()
    local task = loop:spawn(request, "/never")
    loop:step()
    loop:step()
    assert.has_error(function() loop:close() end)
    task:cancel()
    loop:run()
    loop:close()
    assert.equal(200, request("/echo").status)
    loop:close()
  end)

  it("is left by an error that interrupts it, and the request with it", function()
    local step = loop.step
    loop.step = function() error "interrupted!" end -- as the hook that ^C sets in Lua's own interpreter
    assert.has_error(function() request "/never" end)
    loop.step = nil
    assert.equal(step, loop.step)
    assert.equal(200, request("/echo").status)
    loop:close()
  end)
end)
