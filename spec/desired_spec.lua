-- SPDX-License-Identifier: MIT
local change = require "handoff.change"
local core = require "handoff.core"
local desired = require "handoff.desired"
local document = require "support.document"
local edits = require "support.edits"
local program = require "support.program"
local random = require "support.random"
local lua_reader = require "handoff.desired.lua"

describe("desired state", function()
  local folder
  before_each(function() folder = program.folder() end)
  after_each(function() program.remove(folder) end)

  local function put(name, text) return program.write(folder .. "/" .. name, text) end

  local function get(name)
    local file = assert(io.open(folder .. "/" .. name, "rb"))
    local text = file:read "*a"
    file:close()
    return text
  end

  -- What is wrong with a file of that text, errors and warnings: "LINE:COLUMN RULE MESSAGE".
  local function problems(text, name)
    local file, err = desired.read(put(name or "x.lua", text))
    local lines = {}
    for i, issue in ipairs(file and file.warnings or err.issues) do
      lines[i] = ("%s:%s %s %s"):format(issue.line, issue.column, issue.rule, issue.message)
    end
    return lines
  end

  local function value_of(text, name)
    local file, err = desired.read(put(name or "x.lua", text))
    assert(file, tostring(err))
    return file.value
  end

  describe("is read", function()
    it("from Lua that is data and from JSON alike", function()
      local lua = value_of [==[
-- what the shop in London says
return {
  settings = { is_active = true, ["keywords"] = { 'it\'s', "a\tb\u{1F600}\x41\065\z
      c", [[
long]], }, emails = {} },
  custom_guidelines = { { id = 9007199254740993, name = "A" }; { id = -7, name = "B", is_active = false } }, --[[ end ]]
};]==]
      local json = value_of([[{"settings": {"is_active": true, "keywords": ["it's", "a\tb😀AAc", "long"], "emails": []},
        "custom_guidelines": [{"id": 9007199254740993, "name": "A"}, {"id": -7, "name": "B", "is_active": false}]}]],
        "x.json")
      assert.is_true(change.same(json, lua))
      assert.equal("9007199254740993", tostring(lua.custom_guidelines[1].id))
    end)

    it("with the texts that Lua itself reads", function()
      for _, literal in ipairs {
        [["\a\b\f\n\r\t\v\\\"\'"]], [['"\
']], "[[\r\n\nx\r\ny\n\rz\r]]", "[==[ ]] ]=] ]==]", [["\z   x\0619\9a"]],
        [["\x7fa\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}\u{10FFFF}"]], '"\\\r\n\\\n\r\\\n"', "'é'",
      } do
        local ours = lua_reader.read("return { x = " .. literal .. " }")
        local theirs = assert((loadstring or load)("return " .. literal))()
        assert.equal(theirs, ours.entries[1].node.value, literal)
      end
    end)

    it("never as something else than Lua itself reads, however the text is damaged", function()
      local whole = [===[-- c
return { a = "x\65\z   y\"", ["b"] = [==[ l ]==], --[[ d ]] c = { 1, -2, 3.5e2, true; false, { } }, } ; -- e
]===]
      local pieces = {
        "{", "}", "[", "]", "[[", "]]", "--", "--[[", "=", ",", ";", '"', "'", "\\", "\n", "\r", "..", "-", "0x1",
        "1e5", "\\u{41}", "\\x", "(", ".", "#", " ",
      }
      local function plain(node)
        if not node.entries then return node.value end
        local value = {}
        for at, entry in ipairs(node.entries) do value[entry.name or at] = plain(entry.node) end
        return value
      end
      local accepted = 0
      for seed = 1, 1500 do
        local r, text = random(seed), whole
        for _ = 0, r:below(3) do
          local at = r:below(#text + 1)
          text = text:sub(1, at) .. (r:boolean() and r:one(pieces) or "") .. text:sub(at + r:below(3))
        end
        local node, problem = lua_reader.read(text)
        if node then
          accepted = accepted + 1
          assert.same(assert((loadstring or load)(text), text)(), plain(node), text)
        else
          assert.truthy(problem.at >= 1 and problem.at <= #text and not problem.message:find "\n", text)
        end
      end
      assert.truthy(accepted > 100, accepted)
    end)

    it("with the agent's name and the format that the file's name tells", function()
      local file = assert(desired.read(put("shop.uk.json", "{}")))
      assert.same({ "shop.uk", "json", {} }, { file.agent, file.format, file.value })
      local _, err = desired.read(folder .. "/none.lua")
      assert.equal(folder .. "/none.lua: cannot be read: No such file or directory; name a file that can",
        tostring(err))
      for _, name in ipairs { "agents.csv", ".lua", "lua" } do
        _, err = desired.read(put(name, "{}"))
        assert.matches("has a name that ends in .lua or .json", tostring(err), 1, true)
      end
      assert.is_true(program.run("mkfifo " .. folder .. "/pipe.lua") ~= nil)
      _, err = desired.read(folder .. "/pipe.lua")
      assert.matches("no file, but a device", tostring(err), 1, true)
    end)

    it("with every problem of syntax at its place", function()
      for text, expected in pairs {
        ["return {\n  settings = { timezone = os.getenv 'TZ' },\n}"] =
          '2:27 data "os.getenv" is called; this file is data: write the value itself',
        ["return { settings = DEFAULTS }"] =
          '1:21 data "DEFAULTS" is a name; this file is data: write the value itself, texts in quotes',
        ["return { availability = f{} }"] = '1:25 data "f" is called; this file is data: write the value itself',
        ['return { "a" .. "b" }'] = '1:14 data ".." is an operator; this file is data: write the result itself',
        ["return { 1 + 1 }"] = '1:12 data "+" is an operator; this file is data: write the result itself',
        ["return { not true }"] =
          '1:10 data "not" is a name; this file is data: write the value itself, texts in quotes',
        ["return { (1) }"] = '1:10 data "(" is an operator; this file is data: write the result itself',
        ['return { ("x"):rep(9) }'] = '1:10 data "(" is an operator; this file is data: write the result itself',
        ['return { "x" == "y" }'] = '1:14 data "==" is an operator; this file is data: write the result itself',
        ["return { function() end }"] = "1:10 data a function; this file is data: write the value itself",
        ["local x = 1\nreturn {}"] = "1:1 data this file is data: comments and return { … }, and nothing else",
        ["return 5"] = "1:8 data a table expected after return: return { … }",
        ["return {}\nos.exit()"] = "2:1 data this file is data: nothing may stand behind the table",
        ["return {}{}"] = "1:10 data this file is data: nothing may stand behind the table",
        ["return { [1] = 5 }"] =
          "1:11 data a key is a text; items of a list are written one after the other, without keys",
        ["return { 'ä', x = 5 }"] = "1:15 syntax a list and named fields in one table; give each a table of its own",
        ["return { a = 1, a = 2 }"] = '1:17 duplicate_key "a" is there twice; remove one',
        ["return { settings = { 'x' 'y' } }"] =
          "1:27 syntax a comma or } expected; look for one that is missing just before",
        ["return { settings = { "] = "1:22 syntax the file ends too early; look for a } or a quote that is missing",
        ['return { "x\n" }'] =
          [[1:10 syntax a text that is not closed on its line; end it with ", or write \n for a new line]],
        ['return { "\\q" }'] = [[1:11 syntax no such escape; a backslash itself is written \\]],
        ["return { [{}] = 5 }"] =
          "1:11 data a key is a text; items of a list are written one after the other, without keys",
        ["return { settings: {} }"] =
          '1:10 data "settings" is a name; this file is data: write the value itself, texts in quotes',
        [ [[return { ["\27[2J"] = 1, ["\27[2J"] = 2 }]] ] = '1:26 duplicate_key "?[2J" is there twice; remove one',
        ["return { [" .. ("="):rep(50) .. "[ }"] = "1:10 syntax a text that is not closed; end it with ]"
          .. ("="):rep(39) .. "…",
        ["return { 0x10 }"] = "1:10 syntax no number that can stand here; write it in digits, such as 7",
        ["return { [[x }"] = "1:10 syntax a text that is not closed; end it with ]]",
        ["--[[ x"] = "1:1 syntax a comment that is not closed; end it with ]]",
        ["return { settings = 'ä\255' }"] = "1:23 utf8 the text is not UTF-8; save it as UTF-8",
        ["return " .. ("{"):rep(101)] = "1:108 depth tables nest more than 100 deep",
      } do
        assert.same({ expected }, problems(text), text)
      end
      assert.same({ "2:14 syntax not JSON: a value expected" }, problems('{\n "settings": ,}', "x.json"))
    end)

    it("with every broken rule at its place, the columns in characters", function()
      for text, expected in pairs {
        ["{ settings = { is_activ = true } }"] =
          '1:23 unknown settings.is_activ: no such field; did you mean "is_active"?',
        ["{ setings = {} }"] = '1:10 unknown setings: no such field; did you mean "settings"?',
        ["{ settings = { topic_based_routing_active = true } }"] =
          "1:23 read_only settings.topic_based_routing_active: "
          .. "read-only, leave it out; it follows from the routing profiles: switch those on or off",
        ["{ settings = { timezone = nil } }"] = "1:34 null settings.timezone: null is never written in; "
          .. "leave the key out to keep what is live, or give a value",
        ["{ settings = { 'x' } }"] = "1:21 type settings: an object expected, got an array",
        ["{ settings = { is_active = 'yes' } }"] = "1:35 type settings.is_active: true or false expected, got a string",
        ["{ settings = { emails = { {} } } }"] = "1:34 type settings.emails[1]: a string expected, got an empty table",
        ["{ routing_profiles = { { id = 1, user_ids = { 5, 1.5 } } } }"] =
          "1:57 type routing_profiles[1].user_ids[2]: a whole number expected, got a number",
        [ [[{ settings = { question_message = "\xff" } }]] ] = "1:42 utf8 settings.question_message: "
          .. "the text is not UTF-8; write its characters, or \\u{…}, instead of bytes",
        ["{ settings = { confirmation_message = '" .. ("ä"):rep(501) .. "' } }"] =
          "1:46 max_length settings.confirmation_message: 501 characters, at most 500 allowed",
        ["{ settings = { keywords = { 'ä' }, timezone = 'Europe/Londn' } }"] =
          '1:54 zone settings.timezone: "Europe/Londn" is no time zone; did you mean "Europe/London"?',
        ["{ settings = { emails = { 'a@example.com',\n'b' } } }"] =
          '2:1 email settings.emails[2]: "b" is no e-mail address; write name@example.com',
        ["{ generic_guidelines = { { name = 'media_mesage' } } }"] =
          '1:42 choice generic_guidelines[1].name: "media_mesage" is not allowed; did you mean "media_message"?',
        ["{ availability = { { id = 1, day_span = 'mon' } } }"] =
          '1:48 day_span availability[1].day_span: "mon" is no day or range of days; did you mean "monday"?',
        ["{ availability = { { id = 1, start_time = '9' } } }"] = "1:50 time availability[1].start_time: "
          .. '"9" is no time; write HH:MM from 00:00 to 23:59, such as 09:00',
        ["{ availability = { { id = 1, start_time = '17:00', end_time = '09:00' } } }"] =
          "1:27 time_order availability[1]: 17:00 to 09:00 ends before it starts; a night shift is two slots",
        ["{ availability = { { day_span = 'monday' } } }"] = "1:27 required availability[1]: "
          .. "nothing tells which slot it is; give its day_span, start_time, end_time or its id",
        ["{ generic_guidelines = { { is_active = true } } }"] =
          "1:33 required generic_guidelines[1]: nothing tells which generic guideline it is; give its name",
        ["{ custom_guidelines = { { id = 7 }, { id = 7, name = 'x' } } }"] =
          "1:51 duplicate_id custom_guidelines[2].id: the same id as that of custom_guidelines[1]",
      } do
        assert.same({ expected }, problems("return " .. text), text)
      end
      local color = '{ "settings": {},\n  "color": [1, {"a": "}"}] }'
      assert.same({ "2:3 unknown color: no such field; known are: settings, availability, generic_guidelines, "
        .. "custom_guidelines, routing_profiles" }, problems(color, "x.json"))
    end)

    it("and refuses what is a configuration only in a file, as JSON it would be longer than one may be", function()
      local text = "return { settings = { question_message = [[x" .. ("\n"):rep(4300000) .. "]] } }"
      local said = "1:1 size as JSON it has more than 8 MiB, and no configuration may; shorten its texts"
      assert.same({ said }, problems(text))
    end)

    it("and warns only of what the file itself says, not of what may stand live", function()
      local slot = "{ day_span = 'monday', start_time = '09:00', end_time = '10:00' }"
      local later = "{ day_span = 'monday', start_time = '10:30', end_time = '12:00' }"
      for text, expected in pairs {
        ["settings = { working_hours_active = true, send_email_notification = true, is_active = true }"] = {},
        ["settings = { is_active = true, keywords = {} }, custom_guidelines = {}, generic_guidelines = {}"] = {},
        ["settings = { working_hours_active = true }, availability = { }"] = { "hours_without_slots" },
        ["settings = { send_email_notification = true, emails = {} }"] = { "email_without_addresses" },
        ["availability = { " .. slot .. ", " .. slot .. " }"] = { "overlapping_slots" },
        ["settings = { is_active = true, working_hours_active = true }, availability = { { id = 1 } }"] = {},
        ["settings = { working_hours_active = true, timezone = 'EST' }"] = { "zone_offset" },
        ["settings = { timezone = 'EST' }"] = {},
        ["availability = { " .. slot .. ", " .. later .. " }"] = { "short_gap" },
        ["availability = { " .. slot .. ", " .. later .. ", { id = 1, end_time = '10:30' } }"] = {},
        ["routing_profiles = { { id = 1, is_active = true } }"] = {},
        ["routing_profiles = { { id = 1, is_active = true, user_ids = {} } }"] = { "profile_without_operators" },
      } do
        local rules = {}
        for i, line in ipairs(problems("return { " .. text .. " }")) do rules[i] = line:match "^%S+ (%S+)" end
        assert.same(expected, rules, text)
      end
    end)

    it("as a folder in the order of names, or with all that is wrong in it", function()
      put("b.json", "{}")
      put("a.lua", "return {}")
      put(".c.lua", "no")
      put("README.md", "no")
      local files = assert(desired.folder(folder))
      assert.same({ "a", "b" }, { files[1].agent, files[2].agent })
      put("a.json", "{")
      put("b.lua", "return { x = 1 }")
      local _, err = desired.folder(folder)
      local found = {}
      for i, issue in ipairs(err.issues) do found[i] = issue.path:sub(#folder + 2) .. " " .. issue.rule end
      assert.same({ "a.json:1:2 syntax", "a.lua duplicate", "b.lua:1:10 unknown", "b.lua duplicate" }, found)
      assert.matches("; and 3 more, handoff validate shows them", tostring(err), 1, true)
    end)

    it("apart from edit scripts", function()
      assert.is_true(desired.is_data "-- x\n--[[ y ]] return -- z\n{")
      for _, text in ipairs { "return function(cfg) end", "local x = {}\nreturn {}", "", "returned = {}" } do
        assert.is_false(desired.is_data(text), text)
      end
    end)
  end)

  describe("is laid over what is live", function()
    local function lay(text)
      local cfg, lines = document.new(), {}
      desired.edit(value_of("return { " .. text .. " }"))(cfg)
      for i, one in ipairs(cfg:changes()) do lines[i] = tostring(one) end
      return lines, cfg
    end

    it("where a key that is left out keeps what is live, and one that is empty empties it", function()
      assert.same({}, lay "")
      assert.same({ '~ settings.is_active: true → false', '- settings.emails["zoë@example.com"]',
        '- settings.emails["b@example.org"]' }, lay "settings = { is_active = false, emails = {} }")
      local _, cfg = lay "availability = {}"
      assert.equal("[]", core.json.encode(core.config.part(cfg, "availability")))
      assert.equal(0, #(lay "settings = {}"))
    end)

    it("item by item: by id, else by name, slots by days and times; others go, live order stays", function()
      local lines, cfg = lay [[
        availability = { { day_span = "saturday", start_time = "10:00", end_time = "14:00" },
          { id = 1, day_span = "monday-friday", start_time = "08:00", end_time = "17:30" } },
        custom_guidelines = { { name = "New", description = "n", is_active = true },
          { id = 99, name = "Legal", is_active = true }, { name = "Refund" } },
        routing_profiles = { { id = 22, name = "Technology", user_ids = { 7 } },
          { name = "Billing", user_ids = { 6, 5 } } }]]
      assert.same({
        '~ availability[monday-friday 09:00-17:30].start_time: "09:00" → "08:00"',
        '- availability[sunday 10:00-12:00]: '
          .. '{"id": 3, "day_span": "sunday", "start_time": "10:00", "end_time": "12:00"}',
        '~ custom_guidelines["Legal"].is_active: false → true',
        '+ custom_guidelines["New"]: {"name": "New", "description": "n", "is_active": true}',
        '~ routing_profiles["Tech"].name: "Tech" → "Technology"',
        '+ routing_profiles["Tech"].user_ids[7]',
      }, lines)
      assert.equal("red", core.config.part(cfg, "custom_guidelines")[1].color)
    end)

    it("with the predefined guidelines neither added nor removed", function()
      assert.same({ '~ generic_guidelines["media_message"].is_active: false → true' },
        lay "generic_guidelines = { { name = 'media_message', is_active = true } }")
      local err = document.raised(lay, "generic_guidelines = { { name = 'irrelevant_advice', is_active = true } }")
      assert.same({ "fixed", 'generic_guidelines["irrelevant_advice"]' }, { err.rule, err.path })
    end)
  end)

  -- What differs between two files' values, but for order.
  local function differences(a, b)
    local lines = {}
    for _, one in ipairs(change.diff(a, b)) do
      if one.kind ~= "moved" then lines[#lines + 1] = tostring(one) end
    end
    return lines
  end

  describe("is written", function()
    it("as canonical Lua, with what can be edited, and names what it cannot have", function()
      local text, left = desired.write(document.new(), "lua")
      assert.matches([[
return {
  settings = {
    is_active = true,
    keywords = { "speak to human", "agent", "Mensch 😀" },
]], text, 1, true)
      assert.matches('{ id = 9007199254740993, name = "Refund", description = "Asks for money.", is_active = true },\n',
        text, 1, true)
      assert.same({
        "settings.beta_flags", "availability[saturday 10:00-14:00].note", 'custom_guidelines["Refund"].color',
        'custom_guidelines["Refund"].tags', "voice", 'generic_guidelines["brand_new_one"]',
      }, left)
    end)

    it("without what breaks a rule, as it came from the service and stays there", function()
      local text, left = desired.write(document.new {
        settings = '{"timezone": null, "is_active": 1, "emails": ["a", "b@example.com", "c"]}',
        availability = '[{"id": 3, "day_span": "monday", "start_time": "17:00", "end_time": "09:00"}]',
        generic_guidelines = "[]", routing_profiles = "[]",
        custom_guidelines = [==[[{"id": 4, "name": 5, "is_active": true}, {"name": "B", "description": 6}]]==],
      }, "lua")
      assert.equal([[
return {
  settings = {},
  availability = {
    { id = 3 },
  },
  generic_guidelines = {},
  custom_guidelines = {
    { id = 4, is_active = true },
    { name = "B" },
  },
  routing_profiles = {},
}
]], text)
      assert.same({ "voice", "settings.is_active", "settings.emails", "availability[monday 17:00-09:00]",
        "custom_guidelines[#4].name", 'custom_guidelines["B"].description' }, left)
    end)

    it("without a list of which an item cannot be told, or breaks a rule that it would not do without", function()
      for items, part in pairs {
        ['[{"id": 1, "name": "A"}, null]'] = "custom_guidelines",
        ['[{"id": 1, "name": "A"}, [5]]'] = "routing_profiles",
        ['[{"id": 1}, {"description": "no name"}]'] = "custom_guidelines", ["[{}]"] = "availability",
        ['[{"id": 1, "name": "A"}, {"id": 1, "name": "B"}]'] = "routing_profiles",
        ['[{"id": "1", "name": "A"}]'] = "custom_guidelines",
        ['[{"name": "media_message"}, {"name": null}, 7]'] = false,
      } do
        local cfg = document.new { [part or "generic_guidelines"] = items }
        for _, format in ipairs { "lua", "json" } do
          local text, left = desired.write(cfg, format)
          local value, copy = value_of(text, "x." .. format), cfg:copy()
          if part then assert.is_nil(value[part]) else assert.equal(1, #value.generic_guidelines) end
          assert.truthy(table.concat(left, "\n"):find(part and "\n" .. part or "generic_guidelines[3]", 1, true))
          desired.edit(value)(copy)
          assert.same({}, copy:changes())
        end
      end
    end)

    it("so that any document can be read again, and changes nothing where it came from", function()
      for seed = 1, 60 do
        local cfg = assert(core.config.new(edits.document(random(seed), true), true))
        for _, format in ipairs { "lua", "json" } do
          local text = desired.write(cfg, format)
          local copy = cfg:copy()
          desired.edit(value_of(text, "x." .. format))(copy)
          assert.same({}, copy:changes(), "seed " .. seed)
        end
      end
    end)

    it("over a file that is there, of which comments, order and layout stay where nothing changed", function()
      local cfg = document.new {
        settings = [[{"is_active": true, "emails": [], "keywords": ["human", "Mensch"], "question_message": "New\n?"}]],
        availability = [==[[{"id": 2, "day_span": "sunday", "start_time": "10:00", "end_time": "12:00"},
          {"id": 4, "day_span": "monday", "start_time": "10:00", "end_time": "12:00"}]]==],
        generic_guidelines = "[]", routing_profiles = "[]",
        custom_guidelines = [==[[{"id": 9, "name": "B", "description": "b", "is_active": true},
          {"id": 7, "name": "A", "description": "a", "is_active": false}]]==],
      }
      local old = [=[
-- The shop in London.
return {
  custom_guidelines = { -- in the order of their weight
    -- agreed with Legal
    { name = "A", id = 7, description = [[a]], is_active = true }, -- since May
    { id = 8, name = "gone", description = "c", is_active = true }, -- goes with its line
    -- and this stays
    { id = 9, name = "B", description = "b", is_active = true }
  },
  settings = {
    keywords = { "agent", 'human' },

    is_active   = true, -- always
    timezone = "UTC", question_message = "Old?",
  };
  availability = { { id = 2, day_span = 'sunday', start_time = "10:00", end_time = "11:00" } },
  routing_profiles = {
    -- none so far
  },
}
-- The end.
]=]
      local expected = [=[
-- The shop in London.
return {
  custom_guidelines = { -- in the order of their weight
    -- agreed with Legal
    { name = "A", id = 7, description = [[a]], is_active = false }, -- since May
    -- and this stays
    { id = 9, name = "B", description = "b", is_active = true }
  },
  settings = {
    keywords = { 'human', "Mensch" },

    is_active   = true, -- always
    question_message = "New\n?",
    emails = {},
  };
  availability = {
    { id = 2, day_span = "sunday", start_time = "10:00", end_time = "12:00" },
    { id = 4, day_span = "monday", start_time = "10:00", end_time = "12:00" },
  },
  routing_profiles = {
    -- none so far
  },
  generic_guidelines = {},
}
-- The end.
]=]
      expected = expected:gsub("'human', \"Mensch\"", '"human", "Mensch"') -- such a list is written anew
      assert.equal(expected, (desired.write(cfg, "lua", old)))
      local windows = desired.write(cfg, "lua", (old:gsub("\n", "\r\n")))
      assert.equal(expected, (windows:gsub("\r\n", "\n")))
      assert.is_nil(windows:find "[^\r]\n")
    end)

    it("over any file so that it says what a new one would, and once more without a change", function()
      for seed = 1, 120 do
        local r = random(seed)
        local before = edits.document(r, true)
        local after = edits.answer(edits.edit(r, before, 12, "new"), 100)
        local old = desired.write(assert(core.config.new(before, true)), "lua")
        local how = r:below(4)
        if how == 0 then old = old:gsub(r:one { ",\n *}", "\n *}" }, " }"):gsub("\n *", " ") end -- all on one line
        if how == 1 then old = old:gsub(",(\n *)}", r:one { "%1}", ", -- note%1}", "%1-- last%1}" }) end
        if r:boolean() then old = old:gsub("{ ", r:one { "{\n", "{", "{ --[[ x ]] " }) end
        local cfg = assert(core.config.new(after, true))
        local text = assert(desired.write(cfg, "lua", old))
        local fresh = value_of((desired.write(cfg, "lua")))
        assert.same({}, differences(value_of(text), fresh), "seed " .. seed .. "\n" .. text)
        assert.equal(text, (desired.write(cfg, "lua", text)))
        for _, note in ipairs { "%-%- last", "%-%- note" } do
          if old:find(note) then assert.truthy(text:find(note), text) end
        end
      end
    end)

    it("over lists laid out as people do, of which only the item that goes is gone", function()
      local slots = {
        a = '{ id = 1, day_span = "monday", start_time = "10:00", end_time = "12:00" }',
        b = '{ id = 2, day_span = "tuesday", start_time = "10:00", end_time = "12:00" }',
        c = '{ id = 3, day_span = "friday", start_time = "10:00", end_time = "12:00" }',
      }
      local rest = "settings = {}, generic_guidelines = {}, custom_guidelines = {}, routing_profiles = {} }\n"
      local function file(list) return "return { availability = {" .. list:gsub("%l%f[%A]", slots) .. "},\n" .. rest end
      local function live(names)
        local items = names:gsub("%l", function(name) return slots[name] .. "," end):gsub("([%l_]+) =", '"%1":')
        return document.new { settings = "{}", generic_guidelines = "[]", custom_guidelines = "[]",
          routing_profiles = "[]", availability = "[" .. items:sub(1, -2) .. "]" }
      end
      for _, row in ipairs {
        { "\n  a\n  , b\n  , c\n", "bc", "\n  b\n  , c\n" },
        { "\n  a\n  , b\n  , c\n", "ac", "\n  a\n  , c\n" },
        { "\n  a\n  , b\n  , c\n", "ab", "\n  a\n  , b\n" },
        { "\n  a, b,\n  -- ABOUT\n  c,\n", "ac", "\n  a,\n  -- ABOUT\n  c,\n" },
        { "\n  a, -- ABOUT\n  b ", "a", "\n  a, -- ABOUT\n  " },
        { "\n  a, b --[[ ABOUT ]] , c\n", "ac", "\n  a, --[[ ABOUT ]] c\n" },
        { "\n  a, -- ABOUT\r  b,\n  c,\n", "bc", "\n  -- ABOUT\r  b,\n  c,\n" },
      } do
        assert.equal(file(row[3]), (desired.write(live(row[2]), "lua", file(row[1]))))
      end
    end)

    it("not over a file that cannot be read", function()
      local text, err = desired.write(document.new(), "lua", "return {\n  os.exit() }")
      assert.is_nil(text)
      assert.equal('the file:2:3: "os.exit" is called; this file is data: write the value itself', tostring(err))
    end)
  end)

  describe("is saved", function()
    local function mode(name) return (program.run("stat -c %a " .. folder .. "/" .. name):match "%d+") end

    it("privately, at one stroke; a file that is there keeps its format and mode", function()
      local cfg, there = document.new(), folder .. "/a/b"
      local done = assert(desired.save(cfg, there, "shop", "lua"))
      assert.same({ there .. "/shop.lua", "new" }, { done.path, done.status })
      assert.equal("600", mode "a/b/shop.lua")
      assert.equal("unchanged", assert(desired.save(cfg, there .. "/", "shop", "json")).status)
      program.run(("cd %s && chmod 644 shop.lua"):format(there))
      put("a/b/shop.lua", "return {} -- mine\n")
      assert.equal("changed", assert(desired.save(cfg, there, "shop", "json")).status)
      assert.equal("644", mode "a/b/shop.lua")
      assert.matches("\n} %-%- mine\n$", get "a/b/shop.lua")
      assert.equal("shop.lua\n", (program.run("ls -A " .. there)))
    end)

    it("never out of the folder, and not where a file cannot be told or read", function()
      local cfg = document.new()
      local function refused(name, why)
        local done, err = desired.save(cfg, folder, name, "lua")
        assert.is_nil(done)
        assert.matches(why, tostring(err), 1, true)
      end
      refused("../shop", 'no file can have the agent\'s name, which has a "/" in it')
      refused(".shop", "which has a dot at its beginning")
      put("target", "return {}")
      program.run(("cd %s && ln -s target link.lua && ln -s nowhere dangling.lua && mkdir dir.lua"):format(folder))
      refused("link", "it is there and no regular file")
      refused("dangling", "it is there and no regular file")
      refused("dir", "it is no file, but a folder")
      refused(("n"):rep(300), "cannot be written: File name too long")
      put("two.lua", "return {}")
      put("two.json", "{}")
      refused("two", "two.json is this agent's desired state, too; keep one of the two")
      put("broken.lua", "return {")
      refused("broken", "the file ends too early; look for a } or a quote that is missing; repair it, or remove it")
      assert.same({ "return {}", "return {" }, { get "target", get "broken.lua" })
    end)
  end)
end)
