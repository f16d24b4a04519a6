-- SPDX-License-Identifier: MIT
--- Fetches of documents: whoever wants an agent's gets it from one fetch of all workers. Each is a timer of its own, so that it
-- goes on when the request that began it is gone; so many of them at once, those that somebody waits for first.
local core = require "handoff.core"
local client = require "handoff.client"
local inventory = require "handoff.inventory"

local failure, now = core.error.new, core.http.now

local AT_ONCE, AWAITED = 32, 8 -- fetches in this worker; how many of them are kept for those that somebody waits for
local PAUSE = 0.5 -- seconds, at most, before an agent's is begun again for nobody: another worker may be at it
local UNTIL_NEXT = 60 -- seconds, at most, from a failure to the next try, unless the service asks for more
local LONGEST = 3600 -- seconds that the service may ask to wait: a slip of its clock must not end all refreshes
local FIRST_LOOK, LAST_LOOK = 0.005, 0.1 -- seconds between looks whether another worker has fetched
local SOON = 1 -- seconds after which a timer that has not run will not: nginx drops those beyond lua_max_running_timers

local Flights = {}
Flights.__index = Flights

--- @param given { store=, clients= options of every client, changed here, ttl=, on_fetched= function(record, text, why):
--   called after each document that was fetched and put into the store, `why` is the reason where it did not fit; on_failed=
--   function(record, err): called when one fails that did not before }
local function new(given)
  local clients = given.clients
  -- A failed one is tried again when its time comes; until then what is there is served. A second may go by until its turn.
  clients.retries, clients.deadline = 0, clients.timeout + 1
  return setmetatable({
    store = given.store, ttl = given.ttl, on_fetched = given.on_fetched, on_failed = given.on_failed,
    timeout = clients.timeout, seconds = clients.deadline, -- of one request; of a fetch, waits for its turn among it
    make_client = client.maker(clients), clients = {}, under_way = {}, urgent = {}, idle = {}, running = 0, swept = 0,
  }, Flights)
end

-- ---- one fetch ------------------------------------------------------------------------------------------------------------

-- What is wrong with a token, without the agent's name in front, which the errors of a client do not have either.
local function token_error(record, err)
  local message, named = err.message, record.name .. ": "
  if message:sub(1, #named) == named then message = message:sub(#named + 1) end
  return failure { kind = err.kind, message = message }
end

local function client_of(self, record)
  local kept = self.clients[record.name]
  if kept then return kept end
  local ready, err = inventory.resolve { record.agent }
  if not ready then return nil, token_error(record, err) end
  local own = inventory.options(record.agent)
  if own.retries then own.retries = 0 end
  own.deadline, own.timeout = nil, own.timeout and math.min(own.timeout, self.timeout)
  self.clients[record.name] = self.make_client(own)
  return self.clients[record.name]
end

local function get(self, record)
  local one, err = client_of(self, record)
  if not one then return nil, err end
  return one:get()
end

-- Any number from 0 to 1 that agents and times do not share, so that they spread out.
local function spread(record, number)
  return ngx.crc32_long(("%s %s"):format(record.name, number)) / 2 ^ 32
end

-- Doubles from failure to failure, up to the time between two refreshes: a service that is down is asked no more than one that
-- is up; but where that is long it is not left alone for as long after it is back.
local function note_failure(self, record, err)
  local before = self.store:failure(record)
  local count = before and before.count + 1 or 1
  local most = math.min(2 ^ (count - 1), self.ttl, UNTIL_NEXT)
  local wait = most * (0.5 + 0.5 * spread(record, now()))
  self.store:count "n:failed"
  self.store:fail(record, count, math.max(wait, math.min(err.retry_after or 0, LONGEST)), err)
  return count
end

-- Whether another document is there than when this one was asked for: what has left the dictionary since is no news.
local function is_another(self, record, stamp)
  local there = self.store:stamp(record)
  return there ~= nil and there ~= stamp
end

-- What another worker put there meanwhile is newer than what was asked for before: it stays.
local function fetch(self, record, stamp)
  local ok, cfg, err = pcall(get, self, record)
  if not ok then cfg, err = nil, core.error.is(cfg) and cfg or failure { kind = "invalid", message = tostring(cfg) } end
  if not cfg then
    if note_failure(self, record, err) == 1 then self.on_failed(record, err) end
    return
  end
  self.store:count "n:ok"
  if is_another(self, record, stamp) then return end
  local text = cfg:text()
  local _, why = self.store:put(record, text, cfg, 0, ngx.now())
  self.on_fetched(record, text, why)
end

--- Fetches, unless another worker does: then waits for that one, where somebody waits for this one.
local function fly(self, flight)
  local store, record, pause = self.store, flight.record, FIRST_LOOK
  local ends = now() + self.seconds
  repeat
    if store:lock(record, self.seconds + 1) then
      local failed = store:failure(record)
      local is_news = is_another(self, record, flight.stamp) or failed and failed ~= flight.failure
      return is_news or fetch(self, record, flight.stamp)
    end
    if not flight.is_awaited then return end
    ngx.sleep(pause)
    pause = math.min(pause * 2, LAST_LOOK)
  until now() > ends
end

-- ---- all of them ----------------------------------------------------------------------------------------------------------

local function land(self, flight)
  self.under_way[flight.record.name] = nil
  if flight.waiting > 0 then flight.landed:post(flight.waiting) end
end

-- The next that has not begun: one may stand in both queues.
local function take(queue)
  while queue.first do
    local entry = queue.first
    queue.first = entry.next
    if not queue.first then queue.last = nil end
    if not entry.flight.has_begun then return entry.flight end
  end
end

local function next_of(self)
  return self.running < AT_ONCE and take(self.urgent) or self.running < AT_ONCE - AWAITED and take(self.idle) or nil
end

local run

-- Lets as many go as may.
local function launch(self)
  for flight in next_of, self do
    flight.has_begun = now()
    local ok, why = ngx.timer.at(0, run, self, flight)
    if ok then
      self.running = self.running + 1
    else
      ngx.log(ngx.ERR, "handoff: no timer for a fetch: ", why)
      land(self, flight)
    end
  end
end

-- A worker that ends fetches no more but for those who wait.
function run(is_ending, self, flight)
  if flight.is_dropped then return end
  flight.has_run = true
  if not is_ending or flight.is_awaited then
    local ok, why = pcall(fly, self, flight)
    if not ok then ngx.log(ngx.ERR, "handoff: a fetch broke: ", tostring(why)) end
  end
  self.store:unlock(flight.record)
  self.running = self.running - 1
  land(self, flight)
  launch(self)
end

-- Gives up the flights whose timers nginx has dropped: they would be under way for ever.
local function sweep(self, time)
  if time < self.swept + SOON then return end
  self.swept = time
  for _, flight in pairs(self.under_way) do
    if not flight.has_run and time >= (flight.has_begun or time) + SOON then
      flight.is_dropped = true
      self.running = self.running - 1
      land(self, flight)
    end
  end
end

local function enqueue(queue, flight)
  local entry = { flight = flight }
  if queue.last then queue.last.next = entry else queue.first = entry end
  queue.last = entry
end

--- Begins to fetch an agent's document, or joins the fetch that is under way.
-- @param is_awaited whether somebody will wait for it
-- @return the flight; nil where there is none, as one for nobody ended just now
function Flights:want(record, is_awaited)
  local time = now()
  sweep(self, time)
  local flight = self.under_way[record.name]
  if flight and (flight.is_awaited or not is_awaited) then return flight end
  if not is_awaited then
    if time < (record.pausing or 0) then return end
    record.pausing = time + math.min(PAUSE, self.ttl / 4)
  end
  if not flight then
    flight = { record = record, stamp = self.store:stamp(record), failure = self.store:failure(record), waiting = 0 }
    self.under_way[record.name] = flight
  end
  flight.is_awaited = is_awaited
  flight.landed = flight.landed or is_awaited and require("ngx.semaphore").new() or nil
  enqueue(is_awaited and self.urgent or self.idle, flight)
  launch(self)
  return flight
end

--- Waits until the flight is over → true; or nil where that takes too long.
function Flights:await(flight)
  if self.under_way[flight.record.name] ~= flight then return true end
  flight.waiting = flight.waiting + 1
  local ok = flight.landed:wait(self.seconds + 2)
  if not ok then flight.waiting = flight.waiting - 1 end
  return ok
end

return { new = new, spread = spread }
