-- SPDX-License-Identifier: MIT
--- When a configuration lets a visitor be handed over to a human: at an instant, between two, until when. Exact to the second,
-- also where clocks are put forward or back: what counts is what the clocks of the configuration's zone show.
-- @module handoff.hours
local core = require "handoff.core"
local time = require "handoff.time"

local hours = {}

local MINUTE, WEEK = 60, 7 * 86400 -- seconds
local MONDAY = 4 * 86400 -- the first one after the begin of 1970

--- The hours of a configuration: what its availability covers.
-- @tparam Config cfg
-- @treturn Week
-- @treturn table[] what is no slot, which is left out: `{path, rule, message}`
function hours.week(cfg) return core.week.read(cfg.availability) end

--- The zone of a configuration, never a guess.
-- @tparam Config cfg
-- @treturn ?Zone
-- @treturn ?Error err
function hours.zone(cfg)
  local name = cfg.settings.timezone
  local zone, err
  if type(name) == "string" then zone, err = time.zone(name) end
  if zone then return zone end
  local why = err and err.message or "there is no time zone for the working hours; set it, as Europe/London"
  return nil, core.error.new { kind = "invalid", path = "settings.timezone", value = name, message = why }
end

-- What decides: "off" or "always" whatever the time is, or "hours"; and the zone, which may be nil but for "hours"; or nil and an
-- error.
local function rule_of(cfg)
  local zone, err = hours.zone(cfg)
  if cfg.settings.is_active ~= true then return "off", zone end
  if cfg.settings.working_hours_active ~= true then return "always", zone end
  if zone then return "hours", zone end
  return nil, err
end

-- The instant that is meant; what is none raises.
local function instant_of(value, zone)
  local epoch, why = time.read(value, zone)
  return epoch or core.error.raise { path = "time", rule = "time", value = value, message = why }
end

-- ---- stretches of one offset ----------------------------------------------------------------------------------------------

-- Adds what is open of a stretch in which clocks are `east` seconds ahead of UTC, clipped to it; a span that goes on where the
-- last one ended is part of that.
local function add_stretch(list, weekly, east, from, to)
  local first = math.floor((from + east - MONDAY) / WEEK) - 1 -- a span that wraps began the week before
  local last = math.floor((to + east - MONDAY) / WEEK)
  for week = first, last do
    local begin = MONDAY + week * WEEK - east
    for _, span in ipairs(weekly) do
      local open = math.max(begin + span.from * MINUTE, from)
      local close = math.min(begin + span.to * MINUTE, to)
      local before = list[#list]
      if open < close and before and before.to == open then
        before.to = close
      elseif open < close then
        list[#list + 1] = { from = open, to = close }
      end
    end
  end
end

local function spans_of(weekly, zone, from, to)
  local list = {}
  for start, stop, east in time.stretches(zone, from, to) do add_stretch(list, weekly, east, start, stop) end
  return list
end

--- The spans between two instants in which a visitor is offered a human; rising, none touching the next.
-- @tparam Config cfg
-- @tparam integer from seconds since 1970
-- @tparam integer to seconds since 1970
-- @treturn ?Span[] instants, `to` the first one that is not; nil where working hours are on and the zone is none
-- @treturn ?Error err
function hours.spans(cfg, from, to)
  local rule, zone = rule_of(cfg)
  if not rule then return nil, zone end
  from, to = instant_of(from, zone), instant_of(to, zone)
  if rule == "off" or from >= to then return {} end
  if rule == "always" then return { { from = from, to = to } } end
  return spans_of(hours.week(cfg):spans(), zone, from, to)
end

-- ---- at one instant -------------------------------------------------------------------------------------------------------

local function is_open_at(week, zone, instant)
  local shown = zone:local_time(instant)
  return week:is_open((shown.weekday * 24 + shown.hour) * 60 + shown.min)
end

--- What `cfg:is_open` is.
-- @tparam Config cfg
-- @tparam[opt] integer|string value a time, local ones in the configuration's zone; now by default. What is no time raises.
-- @treturn ?boolean nil where working hours are on and the zone is none
-- @treturn string|Error `"off"` (no handoff), `"always"` (no working hours), `"open"`, `"closed"`; or err
function hours.is_open(cfg, value)
  local rule, zone = rule_of(cfg)
  if not rule then return nil, zone end
  local instant = instant_of(value, zone)
  if rule ~= "hours" then return rule == "always", rule end
  local open = is_open_at(hours.week(cfg), zone, instant)
  return open, open and "open" or "closed"
end

-- Any week that is neither always open nor never changes within one; two more for hours that clocks skip.
local HORIZON = 4 * WEEK

local function change_after(week, zone, instant)
  local stop = math.min(instant + HORIZON, time.LIMIT)
  local span = spans_of(week:spans(), zone, instant, stop)[1]
  if not span then return nil end
  local change = span.from > instant and span.from or span.to
  if change < stop then return change end
end

--- What `cfg:next_change` is.
-- @tparam Config cfg
-- @tparam[opt] integer|string value as of `is_open`
-- @treturn ?integer the first instant after it at which `is_open` is not what it is then; nil where that is never
-- @treturn ?Error err where working hours are on and the zone is none
function hours.next_change(cfg, value)
  local rule, zone = rule_of(cfg)
  if not rule then return nil, zone end
  local instant = instant_of(value, zone)
  if rule == "hours" then return change_after(hours.week(cfg), zone, instant) end
end

--- All of it at one instant.
-- @tparam Config cfg
-- @tparam[opt] integer|string value as of `is_open`
-- @treturn ?table `at` the instant, `zone` of the configuration or nil, `open`, `reason` as of `is_open`, `next_change` as of
--   that, `week` and `broken` as of `week`, nil where working hours decide nothing, `reads` = `{field, text}`, what a visitor
--   reads who is asked and confirms, nil where nobody is asked
-- @treturn ?Error err
function hours.at(cfg, value)
  local rule, zone = rule_of(cfg)
  if not rule then return nil, zone end
  local seen = { at = instant_of(value, zone), zone = zone, open = rule == "always", reason = rule }
  if rule == "hours" then
    seen.week, seen.broken = hours.week(cfg)
    seen.open = is_open_at(seen.week, zone, seen.at)
    seen.reason, seen.next_change = seen.open and "open" or "closed", change_after(seen.week, zone, seen.at)
  end
  local field = seen.open and "confirmation_message" or "confirmation_outside_working_hours_message"
  local text = cfg.settings[field]
  if rule ~= "off" then
    seen.reads = { field = "settings." .. field, text = type(text) == "string" and text or "" }
  end
  return seen
end

return hours
