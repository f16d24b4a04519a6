-- SPDX-License-Identifier: MIT
--- What a policy can expect of an agent: `expect(agent):open_at "sat 11:00"`. What is not met fails the test;
-- `expect(agent).never:open_at(…)` is the contrary of any.
-- @classmod Expectation
local core = require "handoff.core"
local shape = require "handoff.shape"
local value = require "handoff.policy.value"

local function refuse(matcher, message)
  core.error.raise { path = matcher, rule = "policy", message = message }
end

local matchers = {}

-- ---- hours ------------------------------------------------------------------------------------------------------------------

local function zone_of(agent) return (require("handoff.hours").zone(agent.config)) end

-- The instant that is meant, in the agent's zone and counted from its now.
local function instant(agent, matcher, at)
  local time, zone = require "handoff.time", zone_of(agent)
  local now, wrong = time.read(agent.at, zone)
  if not now then refuse("at", wrong) end
  if at == nil then return now end
  local epoch, why = time.read(at, zone, now)
  return epoch or refuse(matcher, why)
end

local function moment(agent, epoch) return require("handoff.time").text(epoch, zone_of(agent)) end

-- Why it is open or not, as cfg:is_open says it, and until when, which takes a while to find.
local function hours_text(agent, open, reason, epoch)
  if reason == "off" then return "handoff is off" end
  if reason == "always" then return "it is open, working hours are off" end
  local change = agent.config:next_change(epoch)
  return ("it is %s %s"):format(open and "open" or "closed", change and "until " .. moment(agent, change) or "all week")
end

local function look_at_hours(agent, matcher, at)
  if at == nil then refuse(matcher, 'a time expected, such as "sat 11:00"') end
  local epoch = instant(agent, matcher, at)
  local open, reason = agent.config:is_open(epoch)
  if open == nil then return nil, moment(agent, epoch), tostring(reason) end
  return open, moment(agent, epoch), function() return hours_text(agent, open, reason, epoch) end
end

--- A visitor is offered a human then.
-- @function open_at
-- @tparam integer|string at in the agent's zone
function matchers.open_at(agent, at)
  local open, shown, found = look_at_hours(agent, "open_at", at)
  return open, "to be open at " .. shown, found
end

--- No visitor is offered a human then.
-- @function closed_at
-- @tparam integer|string at in the agent's zone
function matchers.closed_at(agent, at)
  local open, shown, found = look_at_hours(agent, "closed_at", at)
  if open ~= nil then open = not open end
  return open, "to be closed at " .. shown, found
end

-- ---- decisions --------------------------------------------------------------------------------------------------------------

-- The first moment from now on when a human is offered; now where there is none.
local function opening(agent)
  local cfg, now = agent.config, instant(agent)
  return not cfg:is_open(now) and cfg:next_change(now) or now
end

-- What the service does with the event → the result; or nil and why that cannot be told.
local function simulated(agent, matcher, event, defaults)
  if event ~= nil and type(event) ~= "table" then
    refuse(matcher, 'an event expected, such as { message = "agent" }')
  end
  local all = {}
  for name, one in pairs(defaults) do all[name] = one end
  for name, one in pairs(event or {}) do all[name] = one end
  all.time = all.time == nil and opening(agent) or instant(agent, matcher, all.time)
  return require("handoff.simulate").run(agent.config, all)
end

local function last_step(result, wanted)
  local text
  for _, step in ipairs(result.steps) do
    if wanted(step) then text = step.text end
  end
  return text or "nothing decides it"
end

local ends = {
  human = function() return "it goes to a human" end,
  declined = function() return "the visitor declined" end,
  unanswered = function() return "the visitor has not answered" end,
  outside_hours = function(agent, result)
    return ("at %s it is outside working hours"):format(moment(agent, result.time))
  end,
  not_offered = function(_, result)
    return "no human is offered: " .. last_step(result, function() return true end)
  end,
}

--- The conversation goes to a human.
-- @function hands_over
-- @tparam[opt] Event event where it does not say otherwise, the visitor says yes, at the first moment from now on when it is open
function matchers.hands_over(agent, event)
  local result, err = simulated(agent, "hands_over", event, { answer = "yes" })
  if not result then return nil, "to hand over", tostring(err) end
  return result.outcome == "human", "to hand over", ends[result.outcome](agent, result)
end

-- A list without holes: of any other table nothing, or not all, would be looked at.
local function check_list(matcher, name, list)
  if type(list) ~= "table" then refuse(matcher, ("%s: a list expected, got %s"):format(name, type(list))) end
  local count = 0
  for _ in pairs(list) do count = count + 1 end
  for i = 1, count do
    if list[i] == nil then refuse(matcher, ("%s: a list expected, got a table with other keys"):format(name)) end
  end
end

-- A text as it is, a number with all its digits.
local function shown(one) return type(one) == "string" and one or value.show(one) end

-- Whether two lists hold the same, in any order.
local function same_set(a, b)
  local counts = {}
  for _, one in ipairs(a) do counts[shown(one)] = 1 end
  for _, one in ipairs(b) do
    if not counts[shown(one)] then return false end
    counts[shown(one)] = 2
  end
  for _, count in pairs(counts) do
    if count == 1 then return false end
  end
  return true
end

local function listed(list)
  local texts = {}
  for i, one in ipairs(list) do texts[i] = shown(one) end
  return table.concat(texts, ", ")
end

-- Whom it notifies, in words.
local function people(user_ids, emails)
  local parts = {}
  if user_ids and user_ids[1] then parts[1] = (user_ids[2] and "operators " or "operator ") .. listed(user_ids) end
  if emails and emails[1] then parts[#parts + 1] = listed(emails) end
  return parts[1] and table.concat(parts, " and ") or "nobody"
end

-- `of_routing`: only who is notified by a profile matters, not what the default is, which differs from agent to agent.
local function found_notified(agent, result, of_routing)
  if result.outcome ~= "human" then return ends[result.outcome](agent, result) end
  local decided = last_step(result, function(step) return step.rule:find "topic" or step.rule:find "rout" end)
  local notified = result.notified
  if notified.user_ids[1] then return "it notifies " .. people(notified.user_ids) end -- those of the profile that fits
  if of_routing then return decided end
  return ("it notifies %s: %s"):format(people(notified.user_ids, notified.emails), decided)
end

--- These operators are notified of a conversation on that topic, and no others; in any order.
-- @function routes
-- @tparam string topic
-- @tparam integer[] user_ids
function matchers.routes(agent, topic, user_ids)
  if type(topic) ~= "string" then refuse("routes", "the name of a routing profile expected first") end
  check_list("routes", "user_ids", user_ids)
  local expected = ("%q to be routed to %s"):format(topic, people(user_ids))
  local result, err = simulated(agent, "routes", nil, { answer = "yes", topic = topic })
  if not result then return nil, expected, tostring(err) end
  local met = result.outcome == "human" and same_set(user_ids, result.notified.user_ids)
  return met, expected, found_notified(agent, result, true)
end

--- These are notified, in any order; without a topic in the event none fits.
-- @function notifies
-- @tparam table who `user_ids`, `emails` or both
-- @tparam[opt] Event event
function matchers.notifies(agent, who, event)
  local o = require("handoff.options").read(who, { user_ids = { "table" }, emails = { "table" } }, "notifies")
  if not o.user_ids and not o.emails then refuse("notifies", "user_ids= or emails= expected, or both") end
  for name, list in pairs(o) do check_list("notifies", name, list) end
  local expected = "to notify " .. people(o.user_ids, o.emails)
  local result, err = simulated(agent, "notifies", event, { answer = "yes", topic = false })
  if not result then return nil, expected, tostring(err) end
  local met = result.outcome == "human"
  for name, list in pairs(o) do met = met and same_set(list, result.notified[name]) end
  return met, expected, found_notified(agent, result)
end

-- ---- texts ------------------------------------------------------------------------------------------------------------------

local texts = {
  question = "question_message", confirmation = "confirmation_message",
  outside = "confirmation_outside_working_hours_message",
}

--- A text of the settings has this in it; without one: says something.
-- @function says
-- @tparam "question"|"confirmation"|"outside" which
-- @tparam[opt] string text
function matchers.says(agent, which, text)
  local field = texts[which]
  if not field then refuse("says", '"question", "confirmation" or "outside" expected first') end
  if text ~= nil and (type(text) ~= "string" or text == "") then
    refuse("says", "a text expected second, or nothing")
  end
  local said = agent.config.settings[field]
  local found = type(said) == "string" and "it is " .. value.show(said) or "it is not there"
  if type(said) ~= "string" then said = "" end
  if not text then return said:find "%S" ~= nil, ("settings.%s to say something"):format(field), found end
  return said:find(text, 1, true) ~= nil, ("settings.%s to say %s"):format(field, value.show(text)), found
end

-- ---- values -----------------------------------------------------------------------------------------------------------------

-- What tells that it is not so everywhere; nil where it is. `row`: the schema's of the values.
local function other(found, missing, row, is_so)
  for _, one in ipairs(found) do
    if not is_so(one.value) then return ("%s is %s"):format(one.path, value.show(one.value, row)) end
  end
  if found[1] and missing[1] then return missing[1] .. " is not there" end
  return not found[1] and "it is not there" or nil
end

local function is_something(one) return one ~= core.json.null end

--- Something is there, or this value; with `[*]` in the path every item has it.
-- @function has
-- @tparam string path
-- @tparam[opt] any value
function matchers.has(agent, path, ...)
  local paths = require "handoff.path"
  local p = paths.parse(path)
  local row, found, missing = p:row(), paths.values(p, agent.config)
  if select("#", ...) == 0 then
    local why = other(found, missing, row, is_something)
    return not why, "to have " .. path, why or "it is there"
  end
  local wanted = value.plain((...))
  if wanted == nil then refuse("has", "the value is nil; leave it out, or expect it never to have " .. path) end
  local why = other(found, missing, row, function(one) return shape.same(value.plain(one), wanted) end)
  return not why, ("%s to be %s"):format(path, value.show(wanted, row)), why or "it is"
end

-- ---- checks -----------------------------------------------------------------------------------------------------------------

local function set_of_rules(ignored)
  local known, list, set = {}, {}, {}
  for i, rule in ipairs(core.check.rules()) do known[rule.id], list[i] = true, rule.id end
  for _, id in ipairs(ignored or {}) do
    local nearest = not known[id] and core.schema.nearest(tostring(id), list)
    if not known[id] then
      refuse("passes_check", ("there is no rule %s; %s"):format(value.show(id), nearest
        and "did you mean " .. nearest .. "?" or "`handoff validate` names the rules in brackets"))
    end
    set[id] = true
  end
  return set
end

--- `cfg:check()` finds nothing, but for these rules.
-- @function passes_check
-- @tparam[opt] string[] ignored
function matchers.passes_check(agent, ignored)
  if ignored ~= nil then check_list("passes_check", "rules", ignored) end
  local is_ignored, found = set_of_rules(ignored), {}
  for _, issue in ipairs(agent.config:check()) do
    if not is_ignored[issue.rule] then
      found[#found + 1] = ("%s: %s [%s]"):format(issue.path, issue.message, issue.rule)
    end
  end
  return #found == 0, "to pass the check", #found == 0 and "it does" or table.concat(found, "; ")
end

return { matchers = matchers }
