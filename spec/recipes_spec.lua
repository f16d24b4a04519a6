-- SPDX-License-Identifier: MIT
-- The examples as an operator calls them, in a folder with an inventory, against a sandbox: what each did to the agents, what it
-- printed, how it ended. All share one sandbox, whose documents are put back before each.
local handoff = require "handoff"
local lfs = require "lfs"
local program = require "support.program"
local support = require "support.sandbox"

local here = lfs.currentdir()
local recipes = here .. "/examples/recipes/"
-- A sanitizer that this process was started with is for Lua alone, not for git and the like.
local preload = os.getenv "LD_PRELOAD"
local preloaded = preload and "env LD_PRELOAD=" .. program.quote(preload) .. " " or ""
local lua = preloaded .. program.lua
local names = { "shop-uk", "shop-de", "shop-us" } -- two in the region eu, one in us

local box, tools, originals
local folder, env

setup(function()
  box = support.start { agents = 6, no_rate_limit = true }
  originals = box:documents()
  tools = program.folder()
  program.write(tools .. "/handoff", "#!/bin/sh\nexec " .. preloaded .. program.handoff .. ' "$@"\n')
  program.run("chmod +x " .. tools .. "/handoff")
end)

teardown(function()
  box:stop()
  program.remove(tools)
end)

local function write(name, text) return program.write(folder .. "/" .. name, text) end

local function read(name)
  local file = assert(io.open(folder .. "/" .. name))
  local text = file:read "*a"
  file:close()
  return text
end

-- The agents as an inventory has them, those of these names.
local function entries(wanted, token)
  local list = {}
  for i, name in ipairs(wanted) do
    local agent = box.agents[name]
    list[i] = ('{ name = "%s", token = %s, tags = { region = "%s" } }'):format(name, token and token(name)
      or ("%q"):format(agent.token), agent.tags.region)
  end
  return "return {\n" .. table.concat(list, ",\n") .. "\n}\n"
end

before_each(function()
  folder = program.folder()
  env = {
    HANDOFF_BASE_URL = box.base_url, HANDOFF_TOKEN = box.agents["shop-uk"].token, XDG_STATE_HOME = folder .. "/state",
    PATH = tools .. ":" .. os.getenv "PATH", HOME = folder,
    GIT_AUTHOR_NAME = "ops", GIT_AUTHOR_EMAIL = "ops@example.com", GIT_COMMITTER_NAME = "ops",
    GIT_COMMITTER_EMAIL = "ops@example.com", GIT_CONFIG_NOSYSTEM = "1", LD_PRELOAD = false,
  }
  box:restore(originals)
  write("agents.lua", entries(names))
end)

after_each(function() program.remove(folder) end)

-- ---- what is called, and what is there then ------------------------------------------------------------------------------

local function in_folder(line, more)
  local all = {}
  for name, value in pairs(env) do all[name] = value end
  for name, value in pairs(more or {}) do all[name] = value end
  return program.run(("cd %s && %s"):format(folder, line), all)
end

-- Runs it; it is to end with that status → what it printed.
local function ends(status, line, more)
  local output, ended = in_folder(line, more)
  assert.equal(status, ended, output)
  return output
end

local function script(words) return lua .. " " .. recipes .. words end
local function shell(words) return recipes .. words end
local function apply(words) return "handoff apply " .. recipes .. words .. " --yes" end

local function says(text, output) assert.truthy(output:find(text, 1, true), output) end

-- The configurations that are live: in the order of `names`, and by name.
local function live()
  local all = {}
  for i, name in ipairs(names) do
    all[i] = assert(handoff.config(box:document(name)))
    all[name] = all[i]
  end
  return all
end

local function without_ids(text) return (text:gsub('"id":%d+,', "")) end

local function contents(wanted)
  local list = {}
  for i, name in ipairs(wanted or names) do list[i] = without_ids(assert(handoff.config(box:document(name))):json()) end
  return list
end

-- An edit by somebody else, who goes past us.
local function edit(name, fn)
  local cfg = assert(handoff.config(box:document(name)))
  fn(cfg)
  box:store(name, cfg:text())
end

local function hours(cfg) return tostring(handoff.week(cfg.availability)) end

-- The service refuses these requests of one agent, until `box:faults {}`.
local function refuse(method)
  finally(function() box:faults {} end)
  box:faults { { fault = "status", status = 400, agent = "shop-us", method = method } }
end

local tried = {}
local function recipe(name, what, fn)
  tried[name] = true
  it(("%s %s"):format(name, what), fn)
end

-- ---- hours ---------------------------------------------------------------------------------------------------------------

describe("the recipe", function()
  recipe("enable_handoff.lua", "turns one agent's handoff on", function()
    assert.matches("^changed\n  ~ settings.is_active: false → true\n", ends(0, script "enable_handoff.lua"))
    assert.is_true(live()[1].settings.is_active)
    assert.matches("^unchanged\n", ends(0, script "enable_handoff.lua"))
    local refused = "eyJhbGciOiJIUzI1NiJ9.eyJzY2VuYXJpb19pZCI6MX0.x"
    local output = ends(1, script "enable_handoff.lua", { HANDOFF_TOKEN = refused })
    assert.equal(1, select(2, output:gsub("\n", "")), output)
    assert.is_nil(output:find(refused, 1, true))
  end)

  recipe("weekday_hours.lua", "gives every agent the same week", function()
    ends(0, script "weekday_hours.lua agents.lua")
    for _, cfg in ipairs(live()) do
      assert.equal("mon-thu 09:00-17:30, fri 09:00-16:00", hours(cfg))
      assert.is_true(cfg.settings.working_hours_active)
    end
    says("3 agents: 0 changed, 3 unchanged, 0 failed", ends(0, script "weekday_hours.lua agents.lua"))
  end)

  recipe("change_hours.lua", "adds a saturday morning and takes lunch out, whatever hours there were", function()
    local saturday, lunch = handoff.week "sat 10:00-12:30, sat 13:30-14:00", handoff.week "daily 12:30-13:30"
    local before = live()
    ends(0, apply "change_hours.lua")
    for i, cfg in ipairs(live()) do
      assert.equal(tostring(handoff.week(before[i].availability):add(saturday):subtract(lunch)), hours(cfg))
    end
    says("0 agents to change, 3 unchanged", ends(0, apply "change_hours.lua"))
  end)

  recipe("holiday_hours.lua", "gives a holiday's hours while it lasts, and takes only these back", function()
    write("holidays.txt", "2026-12-24 2026-12-26 closed\n2026-12-27 2026-12-27 daily 09:00-13:00\n\n")
    local function on(day) return ends(0, script("holiday_hours.lua agents.lua holidays.txt " .. day)) end
    local before = contents()
    assert.equal("", on "2026-12-23")
    says("3 agents: 3 changed", on "2026-12-24")
    for _, cfg in ipairs(live()) do assert.equal("closed", hours(cfg)) end
    assert.equal("", on "2026-12-25")
    edit("shop-de", function(cfg) cfg.settings.question_message = "Ein Mensch?" end)
    on "2026-12-27"
    for _, cfg in ipairs(live()) do assert.equal("mon-sun 09:00-13:00", hours(cfg)) end
    on "2026-12-28"
    assert.equal("", on "2026-12-29")
    assert.equal("Ein Mensch?", live()["shop-de"].settings.question_message)
    edit("shop-de", function(cfg)
      cfg.settings.question_message = handoff.config(originals["shop-de"]).settings.question_message
    end)
    assert.same(before, contents())
    write("holidays.txt", "2026-12-26 2026-12-24 closed\n")
    says("a line of first day, last day", ends(1, script "holiday_hours.lua agents.lua holidays.txt 2026-12-25"))
    says("today is a date", ends(1, script "holiday_hours.lua agents.lua holidays.txt tomorrow"))
  end)

  it("holiday_hours.lua takes back what was not taken back by hand", function()
    write("holidays.txt", "2026-12-24 2026-12-26 closed\n")
    local before = contents()
    local function on(day) return ends(0, script("holiday_hours.lua agents.lua holidays.txt " .. day)) end
    on "2026-12-24"
    ends(0, "handoff undo 1 --yes --select name=shop-uk")
    ends(6, "handoff undo 1 --yes --max-changes 1") -- what was stopped and done since is done, too
    ends(0, "handoff undo 1 --yes --select name=shop-de")
    edit("shop-de", function(cfg) cfg.availability = handoff.week "mon 10:00-12:00" end)
    says("1 agent: 1 changed", on "2026-12-27")
    assert.equal("mon 10:00-12:00", hours(live()["shop-de"]))
    box:store("shop-de", originals["shop-de"])
    assert.same(before, contents())
    assert.equal("", on "2026-12-28")
  end)

  it("holiday_hours.lua goes on the next time with what failed", function()
    write("holidays.txt", "2026-12-24 2026-12-26 closed\n")
    local function on(status, day)
      return ends(status, script("holiday_hours.lua agents.lua holidays.txt " .. day))
    end
    local before = contents()
    refuse "PUT"
    says("2 changed, 0 unchanged, 1 failed", on(1, "2026-12-24"))
    box:faults {}
    says("3 changed, 0 unchanged, 0 failed (2 of them earlier)", on(0, "2026-12-24"))
    refuse "PUT"
    says("2 changed, 0 unchanged, 1 failed", on(1, "2026-12-27"))
    box:faults {}
    on(0, "2026-12-27")
    assert.same(before, contents())
  end)

  it("holiday_hours.lua gives agents that are new, or another inventory's, a holiday's hours, too", function()
    write("holidays.txt", "2026-12-24 2026-12-26 closed\n")
    write("us.lua", entries { "shop-us" })
    write("agents.lua", entries { "shop-uk" })
    local before = contents()
    local function on(day, inventory)
      return ends(0, script(("holiday_hours.lua %s.lua holidays.txt %s"):format(inventory, day)))
    end
    write("us.lua", entries({ "shop-us" }, function() return ("%q"):format(box.agents["shop-de"].token) end))
    says("1 agent: 1 changed", on("2026-12-24", "us")) -- by mistake
    ends(0, "handoff undo 1 --yes --inventory us.lua")
    write("us.lua", entries { "shop-us" })
    says("1 agent: 1 changed", on("2026-12-24", "agents"))
    says("1 agent: 1 changed", on("2026-12-24", "us"))
    write("agents.lua", entries { "shop-uk", "shop-de" })
    says("1 agent: 1 changed", on("2026-12-25", "agents"))
    for _, cfg in ipairs(live()) do assert.equal("closed", hours(cfg)) end
    assert.equal("", on("2026-12-26", "agents"))
    on("2026-12-27", "agents")
    on("2026-12-27", "us")
    assert.same(before, contents())
  end)

  it("holiday_hours.lua says so where a line goes whose hours agents have", function()
    write("holidays.txt", "2026-12-24 2026-12-26 closed\n")
    local function on(status) return ends(status, script "holiday_hours.lua agents.lua holidays.txt 2026-12-25") end
    local before = contents()
    on(0)
    for _, text in ipairs { "", "2026-12-24 2026-12-26 daily 09:00-13:00\n" } do
      write("holidays.txt", text)
      says("holiday 2026-12-24: closed: holidays.txt has no such line any more, and agents still have its hours; "
        .. "put the line back, or take them back: handoff undo 1\n", on(1))
      for _, cfg in ipairs(live()) do assert.equal("closed", hours(cfg)) end
    end
    ends(0, "handoff undo 1 --yes")
    says("3 agents: 3 changed", on(0))
    for _, cfg in ipairs(live()) do assert.equal("mon-sun 09:00-13:00", hours(cfg)) end
    ends(0, script "holiday_hours.lua agents.lua holidays.txt 2026-12-28")
    assert.same(before, contents())
  end)

  recipe("seasonal_hours.lua", "follows the date", function()
    ends(0, apply "seasonal_hours.lua", { TODAY = "2027-06-15" })
    assert.equal("mon-fri 08:00-20:00, sat 09:00-16:00", hours(live()[1]))
    ends(0, apply "seasonal_hours.lua", { TODAY = "2027-10-01" })
    for _, cfg in ipairs(live()) do assert.equal("mon-fri 09:00-17:30", hours(cfg)) end
    says("TODAY is a date", ends(1, apply "seasonal_hours.lua", { TODAY = "tomorrow" }))
  end)

  recipe("follow_the_team.lua", "keeps the team's hours when clocks change on other days elsewhere", function()
    local function at(day)
      ends(0, apply "follow_the_team.lua", { TODAY = day })
      local all = live()
      return { hours(all["shop-uk"]), hours(all["shop-de"]), hours(all["shop-us"]) }
    end
    local uk, de = "mon-fri 08:00-16:30", "mon-fri 09:00-17:30"
    assert.same({ uk, de, "mon-fri 03:00-11:30" }, at "2027-03-01")
    assert.same({ uk, de, "mon-fri 04:00-12:30" }, at "2027-03-20") -- New York has changed, Berlin has not
    assert.same({ uk, de, "mon-fri 03:00-11:30" }, at "2027-04-01")
    box:store("shop-us", (box:document("shop-us"):gsub('"timezone":"[^"]+"', '"timezone":null')))
    says("failed shop-us\n  it has no zone", ends(5, apply "follow_the_team.lua", { TODAY = "2027-04-01" }))
  end)

  recipe("hours_from_csv.lua", "gives each region its zone and hours", function()
    write("hours.csv", 'region,timezone,hours\neu,Europe/Paris,mon-fri 09:00-17:30\n'
      .. 'apac,Asia/Tokyo,"mon-fri 9-18, sat 10-14"\r\n\r\n')
    local before = originals["shop-us"]
    ends(0, apply "hours_from_csv.lua", { HOURS = "hours.csv" })
    local all = live()
    assert.same({ "Europe/Paris", "mon-fri 09:00-17:30" }, { all["shop-uk"].settings.timezone, hours(all["shop-uk"]) })
    assert.equal(before, box:document "shop-us")
    write("hours.csv", "eu,Europe/Paris\n")
    says("a line of region,timezone,hours expected: eu,Europe/Paris", ends(1, apply "hours_from_csv.lua", {
      HOURS = "hours.csv" }))
    says("HOURS names the table", ends(1, apply "hours_from_csv.lua"))
  end)

  recipe("publish_hours.lua", "writes a page, a picture and a calendar that name every agent", function()
    ends(0, script "weekday_hours.lua agents.lua")
    says(".: 3 agents\nnobody is there (UTC): ", ends(0, script "publish_hours.lua agents.lua ."))
    for _, file in ipairs { "hours.html", "hours.svg", "hours.ics" } do
      for _, name in ipairs(names) do says(name, read(file)) end
    end
  end)

  -- ---- texts and routing -------------------------------------------------------------------------------------------------

  recipe("add_guideline.lua", "adds it once, to those that are selected", function()
    ends(0, apply "add_guideline.lua --select region=us")
    local all = live()
    assert.is_true(all["shop-us"].custom_guidelines:find { name = "Refund over 500" }.is_active)
    assert.same({ originals["shop-uk"], originals["shop-de"] }, { box:document "shop-uk", box:document "shop-de" })
    says("0 agents to change, 1 unchanged", ends(0, apply "add_guideline.lua --select region=us"))
  end)

  recipe("replace_phrase.lua", "replaces it in texts, wherever it stands, and shows that first", function()
    edit("shop-uk", function(cfg)
      cfg.settings.question_message = "Ask 100% Acme?"
      cfg.custom_guidelines:add { name = "100% Acme", description = "Of 100% Acme.", is_active = true }
      cfg.settings.keywords:add "100% Acme"
    end)
    box:store("shop-us", (box:document("shop-us"):gsub('("question_message":)"[^"]+"', "%1null")))
    local before = box:document "shop-uk"
    local words = { OLD = "100% Acme", NEW = "50% %1" }
    local plan = ends(0, "handoff plan " .. recipes .. "replace_phrase.lua", words)
    says('~ settings.question_message: "Ask 100% Acme?" → "Ask 50% %1?"', plan)
    says("Plan: 1 agent to change, 2 unchanged", plan)
    assert.equal(before, box:document "shop-uk")
    ends(0, apply "replace_phrase.lua", words)
    local cfg = live()[1]
    assert.equal("Ask 50% %1?", cfg.settings.question_message)
    assert.equal("Of 50% %1.", cfg.custom_guidelines:find { name = "100% Acme" }.description)
    assert.truthy(cfg.settings.keywords:find "100% Acme")
    says("set both: OLD=", ends(1, apply "replace_phrase.lua", { OLD = "x" }))
  end)

  recipe("route_billing.lua", "names the operators where handoff is on", function()
    ends(0, apply "route_billing.lua --select name=shop-uk")
    assert.equal(originals["shop-uk"], box:document "shop-uk")
    ends(0, script "enable_handoff.lua")
    ends(0, apply("route_billing.lua --test " .. here .. "/examples/policy/routing.lua"))
    for _, cfg in ipairs(live()) do
      local ids = cfg.routing_profiles:find { name = "Billing" }.user_ids
      assert.same({ 7, 8 }, { ids[1], ids[2] })
    end
  end)

  recipe("clone_routing.sh", "gives others one agent's profiles, with ids of their own", function()
    ends(0, shell "clone_routing.sh shop-uk --select 'region=eu name!=shop-uk' --yes")
    local function profiles(name)
      return without_ids(handoff.json.encode(live()[name]:plain().routing_profiles))
    end
    assert.equal(profiles "shop-uk", profiles "shop-de")
    assert.not_equal(live()["shop-uk"].routing_profiles[1].id, live()["shop-de"].routing_profiles[1].id)
    assert.equal(originals["shop-us"], box:document "shop-us")
    says("no agent of", ends(64, shell "clone_routing.sh shop-xx --select region=us --yes"))
    says("with --select the file is for those that are selected", ends(64, shell "clone_routing.sh shop-uk --yes"))
  end)

  it("clone_routing.sh can be gone on with, and leaves nothing once it is done", function()
    ends(0, "mkdir tmp")
    local function clone(status, words)
      return ends(status, shell("clone_routing.sh shop-uk --yes --select " .. words), { TMPDIR = folder .. "/tmp" })
    end
    refuse "PUT"
    says("clone.json stays", clone(5, "name!=shop-uk"))
    box:faults {}
    says("2 changed, 0 unchanged, 0 failed (1 of them earlier)", ends(0, "handoff resume 1 --yes"))
    ends(0, "rm -r tmp/*")
    clone(0, "name!=shop-uk")
    clone(64, "region=xx")
    assert.equal("", ends(0, "ls tmp"))
  end)

  recipe("oncall_rotation.lua", "notifies one operator after the other, a week each", function()
    edit("shop-de", function(cfg)
      cfg.routing_profiles:add { name = "Urgent", description = "It cannot wait.", is_active = true, user_ids = { 1 } }
    end)
    local seen = {}
    for i, day in ipairs { "2027-03-15", "2027-03-21", "2027-03-22", "2027-03-29", "2027-04-05" } do
      ends(0, apply "oncall_rotation.lua", { ONCALL = "7 8 12", TODAY = day })
      local ids = live()["shop-de"].routing_profiles:find { name = "Urgent" }.user_ids
      assert.equal(1, #ids)
      seen[i] = ids[1]
    end
    assert.equal(seen[1], seen[2])
    assert.equal(seen[1], seen[5])
    assert.equal(7 + 8 + 12, seen[1] + seen[3] + seen[4])
    assert.equal(originals["shop-uk"], box:document "shop-uk")
  end)

  recipe("onboard_agent.lua", "makes an agent of the template, held against the policies, and again of it", function()
    local words = "onboard_agent.lua --select name=shop-us --test " .. here .. "/examples/policy"
    ends(0, apply(words))
    local cfg = live()["shop-us"]
    assert.equal("mon-fri 09:00-18:00, sat 10:00-14:00", hours(cfg))
    assert.equal("desk@shop-us.example", cfg.settings.emails[1])
    says("0 agents to change, 1 unchanged", ends(0, apply(words)))
    write("agents.lua", entries({ "shop-us" }):gsub('"us"', '"mars"'))
    says("its tag region is none of the template's", ends(1, apply(words)))
  end)

  -- ---- with care ---------------------------------------------------------------------------------------------------------

  recipe("incident_switch.lua", "turns all off, and those on again that were on", function()
    local before = contents()
    local function switch(words) return ends(0, script("incident_switch.lua agents.lua " .. words)) end
    switch "off region=us"
    switch "off"
    for _, cfg in ipairs(live()) do assert.is_false(cfg.settings.is_active) end
    switch "on"
    local all = live()
    for i, on in ipairs { false, true, false } do assert.equal(on, all[i].settings.is_active) end
    switch "off"
    switch "off" -- once more, as one does then
    switch "on"
    switch "on region=us"
    assert.same(before, contents())
    assert.equal("nothing is left to switch on\n", switch "on")
    says("incident region=eu: no run", ends(1, script "incident_switch.lua agents.lua on region=eu"))
    ends(64, script "incident_switch.lua agents.lua of")
  end)

  it("incident_switch.lua turns on what was not turned on by hand", function()
    local before = contents()
    ends(0, script "incident_switch.lua agents.lua off")
    ends(0, "handoff undo 1 --yes --select name=shop-de")
    says("1 agent: 1 changed", ends(0, script "incident_switch.lua agents.lua on"))
    assert.same(before, contents())
    assert.equal("nothing is left to switch on\n", ends(0, script "incident_switch.lua agents.lua on"))
  end)

  it("incident_switch.lua turns on what it can where a run was of other agents of these names", function()
    edit("shop-fr", function(cfg) cfg.settings.is_active = true end)
    local before = contents()
    ends(0, script "incident_switch.lua agents.lua off")
    write("rehearsal.lua", entries({ "shop-uk" }, function() return ("%q"):format(box.agents["shop-fr"].token) end))
    says("1 agent: 1 changed", ends(0, script "incident_switch.lua rehearsal.lua off"))
    says("shop-uk: it was scenario ", ends(1, script "incident_switch.lua agents.lua on"))
    assert.same(before, contents())
  end)

  recipe("staged_rollout.lua", "goes on while the gate lets it, and can be gone on with", function()
    local words = "staged_rollout.lua agents.lua " .. recipes .. "add_guideline.lua "
    local output = ends(1, script(words .. "false"))
    says("wave 1 of 2: 1 written, 2 left\n", output)
    says("stopped by the script after wave 1 of 2; 2 left untouched", output)
    ends(0, "handoff resume 1 --yes")
    for _, cfg in ipairs(live()) do assert.truthy(cfg.custom_guidelines:find { name = "Refund over 500" }) end
    ends(0, "handoff undo 1 --yes")
    says("3 agents: 3 changed", ends(0, script(words .. "true")))
  end)

  recipe("guarded_apply.sh", "writes only what passes, and holds what is live against the policy", function()
    write("policy.lua", 'it("asks", function(agent) expect(agent):says("question", "?") end)\n')
    local words = "guarded_apply.sh policy.lua --yes --select region=eu "
    says("nothing was written", ends(1, shell(words .. "settings.question_message=Shall-we")))
    assert.equal(originals["shop-uk"], box:document "shop-uk")
    ends(0, shell(words .. "'settings.question_message=Shall we?'"))
    assert.equal("Shall we?", live()[1].settings.question_message)
    edit("shop-us", function(cfg) cfg.settings.question_message = "No" end)
    says("what is live fails", ends(1, shell(words .. "'settings.question_message=Or not?'")))
  end)

  recipe("ci_job.sh", "saves what a change would do, and applies just that where nobody edited since", function()
    ends(0, "handoff pull config")
    write("config/shop-uk.lua", 'return { settings = { timezone = "Europe/Dublin" } }\n')
    write("config/shop-de.lua", 'return { settings = { timezone = "Europe/Vienna" } }\n')
    says("at most 0 allowed", ends(6, shell "ci_job.sh plan config handoff.plan"))
    says("Plan: 2 agents to change", ends(0, shell "ci_job.sh plan config handoff.plan", { MAX_CHANGES = "2" }))
    edit("shop-de", function(cfg) cfg.settings.timezone = "Europe/Zurich" end)
    says("config: this is no saved plan", ends(64, shell "ci_job.sh apply config"))
    ends(5, shell "ci_job.sh apply handoff.plan")
    local all = live()
    assert.same({ "Europe/Dublin", "Europe/Zurich" }, { all[1].settings.timezone, all[2].settings.timezone })
    write("config/shop-uk.lua", 'return { settings = { timezone = "Europe/Dublinn" } }\n')
    ends(1, shell "ci_job.sh plan config broken.plan")
    assert.is_nil(lfs.attributes(folder .. "/broken.plan"))
  end)

  recipe("take_back.lua", "lists the runs, and takes one back, for one agent or for all", function()
    local before = contents()
    ends(0, script "weekday_hours.lua agents.lua")
    assert.matches('^run 1: update "weekday_hours", [^\n]+, finished: 3 changed\n$',
      ends(0, script "take_back.lua agents.lua"))
    says("1 agent: 1 changed", ends(0, script "take_back.lua agents.lua 1 name=shop-de"))
    assert.equal(before[2], contents()[2])
    assert.not_equal(before[1], contents()[1])
    ends(0, script "take_back.lua agents.lua 1")
    assert.same(before, contents())
  end)

  recipe("resume_killed.sh", "goes on with a run that was killed, and edits nothing twice", function()
    write("edit.lua", [[return function(cfg) cfg.settings.question_message = cfg.settings.question_message .. "!" end]])
    write("killed.lua", [[
      local puts = 0
      require("handoff").fleet("agents.lua"):update(dofile "edit.lua", { edit = "edit.lua", concurrency = 1,
        on_put = function()
          puts = puts + 1
          if puts == 2 then os.execute "kill -9 $PPID" end
          return true
        end })]])
    in_folder(lua .. " killed.lua; true")
    says("interrupted", ends(0, "handoff history"))
    ends(0, shell "resume_killed.sh")
    for _, name in ipairs(names) do
      assert.equal(handoff.config(originals[name]).settings.question_message .. "!",
        live()[name].settings.question_message)
    end
    assert.equal("", ends(0, shell "resume_killed.sh"))
  end)

  -- ---- files, tokens and inventories -------------------------------------------------------------------------------------

  recipe("backup.sh", "keeps all that can be edited, and brings it back", function()
    local before = contents()
    ends(0, shell "backup.sh backups")
    local backup = ends(0, "ls -d backups/*"):gsub("\n", "")
    assert.matches("^backups/%d%d%d%d%-%d%d%-%d%dT%d+Z$", backup)
    ends(0, "handoff set 'routing_profiles=[]' availability=closed settings.timezone=UTC --yes")
    ends(0, ("handoff apply %s --yes"):format(backup))
    assert.same(before, contents())
    refuse "GET"
    ends(5, shell "backup.sh incomplete")
    box:faults {}
    assert.matches("%.part\n$", ends(0, "ls incomplete"))
    write("date", "#!/bin/sh\necho 2026-11-23T093000Z\n")
    ends(0, "chmod +x date && PATH=.:$PATH " .. shell "backup.sh twice")
    says("there is a backup of this second already", ends(1, "PATH=.:$PATH " .. shell "backup.sh twice"))
    assert.equal("2026-11-23T093000Z\n", ends(0, "ls twice"))
    ends(0, "mkdir twice/2024 twice/2024-01-31T093000Z && touch -d 2024-02-01 twice/2024*")
    ends(0, "mv twice/2026* .")
    ends(0, "PATH=.:$PATH " .. shell "backup.sh twice")
    assert.equal("2024\n2026-11-23T093000Z\n", ends(0, "ls twice"))
    ends(0, "mkdir other other/2026-11-23T093000Z.part")
    says("already", ends(1, "PATH=.:$PATH " .. shell "backup.sh other")) -- the other one is at work
    assert.equal("", ends(0, "ls other/*"))
  end)

  recipe("git_state.sh", "records what is live, and writes what was committed", function()
    ends(0, "git init -q repository && cp agents.lua repository")
    local function git_state(status, words)
      return ends(status, ("cd repository && %s"):format(shell("git_state.sh " .. words)))
    end
    local function commits() return tonumber(ends(0, "git -C repository rev-list --count HEAD")) end
    git_state(0, "record")
    git_state(0, "record")
    assert.equal(1, commits())
    assert.equal("", ends(0, "find repository/config repository/.git/objects -type f -perm /077")) -- what holds documents
    git_state(0, "review")
    ends(0, "sed -i s,Europe/London,Europe/Dublin, repository/config/shop-uk.lua")
    says('~ settings.timezone: "Europe/London" → "Europe/Dublin"', git_state(2, "review"))
    says("config has edits that are not committed", git_state(1, "apply"))
    ends(0, "git -C repository commit -qam 'Move to Dublin'")
    git_state(0, "apply")
    assert.equal("Europe/Dublin", live()[1].settings.timezone)
    assert.equal(2, commits())
    edit("shop-us", function(cfg) cfg.settings.timezone = "UTC" end)
    git_state(0, "record")
    assert.equal(3, commits())
  end)

  it("git_state.sh loses no edit that is not committed, nor one of an agent that is not selected", function()
    ends(0, "git init -q repository && cp agents.lua repository")
    local function git_state(status, words, more)
      return ends(status, ("cd repository && %s"):format(shell("git_state.sh " .. words)), more)
    end
    refuse "GET"
    git_state(5, "record")
    box:faults {}
    git_state(0, "record") -- what could be read then was committed
    ends(0, "sed -i s,Europe/,Asia/, repository/config/shop-de.lua")
    says("config has edits that are not committed", git_state(1, "record"))
    ends(0, "sed -i s,Europe/London,Europe/Dublin, repository/config/shop-uk.lua")
    ends(0, "sed -i s,Asia/Berlin,Europe/Vienna, repository/config/shop-de.lua")
    ends(0, "git -C repository commit -qam 'Move two'")
    git_state(0, "apply", { HANDOFF_SELECT = "name=shop-uk" })
    assert.equal("Europe/Dublin", live()["shop-uk"].settings.timezone)
    says("Europe/Vienna", read "repository/config/shop-de.lua")
    git_state(0, "apply")
    assert.equal("Europe/Vienna", live()["shop-de"].settings.timezone)
  end)

  it("git_state.sh writes nothing where there is no repository", function()
    ends(0, "handoff pull config && sed -i s,Europe/London,Europe/Dublin, config/shop-uk.lua")
    says("not a git repository", ends(128, shell "git_state.sh apply", { GIT_CEILING_DIRECTORIES = "/" }))
    assert.equal(originals["shop-uk"], box:document "shop-uk")
  end)

  recipe("rotate_tokens.lua", "takes new tokens once all of them are good, and for the same agents", function()
    ends(0, "mkdir tokens tokens.new")
    for _, name in ipairs(names) do write("tokens/" .. name, box.agents[name].token) end
    write("agents.lua", entries(names, function(name) return ('file "tokens/%s"'):format(name) end))
    local uk, de = box:issue "shop-uk", box:issue "shop-de"
    local function rotate(status) return ends(status, script "rotate_tokens.lua agents.lua tokens tokens.new") end
    says("tokens.new: no file in it has the name of an agent", rotate(1))
    write("tokens.new/shop-uk", uk)
    write("tokens.new/shop-de", box:issue "shop-us")
    local output = rotate(1)
    says("shop-de: the new token is another agent's\nno token was replaced\n", output)
    assert.is_nil(output:find("eyJ", 1, true))
    write("tokens.new/shop-de", "")
    says("shop-de: the new token does not say whose it is", rotate(1))
    write("tokens.new/shop-de", de .. "x")
    says("shop-de: ", rotate(1))
    write("tokens.new/shop-de", de)
    ends(0, "mkdir elsewhere")
    says("shop-uk: elsewhere has no token of it", ends(1, script "rotate_tokens.lua agents.lua elsewhere tokens.new"))
    says("shop-de: the new token is the old one; make a new one in the dashboard\nshop-us: the new token is the old",
      ends(1, script "rotate_tokens.lua agents.lua tokens tokens"))
    assert.equal("2 of 3 tokens replaced; revoke the old ones in the dashboard\n"
      .. "not replaced, as tokens.new has none for them: shop-us\n", rotate(0))
    assert.same({ uk, de }, { read "tokens/shop-uk", read "tokens/shop-de" })
    says("3 of 3 agents answered", ends(0, "handoff doctor"))
  end)

  recipe("two_inventories.lua", "edits the agents of both, once it is told to write", function()
    write("eu.lua", entries { "shop-uk", "shop-de" })
    write("us.csv", "name,token\nshop-us," .. box.agents["shop-us"].token .. "\n")
    local words = "two_inventories.lua eu.lua us.csv " .. recipes .. "add_guideline.lua"
    says("3 agents: 3 ", ends(0, script(words)))
    assert.equal(originals["shop-us"], box:document "shop-us")
    says("3 agents: 3 changed", ends(0, script(words .. " write")))
    for _, cfg in ipairs(live()) do assert.truthy(cfg.custom_guidelines:find { name = "Refund over 500" }) end
    says("agents.lua:2: shop-uk: the name is taken (eu.lua:2)",
      ends(1, script("two_inventories.lua eu.lua agents.lua " .. recipes .. "add_guideline.lua")))
  end)

  -- ---- looking -----------------------------------------------------------------------------------------------------------

  recipe("drift_alarm.sh", "says nothing while all is as it was left, and what somebody edited", function()
    ends(0, script "weekday_hours.lua agents.lua")
    assert.equal("", ends(0, shell "drift_alarm.sh"))
    edit("shop-de", function(cfg) cfg.settings.timezone = "UTC" end)
    local output = ends(3, shell "drift_alarm.sh")
    assert.matches("^Agents have been edited past handoff%. ", output)
    says('shop-de\n  ~ settings.timezone: "Europe/Berlin" → "UTC"', output)
    assert.matches("^It is not known .+shop%-us", ends(5, shell "drift_alarm.sh --select name!=shop-de", refuse "GET"))
    box:faults {}
    assert.matches("^It is not known .+nothing was held", ends(1, shell "drift_alarm.sh --history none.db"))
  end)

  recipe("drift_metrics.lua", "counts drift for each agent, and keeps the file where nothing can be read", function()
    ends(0, apply "add_guideline.lua --select region=eu")
    edit("shop-de", function(cfg) cfg.settings.timezone = "UTC" end)
    ends(0, script "drift_metrics.lua agents.lua handoff.prom")
    local text = read "handoff.prom"
    says('\nhandoff_drift{agent="shop-uk"} 0\nhandoff_drift{agent="shop-de"} 1\n# HELP ', text)
    says('\nhandoff_drift_agents{status="unknown"} 1\n', text)
    for line in text:gmatch "[^\n]+" do assert.truthy(line:find "^# " or line:find "^[%w_]+[^ ]* %d+$", line) end
    ends(1, script "drift_metrics.lua nope.lua handoff.prom")
    assert.equal(text, read "handoff.prom")
  end)

  recipe("weekly_report.lua", "has a row an agent, as CSV, markdown or JSON", function()
    local columns = " settings.timezone settings.keywords 'routing_profiles[*].name'"
    local csv = ends(0, script("weekly_report.lua agents.lua csv" .. columns))
    says('\nshop-uk,Europe/London,"[""speak to human"",""agent"",""real person""]",Billing; Technical Support\n', csv)
    assert.equal(4, select(2, csv:gsub("\n", "")))
    edit("shop-uk", function(cfg) cfg.settings.timezone = "Europe/Paris" end)
    says("\n|---|---|\n| shop-uk | Europe/Paris |\n",
      ends(0, script "weekly_report.lua agents.lua markdown settings.timezone"))
    local first = handoff.json.decode(ends(0, script("weekly_report.lua agents.lua json" .. columns)):match "^[^\n]+")
    assert.equal("Technical Support", first["routing_profiles[*].name"][2])
    says("did you mean", ends(1, script "weekly_report.lua agents.lua csv settings.timezon"))
    says("No space left on device", ends(1, script "weekly_report.lua agents.lua csv >/dev/full"))
  end)

  recipe("find_trouble.sh", "finds what cannot work, and tokens that are refused", function()
    ends(0, script "weekday_hours.lua agents.lua")
    for _, name in ipairs(names) do
      edit(name, function(cfg)
        cfg.settings.is_active = true
        for _, profile in handoff.each(cfg.routing_profiles) do profile.is_active = true end
      end)
    end
    ends(0, shell "find_trouble.sh")
    edit("shop-de", function(cfg) cfg.availability:clear() end)
    says("hours_without_slots", ends(1, shell "find_trouble.sh"))
    box:faults { { fault = "status", status = 401, agent = "shop-uk" } }
    says("error: shop-uk: ", ends(1, shell "find_trouble.sh --select name=shop-uk"))
    box:faults {}
  end)

  it("ends with 64 and says how it is called where a word is missing, or empty", function()
    for _, words in ipairs { "backup.sh", "backup.sh ''", "clone_routing.sh", "guarded_apply.sh policy",
      "ci_job.sh plan", "git_state.sh" } do
      says("usage: " .. words:match "^%S+" .. " ", ends(64, shell(words)))
    end
  end)

  it("is one of those that examples/README.md lists, and each of them was tried", function()
    local listed, there = {}, {}
    for line in io.lines "examples/README.md" do
      local name = line:match "%]%(recipes/([%w_.]+)%)"
      if name then listed[name] = true end
    end
    for name in lfs.dir(recipes) do
      if name:find "^%w" then there[name] = true end
    end
    assert.same(there, listed)
    assert.same(there, tried)
  end)
end)

-- ---- the other examples --------------------------------------------------------------------------------------------------

describe("the policies", function()
  it("pass where the edits of the recipes have been made, and not before", function()
    local function hold() return in_folder("handoff test " .. here .. "/examples/policy") end
    ends(0, script "enable_handoff.lua")
    local output, status = hold()
    assert.equal(1, status, output)
    says('expected "Billing" to be routed to operators 7, 8', output)
    ends(0, script "weekday_hours.lua agents.lua")
    ends(0, apply "route_billing.lua")
    output, status = hold()
    assert.equal(0, status, output)
    assert.matches("\nTests: 12 over 3 agents: 12 passed, 0 failed.\n$", output)
    -- What does not happen needs no text, and an agent without keywords is named, not an error of the script.
    edit("shop-uk", function(cfg)
      cfg.settings.is_active = false
      cfg.settings.confirmation_outside_working_hours_message = ""
      cfg.availability = handoff.week "mon 10-12"
    end)
    edit("shop-de", function(cfg)
      cfg.settings.working_hours_active = false
      cfg.settings.confirmation_outside_working_hours_message = ""
    end)
    edit("shop-us", function(cfg) cfg.settings.keywords:clear() end)
    output = hold()
    says("expected to have settings.keywords[1]; it is not there", output)
    says("\nok      where handoff is on people are there for at least 20 hours a week ", output)
    says("\nok      a visitor is asked, and told what happens (3 agents)\n", output)
  end)
end)

describe("the demo", function()
  it("changes every agent, then none, then takes it back, without colours where there is no terminal", function()
    local output, status = program.run(program.untold .. " " .. program.lua .. " examples/demo.lua")
    assert.equal(0, status, output)
    says("25 agents: 25 changed, 0 unchanged, 0 failed", output)
    says("25 agents: 0 changed, 25 unchanged, 0 failed", output)
    assert.matches("The first run taken back:\n\n25 agents: 25 changed, 0 unchanged, 0 failed\n$", output)
    assert.is_nil(output:find("\27", 1, true))
  end)
end)
