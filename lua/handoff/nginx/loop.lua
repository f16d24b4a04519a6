-- SPDX-License-Identifier: MIT
--- The loop inside nginx, which is nginx's own: what handoff.loop has, with the same contracts. A task is a light thread of the
-- request or timer that spawned it, and ends with it. Requests are made by a carrier: threads of nginx's pool, or another one.
-- A wait of a cancelled task ends at once, but a request under way comes to its end.
local core = require "handoff.core"
local phase = require "handoff.nginx.phase"
local pool = require "handoff.nginx.pool"
local raised = require "handoff.loop.raised"
local semaphore = require "ngx.semaphore"
local tasks = require "handoff.loop.task"
local turns = require "handoff.nginx.turns"

local pack, cancelled = tasks.pack, tasks.cancelled
local now, running, yield = core.http.now, coroutine.running, coroutine.yield
local unpack = unpack

local Loop = {}
Loop.__index = Loop

Loop.map = require "handoff.loop.map"

-- ---- tasks ----------------------------------------------------------------------------------------------------------

-- Tasks by coroutine. nginx uses coroutines again, so that what is found here may be a task of the past, of a request that was
-- aborted.
local by_coroutine = setmetatable({}, { __mode = "k" })

local function finish(task)
  task.done, task.fn, task.args = true, nil, nil
  for _, joiner in ipairs(task.joiners or {}) do joiner:post(1) end
  task.joiners = nil
end

local function run(task)
  local co = running()
  by_coroutine[co] = task
  yield() -- whoever spawned it goes on first
  if not task.done then
    task.begun = true
    local results = pack(raised.call(task.fn, unpack(task.args, 1, task.args.n)))
    if results[1] then task.results = results else task.failure = results[2] end
    finish(task)
  end
  by_coroutine[co] = nil
end

local function is_on_stack(fn)
  local level = 2
  repeat
    level = level + 1
    local info = debug.getinfo(level, "f")
    if info and info.func == fn then return true end
  until not info
  return false
end

--- The task that the calling coroutine is; nil where it is none.
local function current()
  local co = running()
  local task = co and by_coroutine[co]
  if task and task.cancelled and not is_on_stack(run) then
    by_coroutine[co] = nil
    return nil
  end
  return task
end

-- ---- waiting --------------------------------------------------------------------------------------------------------

--- Waits on a semaphore, which cancelling the task posts too.
-- @return whether it was posted in time
local function wait(task, sem, seconds)
  if task then task.waiting = sem end
  local posted = sem:wait(seconds)
  if task then task.waiting = nil end
  return posted
end

--- Waits that long.
-- @return true; or nil and an error where the task was cancelled
function Loop:sleep(seconds) -- luacheck: ignore self
  tasks.check_seconds(seconds)
  phase.check "sleep"
  local task = current()
  if not task then
    ngx.sleep(math.max(seconds, 0.001)) -- 0 would fill the log where nginx has not OpenResty's patches
    return true
  end
  if task.cancelled then return nil, cancelled() end
  wait(task, semaphore.new(), math.max(seconds, 0.001))
  if task.cancelled then return nil, cancelled() end
  return true
end

-- ---- requests -------------------------------------------------------------------------------------------------------

local plain = {
  "method", "url", "body", "headers", "timeout", "connect_timeout", "max_bytes", "ca_file", "proxy", "certificate",
}

-- What crosses to the thread: nothing but plain values.
local function fields_of(request, defaults)
  local fields = {}
  for i = 1, #plain do
    local name = plain[i]
    local value = request[name]
    if value == nil then value = defaults[name] end
    fields[name] = value
  end
  return fields
end

local function take_up(answer, fields, wrong)
  if answer then return answer end
  if fields then return nil, core.error.new(fields) end
  if wrong.kind then core.error.raise(wrong) end
  error(wrong.message, 0)
end

--- Makes an HTTP request on the pool and waits for its end, see handoff.loop.
local function by_thread(self, task, request, defaults, direct)
  local fields = fields_of(request, defaults)
  local patience = fields.timeout > 0 and math.min(fields.timeout, pool.LONG) or pool.LONG -- no time at all is refused
  local expires = now() + patience
  local job = self.pool:submit("request", fields, direct, expires)
  if task then task.job = job end
  local in_time = self.pool:await(job, expires)
  if task then task.job = nil end
  if not in_time then
    local states = self.pool.limit and ", where lua_worker_thread_vm_pool_size allows"
    return nil, turns.missed(patience, self.pool.concurrency, states)
  end
  if task and task.cancelled and not job.results then return nil, cancelled() end
  return take_up(self.pool:results(job))
end

--- Makes an HTTP request and waits for its end. Arguments and answer are those of handoff.loop.
function Loop:request(request, defaults, direct)
  phase.check "a request"
  local task = current()
  if task and task.cancelled then return nil, cancelled() end
  if self.carry then return self.carry(request, defaults) end
  return by_thread(self, task, request, defaults, direct)
end

-- ---- tasks: the public face -----------------------------------------------------------------------------------------

--- Starts fn(...) as a task, once the caller waits, ends or spawns another.
-- @return the task: done (boolean), cancelled (boolean or nil); :join(), :cancel()
function Loop:spawn(fn, ...)
  local task = tasks.new(self, fn, ...)
  phase.check "spawn"
  task.parent, task.thread = running(), ngx.thread.spawn(run, task)
  return task
end

-- nginx keeps a light thread that has ended, until whoever spawned it has waited for it or the request ends, which a timer that
-- goes on and on never does.
local function reap(task)
  if not task.thread or task.parent ~= running() then return end
  local thread = task.thread
  task.thread, task.parent = nil, nil
  ngx.thread.wait(thread)
end

local function outcome(task)
  reap(task)
  if task.failure then return nil, task.failure end
  return unpack(task.results, 2, task.results.n)
end

--- Waits until the task is done.
-- @return what its function returned; or nil and what it raised, as an error with `traceback`
function Loop:join(task)
  tasks.check(self, "join", task)
  if task.done then return outcome(task) end
  phase.check "join"
  local own = current()
  tasks.check_other(own, task)
  if own and own.cancelled then return nil, cancelled() end
  local sem = semaphore.new()
  task.joiners = task.joiners or {}
  table.insert(task.joiners, sem)
  repeat wait(own, sem, pool.LONG) until task.done or own and own.cancelled
  if not task.done then return nil, cancelled() end
  return outcome(task)
end

--- Cancels the task: one that has not begun never does; its waits end as `nil, err` of kind "cancelled", and so does every later
-- one; a request that waits for its turn is not sent, one under way comes to its end.
function Loop:cancel(task)
  tasks.check(self, "cancel", task)
  if task.done or task.cancelled then return end
  task.cancelled = true
  if not task.begun then
    task.results = { n = 3, true, nil, cancelled() }
    finish(task)
  elseif task.job then
    self.pool:withdraw(task.job)
  elseif task.waiting then
    task.waiting:post(1)
  end
end

--- Nothing is held here: connections are kept by the threads, until the worker process ends.
function Loop:close() -- luacheck: ignore self
end

--- @param jobs { pool = of handoff.nginx.pool } or { carry = function(request, defaults) → as Loop:request }, which waits by
-- nginx's own means and takes no proxy from the environment
local function new(jobs)
  return setmetatable({ pool = jobs.pool, carry = jobs.carry }, Loop)
end

return { new = new }
