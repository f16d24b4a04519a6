-- SPDX-License-Identifier: MIT
--- The verbs that look: get, query, explain, schema.
local core = require "handoff.core"
local handoff = require "handoff"
local command = require "support.command"

local json = core.json

describe("the verbs that look", function()
  local box
  setup(function() box = command.sandbox(12) end)
  teardown(function() box:stop() end)
  after_each(function() box.box:faults {} end)

  -- Runs to success → what it prints.
  local function out(words)
    local ran = box:run(words)
    assert.same({ "", 0 }, { ran.err, ran.status }, words)
    return ran.out
  end

  local function records(text)
    local list = {}
    for line in text:gmatch "[^\n]+" do
      list[#list + 1] = assert(json.decode(line))
      assert.equal(1, list[#list].format_version)
    end
    return list
  end

  -- The exit status, and the one line that says why.
  local function refused(words, status, message)
    local ran = box:run(words)
    assert.same({ "", message .. "\n", status }, { ran.out, ran.err, ran.status })
  end

  describe("get", function()
    it("prints the whole configuration as canonical JSON", function()
      local cfg = assert(handoff.config(box.box:document "shop-uk"))
      assert.equal(cfg:json { indent = 2 } .. "\n", out "get shop-uk")
      assert.same(cfg:plain(), records(out "get shop-uk --json")[1].value)
    end)

    it("prints a part as it stands in the whole, and a text as it is", function()
      local whole = out "get shop-uk"
      for _, part in ipairs { "settings", "availability", "routing_profiles" } do
        local text = out("get shop-uk " .. part)
        local inside = ('  "%s": %s'):format(part, text:gsub("\n(.)", "\n  %1"):gsub("\n$", ""))
        assert.truthy(whole:find(inside, 1, true), text)
      end
      assert.equal("Europe/London\n", out "get shop-uk settings.timezone")
      assert.equal("false\n", out "get shop-uk settings.is_active")
      assert.same({ { agent = "shop-uk", path = "settings.timezone", value = "Europe/London", format_version = 1 } },
        records(out "get shop-uk settings.timezone --json"))
    end)

    it("prints a line for each of several values", function()
      assert.equal('custom_guidelines["Refund over 500"].is_active = true\n'
        .. 'custom_guidelines["Wants to cancel"].is_active = true\n',
        out "get shop-uk 'custom_guidelines[*].is_active'")
    end)

    it("says what it does not find", function()
      refused("get shop-u settings", 64,
        'handoff get: shop-u: no agent of agents.lua has this name; did you mean "shop-uk"?')
      refused("get shop-uk settings.timezon", 64,
        'handoff get: settings.timezon: no field "timezon" in settings; did you mean "timezone"?')
      refused("get shop-uk availability[99]", 1,
        "handoff get: availability[99]: shop-uk has nothing there; `handoff get shop-uk` shows what it has")
    end)
  end)

  describe("query", function()
    it("counts the values, the commonest first, and names who differs", function()
      for _, agent in ipairs(box.box.agents) do
        local doc = json.decode(box.box:document(agent.name))
        doc.settings.confirmation_message, doc.settings.timezone = "Thanks.", "UTC"
        doc.custom_guidelines = json.array {}
        local slot = { id = #agent.name, day_span = "monday", start_time = "09:00", end_time = "17:00" }
        doc.availability = json.array { slot }
        box.box:store(agent.name, json.encode(doc))
      end
      local doc = json.decode(box.box:document "shop-de")
      doc.settings.timezone = "Europe/Berlin"
      doc.settings.confirmation_message = nil
      doc.custom_guidelines = json.array { { id = 1, name = "A", description = "", is_active = true } }
      box.box:store("shop-de", json.encode(doc))

      assert.equal('11 agents  "UTC"\n 1 agent   "Europe/Berlin": shop-de\n', out "query settings.timezone")
      assert.equal('11 agents  "Thanks."\n 1 agent   not there: shop-de\n', out "query settings.confirmation_message")
      assert.equal('12 agents  [{"day_span": "monday", "start_time": "09:00", "end_time": "17:00"}]\n',
        out "query availability")
      assert.equal('custom_guidelines["A"].is_active\n   1 agent   true: shop-de\n  11 agents  not there\n',
        out "query 'custom_guidelines[*].is_active'")
      local found = records(out "query settings.confirmation_message --json")
      assert.same({ "Thanks.", 11, 11 }, { found[1].value, found[1].count, #found[1].agents })
      assert.same({ true, 1, { "shop-de" } }, { found[2].absent, found[2].count, found[2].agents })
    end)

    it("counts an agent once for each of several values, and folds many names", function()
      for i, agent in ipairs(box.box.agents) do
        local doc = json.decode(box.box:document(agent.name))
        doc.settings.keywords = i > 2 and { "agent", "human" } or { "agent", "agent" }
        box.box:store(agent.name, json.encode(doc))
      end
      local names = {}
      for i = 3, 7 do names[#names + 1] = box.box.agents[i].name end
      assert.equal(('12 agents  "agent"\n10 agents  "human": %s and 5 more\n'):format(table.concat(names, ", ")),
        out "query 'settings.keywords[*]'")
    end)

    it("tells of those that cannot be read, last, and in its status", function()
      box.box:faults { { agent = "shop-uk", fault = "status", status = 401, times = "always" } }
      local ran = box:run "query settings.is_active --select name~shop-u*"
      assert.equal(5, ran.status)
      assert.truthy(ran.err:find "^shop%-uk: [^\n]*401[^\n]*\n$", ran.err)
      assert.is_nil(ran.err:find "shop%-uk: shop%-uk")
      assert.truthy(ran.out:find "^1 agent   %a+: shop%-us\n$", ran.out)
      local found = records(box:run("query settings.is_active --select name~shop-u* --json").out)
      assert.same({ "shop-uk", "auth" }, { found[2].agent, found[2].error.kind })
      assert.equal(1, box:run("query settings.is_active --select name=shop-uk").status)
    end)

    it("tells what to do in flags, as every verb that reads does", function()
      box.box:faults { { agent = "shop-uk", fault = "hang", times = "always" } }
      for _, verb in ipairs { "query settings.is_active", "pull", "hours", "when shop-uk", "simulate shop-uk" } do
        local ran = box:run(verb .. " --select name=shop-uk --timeout 0.2 --retries 0")
        assert.truthy(ran.err:find("raise --timeout or --connect-timeout", 1, true), ran.err)
      end
      local ran = box:run "query settings.is_active --select name=shop-uk --timeout 0.2 --retries 0 --json"
      local found = records(ran.out)
      assert.truthy(found[1].error.message:find("raise --timeout", 1, true), found[1].error.message)
      box.box:faults {}
    end)

    it("ends quietly where nobody reads on", function()
      local ran = box:run("query 'generic_guidelines[*]'", { after = "| head -1" })
      assert.same({ "", 0 }, { ran.err, ran.status })
    end)
  end)

  describe("explain", function()
    it("tells what the schema knows of a field", function()
      assert.equal([[
settings.confirmation_message
  Shown once the visitor has confirmed the handoff.

  type     text, at most 500 characters
]], out "explain settings.confirmation_message")
      assert.equal([[
settings.topic_based_routing_active
  Whether conversations are routed to operators by topic.

  type     true or false
  rule     read-only: it follows from the routing profiles: switch those on or off
]], out "explain settings.topic_based_routing_active")
      assert.truthy(out("explain 'generic_guidelines[*].name'"):find("  choices  user_frustration\n", 1, true))
      assert.truthy(out("explain availability"):find("\n  day_span  day or range of days", 1, true))
    end)

    it("shows every field there is where none is named", function()
      local tree, paths = out "explain", {}
      for _, one in ipairs(records(out "explain --json")) do
        paths[one.path] = one
        assert.truthy(tree:find("%f[%w_]" .. one.path:match "[%w_]+$" .. " +%a"), one.path)
      end
      assert.equal(500, paths["settings.confirmation_message"].max)
      assert.equal("day_span", paths["availability[*].day_span"].format)
      assert.equal(5, #paths["generic_guidelines[*].name"].choices)
      for line in tree:gmatch "[^\n]+" do assert.is_true(#line <= 100, line) end
    end)

    it("says what it does not know", function()
      refused("explain timezone", 64,
        'handoff explain: timezone: no part "timezone"; did you mean "settings.timezone"?')
      refused([[explain 'settings["beta"]']], 64,
        'handoff explain: settings["beta"]: only the service knows this field; `handoff explain` lists the others')
    end)
  end)

  it("schema prints the JSON Schema", function()
    local json_schema = require "handoff.json_schema"
    assert.same(json.decode(json.encode(json_schema.document())), json.decode(out "schema"))
    assert.same(json.decode(json.encode(json_schema.desired())), records(out "schema --desired --json")[1].schema)
  end)
end)
