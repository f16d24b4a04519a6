-- SPDX-License-Identifier: MIT
-- The site of examples/openresty, set up by the lines of its README, as its visitors see it.
if not rawget(_G, "jit") then return end -- nginx has its own VM, the same whichever runs the tests

local browser = require "support.browser"
local handoff = require "handoff"
local lfs = require "lfs"
local program = require "support.program"
local sandbox = require "support.sandbox"
local serve = require "handoff.serve"

local HOSTILE = [[Back soon <img src=x onerror="window.broken=1"> & "co"]]

-- For an nginx of this tree's modules.
local function environment(folder)
  local build = os.getenv "HANDOFF_BUILD" or lfs.currentdir() .. "/build"
  return { LUA_CPATH = build .. "/luajit/?.so;;", LD_PRELOAD = false, XDG_STATE_HOME = folder, SHOP_TTL = "1",
    HANDOFF_BASE_URL = false, HANDOFF_TOKEN = false, CONSOLE_SECRET = false,
    PATH = ("%s/bin:%s:/usr/sbin"):format(folder, os.getenv "PATH") }
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local function free_port()
  local server = assert(serve.new {})
  local port = server:port()
  server:close()
  return port
end

-- Ends the nginx of that folder, and waits until it is gone.
local function stop(site)
  program.run(("pid=$(cat %s/run/nginx.pid) && kill $pid && timeout 30 tail --pid=$pid -s 0.02 -f /dev/null")
    :format(site))
end

-- What the README has for a shell: without the packages, which are here; instead of a sandbox in a terminal of its own the
-- agents of ours; in a folder and on a port of ours.
local function steps(folder, port)
  local list, site = {}, folder .. "/shop"
  for block in read "examples/openresty/README.md":gmatch "\n```sh\n(.-)```" do
    if block:find "^handoff sandbox" then
      list[#list + 1] = ("cp %s/agents.lua . && sed -i s/:8080/:%d/ nginx.conf\n"):format(folder, port)
    elseif not block:find "^apt%-get" then
      list[#list + 1] = (block:gsub("/srv/shop", site):gsub("127%.0%.0%.1:8080", "127.0.0.1:" .. port))
    end
  end
  return table.concat(list)
end

describe("the site", function()
  local folder, shop, url, box, client, b, output

  lazy_setup(function()
    folder = program.folder()
    shop = folder .. "/shop"
    program.run(("chmod 711 %s; mkdir %s/bin"):format(folder, folder))
    box = sandbox.start { agents = 3, inventory = folder .. "/agents.lua", no_rate_limit = true }
    box.agents = dofile(folder .. "/agents.lua")
    client = handoff.client { name = "shop-uk", token = box.agents[1].token, base_url = box.base_url }
    program.write(folder .. "/bin/handoff", ("#!/bin/sh\nexec %s \"$@\"\n"):format(program.handoff))
    program.run(("chmod +x %s/bin/handoff"):format(folder))
    local port = free_port()
    url = "http://127.0.0.1:" .. port
    local status
    program.write(folder .. "/steps", steps(folder, port))
    output, status = program.run(("exec sh -e %s/steps"):format(folder), environment(folder))
    assert(status == 0, output)
    b = browser.start()
  end)

  lazy_teardown(function()
    if b then b:close() end
    stop(shop)
    box:stop()
    local log = read(shop .. "/run/error.log")
    program.remove(folder)
    for _, text in ipairs { "exited on signal", "stack traceback", box.agents[1].token, output:match "^%x+" } do
      assert.is_nil(log:find(text, 1, true), log)
    end
  end)

  local function get(path) return sandbox.request("GET", url .. path) end

  -- Edits the agent's document, and goes on once nginx says so.
  local function edit(is_open, fn)
    assert(client:update(fn))
    local wait = ([[until curl -s %s/handoff/status | grep -q '"open":%s'; do :; done]]):format(url, tostring(is_open))
    assert.equal(0, select(2, program.run("timeout 20 sh -c " .. program.quote(wait))))
  end

  local function day(offset) return os.date("!%A", os.time() + offset * 86400) end

  local function set_hours(cfg, week)
    cfg.settings.is_active, cfg.settings.working_hours_active, cfg.settings.timezone = true, true, "Europe/London"
    cfg.settings.confirmation_outside_working_hours_message = HOSTILE
    cfg.availability = handoff.week(week)
  end
  local function open() edit(true, function(cfg) set_hours(cfg, ("%s-%s 00:00-24:00"):format(day(-1), day(1))) end) end
  local function close() edit(false, function(cfg) set_hours(cfg, day(3) .. " 09:00-17:00") end) end

  local function visible(id) return b:run("return document.getElementById(arguments[0]).checkVisibility()", id) end
  local function text(id) return b:run("return document.getElementById(arguments[0]).textContent", id) end

  it("answers as its README says", function()
    assert.matches('\n{"open":%l+,"reason":"%l+",.-}\n', output)
    repeat until get "/handoff/status".body:find('"open":true,"reason":"always"', 1, true) -- the README's edit
    assert.equal(200, get "/handoff/healthz".status)
    assert.matches('\nhandoff_agents 3\n', get "/handoff/metrics".body)
    assert.equal(200, get "/console/".status)
    local said, status = program.run(("nginx -p %s -e run/error.log -c nginx.conf -t"):format(shop),
      environment(folder))
    assert.equal(0, status, said)
    assert.is_nil(said:find "warn", said)
  end)

  it("has a page that is right without a script", function()
    open()
    local page = get "/".body
    assert.matches('<html lang="en" data%-handoff="open">', page)
    assert.matches('href="talk.html">Talk to a human</a>', page)
    assert.matches("This is where you talk", get "/talk.html".body)
    close()
    page = get "/".body
    assert.matches('href="talk.html" hidden>Talk to a human</a>', page)
    assert.truthy(page:find("Nobody is here just now.", 1, true))
    assert.is_nil(get "/talk.html".body:find("This is where you talk", 1, true))
    assert.is_nil(page:find("<!--#", 1, true))
  end)

  it("has a button while somebody is there, and follows the agent's hours while it is open", function()
    b:command("Emulation.setTimezoneOverride", { timezoneId = "Europe/London" })
    open()
    b:open(url .. "/")
    b:await "document.getElementById('until').textContent"
    assert.is_true(visible "talk")
    assert.is_false(visible "write")
    assert.equal("link", b:role "#talk")
    assert.equal("Talk to a human", b:label "#talk")
    assert.equal("status", b:role ".now")
    assert.equal("Somebody is here now.", text "told")
    assert.matches("^Until %u%l+day 00:00%.$", text "until")

    close()
    b:run "document.dispatchEvent(new Event('visibilitychange'))"
    b:await "document.documentElement.dataset.handoff === 'closed'"
    assert.is_false(visible "talk")
    assert.is_true(visible "write")
    assert.equal(HOSTILE, text "message")
    assert.is_true(b:run "return window.broken === undefined")
    assert.equal(("Back %s 09:00."):format(day(3)), text "until")
    assert.same({}, b:console())
    for _, address in ipairs(b:asked()) do assert.equal(url, address:sub(1, #url)) end
  end)

  it("promises nobody where nginx does not answer", function()
    open()
    b:open(url .. "/")
    b:await "document.getElementById('until').textContent"
    b:command("Network.enable", {})
    b:command("Network.setBlockedURLs", { urls = { "*/handoff/status" } })
    b:run "document.dispatchEvent(new Event('visibilitychange'))"
    b:await "document.documentElement.dataset.handoff === 'unknown'"
    assert.is_false(visible "talk")
    assert.is_true(visible "write")
    b:command("Network.setBlockedURLs", { urls = handoff.json.array {} })
  end)

  it("can be read in light and dark, and is no wider than the window", function()
    for _, state in ipairs { open, close } do
      state()
      b:open(url .. "/")
      for _, name in ipairs { "light", "dark" } do
        b:scheme(name)
        for _, width in ipairs { 320, 390, 740, 1280 } do
          b:width(width, true)
          assert.equal(width, b:run "return document.documentElement.scrollWidth")
          for _, faint in ipairs(b:faint()) do assert.matches("^path", faint) end
        end
      end
    end
  end)

  it("says in a line what is wrong with its inventory, and does not start", function()
    local token = "eyJhbGciOiJIUzI1NiJ9.secret"
    program.run(("cp -r %s %s/bad; rm %s/bad/run/nginx.pid"):format(shop, folder, folder))
    program.write(folder .. "/bad/agents.lua", ('return { { nmae = "shop-uk", token = %q } }\n'):format(token))
    local said, status = program.run(("nginx -p %s/bad -e run/error.log -c nginx.conf"):format(folder),
      environment(folder))
    assert.equal(1, status, said)
    assert.matches("agents.lua:1: no name; give the agent one: ", said)
    assert.is_nil(said:find(token, 1, true))
  end)

  it("says in its log whose hours a server block follows that are nobody's", function()
    local port, site = free_port(), folder .. "/nobody"
    program.run(("cp -r %s %s; rm %s/run/nginx.pid"):format(shop, site, site))
    program.run(("sed -i 's/_agent shop-uk/_agent shop-ku/; s/listen .*/listen 127.0.0.1:%d;/' %s/nginx.conf")
      :format(port, site))
    local said, status = program.run(("nginx -p %s -e run/error.log -c nginx.conf"):format(site), environment(folder))
    finally(function() stop(site) end)
    assert.equal(0, status, said)
    local answer = sandbox.request("GET", ("http://127.0.0.1:%d/handoff/status"):format(port))
    assert.equal(500, answer.status)
    assert.matches('handoff: hn.status: $handoff_agent is "shop-ku", which is no agent of agents.lua; set it to ',
      read(site .. "/run/error.log"), 1, true)
  end)
end)

describe("make demo-nginx", function()
  local folder, demo, pid

  -- A terminal's Ctrl-C goes to all that was started from it.
  local function interrupt()
    if not demo then return end
    program.run("kill -INT -" .. pid)
    demo:close()
    demo = nil
  end

  before_each(function()
    folder = program.folder()
    program.run(("chmod 711 %s; mkfifo %s/says; mkdir -m 711 %s/tmp"):format(folder, folder, folder))
  end)
  after_each(function()
    interrupt()
    program.remove(folder)
  end)

  it("serves the shop until Ctrl-C, and leaves nothing", function()
    local command = ("env -u LD_PRELOAD -u HANDOFF_BUILD TMPDIR=%s/tmp BUILD=%s LUA=luajit setsid "
      .. "examples/openresty/demo.sh"):format(
      folder, os.getenv "HANDOFF_BUILD" or "build")
    demo = assert(io.popen(("exec >%s/says 2>&1; echo $$; exec %s"):format(folder, command), "w"))
    local pipe, lines = assert(io.open(folder .. "/says")), {}
    pid = pipe:read "*l"
    for line in pipe:lines() do
      lines[#lines + 1] = line
      if line:find "Ctrl%-C" then break end
    end
    pipe:close()
    local said = table.concat(lines, "\n")
    local url = assert(said:match "^The shop +(http://%S+/)\n", said)
    assert.matches("<h1>", sandbox.request("GET", url).body)
    assert.matches('"open":true', sandbox.request("GET", url .. "handoff/status").body)
    interrupt()
    assert.equal("", (program.run("pgrep -s " .. pid)))
    assert.equal("", (program.run(("ls %s/tmp"):format(folder))))
  end)
end)
