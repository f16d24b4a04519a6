-- SPDX-License-Identifier: MIT
--- What verbs have in common that plan and write nothing: `plan` and `diff`.
local digest = require "handoff.digest"
local edit = require "handoff.command.edit"
local failure = require "handoff.command.failure"
local plan = require "handoff.command.plan"
local plans = require "handoff.plan"
local status = require "handoff.command.status"
local writing = require "handoff.command.writing"

local planning = {}

-- A command to go on with, over the same agents.
local function next_command(ctx, verb, path)
  local inventory = ctx.args.inventory ~= "agents.lua" and "--inventory=" .. ctx.args.inventory or nil
  return edit.name_of { "handoff", verb, path, inventory }
end

-- ---- saving ---------------------------------------------------------------------------------------------------------------

local function check_output(path)
  if path:find "%.plan$" then return end
  failure.raise(status.misuse, ("--output: a saved plan is known by its name; end it in .plan: %s.plan"):format(path))
end

-- A function(result, outcome) that saves what would change, and the writer.
local function saver(ctx, fleet, loaded)
  local path = ctx.args.output
  check_output(path)
  local identities, keys = failure.check(fleet:identities()), {}
  for _, agent in ipairs(identities) do keys[agent.name] = agent.key end
  local writer = failure.check(plans.create(path, {
    edit = loaded.name, inventory = ctx.args.inventory, select = ctx.args.select,
    shard = ctx.args.shard and table.concat(ctx.args.shard, "/") or nil,
  }))
  return function(result, outcome)
    if outcome and outcome.status == "changed" then writer:add(result.agent, keys[result.agent], outcome) end
  end, writer
end

-- Puts the saved plan in its place, or leaves nothing of it where there is no plan.
local function end_saving(ctx, writer, is_whole)
  if not writer then return end
  if not is_whole then return writer:discard() end
  failure.check(writer:finish())
  ctx:note(("the plan is saved; `%s` applies it"):format(writing.command(ctx, "apply", writer.path)))
end

-- ---- what has no file -----------------------------------------------------------------------------------------------------

-- Agents that a folder says nothing about.
local function tell_without_file(ctx, loaded)
  if not loaded.folder or ctx.args.select or ctx.args.shard then return end
  local has_file, names = {}, {}
  for _, name in ipairs(loaded.agents) do has_file[name] = true end
  for _, agent in ipairs(ctx:fleet():agents()) do
    if not has_file[agent.name] then names[#names + 1] = agent.name end
  end
  if #names == 0 then return end
  ctx:note(("%s no file in %s: %s; `%s` writes one"):format(#names == 1 and "1 agent has" or #names .. " agents have",
    loaded.folder, digest.names(names, 60), next_command(ctx, "pull", loaded.folder)))
end

-- ---- the verb -------------------------------------------------------------------------------------------------------------

local function observe(opts, save, gate)
  local on_result = opts.on_result
  return function(result, outcome)
    digest.observe(result, outcome)
    if save then save(result, outcome) end
    if gate and outcome and outcome.status == "changed" then gate:observe(result, outcome) end
    if on_result then on_result(result, outcome) end
  end
end

local function make(ctx, fleet, loaded, save, gate)
  return require("handoff.command.progress").during(ctx, fleet, "planning", function(opts, p)
    local all = writing.options(ctx)
    for name, value in pairs(opts) do all[name] = value end
    all.dry_run, all.on_result, all.edit = true, observe(opts, save, gate), loaded.name
    local run, err = fleet:update(loaded.fn, all)
    if run and run.counts.untouched then run.signal = p:interrupted() end
    return run, err
  end)
end

-- Holds what would be written against the policies of --test, and tells → see policy/report.lua; nil where nothing changes.
local function look_at_policies(ctx, gate, run)
  if not gate or run.signal or plan.counts(run).change == 0 then return nil end
  local policies, result = require "handoff.command.policies", gate:finish()
  if ctx.json then policies.record(ctx, result) else policies.show(ctx, result, true) end
  return result
end

local function status_of(ctx, run)
  if run.signal then return status.interrupted end
  local code = status.of_run(run)
  if code == status.done and ctx.args.detailed_exitcode and plan.counts(run).change > 0 then return status.pending end
  return code
end

--- Plans an edit and shows what it would change.
-- @param words the edit, see edit.load
-- @return the exit status
function planning.perform(ctx, words)
  local loaded = edit.load(ctx, words)
  local fleet, save, writer = edit.fleet(ctx, loaded), nil, nil
  local gate = ctx.args.test and require("handoff.command.policies").gate(ctx.args.test, fleet:agents())
  if ctx.args.output then save, writer = saver(ctx, fleet, loaded) end
  local ok, run, err = pcall(make, ctx, fleet, loaded, save, gate)
  if not ok or not run or run.signal then end_saving(ctx, writer, false) end
  if not ok then error(run, 0) end
  if not run then writing.refuse(ctx, err) end
  plan.show(ctx, run)
  local tested = look_at_policies(ctx, gate, run)
  if not run.signal then end_saving(ctx, writer, not tested or tested.ok) end
  tell_without_file(ctx, loaded)
  if tested then
    require("handoff.command.policies").refuse(ctx, tested, writer and "the plan is not saved" or "nothing was written")
  end
  return status_of(ctx, run)
end

return planning
