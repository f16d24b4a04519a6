-- SPDX-License-Identifier: MIT

-- A text, or JSON, that commands no terminal that shows it. JSON stays what it says.
local function harmless(ctx, text)
  if not ctx.out.terminal then return text end
  local plain = require("handoff.words").plain
  return (text:gsub("[^\n\t\32-\126\128-\255]", plain):gsub("\194[\128-\159]", plain))
end

-- A value as people and shells want it.
local function shown(value, row)
  return type(value) == "string" and value or require("handoff.canonical").json(value, row, "")
end

local function write_document(ctx, agent, cfg)
  if not ctx.json then return ctx:say(harmless(ctx, cfg:json { indent = 2 })) end
  ctx:record { agent = agent, value = cfg:plain() }
end

local function write_values(ctx, agent, p, values)
  for _, one in ipairs(values) do
    if ctx.json then
      ctx:record { agent = agent, path = one.path, value = one.value }
    elseif p.is_many then
      ctx:say(harmless(ctx, ("%s = %s"):format(one.path, require("handoff.core").json.encode(one.value))))
    else
      ctx:say(harmless(ctx, shown(one.value, p:row())))
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
