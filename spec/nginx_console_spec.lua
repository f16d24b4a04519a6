-- SPDX-License-Identifier: MIT
-- The console of examples/openresty, as a person uses it in a browser, and as others try to.
if not rawget(_G, "jit") then return end -- nginx has its own VM, the same whichever runs the tests

local browser = require "support.browser"
local handoff = require "handoff"
local lfs = require "lfs"
local openresty = require "support.openresty"
local program = require "support.program"
local sandbox = require "support.sandbox"

local SECRET = "correct horse battery staple"
local HOSTILE = [[<img src=x onerror="window.broken=1">"'&]]

local main = [[
  init_by_lua_block {
    package.path = "@HERE@/examples/openresty/?.lua;" .. package.path
    cache = require("handoff.nginx").cache("@DIR@/agents.lua",
      { ttl = 600, fleet = { base_url = "@URL@", retries = 0, @FLEET@ } })
    console = require("console").new { cache = cache, secret = @SECRET@, history = @HISTORY@, @MORE@ }
  }
  init_worker_by_lua_block { cache:start() }
  lua_shared_dict handoff_console 1m;
]]

local locations = [[
  location /console/ {
    set_real_ip_from 127.0.0.9; # what comes from there may say where it comes from
    content_by_lua_block { console() }
  }
  location = /icon.svg { return 204; }
  location = /evil { default_type text/html; root @DIR@; }
]]

describe("the console", function()
  local box, server, folder, b

  local function fill(text, values)
    return (text:gsub("@(%u+)@", values))
  end

  -- An nginx with the console, whose agents are the sandbox's, the last one by a name that means harm.
  local function start(secret, history, fleet, more)
    local list = {}
    for i, agent in ipairs(box.agents) do
      list[i] = ("{ name = %q, token = %q, tags = { region = %q, tier = %q } },\n"):format(
        i == #box.agents and HOSTILE or agent.name, agent.token, agent.tags.region, agent.tags.tier)
    end
    local inventory = program.write(folder .. "/agents.lua", "return {\n" .. table.concat(list) .. "}\n")
    program.run("chmod 755 " .. folder .. "; chmod 777 " .. folder .. "/state; chmod 644 " .. inventory)
    local values = {
      HERE = lfs.currentdir(), DIR = folder, URL = box.base_url, SECRET = secret and ("%q"):format(secret) or "nil",
      HISTORY = history and ("%q"):format(folder .. "/state/history.db") or "nil",
      FLEET = fleet or "", MORE = more or "",
    }
    return openresty.start {
      http = fill(main, values), server = fill(locations, values), workers = 2,
      secrets = { SECRET, box.agents[1].token, box.agents[#box.agents].token },
    }
  end

  lazy_setup(function()
    folder = program.folder()
    lfs.mkdir(folder .. "/state")
    box = sandbox.start { agents = 5, no_rate_limit = true }
    server = start(SECRET, true)
    b = browser.start()
  end)
  lazy_teardown(function()
    if b then b:close() end
    if server then server:stop() end
    box:stop()
    program.remove(folder)
  end)
  before_each(function()
    for _, agent in ipairs(box.agents) do
      local cfg = assert(handoff.config(box:document(agent.name)))
      cfg.settings.is_active, cfg.settings.working_hours_active = false, false
      box:store(agent.name, cfg:text())
    end
    box:reset()
  end)

  local function is_active(i)
    return handoff.json.decode(box:document(box.agents[i].name)).settings.is_active
  end

  local function puts()
    local count = 0
    for _, writes in pairs(box:ledger().writes) do count = count + writes end
    return count
  end

  -- ---- by hand ----------------------------------------------------------------------------------------------------------

  local function header(name, value) return "-H " .. program.quote(name .. ": " .. value) .. " " end

  -- A request of a page of ours, or with `more`, another one: { origin=, site=, cookie=, csrf=, body=, args= }, false for none.
  local function ask(method, path, more)
    more = more or {}
    local args, origin = more.args or "", more.origin
    if origin == nil and method == "POST" then origin = server.url end
    if origin then args = args .. " " .. header("Origin", origin) end
    if more.site then args = args .. " " .. header("Sec-Fetch-Site", more.site) end
    if more.cookie then args = args .. " " .. header("Cookie", "handoff_console=" .. more.cookie) end
    if more.csrf then args = args .. " " .. header("X-CSRF-Token", more.csrf) end
    return server:request(method, path, { args = args, body = more.body, type = more.type })
  end

  local function log_in(secret, more)
    more = more or {}
    more.body, more.type = "secret=" .. secret:gsub(" ", "+"), "application/x-www-form-urlencoded"
    return ask("POST", "/console/login", more)
  end

  -- → the cookie's value, and the token of its page
  local function session()
    local cookie = log_in(SECRET).headers["set-cookie"]:match "^handoff_console=([^;]+);"
    return cookie, ask("GET", "/console/", { cookie = cookie }).body:match 'name="csrf" content="([^"]+)"'
  end

  local order = '{"all":true,"active":true,"plan":"x"}'

  it("is off, and says so, without a secret or with a short one", function()
    for _, secret in ipairs { false, "too short" } do
      local other = start(secret, false)
      local answer = other:get "/console/"
      other:stop()
      assert.equal(503, answer.status)
      assert.matches("^The console is off: CONSOLE_SECRET [^\n]+\n$", answer.body)
    end
  end)

  it("gives its cookie to who knows the secret, for the console and for no script", function()
    local answer = log_in(SECRET)
    assert.equal(303, answer.status)
    assert.matches("^handoff_console=[%w._-]+; Path=/console/; Max%-Age=28800; HttpOnly; SameSite=Strict$",
      answer.headers["set-cookie"])
    answer = log_in(SECRET, { origin = server.url:gsub("^http:", "https:") })
    assert.matches("; HttpOnly; SameSite=Strict; Secure$", answer.headers["set-cookie"])
    assert.equal(403, log_in("correct horse battery stapl").status)
    assert.equal(403, log_in("").status)
  end)

  it("lets an address try five times in a while, and others all the same", function()
    local from = { args = "--interface 127.0.0.7" }
    for _ = 1, 5 do assert.equal(403, log_in("wrong", { args = from.args }).status) end
    local answer = log_in(SECRET, { args = from.args })
    assert.equal(429, answer.status)
    assert.is_nil(answer.headers["set-cookie"])
    assert.is_true(tonumber(answer.headers["retry-after"]) > 0)
    assert.equal(303, log_in(SECRET).status)
  end)

  it("does nothing for who has no session, a forged one or one that has ended", function()
    local cookie, csrf = session()
    local forged = { false, "", "x", cookie .. "x", cookie:sub(1, -2), cookie:lower(), ("x"):rep(5000) }
    for _, one in ipairs(forged) do
      for _, what in ipairs { "GET /console/api/fleet", "GET /console/api/runs", "GET /console/week.svg",
          "POST /console/api/preview", "POST /console/api/apply", "POST /console/logout" } do
        local method, path = what:match "(%u+) (.*)"
        local answer = ask(method, path, { cookie = one, csrf = csrf, body = method == "POST" and order or nil })
        assert.equal(401, answer.status, what)
      end
      assert.is_nil(ask("GET", "/console/", { cookie = one }).body:find "csrf")
    end
    assert.equal(200, ask("POST", "/console/logout", { cookie = cookie, csrf = csrf, body = "{}" }).status)
    assert.equal(401, ask("GET", "/console/api/fleet", { cookie = cookie }).status)
    assert.equal(0, puts())
  end)

  it("ends every session where nginx ends, but not with a reload", function()
    local cookie = session()
    server:reload()
    assert.equal(200, ask("GET", "/console/api/fleet", { cookie = cookie }).status)
    local other = start(SECRET, false)
    local answer = other:get("/console/api/fleet", { args = header("Cookie", "handoff_console=" .. cookie) })
    other:stop()
    assert.equal(401, answer.status)
  end)

  it("counts the tries of an IPv6 network as one's, and those of each IPv4 address on a socket for both", function()
    local function try(address, secret)
      return log_in(secret, { args = "--interface 127.0.0.9 " .. header("X-Real-IP", address) }).status
    end
    for i = 1, 5 do
      assert.equal(403, try("2001:db8:1:2::" .. i, "wrong"))
      assert.equal(403, try("::ffff:192.0.2.1", "wrong"))
    end
    assert.same({ 429, 303, 429, 303 }, { try("2001:db8:1:2:3::", SECRET), try("2001:db8:1:3::", SECRET),
      try("::ffff:192.0.2.1", SECRET), try("::ffff:192.0.2.2", SECRET) })
  end)

  it("shows the door again to who loads the page of a wrong secret anew", function()
    local answer = ask("GET", "/console/login")
    assert.same({ 303, "/console/" }, { answer.status, answer.headers.location })
  end)

  it("does nothing for another site, nor without the page's token", function()
    local cookie, csrf = session()
    local _, other = session()
    local refused = {
      { csrf = csrf, origin = "http://evil.example" }, { csrf = csrf, origin = "null" },
      { csrf = csrf, origin = "null", args = "-0 -H 'Host:'" },
      { csrf = csrf, origin = false }, { csrf = csrf, origin = server.url .. ".evil.example" },
      { csrf = csrf, site = "cross-site" },
      { csrf = csrf, site = "same-site" }, { csrf = csrf, site = "none" }, { csrf = false }, { csrf = other },
    }
    for _, path in ipairs { "/console/api/preview", "/console/api/apply", "/console/logout" } do
      for i, more in ipairs(refused) do
        local answer = ask("POST", path, { cookie = cookie, csrf = more.csrf, origin = more.origin, site = more.site,
          body = order, args = more.args })
        assert.equal(403, answer.status, path .. " " .. i)
      end
    end
    assert.equal(403, log_in(SECRET, { origin = "http://evil.example" }).status)
    assert.equal(403, ask("GET", "/console/api/fleet", { cookie = cookie, site = "cross-site" }).status)
    assert.equal(403, ask("GET", "/console/week.svg", { cookie = cookie, site = "same-site" }).status)
    assert.equal(200, ask("GET", "/console/api/fleet", { cookie = cookie, site = "none" }).status)
    assert.equal(0, puts())
  end)

  it("refuses what is too large, of no length, no order, or by another method", function()
    local cookie, csrf = session()
    local function post(body, args)
      return ask("POST", "/console/api/apply", { cookie = cookie, csrf = csrf, body = body, args = args }).status
    end
    assert.equal(413, post('{"agent":"' .. ("x"):rep(5000) .. '"}'))
    assert.equal(413, post(order, "-H 'Transfer-Encoding: chunked'"))
    for _, body in ipairs { "", "{", "[]", "7", '{"active":true}', '{"active":1,"all":true,"plan":"x"}',
        '{"active":true,"all":true}', '{"active":true,"all":true,"agent":"shop-uk","plan":"x"}',
        '{"active":true,"agent":{},"plan":"x"}', '{"undo":"1","plan":"x"}', '{"undo":0.5,"plan":"x"}' } do
      assert.equal(400, post(body), body)
    end
    assert.equal(405, ask("PUT", "/console/api/apply", { cookie = cookie, csrf = csrf, body = order }).status)
    assert.equal("POST", ask("GET", "/console/api/apply", { cookie = cookie }).headers.allow)
    assert.equal(404, ask("GET", "/console/console/guard.lua", { cookie = cookie }).status)
    assert.equal(0, puts())
  end)

  it("may be framed, cached and scripted by nobody, whatever it answers", function()
    local cookie = session()
    for _, path in ipairs { "/console/", "/console/console.js", "/console/api/fleet", "/console/week.svg",
        "/console/none" } do
      local headers = ask("GET", path, { cookie = cookie }).headers
      assert.matches("^default%-src 'none'; ", headers["content-security-policy"])
      assert.matches("frame%-ancestors 'none'", headers["content-security-policy"])
      assert.is_nil(headers["content-security-policy"]:find "script%-src[^;]*unsafe")
      assert.same({ "DENY", "nosniff", "no-store", "same-origin" }, { headers["x-frame-options"],
        headers["x-content-type-options"], headers["cache-control"], headers["cross-origin-resource-policy"] })
    end
  end)

  -- ---- in a browser -----------------------------------------------------------------------------------------------------

  local function text_of(selector) return b:run("return document.querySelector(arguments[0]).textContent", selector) end

  local function dialog(selector) return "document.querySelector('dialog[open] " .. selector .. "')" end

  -- The switch of an agent, in the row of its name.
  local switch = "[...document.querySelectorAll('#agents tr')].find(row => row.dataset.agent === arguments[0])"
    .. "?.querySelector('.switch')"

  local function enter()
    b:command("Network.clearBrowserCookies", {})
    b:open(server.url .. "/console/")
    b:keys(SECRET .. browser.key.enter)
    b:await "document.querySelectorAll('#agents tr').length === 5 && document.querySelector('#week').naturalWidth > 0"
  end

  -- Chooses what is shown, as a person's choice in the list does.
  local function choose(value)
    b:run("const list = document.querySelector('#show'); list.value = arguments[0]; "
      .. "list.dispatchEvent(new Event('change'))", value)
  end

  local function press(selector) b:run("document.querySelector(arguments[0]).click()", selector) end

  local function preview_of(selector)
    press(selector)
    b:await(dialog "#confirm:not([hidden]):not([disabled])")
    return text_of "#plan"
  end

  local function confirm()
    press "#confirm"
    b:await(dialog ".results")
    return text_of "#plan"
  end

  it("switches an agent by the keyboard alone, after the change was shown, and draws it", function()
    enter()
    local name = box.agents[1].name
    choose("agent:" .. name)
    local before = b:run "return document.querySelector('#week').src"
    b:run("(" .. switch .. ").focus()", name)
    assert.equal("button", b:role ".switch")
    assert.equal(("Handoff of %s is off: switch it on…"):format(name), b:label ".switch")
    b:keys(browser.key.enter)
    b:await(dialog "#confirm:not([hidden]):not([disabled])")
    assert.equal(("Switch handoff on for %s?"):format(name), text_of "#title")
    assert.truthy(text_of "#plan":find("~ settings.is_active: false → true", 1, true))
    b:keys(browser.key.enter)
    assert.same({ "plan", false }, { b:run "return document.activeElement.id", is_active(1) })
    b:keys(browser.key.tab .. browser.key.tab .. browser.key.enter)
    b:await(dialog ".results .changed")
    assert.is_true(is_active(1))
    assert.is_false(is_active(2))
    b:await("(" .. switch .. ").classList.contains('on')", name)
    assert.equal("always open", text_of "#agents .said")
    b:await("document.querySelector('#week').src !== arguments[0] && document.querySelector('#week').complete", before)
    b:keys(browser.key.escape)
    b:await "!document.querySelector('dialog').open && document.activeElement.className === 'switch on'"
    assert.same({}, b:console())
  end)

  it("writes nothing when the question is answered with no", function()
    enter()
    preview_of "#on"
    b:keys(browser.key.escape)
    assert.is_false(b:run "return document.querySelector('dialog').open")
    assert.equal(0, puts())
  end)

  it("switches all agents of a tag and no others, and takes it back", function()
    enter()
    local region, others = box.agents[1].tags.region, 0
    choose("tag:region=" .. region)
    local count = b:run "return document.querySelectorAll('#agents tr').length"
    assert.truthy(preview_of "#on":find(("^%d agents? "):format(count)))
    local said = confirm()
    assert.truthy(said:find(("%d changed"):format(count), 1, true), said)
    for i, agent in ipairs(box.agents) do
      assert.equal(agent.tags.region == region, is_active(i))
      if agent.tags.region ~= region then others = others + 1 end
    end
    assert.equal(#box.agents - count, others)
    press "#cancel"
    b:await("document.querySelector('#runs .number').textContent === arguments[0]", said:match "%((run %d+)%)")
    assert.truthy(preview_of "#runs button":find("~ settings.is_active: true → false", 1, true))
    confirm()
    for i in ipairs(box.agents) do assert.is_false(is_active(i)) end
  end)

  it("shows the change anew where somebody edited meanwhile, and writes nothing until that is confirmed", function()
    enter()
    preview_of "#on"
    local cfg = assert(handoff.config(box:document(box.agents[2].name)))
    cfg.settings.is_active = true
    box:store(box.agents[2].name, cfg:text())
    press "#confirm"
    b:await(dialog "#notice:not([hidden])")
    assert.equal("Somebody changed something since; nothing was written: look at it again.", text_of "#notice")
    assert.matches("^4 agents .*1 agent unchanged$", (text_of "#plan":gsub("\n", " ")))
    assert.equal(0, puts())
    assert.truthy(confirm():find("4 changed", 1, true))
    assert.equal(4, puts())
  end)

  it("tells what became of each agent where one fails", function()
    enter()
    preview_of "#on"
    box:faults { { agent = box.agents[3].name, method = "PUT", fault = "status", status = 500 } }
    local text = confirm()
    box:faults {}
    assert.equal(box.agents[3].name, text_of ".results li bdi")
    assert.truthy(text:find("4 changed", 1, true), text)
    assert.truthy(text:find(box.agents[3].name .. " failed", 1, true), text)
    assert.equal("Not all was done", text_of "#title")
    assert.is_false(is_active(3))
  end)

  it("says that nobody knows what was done where no answer comes to a change", function()
    enter()
    preview_of "#on"
    b:command("Network.enable", {})
    b:command("Network.setBlockedURLs", { urls = { "*/api/apply" } })
    press "#confirm"
    b:await(dialog "#notice:not([hidden])")
    b:command("Network.setBlockedURLs", { urls = handoff.json.array {} })
    assert.equal("It is not known what was done", text_of "#title")
    assert.is_false(b:run "return document.querySelector('#cancel').disabled")
  end)

  it("shows what a preview found, where an edit made elsewhere was not known yet", function()
    enter()
    local name = box.agents[2].name
    b:await("!(" .. switch .. ").classList.contains('on')", name)
    local cfg = assert(handoff.config(box:document(name)))
    cfg.settings.is_active = true
    box:store(name, cfg:text())
    b:run("(" .. switch .. ").click()", name)
    b:await(dialog "#plan[aria-busy=false]")
    assert.equal("Nothing would change.1 agent unchanged", text_of "#plan")
    press "#cancel"
    b:await("(" .. switch .. ").classList.contains('on')", name)
  end)

  it("leaves alone what somebody reads, and speaks while it asks", function()
    enter()
    assert.is_true(b:run [[
      const row = document.querySelector("#agents tr");
      return look().then(() => row.isConnected);]])
    preview_of "#on"
    assert.same({ "status", "5 agents would change" }, { b:role "#told", text_of "#told" })
  end)

  it("shows texts of others as texts", function()
    local name = box.agents[#box.agents].name
    local text = box:document(name):gsub('"timezone": *"[^"]*"', function()
      return '"timezone":' .. handoff.json.encode(HOSTILE)
    end)
    box:store(name, text)
    server:reload()
    enter()
    b:await("document.body.innerText.includes(arguments[0])", HOSTILE)
    assert.truthy(preview_of "#on":find(HOSTILE, 1, true))
    confirm()
    assert.is_true(b:run "return window.broken === undefined && document.images.length === 1")
    assert.same({}, b:console())
  end)

  it("is out of reach of a page of another site, though its visitor is logged in", function()
    enter()
    local target = server.url .. "/console/"
    program.write(folder .. "/evil", ([[<!doctype html>
      <form method=post action="%sapi/apply" target=out enctype=text/plain>
      <input name='{"all":true,"active":true,"plan":"' value='"}'></form><iframe name=out></iframe>
      <iframe src="%s"></iframe>
      <script>
      const ask = (path, more) => fetch("%s" + path, { credentials: "include", ...more })
        .then(answer => answer.text(), () => "refused");
      const post = path => ask(path, { method: "POST", mode: "no-cors", body: "{}" });
      Promise.all([ask("api/fleet"), post("api/apply"), post("logout")]).then(said => {
        document.forms[0].submit();
        document.title = said.join();
      });
      </script>]]):format(target, target, target))
    program.run("chmod 644 " .. folder .. "/evil")
    b:open((server.url:gsub("127.0.0.1", "localhost")) .. "/evil")
    b:await "document.title !== ''"
    assert.matches("^refused,", b:run "return document.title")
    assert.equal(0, puts())
    enter()
    assert.equal(0, puts())
  end)

  it("can be read in light and dark, and is no wider than the window", function()
    enter()
    for _, name in ipairs { "light", "dark" } do
      b:scheme(name)
      for _, width in ipairs { 320, 390, 800, 1280 } do
        b:width(width)
        assert.equal(width, b:run "return Math.max(innerWidth, document.documentElement.scrollWidth)")
        assert.same({}, b:faint())
      end
    end
    b:command("Emulation.clearDeviceMetricsOverride", {})
  end)

  it("says which run to wait for where another one is at work on an agent, and writes nothing", function()
    local cookie, csrf = session()
    local answer
    box:fleet(folder .. "/state/history.db"):update(function(cfg) cfg.settings.is_active = true end, {
      confirm = function()
        answer = ask("POST", "/console/api/apply", { cookie = cookie, csrf = csrf, body = order })
        return false
      end,
    })
    assert.equal(502, answer.status)
    assert.matches("^run %d+ is at work on some of these agents, nothing was written; try again once it has ended$",
      answer.json.error)
    assert.equal(0, puts())
  end)

  it("answers while the API hangs, says who was not looked at, and writes nothing that was not shown", function()
    local usual = server
    server = start(SECRET, true, "timeout = 3, deadline = 12, concurrency = 1", "patience = 1.5")
    finally(function()
      box:faults {}
      server:stop()
      server = usual
    end)
    local cookie, csrf = session()
    local function post(what, plan)
      return ask("POST", "/console/api/" .. what, { cookie = cookie, csrf = csrf, body = handoff.json.encode {
        all = true, active = true, plan = plan } })
    end
    enter()
    local plan = post("preview").json.plan
    box:faults { { fault = "hang", method = "GET", times = "always" } }
    press "#on"
    b:await(dialog "#plan[aria-busy=false]")
    assert.matches("^4 agents .*not looked at.*1 agent .*timed out", (text_of "#plan":gsub("\n", " ")))
    assert.is_true(b:run "return document.querySelector('#confirm').hidden")
    local refused = post("apply", plan)
    assert.same({ 409, "looking at the agents again took too long; nothing was written" },
      { refused.status, refused.json.error })
    assert.is_nil(refused.json.preview.plan)
    assert.equal(0, puts())
    box:faults { { fault = "hang", method = "PUT", times = "always" } }
    local done = post("apply", plan).json
    assert.matches("4 planned; it took too long; do the same again for those that are left %(run %d+%)$", done.summary)
    assert.same({ 0, "failed", "planned" }, { done.changed, done.results[1].status, done.results[5].status })
    for i in ipairs(box.agents) do assert.is_false(is_active(i)) end
  end)

  it("has written who did what to the log", function()
    local log = server:log()
    for _, words in ipairs { "logged in", "a wrong secret", "a login was refused: too many tries",
        "switch handoff on for " .. box.agents[1].name .. ": 1 agent: 1 changed", "take back run ",
        "refused: the request comes from another site" } do
      assert.truthy(log:find("console: " .. words, 1, true), words)
    end
    assert.truthy(log:find("client: 127.0.0.7", 1, true))
  end)
end)
