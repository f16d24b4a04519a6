-- SPDX-License-Identifier: MIT
--- The exit statuses: what a script that calls the command can rely on.
local status = {
  done = 0, -- done, nothing pending
  failed = 1,
  pending = 2, -- changes pending: diff, and plan with --detailed-exitcode
  drift = 3,
  conflict = 4,
  partly = 5, -- some agents are done, some are not
  limit = 6, -- refused by a limit
  misuse = 64, -- what was asked for cannot be: a verb, flag, value, path, agent
  interrupted = 130,
}

local by_kind = { conflict = status.conflict, limit = status.limit, cancelled = status.interrupted }

--- The status of an error of the library's.
function status.of_error(err)
  return type(err) == "table" and by_kind[err.kind] or status.failed
end

-- What another's edit is the reason for.
local is_conflict = { conflict = true, skipped = true }

--- The status of a run over many agents, see handoff.fleet.run.
function status.of_run(run)
  local counts = run.counts
  local good = (counts.changed or 0) + (counts.unchanged or 0) + (counts.done or 0)
  local failed, left = (counts.failed or 0) + (counts.skipped or 0), counts.untouched or 0
  if not run.dry_run then left = left + (counts.planned or 0) end
  -- Nothing is left, and it was stopped: what became of an agent could not be recorded.
  if failed + left == 0 and not run.absent then return run.stopped and status.failed or status.done end
  if good > 0 then return status.partly end
  for _, result in ipairs(run.results) do
    if result.error and not is_conflict[result.error.kind] then return status.failed end
  end
  return failed > 0 and status.conflict or status.failed
end

return status
