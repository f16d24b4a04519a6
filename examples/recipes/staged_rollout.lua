-- SPDX-License-Identifier: MIT
-- An edit in waves: one agent first, then a tenth, then all. Between two waves a gate is asked, a command of yours that looks at
-- your dashboards, say; where it ends with another status than 0 the rest stays as it is.
--
--     lua5.4 examples/recipes/staged_rollout.lua agents.lua edit.lua './healthy.sh'
--
-- edit.lua returns a function (cfg, agent), as for `handoff apply`. How to go on, or back, is printed at the end.

local handoff = require "handoff"

local inventory, edit, gate = arg[1], arg[2], arg[3]
if not gate then
  io.stderr:write "usage: lua5.4 staged_rollout.lua agents.lua edit.lua 'GATE COMMAND'\n"
  os.exit(64)
end

local run = assert(assert(handoff.fleet(inventory)):update(dofile(edit), {
  edit = edit, -- `handoff resume` reads it again by this name
  waves = { 1, "10%", "100%" }, -- with waves, the first failure stops the run: max_failures = 0
  on_wave = function(wave)
    print(("wave %d of %d: %d written, %d left"):format(wave.number, wave.of, wave.reached, wave.left))
    local passed = os.execute(gate)
    return passed == true or passed == 0 -- Lua 5.4 says true, LuaJIT 0
  end,
}))
print(run:text())
os.exit(not run.stopped and not run.counts.failed)
