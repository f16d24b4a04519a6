-- SPDX-License-Identifier: MIT
local core = require "handoff.core"
local doctor = require "handoff.doctor"
local jwt = require "support.jwt"
local nginx = require "support.nginx"
local sandbox = require "support.sandbox"
local transport = require "handoff.transport"

local NOW, DAY = 1780000000, 24 * 3600

describe("handoff.doctor", function()
  local box
  setup(function() box = sandbox.start { agents = 5, read_only = 1, no_rate_limit = true } end)
  teardown(function() box:stop() end)
  before_each(function() box:reset() end)

  local function examine(agents, opts, fleet_opts) return doctor.examine(box:fleet(false, fleet_opts, agents), opts) end
  local function token(claims, ...) return jwt(claims:gsub("EXP", ("%d"):format(NOW + 10.5 * DAY)), ...) end

  -- "agent what severity message" of each.
  local function lines(report)
    local list = {}
    for i, finding in ipairs(report.findings) do
      list[i] = ("%s %s %s %s"):format(finding.agent or "-", finding.what, finding.severity, finding.message)
    end
    return list
  end

  it("asks each agent once, and tells what its token says", function()
    local seen = {}
    local report = examine(nil, { on_result = function(result) seen[result.agent] = result.status end })
    assert.equal(5, #report.agents)
    local first = report.agents[1]
    assert.same({ "shop-uk", true, "write_all", true }, { first.agent, first.has_token, first.scope, first.answered })
    assert.truthy(first.days_left > 300 and first.days_left < 365)
    assert.equal(10, #first.scenario_id)
    assert.same({ { agents = 5, answered = 5, clock = 0, url = box:url() } }, report.services)
    assert.same({ error = 0, warning = 1 }, report.counts) -- the one that only reads
    assert.same({ report.agents[5].agent, "scope" }, { report.findings[1].agent, report.findings[1].what })
    local ledger = box:ledger()
    assert.equal(5, ledger.total)
    for i = 1, 5 do
      local name = report.agents[i].agent
      assert.same({ GET = 1 }, ledger.agents[name])
      assert.equal("done", seen[name])
    end
  end)

  it("says what is wrong with each token by itself, all at once, and asks for the others", function()
    local twin = token '{"scenario_id": 42, "exp": EXP}'
    local agents = {
      { name = "without" },
      { name = "late", token = jwt(('{"scenario_id": 1, "exp": %d}'):format(NOW - DAY)) },
      { name = "soon", token = token '{"scenario_id": 2, "exp": EXP}' },
      { name = "one", token = twin }, { name = "other", token = token('{"scenario_id": 42}', "b") },
      { name = "same", token = box.agents[2].token }, { name = "odd", token = "opaque" },
      { name = "copy", token = function() return box.agents[2].token end },
      { name = "far", token = jwt '{"scenario_id": 3, "exp": 1e300}' }, box.agents[1],
    }
    local take_out = "; take all but one out of the inventory, or give the others tokens of their own"
    local report = examine(agents, { offline = true, now = NOW })
    assert.same({
      'without token error no token; give it one: token = env "…", or token_env, token_file, token_command',
      "late token error the token expired 2026-05-27; make a new one in the dashboard",
      "copy token error its token is that of same too (inventory[6]); give each agent its own",
      "soon life warning the token expires 2026-06-08, in 10 days; make a new one in the dashboard",
      "one life warning the token expires 2026-06-08, in 10 days; make a new one in the dashboard",
      "odd token warning the token does not say which agent it is for; two names with one agent would go unseen",
      "one duplicate error one and other are one agent (scenario 42)" .. take_out,
      "same duplicate error same and copy are one agent (scenario " .. report.agents[6].scenario_id .. ")" .. take_out,
    }, lines(report))
    assert.equal("inventory[1]", report.findings[1].place)
    assert.same({}, report.services)
    assert.equal(0, box:ledger().total)
    assert.same({}, examine({ box.agents[1] }, { offline = true, days = 1 }).findings)
    report = examine { { name = "without" }, box.agents[1] }
    assert.same({ nil, true }, { report.agents[1].answered, report.agents[2].answered })
    assert.same({ error = 1, warning = 0 }, report.counts)
  end)

  it("says why an agent cannot be read, and asks only once", function()
    local here = box:url():match "^http://([^/]+)"
    local agents = {
      { name = "unknown", token = jwt '{"scenario_id": 1}' },
      { name = "plain", token = jwt '{"scenario_id": 2}', base_url = ("https://%s/v1/api/"):format(here) },
      { name = "nobody", token = jwt '{"scenario_id": 3}', base_url = "http://127.0.0.1:1/v1/api/" },
      { name = "bad", token = jwt '{"scenario_id": 4}', base_url = "ftp://127.0.0.1/" }, box.agents[1],
    }
    agents[6] = box.agents[2]
    box:faults { { agent = box.agents[2].name, fault = "status", status = 503 } }
    local report, whats = examine(agents), {}
    for i, finding in ipairs(report.findings) do
      whats[i] = finding.agent .. " " .. finding.what
      assert.truthy(finding.message:find "; " or finding.message:find ", use https", finding.message)
    end
    assert.same({ "unknown token", "plain tls", "nobody service", "bad inventory", agents[6].name .. " service" },
      whats)
    assert.equal(3, box:ledger().total)
    assert.same({ false, true }, { report.agents[1].answered, report.agents[5].answered })
    assert.same({ 3, 1, 0, 0 }, { report.services[1].agents, report.services[1].answered, report.services[2].answered,
      report.services[3].answered })
  end)

  it("holds the clock against that of the answers", function()
    local clock = setmetatable({ off = 0 }, { __index = transport.default() })
    function clock.request(self, req)
      local res, err = transport.default():request(req)
      res.headers.date = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + self.off)
      return res, err
    end
    for off, words in pairs { [600] = "%d s behind the one of ", [-600] = "%d s ahead of the one of ", [30] = false } do
      clock.off = off
      local report = examine({ box.agents[1], box.agents[2] }, nil, { transport = clock })
      assert.equal(words and 1 or 0, #report.findings)
      if words then
        assert.same({ "clock", "warning" }, { report.findings[1].what, report.findings[1].severity })
        assert.truthy(report.findings[1].message:find "here is [56]%d%d s ", report.findings[1].message)
        assert.truthy(report.findings[1].message:find(words:sub(4), 1, true), report.findings[1].message)
      end
    end
  end)

  it("tells when the server's certificate expires, and warns when that is soon", function()
    local server = nginx.start(("location /v1/ { proxy_pass %s; }"):format(box.base_url:match "^(.*)/v1/"))
    finally(function() server:stop() end)
    local fleet_opts = { base_url = server.https .. "/v1/api/", ca_file = server.ca_file }
    local report = examine({ box.agents[1], box.agents[2] }, nil, fleet_opts)
    local expires = report.services[1].certificate_expires
    assert.truthy(math.abs(expires - os.time() - 2 * DAY) < 600) -- it is made for two days
    assert.equal(2, report.services[1].answered)
    assert.same({ "- tls warning the certificate of " .. report.services[1].url .. " expires "
      .. os.date("!%Y-%m-%d", expires) .. "; whoever runs it is to renew it" }, lines(report))
    transport.default():close() -- what is kept of a connection does not tell it again
    report = examine({ box.agents[1] }, { now = os.time() - 30 * DAY }, fleet_opts)
    assert.equal(expires, report.services[1].certificate_expires)
    assert.same({}, report.findings)
  end)

  it("asks no more when it is to stop", function()
    local count = 0
    local report = examine(nil, { stop = function()
      count = count + 1
      return count > 2
    end })
    assert.equal(2, box:ledger().total)
    assert.equal(2, report.services[1].answered)
    assert.is_nil(report.agents[3].answered)
  end)

  it("shows no token, whatever it finds", function()
    local agents = { box.agents[1], { name = "bearer", token = "Bearer " .. box.agents[2].token },
      { name = "gone", token = jwt '{"scenario_id": 1, "exp": 1}' } }
    local texts = core.json.encode(examine(agents))
    for _, agent in ipairs(agents) do assert.is_nil(texts:find(agent.token:match "%S+$", 1, true)) end
  end)
end)
