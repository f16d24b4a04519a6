-- SPDX-License-Identifier: MIT
-- An incident: no agent hands over to people any more; later, all that did before do so again, and those that were off stay off.
--
--     lua5.4 examples/recipes/incident_switch.lua agents.lua off ['region=eu']
--     lua5.4 examples/recipes/incident_switch.lua agents.lua on ['region=eu']
--
-- "on" takes back what "off" did with the same selection, once or several times, for the agents that nobody took back by hand;
-- what else was edited meanwhile stays.

local handoff = require "handoff"

local inventory, switch, selection = arg[1], arg[2], arg[3]
if switch ~= "on" and switch ~= "off" then
  io.stderr:write "usage: lua5.4 incident_switch.lua agents.lua on|off [SELECTION]\n"
  os.exit(64)
end
local fleet = assert(handoff.fleet(inventory))
if selection then fleet = fleet:select(selection) end
local name = "incident " .. (selection or "everywhere")

local ok, any = true, false
local function report(run, err)
  if run then print(run:text()) else io.stderr:write(tostring(err), "\n") end
  ok, any = ok and run ~= nil and not (run.counts.failed or run.stopped), true
end

if switch == "off" then
  report(fleet:update(function(cfg) cfg.settings.is_active = false end, { edit = name }))
  os.exit(ok)
end

local history = assert(handoff.history())
local runs = assert(history:runs { edit = name, kind = "update" })
if #runs == 0 then
  io.stderr:write(name, ": no run in the history has that name; give the selection that \"off\" had\n")
  os.exit(1)
end
for _, run in ipairs(runs) do
  for _, part in ipairs(assert(run:remaining())) do
    local some = fleet:select(function(agent) return part.agents[agent.name] end)
    local there = some:agents()[1] ~= nil -- they may be of another inventory
    if there and part.undo then report(some:resume(part.undo)) end
    if there and not part.undo then report(some:undo(run.id)) end
  end
end
history:close()
if not any then print "nothing is left to switch on" end
os.exit(ok)
