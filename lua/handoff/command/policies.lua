-- SPDX-License-Identifier: MIT
--- Policies on the command line: read, told of, and held against what is about to be written (--test).
local digest = require "handoff.digest"
local failure = require "handoff.command.failure"
local plain = require "handoff.plain"
local policy = require "handoff.policy"
local script = require "handoff.script"
local status = require "handoff.command.status"

local policies = {}

--- The suite of those scripts and folders. What is wrong with them ends the verb.
function policies.load(paths)
  local suite, err = policy.load(paths)
  if suite then return suite end
  failure.raise(status.failed, script.told(err))
end

-- ---- told -------------------------------------------------------------------------------------------------------------------

local signs = {
  passed = { "green", "ok" }, failed = { "red", "failed" }, raised = { "red", "failed" },
  pending = { "yellow", "pending" }, skipped = { "dim", "skipped" },
}

local function write_failures(ctx, row)
  for _, group in ipairs(row.failures) do
    local names = group.agents
    local count = names[2] and ctx:plural(#names, "agent") .. ": " or ""
    if names[1] then ctx:say("  " .. count .. plain(digest.names(names, ctx.out:width() - #count - 2))) end
    ctx:say("    " .. plain((group.place ~= "" and group.place .. ": " or "") .. group.message))
    for _, frame in ipairs(group.frames) do ctx:say("      " .. plain(frame)) end
  end
end

local function write_row(ctx, row)
  local sign = signs[row.status]
  local whom = row.status == "skipped" and ": it is for none of these agents"
    or row.status ~= "pending" and row.file and (" (%s)"):format(ctx:plural(row.agents, "agent")) or ""
  ctx:say(("%s%s %s%s"):format(ctx.out:paint(sign[1], sign[2]), (" "):rep(7 - #sign[2]), plain(row.name), whom))
  write_failures(ctx, row)
end

local function last_line(ctx, counts)
  local line = ("Tests: %d over %s: %d passed, %d failed"):format(counts.tests, ctx:plural(counts.agents, "agent"),
    counts.passed, counts.failed)
  if counts.pending > 0 then line = ("%s, %d pending"):format(line, counts.pending) end
  if counts.skipped > 0 then line = ("%s, %d for none of them"):format(line, counts.skipped) end
  return line .. "."
end

--- What came of tests, for people. @param result see policy/report.lua @param brief only the failures, and the last line
function policies.show(ctx, result, brief)
  if brief and not result.ok then ctx:say "" end
  for _, row in ipairs(result.rows) do
    if not brief or row.failures[1] then write_row(ctx, row) end
  end
  ctx:say(last_line(ctx, result.counts))
end

--- The same for programs: an object a test, and one of counts. A script's texts may be no UTF-8, as JSON is.
function policies.record(ctx, result)
  local array = require("handoff.core").json.array
  for _, row in ipairs(result.rows) do
    local failures = array {}
    for i, group in ipairs(row.failures) do
      local frames = array {}
      for k, frame in ipairs(group.frames) do frames[k] = plain(frame) end
      failures[i] = {
        agents = array(group.agents), message = plain(group.message),
        place = group.place ~= "" and plain(group.place) or nil, frames = frames[1] and frames or nil,
      }
    end
    ctx:record {
      test = plain(row.name), file = row.file and plain(row.file), line = row.line, status = row.status,
      agents = row.agents, failures = failures,
    }
  end
  ctx:record { summary = true, counts = result.counts }
end

-- ---- before something is written --------------------------------------------------------------------------------------------

--- What is to be held against the scripts and folders of --test before it is written, see policy/gate.lua.
-- @param agents the fleet's
function policies.gate(paths, agents) return policies.load(paths):gate(agents) end

--- Ends the verb where a test failed. @param what what became of the rest: "nothing was written"
function policies.refuse(ctx, result, what)
  if result.ok then return end
  ctx.out:flush()
  failure.raise(status.failed, ("--test: %d of %s failed on what would be written; %s; mend the edit or the policy, or "
    .. "leave --test out"):format(result.counts.failed, ctx:plural(result.counts.tests, "test"), what))
end

return policies
