-- SPDX-License-Identifier: MIT

local why = {
  off = "no human is offered: handoff is off (settings.is_active)",
  always = "a human is offered: handoff is on, and working hours are off (settings.working_hours_active)",
  open = "a human is offered: it is within working hours",
  closed = "no human is there: it is outside working hours",
}

local function reads(seen)
  if not seen.reads then return "a visitor is not asked, and reads nothing" end
  local place = seen.reads.field
  if seen.reads.text == "" then return ("a visitor who confirms reads nothing: %s is empty"):format(place) end
  local text = require "handoff.plain"(seen.reads.text)
  return ("a visitor who confirms reads: %s (%s)"):format(text, place)
end

local function write(ctx, cfg, seen)
  local time = require "handoff.time"
  local zone = seen.zone and cfg.settings.timezone or "UTC"
  ctx:say(("%s (%s): %s"):format(ctx.out:paint("bold", time.text(seen.at, seen.zone)), zone, why[seen.reason]))
  if seen.next_change then
    ctx:say(("until %s, %s later"):format(time.text(seen.next_change, seen.zone),
      time.duration(seen.next_change - seen.at)))
  else
    ctx:say "at any other time, too"
  end
  if seen.week then ctx:say("hours: " .. tostring(seen.week)) end
  ctx:say(reads(seen))
end

local function write_record(ctx, cfg, seen)
  local time = require "handoff.time"
  ctx:record {
    agent = ctx.args.agent, at = time.iso(seen.at, seen.zone), open = seen.open, reason = seen.reason,
    timezone = seen.zone and cfg.settings.timezone or nil, hours = seen.week and tostring(seen.week),
    next_change = seen.next_change and time.iso(seen.next_change, seen.zone) or nil, reads = seen.reads,
  }
end

return {
  summary = "whether a human is offered at a time, and until when", group = "look",
  arguments = { { name = "agent", metavar = "AGENT", help = "its name in the inventory, or of its file" } },
  flags = {
    { name = "at", metavar = "TIME", help = "the time that is meant (now)" },
    "from", "agents", "requests",
  },
  details = "Says whether a visitor who asks for a human is offered one then, until when that stays so, and what the "
    .. "visitor reads after confirming. TIME is local to the agent's zone: 2026-11-27T18:30, fri 18:30, 18:30 (the "
    .. "next from now on), tomorrow 9am; or exact: 2026-11-27T18:30Z, 2026-11-27T18:30+01:00, seconds since 1970. Of a "
    .. "time that clocks show twice the first is meant, where no date is given the first that is not past.",
  examples = {
    { "handoff when shop-uk", "now" },
    { "handoff when shop-uk --at 'sat 11:00'", "next saturday" },
    { "handoff when shop-uk --at 2026-12-24T18:00 --from state", "by the files in state/; nothing is requested" },
  },
  run = function(ctx)
    local documents, failure = require "handoff.command.documents", require "handoff.command.failure"
    local hours = require "handoff.hours"
    ctx:time()
    local list, status = documents.look(ctx, function(cfg) return cfg end)
    documents.failures(ctx, list)
    local cfg = list[1].value
    if not cfg then return status end
    local seen = failure.check(hours.at(cfg, ctx:time(hours.zone(cfg))))
    for _, one in ipairs(seen.broken or {}) do
      ctx:note(("%s: %s; the slot is left out here"):format(one.path, one.message))
    end
    local show = ctx.json and write_record or write
    show(ctx, cfg, seen)
  end,
}
