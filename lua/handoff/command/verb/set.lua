-- SPDX-License-Identifier: MIT
return {
  summary = "change values: the quick edit", group = "change",
  arguments = {
    { name = "values", metavar = "PATH=VALUE", args = "+",
      help = "what to change, and into what; `handoff explain` has the paths" },
  },
  flags = { "agents", "writing", "requests" },
  details = "Puts values where the paths lead, on every agent that is selected: shows what that changes, "
    .. "asks, and writes it, as `handoff apply` does. A text is given as it is, hours too, a list or an object "
    .. "as JSON. Values are checked before anything is asked of the service.",
  examples = {
    { "handoff set settings.is_active=true --select region=eu", "handoff on, in one region" },
    { "handoff set 'custom_guidelines[\"Refund over 500\"].is_active=false'", "one guideline off, everywhere" },
    { "handoff set 'availability=mon-fri 09:00-17:30, sat 10:00-14:00'", "the working hours, everywhere" },
    { "handoff set settings.is_active=true 'settings.emails=[\"ops@example.com\"]'", "two values at once" },
  },
  run = function(ctx)
    local loaded = require("handoff.command.edit").assignments(ctx.args.values)
    local fleet = ctx:fleet()
    return require("handoff.command.writing").perform(ctx, fleet, "apply", function(opts)
      opts.edit = loaded.name
      return fleet:update(loaded.fn, opts)
    end)
  end,
}
