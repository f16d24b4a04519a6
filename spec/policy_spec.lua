-- SPDX-License-Identifier: MIT
-- Policies: how they are read, what can be expected, and how it is told what was found.
local document = require "support.document"
local policy = require "handoff.policy"
local program = require "support.program"

local NOON = "2026-11-25T12:00:00+01:00" -- a wednesday; the document's zone is Europe/Berlin

local folder
setup(function() folder = program.folder() end)
teardown(function() program.remove(folder) end)

local function write(name, text) return program.write(folder .. "/" .. name, text) end

local function load(text) return policy.load(write("policy.lua", text)) end

local uk = { name = "shop-uk", tags = { region = "eu" } }
local us = { name = "shop-us", tags = { region = "us" } }

-- What a test with this body finds of a document, whose place is left as LINE.
local function find(body, cfg)
  local suite = assert(load('it("t", function(agent) ' .. body .. " end)"))
  local finding = suite:hold(cfg or document.new(), uk, { at = NOON })[1]
  return finding.status, finding.message
end

describe("a policy", function()
  it("runs once, and each test once for every agent that the selections around it leave", function()
    local suite = assert(load [[
      local loaded, seen = 0, {}
      loaded = loaded + 1
      describe("outer", "region=eu,us", function()
        describe("inner", "name~shop-*", function()
          it("of one", "region=eu", function(agent) seen[#seen + 1] = agent.name expect(loaded):equals(1) end)
          it("of all", function(agent) seen[#seen + 1] = agent.tags.region end)
        end)
      end)
      it("tells", "region=us", function() expect(seen):equals { "shop-uk", "eu", "us" } end)
      pending "is written later"
    ]])
    local names = {}
    for i, test in ipairs(suite.tests) do names[i] = ("%d %s"):format(test.line, test.name) end
    assert.same({ "5 outer inner of one", "6 outer inner of all", "9 tells", "10 is written later" }, names)
    local first, second = suite:hold(document.new(), uk), suite:hold(document.new(), us)
    assert.same({ "passed", "passed", false, false }, { first[1].status, first[2].status, first[3], first[4] })
    assert.same({ false, "passed", "passed", false }, { second[1], second[2].status, second[3].status, second[4] })
  end)

  it("leaves the configuration as it is, and gives each test its own", function()
    local suite = assert(load [[
      it("edits", function(agent)
        agent.config.settings.timezone, agent.tags.region = "UTC", "us"
        expect(agent):has("settings.timezone", "UTC")
      end)
      it("sees nothing of it", function(agent)
        expect(agent):has("settings.timezone", "Europe/Berlin"):has "settings.keywords"
        expect(agent.tags):equals { region = "eu" }
      end)]])
    local cfg = document.new()
    local findings = suite:hold(cfg, uk)
    assert.same({ "passed", "passed" }, { findings[1].status, findings[2].status })
    assert.same({ document.text(), "eu" }, { cfg:text(), uk.tags.region })
  end)

  it("fails of one test what is raised in it, with the user's own lines, and goes on", function()
    local suite = assert(load [[
local function inner(agent) return agent.config.settings.timezon .. "" end
local function outer(agent)
  inner(agent)
end
it("slips", function(agent)
  outer(agent)
end)
it("raises", function() error { 1 } end)
it("is not met", function(agent)
  expect(agent.name):equals "b"
end)
it("goes on", function() end)]])
    local path, found = folder .. "/policy.lua", suite:hold(document.new(), uk)
    local short = path:match "[^/]*$"
    assert.same({ "raised", "raised", "failed", "passed" },
      { found[1].status, found[2].status, found[3].status, found[4].status })
    assert.matches(short .. ":1$", found[1].place)
    assert.equal('settings.timezon: no such field; did you mean "timezone"?', found[1].message)
    assert.equal(3, #found[1].frames)
    assert.matches(":6: in the test$", found[1].frames[3])
    assert.equal("an error that is a table", found[2].message)
    assert.matches(short .. ":10$", found[3].place)
    assert.same({ 'expected to equal "b"; it is "shop-uk"', {} }, { found[3].message, found[3].frames })
    assert.is_nil(table.concat(found[1].frames):find "handoff/")
  end)

  it("is refused where it is none, with its place and what to write", function()
    for text, expected in pairs {
      ["it('x'"] = "policy.lua:1: [^\n]+; mend the script$",
      ["\27Lua"] = "policy.lua: it is compiled code",
      ["it('x')"] = "policy.lua:1: it: a function expected last, got nil; write it%(\"x\", function%(%) … end%)$",
      ["\nit(function() end)"] = "policy.lua:2: it: a name expected first",
      ["describe('x', 'region', function() end)"] = "policy.lua:1: select: column 7: one of = != ~ !~ expected",
      ["pending()"] = "policy.lua:1: pending: a name expected",
      ["error 'at once'"] = "policy.lua:1: at once$",
      ["describe('x', function() error 'in it' end)"] = "policy.lua:1: in it$",
    } do
      local suite, err = load(text)
      assert.is_nil(suite, text)
      assert.matches(expected, tostring(err))
    end
    local status, message = find "it('y', function() end)"
    assert.same({ "raised", "it: it stands in a test, where none can be added; put it beside the test" },
      { status, message })
    local suite, err = policy.load(folder .. "/none.lua")
    assert.is_nil(suite)
    assert.matches("none.lua: the policy cannot be read: No such file or directory; name a Lua script", tostring(err))
  end)

  it("is every script of a folder, in the order of their names", function()
    program.run(("mkdir -p %s/many %s/empty"):format(folder, folder))
    write("many/b.lua", "it('b', function() end)")
    write("many/a.lua", "#!/usr/bin/env handoff\nit('a', function() end) global = 1")
    write("many/.c.lua", "it('c', function() end)")
    write("many/notes.txt", "none")
    local suite = assert(policy.load { folder .. "/many/", write("last.lua", "it('last', function() end)") })
    local names = {}
    for i, test in ipairs(suite.tests) do names[i] = test.name end
    assert.same({ "a", "b", "last" }, names)
    assert.equal(folder .. "/many/a.lua", suite.tests[1].file)
    assert.is_nil(rawget(_G, "global"))
    assert.matches("no policy is in the folder", tostring(select(2, policy.load(folder .. "/empty"))))
  end)
end)

-- What is expected, whether it is so, and what is said where it is not. never: the contrary.
local rows = {
  { 'open_at "sat 11:00"', true, "to be open at Sat 28 Nov 2026 11:00; it is open until Sat 28 Nov 2026 14:00" },
  { 'open_at "sat 14:00"', false, "to be open at Sat 28 Nov 2026 14:00; it is closed until Sun 29 Nov 2026 10:00" },
  { 'open_at "2026-11-28T10:30:00Z"', true, "to be open at Sat 28 Nov 2026 11:30; it is open until" },
  { 'closed_at "sun 12:00"', true, "to be closed at Sun 29 Nov 2026 12:00; it is closed until Mon 30 Nov" },
  { 'closed_at "now"', false, "to be closed at Wed 25 Nov 2026 12:00; it is open until Wed 25 Nov 2026 17:30" },
  { 'hands_over { message = "an AGENT, please" }', true, "to hand over; it goes to a human" },
  { 'hands_over { message = "hello" }', false, "to hand over; no human is offered: " },
  { 'hands_over { guideline = "Refund" }', true, "to hand over; it goes to a human" },
  { 'hands_over { guideline = "Legal" }', false, 'no human is offered: the guideline "Legal" is inactive' },
  { 'hands_over { guideline = "Refund", answer = "no" }', false, "to hand over; the visitor declined" },
  { 'hands_over { guideline = "Refund", time = "sat 20:00" }', false,
    "to hand over; at Sat 28 Nov 2026 20:00 it is outside working hours" },
  { 'routes("Billing", { 6, 5 })', true, '"Billing" to be routed to operators 6, 5; it notifies operators 5, 6' },
  { 'routes("Billing", { 5 })', false, '"Billing" to be routed to operator 5; it notifies operators 5, 6' },
  { 'routes("Tech", {})', true, '"Tech" to be routed to nobody; the routing profile "Tech" ' },
  { 'notifies { emails = { "b@example.org", "zoë@example.com" } }', true, "notify b@example.org, zoë@example.com; " },
  { 'notifies({ user_ids = { 5, 6 }, emails = {} }, { topic = "Billing" })', true, "to notify operators 5, 6; it" },
  { 'notifies { user_ids = { 5 } }', false, "to notify operator 5; it notifies zoë@example.com, b@example.org: " },
  { 'says("outside", "back at nine")', true, 'to say "back at nine"; it is "We are back at nine."' },
  { 'says "question"', true, "settings.question_message to say something; it is " },
  { 'says("confirmation", ".*")', false, 'settings.confirmation_message to say ".*"; it is "Somebody' },
  { 'has("settings.timezone", "Europe/Berlin")', true, 'settings.timezone to be "Europe/Berlin"; it is' },
  { 'has("settings.timezone", "UTC")', false, 'settings.timezone to be "UTC"; settings.timezone is "Europe/Berlin"' },
  { 'has("routing_profiles[Billing].user_ids", { 5, 6 })', true, "[Billing].user_ids to be [5, 6]; it is" },
  { 'has("routing_profiles[Tech].user_ids", {})', true, "routing_profiles[Tech].user_ids to be []; it is" },
  { 'has("custom_guidelines[*].is_active", true)', false,
    'to be true; custom_guidelines["Legal"].is_active is false' },
  { 'has "routing_profiles[*].user_ids"', true, "to have routing_profiles[*].user_ids; it is there" },
  { "has 'custom_guidelines[*][\"color\"]'", false, '; custom_guidelines["Legal"].color is not there' },
  { "has('custom_guidelines[*][\"color\"]', 'red')", false, 'to be "red"; custom_guidelines["Legal"].color is not' },
  { "has '[\"voice\"][\"none\"]'", false, '; voice.none is null' },
  { 'has "custom_guidelines[Nobody]"', false, "to have custom_guidelines[Nobody]; it is not there" },
  { 'has("custom_guidelines[Nobody].is_active", true)', false, "[Nobody].is_active to be true; it is not there" },
  { 'passes_check { "choice", "sent_unknown", "profile_without_operators" }', true, "to pass the check; it does" },
  { 'passes_check { "choice", "sent_unknown" }', false, "to pass the check; routing_profiles[2].user_ids: " },
}

local slips = {
  ['expect(agent):open_att "now"'] = "expect: there is no open_att; did you mean open_at?",
  ['expect(agent).open_at "now"'] = "expect: write a colon before it, expect(…):open_at",
  ['expect()'] = "expect: a value expected, such as the agent",
  ['expect(agent):open_at()'] = 'open_at: a time expected, such as "sat 11:00"',
  ['expect(agent):open_at "saturn"'] = 'open_at: "saturn"',
  ['expect(agent):hands_over "agent"'] = 'hands_over: an event expected, such as { message = "agent" }',
  ['expect(agent):says("question", 5)'] = "says: a text expected second, or nothing",
  ['expect(agent):hands_over { topics = "x" }'] = 'no option "topics"; did you mean "topic"?',
  ['expect(agent):hands_over { guideline = "Refunt" }'] = 'did you mean "Refund"?',
  ['expect(agent):routes("Biling", { 5 })'] = 'did you mean "Billing"?',
  ['expect(agent):routes("Billing", 5)'] = "routes: user_ids: a list expected, got number",
  ['expect(agent):routes("Billing", { nil, 5 })'] = "routes: user_ids: a list expected, got a table with other keys",
  ['expect(agent):routes("Tech", { user_ids = { 5 } })'] = "routes: user_ids: a list expected, got a table",
  ['expect(agent):notifies { emails = { x = "a" } }'] = "notifies: emails: a list expected, got a table",
  ['expect(agent):passes_check { choice = true }'] = "passes_check: rules: a list expected, got a table",
  ['expect(agent):notifies { mails = {} }'] = 'no option "mails"; did you mean "emails"?',
  ['expect(agent):says("inside", "x")'] = 'says: "question", "confirmation" or "outside" expected first',
  ['expect(agent):has("settings.timezon", 1)'] = 'no field "timezon" in settings; did you mean "timezone"?',
  ['expect(agent):passes_check { "sent_unknwon" }'] = 'there is no rule "sent_unknwon"; did you mean sent_unknown?',
  ['expect(1):open_at "now"'] = "expect: there is no open_at; there are at_least, at_most, contains, equals",
  ['expect(1):at_least "2"'] = "at_least: a number expected, got string",
}

describe("an expectation", function()
  for _, row in ipairs(rows) do
    it(row[1] .. (row[2] and " is met" or " is not met"), function()
      for negation, is_met in pairs { [""] = row[2], [".never"] = not row[2] } do
        local status, message = find(("expect(agent)%s:%s"):format(negation, row[1]))
        assert.equal(is_met and "passed" or "failed", status, message)
        if not is_met then
          local begin = negation == "" and "expected " or "expected never "
          assert.equal(begin, message:sub(1, #begin))
          assert.truthy(message:find(row[3], 1, true), message)
        end
      end
    end)
  end

  it("that is a slip is an error of the test, which says what to write", function()
    for body, expected in pairs(slips) do
      local status, message = find(body)
      assert.equal("raised", status, body)
      assert.truthy(message:find(expected, 1, true), message)
    end
  end)

  it("of values compares what stands in them", function()
    for body, is_met in pairs {
      ["expect(agent.config.settings.keywords):contains 'agent'"] = true,
      ["expect(agent.config.settings.keywords):contains 'agen'"] = false,
      ["expect(agent.config.settings.timezone):contains 'Berlin'"] = true,
      ["expect(agent.config.routing_profiles[1].user_ids):equals { 5, 6 }"] = true,
      ["expect(agent.config.routing_profiles[2].user_ids):equals {}"] = true,
      ["expect { a = { 1 } }:equals { a = { 2 } }"] = false,
      ["expect(nil):equals(nil)"] = true,
      ["expect(#agent.config.availability):at_least(3):at_most(3)"] = true,
      ["expect(#agent.config.availability).never:at_most(3)"] = false,
      ["expect('3').never:at_most(3)"] = false, -- that cannot be told of a text, either way
      ["expect('3'):at_most(3)"] = false,
    } do
      local status, message = find(body)
      assert.equal(is_met and "passed" or "failed", status, body .. tostring(message))
    end
  end)

  it("tells operators apart by every digit of theirs", function()
    local profiles = document.part "routing_profiles":gsub("%[5, 6%]", "[1234567890123456]")
    local cfg = document.new { routing_profiles = profiles }
    assert.equal("passed", (find('expect(agent):routes("Billing", { 1234567890123456 })', cfg)))
    local status, message = find('expect(agent):routes("Billing", { 1234567890123457 })', cfg)
    assert.equal("failed", status)
    assert.matches("to operator 1234567890123457; it notifies operator 1234567890123456", message, 1, true)
  end)

  it("that cannot be told fails, and its contrary too", function()
    local cfg = document.new { settings = document.part "settings":gsub("Europe/Berlin", "Nowhere/City") }
    for _, negation in ipairs { "", ".never" } do
      for _, one in ipairs { 'open_at "now"', "hands_over()", 'routes("Billing", { 5, 6 })' } do
        local status, message = find(("expect(agent)%s:%s"):format(negation, one), cfg)
        assert.equal("failed", status, message)
        assert.matches("; settings.timezone: ", message, 1, true)
      end
    end
  end)

  it("says of hours that handoff is off, or that there are none", function()
    local off = document.new { settings = document.part "settings":gsub('"is_active": true', '"is_active": false') }
    assert.matches("Nov 2026 12:00; handoff is off$", select(2, find('expect(agent):open_at "now"', off)))
    assert.matches("no human is offered: [^\n]*handoff is off", select(2, find("expect(agent):hands_over()", off)))
    local always = document.new {
      settings = document.part "settings":gsub('"working_hours_active": true', '"working_hours_active": false'),
    }
    local _, message = find('expect(agent):closed_at "now"', always)
    assert.matches("12:00; it is open, working hours are off$", message)
    local never = document.new { availability = "[]" }
    assert.matches("12:00; it is closed all week$", select(2, find('expect(agent):open_at "now"', never)))
  end)
end)

local NASTY = 'a <b> & "c" # \\ ]]> \27 \239\191\191 ü'

describe("a report", function()
  local function report_of(text, more)
    local suite = assert(load(text))
    local report = suite:report()
    for _, agent in ipairs { uk, us, { name = "shop-de", tags = { region = "eu" } } } do
      report:add(agent.name, suite:hold(document.new(), agent, { at = NOON }))
    end
    if more then more(report) end
    return report:finish()
  end

  local mixed = ([[
    it("passes", function() end)
    it(%q, function(agent) expect(agent):has("settings.timezone", "UTC") end)
    it("differs", function(agent) expect(agent.name):equals "shop-de" end)
    it("slips", "region=us", function() error "slipped" end)
    it("nobody", "name=nobody", function() end)
    pending "later"
  ]]):format(NASTY)

  it("tells each failure once, with the agents that it is the same for", function()
    local result = report_of(mixed)
    assert.is_false(result.ok)
    assert.same({ agents = 3, tests = 6, passed = 1, failed = 3, pending = 1, skipped = 1 }, result.counts)
    local second, third = result.rows[2], result.rows[3]
    assert.same({ { "shop-uk", "shop-us", "shop-de" } }, { second.failures[1].agents, second.failures[2] })
    assert.same({ 3, 2, { "shop-uk" }, { "shop-us" } },
      { third.agents, #third.failures, third.failures[1].agents, third.failures[2].agents })
    assert.same({ "passed", "failed", "failed", "raised", "skipped", "pending" }, {
      result.rows[1].status, second.status, third.status, result.rows[4].status, result.rows[5].status,
      result.rows[6].status,
    })
  end)

  it("fails where an agent cannot be read, and where nothing ran", function()
    local err = require("handoff.core").error.new
    local result = report_of("it('passes', function() end)", function(report)
      for _, name in ipairs { "a", "b" } do
        report:add_unreadable(name, err { kind = "auth", agent = name, message = "the token was revoked" })
      end
    end)
    assert.same({ agents = 5, tests = 2, passed = 1, failed = 1, pending = 0, skipped = 0 }, result.counts)
    local failures = result.rows[2].failures
    assert.same({ "the token was revoked", { "a", "b" }, 1 }, { failures[1].message, failures[1].agents, #failures })
    for _, text in ipairs { "", "pending 'x'", "it('x', 'name=nobody', function() end)" } do
      assert.is_false(report_of(text).ok)
    end
  end)

  it("is TAP that prove takes, where it fails and where it does not", function()
    local function prove(text)
      local path = write("report.tap", require "handoff.policy.tap"(report_of(text)))
      return program.run(("prove -v --exec cat %s 2>&1; echo $?"):format(program.quote(path)))
    end
    local out = prove(mixed)
    assert.matches("Failed 3/6 subtests", out, 1, true)
    assert.matches("less 2 skipped subtests", out, 1, true)
    assert.matches('not ok 2 - a <b> & "c" \\# \\\\ ]]> \\\\u001b', out, 1, true)
    assert.is_nil(out:find "Parse errors")
    assert.matches("Result: PASS\n0\n$", prove("it('x # TODO', function() end)"))
    assert.matches("Result: FAIL\n1\n$", prove("pending 'x'"))
  end)

  it("is XML of JUnit's form, whatever the names are", function()
    local path = write("report.xml", require "handoff.policy.junit"(report_of(mixed)))
    local out = program.run(([[python3 - %s <<'END'
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == "testsuites"
for suite in root:
    cases = suite.findall("testcase")
    counts = {kind: len(suite.findall("testcase/" + kind)) for kind in ("failure", "error", "skipped")}
    assert [int(suite.get(n)) for n in ("tests", "failures", "errors", "skipped")] == [len(cases), *counts.values()]
    for case in cases:
        assert case.get("classname") and all(part.get("message") for part in case)
        print(case.get("name"), *[p.tag for p in case],
            *[line for part in case for line in (part.text or "").splitlines() if line.startswith("  ")])
END]]):format(program.quote(path)))
    assert.equal([[
passes
a <b> & "c" # \ ]].."]]>" .. [[ \u001b � ü failure   of shop-uk, shop-us, shop-de
differs failure   of shop-uk   of shop-us
slips error   of shop-us
nobody skipped
later skipped
]], out)
  end)
end)
