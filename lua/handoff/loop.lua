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
local status = coroutine.status
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

-- Nothing is called here: a call asks for memory, and a heap that is half sorted has lost an entry.
local function push(heap, entry)
  local i = #heap + 1
  heap[i] = entry
  while i > 1 do
    local parent = (i - i % 2) / 2
    local above = heap[parent]
    if not (entry.at < above.at or entry.at == above.at and entry.order < above.order) then break end
    heap[i], heap[parent], i = above, entry, parent
  end
end

local function pop(heap)
  local count = #heap
  local last = heap[count]
  heap[count] = nil
  count = count - 1
  if count == 0 then return end
  local i = 1
  while i * 2 <= count do
    local child = i * 2
    local a, b = heap[child + 1], heap[child]
    if child < count and (a.at < b.at or a.at == b.at and a.order < b.order) then child, b = child + 1, a end
    if not (b.at < last.at or b.at == last.at and b.order < last.order) then break end
    heap[i], i = b, child
  end
  heap[i] = last
end

-- ---- tasks: running them ------------------------------------------------------------------------------------

-- A task is its own waiter; a blocked caller has a waiter that is a table without a coroutine. Fields of a waiter: `waiting`,
-- what it waits for (a transfer, an entry of the sleepers, a task that it joins) or false; of a task also `woken`, from when
-- it is made ready until it goes on.

-- Memory may be short at every call (of a Lua function, too: it may need a larger stack) and wherever a table grows. No task may
-- be lost to the loop by that: what takes one from where it waits is a chain of fields that are there from the start, is changed
-- last or can be done once more, and what a task came back with is found in the task itself (see current_of).

-- The ready ones: a queue of tasks to resume.
local function make_ready(self, task)
  self.turn = self.turn + 1
  task.turn, task.next_ready = self.turn, false
  if self.last_ready then self.last_ready.next_ready = task else self.first_ready = task end
  self.last_ready, task.woken = task, true
end

-- Wakes it where that is still what it waits for: memory may have been too short to wait.
local function wake(self, waiter, on)
  if waiter.waiting ~= on then return end
  if not waiter.co then waiter.waiting = false elseif not waiter.woken then make_ready(self, waiter) end
end

local function finish(self, task)
  local joiners = task.joiners
  for i = 1, joiners and #joiners or 0 do wake(self, joiners[i], task) end
  task.joiners, task.done, task.co, task.fn = nil, true, nil, nil
  self.alive = self.alive - 1
end

local function describe(value, co) return raised.as_error(value, debug.traceback(co)) end

local function fail(self, task, co, value)
  local told, failure = pcall(describe, value, co)
  if close then close(co) end
  finish(self, task)
  task.has_failed, task.failure = true, told and failure or nil -- else memory is short, see failure_of
  task.next_failed, self.first_failed = self.first_failed, task
end

-- Its failure is somebody's now.
local function take_failed(self, task)
  local before, at = nil, self.first_failed
  while at and at ~= task do before, at = at, at.next_failed end
  if not at then return end
  if before then before.next_failed = at.next_failed else self.first_failed = at.next_failed end
end

local foreign_yield = "a task yielded a value of its own: only the loop's waits may yield there; "
  .. "run the code that yields in a coroutine of its own"

--- Takes up what resuming the task brought.
local function settle(self, task, ok, token)
  if ok and token == WAITING then return end
  if ok and token == DONE then return finish(self, task) end
  fail(self, task, task.co, ok and foreign_yield or token)
end

--- The task that was resumed last and has not come back; nil: none. One that came back while memory was too short to take up with
-- what is taken up now.
local function current_of(self)
  local task = self.current
  while task and not task.done and status(task.co) ~= "running" and status(task.co) ~= "normal" do
    if task.results then finish(self, task)
    elseif task.woken then -- it was taken from the queue, and did not go on
      make_ready(self, task)
      if not task.waiting then task.co = true end -- not even begun
    elseif not task.waiting or status(task.co) == "dead" then fail(self, task, task.co, "not enough memory") end
    task = task.outer
    self.current = task
  end
  while task and task.done do
    task = task.outer
    self.current = task
  end
  return task
end

-- Coroutines are used again by later tasks; this is what each runs.
local function work(task)
  while true do
    local args = task.args
    task.args, task.woken = nil, false
    task.results = pack(task.fn(unpack(args, 1, args.n)))
    task = yield(DONE)
  end
end

-- Takes the first of the queue out of it, and resumes it.
-- @param fresh the coroutine of one that has not started
local function run_task(self, task, fresh)
  local co, outer = fresh or task.co, self.current
  self.first_ready, task.next_ready = task.next_ready, false
  if not self.first_ready then self.last_ready = false end
  if task.done then return end -- cancelled before it began
  self.current, task.co, task.outer = task, co, outer
  if fresh then settle(self, task, resume(co, task)) else settle(self, task, resume(co)) end
  self.current, task.outer = outer, false
  if task.done and not task.has_failed then self.idle[#self.idle + 1] = co end
end

local function run_ready(self)
  -- Those made ready meanwhile wait for the next step, after the transfers; a step inside a step may empty the queue.
  local last = self.turn
  while self.first_ready and self.first_ready.turn <= last do
    local task = self.first_ready
    local fresh = task.co == true and (table.remove(self.idle) or create(work))
    run_task(self, task, fresh)
  end
end

-- ---- waiting ------------------------------------------------------------------------------------------------

local function may_run(self)
  return self.depth <= MAX_DEPTH and self.first_ready
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
    local entry = sleepers[1]
    if entry.waiter then wake(self, entry.waiter, entry) end
    pop(sleepers)
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
  local waiters, running_ones = self.waiters, self.running
  for id in engine.next, engine do
    local waiter, transfer = waiters[id], running_ones[id]
    waiters[id], running_ones[id] = nil, nil
    if waiter then self.transfers = self.transfers - 1 end -- otherwise memory was too short to wait for it
    if waiter and waiter.waiting == transfer then -- as `wake`, which cannot be called: the engine has told of it
      if not waiter.co then
        waiter.waiting = false
      elseif not waiter.woken then
        self.turn = self.turn + 1
        waiter.turn, waiter.next_ready = self.turn, false
        if self.last_ready then self.last_ready.next_ready = waiter else self.first_ready = waiter end
        self.last_ready, waiter.woken = waiter, true
      end
    end
  end
end

--- Lets everything go on by one step, waiting until something can.
-- @treturn boolean false where nothing is left that could ever happen
function Loop:step()
  current_of(self)
  if not may_run(self) and self.transfers == 0 and not self.sleepers[1] then return false end
  local engine = engine_of(self)
  engine:step(patience(self))
  wake_finished(self, engine)
  if self.sleepers[1] then wake_sleepers(self) end
  if self.depth <= MAX_DEPTH then run_ready(self) end
  return true
end

local function step_until(self, waiter, task)
  self.depth = self.depth + 1
  if task then task.blocked = waiter end
  while waiter.waiting do
    if not self:step() then
      error "this wait would never end: what could end it waits itself, or coroutines block one another too deeply"
    end
  end
end

-- Ends what is waited for.
local function give_up(on)
  if type(on) == "userdata" then on:cancel() elseif on.at then on.waiter = nil end
end

--- Steps the loop until the waiter is woken; what is raised meanwhile (an interrupt) cancels the wait and goes on.
local function block(self, waiter)
  local task = current_of(self)
  local outer, depth = task and task.blocked, self.depth
  local ok, err = pcall(step_until, self, waiter, task) -- which memory may be too short to call
  self.depth = depth
  if task then task.blocked = outer end
  if ok then return end
  local on = waiter.waiting
  waiter.waiting = false
  if on then give_up(on) end
  current_of(self)
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
  local task = current_of(self)
  if not task then return { waiting = false } end
  if task.cancelled then return nil, cancelled() end
  task.waiting = false -- it runs; memory may have been too short for an earlier wait
  return task.co == running() and task or { waiting = false }
end

local function wait(self, waiter, on)
  waiter.waiting = on
  if not waiter.co then return block(self, waiter) end
  yield(WAITING)
  waiter.waiting, waiter.woken = false, false
end

--- Makes an HTTP request and waits for its end. Arguments and answer are those of submit and result in l_http.c: the answer; or
-- nil and an error whose message is libcurl's words. A bad request raises.
-- @local
function Loop:request(request, defaults, direct)
  local waiter, err = new_waiter(self)
  if not waiter then return nil, err end
  local transfer, id = engine_of(self):submit(request, defaults, direct)
  self.running[id] = transfer -- the engine tells of none that is collected
  self.waiters[id] = waiter
  self.transfers = self.transfers + 1
  wait(self, waiter, transfer)
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
  push(self.sleepers, entry)
  wait(self, waiter, entry)
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
  self.order = self.order + 1
  task.co, task.order = true, self.order
  make_ready(self, task)
  self.alive = self.alive + 1
  return task
end

local function failure_of(task)
  task.failure = task.failure or raised.as_error "not enough memory"
  return task.failure
end

local function outcome(self, task)
  if not task.has_failed then return unpack(task.results, 1, task.results.n) end
  take_failed(self, task)
  return nil, failure_of(task)
end

--- Waits until the task is done.
-- @tparam Task task
-- @treturn any what its function returned; or nil
-- @treturn any and what it raised, as an error with `traceback`
function Loop:join(task)
  tasks.check(self, "join", task)
  if task.done then return outcome(self, task) end
  tasks.check_other(current_of(self), task)
  local waiter, err = new_waiter(self)
  if not waiter then return nil, err end
  task.joiners = task.joiners or {}
  table.insert(task.joiners, waiter)
  wait(self, waiter, task)
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
  elseif waiter.waiting and not waiter.woken then
    local on = waiter.waiting
    give_up(on)
    -- A transfer wakes it by the way of every one that ends.
    if type(on) ~= "userdata" then wake(self, waiter, on) end
  end
end

--- Runs until every task is done. Raises the first error of a task that nobody has joined, so that none is lost.
function Loop:run()
  if current_of(self) then
    core.error.raise { path = "run", rule = "nested", message = "a task cannot run the loop it is part of" }
  end
  while self.alive > 0 do
    if not self:step() then error("tasks are left that wait for one another: " .. self.alive) end
  end
  local first, task = self.first_failed, self.first_failed
  while task do
    if task.order < first.order then first = task end
    task = task.next_failed
  end
  self.first_failed = false
  if first then core.error.again(failure_of(first)) end
end

-- ---- many items ---------------------------------------------------------------------------------------------

Loop.map = require "handoff.loop.map"

--- Closes idle connections and whatever else it holds of the system; the loop can be used on. Raises while requests are
-- under way.
function Loop:close()
  if self.depth == 0 and self.alive == 0 then -- nobody waits: memory was too short to wait for what is under way
    for _, transfer in pairs(self.running) do transfer:cancel() end
  end
  if self.engine then wake_finished(self, self.engine) end -- what was cancelled meanwhile is not under way
  if self.transfers > 0 then error "the loop cannot be closed while requests are under way" end
  if self.engine then self.engine:close() end
  self.engine = nil
end

-- ---- loops --------------------------------------------------------------------------------------------------

--- Seconds on a clock that never jumps.
-- @function now
-- @treturn number

--- As pcall; what was raised comes as an error, with the lines that led there.
-- @function call
-- @local

--- What was raised as an error.
-- @function as_error
-- @local
local loop = { now = now, call = raised.call, as_error = raised.as_error }

--- A loop of its own.
-- @treturn Loop
function loop.new()
  return setmetatable({
    engine = nil, -- see engine_of
    current = nil, -- see current_of
    alive = 0, -- tasks that are not done
    first_ready = false, last_ready = false, turn = 0, -- a chain of tasks; when the last came into it
    idle = {}, -- coroutines without a task
    sleepers = {}, order = 0,
    waiters = {}, running = {}, transfers = 0, -- by the transfer's id: who waits, the transfer; how many
    first_failed = false, -- a chain of tasks whose error nobody has seen
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
