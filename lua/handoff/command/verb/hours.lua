-- SPDX-License-Identifier: MIT
local file = require("handoff.command.convert").file

-- Seven days as a list of those that are meant, 1 to 7.
local function days_of(text)
  local core = require "handoff.core"
  local ok, week = pcall(core.week.new, text .. " 00:00-24:00")
  local days = {}
  for day = 1, ok and 7 or 0 do
    if week:is_open((day - 1) * 1440) then days[#days + 1] = day end
  end
  if days[1] and not text:find "%d" then return days end
  return nil, "days expected, such as mon, mon-wed or weekend"
end

-- The agents whose configurations could be had.
local function known(list)
  local agents = {}
  for _, one in ipairs(list) do
    if one.value then agents[#agents + 1] = { agent = one.agent, cfg = one.value } end
  end
  return agents
end

-- Refuses what is wrong before anything is read.
local function check(ctx)
  local failure, status = require "handoff.command.failure", require "handoff.command.status"
  local zone, err = require("handoff.time").zone(ctx.args.zone or "UTC")
  if not zone then failure.raise(status.misuse, "--zone: " .. err.message) end
  ctx:time(zone)
end

local function make(ctx, agents)
  local timetable, time = require "handoff.timetable", require "handoff.time"
  local at = ctx:time(time.zone(ctx.args.zone or timetable.shared_zone(agents)))
  return require("handoff.command.failure").check(timetable.new { agents = agents, zone = ctx.args.zone, at = at })
end

local function write_records(ctx, t, list)
  local hours = require "handoff.command.hours"
  for _, row in ipairs(t and t.rows or {}) do ctx:record(hours.row_record(t, row)) end
  for _, one in ipairs(list) do
    if one.error then
      ctx:record { agent = one.agent, error = require("handoff.command.wording").record(one.error) }
    end
  end
  if t then ctx:record(hours.coverage_record(t)) end
end

-- Writes the files that are asked for → whether there are any.
local function save(ctx, t)
  local failure, page, saved = require "handoff.command.failure", require "handoff.page", false
  for _, kind in ipairs { "svg", "html", "ics" } do
    local path = ctx.args[kind]
    if path then
      failure.check(page.save(kind, t, path))
      ctx:note(path .. " is written")
      saved = true
    end
  end
  return saved
end

local function write(ctx, t)
  local hours = require "handoff.command.hours"
  local form = ctx.args.text and hours.sentences or hours.draw
  local lines = form(t, {
    width = ctx.out:width(), days = ctx.args.day or { 1, 2, 3, 4, 5, 6, 7 },
    paint = function(colour, text) return ctx.out:paint(colour, text) end,
  })
  for _, line in ipairs(lines) do ctx:say(line) end
end

return {
  summary = "draw the week: when agents hand over to people", group = "look",
  arguments = {
    { name = "agents", metavar = "AGENT", args = "*", help = "only these; by default all of the inventory" },
  },
  flags = {
    { name = "zone", metavar = "ZONE", help = "draw all in this zone (each agent in its own)" },
    { name = "at", metavar = "TIME", help = "what now is, and so which week (now)" },
    { name = "day", metavar = "DAYS", convert = days_of, help = "only these days: mon, mon-wed, weekend" },
    { name = "text", switch = true, help = "in sentences, for a screen reader or a mail" },
    { name = "svg", metavar = "FILE", convert = file, help = "write the week as a picture, and draw nothing here" },
    { name = "html", metavar = "FILE", convert = file, help = "write it as a page of its own" },
    { name = "ics", metavar = "FILE", convert = file, help = "write the hours as a calendar to subscribe to" },
    "agents", "requests", "from",
  },
  details = "Draws the week of now, an agent a row, two half hours a character; of one agent a day a row. Of more "
    .. "than 24 those that are drawn alike have one row, named after the first. The last row, coverage, counts the "
    .. "agents that are open, of two half hours the fewer. A day has 24 hours of the clock: an hour that the clock "
    .. "skips is closed, one that comes twice is open where it is open either time. TIME is ISO 8601, seconds since "
    .. "1970, or a time of the week such as 'fri 18:30', in ZONE; without --zone in that of the coverage, which is "
    .. "the one that all agents share, or UTC. DAYS are the ones that are drawn or told of; --json and files have "
    .. "the whole week. A calendar has the hours of that week and all after it, each agent's in its own zone, "
    .. "changes of the clock being known for five years. A new file is its owner's alone; one that is there keeps "
    .. "its mode.",
  examples = {
    { "handoff hours", "all agents, and when nobody is there" },
    { "handoff hours shop-uk --text", "one agent, in sentences" },
    { "handoff hours --zone Asia/Tokyo --day mon-tue", "in one's own zone" },
    { "handoff hours --from state --at 2026-12-24", "as files would have it" },
    { "handoff hours --html week.html --ics hours.ics", "a page to look at, and a calendar" },
  },
  run = function(ctx)
    local documents = require "handoff.command.documents"
    check(ctx)
    local list, code = documents.look(ctx, function(cfg) return cfg end)
    local agents = known(list)
    local t = agents[1] and make(ctx, agents)
    local saved = t and save(ctx, t)
    if ctx.json then
      write_records(ctx, t, list)
    else
      if t and (ctx.args.text or not saved) then write(ctx, t) end
      documents.failures(ctx, list)
    end
    return code
  end,
}
