-- SPDX-License-Identifier: MIT
return {
  summary = "hold files of desired state against what is live", group = "files",
  arguments = {
    { name = "dir", metavar = "DIR", args = "?", help = "a folder of desired state, or one file (agents)" },
  },
  flags = { "agents", "requests", "allow-duplicates" },
  details = "Shows what `handoff apply DIR` would change. Only GETs are made. Exit status 0 where the files "
    .. "and what is live are the same, 2 where they are not. Agents that have no file are named on "
    .. "standard error.",
  examples = {
    { "handoff diff", "the files in agents/ against what is live" },
    { "handoff diff agents/shop-uk.lua", "one agent's" },
  },
  run = function(ctx)
    local dir = ctx.args.dir or "agents"
    local kind, why = require("handoff.core").file.kind(dir)
    if not kind then
      local failure, status = require "handoff.command.failure", require "handoff.command.status"
      local name = require("handoff.command.edit").name_of { dir }
      failure.raise(status.failed, ("%s: cannot be read: %s; `handoff pull %s` writes a folder"):format(
        dir, why, name))
    end
    ctx.args.detailed_exitcode = true
    return require("handoff.command.planning").perform(ctx, { dir })
  end,
}
