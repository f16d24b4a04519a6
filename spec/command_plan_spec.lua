-- SPDX-License-Identifier: MIT
-- plan, diff, apply and set, as people run them.
local command = require "support.command"
local edit = require "handoff.command.edit"
local json = require("handoff").json

local five = { "shop-uk", "shop-de", "shop-fr", "shop-pl", "shop-es" }

local base = [[{"settings": {"is_active": true, "keywords": ["agent"], "timezone": "UTC", "working_hours_active": true,
  "question_message": "Shall I connect you?", "emails": ["ops@example.com"], "topic_based_routing_active": false},
 "availability": [{"id": 1, "day_span": "monday-friday", "start_time": "09:00", "end_time": "17:30"},
  {"id": 2, "day_span": "saturday", "start_time": "10:00", "end_time": "14:00"}],
 "generic_guidelines": [], "custom_guidelines": [], "routing_profiles": []}]]

describe("an edit's name in the history", function()
  it("is read again as the words that it was made of", function()
    local lists = { { "hours.lua" }, { "my edit.lua" }, { "settings.x=it's", "a.b='\"" }, { "", "\\", "a\nb" } }
    for _, words in ipairs(lists) do
      assert.same(words, edit.words(edit.name_of(words)))
    end
    assert.equal("settings.is_active=true 'settings.question_message=Shall I?'",
      edit.name_of { "settings.is_active=true", "settings.question_message=Shall I?" })
    for _, other in ipairs { 'weekday "hours"', "not 'closed", "a\\b" } do assert.is_nil(edit.words(other)) end
  end)
end)

describe("planning and writing on the command line", function()
  local box

  setup(function() box = command.sandbox(5, { no_rate_limit = true }) end)
  teardown(function() box:stop() end)

  local function store(name, from, to)
    local text = from and base:gsub(from, to) or base
    box.box:store(name, text)
  end

  before_each(function()
    for _, name in ipairs(five) do store(name) end
    box.box:reset()
    os.remove(box.folder .. "/handoff/history.db")
  end)

  local function live(name) return assert(json.decode(box.box:document(name))) end

  local function puts()
    local total = 0
    for _, counts in pairs(box.box:ledger().agents) do total = total + (counts.PUT or 0) end
    return total
  end

  local function script(name, body)
    box:write(name, "return function(cfg, agent)\n" .. body .. "\nend\n")
    return name
  end

  local shut = 'cfg.availability:remove { day_span = "saturday" } cfg.settings.timezone = "Europe/London"'

  it("shows each set of changes once, the commonest first, what failed, what is odd, and a last line", function()
    store("shop-fr", '"UTC"', '"Europe/Paris"')
    store("shop-pl", '"timezone": "UTC"', '"timezone": "Europe/London"')
    local name = script("shut.lua", shut .. [[
      if agent.name == "shop-es" then error "not this one" end
      if agent.name == "shop-pl" then cfg.availability:clear() end]])
    local ran = box:run("plan " .. name)
    assert.same({ 5, "" }, { ran.status, ran.err })
    local weekdays = '{"id": 1, "day_span": "monday-friday", "start_time": "09:00", "end_time": "17:30"}'
    local saturday = '"day_span": "saturday", "start_time": "10:00", "end_time": "14:00"}'
    local expected = [[
2 agents: shop-uk, shop-de
  ~ settings.timezone: "UTC" → "Europe/London"
  - availability[saturday 10:00-14:00]: {SATURDAY
    Sat closed; −4 h a week

shop-fr
  ~ settings.timezone: "Europe/Paris" → "Europe/London"
  - availability[saturday 10:00-14:00]: {"id": 2, SATURDAY
    Sat closed; −4 h a week

shop-pl
  - availability[monday-friday 09:00-17:30]: WEEKDAYS
  - availability[saturday 10:00-14:00]: {"id": 2, SATURDAY
    Mon-Sat closed; −46 h 30 min a week

failed shop-es
  shut.lua:2: not this one

warning shop-pl
  WARNING [hours_without_slots]

Plan: 4 agents to change, 0 unchanged, 1 failed.
]]
    local warning = "settings.working_hours_active: working hours are on, but availability has no slot: nobody is ever "
      .. "there"
    expected = expected:gsub("WEEKDAYS", weekdays):gsub("SATURDAY", saturday):gsub("WARNING", warning)
    assert.equal(expected, ran.out)
    assert.equal(0, puts())
  end)

  it("folds names to the width, and tells all to a program", function()
    local name = script("off.lua", "cfg.settings.is_active = false")
    store("shop-es", '"is_active": true', '"is_active": false')
    local lines = {}
    for line in box:run("plan off.lua --json --detailed-exitcode").out:gmatch "[^\n]+" do
      lines[#lines + 1] = json.decode(line)
    end
    assert.equal(6, #lines)
    assert.same({ planned = 4, unchanged = 1, failed = 0, skipped = 0, untouched = 0 }, lines[6].counts)
    assert.same({ "shop-uk", "planned", 1 }, { lines[1].agent, lines[1].status, lines[1].format_version })
    assert.same({ kind = "changed", path = "settings.is_active", before = true, after = false }, lines[1].changes[1])
    assert.same({ "unchanged", 0 }, { lines[5].status, #lines[5].changes })
    assert.equal(2, box:run("plan off.lua --detailed-exitcode").status)
    assert.equal(0, box:run("plan " .. name).status)
    assert.equal(0, box:run("plan off.lua --detailed-exitcode --select name=shop-es").status)
    local names = {}
    for i = 1, 400 do names[i] = ("agent-%03d"):format(i) end
    local folded = require("handoff.digest").names(names, 60)
    assert.equal("agent-001, agent-002, agent-003, agent-004 and 396 more", folded)
  end)

  it("writes what it showed, tells how to take it back, and asks nobody where nobody is", function()
    script("shut.lua", shut)
    local ran = box:run "apply shut.lua"
    assert.equal(64, ran.status)
    assert.matches("standard error is no terminal; give --yes", ran.err, 1, true)
    assert.same({}, box.box:ledger().agents)
    ran = box:run "apply shut.lua --yes --json --select name=shop-de --history one.db"
    assert.equal(0, ran.status)
    assert.matches('{"counts":{"changed":1,"failed":0,"unchanged":0},"format_version":1,"run":1,"summary":true}\n$',
      ran.out)
    ran = box:run("apply shut.lua --yes --history=one.db --inventory " .. box.inventory)
    assert.equal(0, ran.status)
    assert.matches("\nPlan: 4 agents to change, 1 unchanged, 0 failed.\n"
      .. "Run 2: 5 agents: 4 changed, 1 unchanged, 0 failed\n", ran.out, 1, true)
    assert.equal(("`handoff undo 2 --inventory %s --history one.db` takes it back\n"):format(box.inventory), ran.err)
    for _, name in ipairs(five) do
      assert.same({ "Europe/London", 1 }, { live(name).settings.timezone, #live(name).availability })
    end
    assert.equal(5, puts())
  end)

  it("says of tokens that are missing which verb names them all", function()
    box:write("mine.lua", 'return { { name = "a", token = env "NO_A" }, { name = "b", token = env "NO_B" } }')
    local ran = box:run "plan settings.is_active=true --inventory mine.lua"
    assert.equal(1, ran.status)
    assert.equal("handoff plan: mine.lua:1: a: the variable NO_A is not set; export it "
      .. "(and 1 more; `handoff doctor --offline` names all)\n", ran.err)
  end)

  it("is refused by a limit, with the flag that lets exactly that through", function()
    script("shut.lua", shut)
    local ran = box:run "apply shut.lua --yes --max-changes 5 --max-deletions 4"
    assert.equal(6, ran.status)
    assert.matches("Plan: 5 agents to change", ran.out, 1, true)
    assert.equal("handoff apply: 5 items would be deleted, at most 4 allowed; nothing was written; --max-deletions=5 "
      .. "lets exactly that through\n", ran.err)
    assert.equal(6, box:run("plan shut.lua --max-changes 79%").status)
    assert.equal(0, puts())
    assert.equal(0, box:run("apply shut.lua --yes --max-changes 100% --max-deletions=5").status)
    assert.equal(5, puts())
  end)

  it("shows of what a script raised the user's own frames", function()
    box:write("deep.lua", [[
local function zone(cfg) cfg.settings.timezone = "Nowhere/City" end
return function(cfg)
  zone(cfg)
end
]])
    local ran = box:run "plan deep.lua"
    assert.equal(1, ran.status)
    assert.matches("failed 5 agents: shop%-uk, .-\n  deep.lua:1: settings.timezone: [^\n]+\n"
      .. "    deep.lua:1: in [^\n]*zone[^\n]*\n    deep.lua:3: in the edit\n\nPlan: 0 agents", ran.out)
    assert.is_nil((ran.out .. ran.err):find("handoff/", 1, true))
  end)

  it("says what is wrong with a script that is no edit", function()
    for text, expected in pairs {
      ["return function("] = "expected near",
      ["return 1"] = "it returns a number, a function expected",
      ["local t = {} return t"] = "desired state is one table, return { … }, with nothing before it",
      ["error 'at once'"] = "broken.lua:1: at once",
      ["\27Lua"] = "it is compiled code",
    } do
      box:write("broken.lua", text)
      local ran = box:run "plan broken.lua"
      assert.equal(1, ran.status, text)
      assert.matches(expected, ran.err, 1, true)
      assert.is_nil(ran.err:find "traceback")
    end
    assert.equal(1, box:run("apply nothing.lua --yes").status)
    assert.equal(64, box:run("plan broken.lua broken.lua").status)
  end)

  it("sets values, and looks at them before anything is asked of the service", function()
    local ran = box:run "set settings.timezone=Nowhere/City --yes"
    assert.equal(64, ran.status)
    assert.matches("settings.timezone: \"Nowhere/City\" is no time zone", ran.err, 1, true)
    assert.same({}, box.box:ledger().agents)
    ran = box:run "set settings.timezone=Europe/Paris 'settings.question_message=It is?' --yes --select name~shop-?e"
    assert.equal(0, ran.status)
    assert.equal("It is?", live("shop-de").settings.question_message)
    assert.equal("UTC", live("shop-uk").settings.timezone)
  end)

  it("writes in waves, and tells of each", function()
    script("off.lua", "cfg.settings.is_active = false")
    local ran = box:run "apply off.lua --yes --waves 1,60%,100%"
    assert.equal(0, ran.status)
    assert.equal("wave 1 of 3: 1 written, 4 left, 0 failed\nwave 2 of 3: 3 written, 2 left, 0 failed\n"
      .. "`handoff undo 1` takes it back\n", ran.err)
    ran = box:run "set settings.is_active=true --yes --waves 2"
    assert.equal(5, ran.status)
    assert.matches("2 changed, 0 unchanged, 0 failed, 3 left; stopped: the waves end at 2 of 5", ran.out, 1, true)
    assert.equal("`handoff resume 2 --waves 2` goes on with it\n`handoff undo 2` takes it back\n", ran.err)
  end)

  it("stops between agents at an interrupt, and prints the command that goes on", function()
    script("stop.lua", [[
      cfg.settings.is_active = false
      if agent.name == "shop-fr" then io.popen("kill -INT $PPID"):close() end]])
    local ran = box:run "apply stop.lua --yes --concurrency 1"
    assert.equal(130, ran.status)
    assert.matches(": 5 agents: 0 changed, 0 unchanged, 0 failed, 5 left; interrupted\n$", ran.out)
    assert.equal("finishing what is in flight; Ctrl-C again ends at once\n`handoff resume 1` goes on with it\n",
      ran.err)
    assert.equal(0, puts())
  end)

  it("stops at an interrupt while the last agent is planned, too, and asks nothing any more", function()
    script("stop.lua", [[
      cfg.settings.is_active = false
      if agent.name == "shop-es" then io.popen("kill -INT $PPID"):close() end]])
    local ran = box:run "apply stop.lua --yes --concurrency 1"
    assert.equal(130, ran.status)
    assert.matches("Run 1: 5 agents: .*5 left; interrupted\n$", ran.out)
    assert.is_nil(ran.out:find "Plan:")
    assert.equal(0, puts())
  end)

  it("writes nothing where nobody reads the plan to its end", function()
    script("many.lua", [[for i = 1, 400 do
      cfg.custom_guidelines:add { name = ("%s %d"):format(agent.name, i), description = "d", is_active = true }
    end]])
    local ran = box:run("apply many.lua --yes", { after = "| head -c 1" })
    assert.equal(1, ran.status)
    assert.matches("standard output: it was closed before the plan was shown; nothing was written", ran.err, 1, true)
    assert.equal(0, puts())
    assert.is_nil(box:run("history").out:find "many.lua")
  end)

  it("says where a script raised what is no text, once for all agents, and cuts a recursion short", function()
    script("table.lua", "error {}")
    assert.matches("failed 5 agents: [^\n]+\n  an error that is a table\n    table.lua:2: in the edit\n",
      box:run("plan table.lua").out)
    box:write("deep.lua", "local function down() return 1 + down() end\nreturn function() down() end\n")
    local ran = box:run "plan deep.lua --select name=shop-uk"
    assert.equal(1, ran.status)
    assert.truthy(select(2, ran.out:gsub("deep.lua:1: in", "")) < 20)
  end)

  it("goes on with a file for those it was selected for, and names the edit that was given in place of the run's",
    function()
      box:write("shop-uk.lua", 'return { settings = { timezone = "Asia/Tokyo" } }\n')
      assert.equal(5, box:run("apply shop-uk.lua --select name=shop-de,shop-pl --yes --waves 1").status)
      local ran = box:run "resume 1 settings.timezone=Asia/Tokyo --yes --waves 0"
      assert.matches("1 agent was planned before, and what that came to is written as it is", ran.err, 1, true)
      assert.matches("`handoff resume 1 settings.timezone=Asia/Tokyo --waves 0` goes on with it", ran.err, 1, true)
      assert.equal(0, box:run("resume 1 --yes").status)
      assert.same({ "Asia/Tokyo", "Asia/Tokyo", "UTC" }, {
        live("shop-de").settings.timezone, live("shop-pl").settings.timezone, live("shop-uk").settings.timezone,
      })
    end)

  it("speaks of flags, not of the library's options, to people and to programs", function()
    script("off.lua", "cfg.settings.is_active = false")
    box.box:faults { { method = "PUT", fault = "status", status = 429, retry_after = 500, times = "always" } }
    for _, json_flag in ipairs { "", " --json" } do
      local ran = box:run("apply off.lua --yes --select name=shop-uk" .. json_flag)
      assert.matches("raise --deadline (120 s for the whole)", ran.out, 1, true)
    end
    box.box:faults {}
  end)

  describe("from a saved plan", function()
    before_each(function()
      script("shut.lua", shut)
      local ran = box:run "plan shut.lua -o x.plan"
      assert.same({ 0, "the plan is saved; `handoff apply x.plan` applies it\n" }, { ran.status, ran.err })
    end)

    it("skips and names the agents that somebody changed since, and leaves what is there already", function()
      store("shop-fr", "Shall I", "May I")
      store("shop-pl", "false}", "true}") -- what the service derives is no edit
      local ran = box:run "apply x.plan --yes"
      assert.equal(5, ran.status)
      assert.matches("\nskipped shop-fr\n  settings.question_message: somebody changed this since", ran.out, 1, true)
      assert.matches("Plan: 4 agents to change, 0 unchanged, 0 failed, 1 skipped.\n"
        .. "Run 1: 5 agents: 4 changed, 0 unchanged, 0 failed, 1 skipped\n$", ran.out)
      local _, times = box:run("show 1").out:gsub("shop%-fr", "")
      assert.equal(1, times)
      assert.equal("UTC", live("shop-fr").settings.timezone)
      assert.equal("Europe/London", live("shop-pl").settings.timezone)
      ran = box:run "apply x.plan --yes --select name!=shop-fr"
      assert.equal(0, ran.status)
      assert.matches("Plan: 0 agents to change, 4 unchanged, 0 failed.", ran.out, 1, true)
    end)

    it("holds nothing of a token, is its owner's alone, and replaces another one only once it is whole", function()
      local text = box:read "x.plan"
      for _, agent in ipairs(box.box.agents) do
        for piece in agent.token:gmatch "[^.]+" do assert.is_nil(text:find(piece, 1, true)) end
      end
      local program = require "support.program"
      assert.matches("^%-rw%-%-%-%-%-%-%- ", program.run("ls -l " .. program.quote(box.folder .. "/x.plan")))
      box:run "plan shut.lua -o x.plan --max-changes 1"
      assert.equal(text, box:read "x.plan")
      assert.is_nil(io.open(box.folder .. "/x.plan.part"))
      assert.equal(64, box:run("plan shut.lua -o x").status)
      assert.matches("cannot be written: No such file", box:run("plan shut.lua -o none/x.plan").err, 1, true)
    end)

    it("that changes nothing is done at once; the command that applies one has the flags that it needs", function()
      local ran = box:run "plan settings.is_active=true -o y.plan --allow-duplicates --base-url $HANDOFF_BASE_URL"
      assert.equal(("the plan is saved; `handoff apply y.plan --base-url %s --allow-duplicates` applies it\n"):format(
        box.box.base_url), ran.err)
      ran = box:run "apply y.plan --yes --select tier=gold"
      assert.same({ 0, "Plan: 0 agents to change, 0 unchanged, 0 failed.\n", "" }, { ran.status, ran.out, ran.err })
      assert.is_nil(box:run("history").out:find "y.plan")
    end)

    it("is refused where it is not whole, or a name means another agent by now", function()
      local text, inventory = box:read "x.plan", box:read "agents.lua"
      for wrong, expected in pairs {
        [text:gsub("[^\n]*\n$", "")] = "x.plan: its end is missing",
        [text:gsub("\n[^\n]*", "", 1)] = "x.plan:6: agents of it are missing",
        ["{}\n"] = "x.plan:1: this is no saved plan",
        [text:gsub('"format_version":1', '"format_version":9', 1)] = "in a form that this version does not read",
        [""] = "the file is empty",
      } do
        box:write("x.plan", wrong)
        local ran = box:run "apply x.plan --yes"
        assert.equal(1, ran.status, expected)
        assert.matches(expected, ran.err, 1, true)
      end
      for _, written in ipairs { "", '\\"timezone\\":null,' } do
        box:write("x.plan", (text:gsub('("meant":"[^\n]-)\\"timezone\\":\\"Europe/London\\",?', "%1" .. written)))
        local ran = box:run "apply x.plan --yes"
        assert.matches("settings.timezone: the plan takes this away, as no edit can", ran.out, 1, true)
      end
      box:write("x.plan", text)
      local swapped = inventory:gsub("shop%-uk", "other"):gsub("shop%-de", "shop-uk"):gsub("other", "shop-de")
      box:write("agents.lua", swapped)
      local ran = box:run "apply x.plan --yes"
      box:write("agents.lua", inventory)
      assert.equal(1, ran.status)
      assert.matches("it was scenario .- when the plan was made and is scenario .- now, nothing was written", ran.err)
      assert.equal(0, puts())
    end)
  end)

  it("holds files against what is live, and names the agents without one", function()
    assert.equal(0, box:run("pull live").status)
    assert.same({ 0, "Plan: 0 agents to change, 5 unchanged, 0 failed.\n" },
      { box:run("diff live").status, box:run("diff live").out })
    os.remove(box.folder .. "/live/shop-es.lua")
    box:write("live/shop-uk.lua", '-- one thing only\nreturn { settings = { timezone = "Europe/London" } }\n')
    local ran = box:run "diff live"
    assert.same({ 2, "1 agent has no file in live: shop-es; `handoff pull live` writes one\n" },
      { ran.status, ran.err })
    assert.equal('shop-uk\n  ~ settings.timezone: "UTC" → "Europe/London"\n\n'
      .. "Plan: 1 agent to change, 3 unchanged, 0 failed.\n", ran.out)
    assert.equal(0, box:run("apply live/shop-uk.lua --yes --select name=shop-pl").status)
    assert.same({ "Europe/London", "UTC" }, { live("shop-pl").settings.timezone, live("shop-uk").settings.timezone })
    for _, data in ipairs { "return{}", "--[[ a\n]] return --[=[ b ]] ]=] --c\n { }" } do
      box:write("data.lua", data)
      assert.matches("Plan: 0 agents", box:run("plan data.lua --select name=shop-uk").out, 1, true)
    end
    box:write("code.lua", "return -- {\nfunction(cfg) cfg.settings.is_active = false end")
    assert.matches("Plan: 1 agent ", box:run("plan code.lua --select name=shop-uk").out, 1, true)
    box:write("live/nobody.lua", "return {}\n")
    assert.equal(64, box:run("diff live").status)
    ran = box:run "diff none"
    assert.same({ 1, "handoff diff: none: cannot be read: No such file or directory; "
      .. "`handoff pull none` writes a folder\n" }, { ran.status, ran.err })
  end)
end)
