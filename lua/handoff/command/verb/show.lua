-- SPDX-License-Identifier: MIT
local failure = require "handoff.command.failure"
local past = require "handoff.command.past"
local status = require "handoff.command.status"

-- ---- what was done to an agent ------------------------------------------------------------------------------------------

-- Of an agent whose turn the run did not see the end of.
local DOUBT = "the run ended before the answer to the PUT came, so whether it was written is not known"

-- An agent of the run with its changes, as a run's result. Its error is a text, which its name is taken out of, so that the same
-- error of many is told once.
local function result_of(run, entry)
  local change, json = require "handoff.change", require("handoff.core").json
  local before, meant = run:documents(entry.name)
  local message = entry.error
  if message and message:sub(1, #entry.name + 2) == entry.name .. ": " then message = message:sub(#entry.name + 3) end
  if entry.status == "writing" and run.state ~= "running" then message = DOUBT end
  return {
    agent = entry.name, status = entry.status, at = entry.at, error = message,
    changes = before and change.diff(json.decode(before), json.decode(meant)) or nil,
  }
end

local function record(ctx, run, result)
  ctx:record {
    run = run.id, agent = result.agent, status = result.status, at = past.time(result.at),
    changes = past.changes(result.changes), error = result.error,
  }
end

-- ---- a run ----------------------------------------------------------------------------------------------------------------

local is_left = { pending = true, planned = true, skipped = true }

-- Those of which nothing else is said.
local function names_of_left(results)
  local names = {}
  for _, result in ipairs(results) do
    if is_left[result.status] and not result.error then names[#names + 1] = result.agent end
  end
  return names
end

-- What can still be done about the run.
local function write_way_on(ctx, run)
  local command, steps = require("handoff.command.writing").command, {}
  if run.state == "running" then return end
  if past.is_open(run) then steps[1] = ("`%s` goes on with it"):format(command(ctx, "resume", run.id)) end
  if past.has_written(run) then steps[#steps + 1] = ("`%s` takes it back"):format(command(ctx, "undo", run.id)) end
  if steps[1] then ctx:note(table.concat(steps, "; ")) end
end

local function write_run(ctx, run, results)
  local plan, changed = require "handoff.command.plan", {}
  for _, result in ipairs(results) do
    if result.status == "changed" then changed[#changed + 1] = result end
  end
  plan.changes(ctx, changed)
  plan.errors(ctx, results)
  local left = names_of_left(results)
  if #left > 0 then
    local head = ("%s left as %s: "):format(ctx:plural(#left, "agent"), #left == 1 and "it was" or "they were")
    ctx:say(head .. require("handoff.digest").names(left, ctx.out:width() - #head) .. "\n")
  end
  ctx:say(past.line(run))
  write_way_on(ctx, run)
end

local function show_run(ctx, run)
  local results = {}
  for _, entry in failure.check(run:entries()) do results[#results + 1] = result_of(run, entry) end
  if not ctx.json then return write_run(ctx, run, results) end
  for _, result in ipairs(results) do record(ctx, run, result) end
end

-- ---- one agent of it ------------------------------------------------------------------------------------------------------

local function write_value(ctx, sign, colour, value)
  local text = ctx.tame(require("handoff.core").json.encode(value, { indent = 2 }))
  for line in text:gmatch "[^\n]+" do ctx:say("  " .. ctx.out:paint(colour, sign .. " " .. line)) end
end

local function is_short(value)
  return type(value) ~= "table" and (type(value) ~= "string" or #value <= 40)
end

-- A change with nothing of it cut.
local function write_change(ctx, c)
  local line = require("handoff.change").line(c)
  if c.member or c.kind == "moved" or is_short(c.before) and is_short(c.after) then return ctx:say(line) end
  ctx:say(("%s %s"):format(line:sub(1, 1), c.path))
  if c.before ~= nil then write_value(ctx, "-", "red", c.before) end
  if c.after ~= nil then write_value(ctx, "+", "green", c.after) end
end

local function refuse_agent(run, name, names)
  local hint = require "handoff.hint"
  failure.raise(status.misuse, ("%s: no agent of run %d has this name; %s"):format(name, run.id,
    hint(name, names, ("`handoff show %d` names them"):format(run.id))))
end

local function show_agent(ctx, run, name)
  local names, found = {}, nil
  for agent, entry in failure.check(run:entries()) do
    names[#names + 1] = agent
    if agent == name then found = entry end
  end
  if not found then refuse_agent(run, name, names) end
  local result = result_of(run, found)
  if ctx.json then return record(ctx, run, result) end
  for _, c in ipairs(result.changes or {}) do write_change(ctx, c) end
  if result.error then ctx:say(ctx.out:paint("red", past.fit(result.error, math.huge))) end
  ctx:say(("%s: %s, %s UTC"):format(name, result.status, os.date("!%Y-%m-%d %H:%M:%S", result.at)))
end

return {
  summary = "show what a run did, or the full change of one agent", group = "runs",
  arguments = {
    past.argument, { name = "agent", metavar = "AGENT", args = "?", help = "only this one, with nothing of it cut" },
  },
  flags = { "history" },
  details = "Shows what a run wrote, each set of changes once with the agents it was made to, then what "
    .. "failed, what is in doubt and what was left. With an agent's name: all of what the run changed of "
    .. "that one.",
  examples = {
    { "handoff show 12", "what run 12 did" }, { "handoff show 12 shop-uk", "what it did to shop-uk, in full" },
  },
  run = function(ctx)
    past.look(ctx, function(history)
      local run = failure.check(history:run(ctx.args.run))
      if ctx.args.agent then show_agent(ctx, run, ctx.args.agent) else show_run(ctx, run) end
    end)
  end,
}
