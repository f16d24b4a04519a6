-- SPDX-License-Identifier: MIT
-- Every fault of the sandbox, and what becomes of processes, as seen from inside nginx.
if not rawget(_G, "jit") then return end -- nginx has its own VM, the same whichever runs the tests

local faults = require "support.faults"
local json = require("handoff.core").json
local openresty = require "support.openresty"
local program = require "support.program"
local sandbox = require "support.sandbox"
local transport = require "handoff.transport"

local with_specs = ('init_by_lua_block { package.path = "%s/spec/?.lua;" .. package.path }'):format(
  program.run "pwd":gsub("%s+$", ""))

-- HANDOFF_OUTCOMES=1 prints what happened as a table.
describe("an update inside nginx", function()
  local server, worker
  local function start(box)
    local token = box.agents[faults.agent].token
    server = openresty.start {
      env = { HANDOFF_TOKEN = token, HANDOFF_BASE_URL = box.base_url }, secrets = { token }, http = with_specs,
      server = ([[ location /update { content_by_lua_block {
        local hn, faults = require "handoff.nginx", require "support.faults"
        -- Connections last from one update to the next; each begins without one, as the table has it.
        assert(hn.transport():request { method = "GET", url = "@LEDGER@", headers = { Connection = "close" } })
        local told = faults.update(tonumber(ngx.var.arg_place), ngx.var.arg_method, hn.client, hn.transport(), {})
        ngx.say(require("handoff.core").json.encode(told))
      } } ]]):gsub("@LEDGER@", box.base_url:match "^%w+://[^/]+" .. "/_sandbox/ledger"),
    }
    repeat worker = server:workers() until worker[1]
  end
  teardown(function() server:stop() end)

  faults.tests {
    start = start,
    update = function(_, place, method)
      local url = ("%s/update?place=%d%s"):format(server.url, place, method and "&method=" .. method or "")
      local res = assert(transport.default():request { method = "GET", url = url, timeout = 60 })
      assert.equal(200, res.status, res.body)
      return assert(json.decode(res.body), res.body)
    end,
    check = function() assert.same(worker, server:workers()) end,
  }
end)

-- ---- processes ----------------------------------------------------------------------------------------------------------

describe("a worker of nginx with 50 updates under way", function()
  local COUNT = 50
  local box, server, before

  -- Their timeout is longer than a test waits for anything.
  local update = [[
    location /update { content_by_lua_block {
      local agent = dofile("@DIR@/agents.lua")[tonumber(ngx.var.arg_place)]
      local result, err = require("handoff.nginx").client {
        name = agent.name, token = agent.token, base_url = "@URL@", retries = 0, timeout = 100, deadline = 100,
      }:update(require("support.faults").edit)
      ngx.say(result and result.status or tostring(err))
    } }
    location /version { content_by_lua_block { ngx.say(require("handoff.core").version) } }]]

  -- The stored ones, by the agents' places.
  local function documents()
    local names, list = {}, {}
    for i, agent in ipairs(box.agents) do names[i] = agent.name end
    local url = ("%s/_sandbox/document/{%s}"):format(box.base_url:match "^%w+://[^/]+", table.concat(names, ","))
    local output = sandbox.run_client("curl -sS -w '\\n' " .. program.quote(url))
    for text in output:gmatch "[^\n]+" do list[#list + 1] = text end
    assert.equal(COUNT, #list)
    return list
  end

  before_each(function()
    box = sandbox.start { agents = COUNT, no_rate_limit = true, latency = 300 }
    local tokens, lines = {}, {}
    before = documents()
    for i, agent in ipairs(box.agents) do
      tokens[i] = agent.token
      lines[i] = ("{ name = %q, token = %q },\n"):format(agent.name, agent.token)
    end
    server = openresty.start { http = with_specs, secrets = tokens, server = update:gsub("@URL@", box.base_url) }
    program.write(server.dir .. "/agents.lua", "return {\n" .. table.concat(lines) .. "}\n")
  end)
  after_each(function()
    box:stop()
    server:stop()
  end)

  -- Asks for an update of each agent at once, and waits until the service had so many requests → what `finish` takes.
  local function begin(requests)
    local clients = assert(io.popen(("curl -sS -Z --parallel-immediate --parallel-max %d -w '%%{http_code}\\n' "
      .. "'%s/update?place=[1-%d]' 2>/dev/null"):format(COUNT, server.url, COUNT)))
    repeat until box:ledger().total > requests
    return clients
  end

  -- How often each line came, of the answers and of their statuses.
  local function finish(clients)
    local counts = {}
    for line in clients:lines() do counts[line] = (counts[line] or 0) + 1 end
    clients:close()
    return counts
  end

  local function held()
    local counts = {}
    for i, text in ipairs(documents()) do
      local what = faults.holdings(text, before[i])
      counts[what] = (counts[what] or 0) + 1
    end
    return counts
  end

  it("ends them all when nginx is told to reload, each edit made once", function()
    local clients = begin(10)
    local old = server:workers()
    server:reload()
    assert.same({ changed = COUNT, ["200"] = COUNT }, finish(clients))
    server:await(old[1])
    assert.same({ mine = COUNT }, held())
    assert.equal(3 * COUNT, box:ledger().total)
    assert.equal(200, server:get "/version".status)
  end)

  it("is replaced when it is killed, and no edit is half made", function()
    local clients = begin(2 * COUNT) -- some are at their PUT
    local old = server:workers()
    program.run("kill -KILL " .. old[1])
    local answers = finish(clients)
    assert.equal(answers["200"], answers.changed)
    assert.equal(COUNT, (answers["000"] or 0) + (answers["200"] or 0)) -- 000: closed, without a word
    assert.equal(200, server:get "/version".status)
    local counts = held()
    assert.equal(COUNT, (counts.before or 0) + (counts.mine or 0))
    local log = server:log()
    assert.truthy(log:find("exited on signal 9", 1, true))
    program.write(server.dir .. "/error.log", (log:gsub("exited on signal 9", "was killed")))
  end)

  it("ends soon when nginx is told to stop, however long they would take", function()
    box:faults { { fault = "hang", method = "GET", times = "always" } }
    local clients = begin(10)
    server:stop()
    assert.same({ ["000"] = COUNT }, finish(clients))
    assert.same({ before = COUNT }, held())
  end)
end)
