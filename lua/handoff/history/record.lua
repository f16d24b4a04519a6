-- SPDX-License-Identifier: MIT
--- What is read of the runs of a history, those that go on and those that have ended. It prints as one line: run 12: update
-- "weekday hours", 2026-01-05 09:00:00 UTC, finished: 180 changed, 32 unchanged
-- @classmod RecordedRun

--- What is recorded of it.
-- @table RecordedRun
-- @tfield integer id its number
-- @tfield "update"|"undo" kind
-- @tfield[opt] integer of the run that it takes back
-- @tfield[opt] string edit what it was called
-- @tfield integer started seconds since 1970
-- @tfield[opt] integer ended seconds since 1970
-- @tfield "running"|"finished"|"stopped"|"interrupted" state
-- @tfield {[string]:integer} counts how many agents, by status

--- Some agents whose edit by a run nobody has taken back.
-- @table RemainingAgents
-- @tfield {[string]:table} agents their entries in the run, by name: `{name, key, status, error, changes, at}`
-- @tfield[opt] integer undo the undo that had them and is not done with them; nil: none had them
local check = require "handoff.history.check"
local statuses = require "handoff.history.status"

local record = {}

--- The agents in the order of the start.
-- @function entries
-- @treturn ?fun():string,table of name and `{name, key, status, error, changes, at}`
-- @treturn ?Error err
function record.entries(history, id)
  check.open("run:entries", history)
  local entries, err = history.place:call("entries", id)
  if not entries then return nil, err end
  local at = 0
  return function()
    at = at + 1
    local entry = entries[at]
    if entry then return entry.name, entry end
  end
end

--- An agent's documents, as texts.
-- @function documents
-- @tparam string name the agent's
-- @treturn ?string before; nil where there are none
-- @treturn string|Error|nil meant; or err
-- @treturn ?string after; nil where it is not known
function record.documents(history, id, name)
  check.open("run:documents", history)
  return history.place:call("documents", id, check.name("run:documents", name))
end

local Known = {}
Known.__index = Known

-- As of a run: before, meant, after as texts; or nil, err.
function Known:documents() return record.documents(self.history, self.run, self.name) end

-- The last entry of each agent that wrote, or may have, by the agent's key; or nil, err.
function record.known(history)
  local known, err = history.place:call "known"
  if not known then return nil, err end
  for _, one in pairs(known) do
    one.history = history
    setmetatable(one, Known)
  end
  return known
end

-- What is told first; then whatever else there is, by name.
local first = { "changed", "unchanged", "failed" }

local function describe_counts(counts)
  local words, names, told = {}, {}, {}
  for _, status in ipairs(first) do
    told[status] = true
    if counts[status] then words[#words + 1] = ("%d %s"):format(counts[status], status) end
  end
  for status in pairs(counts) do
    if not told[status] then names[#names + 1] = status end
  end
  table.sort(names)
  for _, status in ipairs(names) do words[#words + 1] = ("%d %s"):format(counts[status], status) end
  return #words == 0 and "no agents" or table.concat(words, ", ")
end

--- Whether nothing of the run is left that a resume would go on with: it ended, and no agent failed, is in doubt or had no turn.
-- @function complete
-- @treturn boolean
local function is_complete(one)
  if one.state ~= "finished" then return false end
  for status in pairs(one.counts) do
    if not statuses.settled[status] then return false end
  end
  return true
end

-- Takes from `left` the agents that an undo had → those of them that it is not done with; or nil, err.
local function still_open(undo, left)
  local entries, err = undo:entries()
  if not entries then return nil, err end
  local open = {}
  for name, entry in entries do
    if not statuses.settled[entry.status] then open[name] = left[name] end
    left[name] = nil
  end
  return open
end

--- What of the run nobody has taken back, of the agents that it wrote or may have written. Each is in one part: of the last undo
-- that had it, where that was not done with it, for fleet:resume; of the part without an undo, for fleet:undo, where none had it.
-- @function remaining
-- @treturn ?RemainingAgents[] parts none where all is taken back
-- @treturn ?Error err
function record.remaining(history, one)
  local left, parts = {}, {}
  local entries, err = one:entries()
  if not entries then return nil, err end
  for name, entry in entries do
    if statuses.wrote[entry.status] then left[name] = entry end
  end
  local undos, failed = history:runs { of = one.id, limit = 2 ^ 31 }
  if not undos then return nil, failed end
  for _, undo in ipairs(undos) do
    local open, unread = still_open(undo, left)
    if not open then return nil, unread end
    if next(open) then parts[#parts + 1] = { agents = open, undo = undo.id } end
  end
  if next(left) then parts[#parts + 1] = { agents = left } end
  return parts
end

--- One line: run 12: update "weekday hours", 2026-01-05 09:00:00 UTC, finished: 180 changed, 32 unchanged
local function describe(one)
  local what = one.of and ("%s of run %d"):format(one.kind, one.of) or one.kind
  if one.edit then what = ('%s "%s"'):format(what, one.edit) end
  return ("run %d: %s, %s, %s: %s"):format(one.id, what, os.date("!%Y-%m-%d %H:%M:%S UTC", one.started), one.state,
    describe_counts(one.counts))
end

-- The metatable of such records.
function record.class(history)
  return { __tostring = describe, __index = {
    complete = is_complete,
    remaining = function(one) return record.remaining(history, one) end,
    entries = function(one) return record.entries(history, one.id) end,
    documents = function(one, name) return record.documents(history, one.id, name) end,
  } }
end

return record
