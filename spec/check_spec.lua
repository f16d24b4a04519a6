-- SPDX-License-Identifier: MIT
local handoff = require "handoff"
local core = require "handoff.core"
local program = require "support.program"

local unpack = table.unpack or unpack
local check, json, null = core.check, handoff.json, handoff.null

-- A document that breaks no rule and means what it says; parts are JSON texts.
local good = {
  settings = [[{"is_active":true,"keywords":["agent"],"ai_summary_active":false,"topic_based_routing_active":false,
    "question_message":"?","confirmation_message":"!","confirmation_outside_working_hours_message":"later",
    "working_hours_active":true,"timezone":"Europe/London","send_email_notification":true,"emails":["a@example.com"]}]],
  availability = [==[[{"id":1,"day_span":"monday-friday","start_time":"09:00","end_time":"17:00"}]]==],
  generic_guidelines = [==[[{"name":"user_frustration","description":"d","is_active":true}]]==],
  custom_guidelines = [==[[{"id":7,"name":"Refund","description":"d","is_active":true}]]==],
  routing_profiles = [==[[{"id":9,"name":"Billing","description":"d","is_active":true,"user_ids":[5]}]]==],
}
local order = { "settings", "availability", "generic_guidelines", "custom_guidelines", "routing_profiles" }

-- `other` replaces parts; a value of settings may also be given as `settings.FIELD`, JSON too, or false to leave it out.
local function text(other, names)
  local members, settings = {}, json.decode(good.settings)
  for key, value in pairs(other or {}) do
    local field = key:match "^settings%.(.*)$"
    if field then settings[field] = nil end
    if field and value then settings[field] = json.decode(value) end
  end
  for i, name in ipairs(names or order) do
    local value = other and other[name] or name == "settings" and json.encode(settings) or good[name]
    members[i] = ("%s:%s"):format(json.encode(name), value or other[name])
  end
  return "{" .. table.concat(members, ",") .. "}"
end

local function slot(days, from, to, more)
  return ('{"day_span":"%s","start_time":"%s","end_time":"%s"%s}'):format(days, from, to, more or "")
end
local function list(...) return "[" .. table.concat({ ... }, ",") .. "]" end
-- Slots among which one opens, so that what is wrong with the others is all there is to say.
local function beside(...) return list(list(...):sub(2, -2), slot("sunday", "20:00", "21:00")) end
local function guideline(id, name, more)
  return ('{"id":%s,"name":%s,"description":"d","is_active":true%s}'):format(id, json.encode(name), more or "")
end

local function rows_of(issues)
  local rows = {}
  for i, issue in ipairs(issues) do
    rows[i] = ("%s %s %s"):format(issue.severity, issue.path, issue.rule)
  end
  return rows
end

local function of_file(other, options) return assert(handoff.config(text(other))):check(options) end
local function of_server(other, options) return assert(core.config.new(text(other), true)):check(options) end

local function raised(...)
  local ok, err = pcall(...)
  assert.is_false(ok, "nothing was raised")
  return err
end

-- { what is other than good, severity in a file, path, rule, message }, where only that is found.
local broken = {
  { { ["settings.is_active"] = '"yes"' }, "settings.is_active", "type", "true or false expected, got a string" },
  { { ["settings.is_active"] = "1" }, "settings.is_active", "type", "true or false expected, got a number" },
  { { ["settings.is_active"] = "[]" }, "settings.is_active", "type", "true or false expected, got an array" },
  { { ["settings.is_active"] = "{}" }, "settings.is_active", "type", "true or false expected, got an object" },
  { { ["settings.keywords"] = '{"a":"b"}', }, "settings.keywords", "type", "an array expected, got an object" },
  { { ["settings.keywords"] = "{}" }, "settings.keywords", "type", "an array expected, got an object" },
  { { ["settings.keywords"] = '"agent"' }, "settings.keywords", "type", "an array expected, got a string" },
  { { ["settings.keywords"] = "true" }, "settings.keywords", "type", "an array expected, got true" },
  { { ["settings.keywords"] = '["a",{"b":1}]' }, "settings.keywords[2]", "type", "a string expected, got an object" },
  { { ["settings.keywords"] = '["a",["b"]]' }, "settings.keywords[2]", "type", "a string expected, got an array" },
  { { ["settings.keywords"] = '[12345678901234567890, "a"]' }, "settings.keywords[1]", "type",
    "a string expected, got a number" },
  { { ["settings.question_message"] = "false" }, "settings.question_message", "type",
    "a string expected, got false" },
  { { ["settings.timezone"] = "3" }, "settings.timezone", "type", "a string expected, got a number" },
  { { availability = list(slot("monday", "09:00", "10:00", ',"id":"1"')) }, "availability[1].id", "type",
    "a whole number expected, got a string" },
  { { availability = list(slot("monday", "09:00", "10:00", ',"id":1.5')) }, "availability[1].id", "type",
    "a whole number expected, got a number" },
  { { availability = list(slot("monday", "09:00", "10:00"), "5") }, "availability[2]", "type",
    "an object expected, got a number" },
  { { availability = list(slot("monday", "09:00", "10:00"), "[]") }, "availability[2]", "type",
    "an object expected, got an array" },
  { { availability = list(slot("monday", "09:00", "10:00"), '["monday"]') }, "availability[2]", "type",
    "an object expected, got an array" },
  { { routing_profiles = list(guideline(1, "A", ',"user_ids":[1,"2"]')) }, "routing_profiles[1].user_ids[2]", "type",
    "a whole number expected, got a string" },
  { { routing_profiles = list(guideline(1, "A", ',"user_ids":[[1]]')) }, "routing_profiles[1].user_ids[1]", "type",
    "a whole number expected, got an array" },
  { { ["settings.confirmation_message"] = '"' .. ("😀"):rep(501) .. '"' }, "settings.confirmation_message",
    "max_length", "501 characters, at most 500 allowed" },
  { { ["settings.confirmation_outside_working_hours_message"] = '"' .. ("ż"):rep(501) .. '"' },
    "settings.confirmation_outside_working_hours_message", "max_length", "501 characters, at most 500 allowed" },
  { { custom_guidelines = list(guideline(1, ("é"):rep(101))) }, "custom_guidelines[1].name", "max_length",
    "101 characters, at most 100 allowed" },
  { { routing_profiles = '[{"name":"A","description":"' .. ("д"):rep(2001) .. '","is_active":true,"user_ids":[1]}]' },
    "routing_profiles[1].description", "max_length", "2001 characters, at most 2000 allowed" },
  { { generic_guidelines = '[{"name":"user_frustation","is_active":true}]' }, "generic_guidelines[1].name", "choice",
    '"user_frustation" is not allowed; did you mean "user_frustration"?' },
  { { generic_guidelines = '[{"name":"brand_new","is_active":true}]' }, "generic_guidelines[1].name", "choice",
    '"brand_new" is not allowed; one of: user_frustration customer_support_suggestion lack_of_knowledge '
    .. "irrelevant_advice media_message" },
  { { availability = beside(slot("mon-fri", "09:00", "10:00")) }, "availability[1].day_span", "day_span",
    '"mon-fri" is no day or range of days; did you mean "monday-friday"?' },
  { { availability = beside(slot("Monday", "09:00", "10:00")) }, "availability[1].day_span", "day_span",
    '"Monday" is no day or range of days; did you mean "monday"?' },
  { { availability = beside(slot("monday to friday", "09:00", "10:00")) }, "availability[1].day_span", "day_span",
    '"monday to friday" is no day or range of days; write a day or a range of days: monday, monday-friday' },
  { { availability = beside(slot("", "09:00", "10:00")) }, "availability[1].day_span", "day_span",
    '"" is no day or range of days; write a day or a range of days: monday, monday-friday' },
  { { availability = beside(slot("monday", "9:00", "10:00")) }, "availability[1].start_time", "time",
    '"9:00" is no time; write HH:MM from 00:00 to 23:59, such as 09:00' },
  { { availability = beside(slot("monday", "09:00", "24:00")) }, "availability[1].end_time", "time",
    '"24:00" is no time; write HH:MM from 00:00 to 23:59, such as 09:00' },
  { { availability = beside(slot("monday", "22:00", "06:00")) }, "availability[1]", "time_order",
    "22:00 to 06:00 ends before it starts; a night shift is two slots" },
  { { availability = beside(slot("monday", "09:00", "09:00")) }, "availability[1]", "time_order",
    "09:00 to 09:00 ends when it starts; a slot that lasts all day is 00:00 to 23:59" },
  { { ["settings.timezone"] = '"Europe/Londn"' }, "settings.timezone", "zone",
    '"Europe/Londn" is no time zone; did you mean "Europe/London"?' },
  { { ["settings.timezone"] = '"europe/london"' }, "settings.timezone", "zone",
    '"europe/london" is no time zone; did you mean "Europe/London"?' },
  { { ["settings.timezone"] = '"New York"' }, "settings.timezone", "zone",
    '"New York" is no time zone; did you mean "America/New_York"?' },
  { { ["settings.timezone"] = '"../../etc/passwd"' }, "settings.timezone", "zone",
    '"../../etc/passwd" is no time zone; write Area/City, such as Europe/London' },
  { { ["settings.timezone"] = '""' }, "settings.timezone", "zone",
    '"" is no time zone; write Area/City, such as Europe/London' },
  { { ["settings.timezone"] = '"a\\u0000\\n\\u009b2J\\""' }, "settings.timezone", "zone",
    '"a\\u0000\\u000a\\u009b2J\\"" is no time zone; write Area/City, such as Europe/London' },
  { { ["settings.emails"] = '["a@example.com","nobody"]' }, "settings.emails[2]", "email",
    '"nobody" is no e-mail address; write name@example.com' },
  { { ["settings.emails"] = '["' .. ("é"):rep(30) .. '"]' }, "settings.emails[1]", "email",
    '"' .. ("é"):rep(20) .. '…" is no e-mail address; write name@example.com' },
  { { availability = beside '{"day_span":"monday","end_time":"10:00"}' }, "availability[1].start_time", "required",
    "missing; a slot needs it" },
  { { custom_guidelines = '[{"name":"A","is_active":true}]' }, "custom_guidelines[1].description", "required",
    "missing; a custom guideline needs it" },
  { { custom_guidelines = list(guideline(1, "A"), guideline(2, "B"), guideline(1, "C")) }, "custom_guidelines[3].id",
    "duplicate_id", "the same id as that of custom_guidelines[1]" },
  { { custom_guidelines = list(guideline("12345678901234567890123", "A"), guideline("12345678901234567890123", "B")) },
    "custom_guidelines[2].id", "duplicate_id", "the same id as that of custom_guidelines[1]" },
}

-- The same wherever the document came from.
local odd = {
  { { availability = list(slot("monday", "09:00", "10:00", ',"note":1')) }, "availability[1].note", "sent_unknown",
    "no field that this version knows; it is kept as it is" },
  { { ["settings.a\nb\27[2J"] = "1" }, "settings.a\\u000ab\\u001b[2J", "sent_unknown",
    "no field that this version knows; it is kept as it is" },
  { { ["settings.keywords"] = "[]", generic_guidelines = "[]", custom_guidelines = "[]" }, "settings.is_active",
    "nothing_triggers", "handoff is on, but no guideline is active and there is no keyword: nothing asks for it" },
  { { ["settings.keywords"] = false, custom_guidelines = "[]",
      generic_guidelines = '[{"name":"media_message","is_active":false}]' }, "settings.is_active", "nothing_triggers" },
  { { availability = "[ \n\t ]" }, "settings.working_hours_active", "hours_without_slots",
    "working hours are on, but availability has no slot: nobody is ever there" },
  { { ["settings.confirmation_outside_working_hours_message"] = '""' },
    "settings.confirmation_outside_working_hours_message", "empty_outside_message",
    "working hours are on: outside them the visitor would read nothing" },
  { { ["settings.confirmation_outside_working_hours_message"] = false },
    "settings.confirmation_outside_working_hours_message", "empty_outside_message" },
  { { ["settings.emails"] = "[]" }, "settings.emails", "email_without_addresses",
    "notification by e-mail is on, but there is no address" },
  { { routing_profiles = list(guideline(1, "A", ',"user_ids":[]')) }, "routing_profiles[1].user_ids",
    "profile_without_operators", "the profile is active, but nobody is notified when it matches" },
  { { custom_guidelines = list(guideline(1, "A"), guideline(2, "A")) }, "custom_guidelines[2].name", "duplicate_name",
    "the same name as that of custom_guidelines[1]" },
  { { generic_guidelines = '[{"name":"media_message","is_active":true},{"name":"media_message","is_active":false}]' },
    "generic_guidelines[2].name", "duplicate_name", "the same name as that of generic_guidelines[1]" },
  { { availability = list(slot("monday-friday", "09:00", "12:00"), slot("friday", "11:59", "13:00")) },
    "availability[2]", "overlapping_slots", "covers time that availability[1] covers" },
  { { availability = list(slot("saturday-monday", "09:00", "12:00"), slot("sunday", "08:00", "09:01")) },
    "availability[2]", "overlapping_slots" },
  { { availability = list(slot("monday", "09:00", "12:00"), slot("friday-monday", "11:00", "13:00")) },
    "availability[2]", "overlapping_slots" },
  { { availability = list(slot("friday-tuesday", "09:00", "12:00"), slot("tuesday-friday", "11:00", "13:00")) },
    "availability[2]", "overlapping_slots" },
  { { availability = list(slot("monday-friday", "12:30", "17:00"), slot("monday-friday", "09:00", "12:00")) },
    "availability[1]", "short_gap",
    "closed for 30 minutes, monday-friday 12:00 to 12:30, between two slots; let them meet, unless it is a break" },
  { { availability = list(slot("monday", "09:00", "12:00"), slot("monday", "12:59", "17:00")) }, "availability[2]",
    "short_gap",
    "closed for 59 minutes, monday 12:00 to 12:59, between two slots; let them meet, unless it is a break" },
  -- over midnight, over sunday, and from a day's last minute but one
  { { availability = list(slot("monday", "00:15", "12:00"), slot("sunday", "20:00", "23:30")) }, "availability[1]",
    "short_gap",
    "closed for 45 minutes, sunday 23:30 to 00:15, between two slots; let them meet, unless it is a break" },
  { { availability = list(slot("monday-sunday", "00:00", "23:58")) }, "availability[1]", "short_gap",
    "closed for 2 minutes, monday-sunday 23:58 to 00:00, between two slots; let them meet, unless it is a break" },
  { { availability = list(slot("saturday-monday", "09:00", "12:00"), slot("wednesday", "09:00", "12:00"),
      slot("monday-sunday", "12:01", "17:00")) }, "availability[3]", "short_gap",
    "closed for 1 minute, wednesday, saturday-monday 12:00 to 12:01, between two slots; let them meet, unless it is a "
    .. "break" },
  { { ["settings.timezone"] = '"Etc/GMT-3"' }, "settings.timezone", "zone_offset",
    '"Etc/GMT-3" is 3 hours ahead of UTC, as its sign is the other way round, without summer time; write Area/City, '
    .. "such as Europe/London" },
  { { ["settings.timezone"] = '"Etc/GMT+1"' }, "settings.timezone", "zone_offset",
    '"Etc/GMT+1" is 1 hour behind UTC, as its sign is the other way round, without summer time; write Area/City, '
    .. "such as Europe/London" },
  { { ["settings.timezone"] = '"EST"' }, "settings.timezone", "zone_offset",
    '"EST" is 5 hours behind UTC all year, without summer time; write America/New_York, or, where that is meant, '
    .. "America/Panama" },
  { { ["settings.timezone"] = '"GMT"' }, "settings.timezone", "zone_offset",
    '"GMT" is UTC all year, without summer time; write Europe/London, or, where that is meant, UTC' },
}

local function assert_one(issues, severity, row)
  assert.equal(1, #issues, row[2] .. ": " .. table.concat(rows_of(issues), ", "))
  local issue = issues[1]
  assert.same({ severity, row[2], row[3], row[4] or issue.message },
    { issue.severity, issue.path, issue.rule, issue.message })
  assert.equal(("%s %s: %s [%s]"):format(severity, row[2], issue.message, row[3]), tostring(issue))
  assert.is_nil(tostring(issue):find "[%c]")
end

describe("cfg:check()", function()
  it("finds nothing in a document that is meant", function()
    assert.same({}, of_file())
    assert.same({}, of_server())
    assert.same({}, check.document(json.decode(text())))
  end)

  it("calls a broken rule an error in a file, and a warning in what the service sent", function()
    for _, row in ipairs(broken) do
      assert_one(of_file(row[1]), "error", row)
      assert_one(check.document(text(row[1])), "error", row)
      assert_one(of_server(row[1]), "warning", row)
    end
  end)

  it("warns of what is legal and surely not meant", function()
    for _, row in ipairs(odd) do
      assert_one(of_file(row[1]), "warning", row)
      assert_one(of_server(row[1]), "warning", row)
    end
  end)

  it("finds the same whether or not a script has read the document", function()
    for _, rows in ipairs { broken, odd } do
      for _, row in ipairs(rows) do
        local cfg = assert(handoff.config(text(row[1])))
        local before, sent = cfg:check(), cfg:text()
        local function touch(value)
          if type(value) == "string" or type(value) == "userdata" and not pcall(handoff.each, value) then return end
          if type(value) ~= "table" and type(value) ~= "userdata" then return end
          for _, inner in handoff.each(value) do touch(inner) end
        end
        touch(cfg)
        assert.same(before, cfg:check())
        assert.equal(sent, cfg:text())
        assert.same({}, cfg:changes())
      end
    end
  end)

  it("counts characters, and takes what just fits", function()
    for _, row in ipairs {
      { ["settings.confirmation_message"] = '"' .. ("😀"):rep(500) .. '"' },
      { ["settings.confirmation_outside_working_hours_message"] = '"' .. ("\\ud83d\\ude00"):rep(500) .. '"' },
      { ["settings.question_message"] = '"' .. ("x"):rep(100000) .. '"' },
      { custom_guidelines = list(guideline(1, ("é"):rep(100))) },
      { custom_guidelines = '[{"name":"n","description":"' .. ("日"):rep(2000) .. '","is_active":false}]' },
    } do
      assert.same({}, of_file(row))
    end
  end)

  it("accepts null from the service, and refuses it in a file", function()
    for _, row in ipairs {
      { "settings.is_active", { ["settings.is_active"] = "null" } },
      { "settings.timezone", { ["settings.timezone"] = "null" } },
      { "settings.ai_summary_active", { ["settings.ai_summary_active"] = "null" } },
      { "settings.keywords", { ["settings.keywords"] = "null" } },
      { "settings.keywords[1]", { ["settings.keywords"] = '[null,"a"]' } },
      { "availability[1].id", { availability = list(slot("monday", "09:00", "10:00", ',"id":null')) } },
      { "availability[1].end_time",
        { availability = beside '{"day_span":"monday","start_time":"10:00","end_time":null}' } },
      { "availability[2]", { availability = list(slot("monday", "09:00", "10:00"), "null") } },
      { "custom_guidelines[1].name", { custom_guidelines = list(guideline(1, null)) } },
      { "routing_profiles[1].user_ids[2]", { routing_profiles = list(guideline(1, "A", ',"user_ids":[1,null]')) } },
    } do
      assert.same({}, of_server(row[2]), row[1])
      assert_one(of_file(row[2]), "error",
        { nil, row[1], "null", "null is never written in; leave it out or give a value" })
    end
    -- nothing that is wanted is there all the same
    local empty = { ["settings.emails"] = "null", ["settings.confirmation_outside_working_hours_message"] = "null" }
    assert.same({
      "warning settings.confirmation_outside_working_hours_message empty_outside_message",
      "warning settings.emails email_without_addresses",
    }, rows_of(of_server(empty)))
  end)

  it("lets slots touch, and lie on other days", function()
    for _, slots in ipairs {
      { slot("monday", "09:00", "12:00"), slot("monday", "12:00", "13:00") },
      { slot("monday", "12:00", "13:00"), slot("monday", "09:00", "12:00") },
      { slot("saturday-monday", "09:00", "12:00"), slot("tuesday-friday", "09:00", "12:00") },
      { slot("saturday-monday", "09:00", "12:00"), slot("monday", "12:00", "23:59") },
      { slot("sunday-saturday", "00:00", "00:01"), slot("monday-sunday", "00:01", "23:59") },
    } do
      assert.same({}, of_file { availability = list(unpack(slots)) })
    end
  end)

  it("takes an hour for a break, and 23:59 for midnight", function()
    for _, slots in ipairs {
      { slot("monday-friday", "09:00", "12:00"), slot("monday-friday", "13:00", "17:00") },
      { slot("monday-sunday", "00:00", "23:59") },
      { slot("friday", "22:00", "23:59"), slot("saturday", "00:00", "02:00") },
      { slot("sunday", "22:00", "23:59"), slot("monday", "00:00", "02:00") },
      { slot("sunday", "22:00", "23:00"), slot("monday", "00:00", "02:00") },
      { slot("monday", "09:00", "09:01") },
    } do
      assert.same({}, of_file { availability = list(unpack(slots)) })
    end
  end)

  it("says of each gap once when and where it is, the slots a list for all days or one for each", function()
    local slots = {}
    for _, day in ipairs { "monday", "tuesday", "thursday" } do
      slots[#slots + 1] = slot(day, "09:00", "12:00")
      slots[#slots + 1] = slot(day, "12:30", "16:00")
      slots[#slots + 1] = slot(day, day == "tuesday" and "16:10" or "16:20", "18:00")
    end
    local messages = {}
    for i, issue in ipairs(of_file { availability = list(unpack(slots)) }) do
      messages[i] = issue.path .. " " .. issue.message:match "^(.-), between"
    end
    assert.same({
      "availability[2] closed for 30 minutes, monday-tuesday, thursday 12:00 to 12:30",
      "availability[3] closed for 20 minutes, monday, thursday 16:00 to 16:20",
      "availability[6] closed for 10 minutes, tuesday 16:00 to 16:10",
    }, messages)
  end)

  it("warns of a zone's offset only where working hours make it matter, and not of what the name says", function()
    assert.same({}, of_file { ["settings.timezone"] = '"Etc/GMT-3"', ["settings.working_hours_active"] = "false" })
    for _, zone in ipairs { "UTC", "Etc/UTC", "HST", "EST5EDT", "CET", "Asia/Kolkata", "Iceland", "America/Panama" } do
      assert.same({}, of_file { ["settings.timezone"] = json.encode(zone) })
    end
  end)

  it("says that nobody is ever there, once, where no slot is whole", function()
    local never = { "warning settings.working_hours_active never_open" }
    local open_end = '{"day_span":"monday","start_time":"10:00","end_time":null}'
    assert.same(never, rows_of(of_server { availability = list(open_end) }))
    assert.same({}, of_server { availability = beside(open_end) })
    assert.same({}, of_server { availability = list(open_end), ["settings.is_active"] = "false" })
    assert.same({}, of_server { availability = list(open_end), ["settings.working_hours_active"] = "false" })
    assert.same({ never[1], "error availability[1] time_order" },
      rows_of(of_file { availability = list(slot("monday", "17:00", "09:00")) }))
  end)

  it("says of each slot the first that it overlaps, and nothing of broken ones", function()
    assert.same({ "error availability[1] time_order", "warning availability[3] overlapping_slots",
      "warning availability[5] overlapping_slots" }, rows_of(of_file { availability = list(
        slot("monday", "12:00", "09:00"), slot("monday", "08:00", "13:00"), slot("monday", "10:00", "11:00"),
        slot("tuesday", "10:00", "11:00"), slot("monday-tuesday", "10:00", "11:00")) }))
  end)

  it("holds a slot's times against each other whatever its days are", function()
    assert.same({ "error availability[1] time_order", "error availability[1].day_span day_span",
      "error availability[2] time_order", "error availability[2].day_span required" },
      rows_of(of_file { availability = beside(slot("x", "12:00", "09:00"),
        '{"start_time":"12:00","end_time":"09:00"}') }))
  end)

  it("takes what is of a wrong type for wrong, not for empty", function()
    for _, value in ipairs { "12345678901234567890", "5", "true" } do
      for _, name in ipairs { "emails", "confirmation_outside_working_hours_message" } do
        assert.same({ ("error settings.%s type"):format(name) }, rows_of(of_file { ["settings." .. name] = value }))
      end
    end
  end)

  it("puts issues in the schema's order, whatever the text's", function()
    local other = {
      settings = '{"zz":1,"emails":["x"],"timezone":"Nowhere/At","is_active":true,"aa":2,"keywords":[1]}',
      availability = list(slot("monday", "10:00", "09:00", ',"zz":0'), slot("x", "y", "z"), "4"),
      custom_guidelines = list(guideline(1, ""), guideline(1, "", ',"new":1'), guideline('"a"', "B")),
      later = "1", earlier = "2",
    }
    local expected = {
      "error settings.keywords[1] type", "error settings.timezone zone", "error settings.emails[1] email",
      "warning settings.aa sent_unknown", "warning settings.zz sent_unknown",
      "error availability[1] time_order", "warning availability[1].zz sent_unknown",
      "error availability[2].day_span day_span", "error availability[2].start_time time",
      "error availability[2].end_time time", "error availability[3] type",
      "error custom_guidelines[2].id duplicate_id", "warning custom_guidelines[2].name duplicate_name",
      "warning custom_guidelines[2].new sent_unknown", "error custom_guidelines[3].id type",
      "warning later sent_unknown", "warning earlier sent_unknown",
    }
    local names = { "later", "routing_profiles", "custom_guidelines", "availability", "generic_guidelines", "settings",
      "earlier" }
    assert.same(expected, rows_of(check.document(text(other, names))))
  end)

  it("names a slip in a file, not in what the service may know", function()
    local other = { ["settings.keyword"] = '"agent"' }
    assert.equal('no field that this version knows; it is kept as it is; did you mean "keywords"?',
      of_file(other)[1].message)
    assert.equal("no field that this version knows; it is kept as it is", of_server(other)[1].message)
  end)

  it("cuts long names, and keeps names with NUL whole", function()
    local issue = of_server { ["settings." .. ("n"):rep(1000)] = "1" }[1]
    assert.equal("settings." .. ("n"):rep(40) .. "…", issue.path)
    assert.equal("settings.timezone\\u0000x", of_server { ["settings.timezone\0x"] = "1" }[1].path)
    assert.equal("settings.", of_server { ["settings."] = "1" }[1].path)
  end)

  it("takes a list of hundreds, and ten thousand issues", function()
    local slots, guidelines, bad = {}, {}, {}
    for i = 0, 699 do
      local at = i % 100 * 10
      slots[i + 1] = slot(({ "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday" })[
        (i - i % 100) / 100 + 1], ("%02d:%02d"):format(at / 60 - at / 60 % 1, at % 60),
        ("%02d:%02d"):format((at + 10) / 60 - (at + 10) / 60 % 1, (at + 10) % 60))
      guidelines[i + 1] = guideline(i + 1, "name " .. i)
    end
    assert.same({}, of_file { availability = list(unpack(slots)), custom_guidelines = list(unpack(guidelines)) })
    slots[700] = slots[1]
    assert.same({ "warning availability[700] overlapping_slots" },
      rows_of(of_file { availability = list(unpack(slots)) }))
    for i = 1, 10000 do bad[i] = '"x"' end
    local issues = of_file { ["settings.emails"] = "[" .. table.concat(bad, ",") .. "]" }
    assert.equal(10000, #issues)
    for i = 1, 10000, 999 do assert.equal(("settings.emails[%d]"):format(i), issues[i].path) end
  end)

  it("warns where the system has no zones to check with", function()
    local folder = program.folder()
    local script = ([[local check = require "handoff.core".check
      for _, zone in ipairs { "Europe/Londn", "UTC", "no zone" } do
        for _, issue in ipairs(check.document((%q):gsub("Europe/London", zone))) do print(issue) end
      end]]):format(text())
    local path = folder .. "/script.lua"
    local file = assert(io.open(path, "w"))
    file:write(script)
    file:close()
    local output, status = program.run(program.lua .. " " .. path, { TZDIR = folder })
    program.remove(folder)
    assert.equal(0, status, output)
    local unchecked = "cannot be checked: this system has no zone data; install tzdata [zone_unchecked]\n"
    assert.equal('warning settings.timezone: "Europe/Londn" ' .. unchecked
      .. 'warning settings.timezone: "UTC" ' .. unchecked
      .. 'error settings.timezone: "no zone" is no time zone; write Area/City, such as Europe/London [zone]\n', output)
  end)

  it("raises on what is no option, no rule and no configuration", function()
    local cfg = assert(handoff.config(text()))
    for _, options in ipairs {
      { ignor = {} }, { edited = 1 }, { ignore = "zone" }, { ignore = { "zone", "zones" } }, { ignore = { 1 } },
      { ignore = { zone = true } }, { ignore = { "zone", email = true } }, { ignore = { {} } }, { "zone" },
    } do
      local err = raised(cfg.check, cfg, options)
      assert.same({ "invalid", "option" }, { err.kind, err.rule })
      assert.is_nil(tostring(err):find "\n")
    end
    assert.is_false((pcall(cfg.check, cfg, "edited")))
    for _, self in ipairs { {}, 1, "x", cfg.settings } do assert.equal("type", raised(cfg.check, self).rule) end
    assert.truthy(tostring(raised(cfg.check, cfg, { ignore = { "zones" } })):find('no rule "zones"', 1, true))
  end)

  it("silences each rule by its id, and only that", function()
    for _, rows in ipairs { broken, odd } do
      for _, row in ipairs(rows) do
        assert.same({}, of_file(row[1], { ignore = { row[3] } }))
        assert.equal(1, #of_file(row[1], { ignore = { row[3] == "null" and "zone" or "null" } }))
      end
    end
    local ids = {}
    for i, rule in ipairs(check.rules()) do ids[i] = rule.id end
    assert.same({}, of_file({ ["settings.timezone"] = '"x"', availability = "[1,2,null]", later = "1" },
      { ignore = ids }))
    assert.equal(1, #of_file({ ["settings.timezone"] = '"x"' }, { ignore = {} }))
  end)
end)

describe("cfg:check() of an edit", function()
  local sent = {
    ["settings.timezone"] = '"Nowhere/At"', ["settings.emails"] = '["x","a@example.com"]',
    ["settings.confirmation_message"] = '"' .. ("x"):rep(501) .. '"',
    availability = list(slot("monday", "17:00", "09:00", ',"id":1'), slot("tuesday", "09:00", "17:00", ',"id":2'),
      slot("wednesday", "10:00", "08:00", ',"id":3')),
    generic_guidelines = '[{"name":"user_frustration","is_active":true},{"name":"sixth","is_active":false}]',
    custom_guidelines = list(guideline(1, "A"), guideline(2, ("n"):rep(101)), guideline(2, "C")),
    routing_profiles = list(guideline(1, "A", ',"user_ids":["5"]')),
  }
  local function server(other) return assert(core.config.new(text(other or sent), true)) end

  local edits = {
    function(cfg) cfg.settings.is_active = false end,
    function(cfg) cfg.availability[2].day_span = "friday" end,
    function(cfg) cfg.generic_guidelines[1].is_active = false end,
    function(cfg) cfg.custom_guidelines[1].is_active = false end,
    function(cfg) cfg.routing_profiles[1].is_active = false end,
  }

  it("leaves what the service had broken a warning, part by part", function()
    local before = rows_of(server():check())
    for _, row in ipairs(before) do assert.matches("^warning", row) end
    assert.equal(9, #before)
    local all = server()
    for _, edit in ipairs(edits) do
      local cfg = server()
      edit(cfg)
      edit(all)
      assert.same(before, rows_of(cfg:check()))
    end
    assert.same(before, rows_of(all:check()))
    assert.same(before, rows_of(all:copy():check()))
  end)

  it("looks only at what was edited", function()
    local cfg = server()
    assert.same({}, cfg:check { edited = true })
    assert.equal(9, #cfg:check { edited = false })
    cfg.custom_guidelines[1].is_active = false
    assert.same({ "warning custom_guidelines[2].name max_length", "warning custom_guidelines[3].id duplicate_id" },
      rows_of(cfg:check { edited = true }))
    assert.same({ "warning custom_guidelines[3].id duplicate_id" },
      rows_of(cfg:copy():check { edited = true, ignore = { "max_length" } }))
  end)

  it("knows a broken item wherever it moves", function()
    local cfg = server()
    cfg.availability:add { day_span = "sunday", start_time = "09:00", end_time = "10:00" }
    cfg.availability:remove(2)
    assert.same({ "warning availability[1] time_order", "warning availability[2] time_order" },
      rows_of(cfg:check { edited = true }))
    cfg.availability:remove(1)
    assert.same({ "warning availability[1] time_order" }, rows_of(cfg:check { edited = true }))
    cfg.custom_guidelines:remove(1)
    assert.same({ "warning custom_guidelines[1].name max_length", "warning custom_guidelines[2].id duplicate_id" },
      rows_of(cfg:copy():check { edited = true, ignore = { "time_order" } }))
    cfg.settings.emails:remove "a@example.com"
    cfg.settings.emails:add "b@example.com"
    assert.same({ "warning settings.confirmation_message max_length", "warning settings.timezone zone",
      "warning settings.emails[1] email", "warning availability[1] time_order",
      "warning custom_guidelines[1].name max_length", "warning custom_guidelines[2].id duplicate_id",
    }, rows_of(cfg:check { edited = true }))
  end)

  it("knows a broken item that has no id, an odd one, or is no object at all, wherever it moves", function()
    local function long(letter) return letter:rep(101) end
    local cfg = server { custom_guidelines = list(guideline(1, "A"), guideline("null", long "n"),
      guideline("true", "C"), guideline("12345678901234567890", long "l"), guideline('"x"', long "x"), '"no object"',
      guideline(2, "B")) }
    cfg.custom_guidelines:remove(1)
    assert.same({
      "warning custom_guidelines[1].name max_length", "warning custom_guidelines[2].id type",
      "warning custom_guidelines[3].name max_length", "warning custom_guidelines[4].id type",
      "warning custom_guidelines[4].name max_length", "warning custom_guidelines[5] type",
    }, rows_of(cfg:check { edited = true }))
  end)

  it("blocks what an edit broke, though the service had broken another item alike", function()
    local cfg = server()
    cfg.availability[2].start_time, cfg.availability[2].end_time = "17:00", "09:00"
    local never = "warning settings.working_hours_active never_open"
    assert.same({ never, "warning availability[1] time_order", "error availability[2] time_order",
      "warning availability[3] time_order" }, rows_of(cfg:check { edited = true }))
    cfg.availability[1].start_time = "18:00" -- broken otherwise than the service had it
    assert.same({ never, "error availability[1] time_order", "error availability[2] time_order",
      "warning availability[3] time_order" }, rows_of(cfg:check { edited = true }))
    cfg.availability[1].start_time, cfg.availability[2].start_time = "08:00", "08:00"
    cfg.availability[3].day_span = "sunday"
    assert.same({ "warning availability[3] time_order" }, rows_of(cfg:check { edited = true }))
  end)

  it("lets an edit mend a part of what is broken", function()
    local cfg = server { availability = beside(slot("mon", "17:00", "09:00", ',"id":1')) }
    assert.equal(2, #cfg:check())
    cfg.availability[1].day_span = "monday"
    assert.same({ "warning availability[1] time_order" }, rows_of(cfg:check { edited = true }))
  end)

  it("blocks what an edit broke in a file, whose own mistakes are errors too", function()
    local cfg = assert(handoff.config(text()))
    cfg.availability[1].end_time = "08:00"
    assert.same({ "warning settings.working_hours_active never_open", "error availability[1] time_order" },
      rows_of(cfg:check { edited = true }))
    assert.equal(9, #assert(handoff.config(text(sent))):check())
    for _, row in ipairs(rows_of(assert(handoff.config(text(sent))):check())) do assert.matches("^error", row) end
  end)

  it("warns of what an edit leaves senseless, in whichever part it was made", function()
    local rows = {
      { "settings.working_hours_active hours_without_slots", function(cfg) cfg.availability:clear() end },
      { "settings.working_hours_active hours_without_slots", function(cfg) cfg.availability = {} end },
      { "settings.is_active nothing_triggers", function(cfg) cfg.custom_guidelines:clear() end },
      { "settings.is_active nothing_triggers", function(cfg) cfg.custom_guidelines[1].is_active = false end },
      { "settings.emails email_without_addresses", function(cfg) cfg.settings.emails:clear() end },
    }
    for _, row in ipairs(rows) do
      local cfg = server { ["settings.keywords"] = "[]", generic_guidelines = "[]" }
      assert.same({}, cfg:check())
      row[2](cfg)
      assert.same({ "warning " .. row[1] }, rows_of(cfg:check { edited = true }))
      assert.same({ "warning " .. row[1] }, rows_of(cfg:check()))
    end
    local cfg = server { ["settings.keywords"] = "[]", custom_guidelines = "[]" }
    cfg.generic_guidelines[1].is_active = false
    assert.same({ "warning settings.is_active nothing_triggers" }, rows_of(cfg:check { edited = true }))
    cfg.settings.is_active = false
    assert.same({}, cfg:check { edited = true })
  end)

  it("looks at untouched parts where an edit of settings makes them matter", function()
    for _, empty in ipairs { "[]", "[ ]", "[\r\n\t]" } do
      local cfg = server { ["settings.working_hours_active"] = "false", availability = empty }
      assert.same({}, cfg:check())
      cfg.settings.working_hours_active = true
      assert.same({ "warning settings.working_hours_active hours_without_slots" },
        rows_of(cfg:check { edited = true }))
    end
    local cfg = server { custom_guidelines = "[]", generic_guidelines = "[]" }
    cfg.settings.keywords:clear()
    assert.same({ "warning settings.is_active nothing_triggers" }, rows_of(cfg:check { edited = true }))
  end)
end)

describe("check.rules()", function()
  it("lists each rule once, errors first, and each is one that something breaks", function()
    local ids, seen, warnings = {}, {}, false
    for _, rule in ipairs(check.rules()) do
      assert.is_nil(ids[rule.id])
      ids[rule.id] = rule.severity
      assert.is_true(rule.severity == "warning" or not warnings and rule.severity == "error")
      warnings = warnings or rule.severity == "warning"
      assert.is_nil(rule.doc:find "[%c]")
    end
    -- what no document can break, only an edit
    local deep = {}
    for _ = 1, 101 do deep = { deep } end
    for id, edit in pairs {
      utf8 = function(cfg) cfg.settings.question_message = "\255" end,
      unknown = function(cfg) cfg.settings.keyword = "x" end,
      read_only = function(cfg) cfg.settings.topic_based_routing_active = true end,
      fixed = function(cfg) cfg.generic_guidelines = {} end,
      hole = function(cfg) cfg.settings.keywords[3] = "x" end,
      depth = function(cfg) cfg.later = deep end,
    } do
      assert.equal(id, raised(edit, assert(handoff.config(text({ later = "1" },
        { "later", unpack(order) })))).rule)
      seen[id] = true
    end
    for _, rows in ipairs { broken, odd } do
      for _, row in ipairs(rows) do
        local issue = of_file(row[1])[1]
        assert.equal(ids[row[3]], issue.severity)
        seen[issue.rule] = true
      end
    end
    seen.null, seen.zone_unchecked, seen.never_open = true, true, true -- see above
    for id in pairs(ids) do assert.is_true(seen[id], id) end
    for id in pairs(seen) do assert.truthy(ids[id], id) end
  end)
end)

describe("check.document", function()
  it("is nil and a protocol error of what is no configuration", function()
    for _, row in ipairs {
      "", "{", "[]", "null", "{}", '{"settings":{}}', text { settings = "[]" }, text { availability = "{}" },
      text { custom_guidelines = "null" }, text():gsub("agent", "\255"), text() .. "x",
      text { ["settings.later"] = ("["):rep(99) .. ("]"):rep(99) },
      {}, { settings = {} }, { errors = { root = {} } },
    } do
      local issues, err = check.document(row)
      assert.is_nil(issues)
      assert.equal("protocol", err.kind)
      assert.is_nil(tostring(err):find "\n")
    end
    for _, row in ipairs { 1, true, print, coroutine.create(print) } do
      assert.equal("type", raised(check.document, row).rule)
    end
    assert.equal("type", raised(check.document).rule)
    assert.is_false((pcall(check.document, { settings = print })))
  end)

  it("takes a table as it takes a text, and leaves it alone", function()
    local plain = json.decode(text())
    plain.availability, plain.settings.emails = {}, {}
    assert.same({ "warning settings.working_hours_active hours_without_slots",
      "warning settings.emails email_without_addresses" }, rows_of(check.document(plain)))
    assert.is_nil(getmetatable(plain.availability))
  end)
end)
