-- SPDX-License-Identifier: MIT
local handoff = require "handoff"
local core = require "handoff.core"
local change = require "handoff.change"
local program = require "support.program"
local sandbox = require "support.sandbox"

local json = core.json

describe("a run in the history", function()
  local box, folder, history, originals
  before_each(function()
    box = sandbox.start { agents = 25, no_rate_limit = true }
    folder = program.folder()
    history = folder .. "/history.db"
    originals = box:documents()
  end)
  after_each(function()
    box:stop()
    program.remove(folder)
  end)

  local function fleet(opts) return box:fleet(history, opts) end
  local function document(agent) return json.decode(box:document(agent.name)) end
  local function original(agent) return json.decode(originals[agent.name]) end
  -- What somebody else does in the vendor's dashboard.
  local function edit_elsewhere(agent, edit)
    local now = document(agent)
    edit(now)
    box:store(agent.name, json.encode(now))
  end
  -- In every part, with an item added, one removed and one changed.
  local function edit(cfg, agent)
    cfg.settings.question_message = cfg.settings.question_message .. " Really?"
    cfg.settings.keywords:add("person at " .. agent.name)
    cfg.availability = { { day_span = "monday-friday", start_time = "08:00", end_time = "18:30" } }
    cfg.custom_guidelines:remove(1)
    cfg.custom_guidelines:add { name = "Added by a run", description = "Once.", is_active = true }
    cfg.routing_profiles:clear()
  end
  -- Ids are the service's to give: an item that was deleted comes back with a new one.
  local function assert_same_but_for_ids(expected, got)
    for _, name in ipairs { "availability", "custom_guidelines", "routing_profiles" } do
      for _, list in ipairs { expected[name], got[name] } do
        for _, item in ipairs(list) do item.id = nil end
        table.sort(list, function(a, b) return json.encode(a) < json.encode(b) end)
      end
    end
    local differences = change.diff(expected, got)
    assert.equal("", change.text(differences))
  end

  it("holds every document before and after, and no token", function()
    local run = assert(fleet():update(edit, { edit = "everything at once" }))
    assert.is_nil(run.counts.failed, run:text())
    local h = assert(handoff.history(history))
    local recorded = assert(h:run(run.id))
    assert.equal("finished", recorded.state)
    assert.equal("everything at once", recorded.edit)
    assert.same({ changed = 25 }, recorded.counts)
    for name, text in pairs(box:documents()) do
      local before, _, after = recorded:documents(name)
      assert.equal(originals[name], before)
      assert.equal(text, after)
    end
    h:close()
    local text = assert(io.open(history, "rb")):read "*a" .. (program.run("cat " .. history .. "-wal 2>/dev/null"))
    for _, agent in ipairs(box.agents) do assert.is_nil(text:find(agent.token, 1, true)) end
  end)

  describe("taken back", function()
    it("gives back the start", function()
      local run = assert(fleet():update(edit))
      local undone = assert(fleet():undo(run.id))
      assert.same({ changed = 25 }, undone.counts, undone:text())
      for name, text in pairs(box:documents()) do
        assert_same_but_for_ids(json.decode(originals[name]), json.decode(text))
      end
    end)

    it("leaves alone what others edited since, and names where both edited the same", function()
      local run = assert(fleet():update(edit))
      local kept, clash = box.agents[2], box.agents[5]
      edit_elsewhere(kept, function(now)
        now.settings.confirmation_message = "Edited since."
        table.insert(now.custom_guidelines, { name = "New since", description = "x", is_active = true, id = 987654 })
      end)
      edit_elsewhere(clash, function(now) now.settings.question_message = "Edited since." end)
      local undone = assert(fleet():undo(run.id))
      assert.same({ changed = 24, failed = 1 }, undone.counts)
      local err = undone.results[5].error
      assert.equal("conflict", err.kind)
      assert.equal("settings.question_message", err.conflicts[1].path)
      assert.equal("Edited since.", document(clash).settings.question_message)
      local expected = original(kept)
      expected.settings.confirmation_message = "Edited since."
      table.insert(expected.custom_guidelines, { name = "New since", description = "x", is_active = true })
      assert_same_but_for_ids(expected, document(kept))
    end)

    it("is taken back only where it did something, and only for the agents that are asked for", function()
      local run = assert(fleet():update(function(cfg, agent)
        if agent.name ~= box.agents[1].name then edit(cfg, agent) end
      end))
      local some = fleet():select("name=" .. box.agents[1].name .. "," .. box.agents[2].name)
      local undone = assert(some:undo(run.id))
      assert.same({ changed = 1 }, undone.counts)
      assert.equal(box.agents[2].name, undone.results[1].agent)
      assert_same_but_for_ids(original(box.agents[2]), document(box.agents[2]))
      assert.equal(1, #document(box.agents[3]).availability)
      assert.equal("1 agent: 1 changed, 0 unchanged, 0 failed; 23 more agents of run 1 are not in this fleet",
        tostring(undone))
      assert.is_nil(assert(fleet():undo(run.id)).absent)
    end)

    it("does not take for an edit what the service itself keeps up to date", function()
      local agent = box.agents[1]
      local function text(message, touched)
        local one = original(agent)
        one.settings.question_message, one.settings.touched_at = message, touched
        return json.encode(one)
      end
      local h = assert(handoff.history(history))
      local scenario = core.token.unverified_claims(agent.token).scenario_id
      local key = ("scenario %s at %s"):format(scenario, box:url())
      local run = assert(h:start { kind = "update", agents = { { name = agent.name, key = key } } })
      assert(run:writing(agent.name, text("Before?", 1), text("After? ", 1)))
      assert(run:done(agent.name, "changed", { after = text("After?", 2) }))
      assert(run:finish "finished")
      h:close()
      box:store(agent.name, text("After?", 3))
      assert.same({ changed = 1 }, assert(fleet():undo(run.id)).counts)
      assert.equal("Before?", document(agent).settings.question_message)
      assert.equal(3, document(agent).settings.touched_at)
    end)

    it("can be taken back itself", function()
      local run = assert(fleet():update(edit))
      local after = document(box.agents[1])
      local undone = assert(fleet():undo(run.id))
      assert.same({ changed = 25 }, assert(fleet():undo(undone.id)).counts)
      assert_same_but_for_ids(after, document(box.agents[1]))
    end)

    it("takes limits and a dry run, too", function()
      local run = assert(fleet():update(edit))
      local _, err = fleet():undo(run.id, { max_changes = 3 })
      assert.equal("limit", err.kind)
      assert.same({ changed = 25 }, assert(fleet():undo(run.id, { dry_run = true })).counts)
      assert.equal(1, #document(box.agents[1]).availability)
    end)

    it("is an error for a run that is not there", function()
      local undone, err = fleet():undo(7)
      assert.is_nil(undone)
      assert.matches("no run 7", tostring(err))
    end)
  end)

  describe("gone on with", function()
    it("edits every agent once, however often it was stopped", function()
      local calls = {}
      local function counted(cfg, agent)
        calls[agent.name] = (calls[agent.name] or 0) + 1
        if agent.name == box.agents[4].name and calls[agent.name] < 3 then error "not yet" end
        edit(cfg, agent)
      end
      local opts = { max_failures = 0, concurrency = 1 }
      local run = assert(fleet():update(counted, opts))
      assert.same({ changed = 3, failed = 1, untouched = 21 }, run.counts)
      assert.matches("max_failures allows 0; 21 left untouched, go on with fleet:resume%(1", tostring(run))
      run = assert(fleet():resume(run.id, counted, opts))
      assert.same({ changed = 3, failed = 1, untouched = 21 }, run.counts)
      run = assert(fleet():resume(run.id, counted, opts))
      assert.same({ changed = 25 }, run.counts, run:text())
      assert.is_true(run.results[1].earlier)
      assert.is_nil(run.results[25].earlier)
      assert.equal(3, calls[box.agents[4].name])
      calls[box.agents[4].name] = 1
      for _, agent in ipairs(box.agents) do assert.equal(1, calls[agent.name]) end
      local undone = assert(fleet():undo(run.id))
      assert.same({ changed = 25 }, undone.counts)
      assert_same_but_for_ids(original(box.agents[9]), document(box.agents[9]))
    end)

    it("does nothing where all is done", function()
      local run = assert(fleet():update(edit))
      box:reset()
      assert.same({ changed = 25 }, assert(fleet():resume(run.id, edit)).counts)
      assert.equal(0, box:ledger().total)
    end)

    it("with some of its agents is not finished, and says so", function()
      local run = assert(fleet():update(edit, { waves = { 1 } }))
      local some = fleet():select("name=" .. box.agents[1].name .. "," .. box.agents[2].name)
      run = assert(some:resume(run.id, edit))
      assert.equal("2 agents: 2 changed, 0 unchanged, 0 failed (1 of them earlier); "
        .. "23 more agents of run 1 are not in this fleet", tostring(run))
      local kept = assert(handoff.history(history))
      assert.matches("^run 1: update [^\n]+, stopped: 2 changed, 23 planned$", tostring(kept:run(1)))
      assert.equal("25 agents: 25 changed, 0 unchanged, 0 failed (2 of them earlier)",
        tostring(fleet():resume(run.id, edit)))
      assert.matches(", finished: 25 changed$", tostring(kept:run(1)))
      kept:close()
    end)

    it("carries over what a limit refused", function()
      local _, err = fleet():update(edit, { max_changes = 3 })
      local calls = 0
      local run = assert(fleet():resume(err.run.id, function() calls = calls + 1 end, { max_changes = 25 }))
      assert.same({ changed = 25 }, run.counts)
      assert.equal(0, calls)
    end)
  end)

  describe("that is to be confirmed", function()
    local function edit_some(cfg, agent)
      if agent.name == box.agents[3].name then error "not this one" end
      edit(cfg, agent)
    end

    it("is planned whole before the question, and written as it was planned", function()
      local seen
      local run = assert(fleet():update(edit_some, { confirm = function(plan)
        seen = { plan.counts.planned, plan.counts.failed, #plan.results[1].changes > 0, box:ledger().writes }
        return true
      end }))
      assert.same({ 24, 1, true, {} }, seen)
      assert.same({ changed = 24, failed = 1 }, run.counts)
    end)

    it("leaves no trace where it is declined, or cannot be asked", function()
      local run = assert(fleet():update(edit_some, { confirm = function() return false end }))
      assert.is_true(run.declined)
      assert.is_nil(run.id)
      assert.same({ planned = 24, failed = 1 }, run.counts)
      local ok, raised = pcall(function()
        fleet():update(edit_some, { confirm = function() error { "no terminal" } end })
      end)
      assert.same({ false, { "no terminal" } }, { ok, raised })
      assert.same({}, box:ledger().writes)
      local kept = assert(handoff.history(history))
      assert.same({}, kept:runs())
      kept:close()
    end)

    it("can be one that takes another back", function()
      local made = assert(fleet():update(edit))
      local run = assert(fleet():undo(made.id, { confirm = function(plan) return plan.counts.planned == 25 end }))
      assert.same({ changed = 25 }, run.counts)
      assert.same(original(box.agents[1]).settings, document(box.agents[1]).settings)
    end)
  end)

  it("keeps other runs off its agents", function()
    local seen
    assert(fleet():select("name=" .. box.agents[1].name):update(function(cfg, agent)
      local _, err = fleet():update(edit)
      seen = err
      edit(cfg, agent)
    end))
    assert.equal("held", seen.kind)
    assert.matches(box.agents[1].name, tostring(seen), 1, true)
    assert.matches("run 1", tostring(seen))
    assert.is_nil((box:ledger().agents[box.agents[2].name]))
  end)
end)
