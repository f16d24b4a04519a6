-- SPDX-License-Identifier: MIT
-- Tokens inside nginx: all that others can ask for, and all that is kept, while the service answers and while it fails.
if not rawget(_G, "jit") then return end -- nginx has its own VM, the same whichever runs the tests

local openresty = require "support.openresty"
local program = require "support.program"
local sandbox = require "support.sandbox"
local secrets = require "support.secrets"

local locations = [[
  location = /get { content_by_lua_block {
    local cfg, err = cache:get(ngx.var.arg_agent)
    ngx.say(cfg and cfg.settings.question_message or tostring(err))
  } }
  location = /client { content_by_lua_block {
    local seen = {}
    local client = hn.client { base_url = "@URL@", retries = 0, on_event = function(event) seen[#seen + 1] = event end }
    local outcome, err = client:update(function(cfg) cfg.settings.is_active = not cfg.settings.is_active end)
    local core = require "handoff.core"
    for i, event in ipairs(seen) do seen[i] = core.json.encode(event) end
    ngx.say(tostring(client), outcome and outcome.status or tostring(err), table.concat(seen, "\n"))
  } }
  location = /raise { content_by_lua_block { cache.fleet:each(function(one) error(one) end) error(cache) } }
  location = /uncaught { content_by_lua_block {
    assert(hn.client { base_url = "http://127.0.0.1:1/", retries = 0 }:get())
  } }
  location = /status { content_by_lua_block { status() } }
  location = /metrics { content_by_lua_block { metrics() } }
  location = /healthz { content_by_lua_block { healthz() } }
  location = /dict { content_by_lua_block {
    for _, key in ipairs(ngx.shared.handoff:get_keys(0)) do ngx.say(key, " ", tostring(ngx.shared.handoff:get(key))) end
  } }
  location = /modules { content_by_lua_block {
    cache, status, metrics, healthz = nil
    collectgarbage()
    collectgarbage()
    ngx.say((require("support.secrets").reachable()))
  } }
]]

describe("a token inside nginx", function()
  it("is in no page, header, dictionary, file, module or command line", function()
    local box, folder = sandbox.start { agents = 3 }, program.folder()
    local tokens, lines = {}, {}
    for i, agent in ipairs(box.agents) do
      tokens[i] = agent.token
      lines[i] = ("{ name = %q, token = env 'TOKEN%d' },"):format(agent.name, i)
    end
    program.run("chmod 777 " .. folder)
    program.write(folder .. "/agents.lua", "return {\n" .. table.concat(lines, "\n") .. "\n}\n")
    local server = openresty.start {
      threads = 4, secrets = tokens, level = "info",
      env = { HANDOFF_TOKEN = tokens[1], TOKEN1 = tokens[1], TOKEN2 = tokens[2], TOKEN3 = tokens[3] },
      http = ([[ init_by_lua_block {
        package.path = "%s/spec/?.lua;" .. package.path
        hn = require "handoff.nginx"
        cache = assert(hn.cache("%s/agents.lua", { ttl = 0.2, folder = "%s/kept", fleet = { base_url = "%s" } }))
        status, metrics = hn.status { cache = cache, agent = "%s" }, hn.metrics { cache = cache }
        healthz = hn.healthz { cache = cache }
      } init_worker_by_lua_block { cache:start() } ]]):format(program.run "pwd":gsub("%s+$", ""), folder, folder,
        box.base_url, box.agents[1].name),
      server = (locations:gsub("@URL@", box.base_url)),
    }
    finally(function()
      program.run((": >%s/error.log"):format(server.dir)) -- of what nothing catches it has tracebacks, which are none of ours
      server:stop()
      box:stop()
      program.remove(folder)
    end)
    local function ask(path)
      local answer = server:get(path)
      secrets.assert_none(path, answer, (table.unpack or unpack)(tokens))
      return answer.body
    end
    local function ask_all()
      for _, agent in ipairs(box.agents) do ask("/get?agent=" .. agent.name) end
      for _, path in ipairs { "/client", "/raise", "/uncaught", "/status", "/metrics", "/healthz", "/dict", "/none" } do
        ask(path)
      end
    end
    ask_all()
    assert.matches("handoff:d:" .. box.agents[1].name, ask "/dict", 1, true)
    box:revoke(box.agents[2].name)
    box:faults { { agent = box.agents[3].name, fault = "status", status = 500, times = "always" } }
    ask_all()
    ask_all()
    local walked = ask "/modules"
    assert.is_true(#walked > 10000)
    local kept = ("timeout 120 sh -c 'until ls %s/kept/*.cached 2>/dev/null; do sleep 0.02; done'"):format(folder)
    assert.equal(0, select(2, program.run(kept)))
    secrets.assert_none("the folder", program.run(("cat %s/kept/*"):format(folder)), (table.unpack or unpack)(tokens))
    for _, pid in ipairs(server:workers()) do
      secrets.assert_none("the command line", program.run(("cat /proc/%s/cmdline"):format(pid)), tokens[1])
    end
    local log = server:log()
    secrets.assert_none("the log", log, (table.unpack or unpack)(tokens))
    assert.is_truthy(log:find("lua entry thread aborted", 1, true))
  end)
end)
