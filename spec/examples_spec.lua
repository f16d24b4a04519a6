-- SPDX-License-Identifier: MIT
-- The examples as an operator starts them, against the sandbox: each says what it changed, and finds nothing left to change
-- when it is run again.
local handoff = require "handoff"
local program = require "support.program"

describe("the example", function()
  local sandbox
  before_each(function() sandbox = program.sandbox(3) end)
  after_each(function() sandbox.stop() end)

  local function run(name, argument)
    local command = ("%s examples/%s.lua %s"):format(program.lua, name, argument or "")
    local output, status = program.run(command, sandbox.env)
    assert.equal(0, status, output)
    return output
  end

  local function documents()
    local list = {}
    for i, agent in ipairs(sandbox.agents) do
      list[i] = assert(handoff.client { name = agent.name, token = agent.token, base_url = sandbox.url }:get())
    end
    return list
  end

  -- How many agents have that status, as the summary has it.
  local function count(output, status) return tonumber(output:match("%d agents: [^\n]-(%d+) " .. status)) end

  it("enable_handoff turns one agent's handoff on", function()
    run "enable_handoff"
    assert.is_true(documents()[1].settings.is_active)
    assert.equal("unchanged", run("enable_handoff"):match "^%S+")
  end)

  it("weekday_hours gives every agent the same week", function()
    run("weekday_hours", sandbox.inventory)
    for _, cfg in ipairs(documents()) do
      assert.equal(2, #cfg.availability)
      assert.equal("friday", cfg.availability[2].day_span)
      assert.equal("16:00", cfg.availability[2].end_time)
      assert.is_true(cfg.settings.working_hours_active)
    end
    assert.equal(3, count(run("weekday_hours", sandbox.inventory), "unchanged"))
  end)

  it("add_guideline adds it once", function()
    run("add_guideline", sandbox.inventory)
    for _, cfg in ipairs(documents()) do
      local guideline = cfg.custom_guidelines:find { name = "Refund over 500" }
      assert.is_true(guideline.is_active)
      assert.is_number(guideline.id)
    end
    assert.equal(3, count(run("add_guideline", sandbox.inventory), "unchanged"))
  end)

  it("route_billing names the operators where handoff is on", function()
    run("enable_handoff")
    run("route_billing", sandbox.inventory)
    for _, cfg in ipairs(documents()) do
      local profile = cfg.routing_profiles:find { name = "Billing" }
      if cfg.settings.is_active then
        assert.equal(7, profile.user_ids[1])
        assert.equal(8, profile.user_ids[2])
      else
        assert.is_nil(profile)
      end
    end
    assert.equal(3, count(run("route_billing", sandbox.inventory), "unchanged"))
  end)

  it("hours adds a saturday morning and takes lunch out, whatever hours there were", function()
    local saturday, lunch = handoff.week "sat 10:00-12:30, sat 13:30-14:00", handoff.week "daily 12:30-13:30"
    local before = documents()
    run("hours", sandbox.inventory)
    for i, cfg in ipairs(documents()) do
      local week = handoff.week(cfg.availability)
      assert.is_true(week == handoff.week(before[i].availability):add(saturday):subtract(lunch))
    end
    local again = run("hours", sandbox.inventory)
    assert.equal(3, count(again, "unchanged"))
    local de = "\nshop-de: mon-fri 09:00-12:30 13:30-17:30, sat 10:00-12:30 13:30-14:00; 40.5 h a week; now "
    assert.truthy(again:find(de, 1, true), again)
  end)

  it("hours_page writes a page that names every agent, and says when nobody is there", function()
    local path = sandbox.folder .. "/week.html"
    run("weekday_hours", sandbox.inventory)
    assert.equal(path .. ": 3 agents\nnobody is there (Europe/Berlin): mon 00:00-09:00 17:30-09:00, "
      .. "tue-thu 17:30-09:00, fri 16:00-24:00, sat-sun 00:00-24:00\n",
      run("hours_page", sandbox.inventory .. " " .. path))
    local file = assert(io.open(path))
    local page = file:read "*a"
    file:close()
    for _, agent in ipairs(sandbox.agents) do assert.truthy(page:find(agent.name, 1, true)) end
  end)

  it("policy passes where the edits of the others have been made, and not before", function()
    local function hold()
      return program.run(("%s test examples/policy --inventory %s"):format(program.handoff,
        sandbox.inventory), sandbox.env)
    end
    run "enable_handoff"
    local output, status = hold()
    assert.equal(1, status, output)
    assert.truthy(output:find('expected "Billing" to be routed to operators 7, 8', 1, true), output)
    run("weekday_hours", sandbox.inventory)
    run("route_billing", sandbox.inventory)
    output, status = hold()
    assert.equal(0, status, output)
    assert.matches("\nTests: 12 over 3 agents: 12 passed, 0 failed.\n$", output)
    -- What does not happen needs no text, and an agent without keywords is named, not an error of the script.
    assert(handoff.fleet(sandbox.inventory, { history = false }):update(function(cfg, agent)
      cfg.settings.is_active = agent.name ~= sandbox.agents[1].name
      cfg.settings.working_hours_active = agent.name ~= sandbox.agents[2].name
      if agent.name == sandbox.agents[3].name then return cfg.settings.keywords:clear() and nil end
      cfg.settings.confirmation_outside_working_hours_message = ""
      if agent.name == sandbox.agents[1].name then cfg.availability = handoff.week "mon 10-12" end
    end))
    output = hold()
    assert.truthy(output:find("expected to have settings.keywords[1]; it is not there", 1, true), output)
    assert.truthy(output:find("\nok      where handoff is on people are there for at least 20 hours a week ", 1, true),
      output)
    assert.truthy(output:find("\nok      a visitor is asked, and told what happens (3 agents)\n", 1, true), output)
  end)

  it("take_back lists the runs and takes one back", function()
    local before = documents()[2]:json()
    run("weekday_hours", sandbox.inventory)
    assert.matches('^run 1: update "weekday_hours", [^\n]+, finished: 3 changed\n$',
      run("take_back", sandbox.inventory))
    assert.equal(3, count(run("take_back", sandbox.inventory .. " 1"), "changed"))
    local function without_ids(text) return (text:gsub('"id":%d+,', "")) end
    assert.equal(without_ids(before), without_ids(documents()[2]:json()))
    assert.matches('^run 2: undo of run 1 "weekday_hours", ', run("take_back", sandbox.inventory))
  end)

  it("says what is wrong, and ends with status 1, when the token is refused", function()
    sandbox.env.HANDOFF_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzY2VuYXJpb19pZCI6MX0.x"
    local output, status = program.run(program.lua .. " examples/enable_handoff.lua", sandbox.env)
    assert.equal(1, status, output)
    assert.equal(1, select(2, output:gsub("\n", "")), output)
    assert.is_nil(output:find(sandbox.env.HANDOFF_TOKEN, 1, true))
  end)
end)

describe("the demo", function()
  it("changes every agent, then none, then takes it back, without colours where there is no terminal", function()
    local output, status = program.run(program.lua .. " examples/demo.lua", { HANDOFF_BUILD = false })
    assert.equal(0, status, output)
    assert.truthy(output:find("25 agents: 25 changed, 0 unchanged, 0 failed", 1, true), output)
    assert.truthy(output:find("25 agents: 0 changed, 25 unchanged, 0 failed", 1, true), output)
    assert.matches("The first run taken back:\n\n25 agents: 25 changed, 0 unchanged, 0 failed\n$", output)
    assert.is_nil(output:find("\27", 1, true))
  end)
end)
