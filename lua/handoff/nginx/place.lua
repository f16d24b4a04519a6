-- SPDX-License-Identifier: MIT
--- A history inside nginx: what is done to its file (see handoff.history.place, whose contract this keeps) is done by nginx's
-- thread pool, one step after the other, so that no request of the worker waits for a disk.
--
-- The locks of its runs are this state's: they end with it, however that ends. Each step brings a descriptor of the same opening
-- to its thread, which closes it.
local core = require "handoff.core"
local phase = require "handoff.nginx.phase"
local places = require "handoff.history.place"
local pools = require "handoff.nginx.pool"

-- The threads keep their connections, for the next history in that file: what is closed are the locks.
local Place = { free = places.free, close = places.close }
Place.__index = Place

-- What a thread returned, see disk.lua.
local function unpacked(done, first, ...)
  if done then return first, ... end
  return nil, core.error.new(first)
end

-- A step that no thread took leaves its descriptor here.
local function taken(number, ok, ...)
  if ok then return ... end
  if number then core.file.locks(number):close() end
  core.error.again((...))
end

function Place:call(name, ...)
  phase.check "a history"
  local number, why
  if self.locks then
    number, why = self.locks:share()
    if not number then
      return nil, core.error.new { kind = "history", path = self.path .. "-runs",
        message = ("its locks cannot be shared: %s; raise worker_rlimit_nofile in nginx.conf"):format(why) }
    end
  end
  return unpacked(taken(number, pcall(self.pool.run, self.pool, "history", self.site, number, self.own, name, ...)))
end

-- With lua_check_client_abort a request ends when its client goes, wherever it is, and a run with it, whose agents nobody could
-- have until its coroutines are collected. Where there is a handler the request goes on; scripts may have one of their own.
local function outlive_client() pcall(ngx.on_abort, function() end) end

local place = {}

--- Places whose work is done by the thread pool of that name → { open, look }
function place.on(pool)
  local function new(path, timeout)
    local site = { path = path, timeout = timeout }
    return setmetatable({ path = path, own = {}, pool = pools.new(pool, 1), site = site }, Place)
  end

  local ways = {}

  --- As of handoff.history.place. From now on the request comes to its end although its client goes.
  function ways.open(path, timeout)
    outlive_client()
    local self = new(path, timeout)
    local identity, err = self:call "open"
    self.site.identity = identity
    if identity then self.locks, err = places.locks(path) end
    return self.locks and self, err
  end

  function ways.look(path, timeout)
    local self = new(path, timeout)
    local there, err = self:call "look"
    return there and self, err
  end

  return ways
end

return place
