-- SPDX-License-Identifier: MIT
--- Jobs for nginx's thread pool, each in its turn. A job that has begun runs on although the request that wanted it was aborted:
-- its turn is a timer's, which nobody aborts, so that what is under way is always known. Who waits for a job does so with a
-- timer of nginx: without one a worker process that is told to quit would not wait for it.
local core = require "handoff.core"
local semaphore = require "ngx.semaphore"

local now, pack = core.http.now, require("handoff.loop.task").pack
local unpack = unpack

local pool = { LONG = 86400 } -- seconds that a wait without an end takes at a time

local Pool = {}
Pool.__index = Pool

local MODULE = "handoff.nginx.worker"

-- All states that lua_worker_thread_vm_pool_size allows are in use, by whoever; how soon to try again where none is used here,
-- and how long no more jobs are begun at once than found room.
local NO_STATE, SOON, LEARNED = "no available Lua vm", 0.02, 5

-- Beyond lua_max_running_timers nginx drops timers and tells nobody: how long one may take to begin, in seconds, and how long a
-- job that had to go without one counts as under way, as the request that does it may be aborted.
local LOST, COUNTED = 1, 60

local all = setmetatable({}, { __mode = "k" }) -- the pools of this worker, which share its states

-- ---- running jobs ---------------------------------------------------------------------------------------------------

-- Whether the request that wanted it was aborted: who is alive waits for it whenever a timer runs. A history's step is done all
-- the same, as it brings a descriptor that holds locks.
local function is_unwanted(job)
  return job.what == "request" and job.semaphore:count() >= 0
end

local function take(self)
  while self.first <= self.last do
    local i = self.first
    local job = self.queue[i]
    self.queue[i], self.first = nil, i + 1
    if not (job.done or job.begun or is_unwanted(job)) then
      job.begun = true
      return job
    end
  end
  self.first, self.last = 1, 0
end

local function put_back(self, job)
  job.begun = false
  self.first = self.first - 1
  self.queue[self.first] = job
  if self.last < self.first then self.last = self.first end
end

local function finish(job)
  job.done, job.args = true, nil -- one that was withdrawn stays in the queue for a while, its body need not
  job.semaphore:post(1)
end

--- Runs a job in a thread, unless there is no state for it → whether there was.
local function perform(self, job)
  local results = pack(pcall(ngx.run_worker_thread, self.name, MODULE, job.what, unpack(job.args, 1, job.args.n)))
  if results[1] and not results[2] and results[3] == NO_STATE then return false end
  job.ok, job.results = results[1] and results[2], results
  finish(job)
  return true
end

-- A worker process that is told to quit waits for timers, but for its threads by turning in a circle: as long as a job is
-- under way, even one that nobody waits for any more, there is a timer.
local function keep(_, self)
  repeat
    self.kept = now() + LOST
    ngx.sleep(LOST / 2)
  until self.running == 0
  self.kept = 0
end

local run_jobs

-- → whether nginx took the timer, which is not to say that it begins.
local function start_runner(self, delay)
  if not ngx.timer.at(ngx.worker.exiting() and 0 or delay, run_jobs, self) then return false end -- only 0 is taken then
  self.starting = self.starting + 1
  if self.kept < now() and ngx.timer.at(0, keep, self) then self.kept = now() + LOST end
  return true
end

local function limit_of(self)
  if self.limit and now() > self.learned + LEARNED then self.limit = nil end
  return self.limit or self.concurrency
end

-- There was no state for a job: whichever pool has most begins one less, or one with a long queue would keep them all.
local function make_room(self)
  local most = self
  for other in pairs(all) do
    if other.running > most.running then most = other end
  end
  most.limit, most.learned = math.max(most.running - 1, 1), now()
end

--- A timer's function: takes job after job until none is left.
function run_jobs(_, self)
  if self.starting > 0 then self.starting = self.starting - 1 end
  self.running = self.running + 1
  while self.running <= limit_of(self) do
    local job = take(self)
    if not job then break end
    if not perform(self, job) then
      put_back(self, job)
      make_room(self)
      if self.running == 1 then start_runner(self, SOON) end
      break
    end
  end
  self.running = self.running - 1
end

-- ---- without a timer ------------------------------------------------------------------------------------------------

local function run_alone(self, job)
  job.begun = perform(self, job)
end

local function count_alone(self)
  local count, time = 0, now()
  for job, expires in pairs(self.alone) do
    if job.done or expires < time then self.alone[job] = nil else count = count + 1 end
  end
  return count
end

-- Where no timer is to be had who waits for a job does it: those that hold all timers may be waiting for this one.
local function go_alone(self, job)
  if count_alone(self) >= limit_of(self) then return end
  job.begun, self.alone[job] = true, now() + COUNTED
  ngx.thread.spawn(run_alone, self, job)
end

-- Sees to a job that has not begun for a while.
local function push_on(self, job)
  self.starting = 0 -- those that were on their way were dropped
  if self.running >= limit_of(self) then return end
  if self.running > 0 then start_runner(self, 0) else go_alone(self, job) end
end

-- ---- the face -------------------------------------------------------------------------------------------------------

--- Begins a job as soon as there is room for it.
-- @param what a function of handoff.nginx.worker; the rest are its arguments, plain values
-- @return the job, for `await` and `withdraw`
function Pool:submit(what, ...)
  local job = { what = what, args = pack(...), semaphore = assert(semaphore.new()) }
  self.last = self.last + 1
  self.queue[self.last] = job
  if self.running + self.starting >= limit_of(self) then return job end
  if not start_runner(self, 0) and self.running == 0 then go_alone(self, job) end
  return job
end

--- Takes a job back that has not begun → whether that could be.
function Pool:withdraw(job) -- luacheck: ignore self
  if job.begun or job.done then return false end
  finish(job)
  return true
end

--- Waits for the job's end, however long that takes; one that has not begun by then is taken back.
-- @param expires on the clock of http.now
-- @return false where it was taken back
function Pool:await(job, expires)
  while not job.done do
    local left = expires - now()
    if left <= 0 and self:withdraw(job) then return false end
    job.semaphore:wait(job.begun and pool.LONG or math.min(math.max(left, 0.001), LOST))
    if not (job.done or job.begun) then push_on(self, job) end
  end
  return true
end

-- Threads load modules themselves, as the user of the workers and in their folder: what init_by_lua found may not be there.
local READABLE = "; the user of nginx's workers must be able to read what lua_package_path and lua_package_cpath name"

local function refuse_setup(self, why)
  if why:find "^thread[ _]pool .*not found$" then
    core.error.raise { path = "handoff.nginx", rule = "thread_pool",
      message = ("nginx has no thread pool %q; add the line `thread_pool %s threads=32;` at the top of nginx.conf, "
        .. "outside of http, and `lua_worker_thread_vm_pool_size 32;` within http"):format(self.name, self.name) }
  end
  local missing = why:match "module '[^']*' not found" -- and then every place where it is not
  local step = why:find("module '", 1, true) and READABLE or ""
  core.error.raise { path = "handoff.nginx", rule = "thread",
    message = ("nginx's thread pool failed: %s%s"):format(missing or why, step) }
end

--- What a job that is done returned; raises where it could not be run.
function Pool:results(job)
  if job.ok then return unpack(job.results, 3, job.results.n) end
  local results = job.results
  refuse_setup(self, tostring(results[1] and results[3] or results[2]))
end

--- Does a piece of work on the pool and waits for its end, however long that takes.
-- @return what the function of handoff.nginx.worker returned; what it raised, its own errors are not told apart, raises
function Pool:run(what, ...)
  local job = self:submit(what, ...)
  self:await(job, math.huge)
  return self:results(job)
end

--- @param name the thread pool's
-- @param concurrency how many jobs may be under way at once
function pool.new(name, concurrency)
  if not ngx.run_worker_thread then
    core.error.raise { path = "handoff.nginx", rule = "thread_pool",
      message = "this nginx has no ngx.run_worker_thread: lua-nginx-module 0.10.21 or later is needed, and an nginx "
        .. 'built --with-threads; or choose carrier = "resty-http"' }
  end
  local self = setmetatable({
    name = name, concurrency = concurrency, queue = {}, first = 1, last = 0,
    starting = 0, running = 0, -- timers: on their way, and at work
    alone = {}, -- jobs that go without one, until when they count
    kept = 0, -- until when there is a timer, see keep
    limit = nil, learned = 0, -- see LEARNED
  }, Pool)
  all[self] = true
  return self
end

return pool
