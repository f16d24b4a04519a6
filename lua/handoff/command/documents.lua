-- SPDX-License-Identifier: MIT
--- The configurations that a verb looks at: what agents have now, or, with --from, what files of desired state or a saved plan
-- give them; then nothing is requested, and no token is needed.
local core = require "handoff.core"
local failure = require "handoff.command.failure"
local status = require "handoff.command.status"
local wording = require "handoff.command.wording"

local documents = {}

-- ---- live -----------------------------------------------------------------------------------------------------------------

local function names_asked_for(ctx)
  local names = ctx.args.agents or { ctx.args.agent }
  return #names > 0 and names or nil
end

--- Ends the verb where somebody stopped the run before it had read all.
function documents.check_whole(ctx, run)
  local left = run.counts.untouched
  if not left then return end
  failure.raise(status.interrupted, ("interrupted: %s not read; ask again for all of them"):format(
    ctx:plural(left, "agent was", "agents were")))
end

local function look_at_live(ctx, fn)
  local names = names_asked_for(ctx)
  local fleet = names and ctx:named(names) or not names and ctx:fleet()
  local run = failure.check(require("handoff.command.progress").during(ctx, fleet, "reading", function(opts)
    return fleet:each(function(client, agent)
      local cfg, err = client:get()
      if not cfg then return nil, err end
      return { value = fn(cfg, agent) }
    end, opts)
  end))
  documents.check_whole(ctx, run)
  local list = {}
  for i, agent in ipairs(fleet:agents()) do
    local result = run.results[i]
    local value = result.value and result.value.value
    list[i] = { agent = agent.name, tags = agent.tags, value = value, error = result.error }
  end
  return list
end

-- ---- from files -----------------------------------------------------------------------------------------------------------

local function entries_of_plan(path)
  local plans, entries = require "handoff.plan", {}
  local saved = failure.check(plans.read(path))
  for i, name in ipairs(saved.names) do
    local entry = saved.entries[name]
    entries[i] = { agent = name, open = function() return plans.outcome(entry.before, entry.meant) end }
  end
  return entries
end

local function entries_of_files(files)
  local desired, entries = require "handoff.desired", {}
  for i, file in ipairs(files) do
    entries[i] = { agent = file.agent, open = function() return desired.config(file.value) end }
  end
  return entries
end

local function entries_of(ctx, path)
  local kind, desired = core.file.kind(path), require "handoff.desired"
  if kind == "file" and path:find "%.plan$" then return entries_of_plan(path) end
  local files, err
  if kind == "folder" then
    files, err = desired.folder(path)
  else
    files, err = desired.read(path)
    files = files and { files }
  end
  if not files and not kind then failure.check(nil, err) end
  if not files then require("handoff.command.edit").refuse_desired(ctx, path, err) end
  if #files == 0 then
    failure.raise(status.failed, ("%s: no file of desired state is in it; `handoff pull %s` writes them"):format(path,
      require("handoff.command.edit").name_of { path }))
  end
  return entries_of_files(files)
end

-- The agents of the inventory by name; none where there is no inventory, none was named, and nothing is selected from it.
local function inventory_of(ctx)
  local known, chosen = {}, ctx.args.select or ctx.args.shard
  if not chosen and ctx.args.inventory == "agents.lua" and not core.file.kind "agents.lua" then return known end
  for _, agent in ipairs(ctx:fleet():agents()) do known[agent.name] = agent end
  return known, chosen
end

local function check_names(path, names, entries)
  local there, list = {}, {}
  for i, entry in ipairs(entries) do there[entry.agent], list[i] = true, entry.agent end
  for _, name in ipairs(names) do
    if not there[name] then
      failure.raise(status.misuse, ("%s: %s has nothing of this agent; %s"):format(name, path,
        require "handoff.hint"(name, list, "it has " .. require("handoff.digest").names(list, 60))))
    end
  end
end

local function look_at_files(ctx, fn)
  local path, names, wanted = ctx.args.from, names_asked_for(ctx), nil
  local entries = entries_of(ctx, path)
  if names then
    check_names(path, names, entries)
    wanted = {}
    for _, name in ipairs(names) do wanted[name] = true end
  end
  local known, chosen = inventory_of(ctx)
  local list = {}
  for _, entry in ipairs(entries) do
    local agent = known[entry.agent]
    if (agent or not chosen) and (not wanted or wanted[entry.agent]) then
      local cfg, err = entry.open()
      local tags = agent and agent.tags or {}
      local value = cfg and fn(cfg, agent or { name = entry.agent, tags = tags })
      list[#list + 1] = { agent = entry.agent, tags = tags, value = value, error = err }
    end
  end
  if #list == 0 then
    failure.raise(status.misuse, ("--select: no agent of %s is selected; leave --select and --shard out"):format(path))
  end
  return list
end

-- ---- both -----------------------------------------------------------------------------------------------------------------

local function status_of(list)
  local failed = 0
  for _, one in ipairs(list) do
    if one.error then failed = failed + 1 end
  end
  return failed == 0 and status.done or failed == #list and status.failed or status.partly
end

--- Looks at the configurations that the verb is asked for (flags "agents", "requests", "from"; agents named as arguments
-- `agents`, or one as `agent`). Ends the verb where none can be had, and where it is interrupted.
-- @param fn function(cfg, agent) → a value; agent has name and tags. What it raises ends up as the agent's error when live.
-- @return a list of { agent=, tags=, value= or error= } in the order of the inventory, or of the files; and the exit status
function documents.look(ctx, fn)
  local list = ctx.args.from and look_at_files(ctx, fn) or not ctx.args.from and look_at_live(ctx, fn)
  return list, status_of(list)
end

--- Says of which agents nothing could be had, and why, the same of many once.
-- @param list of what has `error` where that is so: a run's results, too
function documents.failures(ctx, list)
  local digest = require "handoff.digest"
  for _, group in ipairs(digest.errors(list)) do
    local names, text = group.names, tostring(group.error)
    if names[2] then
      text = ("%s: %s: %s"):format(ctx:plural(#names, "agent"), digest.names(names, 60), group.message)
    end
    ctx:note(wording.in_flags(text))
  end
end

return documents
