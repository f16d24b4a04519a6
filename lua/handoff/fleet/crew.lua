-- SPDX-License-Identifier: MIT
--- Many items worked on at once, a task each, so that whatever one of them does (raise, yield what it should not) ends only
-- itself.
local core = require "handoff.core"

local crew = {}

--- Calls work(item) for the items in their order, as a task each, at most limiter.limit of them at once.
-- @param loop the loop that runs the tasks
-- @param limiter { limit= }, looked at each time an item may start
-- @param items a list
-- @param work function(item); like the two others it handles what is raised in it
-- @param broken function(item, err): called for an item whose task failed nevertheless, as one that yields to the loop does
-- @param is_over function() → true where no further item may start; those that have started come to their end
-- @return true; or nil, err where the calling task was cancelled, and the tasks with it: a cancelled task waits for nobody, so
--   they may come to their end after this one. What is raised while waiting (an interrupt) cancels them and is raised again.
function crew.each(loop, limiter, items, work, broken, is_over)
  local tasks, left, started, active, is_cancelled = {}, {}, 0, 0, false
  local start

  local function leave(index)
    left[index], active = true, active - 1
    start()
  end

  local function run(index)
    work(items[index])
    leave(index)
  end

  function start()
    while not is_cancelled and started < #items and active < math.floor(limiter.limit) and not is_over() do
      local index = started + 1
      tasks[index], left[index] = false, false -- room for it; where memory is short it has not started
      started, active = index, active + 1
      -- nginx may run the one before meanwhile, which may start others
      local spawned, task = pcall(loop.spawn, loop, run, index)
      if not spawned then
        started, active = index - 1, active - 1
        core.error.again(task)
      end
      tasks[index] = task
    end
  end

  local function cancel_all()
    is_cancelled = true
    for index = 1, started do
      if tasks[index] then tasks[index]:cancel() end
    end
  end

  local function start_or_cancel()
    local ok, raised = pcall(start)
    if ok then return end
    cancel_all()
    core.error.again(raised)
  end

  start_or_cancel()
  local joined = 0
  while joined < started do
    joined = joined + 1
    local task = tasks[joined]
    local ok, raised, err = pcall(task.join, task)
    local has_ended = ok and (not err or err == task.failure) -- otherwise it is the wait that failed
    if not has_ended then cancel_all() end
    if not ok then core.error.again(raised) end
    if not has_ended then return nil, err end
    local is_broken = not left[joined]
    if is_broken then
      broken(items[joined], err)
      active = active - 1
    end
    tasks[joined], left[joined] = nil, nil
    -- The task that was to start others may have had no memory to.
    if is_broken or joined == started then start_or_cancel() end
  end
  return true
end

return crew
