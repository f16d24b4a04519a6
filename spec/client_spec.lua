-- SPDX-License-Identifier: MIT
--- One agent, against the real sandbox: get, put, update; what is refused; what is kept secret.
local handoff = require "handoff"
local core = require "handoff.core"
local document = require "support.document"
local loops = require "handoff.loop"
local program = require "support.program"
local sandbox = require "support.sandbox"

local secret = "eyJ-very.secret_token"

local function raised(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.is_true(core.error.is(err), tostring(err))
  assert.equal("invalid", err.kind)
  assert.matches("^[^\n]*client_spec%.lua:%d+: [^\n]+$", tostring(err))
  return err
end

-- Every text within reach of a value by what a script has: keys, values, metatables, tostring.
local function texts(value, seen, out)
  seen, out = seen or {}, out or {}
  if type(value) == "string" then out[#out + 1] = value end
  if seen[value] or type(value) ~= "table" and type(value) ~= "userdata" then return out end
  seen[value] = true
  out[#out + 1] = tostring(value)
  texts(getmetatable(value), seen, out)
  if type(value) ~= "table" then return out end
  for key, inner in next, value do
    texts(key, seen, out)
    texts(inner, seen, out)
  end
  return out
end

local function assert_no_token(token, ...)
  for i = 1, select("#", ...) do
    for _, text in ipairs(texts((select(i, ...)))) do assert.is_nil(text:find(token, 1, true), text) end
  end
end

describe("a client", function()
  local box, agent, client

  setup(function() box = sandbox.start { agents = 6, read_only = 1, no_rate_limit = true } end)
  teardown(function() box:stop() end)
  before_each(function()
    agent = box.agents[1]
    box:store(agent.name, document.text())
    box:reset()
    client = handoff.client { name = agent.name, token = agent.token, base_url = box.base_url }
  end)

  local function requests() return box:ledger().agents[agent.name] or {} end
  local function stored() return box:document(agent.name) end

  describe("gets", function()
    it("the configuration, and leaves it as it came, byte for byte", function()
      local cfg = assert(client:get())
      assert.equal("Europe/Berlin", cfg.settings.timezone)
      assert.equal(document.text(), cfg:text())
      assert.same({}, cfg:changes())
      assert.same({ GET = 1 }, requests())
    end)

    it("one that can be used when its client is gone", function()
      local cfg = assert(client:get())
      client = nil
      collectgarbage()
      collectgarbage()
      cfg.settings.timezone = "UTC"
      assert.equal("settings.timezone", cfg:changes()[1].path)
    end)
  end)

  describe("puts", function()
    it("the whole, over whatever is there, and gives what the service has now", function()
      local cfg = assert(client:get())
      cfg.custom_guidelines:add { name = "New", description = "d", is_active = false }
      local after = assert(client:put(cfg))
      assert.is_number(after.custom_guidelines:find { name = "New" }.id)
      assert.same({ GET = 1, PUT = 1 }, requests())
      assert.equal(assert(client:get()):text(), after:text())
    end)

    it("nothing that is no configuration", function()
      for _, wrong in ipairs { false, {}, "{}", document.text(), client } do
        local ok, err = pcall(client.put, client, wrong or nil)
        assert.is_false(ok)
        assert.matches("a configuration expected", tostring(err))
      end
      assert.same({}, requests())
    end)
  end)

  describe("updates", function()
    it("with a GET, another and a PUT, and says what happened", function()
      local outcome = assert(client:update(function(cfg, given)
        assert.equal(client, given)
        cfg.settings.working_hours_active = false
        cfg.custom_guidelines:add { name = "New", description = "d", is_active = true }
        cfg.availability:remove { id = 2 }
      end))
      assert.equal("changed", outcome.status)
      assert.equal(3, outcome.requests)
      assert.is_nil(outcome.merged)
      for _, warning in ipairs(outcome.warnings) do assert.equal("sent_unknown", warning.rule) end
      local lines = {}
      for i, change in ipairs(outcome.changes) do lines[i] = change.kind .. " " .. change.path end
      assert.same({ "changed settings.working_hours_active", "removed availability[saturday 10:00-14:00]",
        'added custom_guidelines["New"]' }, lines)
      assert.equal(document.text(), outcome.before:text())
      assert.equal(stored(), outcome.after:text())
      assert.is_number(outcome.after.custom_guidelines[3].id)
      assert.same({ GET = 2, PUT = 1 }, requests())
    end)

    it("without a PUT where nothing changed, even if it was assigned", function()
      for _, edit in ipairs {
        function() end,
        function(cfg) cfg.settings.timezone = "Europe/Berlin" end,
        function(cfg)
          cfg.settings.keywords:add "new"
          cfg.settings.keywords:remove "new"
        end,
      } do
        box:reset()
        local outcome = assert(client:update(edit))
        assert.same({ "unchanged", 1, {} }, { outcome.status, outcome.requests, outcome.changes })
        assert.equal(document.text(), outcome.after:text())
        assert.same({ GET = 1 }, requests())
      end
    end)

    it("nothing the second time", function()
      local function edit(cfg)
        cfg.settings.confirmation_message = "Grüße"
        cfg.custom_guidelines:upsert { name = "New", description = "d", is_active = true }
      end
      assert.equal("changed", assert(client:update(edit)).status)
      assert.equal("unchanged", assert(client:update(edit)).status)
    end)

    it("nothing in a dry run, but shows what it would", function()
      local outcome = assert(client:update(function(cfg) cfg.settings.timezone = "UTC" end, { dry_run = true }))
      assert.is_true(outcome.dry_run)
      assert.matches('^~ settings%.timezone: "[^"]*" → "UTC"$', tostring(outcome.changes[1]))
      assert.same({ "changed", 1 }, { outcome.status, outcome.requests })
      assert.equal("UTC", outcome.after.settings.timezone)
      assert.equal("Europe/Berlin", outcome.before.settings.timezone)
      assert.same({ GET = 1 }, requests())
      assert.equal(document.text(), stored())
    end)

    it("and keeps every part, field and number that it does not touch", function()
      local before = assert(handoff.json.decode(document.text()))
      assert(client:update(function(cfg) cfg.custom_guidelines:find { name = "Refund" }.description = "Money." end))
      local after = assert(handoff.json.decode(stored()))
      assert.equal("Money.", after.custom_guidelines[1].description)
      after.custom_guidelines[1].description = before.custom_guidelines[1].description
      assert.equal(handoff.json.encode(before), handoff.json.encode(after))
      assert.matches('"id":9007199254740993[,}]', stored())
      assert.matches('12345678901234567890', stored(), 1, true)
    end)

    it("nothing where the edit raises, and passes on what it raised", function()
      local value = {}
      local ok, err = pcall(client.update, client, function(cfg)
        cfg.settings.timezone = "UTC"
        error(value)
      end)
      assert.is_false(ok)
      assert.equal(value, err)
      local line = debug.getinfo(1, "l").currentline + 2
      err = raised(client.update, client, function(cfg)
        cfg.settings.timezone = "Europe/Londn"
      end)
      assert.equal("settings.timezone", err.path)
      assert.matches("client_spec%.lua:" .. line .. ": ", tostring(err))
      assert.same({ GET = 2 }, requests())
    end)

    it("through an edit that yields in a coroutine of its own", function()
      local co = coroutine.create(function()
        return client:update(function(cfg) cfg.settings.timezone = coroutine.yield "which?" end)
      end)
      assert.same({ true, "which?" }, { coroutine.resume(co) })
      local _, outcome = coroutine.resume(co, "UTC")
      assert.equal("changed", outcome.status)
      assert.equal("UTC", assert(client:get()).settings.timezone)
    end)

    it("many agents at once, as tasks, with edits that wait themselves", function()
      local loop = loops.default()
      local outcomes, errors = loop:map(4, { 1, 2, 3, 4, 5 }, function(i)
        local one = box.agents[i]
        local c = handoff.client { name = one.name, token = one.token, base_url = box.base_url }
        return c:update(function(cfg)
          local other = assert(client:get())
          cfg.settings.question_message = i .. other.settings.timezone
        end)
      end)
      assert.same({}, errors)
      for i, outcome in ipairs(outcomes) do
        assert.equal(i .. "Europe/Berlin", outcome.after.settings.question_message)
      end
    end)

    it("not what only the whole shows to be wrong", function()
      local outcome, err = client:update(function(cfg)
        cfg.availability[1].end_time = "08:00"
        cfg.availability[2].end_time = "09:59"
      end)
      assert.is_nil(outcome)
      assert.same({ "invalid", "availability[1]", agent.name, 2 }, { err.kind, err.path, err.agent, #err.issues })
      assert.matches("^[%w-]+: availability%[1%]: .* %(and 1 more%); nothing was written$", tostring(err))
      assert.same({ GET = 1 }, requests())
    end)

    it("although the service had broken rules before, which are warnings", function()
      box:store(agent.name, document.text {
        availability = '[{"id": 1, "day_span": "monday", "start_time": "18:00", "end_time": "09:00"}]',
      })
      local outcome = assert(client:update(function(cfg)
        cfg.availability:add { day_span = "sunday", start_time = "10:00", end_time = "11:00" }
      end, { dry_run = true }))
      assert.equal("changed", outcome.status)
      assert.same({ "warning", "availability[1]" }, { outcome.warnings[1].severity, outcome.warnings[1].path })
    end)
  end)

  describe("tells what failed, on one line with a next step:", function()
    -- kind, status, what is in the message
    local function check(c, kind, status, words, method, ...)
      local res, err = c[method](c, ...)
      assert.is_nil(res)
      assert.same({ kind, status, "shop" }, { err.kind, err.status, err.agent })
      assert.matches("^shop: [^\n]*; [^\n]+$", tostring(err))
      assert.matches(words, tostring(err), 1, true)
      assert_no_token(agent.token, err)
      return err
    end

    local function touch(cfg) cfg.settings.is_active = not cfg.settings.is_active end

    it("a token that is not known", function()
      local c = handoff.client { name = "shop", token = secret, base_url = box.base_url }
      local err = check(c, "auth", 401, 'answered 401, "Invalid or missing API token."; the token is unknown', "get")
      assert.equal("PERMISSION_DENIED", err.code)
      assert_no_token(secret, err)
    end)

    it("a token that may only read", function()
      local c = handoff.client { name = "shop", token = box.agents[6].token, base_url = box.base_url }
      assert(c:get())
      local words = '"Insufficient token scope. Required: write_all"; the token may not do this'
      check(c, "scope", 403, words, "update", touch)
    end)

    it("what the service refuses, with its place and its words", function()
      local c = handoff.client { name = "shop", token = agent.token, base_url = box.base_url }
      local cfg = assert(c:get())
      cfg.availability[1].end_time = "08:00"
      local err = check(c, "rejected", 400, "; the service refused the request; mend what it names", "put", cfg)
      assert.same({ "availability[1]", "BAD_REQUEST" }, { err.path, err.code })
      assert.matches(err.server_message, tostring(err), 1, true)
    end)

    it("an address that is none of the API's", function()
      local c = handoff.client { name = "shop", token = agent.token, base_url = box.base_url .. "more/" }
      check(c, "rejected", 404, "answered 404", "get")
    end)

    it("nobody there", function()
      local c = handoff.client { name = "shop", token = agent.token, base_url = "http://127.0.0.1:1/v1", retries = 1 }
      check(c, "network", nil, "127.0.0.1:1", "get")
      assert.is_nil(select(2, c:put(assert(client:get()))).message:find("may have been written", 1, true))
    end)
  end)

  describe("shares connections", function()
    it("with every other client", function()
      loops.default():close()
      local new = 0
      local function on_event(event)
        if event.times and event.times.connect > 0 then new = new + 1 end
      end
      for i = 1, 5 do
        local one = box.agents[i]
        local c = handoff.client { token = one.token, base_url = box.base_url, on_event = on_event }
        assert(c:get())
        assert(c:get())
      end
      assert.equal(1, new)
    end)
  end)

  describe("shows", function()
    it("each request's start and end to on_event, with the agent's name and no token", function()
      local events = {}
      local c = handoff.client { name = "shop", token = agent.token, base_url = box.base_url,
        on_event = function(event) events[#events + 1] = event end }
      assert(c:update(function(cfg) cfg.settings.timezone = "UTC" end))
      local seen = {}
      for i, event in ipairs(events) do
        seen[i] = ("%s %s %s %s"):format(event.agent, event.type, event.method, event.status)
      end
      assert.same({ "shop request_start GET nil", "shop request_end GET 200", "shop request_start GET nil",
        "shop request_end GET 200", "shop request_start PUT nil", "shop request_end PUT 200" }, seen)
      assert_no_token(agent.token, events)
    end)

    it("its name and nothing else", function()
      assert.equal("handoff.client(" .. agent.name .. ")", tostring(client))
      assert.equal("handoff.client(unnamed)", tostring(handoff.client { token = secret }))
      assert.equal(agent.name, client.name)
      assert.is_nil(next(client))
      assert.equal("handoff client", getmetatable(client))
      assert.is_nil(client.token)
      local outcome = assert(client:update(function(cfg) cfg.settings.timezone = "UTC" end))
      assert_no_token(agent.token, client, outcome, outcome.after:plain())
    end)

    it("that nothing about it can be set", function()
      local err = raised(function() client.timeout = 5 end)
      assert.matches("timeout cannot be set", err.message)
      raised(function() client.name = "other" end)
    end)
  end)

  it("is collected, even if its own functions mention it", function()
    local gone = setmetatable({}, { __mode = "v" })
    do
      local c
      c = handoff.client { token = function() return c and secret end, on_event = function() return c end }
      gone[1] = c
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(gone[1])
  end)

  describe("refuses", function()
    local function refused(rule, words, opts)
      local err = raised(handoff.client, opts)
      assert.equal(rule, err.rule)
      assert.matches(words, tostring(err), 1, true)
      assert_no_token("eyJ", err)
      return err
    end

    it("tokens that are none, without showing them", function()
      for _, token in ipairs { "", " eyJ", "eyJ\n", "Bearer eyJ", "eyJ\0", "eyJ\127", "eyJé" } do
        refused("token", "handoff.client: token: a token expected", { token = token })
        local c = handoff.client { token = function() return token end, base_url = box.base_url }
        local err = raised(c.get, c)
        assert.matches("the function token returned", tostring(err), 1, true)
        assert_no_token("eyJ", err)
      end
      for _, token in ipairs { 12, { "eyJ" }, true } do
        refused("type", "string or function expected", { token = token })
        local c = handoff.client { token = function() return token end, base_url = box.base_url }
        assert.matches("a token expected, got a " .. type(token), raised(c.get, c).message, 1, true)
      end
      local c = handoff.client { token = function() end, base_url = box.base_url }
      assert.matches("got a nil", raised(c.get, c).message, 1, true)
      assert_no_token("eyJ", raised(handoff.client, "eyJ"))
      assert_no_token("eyJ", raised(handoff.client, { token = "x", timeout = "eyJ" }))
      assert.same({}, requests())
    end)

    it("tokens that were copied with too much, saying what is too much", function()
      for token, words in pairs {
        ["eyJ\n"] = "a blank or a line end", ["Bearer eyJ"] = "the word Bearer in front", [""] = "an empty text",
        ["eyJé"] = "a character in it that no token has",
      } do
        refused("token", words, { token = token })
      end
    end)

    it("what is no configuration, before anything is sent", function()
      local c = handoff.client { token = "x", base_url = box.base_url }
      local err = raised(c.put, c, { settings = {} })
      assert.matches("client:put: a configuration expected, from client:get() or handoff.config, got table",
        tostring(err), 1, true)
      assert.same({}, requests())
    end)

    it("options it does not have", function()
      refused("unknown", 'no option "tokn"; did you mean "token"?', { tokn = "x" })
      refused("unknown", 'no option "headers"', { token = "x", headers = {} })
      local cfg = assert(handoff.config(document.text()))
      for name, bad in pairs {
        history = false, dry_run = 1, verify = "twice", on_conflict = "ours", merge = "yes", on_put = true,
        retries = -1, deadline = 0,
      } do
        raised(client.update, client, function() end, { [name] = bad })
        raised(client.apply, client, cfg, cfg, { [name] = bad })
      end
      raised(client.update, client, function() end, { verify = true })
      raised(client.apply, client, cfg, cfg, { merge = false })
      raised(client.put, client, assert(handoff.config(document.text())), { dry_run = true })
      raised(client.get, client, { timeout = 1 })
    end)

    it("values out of range and of other types", function()
      for name, value in pairs { timeout = 0, connect_timeout = -1, name = 5, on_event = "print", insecure = "yes" } do
        refused(name:find "timeout" and "range" or "type", name, { token = "x", [name] = value })
      end
      refused("range", "timeout", { token = "x", timeout = 0 / 0 })
      refused("range", "retries", { token = "x", retries = 101 })
      refused("integer", "retries", { token = "x", retries = 1.5 })
      refused("range", "deadline", { token = "x", deadline = 0 })
      for _, budget in ipairs { "", "0%", "101%", "50", "5.5%", "-5%", "50%%" } do
        refused("range", 'a share from "1%" to "100%"', { token = "x", budget = budget })
      end
      refused("name", "name", { token = "x", name = "a\27[2Jb" })
      refused("name", "name", { token = "x", name = "" })
      refused("type", "transport", { token = "x", transport = {} })
      refused("proxy", "proxy", { token = "x", proxy = "ftp://user:eyJ@proxy" })
    end)

    it("addresses that would send the token in the clear, or nowhere", function()
      refused("insecure", "http:// to api.example.com", { token = "x", base_url = "http://api.example.com/v1" })
      refused("credentials", "base_url", { token = "x", base_url = "https://user:eyJ@example.com/v1" })
      refused("url", "no absolute URL", { token = "x", base_url = "/v1/api" })
      refused("url", "a query", { token = "x", base_url = "https://example.com/v1?key=eyJ" })
      refused("url", "a fragment", { token = "x", base_url = "https://example.com/v1#eyJ" })
      refused("scheme", "ftp://", { token = "x", base_url = "ftp://127.0.0.1/" })
      assert.is_not_nil(handoff.client { token = "x", base_url = "http://api.example.com/v1", insecure = true })
    end)

    it("methods called on anything else", function()
      local calls = {
        function() return client.get() end,
        function() return client.get {} end,
        function() return client.get "x" end,
        function() return client.update(function() end) end,
        function() return client.put(assert(handoff.config(document.text()))) end,
      }
      for _, call in ipairs(calls) do assert.matches("call methods as client:get()", raised(call).message, 1, true) end
    end)

    it("an update without a function", function()
      for _, wrong in ipairs { false, {}, "edit" } do
        assert.matches("a function(cfg) expected", raised(client.update, client, wrong).message, 1, true)
      end
      assert.matches("got nil", raised(client.update, client).message)
      assert.same({}, requests())
    end)
  end)

  describe("without options", function()
    local function run(code, env) return (program.run(program.lua .. " -e " .. program.quote(code), env)) end
    local get = "local cfg, err = require 'handoff'.client():get() print(cfg and cfg.settings.timezone or err)"

    it("takes the token and the address from the environment", function()
      for _, url in ipairs { box.base_url, (box.base_url:gsub("/$", "")), box.base_url .. "//" } do
        assert.matches("^Europe/Berlin\n", run(get, { HANDOFF_TOKEN = agent.token, HANDOFF_BASE_URL = url }))
      end
      local make = "print(pcall(require 'handoff'.client))"
      assert.matches("token: no token; give token=, or set HANDOFF_TOKEN", run(make, { HANDOFF_TOKEN = "" }), 1, true)
      assert.matches("handoff.client%(unnamed%)", run(make, { HANDOFF_TOKEN = "x", HANDOFF_BASE_URL = "" }))
      local shown = run(make, { HANDOFF_TOKEN = "eyJ secret" })
      assert.matches("HANDOFF_TOKEN: a token expected", shown)
      assert.is_nil(shown:find "eyJ")
      assert.matches("HANDOFF_BASE_URL: .*http:// to example.com",
        run(make, { HANDOFF_TOKEN = "x", HANDOFF_BASE_URL = "http://example.com" }))
    end)
  end)
end)
