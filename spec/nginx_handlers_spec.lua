-- SPDX-License-Identifier: MIT
local browser = require "support.browser"
local document = require "support.document"
local handoff = require "handoff"
local json = require("handoff.core").json
local opening = require "handoff.nginx.opening"
local openresty = require "support.openresty"
local program = require "support.program"
local sandbox = require "support.sandbox"
local time = require "handoff.time"

-- ---- what is open, without nginx ------------------------------------------------------------------------------------------

-- A configuration with these hours, and settings beside what it takes to be open by them.
local function config(hours, settings)
  local cfg = document.new()
  cfg.availability = handoff.week(hours):slots()
  for name, value in pairs(settings or {}) do cfg.settings[name] = value end
  return cfg
end

local function at(text) return assert(time.read(text)) end

describe("what is open", function()
  it("is told with when that changes and when it opens next, by the clocks of the zone", function()
    local berlin = "mon-fri 09:00-12:00 13:00-17:30"
    for _, row in ipairs {
      { berlin, "2026-11-27T11:59:59Z", false, "closed", "2026-11-27T13:00:00+01:00", "2026-11-27T13:00:00+01:00" },
      { berlin, "2026-11-27T12:00Z", true, "open", "2026-11-27T17:30:00+01:00", "2026-11-30T09:00:00+01:00" },
      { "sat-sun 01:00-04:00", "2026-03-29T00:00Z", true, "open", "2026-03-29T04:00:00+02:00",
        "2026-04-04T01:00:00+02:00" },
      { "24/7", "2026-11-27T12:00Z", true, "open" },
      { "closed", "2026-11-27T12:00Z", false, "closed" },
      { berlin, "2026-11-27T12:00Z", true, "always", settings = { working_hours_active = false } },
      { berlin, "2026-11-27T12:00Z", false, "off", settings = { is_active = false } },
    } do
      local seen = opening.at(config(row[1], row.settings), at(row[2]))
      assert.same({ row[3], row[4], row[5], row[6] }, { seen.open, seen.reason, seen.until_text, seen.next_text })
      assert.equal("Europe/Berlin", seen.zone)
      assert.equal(not row.settings and "We are back at nine." or nil, seen.outside)
    end
  end)

  it("is an error where hours are on and the zone is none, and no matter where they are off", function()
    local settings = '{"is_active":%s,"working_hours_active":true,"timezone":"Europe/Lodnon"}'
    local seen, err = opening.at(document.new { settings = settings:format "true" }, 0)
    assert.same({ nil, "settings.timezone" }, { seen, err.path })
    assert.equal("off", opening.at(document.new { settings = settings:format "false" }, 0).reason)
  end)

  it("is worked out once, until the document or what is open changes or the clock is set back", function()
    local keep, cfg, begin = opening.keeper(), config "mon-fri 09:00-17:30", at "2026-11-27T09:00+01:00"
    local first = keep("shop", cfg, 1, begin)
    assert.equal(first, keep("shop", cfg, 1, begin + 8.5 * 3600 - 1))
    assert.same({ true, false }, { first.open, keep("shop", cfg, 1, begin + 8.5 * 3600).open })
    assert.is_true(keep("shop", cfg, 1, begin).open)
    assert.equal("off", keep("shop", config("24/7", { is_active = false }), 2, begin).reason)
    assert.equal("open", keep("other", cfg, 2, begin).reason)
    local broken = document.new { settings = '{"is_active":true,"working_hours_active":true}' }
    local failed = keep("shop", broken, 3, begin)
    assert.equal("settings.timezone", failed.err.path)
    assert.equal(failed, keep("shop", broken, 3, begin + 1e6))
  end)
end)

-- ---- inside nginx ---------------------------------------------------------------------------------------------------------

-- A zone whose clocks show the hour after noon now, so that midnight is no concern of these tests.
local function noon_zone()
  local east = 12 - tonumber(os.date "!%H")
  if east == 0 then return "Etc/UTC" end
  return ("Etc/GMT%s%d"):format(east > 0 and "-" or "+", math.abs(east))
end

local HOSTILE = [[a "b" \n {c},d=1]]

local http = [[
  init_by_lua_block {
    local hn = require "handoff.nginx"
    local agents = {}
    for i, name in ipairs { "shop", "fetched", "later", "cold", 'a "b" \\n {c},d=1' } do
      agents[i] = { name = name, token = os.getenv("TOKEN" .. i) }
    end
    agents[4].base_url = "http://127.0.0.1:9"
    cache = hn.cache(agents, { ttl = 3600, fleet = { base_url = os.getenv "SHOP_URL", retries = 0 } })
    local function named() return ngx.var.arg_agent end
    handlers = {
      status = hn.status { cache = cache, agent = named },
      long = hn.status { cache = cache, agent = "shop", max_age = 86400, origins = "*" },
      listed = hn.status { cache = cache, agent = "shop", origins = { "https://shop.example", "http://[::1]:8080" } },
      broken = hn.status { cache = cache, agent = function() error("one\ntwo") end },
      metrics = hn.metrics { cache = cache },
      healthz = hn.healthz { cache = cache },
    }
    word = hn.variable { cache = cache, agent = named }
    broken_word = hn.variable { cache = cache, agent = function() error "no name" end }
    set_header = hn.header { cache = cache, agent = named, name = "X-Human" }
  }
  ]]

local server = [[
  location = /lua {
    content_by_lua_block {
      ngx.req.read_body()
      ngx.print(tostring(assert(loadstring(ngx.req.get_body_data()))()))
    }
  }
  location = /page { ssi on; ssi_types *; set_by_lua_block $human { return word() }
    header_filter_by_lua_block { set_header() }
    content_by_lua_block { ngx.print('<!--# if expr="$human = open" -->talk<!--# else -->',
      'write (<!--# echo var="human" -->)<!--# endif -->') } }
  location = /favicon.ico { return 204; }
  location = /empty { return 200 "<title>empty</title>"; default_type text/html; }
  location / { content_by_lua_block { handlers[ngx.var.uri:sub(2)]() } }
  ]]

-- Lines of Prometheus's text format → the samples by name with labels, as written; what is not of its grammar fails.
local function read_metrics(text)
  local samples, kinds, current = {}, {}, nil
  assert.equal("\n", text:sub(-1))
  for line in text:gmatch "([^\n]*)\n" do
    local word, name, rest = line:match "^# (%u+) ([%a_:][%w_:]*) (.+)$"
    if word == "HELP" then
      assert.is_nil(kinds[name], line)
      current = name
    elseif word == "TYPE" then
      assert.equal(current, name)
      assert.truthy(rest == "gauge" or rest == "counter" and name:find "_total$", line)
      kinds[name] = rest
    else
      local series, value = line:match "^(.-) ([%d.e+-]+)$"
      name = assert(series, line):match "^[%a_:][%w_:]*"
      assert.equal(current, name)
      local labels = series:sub(#name + 1)
      local left = labels:gsub("\\[\\n\"]", ""):gsub('[%a_][%w_]*="[^"\\\n]*",?', "")
      assert.truthy((left == "{}" and not labels:find ",}") or labels == "", line)
      assert.is_nil(samples[series], line)
      samples[series] = assert(tonumber(value), line)
    end
  end
  return samples
end

local function epoch_of_date(text) return at((program.run(("date -ud '%s' +%%FT%%TZ"):format(text)):gsub("\n", ""))) end

describe("inside nginx", function()
  local box, site, zone

  setup(function()
    zone = noon_zone()
    box = sandbox.start { agents = 5 }
    local env, secrets = { SHOP_URL = box.base_url }, {}
    for i, agent in ipairs(box.agents) do env["TOKEN" .. i], secrets[i] = agent.token, agent.token end
    site = openresty.start { http = http, server = server, env = env, secrets = secrets }
  end)

  teardown(function()
    box:stop()
    site:stop()
  end)

  local function ask(path, args, method) return site:request(method or "GET", path, { args = args }) end

  -- What a chunk returns inside nginx, as a text.
  local function run(chunk, query)
    return site:request("POST", "/lua" .. (query or ""), { body = chunk, type = "text/plain" }).body
  end

  -- Gives the cache a document of an agent.
  local function put(name, cfg)
    assert.equal("true", run(("cache:put(%q, require('handoff').config(%q)) return true"):format(name, cfg:text())))
  end

  local function put_open(name) put(name, config("mon-sun 09:00-17:00", { timezone = zone })) end
  local function put_closed(name) put(name, config("mon-sun 18:00-19:00", { timezone = zone })) end

  -- The instant of a full hour in the zone, in ISO 8601. @param days from today
  local function moment(hour, days)
    local there = assert(time.zone(zone))
    local today = there:local_time(os.time())
    return time.iso(there:epoch { year = today.year, month = today.month, day = today.day + days, hour = hour }, there)
  end

  describe("status", function()
    it("says what is open now, until when, and what comes after", function()
      put_open "shop"
      local res = ask "/status?agent=shop"
      assert.same({ 200, "application/json", "nosniff" },
        { res.status, res.headers["content-type"], res.headers["x-content-type-options"] })
      assert.is_true(res.json.age >= 0 and res.json.age < 60)
      res.json.age = nil
      assert.same({
        open = true, reason = "open", ["until"] = moment(17, 0), next_open = moment(9, 1),
        message = "We are back at nine.", timezone = zone, stale = false,
      }, res.json)
    end)

    it("has null for what is never, nowhere and not said", function()
      put("shop", document.new { settings = '{"is_active":false}', availability = "[]" })
      local res = ask "/status?agent=shop"
      res.json.age = nil
      local null = json.null
      assert.same({
        open = false, reason = "off", ["until"] = null, next_open = null, message = null, timezone = null,
        stale = false,
      }, res.json)
      assert.equal("max-age=60", res.headers["cache-control"])
    end)

    it("fetches a document that is not there yet", function()
      local res = ask "/status?agent=fetched"
      assert.equal(200, res.status)
      assert.equal("boolean", type(res.json.open))
    end)

    it("may be kept until the next change, and no longer than max_age", function()
      put_open "shop"
      assert.equal("max-age=60", ask("/status?agent=shop").headers["cache-control"])
      local res = ask "/long"
      assert.equal(at(res.json["until"]) - epoch_of_date(res.headers.date),
        tonumber(res.headers["cache-control"]:match "^max%-age=(%d+)$"))
    end)

    it("answers HEAD as GET, without the body", function()
      put_open "shop"
      local get = ask "/long"
      local head = ask("/long", "-I", "HEAD")
      assert.equal(#get.body, tonumber(head.headers["content-length"]))
      assert.equal("", head.body)
      get.headers.date, head.headers.date = nil, nil
      get.headers["cache-control"], head.headers["cache-control"] = nil, nil
      get.headers["content-length"], head.headers["content-length"] = nil, nil -- the age may have a digit more
      assert.same({ get.status, get.headers }, { head.status, head.headers })
    end)

    it("says 304 to who has it, until it says another thing", function()
      put_open "shop"
      local tag = ask("/status?agent=shop").headers.etag
      local condition = ("-H 'If-None-Match: \"x\", %s'"):format(tag)
      put_open "shop"
      local res = ask("/status?agent=shop", condition)
      assert.same({ 304, "", tag, "max-age=60" },
        { res.status, res.body, res.headers.etag, res.headers["cache-control"] })
      put_closed "shop"
      res = ask("/status?agent=shop", condition)
      assert.same({ 200, false }, { res.status, res.json.open })
      assert.not_equal(tag, res.headers.etag)
    end)

    it("tells other sites' pages what they may read, by origin", function()
      put_open "shop"
      local function cors(path, origin, more, method)
        local res = ask(path, (origin and ("-H 'Origin: %s' "):format(origin) or "") .. (more or ""), method)
        local h = res.headers
        return { res.status, h["access-control-allow-origin"], h.vary, h["access-control-allow-methods"] }
      end
      local preflight = "-H 'Access-Control-Request-Method: GET' -H 'Access-Control-Request-Headers: x-any'"
      assert.same({ 200 }, cors("/status?agent=shop", "https://shop.example"))
      assert.same({ 200, "*" }, cors("/long", "https://any.example"))
      assert.same({ 204, "*", nil, "GET, HEAD" }, cors("/long", "https://any.example", preflight, "OPTIONS"))
      for _, origin in ipairs { "https://shop.example", "http://[::1]:8080" } do
        assert.same({ 200, origin, "Origin" }, cors("/listed", origin))
        assert.same({ 204, origin, "Origin", "GET, HEAD" }, cors("/listed", origin, preflight, "OPTIONS"))
        assert.same({ 405, origin, "Origin" }, cors("/listed", origin, nil, "PUT"))
      end
      for _, origin in ipairs {
        "https://shop.example.evil", "http://shop.example", "https://SHOP.example", "null", false,
      } do
        assert.same({ 200, nil, "Origin" }, cors("/listed", origin))
        assert.same({ 204, nil, "Origin" }, cors("/listed", origin, preflight, "OPTIONS"))
      end
    end)

    it("is read by a page of another site in a browser, where that is allowed", function()
      put_open "shop"
      local b = browser.start()
      finally(function() b:close() end)
      b:call("POST", "/url", { url = site.url:gsub("127%.0%.0%.1", "localhost") .. "/empty" })
      local function read(path)
        return b:run([[
          return fetch(arguments[0], { headers: { "X-Any": "1" } }).then(r => r.json())
            .then(s => s.reason, () => "refused");
        ]], site.url .. path)
      end
      assert.same({ "open", "refused", "refused" }, { read "/long", read "/listed", read "/status?agent=shop" })
    end)

    it("has nothing for an agent that is none, nor for other methods", function()
      for _, query in ipairs { "", "?agent=", "?agent=shap", "?agent=" .. ("x"):rep(2000) } do
        local res = ask("/status" .. query)
        assert.same({ 404, "no-store", { error = "not_found", message = "there is no such agent" } },
          { res.status, res.headers["cache-control"], res.json })
      end
      local res = ask("/status?agent=shop", "-d x", "POST")
      assert.same({ 405, "GET, HEAD, OPTIONS", "method_not_allowed" },
        { res.status, res.headers.allow, res.json.error })
      res = ask("/status", nil, "OPTIONS")
      assert.same({ 204, "GET, HEAD, OPTIONS", "" }, { res.status, res.headers.allow, res.body })
    end)

    it("says when to ask again where it has no document, or none with a zone", function()
      put("shop", document.new { settings = '{"is_active":true,"working_hours_active":true,"timezone":"Here"}' })
      for _, name in ipairs { "cold", "shop" } do
        local res = ask("/status?agent=" .. name)
        assert.same({ 503, "unavailable", "no-store" }, { res.status, res.json.error, res.headers["cache-control"] })
        assert.truthy(tonumber(res.headers["retry-after"]) >= 1)
        assert.is_nil(res.body:find "127.0.0.1" or res.body:find "Here")
      end
      ask "/status?agent=shop"
      assert.equal(1, select(2, site:log():gsub("hn.status: shop: settings.timezone", "")))
    end)

    it("keeps what is raised for the log, in one line", function()
      local res = ask "/broken"
      assert.same({ 500, "internal" }, { res.status, res.json.error })
      assert.is_nil(res.body:find "one")
      assert.truthy(site:log():find("hn.status: [^\n]*one\\ntwo"))
    end)
  end)

  describe("the word", function()
    it("stands in a page put together by SSI and in a header", function()
      put_open "shop"
      local res = ask "/page?agent=shop"
      assert.same({ "talk", "open" }, { res.body, res.headers["x-human"] })
      put_closed "shop"
      res = ask "/page?agent=shop"
      assert.same({ "write (closed)", "closed" }, { res.body, res.headers["x-human"] })
    end)

    it("is unknown where nothing is known", function()
      put("shop", document.new { settings = '{"is_active":true,"working_hours_active":true,"timezone":"Here"}' })
      for _, query in ipairs { "", "?agent=cold", "?agent=shop", "?agent=shap" } do
        local res = ask("/page" .. query)
        assert.same({ 200, "write (unknown)", "unknown" }, { res.status, res.body, res.headers["x-human"] })
      end
    end)

    it("neither waits nor raises, also where nginx could wait", function()
      local chunk = [[
        local told
        ngx.thread.spawn(function() told = word() end) -- comes back when it waits, or is done
        return told]]
      assert.equal("unknown", run(chunk, "?agent=later"))
      assert.equal("unknown", run "return broken_word()")
      assert.truthy(site:log():find "hn.variable: [^\n]*no name")
    end)
  end)

  describe("metrics", function()
    it("are what Prometheus reads, and count what was done", function()
      put_open "shop"
      ask "/status?agent=fetched"
      ask "/status?agent=cold"
      local res = ask "/metrics"
      assert.same({ 200, "text/plain; version=0.0.4; charset=utf-8", "no-store" },
        { res.status, res.headers["content-type"], res.headers["cache-control"] })
      local samples = read_metrics(res.body)
      assert.truthy(samples['handoff_requests_total{method="GET",status="200"}'] >= 1)
      assert.truthy(samples['handoff_requests_total{method="GET",error="network"}'] >= 1)
      assert.truthy(samples['handoff_refreshes_total{result="ok"}'] >= 1)
      assert.truthy(samples['handoff_refreshes_total{result="failed"}'] >= 1)
      assert.truthy(samples['handoff_document_age_seconds{agent="shop"}'] < 60)
      assert.same({ 5, 0, 1 }, { samples.handoff_agents, samples['handoff_document_stale{agent="shop"}'],
        samples['handoff_document_error{agent="cold",error="network"}'] })
      assert.is_nil(samples['handoff_document_age_seconds{agent="cold"}'])
      put_open(HOSTILE)
      samples = read_metrics(ask "/metrics".body)
      assert.is_number(samples[ [[handoff_document_age_seconds{agent="a \"b\" \\n {c},d=1"}]] ])
      assert.same({ 200, "" }, { ask("/metrics", "-I", "HEAD").status, ask("/metrics", "-I", "HEAD").body })
      assert.equal(405, ask("/metrics", nil, "DELETE").status)
    end)
  end)
end)

describe("healthz", function()
  it("is 200 once every agent can be served, and names none", function()
    local site = openresty.start {
      http = [[init_by_lua_block {
        local hn = require "handoff.nginx"
        cache = hn.cache({ { name = "one", token = "t" }, { name = "two", token = "u" } })
        healthz = hn.healthz { cache = cache }
      }]],
      server = [[
        location = /healthz { content_by_lua_block { healthz() } }
        location = /put { content_by_lua_block {
          ngx.req.read_body()
          cache:put(ngx.var.arg_agent, require("handoff").config(ngx.req.get_body_data()))
        } }]],
    }
    finally(function() site:stop() end)
    local function put(name) site:request("POST", "/put?agent=" .. name, { body = document.text() }) end
    for i, step in ipairs { { 503, 0 }, { 503, 1, put = "one" }, { 200, 2, put = "two" } } do
      if step.put then put(step.put) end
      local res = site:get "/healthz"
      assert.same({ step[1], { ok = i == 3, agents = 2, served = step[2], stale = 0 } }, { res.status, res.json })
    end
  end)
end)

describe("a handler with a slip in its options", function()
  -- What stands for a cache outside nginx: what the options are held against.
  local cache = setmetatable({
    agents = function() return { { name = "shop-uk" } } end,
    knows = function(_, name) return name == "shop-uk" end,
  }, { __metatable = "handoff cache" })

  it("raises at the script's place, and says what to write", function()
    for _, row in ipairs {
      { "status", { agent = "shop-uk" }, "hn.status: cache", "give it: cache = cache" },
      { "metrics", {}, "hn.metrics: cache", "give it: cache = cache" },
      { "variable", { cache = { fleet = {} }, agent = "shop-uk" }, "hn.variable: cache", "this is none; make one by" },
      { "status", { cache = cache }, "hn.status: agent", "give a name, or a function" },
      { "variable", { cache = cache, agent = "shop-ku" }, "hn.variable: agent", 'did you mean "shop-uk"?' },
      { "healthz", { cache = cache, agents = 1 }, "hn.healthz", 'no option "agents"' },
      { "status", { cache = cache, agent = "shop-uk", max_age = -1 }, "hn.status: max_age", "0 to 86400" },
      { "status", { cache = cache, agent = "shop-uk", origins = {} }, "hn.status: origins", "a list of origins" },
    } do
      local new = require("handoff.nginx." .. row[1]).new
      local err = document.raised(function() new(row[2]) end)
      assert.equal(row[3], err.path)
      assert.truthy(tostring(err):find "^[^\n]*_spec%.lua:%d+: [^\n]+$", tostring(err))
      assert.truthy(err.message:find(row[4], 1, true), err.message)
    end
  end)

  it("is told what the name of a header is", function()
    local header = require("handoff.nginx.variable").header
    for _, name in ipairs { "", "X Handoff", "X-Handoff:", "X\r\nY" } do
      local err = document.raised(header, { cache = cache, agent = "shop-uk", name = name })
      assert.same({ "hn.header: name", "name" }, { err.path, err.rule })
      assert.is_nil(err.message:find "%c")
    end
  end)

  it("keeps nginx from starting, with these words", function()
    local ok, why = pcall(openresty.start, { http = [[init_by_lua_block {
      local hn = require "handoff.nginx"
      hn.healthz { cache = hn.cache { { name = "shop-uk", token = "t" } }, agent = "shop-uk" }
    }]] })
    assert.is_false(ok)
    assert.truthy(why:find('init_by_lua error: [^\n]*:3: hn.healthz: no option "agent"; known are: cache\n'), why)
  end)

  it("is told what an origin looks like", function()
    for origin, rule in pairs {
      ["https://shop.example/"] = "without a path", ["shop.example"] = "scheme://host",
      ["https://Shop.example"] = "lower case",
      ["https://shop.example:443"] = "left out", ["http://shop.example:80"] = "left out",
      ["https://shop.example:"] = "scheme",
      ["null"] = "scheme", ["https://*.shop.example"] = "scheme",
    } do
      local origins = { "http://a.example:8080", origin }
      local err = document.raised(require("handoff.nginx.status").new,
        { cache = cache, agent = "shop-uk", origins = origins })
      assert.same({ "hn.status: origins[2]", "origin" }, { err.path, err.rule })
      assert.truthy(err.message:find(rule, 1, true), err.message)
    end
    require("handoff.nginx.status").new { cache = cache, agent = "shop-uk", origins = { "http://my_host:8080" } }
  end)
end)
