-- SPDX-License-Identifier: MIT
-- Fleets inside a real nginx, with their history on the disk, against a real sandbox.
if not rawget(_G, "jit") then return end -- nginx has its own VM, the same whichever runs the tests

local handoff = require "handoff"
local json = require("handoff.core").json
local lfs = require "lfs"
local openresty = require "support.openresty"
local program = require "support.program"
local sandbox = require "support.sandbox"

-- What a location runs. The edit shows when it is done twice; it waits while the gate is closed.
local site = [==[
  local hn, state = require "handoff.nginx", ngx.shared.handoff
  local arg, verb = ngx.req.get_uri_args(), ngx.var.uri:sub(2)
  local fleet = assert(hn.fleet("@FOLDER@/agents.lua",
    { history = "@FOLDER@/history.db", retries = 0, budget = "100%" }))
  local opts = { max_changes = tonumber(arg.max_changes), wait = tonumber(arg.wait) }
  if arg.waves then opts.waves = { 1, arg.waves, "100%" } end
  if arg.waves then function opts.on_wave(wave) state:rpush("waves", wave.reached) end end
  local function edit(cfg)
    state:incr("begun", 1, 0)
    while state:get "closed" do ngx.sleep(0.005) end
    cfg.settings.question_message = cfg.settings.question_message .. "|"
    cfg.custom_guidelines:add { name = "Added", description = "Once.", is_active = true }
  end
  local run, err
  if verb == "update" then run, err = fleet:update(edit, opts)
  elseif verb == "undo" then run, err = fleet:undo(tonumber(arg.id))
  else run, err = fleet:resume(tonumber(arg.id), edit, opts) end
  ngx.header["X-Worker"] = ngx.worker.pid()
  ngx.print(err and err.kind .. ": " .. tostring(err) or tostring(run))
]==]

local more = [==[
  location / { content_by_lua_file @FOLDER@/site.lua; }
  location /ping { return 200 pong; }
  location /close { content_by_lua_block { ngx.shared.handoff:set("closed", true) } }
  location /open { content_by_lua_block { ngx.shared.handoff:delete "closed" } }
  location /begun { content_by_lua_block { ngx.print(ngx.shared.handoff:get "begun" or 0) } }
  location /waves { content_by_lua_block { ngx.print(ngx.shared.handoff:lpop "waves") } }
  location /runs { content_by_lua_block {
    local history = assert(require("handoff.nginx").history "@FOLDER@/history.db")
    for _, run in ipairs(history:runs()) do ngx.say(run.id, " ", run.kind, " ", run.state, " ", run.counts.changed) end
    history:close()
  } }
  location /loaded { content_by_lua_block { ngx.print(tostring(package.loaded.DBI)) } }
  location /early { content_by_lua_block { ngx.print(ngx.shared.handoff:get "early") } }
]==]

local AGENTS = 12

describe("a fleet inside nginx", function()
  local box, folder, server, agents

  local function start(options)
    folder = program.folder()
    box = sandbox.start { agents = AGENTS, no_rate_limit = true, inventory = folder .. "/agents.lua" }
    agents = dofile(folder .. "/agents.lua")
    program.write(folder .. "/site.lua", (site:gsub("@FOLDER@", folder)))
    options.main = ("user %s;\n"):format((program.run "id -un":match "%S+")) -- whose the files are
    options.env, options.secrets = { HANDOFF_BASE_URL = box.base_url }, { agents[1].token, agents[2].token }
    options.server = more:gsub("@FOLDER@", folder)
    server = openresty.start(options)
  end
  after_each(function()
    box:stop()
    server:stop()
    program.remove(folder)
  end)

  local function get(path) return server:get(path).body end
  -- A request in the background → what it is answered with, once it is.
  local function begin(path)
    local pipe = io.popen("curl -sS -m 60 2>&1 " .. program.quote(server.url .. path))
    return function()
      local text = pipe:read "*a"
      pipe:close()
      return text
    end
  end
  -- How many of the agents' documents the edit is in, each of them once.
  local function edited()
    local count = 0
    for _, agent in ipairs(agents) do
      local document, added = json.decode(box:document(agent.name)), 0
      local marks = select(2, document.settings.question_message:gsub("|", ""))
      for _, one in ipairs(document.custom_guidelines) do added = added + (one.name == "Added" and 1 or 0) end
      assert.equal(marks, added)
      assert.is_true(marks < 2, agent.name)
      count = count + marks
    end
    return count
  end
  local function counts_of_run()
    local history = assert(handoff.history(folder .. "/history.db"))
    local last = history:runs()[1]
    history:close()
    return last and last.counts or {}, last and last.state
  end
  -- How many descriptors of that file the only worker has.
  local function descriptors(name)
    local list = ("ls -l /proc/%s/fd 2>/dev/null"):format(server:workers()[1])
    return tonumber((program.run(("%s | grep -c '/%s$' || :"):format(list, name))))
  end

  it("updates, in waves and within limits, takes back, and keeps few descriptors", function()
    start { vms = 3 }
    assert.same({ "", false }, { get "/runs", lfs.attributes(folder .. "/history.db") ~= nil }) -- a look makes none
    assert.matches("^limit: 12 agents would change, at most 3 allowed", get "/update?max_changes=3")
    assert.equal(0, edited())
    assert.equal("12 agents: 12 changed, 0 unchanged, 0 failed", get "/update?waves=50%25&max_changes=12")
    assert.equal("1 6", get "/waves" .. " " .. get "/waves")
    assert.equal(12, edited())
    for id = 2, 5 do
      assert.equal("12 agents: 12 changed, 0 unchanged, 0 failed", get("/undo?id=" .. id))
      assert.equal(id % 2 == 0 and 0 or 12, edited())
    end
    assert.equal("6 undo finished 12\n5 undo finished 12\n4 undo finished 12\n3 undo finished 12\n"
      .. "2 update finished 12\n1 update stopped nil\n", get "/runs")
    assert.equal("nil", get "/loaded") -- the worker itself never touches SQLite
    assert.equal(0, descriptors "history.db-runs")
    assert.is_true(descriptors "history.db" <= 4) -- each thread's, and one that SQLite keeps of the looks
  end)

  it("holds its agents against other runs, of the same worker and of others, also while it is told to quit", function()
    start { workers = 2 }
    get "/close"
    local first, refused = begin "/update", {}
    repeat until get "/begun" == tostring(AGENTS)
    repeat
      local answer = server:get "/update"
      assert.matches("^held: run 1 %(update, since .*%) is at work on shop%-uk and 11 more", answer.body)
      refused[answer.headers["x-worker"]] = true
    until refused[server:workers()[1]] and refused[server:workers()[2]]
    server:reload()
    assert.matches("^held: run 1 ", get "/update")
    get "/open"
    assert.equal("12 agents: 12 changed, 0 unchanged, 0 failed", first())
    assert.equal(12, edited())
    assert.equal("12 agents: 12 changed, 0 unchanged, 0 failed", get "/undo?id=1")
    assert.equal(0, edited())
  end)

  it("is gone on with after its worker was killed, each agent edited once", function()
    start {}
    box:faults { { agent = agents[3].name, method = "PUT", fault = "hang", handled = true } }
    local first = begin "/update"
    repeat until counts_of_run().changed == AGENTS - 1
    local worker = server:workers()[1]
    program.run("kill -KILL " .. worker)
    assert.matches("Empty reply from server", first())
    server:await(worker)
    assert.same({ changed = AGENTS - 1, writing = 1 }, (counts_of_run()))
    assert.equal("interrupted", select(2, counts_of_run()))
    assert.equal("12 agents: 12 changed, 0 unchanged, 0 failed (11 of them earlier)", get "/resume?id=1")
    assert.equal(12, edited())
    assert.matches("exited on signal 9", server:log())
    program.write(server.dir .. "/error.log", "")
  end)

  it("comes to the end of a run whose client has gone", function()
    start { http = "lua_check_client_abort on;" }
    get "/close"
    local client = io.popen("echo $$; exec curl -sS " .. server.url .. "/update")
    local pid = client:read "*l"
    repeat until get "/begun" == tostring(AGENTS)
    program.run("kill " .. pid)
    client:close()
    get "/ping" -- nginx has seen by now that the client has gone
    get "/open"
    assert.equal("12 agents: 12 changed, 0 unchanged, 0 failed (12 of them earlier)", get "/resume?id=1&wait=20")
  end)

  it("lets its worker serve others while the file is locked", function()
    start {}
    local history = assert(handoff.history(folder .. "/history.db"))
    assert(history.database:run "BEGIN IMMEDIATE")
    local run = begin "/update"
    repeat until descriptors "history.db" > 0
    for _ = 1, 10 do assert.equal("pong", get "/ping") end
    assert(history.database:run "COMMIT")
    history:close()
    assert.equal("12 agents: 12 changed, 0 unchanged, 0 failed", run())
  end)

  it("writes nothing once its file was taken away, and begins another one", function()
    start {}
    get "/close"
    local run = begin "/update"
    repeat until get "/begun" == tostring(AGENTS)
    program.run(("rm %s/history.db*"):format(folder))
    get "/open"
    assert.matches("history.db: it was moved, removed or replaced meanwhile; put it back, or begin a run anew", run())
    assert.equal(0, edited())
    assert.equal("12 agents: 12 changed, 0 unchanged, 0 failed", get "/update")
    assert.equal("1 update finished 12\n", get "/runs")
  end)

  it("says where it cannot wait", function()
    start { http = [[init_worker_by_lua_block {
      local ok, err = pcall(require("handoff.nginx").history, "history.db")
      ngx.shared.handoff:set("early", tostring(err))
    }]] }
    assert.matches("a history: nginx cannot wait in init_worker_by_lua%*; call it in .*ngx.timer.at", get "/early")
  end)
end)
