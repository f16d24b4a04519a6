-- SPDX-License-Identifier: MIT
return {
  summary = "the JSON Schema of a configuration", group = "files",
  flags = { { name = "desired", switch = true, help = "that of the files that `pull` writes, for editors" } },
  details = "Prints JSON Schema (2020-12) of a whole configuration or, with --desired, of a file of desired state, in "
    .. "which keys may be left out. What it cannot say, such as that a slot ends after it starts, `handoff validate` "
    .. "checks.",
  examples = { { "handoff schema --desired >agents/schema.json", "for an editor that checks as you type" } },
  run = function(ctx)
    local core, json_schema = require "handoff.core", require "handoff.json_schema"
    local schema = ctx.args.desired and json_schema.desired() or json_schema.document()
    if ctx.json then return ctx:record { schema = schema } end
    ctx:say(core.json.encode(schema, { indent = 2 }))
  end,
}
