-- SPDX-License-Identifier: MIT
--- A run for people: what would change, or did, grouped; what failed; what is to be looked at. And for programs.
local core = require "handoff.core"
local digest = require "handoff.digest"
local plain = require "handoff.plain"
local plans = require "handoff.plan"
local wording = require "handoff.command.wording"

local plan = {}

local colours = { ["+"] = "green", ["-"] = "red", ["~"] = "yellow" }

-- ---- one group -------------------------------------------------------------------------------------------------------------

-- Who the group is, on one line of the terminal's width.
local function heading(ctx, names, before, after)
  local out = ctx.out
  if #names == 1 then return out:paint("bold", before .. names[1] .. after) end
  local count = before .. ctx:plural(#names, "agent") .. after
  return out:paint("bold", count) .. ": " .. digest.names(names, out:width() - #count - 2)
end

local function write_change(ctx, line)
  local sign = line:sub(1, 1)
  ctx:say("  " .. ctx.out:paint(colours[sign] or "dim", sign) .. line:sub(2))
end

--- What changes, each set of changes once with those that it is the same for, the commonest first. The results are a run's; those
-- that digest.observe saw tell hours in words, too.
function plan.changes(ctx, results)
  for _, group in ipairs(digest.changes(results)) do
    ctx:say(heading(ctx, group.names, "", ""))
    for i, line in ipairs(group.lines) do
      write_change(ctx, line)
      if group.hours and i == group.hours_at then ctx:say("    " .. ctx.out:paint("cyan", group.hours)) end
    end
    ctx:say ""
  end
end

local function write_errors(ctx, groups, word)
  for _, group in ipairs(groups) do
    ctx:say(ctx.out:paint("red", word .. " ") .. heading(ctx, group.names, "", ""))
    ctx:say("  " .. plain(wording.in_flags(group.message))) -- a script's message may hold anything
    for _, line in ipairs(require("handoff.script").frames(group.error)) do ctx:say("    " .. plain(line)) end
    ctx:say ""
  end
end

--- What failed or was skipped, each message once with those it is the same for.
-- @param wanted function(result) → whether it is told
function plan.errors(ctx, results, wanted)
  local function with_status(status)
    return digest.errors(results, function(result)
      return (result.status == "skipped") == (status == "skipped") and (not wanted or wanted(result))
    end)
  end
  write_errors(ctx, with_status "skipped", "skipped")
  write_errors(ctx, with_status "failed", "failed")
end

--- What the edit brought that is legal and surely not meant.
function plan.warnings(ctx, results)
  for _, group in ipairs(digest.warnings(results)) do
    ctx:say(ctx.out:paint("yellow", "warning ") .. heading(ctx, group.names, "", ""))
    ctx:say("  " .. group.message)
    ctx:say ""
  end
end

-- ---- a plan ----------------------------------------------------------------------------------------------------------------

-- A result of a dry run says "changed" for what would be.
local function would_change(run, result)
  return result.status == "planned" or run.dry_run and result.status == "changed"
end

--- How many agents there are of each kind → { change=, unchanged=, failed=, skipped=, untouched= }
function plan.counts(run)
  local counts = { change = 0, unchanged = 0, failed = 0, skipped = 0, untouched = 0 }
  for _, result in ipairs(run.results) do
    local kind = would_change(run, result) and "change" or result.status
    counts[kind] = (counts[kind] or 0) + 1
  end
  return counts
end

local function last_line(ctx, run)
  local counts = plan.counts(run)
  local line = ("Plan: %s to change, %d unchanged, %d failed"):format(ctx:plural(counts.change, "agent"),
    counts.unchanged, counts.failed)
  if counts.skipped > 0 then line = ("%s, %d skipped"):format(line, counts.skipped) end
  if counts.untouched > 0 then line = ("%s, %d not looked at"):format(line, counts.untouched) end
  return line .. "."
end

--- One result as JSON: agent, status, changes, hours, warnings, error.
function plan.record(ctx, run, result)
  local warnings = core.json.array {}
  for i, issue in ipairs(result.new_warnings or {}) do
    warnings[i] = { path = issue.path, rule = issue.rule, message = issue.message }
  end
  ctx:record {
    agent = result.agent, status = would_change(run, result) and "planned" or result.status,
    changes = plans.changes(result.changes), hours = result.hours, warnings = warnings,
    error = result.error and wording.record(result.error),
  }
end

--- A plan: its changes, its failures, its warnings, and a last line that stays the same. With --json a line an agent, and one of
-- counts.
-- @param run of a dry run, or as `confirm` is given it
function plan.show(ctx, run)
  if ctx.json then
    for _, result in ipairs(run.results) do plan.record(ctx, run, result) end
    local counts = plan.counts(run)
    counts.planned, counts.change = counts.change, nil
    return ctx:record { summary = true, counts = counts }
  end
  plan.changes(ctx, run.results)
  plan.errors(ctx, run.results)
  plan.warnings(ctx, run.results)
  ctx:say(last_line(ctx, run))
end

return plan
