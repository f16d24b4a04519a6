-- SPDX-License-Identifier: MIT
return {
  summary = "show what an edit would change, ask, and write it", group = "change",
  arguments = {
    { name = "edit", metavar = "EDIT", args = "+",
      help = "a Lua script, a file or folder of desired state, a saved plan, or PATH=VALUE" },
  },
  flags = { "agents", "writing", "requests" },
  details = "Plans the edit for every agent that is selected, holds the plan against the limits, shows it, "
    .. "asks, and writes it. Each agent is looked at once more before it is written, so that nobody "
    .. "else's edit is lost. All of it is recorded: `handoff undo` takes it back, `handoff resume` goes "
    .. "on with what was left. A file or folder of desired state is for the agents of its names; a "
    .. "single file with --select is for those that are selected. Of a saved plan the agents that "
    .. "somebody changed since are skipped and named, the rest go ahead; it has those alone that would "
    .. "change, so hold a share of all (--max-changes 10%) against it when it is made. With --test nothing is written "
    .. "unless what would be written passes these policies (see `handoff test`).",
  examples = {
    { "handoff apply hours.lua --select region=eu --waves 1,10%,100%", "a script, first on one agent" },
    { "handoff apply agents/", "what the files of the folder say" },
    { "handoff apply hours.lua --test policy/", "only if what is expected of agents still holds" },
    { "handoff apply friday.plan --yes --max-changes 40", "a saved plan, unasked, of no more than 40 agents" },
  },
  run = function(ctx)
    local edit = require "handoff.command.edit"
    local loaded = edit.load(ctx, ctx.args.edit)
    local fleet = edit.fleet(ctx, loaded)
    return require("handoff.command.writing").perform(ctx, fleet, "apply", function(opts)
      opts.edit = loaded.name
      return fleet:update(loaded.fn, opts)
    end)
  end,
}
