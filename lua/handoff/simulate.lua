-- SPDX-License-Identifier: MIT
--- What the service would do with an event, step by step, as the documents have it and no further:
--
--   step 1   The AI holds each message against the active guidelines. A keyword in it asks for a handoff directly.
--   step 2   When one triggers, the visitor sees question_message.
--   step 3   Confirmed, inside working hours or without any: confirmation_message, and the conversation goes to a human, with a
--            summary where ai_summary_active.
--   step 4   Outside working hours: confirmation_outside_working_hours_message instead.
--   step 5   With topic-based routing the operators of the active profile that fits best are notified; where none fits, those
--            of settings.emails.
--   step 6   An operator may take a conversation over by hand: nothing here concerns that.
--
-- What the AI decides (which guideline applies, which profile fits) and what the visitor answers are part of the event. Where the
-- documents leave something open the step that is taken says so; these are all:
--
--   keyword_question     whether a visitor who typed a keyword is asked question_message, too: taken as asked
--   empty_text           what a visitor sees of a message that is empty: taken as nothing
--   broken_slot          what a slot means that breaks a rule, such as one that ends before it starts: taken as closed
--   outside_question     whether the question comes first outside of working hours: taken as coming first
--   outside_notified     whether anybody is notified outside of working hours: taken as nobody
--   without_operators    who is notified where the profile that fits has no operators: taken as nobody
--   derived_routing      whether topics are routed where topic_based_routing_active is not there, or was overtaken by an edit of
--                        the profiles: taken as whether a profile is active
--   operators_by_email   (said in no step) how operators of a profile are notified, and whether send_email_notification matters
--   one_moment           (said in no step) whether the request or the answer is to fall into working hours: both have one time
--   keyword_match        (said in no step) what counts as typing a keyword: see fold.contains of csrc/binding/l_fold.c
-- @module handoff.simulate

--- What happens. Without message and guideline a handoff is taken as asked for.
-- @table Event
-- @tfield[opt] integer|string time now by default; local times in the configuration's zone
-- @tfield[opt] string message what the visitor typed
-- @tfield[opt] string guideline the name of the one that the AI finds to apply
-- @tfield[opt] "yes"|"no"|boolean answer
-- @tfield[opt] string|boolean topic the name of the routing profile that the AI finds to fit, or false where none does

--- What the service would do. It prints as text, a line a step.
-- @table Simulation
-- @tfield "not_offered"|"unanswered"|"declined"|"outside_hours"|"human" outcome unanswered: no answer was given
-- @tfield table[] steps `{rule, text, source}`: source "step 1" to "step 5", a field's path, or "not documented"
-- @tfield table[] reads what the visitor reads, in turn: `{field, text}`
-- @tfield table notified `user_ids`, `emails`, `undecided` = true where it takes a topic to say
-- @tfield boolean summary whether one goes along
-- @tfield integer time the moment, seconds since 1970
-- @tfield[opt] string timezone the name of the configuration's zone
-- @tfield boolean open as `cfg:is_open` says of that moment
-- @tfield string reason as `cfg:is_open` says of that moment
-- @tfield[opt] integer next_change as `cfg:next_change` says of that moment
local core = require "handoff.core"
local glib = require "handoff.glib"
local options = require "handoff.options"
local words = require "handoff.words"

core.error.home(debug.getinfo(1, "S").source)

local simulate = {}

local concat, ipairs, plain, tostring, type = table.concat, ipairs, words.plain, tostring, type

-- ---- the event ------------------------------------------------------------------------------------------------------------

local NAME = "handoff.simulate"
local MAX_MESSAGE = 65536 -- bytes

local rows = {
  time = { "string number" }, message = { "string" }, guideline = { "string" },
  answer = { "string boolean" }, topic = { "string boolean" },
}

local function quoted(text) return ('"%s"'):format(plain(text)) end

local function refuse(option, rule, value, message)
  core.error.raise { path = ("%s: %s"):format(NAME, option), rule = rule, value = value, message = message }
end

local answers = { yes = true, no = false, [true] = true, [false] = false }

local function check_message(message)
  if #message > MAX_MESSAGE then
    refuse("message", "max_length", nil, ("%d bytes, at most %d allowed"):format(#message, MAX_MESSAGE))
  end
  local _, bad = core.schema.utf8_length(message)
  if bad then refuse("message", "utf8", nil, ("not UTF-8 at byte %d"):format(bad)) end
end

-- The event, checked, as far as that needs no document.
local function read_event(given)
  local event = options.read(given, rows, NAME)
  local answer = answers[event.answer]
  if event.answer ~= nil and answer == nil then
    refuse("answer", "choice", event.answer, ('%s is no answer; write "yes" or "no"'):format(quoted(event.answer)))
  end
  if event.topic == true then
    refuse("topic", "type", true, "the name of a routing profile, or false where none fits, expected; got true")
  end
  if event.message then check_message(event.message) end
  event.answer = answer
  return event
end

-- ---- the document, of which the service may have sent anything ------------------------------------------------------------

-- The members of a list that are of that type.
local function members(value, kind)
  local list = {}
  for _, one in ipairs(type(value) == "table" and value or {}) do
    if type(one) == kind then list[#list + 1] = one end
  end
  return list
end

-- A text with something to read in it, or nil.
local function text_of(value) return type(value) == "string" and value:find "%S" and value or nil end

-- Of the items of those lists those of that name, the active ones first; none of that name is a slip.
local function named(lists, name, option, what)
  local active, inactive, names = {}, {}, {}
  for _, list in ipairs(lists) do
    for _, item in ipairs(members(list, "table")) do
      local into = item.is_active == true and active or inactive
      if item.name == name then into[#into + 1] = item end
      if type(item.name) == "string" then names[#names + 1] = quoted(item.name) end
    end
  end
  if active[1] or inactive[1] then return active[1] or inactive[1] end
  local near = core.schema.nearest(quoted(name), names)
  local hint = near and ("did you mean %s?"):format(near)
    or names[1] and "known are: " .. concat(names, ", ") or "there is none; leave it out"
  refuse(option, "unknown", name, ("no %s %s; %s"):format(what, quoted(name), hint))
end

local function any_active(list)
  for _, item in ipairs(members(list, "table")) do
    if item.is_active == true then return true end
  end
  return false
end

-- ---- the result -----------------------------------------------------------------------------------------------------------

local outcomes = {
  not_offered = "no human is offered", unanswered = "the visitor has yet to answer", declined = "the visitor declined",
  human = "the conversation goes to a human", outside_hours = "outside working hours, no human comes",
}

local function moment(r, epoch)
  local time = require "handoff.time"
  return time.text(epoch, r.timezone and time.zone(r.timezone))
end

local hours = {
  off = "handoff is off", always = "open at any time",
  open = "open, and never closes", closed = "closed, and never opens",
}

local function hours_text(r)
  if not r.next_change then return hours[r.reason] end
  return ("%s until %s"):format(r.reason, moment(r, r.next_change))
end

local function notified_text(notified)
  local parts = {}
  if notified.undecided then return "whoever the topic decides" end
  for i, id in ipairs(notified.user_ids) do parts[i] = words.show(id) end
  local operators = #parts > 0 and ("operator%s %s"):format(#parts > 1 and "s" or "", concat(parts, ", "))
  local emails = #notified.emails > 0 and plain(concat(notified.emails, ", "))
  return operators or emails or "nobody"
end

local Result = {}

-- A line each: when, the steps with where the documents say so, the outcome, what the visitor reads, who is notified.
function Result:__tostring()
  local lines = { ("%s %s: %s"):format(moment(self, self.time), self.timezone or "UTC", hours_text(self)) }
  for i, step in ipairs(self.steps) do lines[#lines + 1] = ("%2d. %s [%s]"):format(i, step.text, step.source) end
  lines[#lines + 1] = "Outcome: " .. outcomes[self.outcome]
  for _, read in ipairs(self.reads) do
    lines[#lines + 1] = ("The visitor reads: %s, %s"):format(quoted(read.text), read.field)
  end
  lines[#lines + 1] = "Notified: " .. notified_text(self.notified)
  if self.summary then lines[#lines + 1] = "A summary goes along." end
  return concat(lines, "\n")
end

local function note(r, rule, source, text, ...)
  r.steps[#r.steps + 1] = { rule = rule, source = source, text = select("#", ...) > 0 and text:format(...) or text }
end

local UNSAID = "not documented"
local function unsaid(r, rule, text)
  note(r, rule, UNSAID, "the documents do not say %s", text)
end

-- The visitor reads a text of the settings.
local function show(r, rule, source, field)
  local text = text_of(r.settings[field])
  if text then
    note(r, rule, source, "the visitor reads settings.%s", field)
    r.result.reads[#r.result.reads + 1] = { field = "settings." .. field, text = text }
  else
    unsaid(r, "empty_text", ("what the visitor sees where settings.%s is empty; taken as nothing"):format(field))
  end
end

-- ---- step 1 ---------------------------------------------------------------------------------------------------------------

local function typed_keyword(r)
  for _, keyword in ipairs(r.event.message and r.keywords or {}) do
    if r.fold.contains(r.event.message, keyword) then return keyword end
  end
end

local function hold_against_keywords(r)
  local keyword = typed_keyword(r)
  if keyword then
    note(r, "keyword", "step 1", "the message has the keyword %s in it, which asks for a handoff", quoted(keyword))
  elseif r.event.message then
    note(r, "no_keyword", "step 1", "none of the keywords (%d) is in the message", #r.keywords)
  end
  return keyword ~= nil
end

local function hold_against_guideline(r)
  local guideline = r.guideline
  if not guideline then
    note(r, "no_guideline", "step 1", "no guideline is said to apply; which do is the AI's to find")
  elseif guideline.is_active == true then
    note(r, "guideline", "step 1", "the guideline %s applies and is active", quoted(guideline.name))
  else
    note(r, "inactive_guideline", "step 1", "the guideline %s is inactive, so it does not trigger",
      quoted(guideline.name))
  end
  return guideline and guideline.is_active == true
end

-- Whatever it is that asks, as the event says neither.
local function suppose(r)
  local able = r.keywords[1] or any_active(r.document.generic_guidelines) or any_active(r.document.custom_guidelines)
  if able then
    note(r, "supposed", "step 1", "a handoff is taken as asked for: no message and no guideline is said")
  else
    note(r, "nothing_triggers", "step 1", "no guideline is active and there is no keyword: nothing asks for a handoff")
  end
  return able
end

local function is_asked_for(r)
  if not r.event.message and not r.guideline then return suppose(r) end
  local by_keyword = hold_against_keywords(r)
  if by_keyword and not r.guideline then
    unsaid(r, "keyword_question", "whether a visitor who typed a keyword is asked, too; taken as asked")
    return true
  end
  return hold_against_guideline(r) or by_keyword
end

-- ---- steps 3 and 4 --------------------------------------------------------------------------------------------------------

local function go_to_human(r)
  local why = r.result.reason == "always" and "settings.working_hours_active is not true, so any time will do"
    or "it is inside working hours"
  note(r, r.result.reason, "step 3", why)
  show(r, "confirmation", "step 3", "confirmation_message")
  r.result.summary = r.settings.ai_summary_active == true
  note(r, r.result.summary and "summary" or "no_summary", "step 3", "the conversation goes to a human, %s",
    r.result.summary and "with a summary by the AI" or "without a summary: settings.ai_summary_active is not true")
end

local function stay_outside(r)
  note(r, "closed", "step 4", "it is outside working hours")
  unsaid(r, "outside_question", "whether the question comes first outside working hours; taken as first")
  show(r, "outside", "step 4", "confirmation_outside_working_hours_message")
  unsaid(r, "outside_notified", "that anybody is notified then; taken as nobody")
end

-- ---- step 5 ---------------------------------------------------------------------------------------------------------------

-- Whether topics decide. The service derives the field when it is written to, so that an edit of the profiles overtakes it.
local function has_routing(r)
  local active = r.settings.topic_based_routing_active
  if type(active) == "boolean" and not r.has_edited_profiles then return active end
  local derived = any_active(r.document.routing_profiles)
  unsaid(r, "derived_routing", ("what topic_based_routing_active will be; taken as %s, as %s profile is active")
    :format(tostring(derived), derived and "a" or "no"))
  return derived
end

-- The profile whose operators are notified, or nil for the default; true where the event does not say.
local function fitting_profile(r)
  if not has_routing(r) then
    note(r, "routing_off", "step 5", "topic-based routing is not active, so the default holds")
  elseif not any_active(r.document.routing_profiles) then
    note(r, "no_active_topic", "step 5", "no routing profile is active, so the default holds")
  elseif r.event.topic == nil then
    note(r, "undecided", "step 5", "which routing profile fits is the AI's to find, and decides who is notified")
    return true
  elseif not r.profile then
    note(r, "no_topic", "step 5", "no routing profile fits, so the default holds")
  elseif r.profile.is_active ~= true then
    note(r, "inactive_topic", "step 5", "the routing profile %s is inactive and does not count, so the default holds",
      quoted(r.profile.name))
  else
    return r.profile
  end
end

local function notify_operators(r, profile)
  local ids = r.result.notified.user_ids
  for i, id in ipairs(type(profile.user_ids) == "table" and profile.user_ids or {}) do ids[i] = id end
  note(r, "topic", "step 5", "the routing profile %s fits and is active: its operators are notified, %s",
    quoted(profile.name), #ids > 0 and notified_text(r.result.notified) or "of whom there are none")
  if #ids == 0 then unsaid(r, "without_operators", "who is notified instead; taken as nobody") end
end

local function notify_default(r)
  local emails = members(r.settings.emails, "string")
  if r.settings.send_email_notification ~= true then
    note(r, "no_email", "settings.send_email_notification",
      "settings.send_email_notification is not true, so no e-mail goes out")
  elseif not emails[1] then
    note(r, "no_address", "step 5", "settings.emails is empty, so nobody is notified")
  else
    r.result.notified.emails = emails
    note(r, "email", "step 5", "settings.emails is notified: %s", plain(concat(emails, ", ")))
  end
end

local function notify(r)
  local profile = fitting_profile(r)
  if profile == true then
    r.result.notified.undecided = true
  elseif profile then
    notify_operators(r, profile)
  else
    notify_default(r)
  end
end

-- ---- all steps ------------------------------------------------------------------------------------------------------------

-- Goes through the steps → the outcome.
local function decide(r)
  if r.settings.is_active ~= true then
    note(r, "off", "settings.is_active", "settings.is_active is not true: handoff is off")
    return "not_offered"
  end
  if not is_asked_for(r) then return "not_offered" end
  show(r, "question", "step 2", "question_message")
  if r.event.answer == nil then
    note(r, "unanswered", "step 2", "what the visitor answers is not said")
    return "unanswered"
  end
  local answer = r.event.answer and "yes" or "no"
  note(r, r.event.answer and "confirmed" or "declined", "step 2", "the visitor says %s", answer)
  if not r.event.answer then return "declined" end
  for _, slot in ipairs(r.broken or {}) do
    unsaid(r, "broken_slot", ("what %s is: %s; taken as closed"):format(plain(slot.path), slot.message))
  end
  if not r.result.open then
    stay_outside(r)
    return "outside_hours"
  end
  go_to_human(r)
  notify(r)
  return "human"
end

local function has_edited(cfg, name)
  for _, part in ipairs(core.config.edited(cfg)) do
    if part.name == name then return true end
  end
  return false
end

-- What the steps look at.
local function new_run(cfg, event)
  local document = cfg:plain()
  local settings = type(document.settings) == "table" and document.settings or {}
  local keywords = {}
  for _, keyword in ipairs(members(settings.keywords, "string")) do keywords[#keywords + 1] = text_of(keyword) end
  local guidelines, steps = { document.generic_guidelines, document.custom_guidelines }, {}
  local result = { steps = steps, reads = {}, notified = { user_ids = {}, emails = {} }, summary = false }
  return {
    event = event, document = document, settings = settings, keywords = keywords, steps = steps,
    has_edited_profiles = has_edited(cfg, "routing_profiles"),
    guideline = event.guideline and named(guidelines, event.guideline, "guideline", "guideline"),
    profile = event.topic and named({ document.routing_profiles }, event.topic, "topic", "routing profile"),
    result = setmetatable(result, Result),
  }
end

-- Puts the moment, and what the configuration says of it, into the result → true | nil, err.
local function take_time(cfg, r)
  local seen, err = require("handoff.hours").at(cfg, r.event.time)
  if not seen then return nil, err end
  r.broken = seen.broken
  r.result.time, r.result.timezone = seen.at, seen.zone and r.settings.timezone
  r.result.open, r.result.reason, r.result.next_change = seen.open, seen.reason, seen.next_change
  return true
end

--- What the service would do. A guideline or profile that the configuration does not have raises.
-- @tparam Config cfg
-- @tparam[opt] Event event
-- @treturn ?Simulation nil where the working hours cannot be told
-- @treturn ?Error err
function simulate.run(cfg, event)
  if not core.config.is(cfg) then
    refuse("cfg", "type", nil, "a configuration expected, such as handoff.config or client:get gives")
  end
  local r = new_run(cfg, read_event(event))
  local known, err = take_time(cfg, r)
  if known and r.event.message then r.fold, err = glib("handoff.fold", "keywords cannot be looked for") end
  if err then return nil, err end
  r.result.outcome = decide(r)
  return r.result
end

return simulate
