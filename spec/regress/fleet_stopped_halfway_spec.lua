-- SPDX-License-Identifier: MIT
--- A run that was cancelled went on to the next agents, and told nothing of those that were under way; what `stop` raised was
-- lost; what `on_result` raised for an agent whose task had failed left the others running.
local json = require("handoff.core").json
local loops = require "handoff.loop"
local program = require "support.program"
local sandbox = require "support.sandbox"

describe("a run that ends halfway", function()
  local box, folder
  before_each(function()
    box = sandbox.start { agents = 8, no_rate_limit = true }
    folder = program.folder()
  end)
  after_each(function()
    box:stop()
    program.remove(folder)
  end)

  local function fleet(opts) return box:fleet(folder .. "/history.db", opts) end
  local function edit(cfg) cfg.settings.question_message = cfg.settings.question_message .. "!" end
  local function is_edited(name) return json.decode(box:document(name)).settings.question_message:find "!$" ~= nil end
  local function edited()
    local count = 0
    for _, agent in ipairs(box.agents) do count = count + (is_edited(agent.name) and 1 or 0) end
    return count
  end

  for what, opts in pairs { ["without a history"] = { history = false }, ["with one"] = {} } do
    it("begins no further agent once it is cancelled, and says whom that met, " .. what, function()
      local loop, task, changed, err = loops.default(), nil, 0, nil
      task = loop:spawn(function()
        err = select(2, fleet(opts):update(edit, { concurrency = 3, on_result = function(result)
          if result.status == "changed" then changed = changed + 1 end
          if changed == 2 then task:cancel() end
        end }))
      end)
      loop:run()
      assert.equal("cancelled", err.kind)
      assert.is_true(err.run.counts.untouched >= 3)
      local counts = {}
      for _, result in ipairs(err.run.results) do
        counts[result.status] = (counts[result.status] or 0) + 1
        local why = tostring(result.error)
        if result.error then assert.matches(result.agent .. ": the run was cancelled", why, 1, true) end
        if not (result.error and result.error.unknown) then
          assert.equal(result.status == "changed", is_edited(result.agent), why)
        end
      end
      assert.same(counts, err.run.counts)
    end)
  end

  local function assert_raised(message, opts, fn)
    local ok, err = pcall(function() return fleet():update(fn or edit, opts) end)
    assert.is_false(ok)
    assert.matches(message, tostring(err))
    local count = edited()
    loops.default():run()
    assert.equal(count, edited())
    assert.is_true(count < 8)
  end

  it("raises what its stop raises", function()
    local asked = 0
    assert_raised("no phone", { concurrency = 2, stop = function()
      asked = asked + 1
      if asked == 4 then error "no phone" end
    end })
  end)

  it("raises what its on_result raises for an agent that yielded", function()
    assert_raised("no paper", { concurrency = 3, on_result = function(result)
      if result.status == "failed" then error "no paper" end
    end }, function(cfg, agent)
      if agent.name == box.agents[1].name then coroutine.yield() end
      edit(cfg)
    end)
  end)

  it("takes anything that a function of each returns for why it failed", function()
    local run = assert(fleet():each(function() return nil, 404 end))
    assert.same({ failed = 8 }, run.counts)
    assert.equal("404", run.results[1].error.message)
  end)
end)
