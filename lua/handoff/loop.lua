-- SPDX-License-Identifier: MIT
--- The one place that resumes coroutines. A function that was spawned runs as a task: where it waits (request, sleep,
-- join) the others go on. The same calls made elsewhere, in the main chunk or in a coroutine that is not the loop's
-- (inside a task or not), block until they are done, and the tasks go on meanwhile. Failures are `nil, err`; a
-- cancelled wait is `nil, err` of kind "cancelled".
-- @module handoff.loop
local core = require "handoff.core"
core.error.home(debug.getinfo(1, "S").source)

local raised = require "handoff.loop.raised"
local tasks = require "handoff.loop.task"

local pack, cancelled = tasks.pack, tasks.cancelled
local now = core.http.now
local running, resume, yield, create = coroutine.running, coroutine.resume, coroutine.yield, coroutine.create
local close = coroutine.close -- not in LuaJIT, which has no variables to close
local unpack = table.unpack or unpack

-- What the loop's own coroutines yield: nobody else has these values, so that a script's own yield is told apart.
local WAITING, DONE = {}, {}

-- Waits outside tasks step the loop, which resumes tasks, which may wait in foreign coroutines, which step the loop …
-- Each level takes three or more of the 200 C calls that Lua 5.4 allows. Below this depth tasks are no longer resumed,
-- only transfers move.
local MAX_DEPTH = 16

local Loop = {}
Loop.__index = Loop

-- ---- sleepers: a binary heap by the time they wake ----------------------------------------------------------

local function before(a, b)
  return a.at < b.at or a.at == b.at and a.order < b.order
end

local function push(heap, entry)
  local i = #heap + 1
  while i > 1 do
    local parent = (i - i % 2) / 2
    if not before(entry, heap[parent]) then break end
    heap[i], i = heap[parent], parent
  end
  heap[i] = entry
end

local function pop(heap)
  local top, last = heap[1], table.remove(heap)
  if top == last then return top end
  local i, count = 1, #heap
  while i * 2 <= count do
    local child = i * 2
    if child < count and before(heap[child + 1], heap[child]) then child = child + 1 end
    if not before(heap[child], last) then break end
    heap[i], i = heap[child], child
  end
  heap[i] = last
  return top
end

-- ---- tasks: running them ------------------------------------------------------------------------------------

-- A task is its own waiter; a blocked caller has a waiter that is a table without a coroutine. Fields of a waiter:
-- `waiting`, and what it waits for, `transfer`, `entry` (of a sleeper) or `joining` (a task).

-- The ready ones: a queue of tasks to resume.
local function make_ready(self, task)
  self.ready_last = self.ready_last + 1
  self.ready[self.ready_last] = task
end

local function wake(self, waiter)
  waiter.waiting = false
  if waiter.co then make_ready(self, waiter) end
end

local function finish(self, task)
  task.done, task.co, task.fn = true, nil, nil
  self.alive = self.alive - 1
  for _, waiter in ipairs(task.joiners or {}) do
    if waiter.waiting and waiter.joining == task then wake(self, waiter) end
  end
  task.joiners = nil
end

local function fail(self, task, co, value)
  task.failure = raised.as_error(value, debug.traceback(co))
  self.failed[task] = true
  if close then close(co) end
  finish(self, task)
end

local foreign_yield = "a task yielded a value of its own: only the loop's waits may yield there; "
  .. "run the code that yields in a coroutine of its own"

--- Takes up what resuming the task brought.
local function settle(self, task, co, ok, token, ...)
  if not ok then return fail(self, task, co, token) end
  if token == WAITING then return end
  if token ~= DONE then return fail(self, task, co, foreign_yield) end
  task.results = pack(...)
  self.idle[#self.idle + 1] = co
  finish(self, task)
end

-- Coroutines are used again by later tasks; this is what each runs.
local function work(task)
  while true do
    local args = task.args
    task.args = nil
    task = yield(DONE, task.fn(unpack(args, 1, args.n)))
  end
end

local function run_task(self, task)
  local co, previous = task.co, self.current
  self.current = task
  if co == true then -- it has not started
    co = table.remove(self.idle) or create(work)
    task.co = co
    settle(self, task, co, resume(co, task))
  else
    settle(self, task, co, resume(co))
  end
  self.current = previous
end

local function run_ready(self)
  -- Those made ready meanwhile wait for the next step, after the transfers; a step inside a step may empty the queue.
  local last = self.ready_last
  while self.ready_first <= last and self.ready_first <= self.ready_last do
    local i = self.ready_first
    local task = self.ready[i]
    self.ready[i], self.ready_first = nil, i + 1
    if not task.done then run_task(self, task) end
  end
  if self.ready_first > self.ready_last then self.ready_first, self.ready_last = 1, 0 end
end

-- ---- waiting ------------------------------------------------------------------------------------------------

local function may_run(self)
  return self.depth <= MAX_DEPTH and self.ready_first <= self.ready_last
end

--- Seconds until the next thing is known to happen; nil: it is only known that transfers are under way.
local function patience(self)
  if may_run(self) then return 0 end
  local first = self.sleepers[1]
  return first and math.max(first.at - now(), 0)
end

local function wake_sleepers(self)
  local time, sleepers = now(), self.sleepers
  while sleepers[1] and sleepers[1].at <= time do
    local waiter = pop(sleepers).waiter
    if waiter then wake(self, waiter) end
  end
end

-- Made when first needed: an engine holds descriptors.
local function engine_of(self)
  local engine = self.engine
  if not engine then
    engine = core.http.engine()
    self.engine = engine
  end
  return engine
end

local function wake_finished(self, engine)
  local waiters = self.waiters
  for id in engine.next, engine do
    local waiter = waiters[id]
    waiters[id] = nil
    self.transfers = self.transfers - 1
    if waiter then wake(self, waiter) end
  end
end

--- Lets everything go on by one step, waiting until something can.
-- @treturn boolean false where nothing is left that could ever happen
function Loop:step()
  if not may_run(self) and self.transfers == 0 and not self.sleepers[1] then return false end
  local engine = engine_of(self)
  engine:step(patience(self))
  wake_finished(self, engine)
  if self.sleepers[1] then wake_sleepers(self) end
  if self.depth <= MAX_DEPTH then run_ready(self) end
  return true
end

local function step_until(self, waiter)
  while waiter.waiting do
    if not self:step() then
      error "this wait would never end: what could end it waits itself, or coroutines block one another too deeply"
    end
  end
end

--- Steps the loop until the waiter is woken; what is raised meanwhile (an interrupt) cancels the wait and goes on.
local function block(self, waiter)
  local task, outer = self.current, self.current and self.current.blocked
  if task then task.blocked = waiter end
  self.depth = self.depth + 1
  local ok, err = pcall(step_until, self, waiter)
  self.depth = self.depth - 1
  self.current = task
  if task then task.blocked = outer end
  if ok then return end
  waiter.waiting = false
  if waiter.transfer then waiter.transfer:cancel() end
  if waiter.entry then waiter.entry.waiter = nil end
  core.error.again(err)
end

-- nginx resumes the coroutines of its requests itself: tasks of one that this loop resumed from another would crash the worker,
-- and what blocks here would stop every request of it. While nginx starts nobody waits.
local nginx = rawget(_G, "ngx")
local is_start = { init = true, init_worker = true }

local function refuse_inside_nginx()
  if not nginx or is_start[nginx.get_phase()] then return end
  core.error.raise { path = "handoff", rule = "nginx",
    message = "inside nginx this would stop every request of the worker; make clients and fleets by "
      .. 'require "handoff.nginx"' }
end

--- The waiter for the calling coroutine: its task, or a fresh one where the caller must block. nil, err in a
-- cancelled task.
local function new_waiter(self)
  refuse_inside_nginx()
  local task = self.current
  if not task then return {} end
  if task.cancelled then return nil, cancelled() end
  return task.co == running() and task or {}
end

local function wait(self, waiter)
  waiter.waiting = true
  if waiter.co then yield(WAITING) else block(self, waiter) end
end

--- Makes an HTTP request and waits for its end. Arguments and answer are those of submit and result in l_http.c: the answer; or
-- nil and an error whose message is libcurl's words. A bad request raises.
-- @local
function Loop:request(request, defaults, direct)
  local waiter, err = new_waiter(self)
  if not waiter then return nil, err end
  local transfer, id = engine_of(self):submit(request, defaults, direct)
  self.waiters[id], waiter.transfer = waiter, transfer
  self.transfers = self.transfers + 1
  wait(self, waiter)
  waiter.transfer = nil
  return transfer:result()
end

--- Waits that long.
-- @tparam number seconds
-- @treturn ?boolean true
-- @treturn ?Error err where the task was cancelled
function Loop:sleep(seconds)
  tasks.check_seconds(seconds)
  local waiter, err = new_waiter(self)
  if not waiter then return nil, err end
  self.order = self.order + 1
  local entry = { at = now() + seconds, order = self.order, waiter = waiter }
  waiter.entry = entry
  push(self.sleepers, entry)
  wait(self, waiter)
  waiter.entry = nil
  if not entry.waiter then return nil, cancelled() end
  return true
end

-- ---- tasks: the public face ---------------------------------------------------------------------------------

--- Starts a function as a task, at the next step of the loop.
-- @tparam function fn
-- @tparam[opt] any ... what it is called with
-- @treturn Task
function Loop:spawn(fn, ...)
  local task = tasks.new(self, fn, ...)
  refuse_inside_nginx()
  self.alive = self.alive + 1
  self.order = self.order + 1
  task.co, task.order = true, self.order
  make_ready(self, task)
  return task
end

local function outcome(self, task)
  if not task.failure then return unpack(task.results, 1, task.results.n) end
  self.failed[task] = nil
  return nil, task.failure
end

--- Waits until the task is done.
-- @tparam Task task
-- @treturn any what its function returned; or nil
-- @treturn any and what it raised, as an error with `traceback`
function Loop:join(task)
  tasks.check(self, "join", task)
  if task.done then return outcome(self, task) end
  tasks.check_other(self.current, task)
  local waiter, err = new_waiter(self)
  if not waiter then return nil, err end
  task.joiners = task.joiners or {}
  table.insert(task.joiners, waiter)
  waiter.joining = task
  wait(self, waiter)
  waiter.joining = nil
  if not task.done then return nil, cancelled() end
  return outcome(self, task)
end

--- Cancels the task: one that has not started never does, a wait of it ends as `nil, err` of kind "cancelled" and a
-- running transfer is dropped, and so does every later wait, so that it comes to its end. Nothing happens where it is
-- done.
-- @tparam Task task
function Loop:cancel(task)
  tasks.check(self, "cancel", task)
  if task.done or task.cancelled then return end
  task.cancelled = true
  local waiter = task.blocked or task
  if task.co == true then
    task.results = { n = 2, nil, cancelled() }
    finish(self, task)
  elseif not waiter.waiting then
    return
  elseif waiter.transfer then
    waiter.transfer:cancel() -- wakes it by the way of every transfer that ends
  else
    if waiter.entry then waiter.entry.waiter = nil end
    wake(self, waiter)
  end
end

--- Runs until every task is done. Raises the first error of a task that nobody has joined, so that none is lost.
function Loop:run()
  if self.current then
    core.error.raise { path = "run", rule = "nested", message = "a task cannot run the loop it is part of" }
  end
  while self.alive > 0 do
    if not self:step() then error("tasks are left that wait for one another: " .. self.alive) end
  end
  local first
  for task in pairs(self.failed) do
    if not first or task.order < first.order then first = task end
  end
  if not first then return end
  self.failed = {}
  core.error.again(first.failure)
end

-- ---- many items ---------------------------------------------------------------------------------------------

Loop.map = require "handoff.loop.map"

--- Closes idle connections and whatever else it holds of the system; the loop can be used on. Raises while requests are
-- under way.
function Loop:close()
  if self.engine then wake_finished(self, self.engine) end -- what was cancelled meanwhile is not under way
  if self.transfers > 0 then error "the loop cannot be closed while requests are under way" end
  if self.engine then self.engine:close() end
  self.engine = nil
end

-- ---- loops --------------------------------------------------------------------------------------------------

--- Seconds on a clock that never jumps.
-- @function now
-- @treturn number

--- A task's error with the lines that led there.
-- @function trace
-- @local
local loop = { now = now, trace = raised.trace }

--- A loop of its own.
-- @treturn Loop
function loop.new()
  return setmetatable({
    engine = nil, -- see engine_of
    current = nil, -- the task that was resumed last and has not come back
    alive = 0, -- tasks that are not done
    ready = {}, ready_first = 1, ready_last = 0,
    idle = {}, -- coroutines without a task
    sleepers = {}, order = 0,
    waiters = {}, transfers = 0, -- by the transfer's id; how many
    failed = {}, -- tasks whose error nobody has seen
    depth = 0, -- of blocking waits inside one another
  }, Loop)
end

local shared

--- The loop that is shared by whatever names no other, one a Lua state.
-- @treturn Loop
function loop.default()
  shared = shared or loop.new()
  return shared
end

return loop
