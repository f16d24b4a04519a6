-- SPDX-License-Identifier: MIT
-- The carrier over lua-resty-http. Where that is found, in the folder that RESTY_HTTP names or on LUA_PATH, it is used
-- inside a real nginx against real servers.
if not rawget(_G, "jit") then return end -- nginx has its own VM, the same whichever runs the tests

local json = require "handoff".json
local nginx = require "support.nginx"
local openresty = require "support.openresty"
local program = require "support.program"
local sandbox = require "support.sandbox"

local secret = "Bearer eyJ-very-secret"

-- The folder that holds resty/http.lua; nil: it is not here.
local function folder_of_library()
  local named = os.getenv "RESTY_HTTP"
  local file = package.searchpath("resty.http", (named and named .. "/?.lua;" or "") .. package.path)
  return file and file:match "^(.*)/resty/http%.lua$"
end

local call = [[
  location /call { content_by_lua_block {
    local json = require "handoff".json
    ngx.req.read_body()
    local asked = json.decode(ngx.req.get_body_data())
    local transports = package.loaded.transports or {}
    package.loaded.transports = transports
    local key = json.encode(asked.options)
    local ok, res, err = pcall(function()
      local found = transports[key] or require("handoff.nginx").transport(asked.options)
      transports[key] = found
      return found:request(asked.request)
    end)
    if not ok then err, res = res, nil end
    ngx.print(json.encode {
      raised = not ok, status = res and res.status, body = res and res.body, headers = res and res.headers,
      http_version = res and res.http_version, reused = res and res.reused, times = (res or err).times,
      bytes_sent = (res or err).bytes_sent, bytes_received = (res or err).bytes_received,
      kind = err and err.kind, rule = err and err.rule, message = err and tostring(err), limit = err and err.limit,
    })
  } }
]]

local function asker(server)
  return function(request, options)
    options = options or {}
    options.carrier = "resty-http"
    request.method = request.method or "GET"
    local answer = server:request("PUT", "/call", { body = json.encode { request = request, options = options } })
    return json.decode(answer.body)
  end
end

describe("lua-resty-http that is not installed", function()
  it("is missed with words that say how it comes, and what needs nothing", function()
    local server = openresty.start {
      http = [[init_by_lua_block { package.searchers = nil package.loaders[2] = function(name)
        if name:find "^resty.http" then return "\n\tno file" end
        local file = package.searchpath(name, package.path)
        return file and assert(loadfile(file))
      end }]],
      server = call,
    }
    local answer = asker(server) { url = "https://127.0.0.1/" }
    server:stop()
    assert.same({ true, "missing" }, { answer.raised, answer.rule })
    assert.matches("opm get ledgetech/lua%-resty%-http.*luarocks install lua%-resty%-http.*threads", answer.message)
    assert.is_nil(answer.message:find "\n")
  end)
end)

local folder = folder_of_library()
if not folder then return end

-- Answers every question for an address with 127.0.0.1, since nginx reads no hosts file.
local names = [[
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    q, peer = s.recvfrom(512)
    end = q.index(b"\0", 12) + 5
    s.sendto(q[:2] + b"\x81\x80" + q[4:6] + b"\0\1\0\0\0\0" + q[12:end]
             + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1", peer)
]]

describe("the carrier over lua-resty-http", function()
  local far, server, box, ask, pid

  setup(function()
    far = nginx.start()
    box = sandbox.start { agents = 1, no_rate_limit = true }
    local out = far.dir .. "/names"
    pid = program.run(("python3 -c %s >%s 2>&1 </dev/null & echo $!"):format(program.quote(names), out)):match "%d+"
    local port = program.run(("until [ -s %s ]; do sleep 0.01; done; cat %s"):format(out, out)):match "%d+"
    server = openresty.start {
      threads = false, level = "error", secrets = { box.agents[1].token, "very-secret" },
      env = { HANDOFF_BASE_URL = box.base_url, HANDOFF_TOKEN = box.agents[1].token },
      http = ('lua_ssl_trusted_certificate %s;\nresolver 127.0.0.1:%s ipv6=off;\nlua_socket_log_errors off;\n'
        .. 'init_by_lua_block { package.path = "%s/?.lua;" .. package.path }'):format(far.ca_file, port, folder),
      server = call .. [[
        location /update { content_by_lua_block {
          local hn = require "handoff.nginx"
          local client = hn.client { transport = hn.transport { carrier = "resty-http" } }
          local outcome, err = client:update(function(cfg) cfg.settings.question_message = "By resty?" end)
          ngx.print(outcome and outcome.status or tostring(err))
        } }
        location /many { content_by_lua_block {
          local t = require("handoff.nginx").transport { carrier = "resty-http", concurrency = 2, timeout = 5 }
          local function get(path, timeout)
            return t:request { method = "GET", url = ngx.var.arg_url .. path, timeout = timeout }
          end
          local found = t.loop:map(20, { 1, 2, 3, 4, 5, 6, 7 }, function() return get("/slow").body end)
          ngx.say(table.concat(found, " "))
          for _ = 1, 2 do t.loop:spawn(get, "/never", 0.5) end
          local _, err = t.loop:spawn(get, "/slow", 0.1):join()
          ngx.say(err.kind, " ", err.bytes_sent, " ", tostring(err))
          ngx.say(get("/slow").body)
        } }
      ]],
    }
    ask = asker(server)
  end)
  teardown(function()
    program.run("kill " .. pid)
    server:stop()
    box:stop()
    far:stop()
  end)

  local function failed(kind, request, options)
    request.headers = { Authorization = secret }
    local answer = ask(request, options)
    assert.same({ kind }, { answer.kind }, answer.message)
    assert.is_nil(answer.message:find("secret", 1, true))
    assert.is_nil(answer.message:find "[\r\n]")
    return answer
  end

  -- What the far server sends, byte for byte, to a GET of /program/x.
  local function sends(code)
    far:program("local s = ngx.req.socket(true) " .. code)
    return far.http .. "/program/x"
  end

  it("brings answers whole, over a connection that is kept", function()
    local res = ask { method = "PUT", url = far.http .. "/echo?a=1", body = "h\0llo", headers = { ["X-Mine"] = "a" } }
    assert.equal(200, res.status)
    assert.matches("^PUT /echo%?a=1\n.*\nuser%-agent: handoff/[^\n]*\nx%-mine: a\n\nh%zllo$", res.body)
    assert.same({ "one, two", "1.1" }, { res.headers["x-twice"], res.http_version })
    assert.is_true(res.bytes_sent > 5 and res.bytes_received > #res.body and res.times.total >= res.times.first_byte)
    local again = ask { method = "PUT", url = far.http .. "/echo" }
    assert.is_true(again.reused)
    assert.equal(res.headers["x-connection"], again.headers["x-connection"])
    assert.matches("\ncontent%-length: 0\n", again.body)
    assert.same({ 302, 404, 204, "" }, { ask { url = far.http .. "/redirect" }.status,
      ask { url = far.http .. "/missing" }.status, ask { url = far.http .. "/empty" }.status,
      ask { method = "HEAD", url = far.http .. "/echo" }.body })
    assert.equal(4096, #ask({ url = far.http .. "/document", max_bytes = 4096 }).body)
  end)

  it("tells what went wrong by kind, as libcurl's does", function()
    for path, kind in pairs {
      ["/truncated"] = "network", ["/drop"] = "network", ["/not_http"] = "protocol", ["/bad_zip"] = "protocol",
      ["/big_head"] = "protocol",
    } do failed(kind, { url = far.http .. path }) end
    failed("network", { url = "http://127.0.0.1:1/" })
    for _, path in ipairs { "/never", "/stall" } do
      local err = failed("timeout", { url = far.http .. path, timeout = 0.1 })
      assert.matches("^127%.0%.0%.1:%d+: timed out .*timeout", err.message)
      assert.is_true(err.bytes_sent > 0)
    end
    assert.equal(8 * 2 ^ 20, failed("protocol", { url = far.http .. "/huge" }).limit)
    failed("protocol", { url = far.http .. "/document", max_bytes = 4095 })
  end)

  it("is not led astray by what a server sends", function()
    local head = [[s:send "HTTP/1.1 200 OK\r\n]]
    for kind, codes in pairs {
      protocol = {
        head .. [[Content-Length: -5\r\n\r\nx"]], head .. [[Content-Length: 5\r\nContent-Length: 7\r\n\r\nxxxxx"]],
        head .. [[Content-Length: 99999999999\r\n\r\nx"]], head .. [[Transfer-Encoding: chunked\r\n\r\nzz\r\n"]],
        head .. [[no colon\r\n\r\n"]], head .. [["  for _ = 1, 2000 do s:send(("x"):rep(1000)) end]],
        [[s:send "HTTP/1.1 101 Switching\r\n\r\n"]],
      },
      network = {
        head .. [[Transfer-Encoding: chunked\r\n\r\n5\r\nab"]],
        head .. [[Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"]],
        head .. [[Content-Length: 5\r\n\r\nab"]], head .. [["]],
      },
      timeout = {
        head .. [["  repeat ngx.sleep(0.03) until not s:send "X"]],
        head .. [[Connection: close\r\n\r\n"  repeat ngx.sleep(0.03) until not s:send "X"]],
      },
    } do
      for _, code in ipairs(codes) do
        failed(kind, { url = sends(code), timeout = kind == "timeout" and 0.2 or 5 })
      end
    end
    local whole = ask { url = sends(head .. [[Connection: close\r\n\r\nto the end"]]) }
    assert.same({ 200, "to the end" }, { whole.status, whole.body })
    local early = [[s:send "HTTP/1.1 103 Early\r\nA: b\r\n\r\n" ]]
    local late = ask { url = sends(early .. head .. [[Content-Length: 2\r\n\r\nok"]]) }
    assert.same({ 200, "ok" }, { late.status, late.body })
    assert.is_nil(late.headers.a)
  end)

  it("sends nothing twice", function()
    ask { url = far.http .. "/forget" }
    assert.is_true(ask({ url = far.http .. "/echo" }).reused)
    failed("network", { method = "PUT", url = far.http .. "/drop", body = "x" })
    assert.equal("1", ask({ url = far.http .. "/count?of=drop" }).body)
  end)

  it("verifies TLS by nginx's own authorities, and the name", function()
    local res = ask { url = far.https .. "/echo" }
    assert.same({ 200, false }, { res.status, res.reused }, res.message)
    assert.is_true(ask({ url = far.https .. "/echo" }).reused)
    failed("tls", { url = far.https:gsub("localhost", "other.example") .. "/echo" })
    failed("tls", { url = far.https_other .. "/echo" })
    failed("tls", { url = far.http:gsub("http:", "https:") .. "/echo" })
    local err = failed("invalid", { url = far.https .. "/echo" }, { ca_file = far.ca_file })
    assert.matches("lua_ssl_trusted_certificate", err.message)
    assert.is_true(err.raised)
  end)

  it("goes by proxies that it can speak to", function()
    local proxy = far.proxy:gsub("//", "//user:very-secret@")
    local request = { url = "http://example.invalid/x", insecure = true, proxy = proxy }
    assert.equal("by proxy: GET example.invalid/x", ask(request).body)
    request.url = "https://example.invalid/x"
    failed("network", request)
    request.proxy = "socks5://127.0.0.1:1"
    assert.equal("proxy", failed("invalid", request).rule)
  end)

  it("refuses what must not be sent", function()
    local url = far.http .. "/echo"
    for rule, request in pairs {
      insecure = { url = "http://example.com/" }, credentials = { url = "https://very-secret@example.com/" },
      value = { url = url, headers = { Authorization = "very-secret\r\nX: y" } }, unknown = { url = url, header = {} },
      name = { url = url, headers = { ["very-secret: x\r\nY"] = "x" } }, range = { url = url, timeout = 0 },
    } do
      local answer = ask(request)
      assert.same({ true, rule }, { answer.raised, answer.rule })
      assert.is_nil(answer.message:find("secret", 1, true))
    end
  end)

  it("makes as many requests at once as may be, the rest in their turn", function()
    local lines = server:get("/many?url=" .. far.http).body
    assert.matches("^slow slow slow slow slow slow slow\ntimeout 0 127%.0%.0%.1:%d+: .*no turn.*concurrency = 2", lines)
    assert.matches("\nslow\n$", lines)
  end)

  it("carries an update of a configuration", function()
    assert.equal("changed", server:get "/update".body)
    assert.equal("unchanged", server:get "/update".body)
  end)
end)
