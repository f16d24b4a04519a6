-- SPDX-License-Identifier: MIT
-- Policies as people run them: the verb test, and --test of the verbs that write.
local command = require "support.command"
local json = require("handoff").json
local program = require "support.program"
local terminal = require "support.terminal"

local base = [[{"settings": {"is_active": true, "keywords": ["agent"], "timezone": "UTC", "working_hours_active": true,
  "question_message": "Shall I?", "confirmation_outside_working_hours_message": "Back at nine.",
  "emails": [], "topic_based_routing_active": false},
 "availability": [{"id": 1, "day_span": "monday-friday", "start_time": "09:00", "end_time": "17:30"},
  {"id": 2, "day_span": "saturday", "start_time": "10:00", "end_time": "14:00"}],
 "generic_guidelines": [], "custom_guidelines": [],
 "routing_profiles": [{"id": 5, "name": "Billing", "description": "", "is_active": false, "user_ids": [7]}]}]]

local saturday = [[
describe("hours", function()
  it("are open on saturday", function(agent)
    expect(agent):open_at "sat 11:00"
  end)
end)
]]

describe("policies on the command line", function()
  local box, names

  setup(function()
    box = command.sandbox(3, { no_rate_limit = true })
    names = {}
    for i, agent in ipairs(box.box.agents) do names[i] = agent.name end
    box:write("saturday.lua", saturday)
    box:write("shut.lua", 'return function(cfg) cfg.availability:remove { day_span = "saturday" } end\n')
  end)
  teardown(function() box:stop() end)

  before_each(function()
    for _, name in ipairs(names) do box.box:store(name, base) end
    box.box:faults {}
    box.box:reset()
    os.remove(box.folder .. "/handoff/history.db")
  end)

  local function asked(method)
    local total = 0
    for _, counts in pairs(box.box:ledger().agents) do total = total + (counts[method] or 0) end
    return total
  end

  local function records(text)
    local list = {}
    for line in text:gmatch "[^\n]+" do list[#list + 1] = assert(json.decode(line)) end
    return list
  end

  describe("handoff test", function()
    local AT = " --at 2026-11-25T12:00:00Z"

    it("tells what passed and what did not, of whom, and asks for nothing but the documents", function()
      box.box:store(names[2], (base:gsub("saturday", "sunday")))
      local ran = box:run("test saturday.lua" .. AT)
      assert.same({ 1, "" }, { ran.status, ran.err })
      assert.equal(([[
failed  hours are open on saturday (3 agents)
  %s
    saturday.lua:3: expected to be open at Sat 28 Nov 2026 11:00; it is closed until Sun 29 Nov 2026 10:00
Tests: 1 over 3 agents: 0 passed, 1 failed.
]]):format(names[2]), ran.out)
      assert.same({ 3, 0 }, { asked "GET", asked "PUT" })
      ran = box:run("test saturday.lua --select name!=" .. names[2] .. AT)
      assert.same({ 0, "ok      hours are open on saturday (2 agents)\nTests: 1 over 2 agents: 1 passed, 0 failed.\n" },
        { ran.status, ran.out })
    end)

    it("fails where an agent cannot be read, in whatever form it tells", function()
      box.box:faults { { agent = names[3], fault = "status", status = 500, times = "always" } }
      local ran = box:run("test saturday.lua --retries 0" .. AT)
      assert.equal(1, ran.status)
      assert.matches("\nfailed  the configuration can be read\n  " .. names[3]:gsub("%p", "%%%0") .. "\n    [^\n]*500",
        ran.out)
      assert.matches("Tests: 2 over 3 agents: 1 passed, 1 failed.\n$", ran.out)
      local list = records(box:run("test saturday.lua --retries 0 --json" .. AT).out)
      assert.same({ "passed", 2, "saturday.lua", 2 }, { list[1].status, list[1].agents, list[1].file, list[1].line })
      assert.same({ "raised", { names[3] } }, { list[2].status, list[2].failures[1].agents })
      assert.same({ agents = 3, tests = 2, passed = 1, failed = 1, pending = 0, skipped = 0 }, list[3].counts)
      local tap = box:run("test saturday.lua --retries 0 --format tap" .. AT)
      assert.equal(1, tap.status)
      assert.matches("\n1..2\nok 1 - hours are open on saturday\nnot ok 2 - the configuration can be read\n# ",
        tap.out, 1, true)
    end)

    it("passes nobody where it was interrupted before it had read all", function()
      box:write("stop.lua", ([[it("stops", function(agent)
        if agent.name == %q then io.popen("kill -INT $PPID"):close() end
      end)]]):format(names[2]))
      for _, form in ipairs { "", " --json", " --format tap" } do
        local ran = box:run("test stop.lua --concurrency 1" .. form)
        assert.same({ 130, "" }, { ran.status, ran.out })
        assert.equal("finishing what is in flight; Ctrl-C again ends at once\n"
          .. "handoff test: interrupted: 1 agent was not read; ask again for all of them\n", ran.err)
      end
    end)

    it("writes a report into a file, and tells people here", function()
      local ran = box:run("test saturday.lua --format junit -o report.xml" .. AT)
      assert.equal(0, ran.status)
      assert.matches("^ok      hours are open", ran.out)
      assert.matches('<testsuites name="handoff" tests="1" failures="0" errors="0">',
        box:read "report.xml", 1, true)
      ran = box:run("test saturday.lua --json --format tap -o report.tap" .. AT)
      assert.equal(2, #records(ran.out))
      local proved = program.run(("cd %s && prove --exec cat report.tap"):format(program.quote(box.folder)))
      assert.matches("Result: PASS", proved, 1, true)
    end)

    it("holds files and saved plans against it, without a request", function()
      assert.equal(0, box:run("pull state").status)
      assert.equal(0, box:run("plan shut.lua -o shut.plan").status)
      box.box:reset()
      assert.equal(0, box:run("test saturday.lua --from state" .. AT).status)
      local ran = box:run("test saturday.lua --from shut.plan" .. AT)
      assert.equal(1, ran.status)
      assert.matches("3 agents: .*closed until Mon 30 Nov 2026 09:00\n", ran.out)
      assert.equal(0, asked "GET")
    end)

    it("takes files without an inventory, but not without one that is named: tests may select by its tags", function()
      box:write("shop-uk.lua", 'return { settings = { timezone = "UTC" } }')
      box:write("one.lua", "it('is one', function(agent) expect(agent.name):equals 'shop-uk' end)")
      local bare = { before = "mkdir -p bare && cd bare" }
      assert.equal(0, box:run("test ../one.lua --from ../shop-uk.lua", bare).status)
      local ran = box:run("test ../one.lua --from ../shop-uk.lua --inventory agent.lua", bare)
      assert.equal(1, ran.status)
      assert.matches("agent.lua: there is no such inventory", ran.err, 1, true)
    end)

    it("tells programs of texts that are no UTF-8, too", function()
      box:write("raw.lua", "it('raw \\255', function() error '\\254' end)")
      local ran = box:run "test raw.lua --json"
      assert.equal(1, ran.status)
      local list = records(ran.out)
      assert.same({ "raw \\xff", "\\xfe" }, { list[1].test, list[1].failures[1].message })
    end)

    it("says that nothing was tested", function()
      box:write("none.lua", "it('x', 'name=nobody', function() end)\npending 'y'\n")
      local ran = box:run "test none.lua"
      assert.equal(1, ran.status)
      assert.equal([[
skipped x: it is for none of these agents
pending y
failed  a test is for one of the agents
    no test ran: each is pending, or for other agents; look at the selections
Tests: 3 over 3 agents: 0 passed, 1 failed, 1 pending, 1 for none of them.
]], ran.out)
    end)
  end)

  describe("--test", function()
    it("shows what fails on what would be written, and nothing is written", function()
      box.box:store(names[2], (base:gsub(",%s*{[^{]*saturday[^}]*}", ""))) -- closed then, and left so by the edit
      local ran = box:run "apply shut.lua --yes --test saturday.lua"
      assert.equal(1, ran.status)
      assert.matches("Plan: 2 agents to change, 1 unchanged, 0 failed.\n\n"
        .. "failed  hours are open on saturday (2 agents)\n"
        .. ("  2 agents: %s, %s\n    saturday.lua:3: expected to be open at Sat "):format(names[1], names[3]),
        ran.out, 1, true)
      assert.matches("Tests: 1 over 2 agents: 0 passed, 1 failed.\n$", ran.out)
      assert.equal("handoff apply: --test: 1 of 1 test failed on what would be written; nothing was written; mend the "
        .. "edit or the policy, or leave --test out\n", ran.err)
      assert.equal(0, asked "PUT")
      assert.equal("", box:run("history --json").out)
      local list = records(box:run("apply shut.lua --yes --json --test saturday.lua").out)
      assert.same({ "planned", true, "failed", true },
        { list[1].status, list[4].summary, list[5].status, list[6].summary })
      assert.equal(0, asked "PUT")
    end)

    it("goes on to write where all of them pass, in waves, too", function()
      box:write("zone.lua", [[
        it("is in Rome", function(agent) expect(agent):has("settings.timezone", "Europe/Rome") end)
        it("is elsewhere", "name=nobody", function() error "never" end)]])
      local ran = box:run "set settings.timezone=Europe/Rome --yes --waves 1,100% --test saturday.lua --test zone.lua"
      assert.equal(0, ran.status, ran.err)
      assert.matches("Plan: 3 agents to change, 0 unchanged, 0 failed.\n"
        .. "Tests: 3 over 3 agents: 2 passed, 0 failed, 1 for none of them.\nRun 1: 3 agents: 3 changed",
        ran.out, 1, true)
      assert.equal(3, asked "PUT")
      ran = box:run("set settings.timezone=Europe/Rome --yes --test shut-of-all.lua")
      assert.equal(1, ran.status) -- whatever changes: a policy that is not there is a slip
      assert.matches("shut-of-all.lua: the policy cannot be read", ran.err, 1, true)
    end)

    it("tells of a plan, which is saved only where it passes", function()
      local ran = box:run "plan shut.lua -o bad.plan --test saturday.lua"
      assert.equal(1, ran.status)
      assert.matches("Plan: 3 agents to change, 0 unchanged, 0 failed.\n\nfailed  hours are open on saturday (3 ",
        ran.out, 1, true)
      assert.equal("handoff plan: --test: 1 of 1 test failed on what would be written; the plan is not saved; mend the "
        .. "edit or the policy, or leave --test out\n", ran.err)
      assert.is_nil(io.open(box.folder .. "/bad.plan"))
      ran = box:run "plan settings.timezone=Europe/Rome -o good.plan --test saturday.lua --detailed-exitcode --json"
      assert.equal(2, ran.status)
      local list = records(ran.out)
      assert.same({ 6, "passed", 3 }, { #list, list[5].status, list[5].agents })
      assert.equal(0, box:run("apply good.plan --yes --test saturday.lua").status)
    end)

    it("is for saved plans, undo and resume, and has a variable", function()
      assert.equal(0, box:run("plan shut.lua -o shut.plan").status)
      assert.equal(1, box:run("apply shut.plan --yes --test saturday.lua").status)
      assert.equal(1, box:run("apply shut.plan --yes", { env = { HANDOFF_TEST = "saturday.lua" } }).status)
      assert.equal(0, asked "PUT")
      assert.equal(5, box:run("apply shut.plan --yes --waves 1").status)
      local ran = box:run "resume 1 --yes --test saturday.lua"
      assert.equal(1, ran.status)
      assert.matches("--test: 1 of 1 test failed", ran.err, 1, true)
      assert.equal(1, asked "PUT")
      box:write("shut_test.lua", "it('stays shut', function(agent) expect(agent):closed_at 'sat 11:00' end)")
      assert.equal(1, box:run("undo 1 --yes --test shut_test.lua").status)
      assert.equal(1, asked "PUT")
      assert.equal(0, box:run("resume 1 --yes --test shut_test.lua").status)
      assert.equal(3, asked "PUT")
      assert.equal(0, box:run("undo 1 --yes --test saturday.lua").status)
    end)

    it("holds what an agent is written once more where somebody edited it since it was planned", function()
      local shut = json.decode(base).availability
      table.remove(shut)
      box.box:faults { {
        agent = names[2], method = "GET", at = 2, fault = "edit", when = "before", path = "availability", value = shut,
      } }
      local ran = box:run "set settings.timezone=Europe/Rome --yes --test saturday.lua"
      assert.same({ 5, 2 }, { ran.status, asked "PUT" })
      assert.matches("failed " .. names[2]:gsub("%p", "%%%0") .. "\n  somebody edited it since it was planned, and "
        .. "what would be written fails a test, [^\n]*: saturday.lua:3: expected to be open [^\n]*\n\nRun 1: ", ran.out)
    end)

    it("lets what somebody else's edit does not make fail be written, with that edit", function()
      box.box:faults { {
        agent = names[2], method = "GET", at = 2, fault = "edit", when = "before",
        path = "settings.question_message", value = "Shall we?",
      } }
      local ran = box:run "set settings.timezone=Europe/Rome --yes --test saturday.lua"
      assert.same({ 0, 3 }, { ran.status, asked "PUT" })
      local settings = json.decode(box.box:document(names[2])).settings
      assert.same({ "Europe/Rome", "Shall we?" }, { settings.timezone, settings.question_message })
    end)

    it("is part of what is to be typed to go on", function()
      box:write("shut_test.lua", "it('stays shut', function(agent) expect(agent):closed_at 'sat 11:00' end)")
      box:write("any.lua", "it('has a zone', function(agent) expect(agent):has 'settings.timezone' end)")
      local ran = box:run "apply shut.lua --yes --waves 1 --test shut_test.lua --test=any.lua"
      assert.equal(5, ran.status)
      assert.matches("`handoff resume 1 --waves 1 --test shut_test.lua --test any.lua` goes on", ran.err, 1, true)
    end)

    it("is not passed by a policy that ends the program, or yields", function()
      for code, message in pairs {
        ["os.exit(0)"] = "os.exit: a policy does not end the program",
        ["coroutine.yield()"] = "the test yields, and nobody goes on with it",
      } do
        box:write("leaves.lua", ("it('leaves', function() %s end)"):format(code))
        local ran = box:run "apply shut.lua --yes --test leaves.lua"
        assert.equal(1, ran.status)
        assert.matches("leaves.lua:1: " .. message, ran.out, 1, true)
        ran = box:run "test leaves.lua"
        assert.equal(1, ran.status)
        assert.matches("failed  leaves (3 agents)", ran.out, 1, true)
      end
      box:write("leaves.lua", "os.exit(0)")
      assert.equal(1, box:run("test leaves.lua").status)
      assert.equal(0, asked "PUT")
    end)

    it("is no more than what a script can do", function()
      local gate = assert(require("handoff").policy(box.folder .. "/saturday.lua")):gate(box.box.agents)
      local run = assert(box.box:fleet(box.folder .. "/own.db"):update(function(cfg, agent)
        if agent.name ~= names[1] then cfg.availability:remove { day_span = "saturday" } end
      end, {
        on_planned = function(...) gate:observe(...) end,
        confirm = function() return gate:finish().ok end,
      }))
      assert.is_true(run.declined)
      assert.same({ { names[2], names[3] } }, { gate:finish().rows[1].failures[1].agents })
      assert.equal(0, asked "PUT")
    end)

    it("is held before the question, and asks nothing where it fails", function()
      local shown = terminal.open(("cd %s && %s apply shut.lua --test saturday.lua"):format(box.folder,
        command.words()), { env = { HANDOFF_BASE_URL = box.box.base_url, XDG_STATE_HOME = box.folder } })
      local status, screen = shown:ends(), shown.read
      shown:close()
      assert.equal(1, status)
      assert.is_nil(screen:find("Write this", 1, true))
      assert.equal(0, asked "PUT")
    end)

    it("sees what the service will derive from the edit", function()
      box:write("billing.lua", "it('is routed', function(agent) expect(agent):routes('Billing', { 7 }) end)")
      box:write("route.lua", "return function(cfg) cfg.routing_profiles[1].is_active = true end")
      assert.equal(1, box:run("test billing.lua").status)
      assert.equal(0, box:run("plan route.lua -o route.plan").status)
      assert.equal(0, box:run("test billing.lua --from route.plan").status)
      local ran = box:run "apply route.lua --yes --test billing.lua"
      assert.equal(0, ran.status, ran.out)
      assert.equal(0, box:run("test billing.lua").status)
    end)

    it("holds an agent once where nobody else edits it, so that tests may compare agents", function()
      box:write("once.lua", [[
        local seen = {}
        it("has a name of its own", function(agent)
          expect(seen[agent.name]):equals(nil)
          seen[agent.name] = true
        end)]])
      local ran = box:run "set settings.timezone=Europe/Rome --yes --waves 1,100% --test once.lua"
      assert.same({ 0, 3 }, { ran.status, asked "PUT" }, ran.out)
    end)

    it("refuses where there is no test, and says where all are for agents that do not change", function()
      box:write("none.lua", "pending 'x'")
      local ran = box:run "apply shut.lua --yes --test none.lua"
      assert.equal(1, ran.status)
      assert.matches("no test ran: each is pending, or for other agents", ran.out, 1, true)
      assert.equal(0, asked "PUT")
      box:write("others.lua", "it('x', 'name=nobody', function() error 'never' end)")
      ran = box:run "apply shut.lua --yes --test others.lua"
      assert.equal(0, ran.status, ran.err)
      assert.matches("\nTests: 1 over %d agents?: 0 passed, 0 failed, 1 for none of them.\n", ran.out)
      assert.is_true(asked "PUT" > 0)
    end)
  end)
end)
