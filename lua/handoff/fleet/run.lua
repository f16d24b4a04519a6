-- SPDX-License-Identifier: MIT
--- What became of a run over many agents.
--   id        its number in the history; nil where none was kept
--   results   a list in the fleet's order: { agent= (its name), status=, error=, changes=, warnings=, requests=, … }, those of a
--             run that was gone on with also { earlier= (it was done before), reconciled= (it was found written) }
--   counts    { [status]= how many }
--   stopped   why agents of it were left untouched, one line; nil where none was
--   dry_run   true where nothing was written that would have been
-- It prints as one line: 212 agents: 180 changed, 31 unchanged, 1 failed
local run = {}

local Run = {}
Run.__index = Run

-- The order in which counts are told. "untouched": its turn never came. "planned": planned, and not written.
local statuses = { "changed", "unchanged", "done", "failed", "planned", "untouched" }
-- What is told even where there is none of it.
local always = { changed = true, unchanged = true, failed = true }

--- @param agents the fleet's, in its order
function run.new(agents, dry_run)
  local results = {}
  for i, agent in ipairs(agents) do results[i] = { agent = agent.name, status = "untouched" } end
  return setmetatable({ results = results, counts = {}, dry_run = dry_run or nil }, Run)
end

--- Counts what there is; to be called when all is done.
function run.count(self)
  self.counts = {}
  for _, result in ipairs(self.results) do
    self.counts[result.status] = (self.counts[result.status] or 0) + 1
  end
  return self
end

--- For people: each agent that was changed or failed with its changes, warnings and error, a line each; then the summary.
function Run:text()
  local lines = {}
  for _, result in ipairs(self.results) do
    if result.status ~= "unchanged" and result.status ~= "untouched" then
      lines[#lines + 1] = result.agent .. ": " .. result.status .. (result.earlier and ", earlier" or "")
      for _, one in ipairs(result.changes or {}) do lines[#lines + 1] = "  " .. tostring(one) end
      for _, one in ipairs(result.warnings or {}) do lines[#lines + 1] = "  warning: " .. tostring(one) end
      if result.error then lines[#lines + 1] = "  " .. tostring(result.error) end
    end
  end
  lines[#lines + 1] = tostring(self)
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
  if self.dry_run then line = line .. " (a dry run: nothing was written)" end
  if self.stopped then line = line .. "; " .. self.stopped end
  return line
end

return run
