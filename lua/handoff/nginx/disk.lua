-- SPDX-License-Identifier: MIT
--- The work on the files of histories, in a thread of nginx's pool. Which Lua state of the pool a step comes to is nginx's
-- choice, so that each has connections of its own, made when they are first needed and kept.
local core = require "handoff.core"
local database = require "handoff.history.database"
local places = require "handoff.history.place"
local worker = require "handoff.nginx.worker"

local disk = {}

local kept = {} -- places by their path, with `identity`, their file's

-- nginx waits for its threads when it stops: who waits for a locked file gives up then.
local function pause()
  if worker.is_stopping() then
    error(core.error.new { kind = "history", reason = "stopping", message = "nginx stops" }, 0)
  end
end

local function connect(site, identity)
  local db, err = database.open(site.path, site.timeout, pause)
  if not db then return nil, err end
  local place = places.new(site.path, db)
  place.identity, kept[site.path] = identity, place
  return place
end

-- The file may have been taken away, or another one put there, since the history opened it, or since it was opened here.
local function place_of(site, identity)
  if core.file.identity(site.path) ~= identity then
    return nil, core.error.new { kind = "history", path = site.path, reason = "gone",
      message = "it was moved, removed or replaced meanwhile; put it back, or begin a run anew" }
  end
  local place = kept[site.path]
  if place and place.identity == identity then return place end
  kept[site.path] = nil
  if place then place:close() end
  return connect(site, identity)
end

-- Opens it → its identity; or nil, err.
local function open(site)
  local done, identity, err
  done, err = database.driver()
  if done then done, err = places.make(site.path) end
  if not done then return nil, err end
  identity, err = core.file.identity(site.path)
  if identity then done, err = place_of(site, identity) end
  return done and identity, err
end

-- Looking keeps nothing open.
local function look(site, name, ...)
  local place, err = places.look(site.path, site.timeout, pause)
  if not place then return nil, err end
  local function close(...)
    place:close()
    return ...
  end
  if name == "look" then return close(true) end
  return close(place:call(name, ...))
end

local function call(site, locks, own, name, ...)
  if name == "open" then return open(site) end
  if not site.identity then return look(site, name, ...) end
  local place, err = place_of(site, site.identity)
  if not place then return nil, err end
  place.locks, place.own, place.database.timeout = locks, own, site.timeout
  return place:call(name, ...)
end

-- What pcall gave, as plain values. Nothing is raised here: the caller would not know whether the locks were taken over.
local function plain(ok, first, second, ...)
  if ok and (first ~= nil or second == nil) then return true, first, second, ... end
  local err, fields = second, {}
  if not ok then err = first end
  if not core.error.is(err) then
    return false, { kind = "history", message = "its work on the disk failed: " .. tostring(err) }
  end
  for field, value in pairs(err) do fields[field] = value end
  return false, fields
end

--- Does one step.
-- @param site { path, timeout, identity = the file's, as "open" returned it; nil where the history is looked at }
-- @param number of the locks, taken over; nil where there are none
-- @param own by id, the runs that are the history's own
-- @param name the step's (see handoff.history.steps), "open" or "look"; the rest are its arguments
-- @return true and what it returned; or false and an error's fields
function disk.work(site, number, own, name, ...)
  local locks = number and core.file.locks(number)
  local function finish(...)
    if locks then locks:close() end
    return plain(...)
  end
  return finish(pcall(call, site, locks, own, name, ...))
end

return disk
