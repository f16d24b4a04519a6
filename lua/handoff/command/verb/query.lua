-- SPDX-License-Identifier: MIT
local NAMED, FIRST = 8, 5 -- so many agents of a value are all named; of more, the first, or of the commonest none

-- Who has the value, for the end of the line.
local function names(row, is_commonest)
  if row.count > NAMED and is_commonest then return "" end
  local list = {}
  for i = 1, row.count > NAMED and FIRST or row.count do list[i] = row.agents[i] end
  local more = row.count - #list
  return ": " .. table.concat(list, ", ") .. (more > 0 and (" and %d more"):format(more) or "")
end

-- How wide the widest count is, and how many agents the commonest value of each place has.
local function measure(values)
  local widest, most = 0, {}
  for _, row in ipairs(values) do
    widest = math.max(widest, #tostring(row.count))
    most[row.path] = math.max(most[row.path] or 0, row.count)
  end
  return widest, most
end

local function write_values(ctx, p, values)
  local words, last = require "handoff.words", nil
  local widest, most = measure(values)
  local has_places = values[1] and (values[1].path ~= p.text or values[#values].path ~= p.text)
  for _, row in ipairs(values) do
    if has_places and row.path ~= last then ctx:say(ctx.out:paint("bold", row.path)) end
    local count = ("%" .. widest .. "d agent%s"):format(row.count, row.count == 1 and " " or "s")
    local value = row.value == nil and ctx.out:paint("dim", "not there") or words.show(row.value, p:row())
    ctx:say(("%s%s  %s%s"):format(has_places and "  " or "", count, value, names(row, row.count == most[row.path])))
    last = row.path
  end
end

local function write_records(ctx, values, failed)
  local array = require("handoff.core").json.array
  for _, row in ipairs(values) do
    ctx:record {
      path = row.path, value = row.value, absent = row.value == nil or nil, count = row.count,
      agents = array(row.agents),
    }
  end
  for _, result in ipairs(failed) do
    ctx:record { agent = result.agent, error = require("handoff.command.wording").record(result.error) }
  end
end

return {
  summary = "which agents have which value of a field", group = "look",
  arguments = { { name = "path", metavar = "PATH", help = "a field, such as settings.timezone" } },
  flags = { "agents", "requests" },
  details = "Counts the values that the agents have at PATH, the commonest first, and names the agents that differ. "
    .. "With [*] in PATH each item that has a name stands for itself.",
  examples = {
    { "handoff query settings.timezone", "which zones there are, and whose" },
    { "handoff query 'custom_guidelines[*].is_active'", "of each guideline, by name" },
    { "handoff query settings.is_active --select region=eu --json", "a JSON object a value" },
  },
  run = function(ctx)
    local documents, path = require "handoff.command.documents", require "handoff.path"
    local query = require "handoff.query"
    local p, fleet = path.parse(ctx.args.path), ctx:fleet()
    local values, run = require("handoff.command.progress").during(ctx, fleet, "reading", function(opts)
      return query.values(fleet, p, opts)
    end)
    if not values then require("handoff.command.failure").check(nil, run) end
    local failed = {}
    for _, result in ipairs(run.results) do
      if result.status == "failed" then failed[#failed + 1] = result end
    end
    if ctx.json then write_records(ctx, values, failed) else write_values(ctx, p, values) end
    if not ctx.json then documents.failures(ctx, failed) end
    documents.check_whole(ctx, run)
    return require("handoff.command.status").of_run(run)
  end,
}
