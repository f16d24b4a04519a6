-- SPDX-License-Identifier: MIT
local handoff = require "handoff"
local core = require "handoff.core"
local document = require "support.document"

local json, null = handoff.json, handoff.null

local new, raised, refused = document.new, document.raised, document.refused
local function part(cfg, name) return (json.encode(json.decode(cfg:text())[name])) end

local slot = { day_span = "monday", start_time = "08:00", end_time = "09:00" }

describe("handoff.config", function()
  it("gives the text back byte for byte, touched or not", function()
    local text = document.text()
    local cfg = new()
    assert.equal(text, cfg:text())
    for _, value in handoff.each(cfg) do
      for _, inner in handoff.each(value) do
        if type(inner) ~= "string" then tostring(inner) end
      end
    end
    cfg:json()
    cfg:plain()
    assert.equal(text, cfg:text())
    assert.same({}, core.config.edited(cfg))
  end)

  it("writes only edited parts anew", function()
    local cfg = new()
    cfg.settings.is_active = false
    local text = cfg:text()
    for _, name in ipairs(document.parts) do
      assert.equal(name ~= "settings", text:find(document.part(name), 1, true) ~= nil, name)
    end
    assert.truthy(text:find('"settings" : {"is_active":false,"keywords":["speak to human",', 1, true))
    assert.truthy(text:find(
      '"beta_flags":{"big":12345678901234567890,"deep":[{"a":[null]}],"list":[],"object":{}}', 1, true))
  end)

  it("keeps unknown fields and empty arrays through an edit of every part", function()
    local cfg = new()
    local before = json.decode(document.text())
    for _, name in ipairs { "availability", "generic_guidelines", "custom_guidelines", "routing_profiles" } do
      local field = name == "availability" and "day_span" or "description"
      cfg[name][1][field] = name == "availability" and "sunday" or "edited"
      before[name][1][field] = cfg[name][1][field]
    end
    cfg.settings.question_message, before.settings.question_message = "?", "?"
    cfg.voice.rate, before.voice.rate = 2, 2
    assert.equal(json.encode(before), json.encode(json.decode(cfg:text())))
    assert.equal(json.encode(before), json.encode(cfg:plain()))
  end)

  it("takes a table as it takes a text", function()
    local plain = new():plain()
    plain.settings.keywords, plain.availability = {}, {}
    local cfg = assert(handoff.config(plain))
    assert.equal("[]", part(cfg, "availability"))
    assert.equal(cfg:json(), assert(handoff.config(cfg:json { indent = 2 })):json())
    plain.availability = nil
    local none, err = handoff.config(plain)
    assert.is_nil(none)
    assert.equal("protocol", err.kind)
    plain.availability = { print }
    assert.equal("availability[1]", raised(handoff.config, plain).path)
    for _, bad in ipairs { 12, true, print } do assert.equal("type", raised(handoff.config, bad).rule) end
  end)

  it("refuses a text that is no configuration, with line and column", function()
    for _, row in ipairs {
      { "", 1, 1 }, { "{", 1, 2 }, { "[]", 1, 1 }, { "null", 1, 1 }, { '"x"', 1, 1 }, { "{}", 1, 1 },
      { '{"errors": {"root": [{"message": "no", "code": "BAD_REQUEST"}]}}', 1, 1 },
      { document.text { settings = "[]" }, 2, 16 }, { document.text { settings = "null" }, 2, 16 },
      { document.text { voice = "nope" }, nil },
      { document.text(nil, { { "settings", "{}" } }), nil }, { document.text(nil, { { "setting\\u0073",
        "{}" } }), nil },
    } do
      local cfg, err = handoff.config(row[1])
      assert.is_nil(cfg)
      assert.equal("protocol", err.kind)
      if row[2] then assert.same({ row[2], row[3] }, { err.line, err.column }) end
      assert.is_number(err.column)
      assert.is_nil(tostring(err):find "\n")
    end
    for _, name in ipairs { "availability", "generic_guidelines", "custom_guidelines", "routing_profiles" } do
      for _, value in ipairs { "{}", "null", "1", '"x"' } do
        local cfg, err = handoff.config(document.text { [name] = value })
        assert.is_nil(cfg)
        assert.truthy(err.message:find(name .. ": an array expected", 1, true), err.message)
      end
    end
  end)

  it("takes in what breaks rules, and gives it back as it came", function()
    local bad = {
      settings = '{"is_active":"yes","keywords":{},"emails":[1,null,"not an address"],"timezone":null,'
        .. '"confirmation_message":"' .. ("x"):rep(501) .. '"}',
      availability = '[{"id":"a","day_span":"noday"},5,null,[],[1],{}]',
      generic_guidelines = '[{"name":"a"},{"name":"a"},{"name":"a"},{"name":"a"},{"name":"a"},{"name":"a"}]',
      custom_guidelines = '[{"id":1,"name":"' .. ("n"):rep(101) .. '"}]',
      routing_profiles = '[{"id":1.5,"user_ids":{"a":1}},{"user_ids":null}]',
    }
    local cfg = new(bad)
    for _, name in ipairs(document.parts) do
      for _, value in handoff.each(cfg[name]) do tostring(value) end
    end
    assert.equal(0, #cfg.settings.keywords)
    assert.equal(document.text(bad), cfg:text())
    assert.equal(null, cfg.settings.timezone)
    cfg.settings.is_active = true
    local settings = json.decode(cfg:text()).settings
    assert.equal("{}", json.encode(settings.keywords))
    assert.equal('[1,null,"not an address"]', json.encode(settings.emails))
    assert.equal(null, settings.timezone)
    for _, name in ipairs { "availability", "generic_guidelines", "custom_guidelines", "routing_profiles" } do
      local list = cfg[name]
      cfg[name] = list
      assert.truthy(cfg:text():find(bad[name], 1, true))
    end
    cfg.routing_profiles[2].user_ids = { 4 }
    cfg.settings.keywords:add "agent"
    assert.equal('["agent"]', json.encode(json.decode(cfg:text()).settings.keywords))
    assert.equal('[{"id":1.5,"user_ids":{"a":1}},{"user_ids":[4]}]', part(cfg, "routing_profiles"))
  end)

  it("takes documents of many members, escaped names and any order", function()
    local more = {}
    for i = 1, 40 do more[i] = { ("extra\\u005f%d"):format(i), ('{"n":[%d,[]]}'):format(i) } end
    more[41] = { "", "1" }
    more[42] = { "\\u0000", "[ ]" }
    local text = document.text(nil, more):gsub('"settings"', '"s\\u0065ttings"')
    local cfg = assert(handoff.config(text))
    assert.equal("Europe/Berlin", cfg.settings.timezone)
    assert.equal(7, cfg.extra_7.n[1])
    assert.equal(1, cfg[""])
    cfg.extra_7.n:add(8)
    cfg[""] = "two"
    cfg["\0"]:add(json.array())
    cfg.settings.is_active = false
    assert.equal((text:gsub("%[7,%[%]%]", "[7,[],8]"):gsub('"":1', '"":"two"'):gsub('"\\u0000":%[ %]', '"\\u0000":[[]]')
      :gsub('("s\\u0065ttings" : ).-("availability")', "%1%2")),
      (cfg:text():gsub('("s\\u0065ttings" : ).-("availability")', "%1%2")))
    local names = {}
    for name in handoff.each(cfg) do names[#names + 1] = name end
    assert.equal("settings", names[1])
    assert.equal("extra_1", names[7])
    assert.equal(48, #names)
    assert.equal(48, (function() local n = 0 for _ in pairs(cfg:plain()) do n = n + 1 end return n end)())
  end)

  it("has methods that no member of the document can hide", function()
    local cfg = new(nil, { { "text", '"mine"' }, { "json", "null" }, { "copy", "[]" } })
    assert.equal(document.text(nil, { { "text", '"mine"' }, { "json", "null" }, { "copy", "[]" } }), cfg:copy():text())
    local seen
    for name, value in handoff.each(cfg) do if name == "text" then seen = value end end
    assert.equal("mine", seen)
    cfg.text = "yours"
    assert.truthy(cfg:text():find('"text":"yours"', 1, true))
  end)
end)

describe("a configuration's fields", function()
  it("are read with nil for what is known and absent, and an error for what is unknown", function()
    local cfg = new { settings = '{"future":[]}' }
    assert.is_nil(cfg.settings.timezone)
    assert.equal("[]", tostring(cfg.settings.future))
    -- {edit, path}
    for _, row in ipairs {
      { function(c) return c.settings.keyword end, "settings.keyword", "keywords" },
      { function(c) return c.setings end, "setings", "settings" },
      { function(c) return c.availability[1].start end, "availability[1].start", "start_time" },
      { function(c) return c.availability.foo end, "availability", "add, find, upsert" },
      { function(c) return c.routing_profiles[2].userids end, "routing_profiles[2].userids", "user_ids" },
      { function(c) return c[1] end, "", "fields have names" },
      { function(c) return c.settings[true] end, "settings", "fields have names" },
      { function(c) c.settings.Is_Active = true end, "settings.Is_Active", "is_active" },
      { function(c) c.nothing = true end, "nothing", "known are" },
      { function(c) c.custom_guidelines[1].user_ids = { 1 } end, "custom_guidelines[1].user_ids", "known are" },
    } do
      local err = refused(cfg, row[1], row[2], "unknown")
      assert.truthy(err.message:find(row[3], 1, true), err.message)
    end
  end)

  it("are the same Lua value at every reading", function()
    local cfg = new()
    assert.equal(cfg.settings, cfg.settings)
    assert.equal(cfg.settings.keywords, cfg.settings.keywords)
    assert.equal(cfg.availability[2], cfg.availability[2])
    assert.equal(cfg.voice.nested.list, cfg.voice.nested.list)
    assert.not_equal(cfg.availability[1], cfg.availability[2])
    local second = cfg.availability[2]
    cfg.availability:remove(1)
    assert.equal(second, cfg.availability[1])
    assert.equal(second, (cfg.availability:find { id = 2 }))
  end)

  it("take what the schema allows", function()
    local cfg = new()
    local s = cfg.settings
    s.is_active, s.timezone, s.question_message = false, "UTC", ""
    s.confirmation_message = ("😀"):rep(500)
    s.keywords = {}
    s.emails = { "a@example.com" }
    cfg.availability[1].day_span = "saturday-monday"
    cfg.availability[1].start_time = "23:00"
    cfg.availability[1].end_time = "23:59"
    cfg.routing_profiles[1].user_ids = { 7, 9007199254740992 }
    cfg.routing_profiles[1].user_ids:add(json.number "123456789012345678901")
    s.beta_flags = { any = { json.array(), null, 1.5 } }
    s.beta_flags.any[2] = "x"
    s.beta_flags.other = json.array()
    s.beta_flags.any = nil
    assert.equal('{"other":[]}', tostring(s.beta_flags))
    assert.equal("[7,9007199254740992,123456789012345678901]", tostring(cfg.routing_profiles[1].user_ids))
    assert.equal("[]", json.encode(json.decode(cfg:text()).settings.keywords))
  end)

  local long = ("é"):rep(501)
  -- {path, rule, edit, part of the message}
  local rows = {
    { "settings.is_active", "type", function(c) c.settings.is_active = "true" end,
      'true or false expected, got the string "true"' },
    { "settings.is_active", "type", function(c) c.settings.is_active = 1 end, "got the number 1" },
    { "settings.is_active", "required", function(c) c.settings.is_active = nil end, "cannot be removed" },
    { "settings.is_active", "null", function(c) c.settings.is_active = null end, "null is never written in" },
    { "settings.timezone", "type", function(c) c.settings.timezone = 1 end, "a string expected" },
    { "settings.timezone", "type", function(c) c.settings.timezone = {} end, "got table" },
    { "settings.timezone", "zone", function(c) c.settings.timezone = "Europe/Londn" end, "Europe/London" },
    { "settings.question_message", "utf8", function(c) c.settings.question_message = "\255" end, "UTF-8" },
    { "settings.confirmation_message", "max_length", function(c) c.settings.confirmation_message = long end,
      "501 characters, at most 500 allowed" },
    { "settings.topic_based_routing_active", "read_only", function(c) c.settings.topic_based_routing_active = false end,
      "routing profiles" },
    { "settings.keywords", "type", function(c) c.settings.keywords = "agent" end, "a list expected" },
    { "settings.keywords", "required", function(c) c.settings.keywords = nil end, "cannot be removed" },
    { "settings.keywords", "type", function(c) c.settings.keywords = { a = 1 } end, "a list expected" },
    { "settings.keywords", "type", function(c) c.settings.keywords = { "a", nil, "b" } end, "a list expected" },
    { "settings.keywords[2]", "type", function(c) c.settings.keywords = { "a", 2 } end, "a string expected" },
    { "settings.keywords[4]", "type", function(c) c.settings.keywords:add(3) end, "a string expected" },
    { "settings.keywords[1]", "type", function(c) c.settings.keywords[1] = true end, "a string expected" },
    { "settings.keywords[1]", "hole", function(c) c.settings.keywords[1] = nil end, "no holes" },
    { "settings.keywords", "hole", function(c) c.settings.keywords[5] = "x" end, "no place [5] in a list of 3" },
    { "settings.keywords", "hole", function(c) c.settings.keywords[0] = "x" end, "no place [0]" },
    { "settings.keywords", "hole", function(c) c.settings.keywords[1.5] = "x" end, "no place [1.5]" },
    { "settings.keywords", "hole", function(c) c.settings.keywords.x = "x" end, "no place [x]" },
    { "settings.keywords", "type", function(c) c.settings.keywords:remove(1) end, "its items are strings" },
    { "settings.emails[2]", "email", function(c) c.settings.emails = { "a@example.com", "nobody" } end, "nobody" },
    { "settings.beta_flag", "unknown", function(c) c.settings.beta_flag = 1 end, "no such field" },
    { "settings.beta_flags", "required", function(c) c.settings.beta_flags = nil end, "cannot be removed" },
    { "settings.beta_flags.x", "type", function(c) c.settings.beta_flags.x = print end, "got function" },
    { "settings.beta_flags", "utf8", function(c) c.settings.beta_flags["\255"] = 1 end, "UTF-8" },
    { "settings.beta_flags.x", "utf8", function(c) c.settings.beta_flags.x = { ["\255"] = 1 } end, "UTF-8" },
    { "settings.beta_flags.x.y", "utf8", function(c) c.settings.beta_flags.x = { y = "\255" } end, "UTF-8" },
    { "settings.beta_flags.x", "type", function(c) c.settings.beta_flags.x = { 1, a = 2 } end, "list" },
    { "settings.beta_flags.x", "type", function(c) c.settings.beta_flags.x = 0 / 0 end, "NaN" },
    { "settings.beta_flags", "type", function(c) c.settings.beta_flags[1] = 1 end, "fields have names" },
    { "availability[1].day_span", "day_span", function(c) c.availability[1].day_span = "mon" end, "monday" },
    { "availability[1].start_time", "time", function(c) c.availability[1].start_time = "9:00" end, "HH:MM" },
    { "availability[1].id", "read_only", function(c) c.availability[1].id = 7 end, "server" },
    { "availability[1].id", "required", function(c) c.availability[1].id = nil end, "cannot be removed" },
    { "availability[4].id", "read_only",
      function(c) c.availability:add { id = 9, day_span = "monday", start_time = "08:00",
      end_time = "09:00" } end, "server" },
    { "availability[4]", "time_order", function(c) c.availability:add { day_span = "monday", start_time = "09:00",
      end_time = "08:00" } end, "two slots" },
    { "availability[4]", "time_order", function(c) c.availability:add { day_span = "monday", start_time = "09:00",
      end_time = "09:00" } end, "all day" },
    { "availability[4].end_time", "required",
      function(c) c.availability:add { day_span = "monday", start_time = "09:00" } end,
      "missing; a slot needs it" },
    { "availability[4]", "type", function(c) c.availability:add "monday" end, "a table of fields expected" },
    { "availability[4]", "type", function(c) c.availability:add { slot } end, "got a list" },
    { "availability[2]", "type", function(c) c.availability = { slot, 5 } end, "a table of fields expected" },
    { "availability[1].weekday", "unknown", function(c) c.availability = { { weekday = 1 } } end, "day_span" },
    { "availability", "hole", function(c) c.availability[9] = slot end, "no place [9]" },
    { "availability", "required", function(c) c.availability = nil end, "a part cannot be removed" },
    { "availability", "null", function(c) c.availability = null end, "null is never written in" },
    { "availability", "type", function(c) c.availability = 5 end, "a list expected" },
    { "availability", "required", function(c) c.availability:remove {} end, "would match every item" },
    { "availability", "required", function(c) c.availability:find { day_span = nil } end, "would match every item" },
    { "availability.day", "unknown", function(c) c.availability:remove { day = "monday" } end, "day_span" },
    { "custom_guidelines", "type", function(c) c.custom_guidelines:find "Refund" end, "give fields of the item" },
    { "custom_guidelines[1].name", "max_length", function(c) c.custom_guidelines[1].name = ("n"):rep(101) end,
      "at most 100" },
    { "custom_guidelines[1].description", "max_length",
      function(c) c.custom_guidelines:upsert { name = "Refund", is_active = false, description = ("n"):rep(2001) } end,
      "2000" },
    { "custom_guidelines[3].is_active", "required",
      function(c) c.custom_guidelines:upsert { name = "N", description = "" } end,
      "needs it" },
    { "custom_guidelines[1].active", "unknown",
      function(c) c.custom_guidelines:upsert { name = "Refund", active = true } end,
      "is_active" },
    { "custom_guidelines", "type", function(c) c.custom_guidelines:upsert "Refund" end, "upsert takes a table" },
    { "custom_guidelines[3].id", "read_only",
      function(c) c.custom_guidelines:upsert { id = 77, name = "N", description = "", is_active = true } end,
        "server" },
    { "generic_guidelines", "fixed",
      function(c) c.generic_guidelines:add { name = "irrelevant_advice", description = "",
      is_active = true } end, "predefined" },
    { "generic_guidelines", "fixed", function(c) c.generic_guidelines:remove(1) end, "predefined" },
    { "generic_guidelines", "fixed", function(c) c.generic_guidelines:clear() end, "predefined" },
    { "generic_guidelines", "fixed", function(c) c.generic_guidelines[3] = nil end, "predefined" },
    { "generic_guidelines", "fixed", function(c) c.generic_guidelines = { c.generic_guidelines[1] } end, "predefined" },
    { "generic_guidelines[1].name", "choice", function(c) c.generic_guidelines[1].name = "user_frustrated" end,
      "user_frustration" },
    { "routing_profiles[1].user_ids[3]", "type", function(c) c.routing_profiles[1].user_ids:add "5" end,
      "whole number" },
    { "routing_profiles[1].user_ids[3]", "type", function(c) c.routing_profiles[1].user_ids:add(1.5) end,
      "whole number" },
    { "routing_profiles[2].user_ids[1]", "null", function(c) c.routing_profiles[2].user_ids[1] = null end, "null" },
    { "settings.emails", "required",
      function(c) c.settings = { is_active = true, keywords = {}, ai_summary_active = true,
      question_message = "", confirmation_message = "", confirmation_outside_working_hours_message = "",
      working_hours_active = false, timezone = "UTC", send_email_notification = false } end, "would be lost" },
    { "settings", "type", function(c) c.settings = {  1 } end, "a table of fields" },
    { "voice", "required", function(c) c.voice = nil end, "cannot be removed" },
    { "voice.list", "type", function(c) c.voice = { list = { print } } end, nil },
  }
  for i, row in ipairs(rows) do
    it(("refuse %d: %s at %s, and nothing changes"):format(i, row[2], row[1]), function()
      local cfg = new()
      local path = row[1] == "voice.list" and "voice.list[1]" or row[1]
      local err = refused(cfg, row[3], path, row[2])
      if row[4] then assert.truthy(err.message:find(row[4], 1, true), err.message) end
      -- once more on a document that was edited
      cfg.settings.is_active, cfg.availability[1].day_span = false, "friday"
      refused(cfg, row[3], path, row[2])
    end)
  end

  it("refuse with a value of the whole contract, at the place of the script", function()
    local cfg = new()
    local line = debug.getinfo(1, "l").currentline + 1
    local err = raised(function() cfg.settings.confirmation_message = long end)
    assert.same({ "invalid", "settings.confirmation_message", "max_length", 500, long,
      "501 characters, at most 500 allowed" },
      { err.kind, err.path, err.rule, err.limit, err.value, err.message })
    local expected = "spec/config_spec.lua:%d: settings.confirmation_message: 501 characters, at most 500 allowed"
    assert.truthy(tostring(err):find(expected:format(line), 1, true), tostring(err))
    assert.is_true(core.error.is(err))
  end)

  it("hold null only where the service put it", function()
    local cfg = new { settings = '{"timezone":null,"is_active":true}' }
    cfg.settings.timezone = null
    assert.same({}, core.config.edited(cfg))
    cfg.settings.is_active = false
    assert.equal('{"is_active":false,"timezone":null}', part(cfg, "settings"))
    cfg.settings.timezone = "UTC"
    refused(cfg, function(c) c.settings.timezone = null end, "settings.timezone", "null")
  end)

  it("take tables by value", function()
    local cfg = new()
    local mine = { "a", "b" }
    cfg.settings.keywords = mine
    mine[1] = "changed"
    assert.equal('["a","b"]', tostring(cfg.settings.keywords))
    cfg.routing_profiles[2].user_ids = cfg.routing_profiles[1].user_ids
    cfg.routing_profiles[1].user_ids:add(99)
    assert.equal("[5,6]", tostring(cfg.routing_profiles[2].user_ids))
    cfg.voice.again = cfg.voice.nested
    cfg.voice.nested.list:clear()
    assert.equal('{"list":[1,[2,{}]]}', tostring(cfg.voice.again))
    cfg.voice.nested.list = cfg.voice
    assert.equal(nil, cfg.voice.nested.list.nested.list[1])
    assert.truthy(handoff.config(cfg:text()))
  end)

  it("may not be nested too deep, however it is done", function()
    local cfg = new()
    local at, steps = cfg.voice, 0
    local err = raised(function()
      while true do
        at.deeper = { list = { {} } }
        at, steps = at.deeper.list[1], steps + 1
      end
    end)
    assert.equal("depth", err.rule)
    assert.truthy(handoff.config(cfg:text()))
    cfg:copy():plain()
    local loop = {}
    loop[1] = loop
    assert.equal("depth", raised(function() cfg.voice.loop = loop end).rule)
    local chain = "x"
    for _ = 1, 98 do chain = { chain } end
    cfg.voice = { chain = chain }
    assert.truthy(handoff.config(cfg:text()))
    assert.equal("depth", raised(function() cfg.voice = { chain = { chain } } end).rule)
  end)
end)

describe("a configuration as a whole", function()
  it("is written canonically, the same on every VM", function()
    local cfg = new()
    local text = cfg:json { indent = 2 }
    assert.equal(text, assert(handoff.config(text)):json { indent = 2 })
    assert.truthy(text:find('^{\n  "settings": {\n    "is_active": true,\n    "keywords": %[\n      "speak to human",'))
    assert.truthy(cfg:json():find(
      '"voice":{"models":[],"nested":{"list":[1,[2,{}]]},"none":null,"rate":1.5}}', 1, true))
    assert.equal(cfg:json(), new():json())
    assert.equal(json.encode(json.decode(text)), json.encode(json.decode(document.text())))
    assert.equal("option", raised(cfg.json, cfg, { indent = "x" }).rule)
  end)

  it("is copied with its edits, and the copy stands alone", function()
    local cfg = new()
    cfg.settings.is_active = false
    cfg.availability:add(slot)
    cfg.voice = "gone"
    local copy = cfg:copy()
    assert.equal(cfg:text(), copy:text())
    copy.settings.is_active = true
    copy.availability:clear()
    assert.is_false(cfg.settings.is_active)
    assert.equal(4, #cfg.availability)
    assert.not_equal(cfg.settings, copy.settings)
    assert.equal("gone", copy.voice)
  end)

  it("says what was edited", function()
    local cfg = new()
    cfg.routing_profiles[1].user_ids:add(7)
    cfg.settings.is_active = true -- as it was
    local edited = core.config.edited(cfg)
    assert.equal(1, #edited)
    assert.equal("routing_profiles", edited[1].name)
    assert.equal("[5,6]", json.encode(edited[1].before[1].user_ids))
    assert.equal("[5,6,7]", json.encode(edited[1].after[1].user_ids))
    assert.equal("21", tostring(edited[1].before[1].id))
    assert.equal("handoff.config: 6 parts, 1 edited", tostring(cfg))
  end)

  it("gives plain tables that are its own no longer", function()
    local cfg = new()
    local plain = cfg:plain()
    plain.settings.keywords[1] = "x"
    plain.availability[1] = nil
    assert.equal(document.text(), cfg:text())
    assert.equal("table", type(plain.settings))
    assert.equal("1", tostring(plain.availability[2] and plain.routing_profiles[1].id - 20))
  end)
end)
