-- SPDX-License-Identifier: MIT
local failure = require "handoff.command.failure"
local status = require "handoff.command.status"

local function types(ctx)
  if ctx.args.desired then
    failure.raise(status.misuse, "--desired: there are no types of desired state; leave it out, or leave --format out")
  end
  local text, err = require("handoff.luals").text()
  if not text then failure.raise(status.failed, err.message) end
  if ctx.json then ctx:record { types = text } else ctx.out:write(text) end
end

return {
  summary = "the JSON Schema of a configuration, or types for editors", group = "files",
  flags = {
    { name = "format", choices = { "json-schema", "luals" }, default = "json-schema", help = "what to print" },
    { name = "desired", switch = true, help = "that of the files that `pull` writes, for editors" },
  },
  details = "Prints JSON Schema (2020-12) of a whole configuration or, with --desired, of a file of desired state, in "
    .. "which keys may be left out. What it cannot say, such as that a slot ends after it starts, `handoff validate` "
    .. "checks. With --format luals it prints types of the whole library for lua-language-server, so that "
    .. "an editor completes `cfg.settings.` and underlines a wrong type.",
  examples = {
    { "handoff schema --desired >agents/schema.json", "for an editor that checks as you type" },
    { "handoff schema --format luals >types/handoff.lua", "for an editor in which you write edits" },
  },
  run = function(ctx)
    if ctx.args.format == "luals" then return types(ctx) end
    local core, json_schema = require "handoff.core", require "handoff.json_schema"
    local schema = ctx.args.desired and json_schema.desired() or json_schema.document()
    if ctx.json then return ctx:record { schema = schema } end
    ctx:say(core.json.encode(schema, { indent = 2 }))
  end,
}
