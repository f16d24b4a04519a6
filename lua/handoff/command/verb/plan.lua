-- SPDX-License-Identifier: MIT
return {
  summary = "show what an edit would change; nothing is written", group = "change",
  arguments = {
    { name = "edit", metavar = "EDIT", args = "+",
      help = "a Lua script, a file or folder of desired state, a saved plan, or PATH=VALUE" },
  },
  flags = {
    "agents", "requests", "max-changes", "max-deletions", "allow-duplicates", "test",
    {
      name = "output", short = "o", metavar = "FILE",
      help = "save the plan, for `handoff apply FILE`; its name ends in .plan",
    },
    { name = "detailed-exitcode", switch = true, help = "exit with 2 where changes are pending" },
  },
  details = "Shows what an edit would change, each change once with the agents that it is the same for, the "
    .. "commonest first; then what failed, and what the edit brings that is surely not meant. Only GETs "
    .. "are made. A saved plan holds the documents before and as they are meant, and nothing of a token.",
  examples = {
    { "handoff plan hours.lua --select region=eu", "what a script would do in one region" },
    { "handoff plan agents/ -o friday.plan", "saved, to be looked at and applied later" },
    { "handoff plan agents/ --detailed-exitcode", "for a job: 0 nothing to do, 2 changes pending" },
  },
  run = function(ctx) return require("handoff.command.planning").perform(ctx, ctx.args.edit) end,
}
