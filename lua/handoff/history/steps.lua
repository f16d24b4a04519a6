-- SPDX-License-Identifier: MIT
--- What is done to a history's file, by name: functions(place, ...) of plain data that return plain data, or nil, err. So a place
-- may have them done elsewhere, as inside nginx, where no request may wait for a disk. Of a place (see place.lua) they use
-- path, database, own (by id, the runs that are its own), free, and locks (nil where it is looked at and no run ever locked
-- anything).
local core = require "handoff.core"
local statuses = require "handoff.history.status"

local failure = core.error.new

local steps = {}

-- Whole numbers may come as floats, those beyond 32 bits must (see database.lua).
local function whole(value)
  return value and math.floor(value)
end

-- ---- reading ------------------------------------------------------------------------------------------------------

--- Whether a run whose row says "running" is alive, or nil, err. The lock tells; one's own do not show.
local function is_alive(place, id)
  if place.own[id] then return true end
  if not place.locks then return false end
  local held, why = place.locks:held(id)
  if held ~= nil then return held end
  return nil, failure { kind = "history", path = place.path .. "-runs",
    message = ("its locks cannot be read: %s; name a history on a local disk"):format(why) }
end

--- The error of a run that is not there.
local function missing(place, id)
  local rows, err = place.database:all "SELECT id FROM runs ORDER BY id DESC LIMIT 5"
  if not rows then return err end
  local ids = {}
  for i, row in ipairs(rows) do ids[i] = ("%d"):format(row[1]) end
  return failure { kind = "history", path = place.path, message = ("there is no run %d; %s"):format(id,
    #ids == 0 and "nothing has run yet" or "the last ones are " .. table.concat(ids, ", ")) }
end

local function read_counts(place, records)
  local by_id = {}
  for _, one in ipairs(records) do by_id[one.id] = one.counts end
  local rows, err = place.database:all(
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
local function list(place, rest, ...)
  local rows, err = place.database:all(
    "SELECT id, kind, of, edit, started * 1.0, ended * 1.0, state FROM runs " .. rest, ...)
  if not rows then return nil, err end
  local records = {}
  for i, row in ipairs(rows) do
    local one = {
      id = whole(row[1]), kind = row[2], of = whole(row[3]), edit = row[4], started = whole(row[5]),
      ended = whole(row[6]), state = row[7], counts = {},
    }
    local alive = true
    if one.state == "running" then alive, err = is_alive(place, one.id) end
    if alive == nil then return nil, err end
    if not alive then one.state = "interrupted" end
    records[i] = one
  end
  if #records == 0 then return records end
  return read_counts(place, records)
end

-- `wanted` has limit, and by kind, edit and of what a run must be; what is nil leaves all.
function steps.runs(place, wanted)
  local terms, values = {}, {}
  for _, column in ipairs { "kind", "edit", "of" } do
    if wanted[column] ~= nil then
      terms[#terms + 1], values[#values + 1] = column .. " = ?", wanted[column]
    end
  end
  values[#values + 1] = wanted.limit
  local where = #terms > 0 and "WHERE " .. table.concat(terms, " AND ") .. " " or ""
  return list(place, where .. "ORDER BY id DESC LIMIT ?", (table.unpack or unpack)(values))
end

function steps.run(place, id)
  local records, err = list(place, "WHERE id = ?", id)
  if not records then return nil, err end
  if records[1] then return records[1] end
  return nil, missing(place, id)
end

-- `row` is the other run's id, kind and start.
local function held(row, what, agents)
  local id = math.floor(row[1])
  return failure { kind = "held", run = id, agents = agents,
    message = ("run %d (%s, since %s UTC) %s; wait for its end, or give wait=SECONDS"):format(id, row[2],
      os.date("!%Y-%m-%d %H:%M:%S", row[3]), what) }
end

--- As run, once it has ended; or nil, err, of kind "held" until then.
function steps.ended(place, id)
  local found, err = steps.run(place, id)
  if not found or found.state ~= "running" then return found, err end
  return nil, held({ found.id, found.kind, found.started }, "is under way")
end

--- → a list of { name, key, status, error, changes, at }, in the order of the start
function steps.entries(place, id)
  local rows, err = place.database:all(
    "SELECT name, key, status, error, changes, at * 1.0 FROM entries WHERE run = ? ORDER BY id", id)
  if not rows then return nil, err end
  local entries = {}
  for i, row in ipairs(rows) do
    local changes = row[5]
    entries[i] = {
      name = row[1], key = row[2], status = row[3], error = row[4], at = whole(row[6]),
      changes = type(changes) == "number" and whole(changes) or changes,
    }
  end
  return entries
end

--- → before, meant, after as texts; after is nil where it is not known; nil where there are none
function steps.documents(place, id, name)
  local row, err = place.database:one([[
    SELECT before, meant, CASE WHEN answers.entry IS NOT NULL THEN coalesce(after, meant) END FROM entries
    JOIN documents ON documents.entry = entries.id LEFT JOIN answers ON answers.entry = entries.id
    WHERE run = ? AND name = ?]], id, name)
  if not row then return nil, err end
  return row[1], row[2], row[3]
end

local wrote = {}
for status in pairs(statuses.wrote) do wrote[#wrote + 1] = ("'%s'"):format(status) end
local WROTE = table.concat(wrote, ", ")

--- The last entry of each agent that wrote, or may have → by the agent's key { run, name, status, at, doubtful }
function steps.known(place)
  local rows, err = place.database:all(([[
    SELECT key, run, name, status, at * 1.0 FROM
      (SELECT *, row_number() OVER (PARTITION BY key ORDER BY at DESC, id DESC) AS age FROM entries
        WHERE status IN (%s) AND id IN (SELECT entry FROM documents)) WHERE age = 1]]):format(WROTE))
  if not rows then return nil, err end
  local known = {}
  for _, row in ipairs(rows) do
    known[row[1]] = {
      run = whole(row[2]), name = row[3], status = row[4], at = whole(row[5]), doubtful = row[4] ~= "changed" or nil,
    }
  end
  return known
end

-- ---- claiming agents ------------------------------------------------------------------------------------------------

-- true, or false where somebody else has it; nil, err.
local function take_lock(place, id)
  if place.own[id] then return false end
  local taken, why = place.locks:take(id)
  if taken then place.own[id] = true end
  if taken ~= nil then return taken end
  return nil, failure { kind = "history", path = place.path .. "-runs",
    message = ("a run cannot be locked: %s; name a history on a local disk"):format(why) }
end

-- The next id whose lock is free: that of a run that could not be started is freed a little after it was rolled back.
local function take_next(place, db)
  local row, err = db:one "SELECT coalesce(max(id), 0) FROM runs"
  if not row then return nil, err end
  local id = math.floor(row[1])
  while true do
    local taken
    id = id + 1
    taken, err = take_lock(place, id)
    if taken ~= false then return taken and id, err end
  end
end

-- The names of those of the run's agents that are wanted.
local function common_agents(db, id, names)
  local rows, err = db:all("SELECT key FROM entries WHERE run = ? ORDER BY id", id)
  if not rows then return nil, err end
  local common = {}
  for _, row in ipairs(rows) do common[#common + 1] = names[row[1]] end
  return common
end

-- true where no other living run has one of the agents, whose names by key are wanted.
local function check_free(place, db, own_id, names)
  local rows, err = db:all("SELECT id, kind, started * 1.0 FROM runs WHERE state = 'running' AND id <> ?", own_id)
  if not rows then return nil, err end
  for _, row in ipairs(rows) do
    local alive, agents
    alive, err = is_alive(place, math.floor(row[1]))
    if alive == nil then return nil, err end
    if alive then agents, err = common_agents(db, row[1], names) end
    if err then return nil, err end
    if agents and #agents > 0 then
      local more = #agents > 1 and (" and %d more"):format(#agents - 1) or ""
      return nil, held(row, ("is at work on %s%s"):format(agents[1], more), agents)
    end
  end
  return true
end

-- Calls claim_all(database, place, lock, ...) in a transaction; the lock that it takes, lock.id, is freed where that fails.
local function claim(place, claim_all, ...)
  local lock = {}
  local claimed, err = place.database:transaction(claim_all, place, lock, ...)
  if not claimed and lock.id then place:free(lock.id) end
  return claimed, err
end

-- → the ids of the rows by name.
local function insert_entries(db, id, agents, time)
  local row, err = db:one "SELECT coalesce(max(id), 0) FROM entries"
  if not row then return nil, err end
  local first, entry = math.floor(row[1]), {}
  for i, agent in ipairs(agents) do
    local done
    done, err = db:run("INSERT INTO entries (id, run, name, key, status, at) VALUES (?, ?, ?, ?, 'pending', ?)",
      first + i, id, agent.name, agent.key, time)
    if not done then return nil, err end
    entry[agent.name] = first + i
  end
  return entry
end

-- → true where the run that is undone is there, or none is.
local function check_of(place, db, of)
  if not of then return true end
  local row, err = db:one("SELECT 1 FROM runs WHERE id = ?", of)
  if row then return true end
  return nil, err or missing(place, of)
end

local function start(db, place, lock, given)
  local done, entry, err
  done, err = check_of(place, db, given.of)
  if done then done, err = check_free(place, db, 0, given.names) end
  if done then lock.id, err = take_next(place, db) end
  if not lock.id then return nil, err end
  local time = os.time()
  done, err = db:run("INSERT INTO runs (id, kind, of, edit, state, started) VALUES (?, ?, ?, ?, 'running', ?)",
    lock.id, given.kind, given.of, given.edit, time)
  if done then entry, err = insert_entries(db, lock.id, given.agents, time) end
  return entry and { id = lock.id, entry = entry }, err
end

--- Starts a run.
-- @param given { kind, of, edit, agents = a list of { name, key }, names = of the agents, by key }
-- @return { id, entry = the ids of its agents' rows, by name }, its lock taken; or nil, err
function steps.start(place, given)
  return claim(place, start, given)
end

-- → the ids of the run's rows by name, and names by key.
local function read_entries(db, id)
  local rows, err = db:all("SELECT id, name, key FROM entries WHERE run = ? ORDER BY id", id)
  if not rows then return nil, err end
  local entry, names = {}, {}
  for _, row in ipairs(rows) do
    entry[row[2]], names[row[3]] = row[1], names[row[3]] or row[2]
  end
  return entry, names
end

local function reopen(db, place, lock, id)
  local row, err = db:one("SELECT id, kind, started * 1.0 FROM runs WHERE id = ?", id)
  if not row then return nil, err or missing(place, id) end
  local taken, entry, names, done
  taken, err = take_lock(place, id)
  if taken == false then return nil, held(row, "is under way") end
  if not taken then return nil, err end
  lock.id = math.floor(id)
  entry, names = read_entries(db, id)
  if not entry then return nil, names end
  done, err = check_free(place, db, id, names)
  if done then done, err = db:run("UPDATE runs SET state = 'running', ended = NULL WHERE id = ?", id) end
  return done and { id = lock.id, entry = entry }, err
end

--- Goes on with a run → as start.
function steps.reopen(place, id)
  return claim(place, reopen, id)
end

-- ---- writing --------------------------------------------------------------------------------------------------------

local writers = {}

-- A document that is replaced takes the answer to it along (see schema.lua).
function writers.documents(db, row)
  local done, err = db:run([[UPDATE entries SET status = ?, error = NULL, changes = coalesce(?, changes), at = ?
    WHERE id = ?]], row.status, row.changes, row.at, row.entry)
  if not done then return nil, err end
  return db:run("INSERT OR REPLACE INTO documents (entry, before, meant) VALUES (?, ?, ?)", row.entry, row.before,
    row.meant)
end

function writers.outcome(db, row)
  local done, err = db:run([[UPDATE entries SET status = ?, error = ?, changes = coalesce(?, changes), at = ?
    WHERE id = ?]], row.status, row.error, row.changes, row.at, row.entry)
  if not done or not row.answered then return done, err end
  return db:run("INSERT OR REPLACE INTO answers (entry, after) SELECT entry, ? FROM documents WHERE entry = ?",
    row.after, row.entry)
end

local function write_all(db, rows)
  for _, row in ipairs(rows) do
    local done, err = writers[row.what](db, row)
    if not done then return nil, err end
  end
  return true
end

--- Writes all of the rows or none.
-- @param rows a list of { what = "documents" or "outcome", entry, … }, see run.lua
function steps.write(place, rows)
  return place.database:transaction(write_all, rows)
end

local function write_end(db, id, state)
  return db:run("UPDATE runs SET state = ?, ended = ? WHERE id = ?", state, os.time(), id)
end

function steps.finish(place, id, state)
  return place.database:transaction(write_end, id, state)
end

-- What is kept of its agents goes with it (see schema.lua).
local function delete(db, id) return db:run("DELETE FROM runs WHERE id = ?", id) end

function steps.drop(place, id)
  return place.database:transaction(delete, id)
end

return steps
