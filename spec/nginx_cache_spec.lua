-- SPDX-License-Identifier: MIT
-- The cache of handoff.nginx inside a real nginx, against a real sandbox.
if not rawget(_G, "jit") then return end -- nginx has its own VM, the same whichever runs the tests

local json = require("handoff.core").json
local openresty = require "support.openresty"
local program = require "support.program"
local sandbox = require "support.sandbox"

-- Runs the Lua code that it is sent, and answers what that returns, or raised.
local run_location = [[ location / { client_body_buffer_size 64k; content_by_lua_block {
  ngx.req.read_body()
  local json = require("handoff.core").json
  local ok, value, more = pcall(assert(loadstring(ngx.req.get_body_data())))
  ngx.print(json.encode(ok and { value = value, more = more, pid = ngx.worker.pid() } or { raised = tostring(value) }))
} } ]]

-- What a request to `path` got, as plain values; `name` is the agent's.
local get = [[
  local cfg, info = cache:get "%s"
  if cfg then return cfg.settings.question_message, info end
  return false, { kind = info.kind, message = tostring(info), retry_after = info.retry_after }
]]

local down = { { fault = "status", status = 503, times = "always" } }

describe("a cache inside nginx", function()
  local box, name, tokens, folder, server

  setup(function()
    box, tokens = sandbox.start { agents = 5, latency = 20, no_rate_limit = true }, {}
    for i, agent in ipairs(box.agents) do tokens[i] = agent.token end
    name = box.agents[1].name
  end)
  teardown(function() box:stop() end)
  before_each(function()
    folder = program.folder()
    program.run("chmod 777 " .. folder) -- the workers' user is another one
    box:faults {}
    box:reset()
  end)
  after_each(function()
    server:stop()
    program.remove(folder)
  end)

  local function write_inventory(agents)
    local lines = {}
    for i, agent in ipairs(agents) do lines[i] = ("{ name = %q, token = %q },"):format(agent.name, agent.token) end
    return program.write(folder .. "/agents.lua", "return {\n" .. table.concat(lines, "\n") .. "\n}\n")
  end

  -- @param options of the cache, as code; start = code of init_worker_by_lua
  local function serve(options, start, more)
    local given = { workers = 1, threads = 4, secrets = tokens, server = run_location }
    for key, value in pairs(more or {}) do given[key] = value end
    given.http = (given.http or "") .. ([[
      init_by_lua_block { cache = assert(require("handoff.nginx").cache("%s", { fleet = { base_url = "%s" }, %s })) }
      init_worker_by_lua_block { %s }
      server { listen 127.0.0.3:@PORT@ reuseport; %s } # spreads connections over the workers
    ]]):format(folder .. "/agents.lua", box.base_url, options or "", start or "", run_location)
    write_inventory(given.agents or box.agents)
    given.agents = nil
    server = openresty.start(given)
  end

  local function run(code, ...)
    local url = server.url:gsub("127.0.0.1", "127.0.0.3")
    local answer = sandbox.request("POST", url .. "/", { body = select("#", ...) > 0 and code:format(...) or code })
    assert.equal(200, answer.status)
    return answer.json
  end
  local function ask(agent) return run(get, agent or name) end

  -- Asks until the answer is as wanted → that answer.
  local function until_it(wanted)
    local ends = os.time() + 120
    while true do
      local answer = ask()
      if wanted(answer.more, answer) then return answer end
      assert(os.time() < ends, "it does not come")
    end
  end

  local function requests() return box:ledger().total end

  local function store(message)
    local document = json.decode(box:document(name))
    document.settings.question_message = message
    box:store(name, json.encode(document))
  end

  -- Until the new workers are alone.
  local function reload()
    local old = server:workers()
    server:reload()
    for _, pid in ipairs(old) do server:await(pid) end
  end

  local function every_worker(check)
    local seen, count = {}, 0
    repeat
      local answer = ask()
      check(answer)
      if not seen[answer.pid] then seen[answer.pid], count = true, count + 1 end
    until count >= #server:workers()
  end

  it("fetches once, however many ask all workers at the same time", function()
    serve(nil, nil, { workers = 4 })
    local body = program.write(folder .. "/body", get:format(name))
    local output = sandbox.run_client(("seq 100 | xargs -P 50 -I{} curl -sS --data-binary @%s %s/{}"):format(body,
      (server.url:gsub("127.0.0.1", "127.0.0.3"))))
    local answers, pids = 0, {}
    for pid in output:gmatch '"pid":(%d+)' do answers, pids[pid] = answers + 1, true end
    assert.equal(100, answers)
    assert.is_nil(output:find("raised", 1, true))
    assert.is_truthy(next(pids, (next(pids)))) -- more than one worker
    assert.equal(1, requests())
  end)

  it("gives a configuration that cannot be edited, how old it is, and the version of its text", function()
    serve()
    local first = ask()
    assert.is_false(first.more.stale)
    assert.is_true(first.more.age >= 0 and first.more.age < 60)
    local sealed = run("cache:get('%s').settings.is_active = true", name).raised
    assert.matches("others share it; edit within that function, or a cfg:copy()", sealed, 1, true)
    assert.is_true(run("local cfg = cache:get('%s'):copy() cfg.settings.is_active = true return true", name).value)
    local same = run("cache:put('%s', (cache:get '%s')) return select(2, cache:get '%s')", name, name, name)
    assert.equal(first.more.version, same.value.version)
    local other = run([[local c = cache:get('%s'):copy() c.settings.question_message = "Other?"
      cache:put('%s', c) return select(2, cache:get('%s'))]], name, name, name)
    assert.not_equal(first.more.version, other.value.version)
    local unknown = run("cache:get '%sx'", name).raised
    assert.matches(('no agent "%sx" in the inventory; did you mean "%s"?'):format(name, name), unknown, 1, true)
    assert.equal(1, requests())
  end)

  it("is fetched anew before it is old, by one worker", function()
    serve("ttl = 4", "cache:start()", { workers = 4 })
    local times, seen = 0, {}
    store "New?"
    until_it(function(info, answer)
      assert.is_false(info.stale)
      if not seen[info.fetched] then seen[info.fetched], times = true, times + 1 end
      return times >= 2 and answer.value == "New?"
    end)
    local figures = run("return cache:figures()").value
    assert.is_true(figures.refreshes.ok <= 3 * #box.agents)
    local only = figures.requests[1]
    assert.same({ "GET", 200 }, { only.method, only.status })
    assert.is_true(only.count >= 2 and only.count <= requests())
  end)

  it("serves on while the API is down, says how old it is, and gives up in the end", function()
    serve("ttl = 0.2, stale = 1", "cache:start()", { workers = 2 })
    local fresh = ask()
    box:faults(down)
    local old = until_it(function(info) return info.stale end)
    assert.equal(fresh.value, old.value)
    assert.is_true(old.more.age > 0.2)
    until_it(function(info) return info.error == "server" end)
    local none = until_it(function(_, answer) return answer.value == false end)
    assert.equal("server", none.more.kind)
    assert.matches("answered 503", none.more.message)
    local figures = run("return cache:figures()").value
    assert.is_nil(figures.agents[1].age)
    assert.equal("server", figures.agents[1].error)
    assert.is_true(figures.refreshes.failed > 0)
    local told = select(2, server:log():gsub("is served on", ""))
    assert.is_true(told >= 1 and told <= 2, told) -- by a worker once, however many agents and failures
    box:faults {}
    until_it(function(info, answer) return answer.value and not info.error end)
  end)

  it("has what was fetched although the one before has become too old meanwhile", function()
    local slow = sandbox.start { agents = 1, latency = 500, no_rate_limit = true }
    finally(function() slow:stop() end)
    serve(("ttl = 0.6, stale = 0, fleet = { base_url = '%s' }"):format(slow.base_url), "cache:start()",
      { agents = slow.agents })
    repeat
      local answer = ask(slow.agents[1].name)
      assert.is_string(answer.value)
    until run("return cache:figures().refreshes.ok").value > 5
  end)

  it("does not ask an API that is down for each who asks", function()
    box:faults(down)
    serve("ttl = 60")
    for _ = 1, 10 do
      local answer = ask()
      assert.equal("server", answer.more.kind)
      assert.is_true(answer.more.retry_after >= 0)
    end
    assert.is_true(requests() < 6)
  end)

  it("asks within a minute again whether an API is up that has long been down, whatever the ttl", function()
    box:faults(down)
    serve "ttl = 86400"
    run("cache.store:fail(cache.by_name['%s'], 30, 0, { kind = 'server', message = 'long ago' })", name)
    local answer = ask()
    assert.matches("answered 503", answer.more.message)
    assert.is_true(answer.more.retry_after <= 60)
  end)

  it("shows what was put there to every worker, whatever fetch was under way", function()
    serve("ttl = 0.3, stale = 60", "", { workers = 3 })
    every_worker(function(answer) assert.is_string(answer.value) end)
    box:faults { { fault = "drip", method = "GET", times = "always" } }
    local before = requests()
    until_it(function(info) return info.stale end)
    repeat until requests() > before
    run([[local c = cache:get('%s'):copy() c.settings.question_message = "Put there?" cache:put('%s', c)]], name, name)
    every_worker(function(answer) assert.equal("Put there?", answer.value) end)
    repeat until run("return cache:figures().refreshes").value.ok >= 2
    assert.equal("Put there?", ask().value)
  end)

  it("answers nil where nginx cannot wait, and has it a little later", function()
    serve(nil, nil, { server = run_location .. ([[ location /filter { return 204; header_filter_by_lua_block {
      local cfg, err = cache:get("%s")
      ngx.header["X-Handoff"] = cfg and "there" or err.kind } } ]]):format(name) })
    local seen = {}
    repeat seen[#seen + 1] = server:get("/filter").headers["x-handoff"] until seen[#seen] == "there"
    assert.equal("uncached", seen[1])
    assert.equal(1, requests())
  end)

  it("says what it could not fetch in time, and fetches it once there are timers, when nginx had none left", function()
    serve(("fleet = { base_url = '%s', timeout = 0.5 }"):format(box.base_url), nil,
      { http = "lua_max_running_timers 4;" })
    run "for _ = 1, 5 do ngx.timer.at(0, function() repeat ngx.sleep(0.01) until cache.is_over end) end"
    repeat until server:log():find("4 lua_max_running_timers are not enough", 1, true)
    local answer = ask()
    assert.is_truthy(server:log():find("flight.lua:%d+: 4 lua_max_running_timers are not enough"))
    assert.equal("timeout", answer.more.kind)
    assert.equal(name .. ": its configuration was not fetched in time; try again later", answer.more.message)
    local peek = ("return (cache:peek '%s')"):format(name)
    run "cache.is_over = true"
    local ends = os.time() + 120
    while not run(peek .. " ~= nil").value do assert(os.time() < ends, "it is never fetched") end
  end)

  it("does not wait for a fetch that nginx takes no timer for, says so, and fetches once it does", function()
    serve(nil, nil, { http = "lua_max_pending_timers 1;" })
    local answer = run("ngx.timer.at(1, function() end) " .. get, name)
    assert.equal("cancelled", answer.more.kind)
    assert.equal(name .. ": its configuration was not fetched; try again later", answer.more.message)
    assert.matches("no timer for a fetch: too many pending timers", server:log(), 1, true)
    until_it(function(_, later) return later.value end)
  end)

  it("serves what its dictionary has no room for, and says so", function()
    serve(nil, "cache:start()", { dict = "12k" })
    for _ = 1, 3 do
      for _, agent in ipairs(box.agents) do assert.is_string(ask(agent.name).value) end
    end
    assert.matches("takes no document of %d+ bytes more", server:log())
    assert.matches("`lua_shared_dict handoff 64m;`", server:log(), 1, true)
    assert.equal(#box.agents, requests())
  end)

  it("does not mind what others keep in its dictionary", function()
    serve("ttl = 1", ([[local dict = ngx.shared.handoff
      for _, key in ipairs { "d:", "e:", "l:", "m:" } do dict:set(key .. "%s", 5) end
      dict:set("lead", 5) dict:set("n:ok", "five") cache:start()]]):format(name))
    local first = ask()
    assert.is_string(first.value)
    until_it(function(info) return info.fetched > first.more.fetched end)
    assert.is_true(run("return cache:figures().refreshes.ok").value >= 2)
  end)

  it("pushes nothing of others out of a dictionary that is full", function()
    serve(nil, nil, { dict = "12k" })
    local keys = run [[ local dict, count = ngx.shared.handoff, 0
      repeat count = count + 1 until not dict:safe_set("other " .. count, "theirs") return count - 1]].value
    for _, agent in ipairs(box.agents) do assert.is_string(ask(agent.name).value) end
    assert.equal(keys, run([[ local there = 0
      for i = 1, %d do if ngx.shared.handoff:get("other " .. i) then there = there + 1 end end return there]],
      keys).value)
  end)

  it("keeps everything over a reload", function()
    serve("ttl = 0.5", "cache:start()", { workers = 2 })
    local before = ask()
    box:faults(down)
    reload()
    every_worker(function(answer)
      assert.equal(before.value, answer.value)
      assert.equal(before.more.version, answer.more.version)
    end)
    box:faults {}
    until_it(function(info) return info.fetched > before.more.fetched + 0.3 and not info.stale end)
  end)

  it("goes on being refreshed when the worker that did so is killed", function()
    serve("ttl = 0.5", "cache:start()", { workers = 2 })
    local first = ask()
    program.run("kill -9 " .. run("return ngx.shared.handoff:get 'handoff:lead'").value)
    until_it(function(info) return info.fetched > first.more.fetched end)
    repeat until server:log():find "exited on signal 9"
    program.write(server.dir .. "/error.log", "")
  end)

  describe("with a folder", function()
    local options
    before_each(function() options = ("ttl = 60, folder = '%s/kept'"):format(folder) end)

    local function files(where)
      local output = program.run(("ls -A %s/%s"):format(folder, where or "kept"))
      return select(2, output:gsub("%.cached\n", "")), output
    end
    local function serve_and_keep()
      serve(options, "cache:start()")
      local answer = ask()
      repeat until files() == #box.agents
      server:stop()
      return answer
    end

    it("has after a restart what it had before", function()
      local before = serve_and_keep()
      box:faults(down)
      serve(options)
      local after = ask()
      assert.equal(before.value, after.value)
      assert.equal(before.more.version, after.more.version)
      assert.is_true(after.more.age >= before.more.age)
      assert.equal(before.more.fetched, after.more.fetched)
    end)

    it("writes no token, for no eyes but its own; the dictionary holds none either", function()
      serve(options, "cache:start()")
      ask()
      repeat until files() == #box.agents
      local modes = program.run(("stat -c %%a %s/kept %s/kept/*"):format(folder, folder))
      assert.equal("700\n" .. ("600\n"):rep(#box.agents), modes)
      local held = program.run(("cat %s/kept/*"):format(folder)) .. run([[local all = {}
        for i, key in ipairs(ngx.shared.handoff:get_keys(0)) do
          all[i] = key .. " " .. tostring(ngx.shared.handoff:get(key))
        end return table.concat(all, "\n")]]).value
      assert.matches(name, held, 1, true)
      for _, token in ipairs(tokens) do assert.is_nil(held:find(token, 1, true)) end
    end)

    it("writes the files of any number of documents that come at once, and goes on", function()
      local many = { box.agents[1] }
      for i = 2, 400 do many[i] = { name = "shop-" .. i, token = "token-" .. i } end
      serve(("folder = '%s'"):format(folder), nil, { agents = many })
      run [[local cfg = cache:get(cache:agents()[1].name)
        for _, agent in ipairs(cache:agents()) do cache:put(agent.name, cfg) end]]
      repeat until files(".") == #many
      assert.is_nil(server:log():find("lua_max_running_timers", 1, true))
    end)

    it("serves what it cannot write for want of threads, and says what nginx.conf lacks", function()
      serve(options, "cache:start()", { threads = false })
      run([[cache:put('%s', assert(require("handoff").config(%s)))]], name, ("%q"):format(box:document(name)))
      assert.is_string(ask().value)
      local line
      repeat line = server:log():match "%.cached cannot be written: [^\n]+" until line
      assert.matches('has no thread pool "handoff"; add the line `thread_pool handoff threads=32;`', line, 1, true)
      assert.is_nil(line:find("make the folder", 1, true), line)
    end)

    it("lets be what others put into the folder", function()
      local kept = folder .. "/kept"
      program.run(("mkdir %s && chmod 777 %s"):format(kept, kept))
      program.write(kept .. "/others.cached", '{"mine":true}\n')
      program.run(("mkfifo %s/%s.cached"):format(kept, name)) -- nobody ever writes to it
      serve(options, "cache:start()")
      assert.is_string(ask().value)
      repeat until files() == #box.agents + 1
      assert.equal('{"mine":true}\n', program.run(("cat %s/others.cached"):format(kept)))
    end)

    it("uses and keeps nothing of agents that are others or no more", function()
      serve(options, "cache:start()")
      ask()
      repeat until files() == #box.agents
      box:faults(down)
      write_inventory { { name = name, token = tokens[2] }, { name = "shop-new", token = tokens[1] } }
      reload()
      assert.equal("server", ask().more.kind)
      assert.matches("no agent", ask(box.agents[3].name).raised)
      repeat until files() == 1
    end)

    it("takes a file that a clock ahead of this one has written, and none that is broken or too old", function()
      serve_and_keep()
      box:faults(down)
      local function rewrite(agent, edit)
        local path = ("%s/kept/%s.cached"):format(folder, agent.name)
        local file = assert(io.open(path, "rb"))
        local text = file:read "*a"
        file:close()
        program.write(path, edit(text))
      end
      rewrite(box.agents[1], function(text) return (text:gsub('("fetched":)', "%11", 1)) end)
      rewrite(box.agents[2], function(text) return text:sub(1, -9) end)
      rewrite(box.agents[3], function(text) return (text:gsub('"fetched":%d', '"fetched":0.', 1)) end)
      serve(options)
      local ahead = ask()
      assert.is_string(ahead.value)
      assert.is_true(ahead.more.age < 30)
      assert.is_false(ask(box.agents[2].name).value)
      assert.is_false(ask(box.agents[3].name).value)
      assert.is_string(ask(box.agents[4].name).value)
      run("cache:put('%s', (cache:get '%s'))", name, name)
      local path = ("%s/kept/%s.cached"):format(folder, name)
      repeat until tonumber(program.run("cat " .. path):match '"fetched":([%d.]+)') < os.time() + 60
    end)
  end)

  it("takes no more memory however often it is asked", function()
    serve()
    local grown = run([[
      local function many() for _ = 1, 50000 do cache:get "%s" end collectgarbage() return collectgarbage "count" end
      many()
      local before = many()
      return many() - before ]], name).value
    assert.is_true(grown < 16, grown)
  end)
end)
