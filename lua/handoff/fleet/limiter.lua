-- SPDX-License-Identifier: MIT
--- How many agents may be worked on at once: fewer when the service is short of breath, more again when it has recovered.
-- Additive increase, multiplicative decrease, as TCP does it (RFC 5681): each answer adds 1/limit, so that a round of answers
-- adds one; 429, 503, a timeout, or answers that come much later than they used to, halve it.
local limiter = {}

local Limiter = {}
Limiter.__index = Limiter

-- Answers count as late from twice the usual time on, and this many seconds: a fast service that gets a little slower is none
-- that suffers.
local LATE_FACTOR, LATE_SECONDS = 2, 0.2
-- How far each answer moves what counts as the recent time, and as the usual one where that has become longer.
local RECENT, USUAL = 0.1, 0.001

--- @param most where it starts, and the most that it comes back to
function limiter.new(most)
  return setmetatable({
    most = most, limit = most,
    answers = 0, deaf_until = 0, -- after a cut, what was under way before it says nothing new
    usual = {}, recent = {}, -- seconds that a request took, by method
  }, Limiter)
end

local function cut(self)
  if self.answers < self.deaf_until then return end
  self.deaf_until = self.answers + 2 * self.limit
  self.limit = math.max(1, math.floor(self.limit / 2))
  self.recent = {}
end

local function is_late(self, method, seconds)
  local recent = self.recent[method] or seconds
  recent = recent + RECENT * (seconds - recent)
  local usual = math.min(self.usual[method] or recent, recent)
  self.recent[method], self.usual[method] = recent, usual + USUAL * (recent - usual)
  return recent > LATE_FACTOR * usual and recent > usual + LATE_SECONDS
end

--- Takes notice of the end of a request.
-- @param status of its answer; or nil, and the kind of the error
-- @param seconds that it took
function Limiter:observe(method, status, kind, seconds)
  self.answers = self.answers + 1
  if status == 429 or status == 503 or kind == "timeout" then return cut(self) end
  if not status then return end
  if is_late(self, method, seconds) then return cut(self) end
  if self.limit < self.most then self.limit = math.min(self.most, self.limit + 1 / self.limit) end
end

return limiter
