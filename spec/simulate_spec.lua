-- SPDX-License-Identifier: MIT
local document = require "support.document"
local handoff = require "handoff"
local json = handoff.json

local INSIDE, OUTSIDE = "2026-11-27T10:00", "2026-11-27T20:00" -- a friday, hours are mon-fri 09:00-17:00

local texts = {
  question_message = "Shall I?", confirmation_message = "Wait.",
  confirmation_outside_working_hours_message = "Later.",
}

local function plain_document()
  return {
    settings = {
      is_active = true, keywords = { "  ", "agent", "speak to human" }, ai_summary_active = true,
      topic_based_routing_active = true, question_message = texts.question_message,
      confirmation_message = texts.confirmation_message,
      confirmation_outside_working_hours_message = texts.confirmation_outside_working_hours_message,
      working_hours_active = true, timezone = "Europe/London", send_email_notification = true,
      emails = { "desk@example.com", "lead@example.com" },
    },
    availability = { { id = 1, day_span = "monday-friday", start_time = "09:00", end_time = "17:00" } },
    generic_guidelines = {
      { name = "user_frustration", description = "", is_active = true },
      { name = "media_message", description = "", is_active = false },
    },
    custom_guidelines = { { id = 2, name = "Refund", description = "Money.", is_active = true } },
    routing_profiles = {
      { id = 3, name = "Billing", description = "Invoices.", is_active = true, user_ids = { 7, 9 } },
      { id = 4, name = "Legal", description = "Law.", is_active = false, user_ids = { 8 } },
    },
  }
end

-- A configuration of the document after an edit.
local function config(edit)
  local plain = plain_document()
  if edit then edit(plain) end
  return assert(handoff.config(json.encode(plain)))
end

local function rules_of(result)
  local list = {}
  for i, step in ipairs(result.steps) do list[i] = step.rule end
  return table.concat(list, " ")
end

local function fields_read(result)
  local list = {}
  for i, read in ipairs(result.reads) do
    list[i] = read.field:match "^settings%.(.*)$"
    assert.equal(texts[list[i]], read.text)
  end
  return table.concat(list, " ")
end

-- ---- every combination of switches ----------------------------------------------------------------------------------------

-- What the documents say, by hand. The first row that fits holds; * is anything.
--    is_active  what asks           answer  working hours  time     → outcome         what is read
local by_trigger = [[
      off        *                   *       *              *          not_offered     -
      on         no_keyword          *       *              *          not_offered     -
      on         inactive_guideline  *       *              *          not_offered     -
      on         *                   none    *              *          unanswered      question
      on         *                   no      *              *          declined        question
      on         *                   yes     on             outside    outside_hours   question+outside
      on         *                   yes     *              *          human           question+confirmation
]]

-- Of a conversation that goes to a human.
--    routing    topic               e-mail  → notified
local by_topic = [[
      on         Billing             *         7,9
      on         unsaid              *         undecided
      *          *                   on        desk@example.com,lead@example.com
      *          *                   off       nobody
]]

local function rows_of(text)
  local rows = {}
  for line in text:gmatch "[^\n]+" do
    local row = {}
    for word in line:gmatch "%S+" do row[#row + 1] = word end
    rows[#rows + 1] = row
  end
  return rows
end

-- The rest of the first row that fits the words.
local function look_up(rows, words)
  for _, row in ipairs(rows) do
    local fits = true
    for i, word in ipairs(words) do fits = fits and (row[i] == "*" or row[i] == word) end
    if fits then return row[#words + 1], row[#words + 2] end
  end
end

local triggers = {
  keyword = { message = "An AGENT, please" }, no_keyword = { message = "Good morning" },
  guideline = { guideline = "Refund", message = "Good morning" }, generic = { guideline = "user_frustration" },
  inactive_guideline = { guideline = "media_message" }, supposed = {},
  both = { guideline = "media_message", message = "agent" },
}
local topics = { Billing = "Billing", Legal = "Legal", none = false, unsaid = nil }
local reads = {
  ["-"] = "", question = "question_message", ["question+confirmation"] = "question_message confirmation_message",
  ["question+outside"] = "question_message confirmation_outside_working_hours_message",
}

local function notified(result)
  local both = {}
  if result.notified.undecided then both[1] = "undecided" end
  for _, id in ipairs(result.notified.user_ids) do both[#both + 1] = tostring(id) end
  for _, email in ipairs(result.notified.emails) do both[#both + 1] = email end
  return both[1] and table.concat(both, ",") or "nobody"
end

local on_off = { "on", "off" }

-- Calls with every combination of one member of each list.
local function each_combination(lists, fn, ...)
  local chosen = { ... }
  if #chosen == #lists then return fn(...) end
  for _, one in ipairs(lists[#chosen + 1]) do
    chosen[#lists] = nil
    local more = {}
    for i = 1, #chosen do more[i] = chosen[i] end
    more[#more + 1] = one
    each_combination(lists, fn, (table.unpack or unpack)(more))
  end
end

describe("a simulation", function()
  it("ends as the documents say, whatever is on and off", function()
    local outcomes, notices, count = rows_of(by_trigger), rows_of(by_topic), 0
    each_combination({ on_off, on_off, on_off, on_off, on_off }, function(active, hours, summary, routing, email)
      local cfg = config(function(plain)
        local settings = plain.settings
        settings.is_active, settings.working_hours_active = active == "on", hours == "on"
        settings.ai_summary_active, settings.topic_based_routing_active = summary == "on", routing == "on"
        settings.send_email_notification = email == "on"
      end)
      local before = cfg:text()
      each_combination({
        { "keyword", "no_keyword", "guideline", "generic", "inactive_guideline", "supposed", "both" },
        { "yes", "no", "none" }, { "inside", "outside" }, { "Billing", "Legal", "none", "unsaid" },
      }, function(trigger, answer, time, topic)
        local said = table.concat({ active, hours, summary, routing, email, trigger, answer, time, topic }, " ")
        local result = assert(handoff.simulate(cfg, {
          message = triggers[trigger].message, guideline = triggers[trigger].guideline,
          answer = answer ~= "none" and answer or nil, time = time == "inside" and INSIDE or OUTSIDE,
          topic = topics[topic],
        }))
        local outcome, read = look_up(outcomes, { active, trigger, answer, hours, time })
        local goes = outcome == "human"
        assert.equal(outcome, result.outcome, said)
        assert.equal(reads[read], fields_read(result), said)
        assert.equal(goes and look_up(notices, { routing, topic, email }) or "nobody", notified(result), said)
        assert.equal(goes and summary == "on", result.summary, said)
        assert.equal(active == "on" and (hours == "off" or time == "inside"), result.open, said)
        count = count + 1
      end)
      assert.equal(before, cfg:text())
    end)
    assert.equal(32 * 7 * 3 * 2 * 4, count)
  end)

  it("prints step by step, with where the documents say so", function()
    assert.equal([[
Fri 27 Nov 2026 20:00 Europe/London: closed until Mon 30 Nov 2026 09:00
 1. the message has the keyword "agent" in it, which asks for a handoff [step 1]
 2. the documents do not say whether a visitor who typed a keyword is asked, too; taken as asked [not documented]
 3. the visitor reads settings.question_message [step 2]
 4. the visitor says yes [step 2]
 5. it is outside working hours [step 4]
 6. the documents do not say whether the question comes first outside working hours; taken as first [not documented]
 7. the visitor reads settings.confirmation_outside_working_hours_message [step 4]
 8. the documents do not say that anybody is notified then; taken as nobody [not documented]
Outcome: outside working hours, no human comes
The visitor reads: "Shall I?", settings.question_message
The visitor reads: "Later.", settings.confirmation_outside_working_hours_message
Notified: nobody]], tostring(handoff.simulate(config(), { message = "agent!", answer = "yes", time = OUTSIDE })))
    local routed = handoff.simulate(config(), { guideline = "Refund", answer = true, time = INSIDE, topic = "Billing" })
    assert.equal([[
Fri 27 Nov 2026 10:00 Europe/London: open until Fri 27 Nov 2026 17:00
 1. the guideline "Refund" applies and is active [step 1]
 2. the visitor reads settings.question_message [step 2]
 3. the visitor says yes [step 2]
 4. it is inside working hours [step 3]
 5. the visitor reads settings.confirmation_message [step 3]
 6. the conversation goes to a human, with a summary by the AI [step 3]
 7. the routing profile "Billing" fits and is active: its operators are notified, operators 7, 9 [step 5]
Outcome: the conversation goes to a human
The visitor reads: "Shall I?", settings.question_message
The visitor reads: "Wait.", settings.confirmation_message
Notified: operators 7, 9
A summary goes along.]], tostring(routed))
    assert.same({ 1795773600, "Europe/London", true, "open", 1795798800 },
      { routed.time, routed.timezone, routed.open, routed.reason, routed.next_change })
  end)

  -- What decides, as ids: the edit of the document, the event, the rules.
  for _, row in ipairs {
    { "handoff off", "settings.is_active", false, {}, "off" },
    { "handoff neither on nor off", "settings.is_active", handoff.null, {}, "off" },
    { "nothing that could ask", { ["settings.keywords"] = { " " }, ["custom_guidelines"] = json.array {},
      ["generic_guidelines"] = json.array {} }, nil, {}, "nothing_triggers" },
    { "any time", "settings.working_hours_active", false, { answer = "yes", topic = false },
      "supposed question confirmed always confirmation summary no_topic email" },
    { "empty texts", { ["settings.question_message"] = "", ["settings.confirmation_message"] = " " }, nil,
      { answer = "yes", topic = false },
      "supposed empty_text confirmed open empty_text summary no_topic email" },
    { "an empty text outside", "settings.confirmation_outside_working_hours_message", handoff.null,
      { answer = "yes", time = OUTSIDE },
      "supposed question confirmed closed outside_question empty_text outside_notified" },
    { "slots that break rules", "availability", {
      { day_span = "friday", start_time = "22:00", end_time = "06:00" },
      { day_span = "friday", start_time = "09:00", end_time = "17:00" },
    }, { answer = "yes", topic = false },
      "supposed question confirmed broken_slot open confirmation summary no_topic email" },
    { "a profile without operators", "routing_profiles",
      { { name = "Billing", is_active = true, user_ids = json.array {} } },
      { answer = "yes", topic = "Billing" },
      "supposed question confirmed open confirmation summary topic without_operators" },
    { "profiles of one name, of which one is active", "routing_profiles", {
      { name = "Billing", is_active = false, user_ids = { 1 } },
      { name = "Billing", is_active = true, user_ids = { 2 } },
    }, { answer = "yes", topic = "Billing" }, "supposed question confirmed open confirmation summary topic" },
    { "no active profile", "routing_profiles", json.array {}, { answer = "yes" },
      "supposed question confirmed open confirmation summary no_active_topic email" },
    { "routing neither on nor off", "settings.topic_based_routing_active", handoff.null,
      { answer = "yes", topic = "Billing" },
      "supposed question confirmed open confirmation summary derived_routing topic" },
    { "nobody to send e-mail to", "settings.emails", json.array {}, { answer = "yes", topic = "Legal" },
      "supposed question confirmed open confirmation summary inactive_topic no_address" },
    { "no summary, no e-mail", { ["settings.ai_summary_active"] = false, ["settings.send_email_notification"] = false,
      ["settings.topic_based_routing_active"] = false }, nil, { answer = "yes", topic = "Billing" },
      "supposed question confirmed open confirmation no_summary routing_off no_email" },
    { "a keyword and a guideline", nil, nil, { message = "agent", guideline = "Refund" },
      "keyword guideline question unanswered" },
    { "a keyword, an answer", nil, nil, { message = "agent", answer = false },
      "keyword keyword_question question declined" },
    { "a message alone", nil, nil, { message = "hello" }, "no_keyword no_guideline" },
    { "what is of no documented shape", { ["settings.keywords"] = "agent", ["settings.emails"] = 5,
      ["custom_guidelines"] = { 5, handoff.null, { name = 7 } },
      ["routing_profiles"] = { { name = "Odd", is_active = true } } },
      nil, { message = "agent", guideline = "user_frustration", topic = "Odd", answer = "yes" },
      "no_keyword guideline question confirmed open confirmation summary topic without_operators" },
  } do
    it("goes through " .. row[1], function()
      local cfg = config(function(plain)
        local edits = type(row[2]) == "string" and { [row[2]] = row[3] } or row[2] or {}
        for path, value in pairs(edits) do
          local field = path:match "^settings%.(.*)$"
          if field then plain.settings[field] = value else plain[path] = value end
        end
      end)
      local event = { time = INSIDE }
      for name, value in pairs(row[4]) do event[name] = value end
      assert.equal(row[5], rules_of(assert(handoff.simulate(cfg, event))))
    end)
  end

  it("takes the routing as the service will, once profiles were edited", function()
    local cfg = config(function(plain)
      plain.settings.topic_based_routing_active = false
      plain.routing_profiles[1].is_active = false
    end)
    local event = { answer = "yes", topic = "Legal", time = INSIDE }
    assert.same({ "desk@example.com", "lead@example.com" }, handoff.simulate(cfg, event).notified.emails)
    cfg.routing_profiles:find { name = "Legal" }.is_active = true
    local result = handoff.simulate(cfg, event)
    assert.same({ user_ids = { 8 }, emails = {} }, result.notified)
    assert.truthy(rules_of(result):find "derived_routing topic$")
  end)

  it("reads local times in the configuration's zone, and without one in UTC", function()
    local function at(zone, time)
      local result = assert(handoff.simulate(config(function(plain)
        plain.settings.timezone, plain.settings.working_hours_active = zone, false
      end), { time = time }))
      return result.time, result.timezone
    end
    assert.same({ 1795770000, "Europe/Rome" }, { at("Europe/Rome", INSIDE) })
    assert.same({ 1795773600 }, { at(handoff.null, INSIDE) })
    assert.same({ 1795773600 }, { at("Nowhere/At all", INSIDE) })
    assert.same({ 0, "Asia/Tokyo" }, { at("Asia/Tokyo", 0) })
    local before = os.time()
    assert.is_true(at "Asia/Tokyo" - before <= os.time() - before)
  end)

  it("is none where the working hours have no zone", function()
    for _, zone in ipairs { handoff.null, "Nowhere/At all" } do
      local result, err = handoff.simulate(config(function(plain) plain.settings.timezone = zone end), { time = 0 })
      assert.is_nil(result)
      assert.same({ "invalid", "settings.timezone" }, { err.kind, err.path })
    end
  end)

  it("prints what a document holds so that it commands no terminal", function()
    local cfg = config(function(plain)
      plain.settings.question_message, plain.settings.emails = "a\27[31m\nb", { "x\27@\194\155y" }
    end)
    local text = tostring(handoff.simulate(cfg, { answer = "yes", topic = false, time = INSIDE }))
    assert.is_nil(text:find "\27" or text:find "\194\155")
    assert.truthy(text:find([["a\u001b[31m\nb"]], 1, true))
  end)

  for _, row in ipairs {
    { { guideline = "refund" }, "unknown", 'guideline: no guideline "refund"; did you mean "Refund"?' },
    { { guideline = "zzzzzz" }, "unknown", 'known are: "user_frustration", "media_message", "Refund"' },
    { { topic = "Biling" }, "unknown", 'topic: no routing profile "Biling"; did you mean "Billing"?' },
    { { topic = true }, "type", "topic: the name of a routing profile, or false where none fits, expected" },
    { { answer = "maybe" }, "choice", 'answer: "maybe" is no answer; write "yes" or "no"' },
    { { answer = 1 }, "type", "answer: string or boolean expected, got number" },
    { { message = ("x"):rep(65537) }, "max_length", "message: 65537 bytes, at most 65536 allowed" },
    { { message = "\255" }, "utf8", "message: not UTF-8 at byte 1" },
    { { time = "whenever" }, "time", '"whenever"' },
    { { mesage = "agent" }, "unknown", 'no option "mesage"; did you mean "message"?' },
  } do
    it("refuses: " .. row[3], function()
      local err = document.raised(handoff.simulate, config(), row[1])
      assert.same({ "invalid", row[2] }, { err.kind, err.rule })
      assert.truthy(tostring(err):find(row[3], 1, true), tostring(err))
      assert.equal(row[2] ~= "time", err.path:find "^handoff%.simulate" ~= nil)
    end)
  end

  it("refuses what is no configuration", function()
    for _, wrong in ipairs { false, {}, "{}" } do
      local err = document.raised(handoff.simulate, wrong, {})
      assert.truthy(tostring(err):find("cfg: a configuration expected", 1, true))
    end
    local err = document.raised(handoff.simulate, config(function(plain) plain.routing_profiles = json.array {} end),
      { topic = "Billing" })
    assert.truthy(tostring(err):find("there is none; leave it out", 1, true))
  end)
end)
