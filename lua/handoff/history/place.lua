-- SPDX-License-Identifier: MIT
--- Where a history is: its file, the locks of its runs, and who does what is done there (see steps.lua), here the caller itself.
-- The contract, which handoff.nginx.place keeps too:
--   place.open(path, timeout, sleep), place.look(path, timeout, sleep) → a place, or nil, err
--   place:call(name, ...)   what the step of that name returns; a cancelled task's, too
--   place:free(id)          frees the lock of one of its own runs
--   place:close()           idempotent
--   place.own               by id, the runs whose locks are its own
local core = require "handoff.core"
local database = require "handoff.history.database"
local steps = require "handoff.history.steps"

local failure = core.error.new

local Place = {}
Place.__index = Place

function Place:call(name, ...)
  return steps[name](self, ...)
end

function Place:free(id)
  self.own[id] = nil
  if self.locks then self.locks:free(id) end
end

function Place:close()
  if self.database then self.database:close() end
  if self.locks then self.locks:close() end
  self.locks = nil
end

-- A place whose work others do, which then has no database, has these too.
local place = { free = Place.free, close = Place.close }

-- What SQLite writes, and through a link: in a folder of many users that would be to a file of somebody else's choice.
local beside = { "-wal", "-shm", "-journal" }

--- Makes the file, and its folder, where they are not there → true; or nil, err.
function place.make(path)
  local folder = path:match "^(.+)/[^/]*$" or "/"
  local made, why = core.file.make_folder(folder)
  if not made then
    return nil, failure { kind = "history", path = folder,
      message = ("the folder cannot be made: %s; make it, or name a history in another place"):format(why) }
  end
  local file = path
  made, why = core.file.create_private(file)
  for _, ending in ipairs(beside) do
    if made then
      file = path .. ending
      made, why = core.file.check_own(file)
    end
  end
  if made then return true end
  return nil, failure { kind = "history", path = file,
    message = ("the history cannot be made: %s; name another file"):format(why) }
end

--- → the locks of the runs of the history at that path; or nil, err
function place.locks(path)
  local locks, why = core.file.locks(path .. "-runs")
  if locks then return locks end
  return nil, failure { kind = "history", path = path .. "-runs",
    message = ("the locks of the runs cannot be had: %s; let this user write it, or name another history"):format(why) }
end

--- A place whose database is open.
-- @param locks nil where there are none
function place.new(path, db, locks)
  return setmetatable({ path = path, database = db, locks = locks, own = {} }, Place)
end

-- What is there and cannot be seen is there.
local function is_absent(path) return core.file.identity(path) == false end

local function with_locks(path, db)
  local locks, err = place.locks(path)
  if locks then return place.new(path, db, locks) end
  db:close()
  return nil, err
end

--- Opens the history in that file, which is made where it is not there, with its folder, its owner's alone.
-- @param timeout, sleep as of database.open
function place.open(path, timeout, sleep)
  local done, db, err
  done, err = database.driver()
  if done then done, err = place.make(path) end
  if done then db, err = database.open(path, timeout, sleep) end
  if not db then return nil, err end
  return with_locks(path, db)
end

--- Opens it to look at it; one that is not there is an empty one, and is not made.
function place.look(path, timeout, sleep)
  local made, db, err
  made, err = database.driver()
  if not made then return nil, err end
  if is_absent(path) then
    db, err = database.empty(path, timeout)
    return db and place.new(path, db), err
  end
  made, err = place.make(path)
  if made then db, err = database.look(path, timeout, sleep) end
  if not db then return nil, err end
  if is_absent(path .. "-runs") then return place.new(path, db) end
  return with_locks(path, db)
end

return place
