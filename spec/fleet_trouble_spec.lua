-- SPDX-License-Identifier: MIT
--- What a fleet does when something around it goes wrong: the inventory, the history, the service, the script itself.
local json = require("handoff.core").json
local jwt = require "support.jwt"
local loops = require "handoff.loop"
local program = require "support.program"
local sandbox = require "support.sandbox"

local unpack = table.unpack or unpack

describe("a fleet in trouble", function()
  local box, folder, history
  before_each(function()
    box = sandbox.start { agents = 25, no_rate_limit = true }
    folder = program.folder()
    history = folder .. "/history.db"
  end)
  after_each(function()
    box:stop()
    program.remove(folder)
  end)

  local function fleet(opts, agents) return box:fleet(history, opts, agents) end
  -- Done twice it shows.
  local function edit(cfg) cfg.settings.question_message = cfg.settings.question_message .. "!" end
  local function marks(agent)
    local text = json.decode(box:document(agent.name)).settings.question_message
    return select(2, text:gsub("!", ""))
  end
  local function assert_each_edited_once()
    for _, agent in ipairs(box.agents) do assert.equal(1, marks(agent), agent.name) end
  end

  describe("refuses before any request", function()
    local function refusal(agents, opts)
      local run, err = fleet(opts, agents):update(edit, opts)
      assert.is_nil(run)
      assert.equal(0, box:ledger().total)
      return err
    end

    it("an agent without a token, and one whose token expired", function()
      local agents = { unpack(box.agents) }
      agents[2] = { name = "without" }
      agents[3] = { name = "late", token = jwt '{"scenario_id": 3, "exp": 1772323200}' }
      local err = refusal(agents)
      assert.equal("invalid", err.kind)
      assert.equal(2, #err.issues)
      assert.matches("without: no token", tostring(err))
      assert.matches("late: the token expired 2026%-03%-01; make a new one in the dashboard", tostring(err.issues[2]))
    end)

    it("two names for one agent, unless that is allowed", function()
      local agents = { unpack(box.agents, 1, 3) }
      local first, second = jwt('{"scenario_id": 42}', "a"), jwt('{"scenario_id": 42}', "b")
      agents[4], agents[5] = { name = "one", token = first }, { name = "other", token = second }
      local err = refusal(agents)
      assert.equal("duplicates", err.rule)
      assert.matches("one and other are one agent %(scenario 42%).*allow_duplicates=true", tostring(err))
      assert.equal(3, assert(fleet({}, agents):update(edit, { allow_duplicates = true })).counts.changed)
    end)

    it("where the history cannot be kept", function()
      local file = assert(io.open(history, "w"))
      file:write(("this is no database. "):rep(100))
      file:close()
      local err = refusal()
      assert.equal("history", err.kind)
      assert.matches(history, tostring(err), 1, true)
    end)
  end)

  it("without LuaDBI says what to install, or to go without a history", function()
    local code = ([[
      package.preload.DBI = function() error "module 'DBI' not found" end
      local handoff = require "handoff"
      local agents = { { name = "a", token = %q } }
      local fleet = assert(handoff.fleet(agents, { base_url = %q, history = %q }))
      print(select(2, fleet:update(function(cfg) cfg.settings.is_active = not cfg.settings.is_active end)))
    ]]):format(box.agents[1].token, box.base_url, history)
    local output, status = program.run(("%s -e %s"):format(program.lua, program.quote(code)))
    assert.equal(0, status, output)
    assert.matches("lua%-dbi%-sqlite3.*history=false", output)
    assert.equal(0, box:ledger().total)
  end)

  it("says how to go on when it is interrupted", function()
    local code = ([[
      local handoff = require "handoff"
      local fleet = assert(handoff.fleet({ { name = "a", token = %q } }, { base_url = %q, history = %q }))
      fleet:update(function() io.popen("kill -INT $PPID"):close() end)
    ]]):format(box.agents[1].token, box.base_url, history)
    local output, status = program.run(("exec %s -e %s"):format(program.lua, program.quote(code)))
    assert.equal(1, status, output)
    assert.matches("interrupted! %(run 1 was not finished; fleet:resume%(1, …%) goes on with it%)", output)
  end)

  it("stops writing when the disk is full, and goes on when it is not", function()
    local script = folder .. "/run.lua"
    local file = assert(io.open(script, "w"))
    file:write(([[
      local handoff = require "handoff"
      local fleet = assert(handoff.fleet(%q, { base_url = %q, history = %q, concurrency = 2 }))
      print(fleet:update(function(cfg) cfg.settings.question_message = cfg.settings.question_message .. "!" end))
    ]]):format(folder .. "/agents.lua", box.base_url, history))
    file:close()
    file = assert(io.open(folder .. "/agents.lua", "w"))
    file:write(require("handoff.sandbox").inventory_text(box.agents))
    file:close()
    local output = program.run(("trap '' XFSZ; ulimit -f 300; exec %s %s"):format(program.lua, script))
    assert.matches("25 agents: %d+ changed, 0 unchanged, %d+ failed, %d+ untouched; .*disk.*fleet:resume%(1", output)
    local written = 0
    for _, agent in ipairs(box.agents) do written = written + marks(agent) end
    assert.is_true(written > 0 and written < 25)
    local run = assert(fleet():resume(1, edit))
    assert.same({ changed = 25 }, run.counts)
    assert_each_edited_once()
  end)

  it("raises what a function of the script's raises, and can be gone on with", function()
    local count = 0
    local ok, err = pcall(function()
      fleet():update(edit, { concurrency = 2, on_result = function()
        count = count + 1
        if count == 3 then error "the printer is on fire" end
      end })
    end)
    assert.is_false(ok)
    assert.matches("the printer is on fire", tostring(err))
    local run = assert(fleet():resume(1, edit))
    assert.same({ changed = 25 }, run.counts)
    assert_each_edited_once()
  end)

  it("can be cancelled with the task it runs in, and gone on with", function()
    local loop, count, run, err = loops.default(), 0, nil, nil
    local task
    task = loop:spawn(function()
      run, err = fleet():update(edit, { concurrency = 4, on_result = function()
        count = count + 1
        if count == 5 then task:cancel() end
      end })
    end)
    loop:run()
    assert.is_nil(run)
    assert.equal("cancelled", err.kind)
    assert.is_true(err.run.counts.changed >= 4)
    run = assert(fleet():resume(1, edit))
    assert.same({ changed = 25 }, run.counts)
    assert_each_edited_once()
  end)

  it("is stopped by the script between two agents", function()
    local count = 0
    local run = assert(fleet():update(edit, {
      concurrency = 1, on_result = function() count = count + 1 end, stop = function() return count == 7 end,
    }))
    assert.same({ changed = 7, untouched = 18 }, run.counts)
    assert.matches("stopped by the script; 18 left untouched, go on with fleet:resume%(1", tostring(run))
  end)

  it("looks again at an agent whose PUT was not answered", function()
    box:faults { { agent = box.agents[3].name, method = "PUT", fault = "reset_after" } }
    local run = assert(fleet { retries = 0 }:update(edit))
    assert.is_true(run.counts.changed >= 24)
    assert.equal(1, marks(box.agents[3]))
    -- And one where looking fails as well.
    box:faults {
      { agent = box.agents[4].name, method = "PUT", fault = "reset_after" },
      { agent = box.agents[4].name, method = "GET", fault = "status", status = 401, at = 3, times = "always" },
    }
    run = assert(fleet():update(edit))
    assert.same({ changed = 24, failed = 1 }, run.counts)
    assert.is_true(run.results[4].error.unknown)
    assert.equal(2, marks(box.agents[4]))
    box:faults {}
    run = assert(fleet():resume(run.id, edit))
    assert.same({ changed = 25 }, run.counts)
    assert.equal(2, marks(box.agents[4]))
  end)

  it("is gentler with a service that is short of breath", function()
    box:faults { { method = "GET", fault = "status", status = 503, times = "always" } }
    local answers, flying, most = 0, 0, 0
    local run = assert(fleet { concurrency = 16, retries = 5, deadline = 30, on_event = function(event)
      if event.type == "request_start" then
        flying = flying + 1
        if answers > 20 then most = math.max(most, flying) end
      elseif event.type == "request_end" then
        flying, answers = flying - 1, answers + 1
        if answers == 60 then box:faults {} end
      end
    end }:get())
    assert.is_true(most <= 8 or run.counts.failed == nil and most < 16, most)
  end)
end)
