-- SPDX-License-Identifier: MIT
--- Commits in groups: writers that come within a short delay share one commit, so that a slow disk makes groups larger and
-- does not serialise a fleet. What they write waits in a list, not in an open transaction: others are locked out only
-- while it is really written, and a failure rolls back the whole group and nothing else.
local core = require "handoff.core"

local failure, now = core.error.new, core.http.now

local Group = {}
Group.__index = Group

local MAX_DELAY = 0.05 -- seconds
local POLL = 0.005 -- seconds; only while another writer waits for a locked database

-- Of what is raised, an interrupt among it, the others of the group hear too, or they would wait for ever.
local function raised(value)
  if core.error.is(value) then return value end
  return failure { kind = "history", message = "nothing was written: " .. tostring(value) }
end

-- The next delay is about what this commit took.
local function commit(self, batch)
  local began = now()
  self.batch = nil
  batch.done, batch.err = self.place:call("write", batch.rows)
  batch.settled = true
  self.delay = math.min(now() - began, MAX_DELAY)
end

-- Once the batch is nobody's, it is settled, whatever is raised: no call stands between the two, and its fields are there
-- from the start, since a table asks for memory to have more.
local function commit_for_all(self, batch)
  local called, why = pcall(commit, self, batch)
  if called then return end
  if self.batch ~= batch and not batch.settled then batch.err, batch.settled = why, true end
  core.error.again(why)
end

-- Each writer gets an error of its own, which he may add to.
local function fate(batch)
  if batch.done then return true end
  local own = {}
  for name, value in pairs(raised(batch.err)) do own[name] = value end
  return nil, failure(own)
end

--- Writes a row (see steps.write), in the transaction of its group.
-- @return true when that is on the disk; or nil, err, and then nothing of it is
function Group:write(row)
  local batch, sleep = self.batch, self.sleep
  if not batch then
    batch = { rows = {}, due = now() + self.delay, done = false, err = false, settled = false }
    self.batch = batch
  end
  batch.rows[#batch.rows + 1] = row
  -- A cancelled writer waits no longer, but what it brought is written all the same.
  if sleep then sleep(math.max(batch.due - now(), 0)) end
  if self.batch == batch then commit_for_all(self, batch) end
  while not batch.settled do
    local slept, err = sleep(POLL)
    if self.batch == batch then commit_for_all(self, batch) end -- who was to do it had no memory for that
    if not slept and not batch.settled then return nil, err end
  end
  return fate(batch)
end

--- Writes at once what waits to be written; those who wait for it are told as ever.
function Group:flush()
  if self.batch then commit_for_all(self, self.batch) end
end

local group = {}

--- @param sleep function(seconds), or nil: then every row is committed at once
function group.new(place, sleep)
  return setmetatable({ place = place, sleep = sleep, delay = 0 }, Group)
end

return group
