-- SPDX-License-Identifier: MIT
-- The loopback server itself, in this process, with curl as its client.
local serve = require "handoff.serve"

-- A sanitizer that this process was started with is not for it.
local client = "env -u LD_PRELOAD curl"

local unpack = table.unpack or unpack

describe("handoff.serve", function()
  local server

  local function start(options)
    server = assert(serve.new(options))
    return server
  end
  after_each(function()
    if server then server:close() end
    server = nil
  end)

  -- Starts curl with those words, serves until it has hung up, and gives what it printed and its exit status. Every request goes
  -- to `on_request`; without one it is held.
  local function curl(words, on_request)
    local url = ("http://127.0.0.1:%d"):format(server:port())
    local pipe = io.popen(("%s -sS --no-progress-meter -m 20 %s 2>&1; echo \" $?\""):format(client,
      (words:gsub("URL", url))))
    local came, start_time = false, serve.now()
    while serve.now() - start_time < 40 do
      server:step(20)
      for request in function() return server:next() end do
        if on_request then on_request(request) end
        request = nil -- luacheck: ignore
      end
      collectgarbage()
      came = came or server:connections() > 0
      if came and server:connections() == 0 then break end
    end
    local output, status = pipe:read "*a":match "^(.*) (%d+)\n$"
    pipe:close()
    return output, tonumber(status)
  end

  local function answers(status, headers, body)
    return function(request) server:answer(request, status, headers, body) end
  end

  it("hands out what was asked, as it was sent", function()
    start()
    local got
    local output = curl("-X PUT -H 'X-One: 1' -H 'x-one: 2' -d 'a body' 'URL/a%20path//?q=%20&r'", function(request)
      got = request
      assert.is_true(server:answer(request, 201, { ["X-Two"] = "3" }, "thanks"))
    end)
    assert.equal("thanks", output)
    assert.equal("PUT", got.method)
    assert.equal("/a%20path//", got.path)
    assert.equal("q=%20&r", got.query)
    assert.equal("a body", got.body)
    assert.equal("1, 2", got.headers["x-one"])
    assert.is_nil(got.headers["X-One"])
  end)

  it("tells no query from an empty one", function()
    start()
    local queries = {}
    curl("URL/a 'URL/b?'", function(request)
      queries[request.path] = tostring(request.query)
      server:answer(request, 204)
    end)
    assert.same({ ["/a"] = "nil", ["/b"] = "" }, queries)
  end)

  it("keeps bodies and answers of any bytes and sizes", function()
    start()
    local sizes = {}
    curl("-o /dev/null --data-binary @- URL/ < /dev/null", function(request)
      sizes[#sizes + 1] = #request.body
      server:answer(request, 200, nil, ("\0\255"):rep(400000))
    end)
    local output = curl("-w '%{size_download}' -o /dev/null URL/", answers(200, nil, ("\0\255"):rep(400000)))
    assert.equal("800000", output)
    local text
    curl("--data-binary @- URL/ <<'END'\n" .. ("x\1y\n"):rep(1000) .. "END\n true", function(request)
      text = request.body
      server:answer(request, 200)
    end)
    assert.equal(("x\1y\n"):rep(1000), text)
    assert.same({ 0 }, sizes)
  end)

  it("serves many requests over one connection", function()
    start()
    assert.equal("1 0 0 ", (curl("-w '%{num_connects} ' URL/1 URL/2 URL/3", answers(200))))
  end)

  it("answers a body over its limit by itself, whether the client asks before it sends or not", function()
    start { max_body = 1000, too_large = "too large" }
    local seen = 0
    local function count(request)
      seen = seen + 1
      server:answer(request, 200, nil, "taken")
    end
    local function send(bytes, more)
      return (curl(("-w ' %%{http_code}' %s -d '%s' URL/"):format(more or "", ("x"):rep(bytes)), count))
    end
    assert.equal("taken 200", send(1000))
    assert.equal("too large 413", send(1001))
    assert.equal("too large 413", send(1001, "-H 'Expect: 100-continue'"))
    assert.equal("too large 413", send(50000, "-H 'Transfer-Encoding: chunked'"))
    assert.equal(1, seen)
  end)

  it("cuts off who sends without end", function()
    start { max_body = 100 }
    local _, status = curl("-T - URL/ < /dev/zero")
    assert.not_equal(0, status)
  end)

  it("answers in any order, and later", function()
    start()
    local held = {}
    local output = curl("-Z --parallel-immediate 'URL/[1-3]'", function(request)
      table.insert(held, 1, request)
      if #held == 3 then
        for _, one in ipairs(held) do server:answer(one, 200, nil, one.path) end
      end
    end)
    assert.equal(6, #output)
    for i = 1, 3 do assert.truthy(output:find("/" .. i, 1, true)) end
  end)

  it("drops a request without an answer", function()
    start()
    local _, status = curl("URL/", function(request) request:drop() end)
    assert.equal(52, status) -- curl: empty reply
  end)

  it("sends bytes as they are, and resets", function()
    start()
    local output, status = curl("URL/", function(request)
      local text = "HTTP/1.1 299 \r\nContent-Length: 9\r\n\r\nshort"
      assert.equal(#text, request:write(text))
      assert.equal(0, request:write "")
      request:drop()
      assert.has_error(function() request:write "x" end, "the request was answered or dropped before")
    end)
    assert.equal(18, status) -- curl: partial file
    assert.matches("short", output)
    output, status = curl("URL/", function(request)
      request:reset()
      assert.has_error(function() request:reset() end, "the request was answered or dropped before")
    end)
    assert.equal(56, status, output) -- curl: connection reset by peer
  end)

  it("drops a request that nobody kept", function()
    start()
    local _, status = curl("URL/", function() end)
    assert.equal(52, status)
  end)

  it("survives clients that go away while their request is held", function()
    start()
    local kept = {}
    local pipe = io.popen(("%s -s -m 0.3 http://127.0.0.1:%d/; echo gone"):format(client, server:port()))
    while #kept == 0 do
      server:step(20)
      kept[1] = server:next()
    end
    assert.equal("gone\n", pipe:read "*a")
    pipe:close()
    server:answer(kept[1], 200, nil, ("x"):rep(1000000))
    for _ = 1, 200 do
      server:step(20)
      if server:connections() == 0 then break end
    end
    assert.equal(0, server:connections())
    assert.equal("fine", (curl("URL/", answers(200, nil, "fine"))))
  end)

  -- A request that is held, and the curl that waits for it; `finish` gives curl's exit status.
  local function held_request()
    local pipe = io.popen(("%s -s -m 20 http://127.0.0.1:%d/ >/dev/null; echo $?"):format(client, server:port()))
    local request
    while not request do
      server:step(20)
      request = server:next()
    end
    return request, function()
      local status = tonumber(pipe:read "*a")
      pipe:close()
      return status
    end
  end

  it("outlives its requests, and they it", function()
    start()
    local request, finish = held_request()
    server:close()
    server:close()
    assert.equal(52, finish())
    assert.has_error(function() server:answer(request, 200) end, "the server is closed")
    request:drop()
    local other = start()
    assert.has_error(function() other:answer(request, 200) end, "the request was answered or dropped before")
    local second, finish_second = held_request()
    server, other = nil, nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.equal(52, finish_second())
    assert.equal("/", second.path)
    second:drop()
  end)

  it("says that a request's connection is gone", function()
    local first = start()
    local request, finish = held_request()
    first:close()
    finish()
    start()
    assert.is_nil(request:write "")
    assert.is_false(server:answer(request, 200))
    request:reset()
  end)

  it("takes one answer to a request, and only its own requests", function()
    start()
    local elsewhere = assert(serve.new())
    curl("URL/", function(request)
      assert.error_matches(function() elsewhere:answer(request, 200) end, "another server's request")
      server:answer(request, 200)
      assert.has_error(function() server:answer(request, 200) end, "the request was answered or dropped before")
      assert.has_error(function() request:drop() end, "the request was answered or dropped before")
    end)
    elsewhere:close()
  end)

  it("refuses arguments that make no sense, and the request can still be answered", function()
    start()
    local output = curl("URL/", function(request)
      local function bad(pattern, ...)
        local arguments, n = { ... }, select("#", ...)
        assert.error_matches(function() server:answer(unpack(arguments, 1, n)) end, pattern)
      end
      bad("a request from server:next%(%) expected", {}, 200)
      bad("table expected", "x", 200)
      bad("a request from server:next%(%) expected", { handle = io.stdout }, 200)
      bad("a status from 200 to 599", request, 100)
      bad("number", request, "x")
      bad("strings", request, 200, { a = {} })
      bad("strings", request, 200, { "a" })
      bad("HTTP cannot carry", request, 200, { a = "b\r\nc: d" })
      bad("string", request, 200, nil, {})
      server:answer(request, 200, nil, "fine")
    end)
    assert.equal("fine", output)
    assert.error_matches(function() server.step({}, 0) end, "server expected")
    assert.error_matches(function() server:step(-1) end, "from 0 up")
    assert.error_matches(function() server:step(0 / 0) end, "from 0 up")
  end)

  it("tells a wrong type from a closed server", function()
    start():close()
    for _, method in ipairs { "port", "connections", "step", "next", "answer" } do
      assert.has_error(function() server[method](server, 0) end, "the server is closed")
      assert.error_matches(function() server[method](io.stdout, 0) end, "server expected")
    end
  end)

  it("reads its options strictly, and binds to loopback only", function()
    local function bad(options, pattern)
      assert.error_matches(function() serve.new(options) end, pattern)
    end
    bad({ prot = 1 }, 'no option "prot"; known are: port host')
    bad({ port = 70000 }, "port: a whole number from 0 to 65535")
    bad({ port = 1.5 }, "port: a whole number")
    bad({ port = "1" }, "port: a whole number")
    bad({ signals = 1 }, "signals: boolean expected")
    bad({ too_large = 1 }, "too_large: string expected")
    bad({ host = "0.0.0.0" }, "loopback only")
    bad({ host = "127.0.0.1\0" }, "loopback only")
    bad("x", "table expected")
  end)

  it("says why it cannot listen", function()
    start()
    local other, message = serve.new { port = server:port() }
    assert.is_nil(other)
    assert.equal(("cannot listen on 127.0.0.1 port %d: Address already in use; "
      .. "choose another port, or 0 for a free one"):format(server:port()), message)
  end)
end)
