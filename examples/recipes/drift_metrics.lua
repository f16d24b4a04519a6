-- SPDX-License-Identifier: MIT
-- Who was edited past `handoff`, as metrics: a file for the textfile collector of Prometheus' node exporter. From cron:
--
--     lua5.4 examples/recipes/drift_metrics.lua agents.lua /var/lib/node_exporter/textfile/handoff.prom
--
-- Only GETs are made, a token that may read (read_all) is enough. Alert on handoff_drift > 0, and on a handoff_drift_checked that
-- is old: where nothing can be looked at the file stays as it was.

local handoff = require "handoff"
local drift = require "handoff.drift"

local path = arg[2]
if not path then
  io.stderr:write "usage: lua5.4 drift_metrics.lua agents.lua FILE.prom\n"
  os.exit(64)
end
local report = assert(drift.look(assert(handoff.fleet(arg[1]))))

local lines = {
  "# HELP handoff_drift Changes that were made to an agent since a run last wrote it.", "# TYPE handoff_drift gauge",
}
for _, result in ipairs(report.results) do
  if result.status == "same" or result.status == "drifted" then
    local name = result.agent:gsub('[\\"]', "\\%0")
    lines[#lines + 1] = ('handoff_drift{agent="%s"} %d'):format(name, #result.changes)
  end
end
lines[#lines + 1] = "# HELP handoff_drift_agents Agents by what was found.\n# TYPE handoff_drift_agents gauge"
for _, status in ipairs { "same", "drifted", "unknown", "failed" } do
  lines[#lines + 1] = ('handoff_drift_agents{status="%s"} %d'):format(status, report.counts[status] or 0)
end
lines[#lines + 1] = "# HELP handoff_drift_checked When it was looked at.\n# TYPE handoff_drift_checked gauge"
lines[#lines + 1] = ("handoff_drift_checked %d"):format(os.time())

-- The collector never sees half a file: it reads names that end in .prom.
local file = assert(io.open(path .. ".part", "w"))
assert(file:write(table.concat(lines, "\n"), "\n"))
assert(file:close())
assert(os.rename(path .. ".part", path))
print(report)
os.exit(not report.counts.failed)
