-- SPDX-License-Identifier: MIT
--- What is the same of tasks on any loop, whoever resumes them: their face, and what is refused.
-- @module handoff.loop

--- What was spawned.
-- @table Task
-- @tfield boolean done
-- @tfield[opt] boolean cancelled
local core = require "handoff.core"

local task = {}

local Task = {}
Task.__index = Task

--- As `loop:join(task)`.
-- @treturn any what its function returned; or nil
-- @treturn any and what it raised
function Task:join() return self.loop:join(self) end
--- As `loop:cancel(task)`.
function Task:cancel() self.loop:cancel(self) end

-- Any values, nil among them, as a list with their number `n`.
function task.pack(...) return { n = select("#", ...), ... } end

-- A task of that loop, to call fn(...), which has not begun.
function task.new(loop, fn, ...)
  if type(fn) ~= "function" then
    local message = ("a function expected, got %s"):format(type(fn))
    core.error.raise { path = "spawn", rule = "type", value = fn, message = message }
  end
  return setmetatable({
    loop = loop, fn = fn, args = task.pack(...), done = false, has_failed = false,
    co = nil, failure = nil, results = nil,
    waiting = false, woken = false, -- see handoff.loop
    turn = 0, next_ready = false, next_failed = false, outer = false, -- its places in that loop's chains
  }, Task)
end

-- Raises where that is no task of the loop; what is the name of the method that was called.
function task.check(loop, what, value)
  if getmetatable(value) == Task and value.loop == loop then return end
  core.error.raise { path = what, rule = "type", message = "a task of this loop expected" }
end

-- Raises where the task that would wait is the one that is waited for.
function task.check_other(waiting, joined)
  if waiting ~= joined then return end
  core.error.raise { path = "join", rule = "self", message = "a task cannot wait for its own end" }
end

function task.check_seconds(seconds)
  if type(seconds) == "number" and seconds >= 0 and seconds < math.huge then return end
  core.error.raise { path = "sleep", rule = "range", value = seconds, message = "seconds from 0 on expected" }
end

-- What every wait of a cancelled task ends with.
function task.cancelled()
  return core.error.new { kind = "cancelled", message = "the task was cancelled", bytes_sent = 0 }
end

return task
