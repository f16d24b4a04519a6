-- SPDX-License-Identifier: MIT
local handoff = require "handoff"
local core = require "handoff.core"
local loops = require "handoff.loop"
local program = require "support.program"
local sandbox = require "support.sandbox"

local json = core.json
local unpack = table.unpack or unpack

describe("a fleet", function()
  local box, folder, history
  setup(function() box = sandbox.start { agents = 25, no_rate_limit = true } end)
  teardown(function() box:stop() end)

  local originals
  before_each(function()
    folder = program.folder()
    history = folder .. "/history.db"
    originals = originals or box:documents()
    box:reset()
    box:faults {}
  end)
  after_each(function()
    program.remove(folder)
    box:restore(originals)
  end)

  local function fleet(opts) return box:fleet(history, opts) end
  local function rename(cfg) cfg.settings.question_message = "May I connect you?" end
  local function settings(name) return json.decode(box:document(name)).settings end
  local function asked(name) return settings(name).question_message end
  local function writes(name)
    local counts = box:ledger().agents[name]
    return counts and counts.PUT or 0
  end
  local function total_writes()
    local total = 0
    for _, counts in pairs(box:ledger().agents) do total = total + (counts.PUT or 0) end
    return total
  end

  describe("update", function()
    it("edits every agent, and tells what became of each in the inventory's order", function()
      local run = assert(fleet():update(rename))
      assert.equal("25 agents: 25 changed, 0 unchanged, 0 failed", tostring(run))
      for i, agent in ipairs(box.agents) do
        local result = run.results[i]
        assert.equal(agent.name, result.agent)
        assert.equal("changed", result.status)
        assert.equal("settings.question_message", result.changes[1].path)
        assert.equal("May I connect you?", asked(agent.name))
      end
      assert.same({ changed = 25 }, run.counts)
    end)

    it("writes nothing where nothing changes", function()
      fleet():update(rename)
      box:reset()
      local run = assert(fleet():update(rename))
      assert.same({ unchanged = 25 }, run.counts)
      assert.equal(0, total_writes())
    end)

    it("hands the edit the agent's entry of the inventory, without its token", function()
      local seen = {}
      fleet():select("name=" .. box.agents[3].name):update(function(_, agent) seen[#seen + 1] = agent end)
      assert.equal(box.agents[3].name, seen[1].name)
      assert.equal(box.agents[3].tags.region, seen[1].tags.region)
      for _, value in pairs(seen[1]) do assert.not_equal(box.agents[3].token, value) end
    end)

    it("keeps to its concurrency", function()
      local slow = sandbox.start { agents = 25, no_rate_limit = true, latency = 20 }
      local opts = { base_url = slow.base_url, history = false, concurrency = 4 }
      assert(assert(handoff.fleet({ unpack(slow.agents) }, opts)):update(rename))
      local peak = slow:ledger().peak
      slow:stop()
      assert.equal(4, peak)
    end)

    it("says so where the selection fits no agent", function()
      assert.equal("0 agents: the selection fits none", tostring(assert(fleet():select("name=nobody"):update(rename))))
    end)

    it("does all but the writing as a dry run, and keeps no history of it", function()
      local run = assert(fleet():update(rename, { dry_run = true }))
      assert.equal("25 agents: 25 changed, 0 unchanged, 0 failed (a dry run: nothing was written)", tostring(run))
      assert.equal(0, total_writes())
      assert.is_nil(io.open(history))
    end)

    it("can be one of several tasks", function()
      local loop, runs = loops.default(), {}
      local half = math.floor(#box.agents / 2)
      for i = 1, 2 do
        loop:spawn(function()
          local name = box.agents[i * half].name
          runs[i] = assert(fleet():select("name=" .. name):update(rename))
        end)
      end
      loop:run()
      assert.same({ changed = 1 }, runs[1].counts)
      assert.same({ changed = 1 }, runs[2].counts)
    end)

    it("works without a history", function()
      local run = assert(fleet():update(rename, { history = false }))
      assert.same({ changed = 25 }, run.counts)
      assert.is_nil(run.id)
      assert.is_nil(io.open(history))
    end)
  end)

  describe("an edit that is wrong for one agent fails that agent alone:", function()
    local unlucky, shop
    before_each(function() unlucky, shop = box.agents[7].name, fleet() end)

    local function failure_of(edit)
      local run = assert(shop:update(function(cfg, agent)
        if agent.name == unlucky then return edit(cfg) end
        rename(cfg)
      end))
      assert.same({ changed = 24, failed = 1 }, run.counts)
      assert.equal("failed", run.results[7].status)
      assert.equal(0, writes(unlucky))
      return run.results[7].error
    end

    it("one that raises, with the script's traceback", function()
      local err = failure_of(function() error "out of paper" end)
      assert.matches("fleet_spec.lua:%d+: out of paper", tostring(err))
      assert.matches("fleet_spec.lua:%d+: in ", err.traceback)
    end)

    it("one that breaks a rule", function()
      local err = failure_of(function(cfg) cfg.settings.timezone = "Europe/Londn" end)
      assert.equal("settings.timezone", err.path)
      assert.matches("did you mean", tostring(err))
    end)

    it("one that yields what is not the loop's", function()
      assert.matches("yield", tostring(failure_of(function() coroutine.yield "surprise" end)))
    end)

    it("one that returns something", function()
      assert.matches("returns nothing; it returned a table", tostring(failure_of(function() return {} end)))
    end)

    it("one that says why it will not", function()
      assert.matches("no operator on duty", tostring(failure_of(function() return nil, "no operator on duty" end)))
    end)

    it("one that edits another agent's configuration", function()
      local other
      local run = assert(shop:update(function(cfg, agent)
        if agent.name == unlucky then other.settings.question_message = "mine" end
        other = other or cfg
        rename(cfg)
      end, { concurrency = 1 }))
      assert.same({ changed = 24, failed = 1 }, run.counts)
      assert.equal("sealed", run.results[7].error.rule)
      assert.equal("May I connect you?", asked(box.agents[1].name))
    end)
  end)

  it("refuses a mistake in its options once, before any request, and records no run", function()
    for name, wrong in pairs { on_conflict = "ours", verify = "reed", waves = {}, max_changes = "a few" } do
      local ok, err = pcall(function() return fleet():update(rename, { [name] = wrong }) end)
      assert.is_false(ok)
      assert.equal("fleet:update: " .. name, err.path)
      assert.matches("fleet_spec.lua", tostring(err), 1, true)
    end
    assert.equal(0, box:ledger().total)
    assert.equal(1, assert(fleet():update(rename)).id)
  end)

  it("tells a mistake in the options of get as one of get", function()
    local wrong = { concurency = 1 }
    assert.error_matches(function() fleet():get(wrong) end, 'fleet:get: no option "concurency"; did you mean')
  end)

  it("tells what failed last, then the sum, then how to go on", function()
    box:faults { { agent = box.agents[1].name, fault = "status", status = 401, times = "always" } }
    local run = assert(fleet():update(rename))
    local lines = {}
    for line in run:text():gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.equal(box.agents[1].name .. ": failed", lines[#lines - 3])
    assert.equal(tostring(run.results[1].error), lines[#lines - 2]:sub(3))
    assert.equal("25 agents: 24 changed, 0 unchanged, 1 failed", lines[#lines - 1])
    assert.equal("run 1: fleet:undo(1) takes it back; fleet:resume(1, …) tries what failed once more", lines[#lines])
    assert.matches(" failed$", assert(fleet():update(rename, { history = false })):text())
  end)

  it("tells what an edit is warned of under its agent", function()
    local run = assert(fleet():select("name=" .. box.agents[1].name):update(function(cfg)
      cfg.settings.working_hours_active = true
      cfg.availability:clear()
    end, { dry_run = true }))
    assert.matches("\n  warning settings%.working_hours_active: [^\n]+\n1 agent: 1 changed", run:text())
  end)

  it("goes on where one agent's token is refused", function()
    local agents = {}
    for i, agent in ipairs(box.agents) do agents[i] = { name = agent.name, token = agent.token, tags = agent.tags } end
    agents[3].token = "revoked"
    local run = assert(assert(handoff.fleet(agents, { base_url = box.base_url, history = history })):update(rename))
    assert.same({ changed = 24, failed = 1 }, run.counts)
    assert.equal("auth", run.results[3].error.kind)
  end)

  describe("limits", function()
    it("refuse before the first write, and name the option that lets exactly that through", function()
      local run, err = fleet():update(rename, { max_changes = "20%" })
      assert.is_nil(run)
      assert.equal("limit", err.kind)
      assert.equal("25 agents would change, at most 5 allowed; nothing was written; "
        .. "max_changes=25 lets exactly that through", tostring(err))
      assert.equal(0, total_writes())
      assert.same({ planned = 25 }, err.run.counts)
      assert.is_nil((fleet():update(rename, { max_changes = 24 })))
      assert.same({ changed = 25 }, assert(fleet():update(rename, { max_changes = 25 })).counts)
    end)

    it("count what would be deleted", function()
      local function clear(cfg) cfg.custom_guidelines:clear() end
      local _, err = fleet():update(clear, { max_deletions = 0 })
      assert.equal("max_deletions", err.option)
      assert.equal(0, total_writes())
      local run = assert(fleet():update(clear, { max_deletions = err.count }))
      assert.is_nil(run.counts.failed)
    end)

    it("hold without a history, too", function()
      local _, err = fleet():update(rename, { max_changes = 1, history = false })
      assert.equal("limit", err.kind)
      assert.same({ changed = 25 }, assert(fleet():update(rename, { max_changes = "100%", history = false })).counts)
    end)

    it("call the edit once an agent", function()
      local calls = 0
      assert(fleet():update(function(cfg)
        calls = calls + 1
        rename(cfg)
      end, { max_changes = 25 }))
      assert.equal(25, calls)
    end)

    it("tell of each agent as it is planned, and take none that the edit leaves out for a failure", function()
      local planned, left_out = {}, box.agents[3].name
      local run = assert(fleet():update(function(cfg, agent)
        if agent.name == left_out then return nil, core.error.new { kind = "skipped", message = "not this one" } end
        rename(cfg)
      end, { waves = { "100%" }, on_planned = function(result, outcome)
        planned[#planned + 1] = result.agent
        assert.same({ "planned", outcome.changes }, { result.status, result.changes })
        assert.equal(0, total_writes())
      end }))
      assert.same({ changed = 24, skipped = 1 }, run.counts)
      assert.equal(24, #planned)
      assert.matches("25 agents: 24 changed, 0 unchanged, 0 failed, 1 skipped", tostring(run), 1, true)
    end)

    it("merge what somebody changed between the plan and the writing", function()
      local name, first = box.agents[1].name, true
      local run = assert(fleet():update(rename, { waves = { 1, "100%" }, on_wave = function()
        if not first then return end
        first = false
        for i = 2, #box.agents do
          local document = json.decode(box:document(box.agents[i].name))
          document.settings.ai_summary_active = not document.settings.ai_summary_active
          box:store(box.agents[i].name, json.encode(document))
        end
      end }))
      assert.same({ changed = 25 }, run.counts)
      for i = 2, #box.agents do
        local was = json.decode(originals[box.agents[i].name]).settings
        local is = settings(box.agents[i].name)
        assert.not_equal(was.ai_summary_active, is.ai_summary_active)
        assert.equal("May I connect you?", is.question_message)
      end
      assert.equal("May I connect you?", asked(name))
    end)
  end)

  describe("on_put", function()
    it("is asked before each PUT, knows what is as planned, and what it refuses fails that agent alone", function()
      local edited, refused, told = box.agents[2].name, box.agents[3].name, {}
      local run = assert(fleet():update(rename, { max_failures = 1, confirm = function()
        local document = json.decode(box:document(edited))
        document.settings.ai_summary_active = not document.settings.ai_summary_active
        box:store(edited, json.encode(document))
        return true
      end, on_put = function(result, before, meant, as_planned)
        assert.equal(box:document(result.agent), before)
        assert.equal("May I connect you?", json.decode(meant).settings.question_message)
        told[result.agent] = as_planned
        if result.agent == refused then return nil, core.error.new { kind = "invalid", message = "not this one" } end
        return true
      end }))
      assert.same({ changed = 24, failed = 1 }, run.counts)
      assert.same({ true, false, true }, { told[box.agents[1].name], told[edited], told[refused] })
      assert.same({ 0, 24 }, { writes(refused), total_writes() })
      assert.equal("not this one", run.results[3].error.message)
      assert.is_nil(run.results[3].error.unknown)
      told = {}
      run = assert(fleet():resume(run.id, rename, { on_put = function(result, _, _, as_planned)
        told[#told + 1] = { result.agent, as_planned }
        return true
      end }))
      assert.same({ changed = 25 }, run.counts)
      assert.same({ { refused, false } }, told)
    end)
  end)

  describe("waves", function()
    it("end where they are told to, and leave the rest for later", function()
      local run = assert(fleet():update(rename, { waves = { 1, "20%" } }))
      assert.same({ changed = 5, planned = 20 }, run.counts)
      assert.equal(5, total_writes())
      assert.matches("the waves end at 5 of 25", tostring(run))
      run = assert(fleet():resume(run.id, rename))
      assert.same({ changed = 25 }, run.counts)
      assert.equal(25, total_writes())
    end)

    it("stop at the first failure, unless told otherwise", function()
      local reached = {}
      local run = assert(fleet():update(function(cfg, agent)
        rename(cfg)
        if agent.name == box.agents[1].name then
          box:faults { { agent = agent.name, fault = "status", status = 401, times = "always" } }
        end
      end, { waves = { 1, 2, "100%" }, on_wave = function(wave) reached[#reached + 1] = wave.reached end }))
      assert.same({ failed = 1, planned = 24 }, run.counts)
      assert.same({}, reached)
      assert.equal(0, total_writes())
    end)
  end)
end)
