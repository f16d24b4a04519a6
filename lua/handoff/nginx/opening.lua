-- SPDX-License-Identifier: MIT
--- What is open now of the agents of a cache: worked out once, and kept in this worker until the document changes or what is
-- open does.
local answer = require "handoff.nginx.answer"
local core = require "handoff.core"
local hint = require "handoff.hint"
local hours = require "handoff.hours"
local options = require "handoff.options"
local time = require "handoff.time"

local opening = {}

-- ---- at one instant -------------------------------------------------------------------------------------------------------

-- When it opens next, once what is there now is over.
local function next_opening(cfg, seen)
  if not seen.next_change then return nil end
  if not seen.open then return seen.next_change end
  return hours.next_change(cfg, seen.next_change)
end

--- What is open of a configuration at an instant → { open, reason = as of hours.at, change = the instant at which that changes,
-- next_open = the one at which it opens next, after the hours that it is open now, outside = what a visitor reads outside hours,
-- zone = its name, until_text, next_text = both instants in ISO 8601, by the clocks of the zone }; what is never or nowhere is
-- nil. nil, err where working hours are on and the zone is none.
function opening.at(cfg, instant)
  local seen, err = hours.at(cfg, instant)
  if not seen then return nil, err end
  local settings, following = cfg.settings, next_opening(cfg, seen)
  local outside = seen.week and settings.confirmation_outside_working_hours_message
  return {
    open = seen.open, reason = seen.reason, change = seen.next_change, next_open = following,
    outside = type(outside) == "string" and outside ~= "" and outside or nil,
    zone = seen.zone and settings.timezone,
    until_text = seen.next_change and time.iso(seen.next_change, seen.zone),
    next_text = following and time.iso(following, seen.zone),
  }
end

-- ---- kept -----------------------------------------------------------------------------------------------------------------

--- A function(name, cfg, version, now) → what opening.at says at `now`, or a table with `err` alone: the same table as long as
-- it holds, which is until `version` changes, what is open changes, or the clock is set back.
function opening.keeper()
  local kept = {}
  return function(name, cfg, version, now)
    local one = kept[name]
    if one and one.version == version and now >= one.at and now < one.limit then return one end
    local err
    one, err = opening.at(cfg, now)
    if not one then one = { err = err } end
    one.version, one.at, one.limit = version, now, one.change or math.huge
    kept[name] = one
    return one
  end
end

-- ---- which agent ----------------------------------------------------------------------------------------------------------

local function refuse(what, option, rule, message)
  core.error.raise { path = what .. ": " .. option, rule = rule, message = message }
end

local function check_name(what, cache, name)
  if cache:knows(name) then return end
  local names = {}
  for i, agent in ipairs(cache:agents()) do names[i] = agent.name end
  refuse(what, "agent", "unknown", ("the cache has no agent %q; %s"):format(name,
    hint(name, names, "give the name of one that its inventory has")))
end

--- Reads the options of a handler that is about one agent, as options.read; `cache` and `agent` are among them. A name that the
-- cache does not have raises.
-- @return the options, where `agent` is a function() → the name of an agent of the cache, or nil
function opening.read(given, rows, what)
  local read = options.read(given, rows, what)
  local cache, agent = read.cache, read.agent
  answer.check_cache(cache, what)
  if not agent then refuse(what, "agent", "required", 'no agent; give a name, or a function that returns one') end
  if type(agent) == "string" then check_name(what, cache, agent) end
  read.agent = function()
    local name = agent
    if type(agent) == "function" then name = agent() end
    if name ~= nil and cache:knows(name) then return name end
  end
  return read
end

return opening
