-- SPDX-License-Identifier: MIT
--- A collector that runs a whole cycle at every allocation, between two allocations of one C function, too: there, a value
-- that nothing holds is gone at once. Lua: a pause of nothing, and a step without end. LuaJIT: the same by a pause and a step
-- of 0, with its compiler off, since compiled code checks less often.
-- A test that takes long goes on with an ordinary collector after some seconds of processor time, and is counted.
local gc = { relaxed = 0 }

local jit_module = rawget(_G, "jit")
local generational = not jit_module and _VERSION ~= "Lua 5.3"
local pause, step

local function stop()
  if not pause then return end
  debug.sethook()
  collectgarbage("setpause", pause)
  pause = nil
  if generational then
    collectgarbage "generational"
  else
    collectgarbage("setstepmul", step)
    if jit_module then jit_module.on() end
  end
end

local function start()
  if generational then
    collectgarbage("incremental", 0, 1000, 63)
    pause = collectgarbage("setpause", 0)
  else
    if jit_module then jit_module.off() end
    pause, step = collectgarbage("setpause", 0), collectgarbage("setstepmul", jit_module and 0 or 1000000)
  end
  collectgarbage() -- the new pause holds from the end of a cycle on
end

--- Begins; does nothing where it has begun.
-- @param seconds of processor time, after which it ends by itself; nil: it does not
function gc.restless(seconds)
  if pause then return end
  start()
  if not seconds then return end
  local ends = os.clock() + seconds
  debug.sethook(function()
    if os.clock() < ends then return end
    stop()
    gc.relaxed = gc.relaxed + 1
  end, "", 1000)
end

gc.restful = stop

local newproxy = rawget(_G, "newproxy")

--- A value that calls fn when it is collected.
function gc.finalizer(fn)
  if not newproxy then return setmetatable({}, { __gc = fn }) end
  local proxy = newproxy(true)
  getmetatable(proxy).__gc = fn
  return proxy
end

return gc
