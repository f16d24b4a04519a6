-- SPDX-License-Identifier: MIT
--- What became of a run over many agents. It prints as one line: 212 agents: 180 changed, 31 unchanged, 1 failed
-- @classmod Run

--- What it holds.
-- @table Run
-- @tfield[opt] integer id its number in the history; nil where none was kept
-- @tfield Result[] results in the fleet's order
-- @tfield {[string]:integer} counts how many, by status
-- @tfield[opt] string stopped why agents were left untouched, one line; nil where none was
-- @tfield[opt] string absent which agents of the run that is gone on with or taken back the fleet does not have, one line
-- @tfield[opt] string nothing why it is over no agent at all, where that is not the selection, one line
-- @tfield[opt] integer earlier how many were done before the run was gone on with
-- @tfield[opt] boolean dry_run true where nothing was written that would have been
-- @tfield[opt] boolean declined true where the plan was not confirmed: nothing was written

--- What became of one agent.
-- @table Result
-- @tfield string agent its name
-- @tfield string status `"changed"`, `"unchanged"`, `"done"`, `"failed"`, `"skipped"` (the edit left it out), `"planned"`
--   (and not written), `"untouched"` (its turn never came)
-- @tfield[opt] Error error
-- @tfield[opt] Change[] changes
-- @tfield[opt] Issue[] warnings
-- @tfield[opt] integer requests how many were made
-- @tfield[opt] any value what the function of `fleet:each` returned
-- @tfield[opt] boolean earlier it was done before the run was gone on with
-- @tfield[opt] boolean reconciled it was found written
local run = {}

local Run = {}
Run.__index = Run

-- The order in which counts are told. "skipped": the edit left it out, see fleet:update. "planned": planned, and not written.
-- "untouched": its turn never came.
local statuses = { "changed", "unchanged", "done", "failed", "skipped", "planned", "untouched" }
-- What is told even where there is none of it.
local always = { changed = true, unchanged = true, failed = true }

-- The agents are the fleet's, in its order.
function run.new(agents, dry_run)
  local results = {}
  for i, agent in ipairs(agents) do
    -- As large at once as it becomes.
    results[i] = {
      agent = agent.name, status = "untouched", error = nil, changes = nil, warnings = nil, requests = nil,
    }
  end
  return setmetatable({ results = results, counts = {}, dry_run = dry_run or nil }, Run)
end

-- Counts what there is; to be called when all is done.
function run.count(self)
  self.counts, self.earlier = {}, nil
  for _, result in ipairs(self.results) do
    if result.earlier then self.earlier = (self.earlier or 0) + 1 end
    self.counts[result.status] = (self.counts[result.status] or 0) + 1
  end
  return self
end

local function tell(lines, result)
  lines[#lines + 1] = result.agent .. ": " .. result.status .. (result.earlier and ", earlier" or "")
  for _, one in ipairs(result.changes or {}) do lines[#lines + 1] = "  " .. tostring(one) end
  for _, one in ipairs(result.warnings or {}) do lines[#lines + 1] = "  " .. tostring(one) end
  if result.error then lines[#lines + 1] = "  " .. tostring(result.error) end
end

-- What can be done about what was written and what failed; nil for a run that no history has.
local function next_steps(self)
  local steps = {}
  if not self.id then return nil end
  if self.counts.changed then steps[1] = ("fleet:undo(%d) takes it back"):format(self.id) end
  if self.counts.failed and not self.stopped then
    steps[#steps + 1] = ("fleet:resume(%d, …) tries what failed once more"):format(self.id)
  end
  return steps[1] and ("run %d: %s"):format(self.id, table.concat(steps, "; "))
end

--- For people: each agent that was changed, then each that failed, with its changes, warnings and error, a line each; then the
-- summary, and how to go on.
-- @treturn string
function Run:text()
  local lines, failed = {}, {}
  for _, result in ipairs(self.results) do
    local status = result.status
    if status ~= "unchanged" and status ~= "untouched" then tell(status == "failed" and failed or lines, result) end
  end
  for _, line in ipairs(failed) do lines[#lines + 1] = line end
  lines[#lines + 1] = tostring(self)
  lines[#lines + 1] = next_steps(self)
  return table.concat(lines, "\n")
end

function Run.__tostring(self)
  local words, counts = {}, self.counts
  for _, status in ipairs(statuses) do
    local count = counts[status]
    if count or always[status] and not counts.done then words[#words + 1] = ("%d %s"):format(count or 0, status) end
  end
  local line = ("%d agents: %s"):format(#self.results, table.concat(words, ", "))
  if #self.results == 1 then line = line:gsub("^1 agents", "1 agent") end
  if #self.results == 0 then line = "0 agents: " .. (self.nothing or "the selection fits none") end
  if self.dry_run then line = line .. " (a dry run: nothing was written)" end
  if self.earlier then line = ("%s (%d of them earlier)"):format(line, self.earlier) end
  if self.stopped then line = line .. "; " .. self.stopped end
  if self.absent then line = line .. "; " .. self.absent end
  return line
end

return run
