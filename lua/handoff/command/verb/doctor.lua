-- SPDX-License-Identifier: MIT
local convert = require "handoff.command.convert"
local past = require "handoff.command.past"
local status = require "handoff.command.status"

local colours = { error = "red", warning = "yellow" }

--- What a token says is the token's maker's: shown where it can command no terminal.
local function shown(value)
  if not value then return "-" end
  local flaw = require("handoff.inventory.text").flaw(value, 60)
  return flaw and "(a text with " .. flaw .. ")" or value
end

local function life(ctx, row)
  if not row.expires then return "-" end
  return ("expires %s (%s)"):format(os.date("!%Y-%m-%d", row.expires), ctx:plural(row.days_left, "day"))
end

local function answer(row)
  if row.answered == nil then return "not asked" end
  return row.answered and "answered" or "failed"
end

local function write_agents(ctx, report)
  local rows = {}
  for i, row in ipairs(report.agents) do
    rows[i] = { row.agent, row.scenario_id and "scenario " .. shown(row.scenario_id) or "-", shown(row.scope),
      life(ctx, row), not ctx.args.offline and answer(row) or "" }
  end
  for _, line in ipairs(require("handoff.columns").lines(rows)) do ctx:say(line) end
end

-- Names that are said before a message; one more is as short as a count.
local MOST_NAMES = 3

local function named(names)
  local left = #names - MOST_NAMES
  if left <= 1 then return table.concat(names, ", ") end
  return ("%s and %d more"):format(table.concat(names, ", ", 1, MOST_NAMES), left)
end

--- What is the same with several agents, but for how long it took, is said once, where it is first found.
local function folded(findings)
  local groups, by_message = {}, {}
  for _, finding in ipairs(findings) do
    local key = finding.severity .. finding.message:gsub("%d+ ms", "ms")
    local group = by_message[key]
    if not group then
      group = { finding = finding, names = {} }
      by_message[key], groups[#groups + 1] = group, group
    end
    group.names[#group.names + 1] = finding.agent
  end
  return groups
end

local function write_findings(ctx, report)
  for _, group in ipairs(folded(report.findings)) do
    local finding, names = group.finding, group.names
    local where = names[1] and named(names) .. ": " or ""
    if finding.place and not names[2] then where = ("%s: %s"):format(finding.place, where) end
    local mark = ctx.out:paint(colours[finding.severity], finding.severity .. ":")
    ctx:say(("%s %s%s"):format(mark, where, finding.message))
  end
  for _, service in ipairs(report.services) do
    ctx:say(("%s: %d of %s answered"):format(service.url, service.answered, ctx:plural(service.agents, "agent")))
  end
end

--- How many were to be asked and were not, as somebody stopped it.
local function unasked(ctx, report)
  local count = 0
  for _, row in ipairs(report.agents) do
    if row.has_token and row.answered == nil and not ctx.args.offline then count = count + 1 end
  end
  return count
end

local function write(ctx, report)
  write_agents(ctx, report)
  write_findings(ctx, report)
  local counts, left = report.counts, unasked(ctx, report)
  ctx:say(("Doctor: %s, %s, %s%s."):format(ctx:plural(#report.agents, "agent"), ctx:plural(counts.error, "error"),
    ctx:plural(counts.warning, "warning"), left > 0 and (", %d not asked"):format(left) or ""))
end

--- Those of the findings whose `key` is `value`, without what the record says already.
local function of(findings, key, value)
  local list = require("handoff.core").json.array {}
  for _, finding in ipairs(findings) do
    if finding[key] == value then
      list[#list + 1] = { what = finding.what, severity = finding.severity, message = finding.message,
        place = finding.place }
    end
  end
  return list
end

local function record(ctx, report)
  for _, row in ipairs(report.agents) do
    ctx:record {
      agent = row.agent, scenario_id = row.scenario_id, scope = row.scope, days_left = row.days_left,
      expires = past.time(row.expires), answered = row.answered,
      findings = of(report.findings, "agent", row.agent),
    }
  end
  for _, one in ipairs(report.services) do
    ctx:record { service = one.url, agents = one.agents, answered = one.answered, clock = one.clock,
      certificate_expires = past.time(one.certificate_expires),
      findings = of(report.findings, "service", one.url) }
  end
end

return {
  summary = "look at every token, and ask the service for every agent once", group = "start",
  details = [[
Looks at every token first, here: which agent it is for, what it may do, when it expires; whether
two names stand for one agent, or have one token. Then asks the service for every agent once, a
GET that is not tried again unless --retries says so: whether it answers, whether TLS holds and
for how long, and what its clock says. Nothing is written. Exit status: 1 where there is an error;
warnings do not count.]],
  flags = {
    "agents", "requests",
    { name = "offline", switch = true, help = "stay on this machine: send nothing" },
    { name = "days", metavar = "N", convert = convert.whole, help = "warn of tokens that expire in fewer days (30)" },
  },
  examples = {
    { "handoff doctor", "all agents of agents.lua" },
    { "handoff doctor --offline --days 60", "which tokens are to be replaced within two months" },
  },
  run = function(ctx)
    local doctor, failure = require "handoff.doctor", require "handoff.command.failure"
    local fleet, args = ctx:fleet(), ctx.args
    local function examine(opts)
      return doctor.examine(fleet, { offline = args.offline, days = args.days, retries = args.retries,
        on_result = opts.on_result, stop = opts.stop })
    end
    local report = failure.check(args.offline and examine {} or require("handoff.command.progress").during(ctx, fleet,
      "asking", examine))
    if ctx.json then record(ctx, report) else write(ctx, report) end
    if unasked(ctx, report) > 0 then return status.interrupted end
    return report.counts.error > 0 and status.failed or status.done
  end,
}
