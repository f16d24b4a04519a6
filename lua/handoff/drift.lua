-- SPDX-License-Identifier: MIT
--- What agents have now, held against what the history knows that they were left with. Nothing is written: each agent is sent one
-- GET, and a token that may only read is enough.
-- @module handoff.drift

--- What agents have now, see `look`. It prints as one line.
-- @table Report
-- @tfield DriftResult[] results in the fleet's order
-- @tfield {[string]:integer} counts by status
-- @tfield[opt] string stopped why agents were left untouched, one line

--- What became of one agent.
-- @table DriftResult
-- @tfield string agent its name
-- @tfield "same"|"drifted"|"unknown"|"failed"|"untouched" status unknown: the history has no document that it was left with;
--   untouched: stopped before its turn
-- @tfield[opt] Change[] changes what leads from the document that it was left with to the one that it has; the order of
--   items does not count
-- @tfield[opt] integer run by which run it was left with that
-- @tfield[opt] integer at when, seconds since 1970
-- @tfield[opt] boolean doubtful true where nobody knows whether that run wrote it: then the nearer of the documents before and
--   after counts
-- @tfield[opt] Error error
local core = require "handoff.core"
local change = require "handoff.change"
local history = require "handoff.history"
local options = require "handoff.options"

local json, refuse = core.json, core.error.raise

local drift = {}

local Report = {}
Report.__index = Report

-- ---- one agent ----------------------------------------------------------------------------------------------------------

-- The order of items is the service's own affair.
local function differences(left, now)
  if left == now then return {} end
  local changes = {}
  for _, one in ipairs(change.diff(json.decode(left), json.decode(now))) do
    if one.kind ~= "moved" then changes[#changes + 1] = one end
  end
  return changes
end

-- Where nobody knows whether the last write was done, the nearer of the two documents counts.
local function compare(known, now)
  local before, meant, after = known:documents()
  if not before then return nil, meant end
  local changes = differences(after or meant, now)
  if not known.doubtful or #changes == 0 then return changes end
  local others = differences(before, now)
  return #others < #changes and others or changes
end

local function look(client, known)
  if not known then return {} end
  local cfg, err = client:get()
  local changes
  if cfg then changes, err = compare(known, cfg:text()) end
  return changes and { changes = changes }, err
end

-- ---- the report -----------------------------------------------------------------------------------------------------------

-- What fleet:each found of an agent, as the report has it.
local function judge(result, known)
  local changes = result.value and result.value.changes
  local one = { agent = result.agent, status = result.status, error = result.error, changes = changes }
  if result.status == "done" then
    one.status = not changes and "unknown" or #changes > 0 and "drifted" or "same"
  end
  if known then one.run, one.at, one.doubtful = known.run, known.at, known.doubtful end
  return one
end

local function report_of(run, keys, known)
  local report = setmetatable({ results = {}, counts = {}, stopped = run.stopped }, Report)
  for i, result in ipairs(run.results) do
    local one = judge(result, known[keys[result.agent]])
    report.results[i], report.counts[one.status] = one, (report.counts[one.status] or 0) + 1
  end
  return report
end

-- What is told only where there is some of it.
local others = { { "unknown", "unknown to the history" }, { "failed", "failed" }, { "untouched", "not looked at" } }

-- 25 agents: 3 drifted, 20 as they were left, 2 unknown to the history
function Report:__tostring()
  local count, counts = #self.results, self.counts
  local words = { ("%d drifted"):format(counts.drifted or 0), ("%d as they were left"):format(counts.same or 0) }
  for _, row in ipairs(others) do
    if counts[row[1]] then words[#words + 1] = ("%d %s"):format(counts[row[1]], row[2]) end
  end
  return ("%d agent%s: %s"):format(count, count == 1 and "" or "s", table.concat(words, ", "))
end

-- ---- the look -------------------------------------------------------------------------------------------------------------

local look_rows = {
  history = { "string" }, concurrency = { "number" }, on_result = { "function" }, stop = { "function" },
}

local function look_at_all(fleet, from, o)
  local identities, err = fleet:identities()
  local known, run
  if identities then known, err = from:known() end
  if not known then return nil, err end
  local keys = {}
  for _, one in ipairs(identities) do keys[one.name] = one.key end
  run, err = fleet:each(function(client, agent) return look(client, known[keys[agent.name]]) end, {
    concurrency = o.concurrency, on_result = o.on_result, stop = o.stop,
  })
  return run and report_of(run, keys, known), err
end

--- Looks at every agent of a fleet.
-- @tparam Fleet fleet
-- @tparam[opt] table opts
-- @tparam[opt] string opts.history a file; by default the fleet's, or the user's own
-- @tparam[opt] integer opts.concurrency as of `fleet:each`
-- @tparam[opt] function opts.on_result as of `fleet:each`
-- @tparam[opt] function opts.stop as of `fleet:each`
-- @treturn ?Report nil where the history cannot be read or a token is missing
-- @treturn ?Error err
function drift.look(fleet, opts)
  local o = options.read(opts, look_rows, "drift.look")
  local path = o.history
  if path == nil then path = fleet.options.history end
  if path == false then
    refuse { path = "drift.look", rule = "history", message = "it needs a history; name one: history=FILE" }
  end
  local from, err = history.look(type(path) == "string" and path or nil)
  if not from then return nil, err end
  local called, report, failed = pcall(look_at_all, fleet, from, o)
  from:close()
  if not called then core.error.again(report) end
  return report, failed
end

return drift
