-- SPDX-License-Identifier: MIT
local past = require "handoff.command.past"

return {
  summary = "take a run back", group = "runs",
  arguments = { past.argument },
  flags = { "agents", "writing", "requests" },
  details = "Merges the reverse of what a run wrote into what is there now, so that what was edited since "
    .. "stays; an edit of somebody else's to the same place is a conflict, and that agent is left alone. "
    .. "It is shown, asked about and recorded as by `handoff apply`: an undo can be undone. With "
    .. "--select only those agents.",
  examples = {
    { "handoff undo 12", "all that run 12 wrote" },
    { "handoff undo 12 --select name=shop-uk", "what it wrote to one agent" },
  },
  run = function(ctx)
    local run = past.run(ctx, ctx.args.run)
    if not past.has_written(run) then
      return past.nothing(ctx, run, "it wrote nothing that could be taken back")
    end
    local fleet = ctx:fleet()
    ctx:note("taking back " .. past.line(run))
    return past.perform(ctx, fleet, "undo", function(opts)
      return fleet:undo(run.id, opts)
    end)
  end,
}
