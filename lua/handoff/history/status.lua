-- SPDX-License-Identifier: MIT
--- The statuses of a run's entries, by what they mean to who goes on with the run, or takes it back.
return {
  done = { changed = true, unchanged = true },
  -- May have been written, in part at least.
  doubtful = { writing = true, unknown = true, unverified = true },
}
