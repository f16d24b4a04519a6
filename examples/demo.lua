-- SPDX-License-Identifier: MIT
-- What `make demo` shows: one edit over 25 agents of a sandbox, the remote API emulated on this machine, over real HTTP. Then
-- the same edit once more, which finds nothing left to change, and the edit taken back. Needs no account, no token, no network.

local handoff = require "handoff"

local AGENTS = 25

-- The edit: what an operator would write.
local function edit(cfg)
  cfg.settings.is_active = true
  cfg.settings.working_hours_active = true
  cfg.availability = {
    { day_span = "monday-friday", start_time = "09:00", end_time = "17:30" },
    { day_span = "saturday", start_time = "10:00", end_time = "14:00" },
  }
  cfg.custom_guidelines:upsert {
    name = "Refund over 500",
    description = "The visitor asks for a refund of more than 500 EUR.",
    is_active = true,
  }
  cfg.routing_profiles:upsert {
    name = "Billing",
    description = "Invoices, payments, refunds, a card that was declined.",
    is_active = true,
    user_ids = { 7, 8 },
  }
end

local terminal = os.execute "test -t 1" -- LuaJIT answers with a number
local colours = (terminal == true or terminal == 0) and (os.getenv "NO_COLOR" or "") == ""
local codes = { added = 32, changed = 33, removed = 31, moved = 36, bold = 1, dim = 2 }

local function paint(style, text)
  return colours and ("\27[%dm%s\27[0m"):format(codes[style], text) or text
end

-- Starts the sandbox on a free port → a function that stops it, its base URL, its inventory, a folder that goes with it. The
-- pipe with a name is how it says where it listens. It ends when its standard input does, so it cannot outlive this program.
local function start_sandbox()
  local folder = io.popen("mktemp -d"):read "*l"
  local says, inventory = folder .. "/says", folder .. "/agents.lua"
  os.execute(("mkfifo '%s'"):format(says))
  local command = "exec %s lua/bin/handoff sandbox --agents %d --until-eof --inventory '%s' >'%s'"
  local sandbox = io.popen(command:format(arg[-1], AGENTS, inventory, says), "w")
  local url = io.open(says):read "*l"
  local agents = url and dofile(inventory)
  local function stop()
    sandbox:close()
    os.execute(("rm -r '%s'"):format(folder))
  end
  if not url then
    stop()
    error("the sandbox did not start; what it said is above", 0)
  end
  return stop, url, agents, folder
end

local function show(run)
  for _, result in ipairs(run.results) do
    if result.status ~= "unchanged" then print(paint("bold", result.agent)) end
    if result.error then print("  " .. tostring(result.error)) end
    for _, change in ipairs(result.changes or {}) do print("  " .. paint(change.kind, tostring(change))) end
  end
  print(paint("bold", tostring(run)))
  return run
end

local stop, url, agents, folder = start_sandbox()
print(paint("dim", ("A sandbox with %d agents answers at %s"):format(#agents, url)))
local ok, first, second, undone = pcall(function()
  local fleet = assert(handoff.fleet(agents, { base_url = url, history = folder .. "/history.db" }))
  print "\nThe edit, over all of them:\n"
  local first = show(assert(fleet:update(edit)))
  print "\nThe same edit once more:\n"
  local second = show(assert(fleet:update(edit)))
  print "\nThe first run taken back:\n"
  return first, second, assert(fleet:undo(first.id))
end)
stop()
if not ok then error(first, 0) end
print(paint("bold", tostring(undone)))
os.exit(first.counts.changed == AGENTS and second.counts.unchanged == AGENTS and undone.counts.changed == AGENTS)
