-- SPDX-License-Identifier: MIT
-- Takes a run back: what it changed is merged in reverse into what is there now, so that what others edited since stays.
--
--     lua5.4 examples/take_back.lua agents.lua          lists the runs
--     lua5.4 examples/take_back.lua agents.lua 12       takes run 12 back
--
-- HANDOFF_BASE_URL says where the API is when it is not the vendor's: a sandbox on this machine, for one.

local handoff = require "handoff"

if not arg[1] then
  io.stderr:write "usage: lua5.4 take_back.lua agents.lua [run]\n"
  os.exit(64)
end

local function check(value, err)
  if value then return value end
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end

if not arg[2] then
  local history = check(handoff.history())
  for _, run in ipairs(check(history:runs())) do print(run) end
  history:close()
  os.exit(true)
end

local run = check(check(handoff.fleet(arg[1])):undo(tonumber(arg[2])))
print(run:text())
os.exit(not run.counts.failed)
