-- SPDX-License-Identifier: MIT
--- A run that goes on. Its agents are its own until `finish`; what a function has kept is on the disk when it returns true.
-- @classmod RunningRun

--- What it holds.
-- @table RunningRun
-- @tfield integer id its number
local core = require "handoff.core"
local check = require "handoff.history.check"
local options = require "handoff.options"
local record = require "handoff.history.record"

local refuse = core.error.raise

local Run = {}
Run.__index = Run

local function entry_of(self, what, name)
  if self.over then
    refuse { path = what, rule = "ended", message = ("run %d has ended; history:reopen(%d) goes on with it"):format(
      self.id, self.id) }
  end
  check.open(what, self.history)
  local entry = self.entry[name]
  if entry then return entry end
  refuse { path = what, rule = "unknown", message = ("run %d has no agent %q"):format(self.id, tostring(name)) }
end

local function keep_documents(self, what, status, name, before, meant, changes)
  local entry = entry_of(self, what, name)
  return self.history.group:write {
    what = "documents", entry = entry, status = status, at = os.time(),
    changes = check.changes(what .. ": changes", changes),
    before = check.text(what .. ": before", before), meant = check.text(what .. ": meant", meant),
  }
end

--- Keeps what would be written: status "planned".
-- @tparam string name the agent's
-- @tparam string before what is there
-- @tparam string meant what would be written
-- @tparam[opt] integer|string changes how many, or in words
-- @treturn ?boolean true
-- @treturn ?Error err
function Run:plan(name, before, meant, changes)
  return keep_documents(self, "run:plan", "planned", name, before, meant, changes)
end

--- Keeps what is there and what will be: status "writing". When it has returned true the PUT may leave.
-- @tparam string name the agent's
-- @tparam string before what is there
-- @tparam string meant what will be written
-- @treturn ?boolean true
-- @treturn ?Error err
function Run:writing(name, before, meant)
  self.is_new = nil
  local done, err = keep_documents(self, "run:writing", "writing", name, before, meant)
  if done then self.meant[name] = meant end -- until `done`, which keeps an answer that is the same as a mark only
  return done, err
end

local done_rows = { after = { "string" }, error = { "string table" }, changes = { "number string" } }

--- Keeps how it ended.
-- @tparam string name the agent's
-- @tparam string status a word: "changed", "unchanged", "failed", …
-- @tparam[opt] table opts
-- @tparam[opt] string opts.after the document as the service has it now
-- @tparam[opt] Error|string opts.error
-- @tparam[opt] integer|string opts.changes as for plan
-- @treturn ?boolean true
-- @treturn ?Error err
function Run:done(name, status, opts)
  local entry = entry_of(self, "run:done", name)
  local o = options.read(opts, done_rows, "run:done")
  local after = o.after and check.text("run:done: after", o.after)
  local row = {
    what = "outcome", entry = entry, status = check.name("run:done: status", status), at = os.time(),
    error = o.error and tostring(o.error), changes = check.changes("run:done: changes", o.changes),
    answered = after ~= nil, after = after ~= self.meant[name] and after or nil,
  }
  self.meant[name] = nil
  return self.history.group:write(row)
end

--- As of a recorded run.
-- @treturn fun():string,table
-- @treturn ?Error err
function Run:entries() return record.entries(self.history, self.id) end
--- As of a recorded run.
-- @tparam string name the agent's
-- @treturn ?string before
-- @treturn string|Error meant; or err
-- @treturn ?string after
function Run:documents(name) return record.documents(self.history, self.id, name) end

-- Ends it with a last step. A writer may still wait to be told.
local function conclude(self, what, step, ...)
  local history = self.history
  if self.over then return true end
  check.open(what, history)
  self.over = true
  history.group:flush()
  local done, err = history.place:call(step, self.id, ...)
  self.entry, self.meant = {}, {}
  history:free(self.id)
  return done and true, err
end

--- Ends it: others may have its agents. Once more does nothing.
-- @tparam "finished"|"stopped" state
-- @treturn ?boolean true
-- @treturn ?Error err: it shows as interrupted then
function Run:finish(state)
  check.choice("run:finish", state, { "finished", "stopped" })
  return conclude(self, "run:finish", "finish", state)
end

--- Ends a run that was declined once its plans were seen: nothing of it stays where it is new and no PUT was recorded in it,
-- its number included; any other one ends as stopped.
-- @treturn ?boolean true
-- @treturn ?Error err
function Run:drop()
  if not self.is_new then return self:finish "stopped" end
  return conclude(self, "run:drop", "drop")
end

local run = {}

-- The entry has the ids of its agents' rows, by name; is_new is true until a PUT is recorded in it.
function run.new(history, id, entry, is_new)
  return setmetatable({ history = history, id = id, entry = entry, meant = {}, is_new = is_new }, Run)
end

return run
