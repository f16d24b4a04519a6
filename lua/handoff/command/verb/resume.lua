-- SPDX-License-Identifier: MIT
local failure = require "handoff.command.failure"
local past = require "handoff.command.past"
local status = require "handoff.command.status"

-- A script may have called its edit anything.
local function load_own(ctx, run)
  local ok, loaded = pcall(require("handoff.command.edit").load, ctx, run.edit)
  if ok then
    -- A single file was for whoever was selected then: the run knows.
    if not (loaded.folder or loaded.plan) then loaded.agents = nil end
    return loaded
  end
  if not failure.is(loaded) or not loaded.message then error(loaded, 0) end
  failure.raise(loaded.status, ("%s (the edit of run %d; `handoff resume %d EDIT` takes another)"):format(
    loaded.message, run.id, run.id))
end

-- The edit that was given, or the run's own; nil for an undo, which has none.
local function load_edit(ctx, run)
  local words = ctx.args.edit
  if run.kind == "undo" then
    if not words[1] then return nil end
    failure.raise(status.misuse, ("%s: run %d takes run %d back, and needs no edit; leave it out"):format(words[1],
      run.id, run.of))
  end
  if words[1] then return require("handoff.command.edit").load(ctx, words) end
  if run.edit then return load_own(ctx, run) end
  failure.raise(status.misuse, ("run %d: its edit is not known; give it: handoff resume %d EDIT"):format(run.id,
    run.id))
end

-- What an agent was planned to become is written as it was planned, by whatever edit.
local function tell_planned(ctx, run)
  local count = run.counts.planned
  if not count then return end
  ctx:note(("%s planned before, and what that came to is written as it is: `handoff apply` plans anew"):format(
    count == 1 and "1 agent was" or count .. " agents were"))
end

return {
  summary = "go on with a run that was stopped, or try what failed again", group = "runs",
  arguments = {
    past.argument,
    { name = "edit", metavar = "EDIT", args = "*",
      help = "instead of the run's own: a script, desired state, or PATH=VALUE" },
  },
  flags = { "agents", "writing", "requests" },
  details = "Goes on with a run that was stopped, interrupted or killed, or in which agents failed: those "
    .. "that are done stay as they are, those that may have been written are looked at first, so that "
    .. "none is edited twice. The run's own edit is read again, unless another is given. What is left is "
    .. "shown, asked about and written as by `handoff apply`.",
  examples = {
    { "handoff resume 12", "run 12, with its own edit" },
    { "handoff resume 12 mended.lua", "what is left of it, with another script" },
  },
  run = function(ctx)
    local run = past.run(ctx, ctx.args.run)
    if not past.is_open(run) then
      if run.state == "interrupted" then past.conclude(ctx, run.id) end
      return past.nothing(ctx, run, "nothing of it is left to do")
    end
    local loaded = load_edit(ctx, run)
    local fleet = loaded and require("handoff.command.edit").fleet(ctx, loaded) or ctx:fleet()
    ctx:note("going on with " .. past.line(run))
    if ctx.args.edit[1] then
      ctx:note("the edit is now " .. loaded.name)
      tell_planned(ctx, run)
    end
    return past.perform(ctx, fleet, "resume", function(opts)
      return fleet:resume(run.id, loaded and loaded.fn, opts)
    end)
  end,
}
