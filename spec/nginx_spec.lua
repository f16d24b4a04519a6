-- SPDX-License-Identifier: MIT
-- handoff.nginx inside a real nginx, against a real sandbox and against a server that answers badly.
if not rawget(_G, "jit") then return end -- nginx has its own VM, the same whichever runs the tests

local hostile = require "support.nginx"
local openresty = require "support.openresty"
local program = require "support.program"
local sandbox = require "support.sandbox"
local transport = require "handoff.transport"

local function start(o)
  o.http = (o.http or "") .. 'init_by_lua_block { hn = require "handoff.nginx" }'
  return openresty.start(o)
end

--- What came of a request, in a line that is the same wherever it was made. As source, for nginx too.
local describe_source = [[
  local function describe(transport, request)
    local ok, res, err = pcall(transport.request, transport, request)
    if not ok then return "raised " .. (tostring(res):gsub("^.-:%d+: ", "")) end
    if err then
      local message = tostring(err):gsub("after %d+ m%l+", "after a while") -- libcurl may be one late
      return ("%s, %s, %s"):format(err.kind, message, tostring(err.bytes_sent == 0))
    end
    return ("%d, %s, %s, HTTP/%s, %s"):format(res.status, tostring(res.headers["x-twice"]), res.body,
      res.http_version, tostring(res.certificate_expires))
  end
]]

describe("the transport inside nginx", function()
  local peer, server

  setup(function()
    peer = hostile.start()
    server = start {}
  end)
  teardown(function()
    server:stop()
    peer:stop()
  end)

  local requests = {
    'url = http .. "/echo", headers = { ["X-One"] = "1", ["X-Two"] = "two words" }',
    'method = "PUT", url = http .. "/echo", body = "a\\0b" .. ("x"):rep(100000)',
    'method = "DELETE", url = https .. "/echo", ca_file = ca_file, certificate = true',
    'url = http .. "/missing"', 'url = http .. "/redirect"', 'url = http .. "/empty"', 'url = http .. "/zipped"',
    'url = http .. "/huge", max_bytes = 1000', 'url = http .. "/bomb"', 'url = http .. "/bad_zip"',
    'url = http .. "/truncated"', 'url = http .. "/not_http"', 'url = http .. "/big_head"', 'url = http .. "/drop"',
    'url = http .. "/stall", timeout = 0.1', 'url = http .. "/never", timeout = 0.1',
    'url = https .. "/echo"', 'url = other .. "/echo", ca_file = ca_file', 'url = "http://127.0.0.1:1/"',
    'url = "http://localhost/", proxy = proxy', 'url = "http://example.com/"', 'url = "http://a:secret@localhost/"',
    'url = http, headers = { ["X-One"] = "1\\r\\nX-Two: 2" }', 'url = http, max_bites = 1',
    'method = "a b", url = http',
    'url = http, timeout = -1',
  }
  for _, fields in ipairs(requests) do
    it("answers, fails and raises as it does elsewhere: " .. fields, function()
      local source = ([[
        local http, https, other, ca_file, proxy = %q, %q, %q, %q, %q
        local request = { %s }
        request.method = request.method or "GET"
      ]]):format(peer.http, peer.https, peer.https_other, peer.ca_file, peer.proxy, fields) .. describe_source
      local elsewhere = assert(loadstring(source .. "local t = ... return describe(t, request)"))(transport.default())
      assert.equal(elsewhere, server:run(source .. "return describe(hn.transport(), request)"))
    end)
  end
end)

describe("the loop inside nginx", function()
  local peer, server

  setup(function()
    peer = hostile.start()
    server = start {
      env = { PEER = peer.http },
      server = [[
        location /twice { content_by_lua_block {
          local request = { method = "GET", url = os.getenv "PEER" .. "/program/?held" }
          local one, two = hn.transport():request(request), hn.transport():request(request)
          ngx.print(one and one.body, two and two.body)
        } }
        location /never { content_by_lua_block {
          hn.transport():request { method = "GET", url = os.getenv "PEER" .. "/never", timeout = 600 }
        } }
        location /leave { content_by_lua_block {
          local loop = hn.transport().loop
          local task = loop:spawn(function() ngx.sleep(600) end)
          loop:sleep(0.001)
          task:cancel()
          ngx.exit(204) -- nginx ends the task, and uses its coroutine again
        } }
        location /plain { return 200 plain; }
      ]],
    }
    -- Answers after a while, the held ones once they may go; counts those that began, and how many were under way at most.
    peer:program [[
      local counts = ngx.shared.counts
      local now = counts:incr("now", 1, 0)
      counts:set("most", math.max(now, counts:get "most" or 0))
      counts:incr("begun", 1, 0)
      if ngx.var.args == "go" then counts:set("go", true) end
      repeat ngx.sleep(0.05) until ngx.var.args ~= "held" or counts:get "go"
      counts:incr("now", -1)
      ngx.print "x"
    ]]
  end)
  teardown(function()
    server:stop()
    peer:stop()
  end)

  local function run(code)
    return server:run([[
      local transport, peer = hn.transport(), os.getenv "PEER"
      local loop = transport.loop
      local function ask(path, timeout, by)
        return (by or transport):request { method = "GET", url = peer .. path, timeout = timeout }
      end
      local function words(...)
        local list = { ... }
        for i = 1, select("#", ...) do list[i] = tostring(list[i]) end
        return table.concat(list, ", ")
      end
      local function items(count)
        return function()
          count = count - 1
          return count >= 0 and count or nil
        end
      end
    ]] .. code)
  end

  local function count(name) return tonumber(sandbox.request("GET", peer.http .. "/count?of=" .. name).body) end

  --- Asks for a location of the server many times at once, and waits until so many requests are under way at the peer.
  -- @return a function that waits for all answers, and returns their bodies in one
  local function ask_many(location, counter, many)
    local folder = program.folder()
    local clients = assert(io.popen(("for i in $(seq %d); do curl -s %s%s >%s/$i & done; wait"):format(many, server.url,
      location, folder)))
    repeat until count(counter) >= many
    return function()
      clients:close()
      local bodies = program.run(("cat %s/*"):format(folder))
      program.remove(folder)
      return bodies
    end
  end

  -- A task of the ordinary one, resumed from another request, crashed the worker.
  it("takes the place of the ordinary loop, which is refused", function()
    for _, code in ipairs {
      'require("handoff.transport").default():request { method = "GET", url = peer .. "/echo" }',
      'require("handoff.loop").default():spawn(function() end)', 'require("handoff.loop").default():sleep(0)',
    } do
      local told = run("return (select(2, pcall(function() " .. code .. " end))).message")
      assert.truthy(told:find('require "handoff.nginx"', 1, true), told)
    end
  end)

  it("serves others while a request waits", function()
    assert.equal("plain, timeout", run [[
      local task = loop:spawn(ask, "/never", 0.3)
      loop:sleep(0)
      local socket = ngx.socket.tcp()
      socket:connect("127.0.0.1", ngx.var.server_port)
      socket:send "GET /plain HTTP/1.0\r\n\r\n"
      local text = socket:receive "*a":match "%a+$"
      local was_done, _, err = task.done, task:join()
      return words(was_done and "it waited" or text, err.kind)
    ]])
  end)

  it("keeps connections from one request to the next", function()
    assert.equal("true", run 'ask "/empty" return words(ask("/empty").reused)')
  end)

  it("runs tasks side by side, which begin after they were spawned", function()
    assert.equal("one two three four, 1, nil, 3", run [[
      local order = { "one" }
      local function add(word) order[#order + 1] = word end
      local task = loop:spawn(function(...) add "two" loop:sleep(0.01) add "four" return ... end, 1, nil, 3)
      assert(#order == 1)
      loop:spawn(add, "three")
      local a, b, c = task:join()
      return words(table.concat(order, " "), a, b, c)
    ]])
  end)

  it("hands what a task raises to whoever joins it, with where that was", function()
    assert.equal("invalid, chunk:17: no, true", run [[
      local task = loop:spawn(function() loop:sleep(0) error "no" end)
      local _, err = task:join()
      return words(err.kind, err.message, err.traceback:find("chunk:17", 1, true) ~= nil)
    ]])
  end)

  it("ends the waits of a cancelled task, and lets what is under way come to its end", function()
    assert.equal("cancelled, x, cancelled, cancelled, nil", run [[
      local asleep = loop:spawn(function() return loop:sleep(600) end)
      local later, unborn
      local asking = loop:spawn(function()
        local res = ask "/program/"
        later = select(2, ask "/program/")
        return res.body
      end)
      local joining = loop:spawn(function() return asleep:join() end)
      loop:sleep(0.01)
      local never = loop:spawn(function() unborn = true end)
      for _, task in ipairs { joining, asleep, asking, never } do task:cancel() end
      local function kind(task) local value, err = task:join() return value or err.kind end
      return words(kind(joining), kind(asking), later.kind, kind(never), unborn)
    ]])
  end)

  it("takes nobody for the cancelled task of a request that is gone", function()
    for _ = 1, 4 do assert.equal(204, server:get "/leave".status) end
    assert.equal("true, true, true, true, true", run [[
      local slept = {}
      for i = 1, 5 do ngx.thread.spawn(function() slept[i] = loop:sleep(0.01) end) end
      loop:sleep(0.05)
      return words(unpack(slept, 1, 5))
    ]])
  end)

  it("sends no more at once than it may, the others in their turn", function()
    sandbox.request("GET", peer.http .. "/forget")
    assert.equal("20", run [[
      local four, answers = hn.transport { concurrency = 4 }, 0
      four.loop:map(20, items(20), function()
        if ask("/program/", 5, four) then answers = answers + 1 end
      end)
      return answers
    ]])
    assert.equal(4, count "most")
  end)

  it("says of a request that had no turn in its time, or was cancelled before, that it was not sent", function()
    assert.equal("timeout, true, true, cancelled, true, x", run [[
      local one = hn.transport { concurrency = 1 }
      local first = one.loop:spawn(ask, "/never", 0.3, one)
      local second, third = one.loop:spawn(ask, "/empty", 0.05, one), one.loop:spawn(ask, "/empty", 5, one)
      one:sleep(0.01)
      third:cancel()
      local _, late = second:join()
      local _, cancelled = third:join()
      first:join()
      return words(late.kind, late.bytes_sent == 0, late.message:find("concurrency = 1", 1, true) ~= nil,
        cancelled.kind, cancelled.bytes_sent == 0, ask("/program/", 5, one).body)
    ]])
  end)

  it("loses no turn to a request whose client went away", function()
    assert.equal("x", run [[
      local one = hn.transport { concurrency = 1 }
      local thread = ngx.thread.spawn(ask, "/never", 0.1, one)
      ngx.sleep(0.01)
      ngx.thread.kill(thread) -- as nginx does then
      return ask("/program/", 5, one).body
    ]])
  end)

  it("does not send what waited for its turn when its client went away", function()
    assert.equal("x", run [[
      local one = hn.transport { concurrency = 1 }
      local first = one.loop:spawn(ask, "/never", 0.1, one)
      one:sleep(0.01)
      local thread = ngx.thread.spawn(ask, "/count?of=begun", 5, one)
      local gone = ngx.thread.spawn(ask, "/program/", 5, one)
      local before = ask("/count?of=begun").body
      ngx.thread.kill(gone)
      first:join()
      ngx.thread.wait(thread)
      return before == ask("/count?of=begun", 5, one).body and "x" or "it was sent"
    ]])
  end)

  -- A sanitizer ends a process whose memory is limited.
  local unsanitized = os.getenv "SANITIZERS" and function() end or it
  unsanitized("raises that memory was too short for an answer, and goes on", function()
    local short = start { env = { PEER = peer.http } }
    finally(function() short:stop() end)
    assert.equal("not enough memory, then 16777216", short:run [[
      local ffi = require "ffi"
      ffi.cdef "struct spec_limit { unsigned long now, most; };"
      ffi.cdef "int getrlimit(int, struct spec_limit *); int setrlimit(int, const struct spec_limit *);"
      local limit, of_addresses = ffi.new "struct spec_limit", 9
      assert(ffi.C.getrlimit(of_addresses, limit) == 0)
      local function set(bytes)
        limit.now = bytes
        assert(ffi.C.setrlimit(of_addresses, limit) == 0)
      end
      local function ask(path)
        return hn.transport():request { method = "GET", url = os.getenv "PEER" .. path, timeout = 60, max_bytes = 2^25 }
      end
      assert(ask "/empty") -- the thread's state is there
      local before, file = limit.now, io.open "/proc/self/status"
      set(1024 * tonumber(file:read "*a":match "VmSize:%s*(%d+) kB") + 2^23)
      file:close()
      local _, err = pcall(ask, "/huge")
      set(before)
      return tostring(err) .. ", then " .. #ask "/huge".body
    ]])
  end)

  it("does without timers where others have all that may run", function()
    local few = start { env = { PEER = peer.http }, http = "lua_max_running_timers 2;" }
    local answers = few:run [[
      local semaphore, answers = require("ngx.semaphore").new(), {}
      for i = 1, 2 do
        ngx.timer.at(0, function()
          local res, err = hn.transport():request { method = "GET", url = os.getenv "PEER" .. "/empty", timeout = 20 }
          answers[i] = res and res.status or err.kind
          semaphore:post(1)
        end)
      end
      for _ = 1, 2 do semaphore:wait(30) end
      return table.concat(answers, " ")
    ]]
    few:stop()
    assert.equal("204 204", answers)
  end)

  local repeated = {
    { "requests", 'loop:map(20, items(400), function() assert(ask "/empty") end)' },
    { "tasks, in a timer without an end",
      "for i = 1, 2000 do assert(loop:spawn(function() return i end):join() == i) end" },
  }
  for _, row in ipairs(repeated) do
    it("needs no more memory for more " .. row[1], function()
      assert.equal("flat", run(([[
        local function held()
          %s
          collectgarbage()
          collectgarbage()
          return collectgarbage "count"
        end
        held()
        local before, after = held(), held()
        return after < before + 64 and "flat" or after - before
      ]]):format(row[2])))
    end)
  end

  it("lets what is under way come to its end when nginx reloads", function()
    sandbox.request("GET", peer.http .. "/forget")
    local old = server:workers()
    local answers = ask_many("/twice", "begun", 8)
    server:reload()
    sandbox.request("GET", peer.http .. "/program/?go")
    assert.equal(("xx"):rep(8), answers())
    for _, pid in ipairs(old) do server:await(pid) end
  end)

  it("stops at once when it is told to, whatever is under way", function()
    local answers = ask_many("/never", "never", 8)
    server:stop()
    assert.equal("", answers())
  end)
end)

describe("a phase of nginx", function()
  local server
  setup(function()
    server = start {
      http = [[ init_worker_by_lua_block {
        ngx.log(ngx.NOTICE, tostring(select(2, pcall(hn.transport().sleep, hn.transport(), 0))))
      } ]],
      server = [[
        location /filter {
          header_filter_by_lua_block {
            local t = hn.transport()
            local _, err = pcall(t.request, t, { method = "GET", url = "http://127.0.0.1:1/" })
            ngx.header["X-Error"] = tostring(err)
          }
          return 200;
        }
        location /access {
          access_by_lua_block { ngx.ctx.waited = tostring(hn.transport():sleep(0.001)) }
          content_by_lua_block { ngx.print(ngx.ctx.waited) }
        }
        location /timer { content_by_lua_block {
          local semaphore, said = require("ngx.semaphore").new()
          ngx.timer.at(0, function()
            local _, err = hn.transport():request { method = "GET", url = "http://127.0.0.1:1/" }
            said = err.kind
            semaphore:post(1)
          end)
          semaphore:wait(10)
          ngx.print(said)
        } }
      ]],
    }
  end)
  teardown(function() server:stop() end)

  it("in which nothing can wait raises at the script's place and names those that work", function()
    local expected = "nginx cannot wait in %s; call it in rewrite_by_lua*, access_by_lua*, content_by_lua* or a timer"
    local said = server:get "/filter".headers["x-error"]
    assert.truthy(said:find("^header_filter_by_lua%S+:3: a request: "), said)
    assert.truthy(said:find(expected:format "header_filter_by_lua*", 1, true), said)
    assert.truthy(server:log():find(expected:format "init_worker_by_lua*", 1, true))
  end)

  it("of another kind waits", function()
    assert.equal("true", server:get "/access".body)
    assert.equal("network", server:get "/timer".body)
  end)
end)

-- Of a table nginx would tell "unknown reason".
describe("a mistake", function()
  local server
  setup(function()
    server = start {
      http = ([[
        init_worker_by_lua_block {
          function parsed() return assert(require("handoff").config(%q)) end
          hn.transport():sleep(0)
        }
      ]]):format((require("support.document").text())),
      server = [[
        location /edit { content_by_lua_block {
          local cfg = parsed()
          cfg.settings.is_activ = true
        } }
        location /add { content_by_lua_block {
          local cfg = parsed()
          cfg.custom_guidelines:add { nmae = "x" }
        } }
        location /again { content_by_lua_block {
          require("handoff").fleet { { name = "a", token = "t" } }:get()
        } }
        location /timer { content_by_lua_block {
          ngx.timer.at(0, function() hn.client { tokn = "t" } end)
        } }
        location /caught { content_by_lua_block {
          local cfg = parsed()
          local ok, err = pcall(function() cfg.settings.is_activ = true end)
          ngx.print(ok, " ", err.kind, " ", err.path)
        } }
      ]],
    }
  end)
  teardown(function()
    program.write(server.dir .. "/error.log", "") -- nginx tells the stack of what nothing catches
    server:stop()
  end)

  it("that nothing catches is told by nginx's log, in its line", function()
    for _, path in ipairs { "/edit", "/add", "/again", "/timer" } do server:get(path) end
    local log = server:log()
    for _, line in ipairs {
      "init_worker_by_lua error: init_worker_by_lua%S+:%d+: sleep: nginx cannot wait in init_worker_by_lua%*; call it",
      "runtime error: content_by_lua%S+:3: settings.is_activ: no such field; did you mean \"is_active\"%?",
      "runtime error: content_by_lua%S+:3: custom_guidelines%[%d%].nmae: no such field",
      "runtime error: [^\n]*handoff: inside nginx this would stop every request of the worker; make clients and",
      "runtime error: content_by_lua%S+:2: handoff.client: no option \"tokn\"",
    } do
      assert.truthy(log:find(line), line .. "\n" .. log)
    end
    assert.is_nil(log:find("unknown reason", 1, true), log)
  end)

  it("in the variables is told with the line that nginx.conf lacks", function()
    local said = server:run 'return select(2, hn.fleet({ { name = "a", token_env = "NO_SUCH" } }):get())'
    local line = "%s where nginx is started, and name it in nginx.conf: `env %s;`"
    assert.truthy(said:find(line:format("NO_SUCH is not set; export it", "NO_SUCH"), 1, true), said)
    said = server:run "return select(2, pcall(hn.client))"
    assert.truthy(said:find(line:format("set HANDOFF_TOKEN", "HANDOFF_TOKEN"), 1, true), said)
  end)

  it("is a table where it is caught", function()
    assert.equal("false invalid settings.is_activ", server:get "/caught".body)
  end)
end)

describe("nginx's configuration", function()
  local code = [[
    local answers = 0
    hn.transport().loop:map(20, function() answers = answers + 1 return answers <= 20 and answers or nil end, function()
      local _, err = hn.transport():request { method = "GET", url = "http://127.0.0.1:1/" }
      assert(err.kind == "network", err)
    end)
  ]]

  it("without the thread pool is told of the line that it lacks", function()
    local server = start { threads = false }
    finally(function() server:stop() end)
    local ok, err = pcall(server.run, server, 'hn.transport():request { method = "GET", url = "http://127.0.0.1:1/" }')
    assert.is_false(ok)
    assert.truthy(err:find("`thread_pool handoff threads=32;`", 1, true), err)
    assert.truthy(err:find("`lua_worker_thread_vm_pool_size 32;`", 1, true), err)
  end)

  it("whose modules the threads cannot load is told of what has to be readable", function()
    local server = start { http = "init_worker_by_lua_block { package.cpath = '/nowhere/?.so' }" }
    finally(function() server:stop() end)
    assert.equal("handoff.nginx: nginx's thread pool failed: module 'handoff.core' not found; the user of nginx's "
      .. "workers must be able to read what lua_package_path and lua_package_cpath name", server:run [[
        local ok, err = pcall(hn.transport().request, hn.transport(), { method = "GET", url = "http://127.0.0.1:1/" })
        return not ok and tostring(err):gsub("^%S+:%d+: ", "")
      ]])
  end)

  it("of an nginx built without threads is told of what is needed, and of what does without", function()
    local server = start { threads = false, http = "init_worker_by_lua_block { ngx.run_worker_thread = nil }" } -- as there
    finally(function() server:stop() end)
    local told = server:run "return select(2, pcall(hn.client, { token = 't' }))"
    assert.truthy(told:find("0.10.21 or later is needed, and an nginx built --with-threads", 1, true), told)
    assert.truthy(told:find('or choose carrier = "resty-http"', 1, true), told)
  end)

  it("with few threads or states serves more requests than that in turn", function()
    for _, few in ipairs { { threads = 2 }, { vms = 2 }, { vms = 1, threads = 1 } } do
      local server = start(few)
      local ok, err = pcall(server.run, server, code .. "return 'served'")
      server:stop()
      assert.is_true(ok, err)
    end
  end)
end)

describe("what several pools of a worker want", function()
  it("is done in turn, although there are fewer states than one of them could use", function()
    local peer = hostile.start()
    local server = start { vms = 2, env = { PEER = peer.http } }
    finally(function()
      server:stop()
      peer:stop()
    end)
    -- There is always a request that waits for its turn.
    assert.equal("served", server:run [[
      local other, asked, served, task = hn.transport { concurrency = 1 }, 0, nil, nil
      local function ask(transport)
        local res = assert(transport:request { method = "GET", url = os.getenv "PEER" .. "/empty", timeout = 20 })
        return res.status
      end
      hn.transport().loop:map(8, function() return not served and asked < 2000 or nil end, function()
        asked = asked + 1
        if asked == 20 then task = other.loop:spawn(function() served = ask(other) == 204 end) end
        return ask(hn.transport())
      end)
      task:join()
      return asked < 2000 and "served" or "it had to wait for all others"
    ]])
  end)
end)

describe("clients and fleets inside nginx", function()
  local box, server

  setup(function()
    box = sandbox.start { agents = 41, latency = 1 }
    local secrets, lines = {}, { "return {" }
    for i, agent in ipairs(box.agents) do
      secrets[i], lines[i + 1] = agent.token, ("{ name = %q, token = %q },"):format(agent.name, agent.token)
    end
    lines[42] = "}" -- instead of the last, which is for one test
    server = start {
      workers = 2, secrets = secrets,
      env = { HANDOFF_BASE_URL = box.base_url, HANDOFF_TOKEN = secrets[1], OTHER = secrets[41] },
    }
    program.write(server.dir .. "/agents.lua", table.concat(lines, "\n"))
  end)
  teardown(function()
    server:stop()
    box:stop()
  end)

  it("edit one agent, as elsewhere", function()
    assert.equal("changed, 3 requests, made, handoff error, 8 events of shop", server:run [[
      local events = 0
      local client = hn.client { name = "shop", on_event = function(event)
        if event.agent == "shop" then events = events + 1 end
      end }
      local outcome = assert(client:update(function(cfg) cfg.settings.question_message = "made" end))
      local _, err = hn.client { token = "none", retries = 0 }:get()
      return ("%s, %d requests, %s, %s, %d events of shop"):format(outcome.status, outcome.requests,
        client:get().settings.question_message, getmetatable(err), events)
    ]])
  end)

  it("edit and read many, without a history unless its place is given", function()
    local function run(code)
      return server:run(([[
        local fleet = assert(hn.fleet("%s/agents.lua", { concurrency = 16 }))
      ]]):format(server.dir) .. code)
    end
    assert.equal("40 agents: 40 changed, 0 unchanged, 0 failed", run [[
      return fleet:update(function(cfg) cfg.settings.confirmation_message = "soon" end)
    ]])
    assert.equal("40", run [[
      local same = 0
      for _, result in ipairs(fleet:get().results) do
        if result.value.settings.confirmation_message == "soon" then same = same + 1 end
      end
      return same
    ]])
    assert.equal("no, 5 began", run [[
      local began = 0
      local run = fleet:each(function() began = began + 1 error "no" end, {
        concurrency = 3, stop = function() return began >= 3 end,
      })
      return ("%s, %d began"):format(run.results[1].error.message:match "%a+$", began)
    ]])
    assert.equal("", (program.run("ls -A " .. server.dir .. " | grep history || :")))
  end)

  it("share the service's limits with the other workers", function()
    assert.equal("60", server:run [[
      local sent, client = 0, hn.client { name = "other", token = os.getenv "OTHER", deadline = 2 }
      repeat
        local cfg, err = client:get()
        if cfg then sent = sent + 1 end
      until err
      return sent
    ]])
  end)
end)
