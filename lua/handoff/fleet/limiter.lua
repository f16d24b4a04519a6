-- SPDX-License-Identifier: MIT
--- How many agents may be worked on at once: fewer when the service is short of breath, more again when it has recovered.
-- Additive increase, multiplicative decrease, as TCP does it (RFC 5681): each answer adds 1/limit, so that a round of answers
-- adds one; 429, 503, a timeout, or answers that come much later than they used to, halve it.
local limiter = {}

local Limiter = {}
Limiter.__index = Limiter

-- Answers count as late from twice the usual time on, and this many seconds: a fast service that gets a little slower is none
-- that suffers. One that stays as late with fewer at once is just slow: after a cut, the time that led to it is the usual one.
local LATE_FACTOR, LATE_SECONDS = 2, 0.2
-- How far each answer moves what counts as the recent time. An answer that took very long counts as one that was just late: one
-- that was lost on the way is none of many.
local RECENT = 0.1

--- @param most where it starts, and the most that it comes back to
function limiter.new(most)
  return setmetatable({
    most = most, limit = most,
    answers = 0, deaf_until = 0, -- after a cut, what was under way before it says nothing new
    usual = {}, recent = {}, -- seconds that a request took, by method
  }, Limiter)
end

-- @param late the method whose answers came late; nil: another reason
local function cut(self, late)
  if self.answers < self.deaf_until then return end
  if late then self.usual[late] = self.recent[late] end
  self.deaf_until = self.answers + 2 * self.limit
  self.limit = math.max(1, math.floor(self.limit / 2))
  self.recent = {}
end

local function is_late(self, method, seconds)
  local recent = self.recent[method] or seconds
  recent = recent + RECENT * (math.min(seconds, LATE_FACTOR * recent + LATE_SECONDS) - recent)
  local usual = math.min(self.usual[method] or recent, recent)
  self.recent[method], self.usual[method] = recent, usual
  return recent > LATE_FACTOR * usual and recent > usual + LATE_SECONDS
end

--- Takes notice of the end of a request.
-- @param status of its answer; or nil, and the kind of the error
-- @param seconds that it took
function Limiter:observe(method, status, kind, seconds)
  self.answers = self.answers + 1
  if status == 429 or status == 503 or kind == "timeout" then return cut(self) end
  if not status then return end
  if is_late(self, method, seconds) then return cut(self, method) end
  if self.limit < self.most then self.limit = math.min(self.most, self.limit + 1 / self.limit) end
end

return limiter
