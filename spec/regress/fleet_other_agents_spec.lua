-- SPDX-License-Identifier: MIT
--- Whom a run is about: an undo or a resume took an agent for another one that had come by its name, did not see that the run was
-- still going on or had agents beyond this fleet, and tokens that functions give let two runs have one agent.
local handoff = require "handoff"
local loops = require "handoff.loop"
local program = require "support.program"
local sandbox = require "support.sandbox"

describe("the agents of a run", function()
  local box, folder
  before_each(function()
    box = sandbox.start { agents = 4, no_rate_limit = true }
    folder = program.folder()
  end)
  after_each(function()
    box:stop()
    program.remove(folder)
  end)

  local function fleet(agents, base_url)
    return box:fleet(folder .. "/history.db", { base_url = base_url }, agents)
  end
  local function edit(cfg) cfg.settings.question_message = cfg.settings.question_message .. "!" end
  local function agents_with(token_of)
    local agents = {}
    for i, agent in ipairs(box.agents) do agents[i] = { name = agent.name, token = token_of(i) } end
    return agents
  end

  it("are not others that have come by their names", function()
    assert(fleet():update(edit))
    box:reset()
    local swapped = fleet(agents_with(function(i) return box.agents[i % 4 + 1].token end))
    for _, verb in ipairs { "undo", "resume" } do
      local run, err = swapped[verb](swapped, 1, verb == "resume" and edit or nil)
      assert.is_nil(run)
      assert.equal("identity", err.rule)
      assert.equal(box.agents[1].name, err.agent)
      assert.matches("it was scenario %w+ at .* in run 1 and is scenario %w+ at .*; give it its name of then",
        tostring(err))
    end
    assert.equal(0, box:ledger().total)
    local _, err = fleet(nil, "http://127.0.0.1:9/v1/api/"):undo(1)
    assert.matches("; give it its base_url of then", tostring(err))
  end)

  it("are nobody else's, whatever they are called and however their tokens and base_url come", function()
    local agents, seen = {}, nil
    for i, agent in ipairs(box.agents) do
      agents[i] = { name = "other" .. i, token = function() return agent.token end, base_url = box.base_url }
    end
    assert(fleet():update(function()
      seen = seen or select(2, fleet(agents, "http://127.0.0.1:9/v1/api/"):update(edit))
    end))
    assert.equal("held", seen.kind)
  end)

  it("are known to an undo when the run has ended, not before", function()
    local loop, undone, refused = loops.default(), nil, nil
    loop:spawn(function()
      assert(fleet():update(function(cfg)
        if not refused then
          refused = select(2, fleet():undo(1))
          loop:spawn(function() undone = assert(fleet():undo(1, { wait = 60 })) end)
        end
        edit(cfg)
      end, { concurrency = 1 }))
    end)
    loop:run()
    assert.equal("held", refused.kind)
    assert.same({ changed = 4 }, undone.counts)
  end)

  it("are not all done when those of this fleet are", function()
    local is_first = true
    assert(fleet():update(edit, { concurrency = 1, stop = function()
      is_first = not is_first
      return is_first
    end }))
    local run = assert(fleet():select("name=" .. box.agents[2].name):resume(1, edit))
    assert.equal("1 agent: 1 changed, 0 unchanged, 0 failed; 2 more agents of run 1 are not in this fleet",
      tostring(run))
    local history = assert(handoff.history(folder .. "/history.db"))
    assert.equal("stopped", history:run(1).state)
    history:close()
  end)
end)
