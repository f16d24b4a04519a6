-- SPDX-License-Identifier: MIT
local handoff = require "handoff"
local path = require "handoff.path"
local change = require "handoff.change"
local document = require "support.document"

local raised = document.raised

-- Two of one name, and slots of one label.
local twins = {
  custom_guidelines = [==[[ {"id": 7, "name": "Refund \"fast\"", "description": "", "is_active": true},
    {"id": 9007199254740993, "name": "Refund \"fast\"", "description": "", "is_active": false} ]]==],
  availability = [==[[ {"id": 1, "day_span": "monday", "start_time": "09:00", "end_time": "10:00"},
    {"id": 12, "day_span": "monday", "start_time": "09:00", "end_time": "10:00"} ]]==],
}

-- What the path leads to, a line `PATH = JSON` each.
local function led_to(text, cfg)
  local lines = {}
  for i, one in ipairs(path.values(path.parse(text), cfg)) do
    lines[i] = one.path .. " = " .. handoff.json.encode(one.value)
  end
  return lines
end

describe("a path", function()
  it("leads to a value, and says what it is called", function()
    local cfg = document.new()
    for text, expected in pairs {
      ["settings.timezone"] = { 'settings.timezone = "Europe/Berlin"' },
      ['settings["timezone"]'] = { 'settings.timezone = "Europe/Berlin"' },
      ["availability[2].start_time"] = { 'availability[saturday 10:00-14:00].start_time = "10:00"' },
      ["availability[#3].start_time"] = { 'availability[sunday 10:00-12:00].start_time = "10:00"' },
      ["availability[saturday 10:00-14:00].id"] = { "availability[saturday 10:00-14:00].id = 2" },
      ['custom_guidelines["Refund"].is_active'] = { 'custom_guidelines["Refund"].is_active = true' },
      ["custom_guidelines[Refund].is_active"] = { 'custom_guidelines["Refund"].is_active = true' },
      ["custom_guidelines[#9007199254740993].is_active"] = { 'custom_guidelines["Refund"].is_active = true' },
      ["custom_guidelines[*].is_active"] = {
        'custom_guidelines["Refund"].is_active = true', 'custom_guidelines["Legal"].is_active = false',
      },
      ['settings.keywords["agent"]'] = { 'settings.keywords["agent"] = "agent"' },
      ["settings.keywords[2]"] = { 'settings.keywords["agent"] = "agent"' },
      ['routing_profiles["Billing"].user_ids'] = { 'routing_profiles["Billing"].user_ids = [5,6]' },
      ['routing_profiles["Billing"].user_ids[6]'] = { 'routing_profiles["Billing"].user_ids[6] = 6' },
      ['settings["beta_flags"].big'] = { "settings.beta_flags.big = 12345678901234567890" },
      ['["voice"].nested.list[2][1]'] = { "voice.nested.list[2][1] = 2" },
      ['["voice"].none'] = { "voice.none = null" },
      ['["voice"].nothing'] = {}, ['["nobody"]'] = {}, ['custom_guidelines["Nobody"].is_active'] = {},
      ["availability[4]"] = {}, ["routing_profiles[*].user_ids[7]"] = {}, ['settings["beta_flags"][1]'] = {},
    } do
      assert.same(expected, led_to(text, cfg), text)
      assert.same(expected, led_to(text, cfg:plain()), text)
    end
  end)

  it("tells several of one name apart", function()
    local cfg = document.new(twins)
    local fast = [[custom_guidelines["Refund \"fast\""]]
    assert.same({ fast .. " #7].is_active = true", fast .. " #9007199254740993].is_active = false" },
      led_to(fast .. "].is_active", cfg))
    assert.same({ fast .. " #9007199254740993].is_active = false" },
      led_to(fast .. " #9007199254740993].is_active", cfg))
    assert.same({ fast .. " #7].is_active = true" }, led_to(fast .. " at 1].is_active", cfg))
    assert.same({ "availability[monday 09:00-10:00 #12].id = 12" },
      led_to("availability[monday 09:00-10:00 #12].id", cfg))
  end)

  it("leads to a long text that is written whole, and not to others that look the same where they are cut", function()
    local cfg = document.new()
    local one, other = ("y"):rep(99) .. "1" .. ("y"):rep(99), ("y"):rep(99) .. "2" .. ("y"):rep(99)
    cfg.settings.keywords = { one, other }
    local values = path.values(path.parse(('settings.keywords["%s"]'):format(other)), cfg)
    assert.same({ 1, other }, { #values, values[1].value })
    assert.equal(2, #path.values(path.parse(values[1].path), cfg))
  end)

  it("leads to what a change's path names", function()
    local before, after = document.new(), document.new()
    after.settings.timezone = "UTC"
    after.settings.keywords = { "line\nbreak ]", ("long "):rep(40) }
    after.availability[1].end_time = "18:00"
    after.generic_guidelines[1].is_active = false
    after.custom_guidelines[2].name = 'quo"te'
    after.routing_profiles[1].user_ids = { 5, 77 }
    local changes = change.diff(before:plain(), after:plain())
    assert.equal(11, #changes)
    for _, one in ipairs(changes) do
      local values = path.values(path.parse(one.path), one.kind == "removed" and before or after)
      -- an item that was renamed is called what it was
      if one.field == "name" or one.field == "end_time" then values = path.values(path.parse(one.path), before) end
      assert.equal(1, #values, one.path)
      assert.equal(one.path, values[1].path)
    end
  end)

  it("has the schema's row", function()
    assert.equal(500, path.parse("settings.confirmation_message"):row().max)
    assert.equal("slot", path.parse("availability[1]"):row().object)
    assert.equal("email", path.parse("settings.emails[1]"):row().format)
    assert.is_nil(path.parse('["voice"].rate'):row())
    assert.equal("settings.timezone", tostring(path.parse "settings.timezone"))
  end)

  it("raises where it is none, at the column", function()
    for _, row in ipairs {
      { "", 1, "path", "a path expected, such as settings.timezone" },
      { "settings.timezon", 10, "unknown", 'no field "timezon" in settings; did you mean "timezone"?' },
      { "timezone", 1, "unknown", 'no part "timezone"; did you mean "settings.timezone"?' },
      { "setings.timezone", 1, "unknown", 'no part "setings"; did you mean "settings"?' },
      { "availability[1].zone", 17, "unknown", 'no field "zone" in availability[1]; known are: id, day_span, '
        .. 'start_time, end_time, and what only the service knows as ["zone"]' },
      { 'custom_guidelines["Zoë 😀"].nam', 28, "unknown", nil },
      { "custom_guidelines.is_active", 19, "path", "it is a list, of which an item is meant; write "
        .. 'custom_guidelines["NAME"].is_active, or custom_guidelines[*].is_active for every item' },
      { "settings.timezone.x", 19, "path", "settings.timezone has no fields: it is a string; end the path there" },
      { "settings[1]", 9, "path", "settings is no list; write a field's name after a dot" },
      { "settings.timezone[1]", 18, "path", "settings.timezone is no list; end the path there" },
      { "settings.", 9, "path", "a field's name expected after the dot" },
      { "settings.timezone ", 18, "path", "a dot and a field's name, or an item in brackets expected" },
      { "availability[0]", 14, "path", "a place from 1, #ID, a name in quotes, or * expected" },
      { "availability[1", 15, "path", "] expected" },
      { 'custom_guidelines["a', 19, "path", 'the text in quotes does not end; close it with "' },
      { 'custom_guidelines["a" or]', 22, "path",
        '] expected after the quotes, or, of an item with a name, ["NAME" #ID]' },
      { 'settings["timezone" #3]', 20, "path", nil },
      { 'custom_guidelines["\\q"]', 19, "path", nil },
      { "generic_guidelines[#3]", 20, "path", "these have no id; write a name in quotes, or a place from 1" },
      { "settings.keywords[agent]", 19, "path", 'write ["agent"], in quotes' },
      { 'routing_profiles[1].user_ids["5"]', 30, "path", "these are numbers; write it without quotes" },
      { "settings.a\27[2Jb", 10, "unknown", nil },
    } do
      local err = raised(path.parse, row[1])
      assert.same({ "invalid", row[2], row[3], row[4] or err.message },
        { err.kind, err.column, err.rule, err.message }, row[1])
      assert.is_nil(tostring(err):find "%c")
    end
    assert.equal("type", raised(path.parse, 5).rule)
    assert.equal("utf8", raised(path.parse, "settings.\255").rule)
  end)
end)

describe("an edit by PATH=VALUE", function()
  -- The changes, as lines, that the words make.
  local function changed(list, other)
    local cfg, lines = document.new(other), {}
    path.edit(list)(cfg)
    for i, one in ipairs(cfg:changes()) do lines[i] = tostring(one) end
    return lines
  end

  it("reads a value as its field is", function()
    for word, expected in pairs {
      ["settings.is_active=false"] = { "~ settings.is_active: true → false" },
      ["settings.timezone=UTC"] = { '~ settings.timezone: "Europe/Berlin" → "UTC"' },
      ["settings.question_message="] = { '~ settings.question_message: "Shall I connect you?" → ""' },
      ["settings.question_message=a=b"] = { '~ settings.question_message: "Shall I connect you?" → "a=b"' },
      ['settings.question_message="a\\nb"'] = { '~ settings.question_message: "Shall I connect you?" → "a\\nb"' },
      ['settings.emails=["b@example.org"]'] = { '- settings.emails["zoë@example.com"]' },
      ["availability[#2].end_time=15:00"] = { '~ availability[saturday 10:00-14:00].end_time: "14:00" → "15:00"' },
      ["routing_profiles[Tech].user_ids=[5]"] = { '+ routing_profiles["Tech"].user_ids[5]' },
      ["custom_guidelines[*].is_active=true"] = { '~ custom_guidelines["Legal"].is_active: false → true' },
      ['custom_guidelines["Legal"].name="a]=b"'] = { '~ custom_guidelines["Legal"].name: "Legal" → "a]=b"' },
      ["availability=Mon-Fri 9am-5:30pm; sat 10-14, sun 10-noon"] = {},
      ["availability=mon-fri 09:00-17:30, sat 10:00-14:00, sun 10-13"] = {
        '~ availability[sunday 10:00-12:00].end_time: "12:00" → "13:00"',
      },
      ["availability=[]"] = {
        '- availability[monday-friday 09:00-17:30]: {"id": 1, "day_span": "monday-friday", "start_time": "09:00", '
          .. '"end_time": "17:30"}',
        '- availability[saturday 10:00-14:00]: {"id": 2, "day_span": "saturday", "start_time": "10:00", '
          .. '"end_time": "14:00", "note": []}',
        '- availability[sunday 10:00-12:00]: {"id": 3, "day_span": "sunday", "start_time": "10:00", '
          .. '"end_time": "12:00"}',
      },
    } do
      assert.same(expected, changed { word }, word)
    end
    assert.equal(2, #changed { "settings.is_active=false", "settings.timezone=UTC" })
  end)

  it("can be done to one document after another", function()
    local edit = path.edit { 'settings.keywords=["one"]' }
    local first, second = document.new(), document.new()
    edit(first)
    first.settings.keywords:add "two"
    edit(second)
    assert.same({ "one" }, second:plain().settings.keywords)
  end)

  it("raises before it sees a document, where it can", function()
    for _, row in ipairs {
      { "settings.is_active=yes", "settings.is_active", "type", '"yes" is neither; write true or false' },
      { "settings.is_active", "settings.is_active", "path", "= and a value expected here" },
      { "true", "true", "unknown" },
      { "=true", "", "path", "PATH=VALUE expected, such as settings.is_active=true" },
      { "settings.tmezone=a=b", "settings.tmezone", "unknown",
        'no field "tmezone" in settings; did you mean "timezone"?' },
      { "settings.timezone=Europe/Londn", "settings.timezone", "zone",
        '"Europe/Londn" is no time zone; did you mean "Europe/London"?' },
      { "settings.confirmation_message=" .. ("é"):rep(501), "settings.confirmation_message", "max_length" },
      { "settings.topic_based_routing_active=true", "settings.topic_based_routing_active", "read_only" },
      { "availability[1].id=3", "availability[1].id", "read_only" },
      { 'settings.question_message="a" b', "settings.question_message", "type" },
      { "settings.question_message=\255", nil, "utf8" },
      { "settings.keywords=a,b", "settings.keywords", "type",
        'not JSON at line 1, column 1: a value expected; write a list as JSON, ["one", "two"]' },
      { "settings.keywords={}", "settings.keywords", "type", "{} is an object; write []" },
      { "settings.keywords=null", "settings.keywords", "type" },
      { 'settings.emails=["a@example.com","b"]', "settings.emails[2]", "email" },
      { 'routing_profiles["A.user_ids"].user_ids=[1,"b"]',
        'routing_profiles["A.user_ids"].user_ids[2]', "type",
        'a whole number expected, got the string "b"' },
      { "availability[2].start_time=24:00", "availability[2].start_time", "time" },
      { 'availability=[{"day_span":"monday","start_time":"10:00","end_time":"09:00"}]', "availability[1]",
        "time_order" },
      { 'availability=[{"day_span":"monday"}]', "availability[1].start_time", "required" },
      { "availability=mon-fri 9-5", "availability", "week", 'character 9: "9-5" may be meant in two ways; write '
        .. "9am-5pm or 09:00-17:00, or 21:00-05:00 for a night" },
      { 'settings={"timezon":"UTC"}', "settings.timezon", "unknown", 'no such field; did you mean "timezone"?' },
      { 'settings={"is_active":null}', "settings.is_active", "null" },
      { "custom_guidelines[2]={}", "custom_guidelines[2]", "path",
        "no item is set at once; set its fields, custom_guidelines[2].NAME=VALUE" },
      { "settings.keywords[1]=a", "settings.keywords[1]", "path",
        "no item is set at once; set the whole list, settings.keywords=[…]" },
      { 'settings["beta_flags"]={}', 'settings["beta_flags"]', "path" },
    } do
      local err = raised(path.edit, { row[1] })
      assert.same({ "invalid", row[2], row[3], row[4] or err.message },
        { err.kind, err.path, err.rule, err.message }, row[1])
    end
    assert.equal("path", raised(path.edit, { "settings.is_active=true", "settings.is_active=false" }).rule)
    assert.equal("type", raised(path.edit, {}).rule)
    assert.equal("type", raised(path.edit, { 5 }).rule)
  end)

  it("raises where the document has no such item, or several, and changes nothing", function()
    for _, row in ipairs {
      { 'custom_guidelines["Refnd"].is_active=false', nil, "missing",
        'there is no such custom guideline; did you mean ["Refund"]?' },
      { "custom_guidelines[3].is_active=false", nil, "missing",
        'there is no such custom guideline; there are "Refund", "Legal"' },
      { "custom_guidelines[3].is_active=false", { custom_guidelines = "[]" }, "missing",
        "there is no such custom guideline; the list is empty" },
      { "availability[monday 09:00-10:00].end_time=11:00", twins, "several",
        "2 are called so; write one of [monday 09:00-10:00 #1], [monday 09:00-10:00 #12]" },
    } do
      local cfg, edit = document.new(row[2]), path.edit { row[1] }
      local err = raised(edit, cfg)
      assert.same({ row[1]:match "^[^=]*", row[3], row[4] }, { err.path, err.rule, err.message })
      assert.same({}, cfg:changes())
    end
  end)
end)
