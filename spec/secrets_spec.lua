-- SPDX-License-Identifier: MIT
--- Tokens stay where they are: everything is made to happen, and then all that came of it is searched.
local command = require "support.command"
local core = require "handoff.core"
local handoff = require "handoff"
local jwt = require "support.jwt"
local loops = require "handoff.loop"
local program = require "support.program"
local secrets = require "support.secrets"
local serve = require "handoff.serve"
local services = require "support.service"
local terminal = require "support.terminal"
local transports = require "handoff.transport"

local shapes = {
  jwt = jwt('{"scenario_id":"tokens-1","scope":"write_all"}', "the signature of it"),
  short = "Zq7#x9",
  opaque = "sk-live-51Hb9wKq0Zx8Vn3M",
  ["one with signs of shells and of patterns"] = "%s%d'\"$(id)`id`;|&<>^.*[x]\\{}~9",
}

describe("a token", function()
  describe("is in nothing that a client gives", function()
    local service
    before_each(function() service = services.start() end)
    after_each(function() service:close() end)

    -- What a service says that has nothing better to do than to quote the token.
    local function echoes(token)
      local body = {}
      for _, text in ipairs { token, token:sub(2), token:sub(1, -2), token:sub(1, 14), (token:gsub("%W", "%%%0")) } do
        body[#body + 1] = { message = "Bad " .. text, code = text }
      end
      local encode = core.json.encode
      return {
        encode { errors = { root = body } }, encode { errors = { [token] = body } }, encode { errors = body },
        encode { errors = { root = { body[2] } } }, encode { errors = { root = { body[3] } } },
        encode { [token] = 1 }, encode { settings = token }, encode(token), token, "{" .. token,
        '{"a":1,"' .. token .. '"',
      }
    end

    local function nothing_of(token, what, fn)
      local events, said = {}, nil
      local function on_event(event) events[#events + 1] = event end
      local c = service:client { token = token, retries = 1, on_event = on_event }
      local got = { pcall(fn, c, function(text) said = text end) }
      secrets.assert_none(what, { got, events, said, tostring(c), service.client }, token)
      for key, value in pairs(c) do error(("%s: pairs shows %s, %s"):format(what, key, tostring(value))) end
      return got
    end

    for name, token in pairs(shapes) do
      it("whatever the service answers: " .. name, function()
        service:run(function()
          assert.equal("changed", nothing_of(token, "a change", function(c)
            return assert(c:update(function(cfg) cfg.settings.is_active = not cfg.settings.is_active end)).status
          end)[2])
          for _, body in ipairs(echoes(token)) do
            for _, status in ipairs { 200, 302, 400, 401, 403, 404, 429, 500 } do
              service.on = function(method)
                if status ~= 429 or method == "PUT" then
                  return status, body, { Location = "/" .. core.json.encode(token), ["Retry-After"] = token }
                end
              end
              local got = nothing_of(token, "the answer " .. status, function(c) return c:get() end)
              assert.is_true(got[1])
              nothing_of(token, "the answer to a PUT " .. status, function(c) return c:put(service:config()) end)
            end
          end
          for _, what in ipairs { "drop", "lose" } do
            service.on = function(method) return method == "PUT" and what or nil end
            nothing_of(token, what, function(c)
              return c:update(function(cfg) cfg.settings.question_message = what end, { verify = "read" })
            end)
          end
        end)
      end)
    end

    it("where an edit, a hook, or what is told of events raises", function()
      local token = shapes.jwt
      service:run(function()
        local function traced(c, say, ...)
          local arguments = { ... }
          local ok, err = xpcall(function() return c:update((table.unpack or unpack)(arguments)) end, function(err)
            say(debug.traceback(tostring(err)))
            return err
          end)
          assert.is_false(ok)
          return err
        end
        local function edit(cfg) cfg.settings.is_active = not cfg.settings.is_active end
        nothing_of(token, "an edit", function(c, say) return traced(c, say, function(cfg) return cfg.nothing.x end) end)
        nothing_of(token, "an edit of the client", function(c, say)
          return traced(c, say, function(_, client) client.token = 1 end)
        end)
        nothing_of(token, "on_put", function(c, say) return traced(c, say, edit, { on_put = error }) end)
        nothing_of(token, "an option", function(c, say) return traced(c, say, edit, { verify = "?" }) end)
        nothing_of(token, "a conflict's function", function(c, say)
          service.on = function(_, count)
            if count % 2 == 0 then service:edit(function(cfg) cfg.settings.question_message = "theirs" .. count end) end
          end
          return traced(c, say, function(cfg) cfg.settings.question_message = "mine" end, { on_conflict = error })
        end)
        local c = service:client { token = token, on_event = function(event) error(event) end }
        secrets.assert_none("on_event", { pcall(c.get, c) }, token)
      end)
    end)
  end)

  describe("goes to the service alone", function()
    -- Answers what is asked of the servers until fn is done → what each was asked.
    local function during(servers, fn)
      local loop, asked, over = loops.new(), {}, false
      loop:spawn(function()
        fn(transports.curl { loop = loop })
        over = true
      end)
      loop:spawn(function()
        while not over do
          for i, server in ipairs(servers) do
            server:step(0.001)
            for request in function() return server:next() end do
              asked[#asked + 1] = { server = i, method = request.method, headers = request.headers }
              server:answer(request, servers.status, servers.headers or {}, "")
            end
          end
          loop:sleep(0)
        end
      end)
      loop:run()
      loop:close()
      return asked
    end

    local function address(server) return ("http://127.0.0.1:%d/"):format(server:port()) end

    it("not to where a redirect leads", function()
      local servers = { assert(serve.new()), assert(serve.new()) }
      servers.headers = { Location = address(servers[2]) }
      for _, status in ipairs { 301, 302, 303, 307, 308 } do
        servers.status = status
        local asked = during(servers, function(transport)
          local client = handoff.client { token = shapes.jwt, base_url = address(servers[1]), transport = transport }
          local _, err = client:get()
          assert.equal("protocol", err.kind)
        end)
        assert.equal(1, #asked)
        assert.equal(1, asked[1].server)
      end
      for _, server in ipairs(servers) do server:close() end
    end)

    it("not to a proxy on the way to it, nor does the proxy's password show", function()
      local proxy = assert(serve.new())
      local err
      local asked = during({ proxy, status = 407 }, function(transport)
        err = select(2, handoff.client { token = shapes.jwt, base_url = "https://api.example.com/v1", retries = 0,
          proxy = "http://user:sesame-street@127.0.0.1:" .. proxy:port(), transport = transport }:get())
      end)
      proxy:close()
      assert.equal("CONNECT", asked[1].method)
      assert.is_nil(asked[1].headers.authorization)
      secrets.assert_none("what the proxy was told", asked, shapes.jwt)
      secrets.assert_none("the error", err, shapes.jwt, "sesame-street")
      assert.equal("network", err.kind)
    end)
  end)

  describe("is in nothing that the command leaves or says", function()
    local box, tokens
    before_each(function()
      box = command.sandbox(4)
      tokens = {}
      for i, agent in ipairs(box.box.agents) do tokens[i] = agent.token end
      box:write("token", tokens[3])
      box:write("agents.lua", ([[return {
        { name = "shop-uk", token = %q, tags = { region = "eu" } }, { name = "shop-de", token = env "SHOP_TOKEN" },
        { name = "shop-fr", token = file "token" }, { name = "shop-pl", token = command "cat token.4" },
      }]]):format(tokens[1]))
      box:write("token.4", tokens[4])
    end)
    after_each(function() box:stop() end)

    local function search(what, text)
      secrets.assert_none(what, text, (table.unpack or unpack)(tokens))
      return text
    end

    -- @param status false: any but 0
    local function run(words, status)
      local ran = box:run(words, { env = { SHOP_TOKEN = tokens[2] } })
      search("handoff " .. words, ran.out .. ran.err)
      assert.is_true(ran.status == status or status == false and ran.status > 0, words .. "\n" .. ran.err)
      return ran
    end

    -- All files of the folder, but those that the tokens are in on purpose.
    local function search_files()
      local found = program.run(("cd %s && find . -type f ! -name 'agents.*' ! -name 'token*'"):format(box.folder))
      local count = 0
      for path in found:gmatch "%./([^\n]+)" do
        search(path, box:read(path))
        count = count + 1
      end
      return found, count
    end

    it("when all is well", function()
      box:write("edit.lua", [[return function(cfg) cfg.settings.question_message = "Shall we?" end]])
      box:write("policy.lua", [[it("is on", function(agent) expect(agent):says("question") end)]])
      run("agents --json", 0)
      run("doctor --json", 0)
      run("doctor", 0)
      run("get shop-uk", 0)
      run("query settings.timezone", 0)
      run("hours shop-uk shop-de --json", 0)
      run("hours --svg week.svg --html week.html --ics week.ics", 0)
      run("when shop-uk --json", 0)
      run("simulate shop-uk --message agent", 0)
      run("plan edit.lua -o a.plan --color always", 0)
      run("apply a.plan --yes --waves 1,100%", 0)
      run("set settings.is_active=false --yes --json", 0)
      run("test policy.lua --format junit -o junit.xml", 0)
      run("test policy.lua --format tap", 0)
      run("pull config", 0)
      run("diff config", 0)
      run("drift --json", 0)
      run("show 1 --json", 0)
      run("undo 1 --yes", 0)
      run("resume 2 --yes", 0)
      run("history --json", 0)
      local found = search_files()
      for _, name in ipairs { "a.plan", "junit.xml", "week.html", "config/shop-pl.lua", "handoff/history.db" } do
        assert.truthy(found:find(name, 1, true), found)
      end
    end)

    it("when something is wrong", function()
      box:write("raises.lua", "return function(cfg, agent) error(agent) end")
      box:write("raises_too.lua", "return function(cfg) local x = cfg.settings.nothing end")
      box:write("policy.lua", [[it("raises", function(agent) error(agent.config) end)]])
      run("apply raises.lua --yes", false)
      run("apply raises_too.lua --yes --json", false)
      run("test policy.lua", false)
      run("get shop-uk --proxy http://user:pw@127.0.0.1:1 --retries 0", false)
      run("get shop-uk --base-url http://127.0.0.1:1/ --retries 0", false)
      run("get shop-uk --base-url http://example.com/", false)
      run("validate agents.lua token", false)
      run("diff agents.lua", false)
      run("apply agents.lua --yes", false)
      run("get shop-uk --inventory token", false)
      box.box:revoke "shop-uk"
      box.box:faults { { agent = "shop-de", fault = "status", status = 500, times = "always" },
        { agent = "shop-fr", fault = "close", times = "always" } }
      run("set settings.is_active=true --yes --retries 0", false)
      run("set settings.is_active=true --yes --retries 0 --json", false)
      run("doctor", false)
      for name, text in pairs {
        ["agents.lua"] = ("return { { name = 'a' token = '%s' } }"):format(tokens[1]),
        ["agents.json"] = ('[{"name": "%s", "token": 7}, {"name": "b", "tags": {"x": "%s"}'):format(tokens[1],
          tokens[2]),
        ["agents.csv"] = ("name,token,region\n%s,shop-uk,eu\nb,eu,%s\n"):format(tokens[1], tokens[2]),
      } do
        box:write(name, text)
        run("agents --inventory " .. name, false)
        run("validate " .. name, false)
      end
      search_files()
    end)

    it("nor what the programs that it starts are told, but for variables that you gave it", function()
      box:write("look", [[tr '\0' '\n' </proc/self/environ >environment
        caller=$(sed -n 's/^PPid:\t//p' /proc/$PPID/status)
        for pid in $$ $PPID $caller; do tr '\0' ' ' </proc/$pid/cmdline; done >lines
        cat token.4]])
      box:write("agents.lua", ([[return { { name = "a", token = %q }, { name = "b", token = env "SHOP_TOKEN" },
        { name = "c", token = file "token" }, { name = "d", token = command "cd %s && . ./look" } }]]):format(tokens[1],
        box.folder))
      run("query settings.is_active", 0)
      assert.matches("handoff", search("the command lines", box:read "lines"))
      local environment = box:read "environment"
      secrets.assert_none("the environment", environment, tokens[1], tokens[3], tokens[4])
      assert.equal(tokens[2], environment:match "SHOP_TOKEN=([^\n]*)")
    end)

    it("at a terminal, where it asks and shows how far it is, and is interrupted", function()
      box:write("edit.lua", "return function(cfg) cfg.settings.is_active = not cfg.settings.is_active end")
      box.box:faults { { agent = "shop-uk", method = "PUT", fault = "status", status = 400, times = "always" },
        { agent = "shop-de", method = "PUT", fault = "hang", times = "always" } }
      local t = terminal.open(("cd %s && %s apply edit.lua --timeout 60"):format(box.folder, command.words()), {
        env = { HANDOFF_BASE_URL = box.box.base_url, XDG_STATE_HOME = box.folder, SHOP_TOKEN = tokens[2] },
      })
      t:wait "go on: "
      t:type "yes\n"
      t:wait "3/4"
      t:type "\3"
      t:wait "Ctrl-C again ends at once"
      t:type "\3"
      local status = t:ends()
      search("the terminal", t.read)
      t:close()
      assert.equal(130, status)
    end)

    it("nor what the interpreter says of a script that ends in what nothing catches", function()
      box.box:faults { { agent = "shop-uk", fault = "status", status = 500, times = "always" } }
      local head = [[
        local handoff = require "handoff"
        local fleet = assert(handoff.fleet("agents.lua", { retries = 0, history = false }))
        local token = os.getenv "HANDOFF_TOKEN"
        local client = handoff.client { token = token, retries = 0 }
        local function on_event(event) error(event) end
      ]]
      for _, line in ipairs {
        "assert(client:get())", "local cfg, err = client:get() error(err)", "error(client)", "error(fleet:agents()[1])",
        "client.token.x = 1", "client:update(7)", "client:put(client)", "error(fleet)",
        "fleet:update(function(cfg, agent) error(agent) end, { confirm = error })",
        "fleet:each(function(one, agent) error(one) end, { on_result = error })",
        "handoff.client { token = token, on_event = on_event }:get()",
        "handoff.client { token = token, timeout = token }",
        "handoff.client { tokens = token }",
        "handoff.client { [token] = 1 }", "handoff.client(token)", "handoff.fleet { { name = 'a', tokn = client } }",
        "coroutine.wrap(function() error(client) end)()",
      } do
        local path = box:write("crash.lua", head .. line)
        local said, status = program.run(("cd %s && %s %s"):format(box.folder, program.quote(program.lua), path),
          { SHOP_TOKEN = tokens[2], HANDOFF_TOKEN = tokens[1], HANDOFF_BASE_URL = box.box.base_url })
        assert.equal(1, status, line .. "\n" .. said)
        assert.is_nil(said:find("no token", 1, true), said)
        search(line, said)
      end
    end)

    it("nor what is in the history while it is written", function()
      local path = box.folder .. "/h/history.db"
      local fleet = box.box:fleet(path)
      local put
      assert(fleet:update(function(cfg) cfg.settings.question_message = "Shall we?" end, {
        on_result = function()
          put = put or program.run(("cd %s/h && cat *"):format(box.folder))
        end,
      }))
      assert.truthy(put:find("Shall we?", 1, true))
      search("the history and its log", put)
    end)
  end)

  it("is nowhere in the modules, while clients and fleets that have it live and when they are gone", function()
    local box = command.sandbox(3)
    local code = [[
      local handoff, secrets = require "handoff", require "support.secrets"
      local function all(base_url, history)
        local fleet = assert(handoff.fleet("agents.lua", { base_url = base_url, history = history }))
        local client = handoff.client { base_url = base_url }
        assert(client:get())
        assert(fleet:update(function(cfg) cfg.settings.is_active = true end))
        assert(fleet:each(function(one) return one:get() end))
        assert(require "handoff.doctor".examine(fleet))
        local failing = handoff.client { base_url = "http://127.0.0.1:1/", retries = 0 }
        assert(not failing:get())
        collectgarbage()
        io.stdout:write(("live %d\n"):format(select(2, secrets.reachable())), (secrets.reachable()))
        return fleet, client
      end
      local function gone(...) return select("#", ...) end
      gone(all(arg[1], arg[2]))
      collectgarbage()
      collectgarbage()
      io.stdout:write("\ngone\n", (secrets.reachable()))
    ]]
    box:write("walk.lua", code)
    local line = ("cd %s && %s walk.lua %s h.db"):format(box.folder, program.quote(program.lua), box.box.base_url)
    local env = { HANDOFF_TOKEN = box.box.agents[2].token }
    for _, version in ipairs { "", "_5_3", "_5_4" } do
      env["LUA_PATH" .. version], env["LUA_CPATH" .. version] = package.path, package.cpath
    end
    local output, status = program.run(line, env)
    assert.equal(0, status, output)
    assert.truthy(output:find "live %d%d%d%d" and output:find "\ngone\n", output:sub(1, 2000))
    for _, agent in ipairs(box.box.agents) do secrets.assert_none("what modules lead to", output, agent.token) end
    box:stop()
  end)
end)
