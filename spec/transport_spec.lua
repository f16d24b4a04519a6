-- SPDX-License-Identifier: MIT
local core = require "handoff.core"
local loops = require "handoff.loop"
local nginx = require "support.nginx"
local program = require "support.program"
local transports = require "handoff.transport"

local secret = "Bearer eyJ-very-secret"

local function run(code, env) return (program.run(program.lua .. " -e " .. program.quote(code), env)) end

describe("transport", function()
  local server, loop, curl

  setup(function() server = nginx.start() end)
  teardown(function() server:stop() end)
  before_each(function()
    loop = loops.new()
    curl = transports.curl { loop = loop }
  end)
  after_each(function() loop:close() end)

  local function get(path, fields)
    local req = { method = "GET", url = server.http .. path }
    for name, value in pairs(fields or {}) do req[name] = value end
    return curl:request(req)
  end

  local function count(of) return tonumber(get("/count?of=" .. of).body) end

  -- The error of a request that failed as `kind`; its message is one line, names the host and holds no secret.
  local function failed(kind, res, err)
    assert.is_nil(res)
    assert.is_true(core.error.is(err))
    assert.equal(kind, err.kind)
    assert.is_nil(tostring(err):find("[\r\n]"))
    assert.is_nil(tostring(err):find("secret", 1, true))
    return err
  end

  local function refused(rule, req)
    local ok, err = pcall(curl.request, curl, req)
    assert.is_false(ok)
    assert.is_true(core.error.is(err), tostring(err))
    assert.same({ "invalid", rule }, { err.kind, err.rule })
    assert.matches("transport_spec%.lua:%d+: ", tostring(err))
    assert.is_nil(tostring(err):find("secret", 1, true))
    return err
  end

  describe("answers", function()
    it("come whole: status, headers by lower-case name, body, sizes and times", function()
      local headers = { ["X-Mine"] = "a", ["X-Void"] = "" }
      local res = assert(get("/echo", { method = "PUT", body = "h\0llo", headers = headers }))
      assert.equal(200, res.status)
      assert.matches("^PUT /echo\n.*\nx%-mine: a\nx%-void: \n\nh%zllo$", res.body)
      assert.equal("one, two", res.headers["x-twice"])
      assert.equal("1.1", res.http_version)
      assert.is_true(res.times.total >= res.times.first_byte and res.times.first_byte > 0)
      assert.is_true(res.bytes_sent > 5 and res.bytes_received > #res.body)
    end)

    it("say who asks, and ask for nothing that was not asked for", function()
      local body = get("/echo", { method = "PUT", body = ("x"):rep(2 * 1024 * 1024) }).body
      assert.matches("\nuser%-agent: handoff/", body)
      for _, name in ipairs { "expect", "content%-type", "cookie", "authorization" } do
        assert.is_nil(body:find("\n" .. name .. ": "))
      end
      assert.equal(2 * 1024 * 1024, #body:match("\n\n(x*)$"))
    end)

    it("are answers whatever their status", function()
      for path, status in pairs { ["/empty"] = 204, ["/missing"] = 404, ["/busy"] = 429 } do
        assert.equal(status, get(path).status)
      end
      assert.equal("7", get("/busy").headers["retry-after"])
      assert.equal("", get("/empty").body)
    end)

    it("are not followed when they redirect", function()
      local res = get "/redirect"
      assert.equal(302, res.status)
      assert.matches("/echo$", res.headers.location)
    end)

    it("are decompressed, while sizes count what went over the wire", function()
      local res = get "/zipped"
      assert.equal(("x"):rep(4096), res.body)
      assert.is_true(res.bytes_received < 1000)
    end)

    it("do not inherit anything from the request before on the same handle", function()
      assert.matches("^PUT", get("/echo", { method = "PUT", body = "x", headers = { A = "1" } }).body)
      local body = get("/echo").body
      assert.matches("^GET /echo\n", body)
      assert.is_nil(body:find("\na: 1"))
      assert.equal("", get("/echo", { method = "HEAD" }).body)
      assert.matches("\ncontent%-length: 0\n", get("/echo", { method = "PUT" }).body)
      assert.matches("^DELETE", get("/echo", { method = "DELETE" }).body)
      assert.is_nil(get("/echo").body:find("content-length", 1, true))
    end)
  end)

  describe("connections", function()
    it("are not waited for where a first answer is long in coming", function()
      local slow = loop:spawn(function() return get "/never" end)
      local res, err
      loop:spawn(function()
        res, err = get("/echo", { timeout = 5 })
        slow:cancel()
      end)
      loop:run()
      assert.is_nil(err, tostring(err))
      assert.equal(200, res.status)
    end)

    it("are used again by later requests and by other transports of the loop", function()
      local first = get "/echo"
      assert.is_false(first.reused)
      local other = transports.curl { loop = loop, timeout = 5 }
      for _, transport in ipairs { curl, other } do
        local res = transport:request { method = "PUT", url = server.http .. "/echo", body = "x" }
        assert.is_true(res.reused)
        assert.equal(first.headers["x-connection"], res.headers["x-connection"])
      end
    end)

    it("carry many requests at once where the server speaks HTTP/2", function()
      local connections = {}
      for _ = 1, 20 do
        loop:spawn(function()
          local res = assert(get("/echo", { url = server.https .. "/echo", ca_file = server.ca_file }))
          assert.equal("2", res.http_version)
          connections[res.headers["x-connection"]] = true
        end)
      end
      loop:run()
      assert.is_nil(next(connections, next(connections)))
    end)

    it("that break without an answer do not make a PUT go out twice", function()
      get "/forget"
      assert.is_true(get("/echo").reused)
      failed("network", get("/drop", { method = "PUT", body = "x" }))
      assert.equal(1, count "drop")
    end)
  end)

  describe("TLS", function()
    it("refuses an authority it does not know", function()
      local err = failed("tls", get("/", { url = server.https .. "/echo", headers = { Authorization = secret } }))
      assert.matches("^localhost:%d+: .*certificate.*ca_file", err.message)
    end)

    it("refuses a certificate of another name", function()
      failed("tls", get("/", { url = server.https_other .. "/echo", ca_file = server.ca_file }))
    end)

    it("trusts ca_file for its own request only", function()
      assert(get("/", { url = server.https .. "/echo", ca_file = server.ca_file }))
      failed("tls", get("/", { url = server.https .. "/echo" }))
    end)

    it("says so where ca_file cannot be read", function()
      failed("tls", get("/", { url = server.https .. "/echo", ca_file = "/nonexistent" }))
    end)
  end)

  describe("failures", function()
    it("tell a server that never answers", function()
      for _, path in ipairs { "/never", "/stall" } do
        local err = failed("timeout", get(path, { timeout = 0.05, headers = { Authorization = secret } }))
        assert.matches("^127%.0%.0%.1:%d+: .*timed out.*timeout", err.message)
        assert.is_true(err.times.total > 0)
      end
    end)

    it("tell a host where nobody listens", function()
      failed("network", get("", { url = "http://127.0.0.1:1/" }))
    end)

    it("tell a body cut short, and no answer at all", function()
      failed("network", get "/truncated")
      failed("network", get "/drop")
    end)

    it("tell what is not HTTP, broken compression and a head without end", function()
      for _, path in ipairs { "/not_http", "/no_status", "/bad_zip", "/big_head" } do failed("protocol", get(path)) end
    end)

    it("tell an answer over the limit, counted after decompression", function()
      local err = failed("protocol", get "/huge")
      assert.equal(8 * 1024 * 1024, err.limit)
      err = failed("protocol", get "/bomb")
      assert.matches("larger than 8388608 bytes", err.message)
      assert.is_true(err.bytes_received < 1024 * 1024)
      assert.equal(4096, #get("/document", { max_bytes = 4096 }).body)
      failed("protocol", get("/document", { max_bytes = 4095 }))
      assert.equal(2 ^ 24, #get("/huge", { max_bytes = 2 ^ 24 }).body)
    end)
  end)

  describe("requests that must not be made", function()
    it("are plain http beyond loopback", function()
      for _, url in ipairs { "http://example.com/", "http://127.0.0.1.evil.example/", "http://localhost.evil.example/",
        "http://128.0.0.1/", "http://[::2]/", "http://0.0.0.0/", "http://[::ffff:8.8.8.8]/" } do
        assert.matches("https://", refused("insecure", { method = "GET", url = url }).message)
      end
    end)

    it("unless insecure is said, by the request or the transport", function()
      local proxied = { method = "GET", url = "http://example.invalid/x", proxy = server.proxy, insecure = true }
      assert.equal("by proxy: GET example.invalid/x", assert(curl:request(proxied)).body)
      proxied.insecure = nil
      local lax = transports.curl { loop = loop, insecure = true, proxy = server.proxy }
      assert.equal(200, lax:request(proxied).status)
    end)

    it("do not include loopback in its other words", function()
      for _, host in ipairs { "localhost", "LOCALHOST", "127.0.0.1", "127.9.8.7", "[::1]", "2130706433", "0x7f.1" } do
        local res, err = curl:request { method = "GET", url = "http://" .. host .. ":1/" }
        failed("network", res, err)
      end
    end)

    it("have credentials in the URL", function()
      refused("credentials", { method = "GET", url = "https://secret@example.com/" })
      refused("credentials", { method = "GET", url = "http://127.0.0.1:secret@evil.example/" })
      refused("credentials", { method = "GET", url = "http://localhost@evil.example/" })
    end)

    it("have another scheme, or are no URL", function()
      for _, url in ipairs { "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/" } do
        assert.has_error(function() curl:request { method = "GET", url = url, insecure = true } end)
      end
      refused("scheme", { method = "GET", url = "ftp://127.0.0.1/" })
      for _, url in ipairs { "", "example.com", "https://", "https://a b/", "http://127.0.0.1\0.evil.example/" } do
        refused("url", { method = "GET", url = url })
      end
    end)

    it("have headers that would make others", function()
      local url = server.http .. "/echo"
      for _, value in ipairs { "secret\r\nX: y", "secret\n", "secret\0" } do
        refused("value", { method = "GET", url = url, headers = { Authorization = value } })
      end
      for _, name in ipairs { "secret: x\r\nY", "secret ", "sec\0ret", "" } do
        refused("name", { method = "GET", url = url, headers = { [name] = "x" } })
      end
      refused("type", { method = "GET", url = url, headers = { "Authorization: secret" } })
      refused("name", { method = "GET /secret", url = url })
      local many = {}
      for i = 1, 1000 do many["X-" .. i] = "secret" end
      refused("count", { method = "GET", url = url, headers = many })
      refused("text", { method = "GET", url = url, ca_file = "secret\n" })
    end)

    it("have fields of other names or types", function()
      local url = server.http .. "/echo"
      refused("unknown", { method = "GET", url = url, header = {} })
      refused("type", { method = "GET", url = url, body = 5 })
      refused("required", { url = url })
      for _, timeout in ipairs { 0, -1, 0 / 0, math.huge } do
        refused("range", { method = "GET", url = url, timeout = timeout })
      end
      refused("proxy", { method = "GET", url = url, proxy = "foo://user:secret@127.0.0.1" })
      assert.has_error(function() transports.curl { timeouts = 3 } end)
    end)
  end)

  describe("proxies", function()
    it("are used where one is named, whatever no_proxy says", function()
      local text = run(([[
        local res = require "handoff.transport".default():request {
          method = "GET", url = "http://127.0.0.1:1/named", proxy = "%s" }
        io.write(res.body)]]):format(server.proxy), { no_proxy = "*" })
      assert.equal("by proxy: GET 127.0.0.1/named", text)
    end)

    it("from the environment are used, but never for loopback", function()
      local text = run(([[
        local curl = require "handoff.transport".curl { insecure = true }
        for _, url in ipairs { "http://example.invalid/far", "%s/missing", "http://example.invalid/again" } do
          print(curl:request { method = "GET", url = url }.body)
        end]]):format(server.http), { http_proxy = server.proxy, no_proxy = "" })
      assert.equal("by proxy: GET example.invalid/far\nnothing here\nby proxy: GET example.invalid/again\n", text)
    end)

    it("from the environment that cannot be read are not quoted", function()
      local text = run([[
        local curl = require "handoff.transport".curl { insecure = true }
        print(curl:request { method = "GET", url = "http://example.invalid/" })]],
        { http_proxy = "foo://user:secret@127.0.0.1:1" })
      assert.matches("^nil\texample%.invalid: .*proxy", text)
      assert.is_nil(text:find("secret", 1, true))
    end)
  end)

  describe("on_event", function()
    it("sees each request start and end, and nothing of its headers", function()
      local events = {}
      local function on_event(event) events[#events + 1] = event end
      get("/missing", { on_event = on_event, headers = { Authorization = secret } })
      get("/never", { on_event = on_event, timeout = 0.05 })
      local kinds = {}
      for i, event in ipairs(events) do
        kinds[i] = ("%s %s %s %s"):format(event.type, event.method, tostring(event.status), tostring(event.error))
        for _, value in pairs(event) do assert.is_nil(tostring(value):find("secret", 1, true)) end
      end
      assert.same({ "request_start GET nil nil", "request_end GET 404 nil", "request_start GET nil nil",
        "request_end GET nil timeout" }, kinds)
      assert.is_true(events[2].bytes_sent > 0 and events[2].bytes_received > 0 and events[2].times.total > 0)
    end)

    it("may raise without harm: it reaches the caller", function()
      for _, when in ipairs { "request_start", "request_end" } do
        local function on_event(event) if event.type == when then error "watcher" end end
        local ok, err = pcall(get, "/echo", { on_event = on_event })
        assert.is_false(ok)
        assert.matches("watcher", err)
      end
      assert.equal(200, get("/echo").status)
    end)
  end)

  it("is one for all who name no other", function()
    assert.equal(transports.default(), transports.default())
    assert.is_true(transports.default():request { method = "GET", url = server.http .. "/echo" }.status == 200)
    loops.default():close()
  end)

  it("sleeps, and has a clock that moves on", function()
    local before = curl:now()
    assert.is_true(curl:sleep(0.01))
    assert.is_true(curl:now() >= before + 0.01)
  end)

  it("closes the connections it keeps, and goes on", function() -- that they are closed is what every test's audit sees
    for _ = 1, 30 do loop:spawn(get, "/slow") end
    loop:run()
    failed("timeout", get("/never", { timeout = 0.02 }))
    curl:close()
    assert.is_false(get("/echo").reused)
  end)
end)
