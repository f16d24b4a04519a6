-- SPDX-License-Identifier: MIT
--- Keeps a token within the limits of the service: whoever wants to send takes a turn first, or is told how long to wait.
-- All clients of a Lua state that have the same token share its turns.
local pace = {}

local mark = require("handoff.core").token.mark

local max, floor = math.max, math.floor

-- api: Transport, rate limit. Per token and endpoint, in any window; the margin is for what the network holds back.
local limits = { GET = 120, PUT = 60 }
local WINDOW, MARGIN = 60, 1
local SPAN = WINDOW + MARGIN

-- Tokens stand here by their marks, as this outlives the clients that have them.
--
-- The book of a method says what was sent in the last span, with all tokens: `times` and `tokens` from `first` to `last`, the
-- oldest first, and `counts` by token. It is flat, as a table for each of ten thousand tokens would be the collector's burden.
-- `held`: until when nothing may be sent with a token; `holds`: how often that was said.
local Pacer = {}
Pacer.__index = Pacer

-- Takes out what is a span ago.
local function expire(book, now)
  local times, tokens, counts, first = book.times, book.tokens, book.counts, book.first
  while first <= book.last and times[first] + SPAN <= now do
    local token = tokens[first]
    local count = counts[token]
    counts[token] = count > 1 and count - 1 or nil
    times[first], tokens[first], first = nil, nil, first + 1
  end
  book.first = first
end

-- When the n-th of those with the token was sent.
local function time_of(book, token, n)
  local at = book.first - 1
  while n > 0 do
    at = at + 1
    if book.tokens[at] == token then n = n - 1 end
  end
  return book.times[at]
end

local function wait_of(self, method, token, now)
  local book, limit, wait = self.books[method], self.limits[method], 0
  expire(book, now)
  local count, held = book.counts[token] or 0, book.held[token]
  if count >= limit then wait = time_of(book, token, count - limit + 1) + SPAN - now end
  if held then wait = max(wait, held - now) end
  return wait > 0 and wait or nil
end

--- How long until a request may go.
-- @param now the seconds that the pacer's clock says
-- @return seconds, above 0; or nil: now
function Pacer:wait(method, token, now) return wait_of(self, method, mark(token), now) end

--- How long until so many more requests may have gone, if each goes as soon as it may: no sooner can they be done.
-- @return seconds, 0 where all may go now
function Pacer:span(method, token, count, now)
  local book, limit = self.books[method], self.limits[method]
  token = mark(token)
  expire(book, now)
  local used, held = book.counts[token] or 0, book.held[token]
  local last = used + count
  local windows = max(0, floor((last - 1) / limit))
  local nth = last - windows * limit -- the one that has to be a span ago, for each of the windows
  local first = windows > 0 and nth <= used and time_of(book, token, nth) or now
  return max(first + windows * SPAN - now, held and held - now or 0, 0)
end

--- Takes a turn: the request is sent now.
-- @return nil; or the seconds to wait before asking again, above 0, and no turn is taken
function Pacer:take(method, token, now)
  token = mark(token)
  local wait = wait_of(self, method, token, now)
  if wait then return wait end
  local book = self.books[method]
  local last = book.last + 1
  book.times[last], book.tokens[last], book.last = now, token, last
  book.counts[token] = (book.counts[token] or 0) + 1
end

--- Lets nobody send before that time: the service said so.
function Pacer:hold(method, token, now, seconds)
  local book = self.books[method]
  local held = book.held
  book.holds = book.holds + 1
  for other, time in next, book.holds % 64 == 0 and held or {} do
    if time <= now then held[other] = nil end
  end
  token = mark(token)
  held[token] = max(held[token] or 0, now + seconds)
end

-- What is kept of each clock: books by method, and pacers by budget. Times of two clocks have nothing to do with one another.
local clocks = setmetatable({}, { __mode = "k" })

local function new_books()
  local books = {}
  for method in pairs(limits) do
    books[method] = { times = {}, tokens = {}, first = 1, last = 0, counts = {}, held = {}, holds = 0 }
  end
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
  local kept = clocks[clock]
  if not kept then
    kept = { books = new_books(), pacers = {} }
    clocks[clock] = kept
  end
  local pacer = kept.pacers[percent]
  if not pacer then
    pacer = setmetatable({ books = kept.books, limits = scaled(percent) }, Pacer)
    kept.pacers[percent] = pacer
  end
  return pacer
end

return pace
