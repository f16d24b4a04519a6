-- SPDX-License-Identifier: MIT
--- Reading the runs of a history, those that go on and those that have ended.
local core = require "handoff.core"
local check = require "handoff.history.check"
local statuses = require "handoff.history.status"

local failure = core.error.new

local record = {}

-- Whole numbers may come as floats, those beyond 32 bits must (see database.lua).
local function whole(value)
  return value and math.floor(value)
end

--- Whether a run whose row says "running" is alive, or nil, err. The lock tells; one's own do not show.
function record.is_alive(history, id)
  if history.own[id] then return true end
  if not history.locks then return false end -- a history that is looked at, and no run ever locked anything
  local held, why = history.locks:held(id)
  if held ~= nil then return held end
  return nil, failure { kind = "history", path = history.path .. "-runs",
    message = ("its locks cannot be read: %s; name a history on a local disk"):format(why) }
end

--- The error of a run that is not there.
function record.missing(history, id)
  local rows, err = history.database:all "SELECT id FROM runs ORDER BY id DESC LIMIT 5"
  if not rows then return err end
  local ids = {}
  for i, row in ipairs(rows) do ids[i] = ("%d"):format(row[1]) end
  return failure { kind = "history", path = history.path, message = ("there is no run %d; %s"):format(id,
    #ids == 0 and "nothing has run yet" or "the last ones are " .. table.concat(ids, ", ")) }
end

local function read_counts(history, records)
  local by_id = {}
  for _, one in ipairs(records) do by_id[one.id] = one.counts end
  local rows, err = history.database:all(
    "SELECT run, status, count(*) FROM entries WHERE run BETWEEN ? AND ? GROUP BY run, status",
    records[#records].id, records[1].id)
  if not rows then return nil, err end
  for _, row in ipairs(rows) do
    local counts = by_id[row[1]]
    if counts then counts[row[2]] = whole(row[3]) end
  end
  return records
end

--- The runs that the rest of the statement selects, newest first.
function record.list(history, rest, ...)
  local rows, err = history.database:all(
    "SELECT id, kind, of, edit, started * 1.0, ended * 1.0, state FROM runs " .. rest, ...)
  if not rows then return nil, err end
  local records = {}
  for i, row in ipairs(rows) do
    local one = {
      id = whole(row[1]), kind = row[2], of = whole(row[3]), edit = row[4], started = whole(row[5]),
      ended = whole(row[6]), state = row[7], counts = {},
    }
    local alive = true
    if one.state == "running" then alive, err = record.is_alive(history, one.id) end
    if alive == nil then return nil, err end
    if not alive then one.state = "interrupted" end
    records[i] = setmetatable(one, history.record)
  end
  if #records == 0 then return records end
  return read_counts(history, records)
end

--- The agents in the order of the start: an iterator of name, { name, key, status, error, changes, at }; or nil, err.
function record.entries(history, id)
  check.open("run:entries", history)
  local rows, err = history.database:all(
    "SELECT name, key, status, error, changes, at * 1.0 FROM entries WHERE run = ? ORDER BY id", id)
  if not rows then return nil, err end
  local at = 0
  return function()
    at = at + 1
    local row = rows[at]
    if not row then return nil end
    local changes = row[5]
    return row[1], {
      name = row[1], key = row[2], status = row[3], error = row[4], at = whole(row[6]),
      changes = type(changes) == "number" and whole(changes) or changes,
    }
  end
end

--- An agent's documents → before, meant, after as texts; after is nil where it is not known. nil where there are none; nil, err.
function record.documents(history, id, name)
  check.open("run:documents", history)
  local row, err = history.database:one([[
    SELECT before, meant, CASE WHEN answers.entry IS NOT NULL THEN coalesce(after, meant) END FROM entries
    JOIN documents ON documents.entry = entries.id LEFT JOIN answers ON answers.entry = entries.id
    WHERE run = ? AND name = ?]], id, check.name("run:documents", name))
  if not row then return nil, err end
  return row[1], row[2], row[3]
end

-- Statuses of entries: the agent was written; it may have been, in part at least.
local wrote = { "'changed'" }
for status in pairs(statuses.doubtful) do wrote[#wrote + 1] = ("'%s'"):format(status) end
local WROTE = table.concat(wrote, ", ")

local Known = {}
Known.__index = Known

--- As of a run: before, meant, after as texts; or nil, err.
function Known:documents() return record.documents(self.history, self.run, self.name) end

--- The last entry of each agent that wrote, or may have, by the agent's key; or nil, err.
function record.known(history)
  local rows, err = history.database:all(([[
    SELECT key, run, name, status, at * 1.0 FROM
      (SELECT *, row_number() OVER (PARTITION BY key ORDER BY at DESC, id DESC) AS age FROM entries
        WHERE status IN (%s) AND id IN (SELECT entry FROM documents)) WHERE age = 1]]):format(WROTE))
  if not rows then return nil, err end
  local known = {}
  for _, row in ipairs(rows) do
    known[row[1]] = setmetatable({
      history = history, run = whole(row[2]), name = row[3], status = row[4], at = whole(row[5]),
      doubtful = row[4] ~= "changed" or nil,
    }, Known)
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

--- One line: run 12: update "weekday hours", 2026-01-05 09:00:00 UTC, finished: 180 changed, 32 unchanged
local function describe(one)
  local what = one.of and ("%s of run %d"):format(one.kind, one.of) or one.kind
  if one.edit then what = ('%s "%s"'):format(what, one.edit) end
  return ("run %d: %s, %s, %s: %s"):format(one.id, what, os.date("!%Y-%m-%d %H:%M:%S UTC", one.started), one.state,
    describe_counts(one.counts))
end

--- The metatable of such records.
function record.class(history)
  return { __tostring = describe, __index = {
    entries = function(one) return record.entries(history, one.id) end,
    documents = function(one, name) return record.documents(history, one.id, name) end,
  } }
end

return record
