-- SPDX-License-Identifier: MIT
--- Jobs for nginx's thread pool, each in its turn. A job runs on although the request that wanted it was aborted: its turn is a
-- timer's, which nobody aborts, so that what is under way is always known. Who waits for a job does so with a timer of nginx:
-- without one a worker process that is told to quit would not wait for it.
local core = require "handoff.core"
local semaphore = require "ngx.semaphore"

local unpack = unpack

local pool = {}

local Pool = {}
Pool.__index = Pool

local MODULE = "handoff.nginx.worker"

-- All states that lua_worker_thread_vm_pool_size allows are in use, by whoever; how soon to try again where none is used here,
-- and how long no more jobs are begun at once than found room.
local NO_STATE, SOON, LEARNED = "no available Lua vm", 0.02, 5

local function pack(...)
  return { n = select("#", ...), ... }
end

-- ---- running jobs ---------------------------------------------------------------------------------------------------

local function take(self)
  while self.first <= self.last do
    local i = self.first
    local job = self.queue[i]
    self.queue[i], self.first = nil, i + 1
    if not job.done then
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
  job.done = true
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
  repeat ngx.sleep(0.5) until self.running == 0
  self.kept = false
end

local run_jobs

local function start_runner(self, delay)
  local ok, err = ngx.timer.at(ngx.worker.exiting() and 0 or delay, run_jobs, self) -- only 0 is taken then
  if not ok then return nil, err end
  self.starting = self.starting + 1
  if not self.kept then self.kept = ngx.timer.at(0, keep, self) end
  return true
end

local function limit_of(self)
  if self.limit and ngx.now() > self.learned + LEARNED then self.limit = nil end
  return self.limit or self.concurrency
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
      self.limit, self.learned = math.max(self.running - 1, 1), ngx.now()
      if self.running == 1 then start_runner(self, SOON) end
      break
    end
  end
  self.running = self.running - 1
end

-- ---- the face -------------------------------------------------------------------------------------------------------

--- Begins a job as soon as there is room for it.
-- @param what a function of handoff.nginx.worker; the rest are its arguments, plain values
-- @return the job, for `wait` or `withdraw`
function Pool:submit(what, ...)
  local job = { what = what, args = pack(...), semaphore = assert(semaphore.new()) }
  self.last = self.last + 1
  self.queue[self.last] = job
  if self.running + self.starting >= limit_of(self) then return job end
  local ok, err = start_runner(self, 0)
  if not ok and self.running == 0 then
    job.ok, job.results = false, { true, false, "nginx starts no timer: " .. err }
    finish(job)
  end
  return job
end

--- Takes a job back that has not begun → whether that could be.
function Pool:withdraw(job) -- luacheck: ignore self
  if job.begun or job.done then return false end
  finish(job)
  return true
end

--- Says that a job had not begun in all the time that somebody was ready to wait: timers that nginx dropped, for
-- lua_max_running_timers, are counted no longer.
function Pool:forget_timers()
  self.starting = 0
end

local function refuse_setup(self, why)
  if why:find("thread pool", 1, true) then
    core.error.raise { path = "handoff.nginx", rule = "thread_pool",
      message = ("nginx has no thread pool %q; add the line `thread_pool %s threads=32;` at the top of nginx.conf, "
        .. "outside of http, and `lua_worker_thread_vm_pool_size 32;` within http"):format(self.name, self.name) }
  end
  core.error.raise { path = "handoff.nginx", rule = "thread", message = "nginx's thread pool failed: " .. why }
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
  repeat job.semaphore:wait(pool.LONG) until job.done
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
  return setmetatable({
    name = name, concurrency = concurrency, queue = {}, first = 1, last = 0,
    starting = 0, running = 0, -- timers: on their way, and at work
    kept = false, -- see keep
    limit = nil, learned = 0, -- see LEARNED
  }, Pool)
end

--- Seconds that a wait without an end takes at a time.
pool.LONG = 86400

return pool
