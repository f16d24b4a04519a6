-- SPDX-License-Identifier: MIT
--- Turns: so many requests are under way in a worker at once, the others wait.
local core = require "handoff.core"
local semaphore = require "ngx.semaphore"

local now = core.http.now

local turns = {}

-- A request that nginx aborts, with the client's own, never gives its turn back: that ends by itself, when the request would.
local Turns = {}
Turns.__index = Turns

local function drop_expired(self)
  local time, first = now(), math.huge
  for turn, expires in pairs(self.taken) do
    if expires <= time then self.taken[turn], self.count = nil, self.count - 1 else first = math.min(first, expires) end
  end
  return first
end

--- @return the turn; nil where there was none until then
function Turns:take(deadline)
  while self.count >= self.limit do
    local first = drop_expired(self)
    if self.count < self.limit then break end
    local left = deadline - now()
    if left <= 0 then return nil end
    self.given:wait(math.max(math.min(left, first - now()), 0.001))
  end
  local turn = {}
  self.taken[turn], self.count = deadline + 1, self.count + 1
  return turn
end

function Turns:give_back(turn)
  if not self.taken[turn] then return end
  self.taken[turn], self.count = nil, self.count - 1
  if self.given:count() < 0 then self.given:post(1) end
end

function turns.new(limit)
  return setmetatable({ limit = limit, count = 0, taken = {}, given = semaphore.new() }, Turns)
end

--- The error of a request that had no turn in so many seconds.
-- @param more what else allows how many there may be, in words; or nil
function turns.missed(seconds, limit, more)
  return core.error.new { kind = "timeout", bytes_sent = 0, bytes_received = 0,
    message = ("it had no turn in %g s and was not sent: as many requests as may be (concurrency = %d%s) were under "
      .. "way in this worker"):format(seconds, limit, more or "") }
end

return turns
