-- SPDX-License-Identifier: MIT
-- The verbs to begin with: init, agents, doctor.
local command = require "support.command"
local json = require("handoff.core").json
local jwt = require "support.jwt"
local program = require "support.program"

local function records(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = assert(json.decode(line)) end
  return list
end

describe("with a sandbox", function()
  local box
  setup(function() box = command.sandbox(5, { read_only = 2, no_rate_limit = true }) end)
  teardown(function() box:stop() end)
  before_each(function() box.box:reset() end)

  it("handoff agents lists names and tags as --select takes them, and sends nothing", function()
    box:write("mine.lua", [[return {
      { name = "shop-uk", token = env "NOWHERE", tags = { tier = "gold", region = "eu", owner = 'Ann "A", Lee' } },
      { name = "shop-señal", tags = {} }, { name = "b", tags = { region = "us" } },
    }]])
    local ran = box:run "agents --inventory mine.lua"
    assert.same({ 0, "3 agents\n" }, { ran.status, ran.err })
    assert.equal([[shop-uk     owner="Ann \"A\", Lee" region=eu tier=gold
shop-señal
b           region=us
]], ran.out)
    local term = ran.out:match 'owner=".*Lee"'
    assert.matches("^shop%-uk ", box:run("agents --inventory mine.lua --select " .. program.quote(term)).out)
    local all = records(box:run "agents --inventory mine.lua --json --select region=us".out)
    assert.same({ { agent = "b", format_version = 1, tags = { region = "us" } } }, all)
    assert.equal(0, box.box:ledger().total)
  end)

  it("handoff doctor tells of every token, folds what is the same, and ends in a stable line", function()
    local ran = box:run "doctor"
    assert.same({ 0, "" }, { ran.status, ran.err })
    assert.matches("^shop%-uk  scenario %l+  write_all  expires %d+%-%d%d%-%d%d %(%d+ days%)  answered\n", ran.out)
    assert.truthy(ran.out:find("\nwarning: shop-pl, shop-es: the token may only read (read_all): ", 1, true), ran.out)
    assert.truthy(ran.out:find(box.box:url() .. ": 5 of 5 agents answered\n", 1, true), ran.out)
    assert.matches("\nDoctor: 5 agents, 0 errors, 2 warnings%.\n$", ran.out)
    assert.equal(5, box.box:ledger().total)
    ran = box:run "doctor --days 400"
    assert.matches("\nwarning: shop%-uk, shop%-de, shop%-fr and 2 more: the token expires ", ran.out)
  end)

  it("handoff doctor --offline sends nothing, and fails where a token is none", function()
    box:write("mine.lua", ([[return {
      { name = "one", token = %q },
      { name = "two", token = env "NOWHERE" },
      { name = "three", token = %q },
    }]]):format(jwt('{"scenario_id": 7}', "a"), jwt('{"scenario_id": "7\\u001b[31m"}', "b")))
    local ran = box:run "doctor --inventory mine.lua --offline --color always"
    assert.same({ 1, "" }, { ran.status, ran.err })
    assert.equal("one    scenario 7  -  -\n"
      .. "two  -  -  -\n"
      .. "three  scenario (a text with control characters)  -  -\n"
      .. "\27[31merror:\27[0m mine.lua:3: two: the variable NOWHERE is not set; export it\n"
      .. "Doctor: 3 agents, 1 error, 0 warnings.\n", (ran.out:gsub(" +%-", "  -")))
    assert.equal(0, box.box:ledger().total)
  end)

  it("handoff doctor says all of it as JSON, an agent a line, then the services", function()
    box:write("mine.lua", ("return { { name = 'one', token = %q }, { name = 'gone', token = %q } }"):format(
      box.box.agents[1].token, jwt '{"scenario_id": 7}'))
    local ran = box:run "doctor --inventory mine.lua --json"
    local all = records(ran.out)
    assert.equal(1, ran.status)
    assert.same({ "one", "write_all", true, 0 }, { all[1].agent, all[1].scope, all[1].answered, #all[1].findings })
    assert.matches("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", all[1].expires)
    assert.same({ "gone", false, "token", "error" },
      { all[2].agent, all[2].answered, all[2].findings[1].what, all[2].findings[1].severity })
    assert.same({ box.box:url(), 2, 1 }, { all[3].service, all[3].agents, all[3].answered })
    assert.equal(3, #all)
  end)
end)

describe("handoff init", function()
  local box
  before_each(function() box = command.sandbox(2, { no_rate_limit = true }) end)
  after_each(function() box:stop() end)

  it("writes an inventory, an edit and a policy that work with a sandbox as they are, for their owner only", function()
    program.run("umask 0; rm " .. box.inventory)
    local env = { SHOP_UK_TOKEN = box.box.agents[1].token, SHOP_DE_TOKEN = box.box.agents[2].token }
    local ran = box:run "init"
    assert.equal(0, ran.status, ran.err)
    assert.matches("^agents.lua: [^\n]+\nfirst%-edit.lua: [^\n]+\nfirst%-policy.lua: [^\n]+\n$", ran.out)
    assert.equal("600\n600\n600\n", (program.run(("cd %s && stat -c %%a agents.lua first-*.lua"):format(box.folder))))
    assert.equal(0, box:run("doctor", { env = env }).status)
    for _, changed in ipairs { 2, 0 } do
      ran = box:run("apply first-edit.lua --test first-policy.lua --yes", { env = env })
      assert.equal(0, ran.status, ran.out .. ran.err)
      assert.truthy(ran.out:find(("Plan: %d agents to change"):format(changed), 1, true), ran.out)
    end
    ran = box:run("test first-policy.lua", { env = env })
    assert.equal(0, ran.status, ran.out .. ran.err)
    -- An agent that hands nobody over needs no text for it, one without working hours none for outside them.
    box:write("switched-off.json", '{"settings":{"is_active":false,"confirmation_message":""}}')
    box:write("always-open.json", '{"settings":{"is_active":true,"working_hours_active":false,'
      .. '"timezone":"Europe/London","confirmation_message":"Soon.","confirmation_outside_working_hours_message":""}}')
    for _, name in ipairs { "switched-off.json", "always-open.json" } do
      ran = box:run("test first-policy.lua --from " .. name)
      assert.equal(0, ran.status, ran.out .. ran.err)
    end
  end)

  it("leaves alone what is there", function()
    local before = box:read "agents.lua"
    box:write("first-edit.lua", "mine")
    box:write("first-policy.lua", "mine, too")
    local ran = box:run "init"
    assert.same({ 0, "agents.lua: is there already, and stays as it is\n"
      .. "first-edit.lua: is there already, and stays as it is\n"
      .. "first-policy.lua: is there already, and stays as it is\n" }, { ran.status, ran.out })
    assert.same({ before, "mine", "mine, too" }, { box:read "agents.lua", box:read "first-edit.lua",
      box:read "first-policy.lua" })
    local all = records(box:run "init --json".out)
    assert.same({ false, false }, { all[1].written, all[2].written })
  end)

  it("follows no link, and says where it cannot write", function()
    program.run(("cd %s && rm agents.lua && ln -s elsewhere agents.lua"):format(box.folder))
    local ran = box:run "init"
    assert.equal(1, ran.status)
    assert.truthy(ran.err:find("handoff init: agents.lua: it is there and no regular file; go to", 1, true), ran.err)
  end)
end)
