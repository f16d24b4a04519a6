-- SPDX-License-Identifier: MIT
--- The statuses of a run's entries, by what they mean to who goes on with the run, or takes it back.
return {
  done = { changed = true, unchanged = true },
  -- Nothing is left to do for the agent; what is skipped is not done, and may stay so.
  settled = { changed = true, unchanged = true, skipped = true },
  -- May have been written, in part at least.
  doubtful = { writing = true, unknown = true, unverified = true },
  -- Was written, or may have been.
  wrote = { changed = true, writing = true, unknown = true, unverified = true },
}
