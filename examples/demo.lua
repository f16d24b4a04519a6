-- SPDX-License-Identifier: MIT
-- What `make demo` shows: one edit over 25 agents of a sandbox, the remote API emulated on this machine, over real HTTP. Then
-- the same edit once more, which finds nothing left to change. Needs no account, no token and no network.

local handoff = require "handoff"
local line = require("handoff.change").line

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

-- Starts the sandbox on a free port → a function that stops it, its base URL, its inventory. The pipe with a name is how it says
-- where it listens. It ends when its standard input does, so it cannot outlive this program, and its folder is gone once read.
local function start_sandbox()
  local folder = io.popen("mktemp -d"):read "*l"
  local says, inventory = folder .. "/says", folder .. "/agents.lua"
  os.execute(("mkfifo '%s'"):format(says))
  local command = "exec %s lua/handoff/sandbox.lua --agents %d --until-eof --inventory '%s' >'%s'"
  local sandbox = io.popen(command:format(arg[-1], AGENTS, inventory, says), "w")
  local url = io.open(says):read "*l"
  local agents = url and dofile(inventory)
  os.execute(("rm -r '%s'"):format(folder))
  if not url then error("the sandbox did not start; what it said is above", 0) end
  return function() sandbox:close() end, url, agents
end

local function run(agents, url)
  local counts = { changed = 0, unchanged = 0, failed = 0 }
  for _, agent in ipairs(agents) do
    local client = handoff.client { name = agent.name, token = agent.token, base_url = url }
    local outcome, err = client:update(edit)
    local status = outcome and outcome.status or "failed"
    counts[status] = counts[status] + 1
    if status ~= "unchanged" then print(paint("bold", agent.name)) end
    if not outcome then print("  " .. tostring(err)) end
    for _, change in ipairs(outcome and outcome.changes or {}) do print("  " .. paint(change.kind, line(change))) end
  end
  local summary = "%d agents: %d changed, %d unchanged, %d failed"
  print(paint("bold", summary:format(#agents, counts.changed, counts.unchanged, counts.failed)))
  return counts
end

local stop, url, agents = start_sandbox()
print(paint("dim", ("A sandbox with %d agents answers at %s"):format(#agents, url)))
local ok, first, second = pcall(function()
  print "\nThe edit, over all of them:\n"
  local first = run(agents, url)
  print "\nThe same edit once more:\n"
  return first, run(agents, url)
end)
stop()
if not ok then error(first, 0) end
os.exit(first.failed == 0 and second.unchanged == #agents)
