-- SPDX-License-Identifier: MIT
-- Takes a run back: what it changed is merged in reverse into what is there now, so that what others edited since stays.
--
--     lua5.4 examples/recipes/take_back.lua agents.lua                        lists the runs
--     lua5.4 examples/recipes/take_back.lua agents.lua 12                     takes run 12 back
--     lua5.4 examples/recipes/take_back.lua agents.lua 12 name=shop-uk        for one agent only, or any selection
--
-- On the command line that is `handoff history` and `handoff undo 12 --select name=shop-uk`, which asks first.

local handoff = require "handoff"

if not arg[1] then
  io.stderr:write "usage: lua5.4 take_back.lua agents.lua [run [SELECTION]]\n"
  os.exit(64)
end

if not arg[2] then
  local history = assert(handoff.history())
  for _, run in ipairs(assert(history:runs())) do print(run) end
  history:close()
  os.exit(true)
end

local fleet = assert(handoff.fleet(arg[1]))
if arg[3] then fleet = fleet:select(arg[3]) end
local run = assert(fleet:undo(tonumber(arg[2])))
print(run:text())
os.exit(not (run.counts.failed or run.stopped))
