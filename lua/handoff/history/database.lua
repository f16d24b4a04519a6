-- SPDX-License-Identifier: MIT
--- An SQLite file through LuaDBI. Nothing raises but mistakes: what fails is nil and an error of kind "history", whose
-- `path` is the file and whose `reason` is a word to decide by: "locked", "full", "read_only", …
--
-- What LuaDBI (0.7) leaves to its users, found in its driver: integers come back cut to 32 bits, so that larger ones are
-- read as numbers (`x * 1.0`); texts are cut at a NUL; a statement that failed fails once more before it works again, so
-- it is thrown away; a connection with open statements does not close; commit() gives no reason, a COMMIT that is
-- prepared does; autocommit(true) leaves beginning to us. A statement is always read to its end, because until then its
-- read transaction stays open.
local core = require "handoff.core"
local optional = require "handoff.optional"
local schema = require "handoff.history.schema"

local failure, now = core.error.new, core.http.now

local Database = {}
Database.__index = Database

local PAGE = 16384 -- bytes: a document before and after share one, which takes a fifth less time than SQLite's 4096
local TRY = 20 -- milliseconds that SQLite waits for a locked database, and the program with it, before it is tried again
local POLL = 0.01 -- seconds between two tries

-- ---- errors -------------------------------------------------------------------------------------------------------

-- SQLite's words (sqlite3_errstr; LuaDBI hands on no codes) → reason, what is told.
local reasons = {
  { "database is locked", "locked",
    "another program keeps it locked for longer than %g s; wait until that one is done, or give a longer timeout" },
  { "disk is full", "full", "the disk is full; make room, or name a history in another place" },
  { "disk I/O error", "io", "the disk fails or is full; make room, or name a history in another place" },
  { "readonly database", "read_only",
    "it or its folder cannot be written; let this user write both, or name a history in another place" },
  { "unable to open", "closed_off",
    "it cannot be opened; let this user read and write it and its folder, or name a history in another place" },
  { "not a database", "foreign", "it is no history but some other file; name another file" },
  { "malformed", "damaged", "it is damaged; move it and its -wal away, a new one is made then" },
}

local function fail(self, reason, message)
  return nil, failure { kind = "history", path = self.path, reason = reason, message = message }
end

local function failed(self, text)
  text = tostring(text)
  for _, row in ipairs(reasons) do
    if text:find(row[1], 1, true) then return fail(self, row[2], row[3]:format(self.timeout)) end
  end
  return fail(self, "sql", ("SQLite refused a statement (%s); name a history in another place"):format(
    (text:gsub("^Execute failed ", ""))))
end

-- ---- statements -----------------------------------------------------------------------------------------------------

-- Drops a statement that failed.
local function drop(self, sql, text)
  local statement = self.statements[sql]
  self.statements[sql] = nil
  if statement then statement:close() end
  return failed(self, text)
end

local function prepare(self, sql)
  if not self.connection then return fail(self, "closed", "it was closed meanwhile; open it again") end
  self.statements[sql] = false -- room for it: one that got lost would stay open, and the connection with it, which leaks then
  local statement, text = self.connection:prepare(sql)
  if not statement then return failed(self, text) end
  self.statements[sql] = statement
  return statement
end

--- Runs a statement that gives no rows; `?` in it stand for the values, a nil for NULL → how many rows it changed.
function Database:run(sql, ...)
  local statement, err = self.statements[sql]
  if not statement then
    statement, err = prepare(self, sql)
    if not statement then return nil, err end
  end
  local done, text = statement:execute(...)
  if not done then return drop(self, sql, text) end
  return statement:affected()
end

-- Raises what fetch raises.
local function fetch_all(statement)
  local rows = {}
  for row in statement:rows(false) do rows[#rows + 1] = row end
  return rows
end

--- Runs a statement → its rows, a list of lists by column, a NULL a nil.
function Database:all(sql, ...)
  local done, err = self:run(sql, ...)
  if not done then return nil, err end
  local fetched, rows = pcall(fetch_all, self.statements[sql])
  if not fetched then return drop(self, sql, rows) end
  return rows
end

--- → the first row, or nil where there is none; nil, err
function Database:one(sql, ...)
  local rows, err = self:all(sql, ...)
  return rows and rows[1], err
end

-- ---- transactions ---------------------------------------------------------------------------------------------------

-- Repeats what finds the database locked. SQLite waits a moment each time, then others of this program may go on; where they
-- cannot (no sleep, or a cancelled one, which returns at once) all of the time is waited for in SQLite. It is not left to
-- SQLite alone, which refuses at once, whatever its timeout, while another program makes the file.
local function patiently(self, what, ...)
  local deadline = now() + self.timeout
  while true do
    local done, err = what(self, ...)
    if done or err.reason ~= "locked" or now() >= deadline then return done, err end
    if self.sleep then self.sleep(POLL) end
  end
end

-- Nothing may be left of a transaction that failed; where SQLite has rolled back by itself this does nothing.
local function roll_back(self, err)
  if self.connection then self.connection:rollback() end
  return nil, err
end

--- Calls fn(database, ...) with the right to write, which others wait for, so fn must not; commits when it returns
-- something, and rolls back when it returns nil, err or raises. What was committed is on the disk.
function Database:transaction(fn, ...)
  local begun, err = patiently(self, Database.run, "BEGIN IMMEDIATE")
  if not begun then return nil, err end
  local called, result, second = pcall(fn, self, ...)
  if not called then
    roll_back(self)
    error(result, 0)
  end
  if not result then return roll_back(self, second) end
  local committed
  committed, err = self:run "COMMIT"
  if not committed then return roll_back(self, err) end
  return result, second
end

--- Closes it; idempotent.
function Database:close()
  for _, statement in pairs(self.statements) do
    if statement then statement:close() end
  end
  self.statements = {}
  if self.connection then self.connection:close() end
  self.connection = nil
end

-- ---- opening ------------------------------------------------------------------------------------------------------

local database = {}

--- LuaDBI with its driver, or nil, err.
function database.driver()
  local DBI = optional "DBI"
  if DBI and optional "dbd.sqlite3" then return DBI end
  return nil, failure { kind = "history", reason = "missing",
    message = "the history needs LuaDBI and its driver for SQLite, which this Lua does not find; install them (Debian: "
      .. "lua-dbi-sqlite3; LuaRocks: luadbi-sqlite3), or go without a history: history=false" }
end

-- A file with something in it that is not ours would lose it, one from the future we would misread.
local function check_origin(self)
  local row, err = self:one [[SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)
    FROM pragma_application_id, pragma_user_version]]
  if not row then return nil, err end
  local application, version, tables = row[1], row[2], row[3]
  if application ~= schema.application_id and (application ~= 0 or tables > 0) then
    return fail(self, "foreign", "it is a database of some other program; name another file")
  end
  if version <= #schema.versions then return version end
  return fail(self, "newer", ("a newer version of handoff wrote it (format %d, this one knows %d); install that one, "
    .. "or name another file"):format(version, #schema.versions))
end

local function migrate(self)
  local version, err = check_origin(self)
  if not version or version == #schema.versions then return version, err end
  local steps = { ("PRAGMA application_id = %d"):format(schema.application_id) }
  for next_version = version + 1, #schema.versions do
    for _, sql in ipairs(schema.versions[next_version]) do steps[#steps + 1] = sql end
  end
  steps[#steps + 1] = ("PRAGMA user_version = %d"):format(#schema.versions)
  for _, sql in ipairs(steps) do
    local done
    done, err = self:run(sql)
    if not done then return nil, err end
  end
  return true
end

-- With a write-ahead log writers wait for no reader; with synchronous=FULL a commit is on the disk when it returns.
local function choose_log(self)
  local mode, err = self:one "PRAGMA journal_mode = WAL"
  if not mode then return nil, err end
  if mode[1] == "wal" then return true end
  return fail(self, "place", "its place cannot hold a history (no shared memory there); name one on a local disk")
end

local function configure(self)
  for _, sql in ipairs {
    ("PRAGMA busy_timeout = %d"):format(TRY), ("PRAGMA page_size = %d"):format(PAGE), "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
  } do
    local done, err = patiently(self, Database.all, sql)
    if not done then return nil, err end
  end
  return true
end

local function set_up(self)
  local done, err = configure(self)
  if done then done, err = patiently(self, Database.transaction, migrate) end
  if not done then return nil, err end
  return patiently(self, choose_log)
end

-- For looking: only an old format is written anew. False where nothing was ever written.
local function set_up_for_looking(self)
  local done, version, err
  done, err = configure(self)
  if done then version, err = patiently(self, check_origin) end
  if not version then return nil, err end
  if version == 0 then return false end
  if version < #schema.versions then done, err = patiently(self, Database.transaction, migrate) end
  if not done then return nil, err end
  return self:all "PRAGMA query_only = ON"
end

local function connect(path, file, timeout, sleep)
  local DBI, err = database.driver()
  if not DBI then return nil, err end
  local connection, text = DBI.Connect("SQLite3", file)
  if not connection then return failed({ path = path, timeout = timeout }, text) end
  connection:autocommit(true)
  return setmetatable({
    path = path, connection = connection, statements = {}, timeout = timeout, sleep = sleep,
  }, Database)
end

--- Opens the history in that file, which must be there and may be empty; it is written to, so that one that cannot be is
-- found out here.
-- @param timeout seconds that a locked one is waited for
-- @param sleep function(seconds) that lets others of this program go on meanwhile, or nil
function database.open(path, timeout, sleep)
  local self, err = connect(path, path, timeout, sleep)
  if not self then return nil, err end
  local done
  done, err = set_up(self)
  if done then return self end
  self:close()
  return nil, err
end

--- An empty history in memory, which messages call by that path.
function database.empty(path, timeout)
  local self, err = connect(path, ":memory:", timeout)
  if not self then return nil, err end
  local done
  done, err = self:transaction(migrate)
  if done then return self end
  self:close()
  return nil, err
end

--- Opens the history in that file to look at it: what would write fails, and a file that is empty stays so.
function database.look(path, timeout, sleep)
  local self, err = connect(path, path, timeout, sleep)
  if not self then return nil, err end
  local done
  done, err = set_up_for_looking(self)
  if done then return self end
  self:close()
  if done == false then return database.empty(path, timeout) end
  return nil, err
end

return database
