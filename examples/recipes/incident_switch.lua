-- SPDX-License-Identifier: MIT
-- An incident: no agent hands over to people any more; later, all that did before do so again, and those that were off stay off.
--
--     lua5.4 examples/recipes/incident_switch.lua agents.lua off ['region=eu']
--     lua5.4 examples/recipes/incident_switch.lua agents.lua on ['region=eu']
--
-- "on" takes back what "off" did with the same selection, once or several times; what else was edited meanwhile stays.

local handoff = require "handoff"

local inventory, switch, selection = arg[1], arg[2], arg[3]
if switch ~= "on" and switch ~= "off" then
  io.stderr:write "usage: lua5.4 incident_switch.lua agents.lua on|off [SELECTION]\n"
  os.exit(64)
end
local fleet = assert(handoff.fleet(inventory))
if selection then fleet = fleet:select(selection) end
local name = "incident " .. (selection or "everywhere")

local ok, done = true, false
local function report(run)
  print(run:text())
  ok, done = ok and not (run.counts.failed or run.stopped), true
end

if switch == "off" then
  report(assert(fleet:update(function(cfg) cfg.settings.is_active = false end, { edit = name })))
  os.exit(ok)
end

local history = assert(handoff.history())
for _, run in ipairs(assert(history:runs { edit = name, kind = "update" })) do
  local back = assert(history:runs { of = run.id, limit = 1 })[1]
  if not back then
    report(assert(fleet:undo(run.id)))
  elseif not back:complete() then
    report(assert(fleet:resume(back.id)))
  end
end
history:close()
if not done then print "nothing was switched off" end
os.exit(ok)
