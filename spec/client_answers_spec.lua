-- SPDX-License-Identifier: MIT
--- One agent and a service that misbehaves, or does what it may do and the sandbox does not: an nginx that answers as told.
local handoff = require "handoff"
local core = require "handoff.core"
local document = require "support.document"
local nginx = require "support.nginx"

describe("a client, answered", function()
  local server, client, token
  local tokens = 0

  setup(function() server = nginx.start() end)
  teardown(function() server:stop() end)

  local function new(opts)
    local all = { name = "shop", token = token, base_url = server.http .. "/program/v1", retries = 0 }
    for name, value in pairs(opts or {}) do all[name] = value end
    return handoff.client(all)
  end

  -- One for each test: the limits of a token are its own.
  local function new_token()
    tokens = tokens + 1
    token = "eyJ-very.secret_token-" .. tokens
  end
  before_each(function()
    new_token()
    client = new()
  end)

  -- An answer as code for nginx.
  local function answer(status, body, headers)
    local lines = { ("ngx.req.read_body() ngx.status = %d"):format(status) }
    for name, value in pairs(headers or {}) do lines[#lines + 1] = ("ngx.header[%q] = %q"):format(name, value) end
    lines[#lines + 1] = ("ngx.print(%q)"):format(body)
    return table.concat(lines, "\n")
  end

  local function program(get, put)
    server:program(("if ngx.req.get_method() == 'GET' then\n%s\nelse\n%s\nend"):format(get, put or "ngx.exit(500)"))
  end

  -- What every failure has: its kind, the agent, one line that no terminal obeys, a next step, and no token.
  local function failed(kind, res, err)
    assert.is_nil(res)
    assert.is_true(core.error.is(err))
    assert.same({ kind, "shop" }, { err.kind, err.agent })
    assert.matches("^shop: [^%c]*; [^%c]+$", tostring(err))
    for name, value in pairs(err) do
      assert.is_nil((name .. tostring(value)):find(token, 1, true), name)
    end
    return err
  end

  local function get(kind, status, body, headers)
    new_token()
    client = new()
    program(answer(status, body, headers))
    return failed(kind, client:get())
  end

  describe("with a status", function()
    it("that has its kind", function()
      for status, kind in pairs {
        [400] = "rejected", [401] = "auth", [403] = "scope", [404] = "rejected", [409] = "rejected",
        [429] = "rate_limit", [500] = "server", [502] = "server", [503] = "server", [504] = "server",
        [302] = "protocol", [204] = "protocol",
        [201] = "protocol",
      } do
        local err = get(kind, status, "")
        assert.equal(status, err.status)
        assert.matches("GET http://[%d.:]+/program/v1/human_handoff/configuration answered " .. status, err.message)
      end
    end)

    it("that redirects, which nobody follows", function()
      local err = get("protocol", 302, "", { Location = "/echo?" .. token })
      assert.matches("a redirect is never followed", err.message)
    end)

    -- Rows: a body; the message, code, path that are taken from it.
    local rows = {
      { '{"errors": {"root": [{"message": "No.", "code": "BAD_REQUEST"}]}}', "No.", "BAD_REQUEST" },
      { '{"errors": {"settings.emails": [{"message": "Bad one", "code": "X"}]}}', "Bad one", "X", "settings.emails" },
      { '{"errors": {"b": [{"message": "B"}], "a": [{"message": "A"}]}}', "A", nil, "a" },
      { '{"errors": {"a": [{"message": "A"}], "root": [{"message": "R"}]}}', "R" },
      { '{"errors": {"a": [{"code": 5}], "b": [{"message": "B", "code": 5}]}}', "B", nil, "b" },
      { '{"errors": [{"message": "In a list", "code": "L"}]}', "In a list", "L" },
      { '{"errors": ["Just text"]}', "Just text" },
      { '{"errors": {"root": "Text"}}', "Text" },
      { '{"errors": {"root": ["Text"]}}', "Text" },
      { '{"errors": {"root": {"message": "One", "code": "C"}}}', "One", "C" },
      { '{"errors": {"root": [{"message": "A\\n\\u001b[31m\\u009b1m\\u2028Z"}]}}', "A  [31m 1m Z" },
      { '{"errors": {"root": [{"message": {"de": "x"}}]}}' },
      { '{"errors": {"root": [{"message": 5}]}}' },
      { '{"errors": {"root": [null, [], 5, true, [[["deep"]]]]}}' },
      { '{"errors": {"root": []}}' },
      { '{"errors": {}}' }, { '{"errors": []}' }, { '{"errors": null}' }, { '{"errors": 5}' }, { '{"errors": "text"}' },
      { '{"error": "x"}' }, { "[]" }, { "null" }, { '"text"' }, { "5" }, { "" }, { "<html>\n<b>No</b></html>" },
      { "{" }, { '{"errors": "\255"}' }, { ("["):rep(5000) }, { ('{"errors":'):rep(90) .. "1" .. ("}"):rep(90) },
    }
    for _, row in ipairs(rows) do
      it("and the body " .. row[1]:sub(1, 70):gsub("[^\32-\126]", "?"), function()
        local err = get("rejected", 400, row[1])
        assert.same({ row[2], row[3], row[4] }, { err.server_message, err.code, err.path })
        if row[2] then
          assert.matches(('answered 400, "%s"'):format(row[2]), err.message, 1, true)
        else
          assert.matches("gave no reason that can be read; check base_url", err.message, 1, true)
        end
      end)
    end

    it("and how many errors there are besides", function()
      local body = '{"errors": {"a": [{"message": "A"}, {"message": "B"}], "c": [{"message": "C"}]}}'
      local err = get("rejected", 400, body)
      assert.matches('"A" (and 2 more);', err.message, 1, true)
    end)

    it("and a long message, cut between two characters", function()
      for cut = 0, 3 do
        local text = ("x"):rep(cut) .. ("😀"):rep(2000)
        local err = get("rejected", 400, core.json.encode { errors = { root = { { message = text } } } })
        assert.is_true(#err.server_message <= 303 and #err.server_message > 290)
        assert.equal("\"" .. err.server_message .. "\"", core.json.encode(err.server_message))
      end
    end)

    it("and a message, a code or a name that quotes the token", function()
      local long = ("x"):rep(290) .. token
      for _, body in ipairs {
        { errors = { root = { { message = "Bad " .. token, code = "X" } } } },
        { errors = { root = { { message = long } } } },
        { errors = { root = { { message = "m", code = token } } } },
        { errors = { [token] = { { message = "m" } } } },
        { errors = { [token] = { { message = "m" } }, root = { token } } },
      } do
        get("rejected", 400, core.json.encode(body))
        get("auth", 401, core.json.encode(body))
      end
    end)
  end)

  describe("with Retry-After", function()
    local function wait(value, date)
      return get("rate_limit", 429, "", { ["Retry-After"] = value, Date = date }).retry_after
    end

    it("in seconds", function()
      assert.equal(7, wait "7")
      assert.equal(0, wait "0")
      assert.equal(2147483648, wait "99999999999999999999999")
      assert.matches("; too many requests with this token; wait 7 s, then go on",
        get("rate_limit", 429, "", { ["Retry-After"] = "7" }).message, 1, true)
      local err = get("server", 503, "", { ["Retry-After"] = "30" })
      assert.equal(30, err.retry_after)
      assert.matches("wait 30 s, then try again", err.message, 1, true)
    end)

    it("as a date in any of its forms, held against the answer's own", function()
      local sent = "Sun, 06 Nov 1994 08:49:37 GMT"
      assert.equal(83, wait("Sun, 06 Nov 1994 08:51:00 GMT", sent))
      assert.equal(86400, wait("Monday, 07-Nov-94 08:49:37 GMT", sent))
      assert.equal(24 * 3600, wait("Mon Nov  7 08:49:37 1994", sent))
      assert.equal(0, wait("Sat, 05 Nov 1994 08:49:37 GMT", sent))
    end)

    it("as a date without another to hold it against, by this machine's clock", function()
      local at = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 3600)
      local seconds = wait(at, "long ago")
      assert.is_true(seconds > 3000 and seconds <= 3600)
    end)

    it("that nobody can read", function()
      for _, value in ipairs {
        "soon", "-5", "1.5", "", "7, 8", "0x10", "Sun, 31 Foo 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:49:37",
      } do
        assert.is_nil(wait(value), value)
      end
      assert.is_nil(get("rate_limit", 429, "").retry_after)
    end)
  end)

  describe("with 200", function()
    it("and what is no configuration", function()
      for body, place in pairs {
        ["<html>\n<b>Log in</b></html>"] = "line 1, column 1", [""] = "line 1, column 1",
        ['{\n "a": tru }'] = "line 2, column 7",
        ['{"errors": {"root": []}}'] = "settings", ["[]"] = "an array", ["\255"] = "line 1, column 1",
        ['{"settings": {}, "availability": {}}'] = "availability", [document.text { settings = "[]" }] = "settings",
      } do
        local err = get("protocol", 200, body)
        assert.equal(200, err.status)
        assert.matches(place, err.message, 1, true)
        assert.is_number(err.line)
        assert.is_number(err.column)
      end
    end)

    it("and more than is read", function()
      program "for _ = 1, 10 do ngx.print((' '):rep(1024 * 1024)) end"
      local err = failed("protocol", client:get())
      assert.matches("larger than 8388608 bytes, the most that is read; check base_url", err.message, 1, true)
    end)

    it("to a PUT, and what is no configuration: whether it was written is not known", function()
      local cfg = assert(handoff.config(document.text()))
      for _, put in ipairs { answer(200, "{"), answer(503, ""), "ngx.req.read_body() ngx.exit(444)" } do
        program("", put)
        local _, err = client:put(cfg)
        assert.matches("may have been written or not", tostring(err), 1, true)
      end
      program("", answer(400, ""))
      assert.is_nil(select(2, client:put(cfg)).message:find("may have been written", 1, true))
    end)
  end)

  describe("not at all", function()
    it("in time", function()
      program "ngx.sleep(60)"
      client = new { timeout = 0.2 }
      failed("timeout", client:get())
    end)

    it("as the task was cancelled", function()
      local loop = require("handoff.loop").default()
      program("", "ngx.req.read_body() ngx.shared.counts:incr('put', 1, 0) ngx.sleep(60)")
      local err
      local task = loop:spawn(function() err = select(2, client:put(assert(handoff.config(document.text())))) end)
      loop:spawn(function()
        local curl = require("handoff.transport").default()
        local ask = { method = "GET", url = server.http .. "/count?of=put" }
        repeat until assert(curl:request(ask)).body == "1"
        task:cancel()
      end)
      loop:run()
      failed("cancelled", nil, err)
      assert.matches("; nothing is known of what the server did with it$", err.message)
    end)

    it("as the connection is cut", function()
      program "ngx.exit(444)"
      failed("network", client:get())
    end)

    it("by anybody whom it trusts", function()
      program(answer(200, document.text()))
      local base_url = server.https .. "/program/v1"
      local err = failed("tls", new { base_url = base_url }:get())
      assert.matches("ca_file=", err.message)
      assert(new { base_url = base_url, ca_file = server.ca_file }:get())
      failed("tls", new { base_url = server.https_other .. "/program/v1", ca_file = server.ca_file }:get())
      err = failed("tls", new { base_url = base_url, ca_file = server.ca_file .. ".none" }:get())
      assert.matches("ca_file", err.message)
    end)
  end)

  it("asks as the API wants it", function()
    program(answer(200, document.text()), [[
      ngx.req.read_body()
      local headers = ngx.req.get_headers()
      local fine = ngx.var.request_uri == "/program/v1/human_handoff/configuration"
        and headers.authorization == "Bearer ]] .. token .. [[" and headers["content-type"] == "application/json"
      ngx.status = fine and 200 or 400
      ngx.print(ngx.req.get_body_data())]])
    for _, url in ipairs { "/program/v1", "/program/v1/" } do
      client = new { base_url = server.http .. url }
      local outcome = assert(client:update(function(cfg) cfg.settings.timezone = "UTC" end))
      local text = document.text()
      local settings = document.part "settings"
      local first, last = text:find(settings, 1, true)
      local sent = outcome.after:text()
      assert.equal(text:sub(1, first - 1), sent:sub(1, first - 1))
      assert.equal(text:sub(last + 1), sent:sub(-(#text - last)))
    end
  end)

  it("asks for the token anew for each request", function()
    local count = 0
    program(answer(200, document.text()), answer(200, document.text()))
    client = new { token = function()
      count = count + 1
      return token
    end }
    assert(client:update(function(cfg) cfg.settings.timezone = "UTC" end, { verify = false }))
    assert.equal(3, count)
  end)
end)
