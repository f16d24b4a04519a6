-- SPDX-License-Identifier: MIT
--- Keeps a token within the limits of the service: whoever wants to send takes a turn first, or is told how long to wait.
-- All clients of a Lua state that have the same token share its turns.
local pace = {}

local max, floor = math.max, math.floor

-- api: Transport, rate limit. Per token and endpoint, in any window; the margin is for what the network holds back.
local limits = { GET = 120, PUT = 60 }
local WINDOW, MARGIN = 60, 1
local SPAN = WINDOW + MARGIN

local FEW = 64 -- as many records are kept without a look at which are still needed

-- What was sent with a token by one method is a record: `count`, and the times of the latest ones, a ring of as many as
-- the limit is, which grows as it is filled; `held`: until when nothing may be sent, or nil. Of one method they are in a
-- book: `records` by token, `count`, and the count at which it is swept.
local Pacer = {}
Pacer.__index = Pacer

local function is_idle(record, size, now)
  local latest = record[(record.count - 1) % size + 1]
  return (not latest or latest + SPAN <= now) and (not record.held or record.held <= now)
end

-- Takes out the records that say nothing any more. There are twice as many before it is done again, so that a token's share
-- of the work is small whatever their number.
local function sweep(book, size, now)
  local left = 0
  for token, record in next, book.records do
    if is_idle(record, size, now) then book.records[token] = nil else left = left + 1 end
  end
  book.count, book.sweep_at = left, max(FEW, 2 * left)
end

local function record_of(book, size, token, now)
  local record = book.records[token]
  if record then return record end
  if book.count >= book.sweep_at then sweep(book, size, now) end
  record = { count = 0 }
  book.records[token], book.count = record, book.count + 1
  return record
end

--- How long until a request may go.
-- @param now the seconds that the pacer's clock says
-- @return seconds, above 0; or nil: now
function Pacer:wait(method, token, now)
  local record = self.books[method].records[token]
  if not record then return nil end
  -- The latest one that must be a window ago when the next is sent.
  local nth = record.count - self.limits[method]
  local wait = nth >= 0 and record[nth % limits[method] + 1] + SPAN - now or 0
  if record.held then wait = max(wait, record.held - now) end
  return wait > 0 and wait or nil
end

--- Takes a turn: the request is sent now.
-- @return nil; or the seconds to wait before asking again, above 0, and no turn is taken
function Pacer:take(method, token, now)
  local wait = self:wait(method, token, now)
  if wait then return wait end
  local size = limits[method]
  local record = record_of(self.books[method], size, token, now)
  record[record.count % size + 1], record.count = now, record.count + 1
end

--- Lets nobody send before that time: the service said so.
function Pacer:hold(method, token, now, seconds)
  local record = record_of(self.books[method], limits[method], token, now)
  record.held = max(record.held or 0, now + seconds)
end

-- The pacers of each clock, by budget. Times of two clocks have nothing to do with one another.
local clocks = setmetatable({}, { __mode = "k" })

local function new_books()
  local books = {}
  for method in pairs(limits) do books[method] = { records = {}, count = 0, sweep_at = FEW } end
  return books
end

local function scaled(percent)
  local all = {}
  for method, limit in pairs(limits) do all[method] = max(1, floor(limit * percent / 100)) end
  return all
end

--- The pacer of a clock that uses so much of the limits.
-- @param clock a transport's `now`, what tells clocks apart; it is not called
-- @param percent 1 to 100
function pace.pacer(clock, percent)
  local of_clock = clocks[clock]
  if not of_clock then
    of_clock = { books = new_books() }
    clocks[clock] = of_clock
  end
  local pacer = of_clock[percent]
  if not pacer then
    pacer = setmetatable({ books = of_clock.books, limits = scaled(percent) }, Pacer)
    of_clock[percent] = pacer
  end
  return pacer
end

return pace
