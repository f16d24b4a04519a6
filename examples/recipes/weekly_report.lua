-- SPDX-License-Identifier: MIT
-- A report of all agents, a row each, for a spreadsheet, a program or a wiki. No agent is written to.
--
--     lua5.4 examples/recipes/weekly_report.lua agents.lua csv >report.csv
--     lua5.4 examples/recipes/weekly_report.lua agents.lua markdown settings.timezone 'routing_profiles[*].name'
--
-- The columns are paths, as `handoff query` takes them; `handoff explain` lists them. Of several values each stands in the cell.

local handoff = require "handoff"
local path = require "handoff.path"

local function csv_cell(text) return text:find '[",\n\r]' and '"' .. text:gsub('"', '""') .. '"' or text end
local function markdown_cell(text) return (text:gsub("|", "\\|"):gsub("%s+", " ")) end

-- A disk that is full must not go unseen.
local function put(line) assert(io.stdout:write(line, "\n")) end

local writers = {
  csv = function(cells)
    for i, cell in ipairs(cells) do cells[i] = csv_cell(cell) end
    put(table.concat(cells, ","))
  end,
  markdown = function(cells, row)
    for i, cell in ipairs(cells) do cells[i] = markdown_cell(cell) end
    put("| " .. table.concat(cells, " | ") .. " |")
    if row == 0 then put("|" .. ("---|"):rep(#cells)) end
  end,
}

local format, columns = arg[2], { (table.unpack or unpack)(arg, 3) }
if format ~= "json" and not writers[format] then
  io.stderr:write "usage: lua5.4 weekly_report.lua agents.lua csv|json|markdown [PATH…]\n"
  os.exit(64)
end
if #columns == 0 then
  columns = { "settings.is_active", "settings.timezone", "settings.working_hours_active", "availability[*].day_span",
    "settings.emails", "routing_profiles[*].name" }
end
local paths = {}
for i, column in ipairs(columns) do paths[i] = path.parse(column) end -- a path that there is not raises

local function cell(one)
  return type(one.value) == "string" and one.value or handoff.json.encode(one.value)
end

local run = assert(handoff.fleet(arg[1])):get()
if format ~= "json" then writers[format]({ "agent", (table.unpack or unpack)(columns) }, 0) end
for number, result in ipairs(run.results) do
  if result.value then
    local cells, object = { result.agent }, { agent = result.agent }
    for i, p in ipairs(paths) do
      local values, texts = path.values(p, result.value), {}
      for n, one in ipairs(values) do values[n], texts[n] = one.value, cell(one) end
      cells[i + 1] = table.concat(texts, "; ")
      object[columns[i]] = p.is_many and handoff.json.array(values) or values[1]
    end
    if format == "json" then put(handoff.json.encode(object)) else writers[format](cells, number) end
  end
end
assert(io.stdout:flush())
-- An agent that could not be read is missing from the report: that must not go unseen.
if run.counts.failed then io.stderr:write(run:text(), "\n") end
os.exit(not run.counts.failed)
