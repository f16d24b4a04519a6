-- SPDX-License-Identifier: MIT
-- Drift against a real service and a real history: what is called drift, and that looking writes nothing.
local change = require "handoff.change"
local drift = require "handoff.drift"
local json = require("handoff.core").json
local program = require "support.program"
local sandbox = require "support.sandbox"

describe("drift", function()
  local box, folder, history, names
  before_each(function()
    box = sandbox.start { agents = 5, no_rate_limit = true }
    folder = program.folder()
    history, names = folder .. "/history.db", {}
    for i, agent in ipairs(box.agents) do names[i] = agent.name end
  end)
  after_each(function()
    box:stop()
    program.remove(folder)
  end)

  local function edit(cfg) cfg.settings.question_message = "Shall I get somebody?" end
  local function elsewhere(name, change_it)
    local now = json.decode(box:document(name))
    change_it(now)
    box:store(name, json.encode(now))
  end
  local function look() return assert(drift.look(box:fleet(history))) end
  local function statuses(report)
    local list = {}
    for i, result in ipairs(report.results) do list[i] = result.status end
    return table.concat(list, " ")
  end

  it("is told of what was edited since the last run, and of nothing else", function()
    local first = assert(box:fleet(history):select("name!=" .. names[5]):update(edit))
    elsewhere(names[2], function(now) now.settings.is_active = not now.settings.is_active end)
    elsewhere(names[3], function(now)
      now.custom_guidelines[1], now.custom_guidelines[2] = now.custom_guidelines[2], now.custom_guidelines[1]
    end)
    elsewhere(names[5], function(now) now.settings.is_active = not now.settings.is_active end)
    local second = assert(box:fleet(history):select("name=" .. names[4]):update(function(cfg)
      cfg.settings.question_message = "Once more."
    end))
    box:reset()

    local report = look()
    assert.equal("same drifted same same unknown", statuses(report))
    assert.equal("5 agents: 1 drifted, 3 as they were left, 1 unknown to the history", tostring(report))
    assert.matches("^~ settings.is_active: %l+ → %l+$", change.text(report.results[2].changes))
    assert.equal(first.id, report.results[2].run)
    assert.truthy(math.abs(report.results[2].at - os.time()) < 60)
    assert.equal(second.id, report.results[4].run)
    local asked = box:ledger().agents
    for i, name in ipairs(names) do assert.same(i < 5 and { GET = 1 } or nil, asked[name], name) end
  end)

  it("of a write that nobody answered is held against the nearer of what may be there", function()
    local rules = { { agent = names[1], method = "PUT", fault = "reset" }, { method = "PUT", fault = "reset_after" } }
    for i, rule in ipairs(rules) do rule.times, rules[i] = "always", rule end
    rules[#rules + 1] = { method = "GET", at = 3, times = "always", fault = "status", status = 503 }
    box:faults(rules)
    local run = assert(box:fleet(history):update(edit))
    assert.same({ failed = 5 }, run.counts)
    box:faults {}
    assert.not_equal(box:document(names[1]), (box:document(names[2])))
    elsewhere(names[3], function(now) now.settings.is_active = not now.settings.is_active end)

    local report = look()
    assert.equal("same same drifted same same", statuses(report))
    assert.is_true(report.results[1].doubtful)
    assert.equal(1, #report.results[3].changes)
  end)

  it("tells which agents could not be looked at", function()
    assert(box:fleet(history):update(edit))
    box:faults { { agent = names[2], method = "GET", fault = "status", status = 503, times = "always" } }
    local report = look()
    assert.equal("same failed same same same", statuses(report))
    assert.equal("server", report.results[2].error.kind)
    assert.equal("5 agents: 0 drifted, 4 as they were left, 1 failed", tostring(report))
  end)

  it("is unknown without a history, which is not made by looking", function()
    local report = look()
    assert.same({ unknown = 5 }, report.counts)
    assert.equal("", (program.run("ls -A " .. folder)))
    assert.has_error(function() drift.look(box:fleet(false)) end)
  end)
end)
