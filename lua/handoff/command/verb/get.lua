-- SPDX-License-Identifier: MIT

-- JSON as cfg:json writes it, two spaces a level, an object's fields in the order of the schema's row.
local function canonical(value, row, indent)
  local core, words, shape = require "handoff.core", require "handoff.words", require "handoff.shape"
  local inner, lines, marks = indent .. "  ", {}, "{}"
  if type(value) ~= "table" or next(value) == nil then return core.json.encode(value) end
  if shape.is_list(value) then
    marks = "[]"
    for i = 1, #value do lines[i] = inner .. canonical(value[i], row and row.item, inner) end
  else
    for i, name in ipairs(words.names_of(value, row)) do
      local below = row and row.known and row.known[name]
      lines[i] = ("%s%s: %s"):format(inner, core.json.encode(name), canonical(value[name], below, inner))
    end
  end
  return ("%s\n%s\n%s%s"):format(marks:sub(1, 1), table.concat(lines, ",\n"), indent, marks:sub(2))
end

-- A value as people and shells want it. Nothing in a text commands a terminal that shows it.
local function shown(ctx, value, row)
  if type(value) ~= "string" then return canonical(value, row, "") end
  if not ctx.out.terminal then return value end
  local plain = require("handoff.words").plain
  return (value:gsub("[^\n\t\32-\126\128-\255]", plain):gsub("\194[\128-\159]", plain))
end

local function write_document(ctx, agent, cfg)
  if not ctx.json then return ctx:say(cfg:json { indent = 2 }) end
  ctx:record { agent = agent, value = cfg:plain() }
end

local function write_values(ctx, agent, p, values)
  for _, one in ipairs(values) do
    if ctx.json then
      ctx:record { agent = agent, path = one.path, value = one.value }
    elseif p.is_many then
      ctx:say(("%s = %s"):format(one.path, require("handoff.core").json.encode(one.value)))
    else
      ctx:say(shown(ctx, one.value, p:row()))
    end
  end
end

return {
  summary = "the configuration of one agent, or one value of it", group = "look",
  arguments = {
    { name = "agent", metavar = "AGENT", help = "its name in the inventory" },
    { name = "path", metavar = "PATH", args = "?", help = "a field, such as settings.timezone" },
  },
  flags = { "agents", "requests" },
  details = "Prints the configuration as canonical JSON; of PATH, a text as it is and anything else as JSON. Of a PATH "
    .. "with [*] in it each value stands on a line, PATH = JSON.",
  examples = {
    { "handoff get shop-uk", "all of it" },
    { "handoff get shop-uk settings.timezone", "Europe/London" },
    { "handoff get shop-uk 'custom_guidelines[*].is_active'", "a line for each guideline" },
  },
  run = function(ctx)
    local failure, status = require "handoff.command.failure", require "handoff.command.status"
    local path, agent = require "handoff.path", ctx.args.agent
    local p = ctx.args.path and path.parse(ctx.args.path)
    local run = failure.check(ctx:agent(agent):get())
    local cfg = failure.check(run.results[1].value, run.results[1].error)
    if not p then return write_document(ctx, agent, cfg) end
    local values = path.values(p, cfg)
    if #values == 0 and not p.is_many then
      failure.raise(status.failed, ("%s: %s has nothing there; `handoff get %s` shows what it has"):format(p.text,
        agent, agent))
    end
    write_values(ctx, agent, p, values)
  end,
}
