-- SPDX-License-Identifier: MIT
local failure = require "handoff.command.failure"
local past = require "handoff.command.past"
local status = require "handoff.command.status"
local wording = require "handoff.command.wording"

local function names_with(report, wanted)
  local names = {}
  for _, result in ipairs(report.results) do
    if result.status == wanted then names[#names + 1] = result.agent end
  end
  return names
end

-- Agents that something is said of, named on one line.
local function write_names(ctx, names, what)
  if #names == 0 then return end
  local head = ("%s %s: "):format(ctx:plural(#names, "agent"), what)
  ctx:say(head .. require("handoff.digest").names(names, ctx.out:width() - #head))
end

local function write_report(ctx, report)
  local plan = require "handoff.command.plan"
  plan.changes(ctx, report.results)
  plan.errors(ctx, report.results)
  write_names(ctx, names_with(report, "unknown"), "that no run in the history has written")
  local counts = report.counts
  local line = ("Drift: %s drifted, %d as they were left, %d failed"):format(ctx:plural(counts.drifted or 0, "agent"),
    counts.same or 0, counts.failed or 0)
  if counts.unknown then line = ("%s, %d unknown"):format(line, counts.unknown) end
  if counts.untouched then line = ("%s, %d not looked at"):format(line, counts.untouched) end
  ctx:say(line .. ".")
end

-- A check that had nothing to check against is not to pass for one that found nothing.
local function warn_of_nothing(ctx, report)
  if report.counts.unknown ~= #report.results or #report.results == 0 then return end
  ctx:note "nothing was held against anything: `handoff apply` records what it leaves, --history names where"
end

-- Drift is drift, whatever else could not be looked at.
local function status_of(report)
  local counts = report.counts
  if counts.drifted then return status.drift end
  if counts.untouched then return status.interrupted end
  if not counts.failed then return status.done end
  return counts.failed == #report.results and status.failed or status.partly
end

return {
  summary = "tell what agents have now from what they were left with", group = "look",
  flags = { "agents", "requests", "history" },
  details = "Reads every agent and holds it against the document that the last run left it with, as the "
    .. "history knows it. Nothing is written, so that a token with the scope read_all is enough. What "
    .. "leads from that document to the one that is there now is shown as a plan is; the order of items "
    .. "does not count. Agents that the history does not know are named. Exit status: 3 where an agent "
    .. "has drifted, whatever else; 0 where none has.",
  examples = { { "handoff drift --select region=eu", "who was edited past `handoff` since" } },
  run = function(ctx)
    local drift, fleet = require "handoff.drift", ctx:fleet()
    local report = failure.check(require("handoff.command.progress").during(ctx, fleet, "reading", function(opts)
      return drift.look(fleet, { history = ctx.args.history, on_result = opts.on_result, stop = opts.stop })
    end))
    if not ctx.json then write_report(ctx, report) end
    for _, result in ipairs(ctx.json and report.results or {}) do
      ctx:record {
        agent = result.agent, status = result.status, changes = past.changes(result.changes), run = result.run,
        left = past.time(result.at), doubtful = result.doubtful, error = result.error and wording.record(result.error),
      }
    end
    warn_of_nothing(ctx, report)
    return status_of(report)
  end,
}
