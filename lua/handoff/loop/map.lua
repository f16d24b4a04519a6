-- SPDX-License-Identifier: MIT
--- Many items with few tasks, on any loop: its tasks begin after spawn returned them, and have `cancelled`.
-- @module handoff.loop
local core = require "handoff.core"
local raised = require "handoff.loop.raised"

local function each(items)
  local index, more = 0, true
  return function()
    if not more then return nil end
    local item
    if type(items) == "function" then item = items() else item = items[index + 1] end
    more = item ~= nil
    if not more then return nil end
    index = index + 1
    return index, item
  end
end

local function keep(results, errors, index, ok, value, err)
  if ok then results[index], errors[index] = value, err else errors[index] = value end
end

local function misuse(name, message)
  message = message .. "; call it as loop:map(32, items, fn)"
  core.error.raise { path = "loop:" .. name, rule = "type", message = message }
end

--- Calls a function for every item, at most so many at a time, with no more coroutines than that.
-- @function Loop:map
-- @tparam integer limit
-- @tparam table|function items a list, or a function that returns the next item, nil after the last
-- @tparam fun(item:any,index:integer):any,any fn
-- @treturn ?table by index what it returned first; nil where the calling task was cancelled, and the calls under way with it
-- @treturn table|Error by index its second value or the error it raised; or err
return function(loop, limit, items, fn)
  if type(limit) ~= "number" or limit < 1 or limit % 1 ~= 0 then
    misuse("map: limit", ("a whole number from 1 on expected, got %s"):format(tostring(limit)))
  elseif type(items) ~= "table" and type(items) ~= "function" then
    misuse("map: items", ("a list or a function expected, got a %s"):format(type(items)))
  elseif type(fn) ~= "function" then
    misuse("map: fn", ("a function expected, got a %s"):format(type(fn)))
  end
  local results, errors, next_item, workers = {}, {}, each(items), {}
  local function work_off(i)
    for index, item in next_item do
      keep(results, errors, index, raised.call(fn, item, index))
      if workers[i].cancelled then return end
    end
  end
  local count = type(items) == "table" and math.min(limit, #items) or limit
  local function work()
    for i = 1, count do workers[i] = loop:spawn(work_off, i) end
    for _, worker in ipairs(workers) do
      local _, err = worker:join()
      if err then return err end
    end
  end
  local called, err = pcall(work)
  if called and not err then return results, errors end
  for _, worker in ipairs(workers) do worker:cancel() end
  if not called or err.kind ~= "cancelled" then core.error.again(err) end
  return nil, err
end
