-- SPDX-License-Identifier: MIT
--- What all verbs that write have in common: the plan is made, held against the limits, shown and asked about; then it is
-- written, and what became of it is told, with how to go on and how to take it back.
local digest = require "handoff.digest"
local edit = require "handoff.command.edit"
local failure = require "handoff.command.failure"
local plan = require "handoff.command.plan"
local status = require "handoff.command.status"
local wording = require "handoff.command.wording"

local writing = {}

-- ---- options --------------------------------------------------------------------------------------------------------------

local passed_on = { "max_changes", "max_deletions", "max_failures", "waves", "on_conflict", "wait" }

--- Options of a fleet's run that are flags of the group "writing".
function writing.options(ctx)
  local opts = {}
  for _, name in ipairs(passed_on) do opts[name] = ctx.args[name] end
  opts.verify = ctx.args.verify
  if opts.verify == "none" then opts.verify = false end
  return opts
end

-- Both are called, the first one first.
local function both(first, second)
  return function(...)
    first(...)
    if second then second(...) end
  end
end

-- ---- how to go on ---------------------------------------------------------------------------------------------------------

-- Flags without which another verb would not find the same agents and the same run.
local kept_flags = { "inventory", "history", "base-url", "ca-file" }
local kept_switches = { "insecure", "allow-duplicates" }
-- Flags that held the run back: who goes on by what is printed is not to write all the rest at once.
local brakes = { "waves", "max-changes", "max-deletions", "max-failures", "test" }

-- The words in which a flag was given, every time: `--waves`, `1,100%`; none where it was not.
local function given(ctx, name)
  local flag, words = "--" .. name, {}
  for i, word in ipairs(ctx.words or {}) do
    local value = word == flag and ctx.words[i + 1] or word:sub(1, #flag + 1) == flag .. "=" and word:sub(#flag + 2)
    if value or word == flag then
      words[#words + 1] = flag
      words[#words + 1] = value or nil
    end
  end
  return words
end

--- `handoff resume 12 --inventory shops.lua`: a command as it is to be typed, with those of this call's flags that it needs, and
-- those that a resume is to be held back by.
-- @param ... its words: the verb, a run's number or a file
function writing.command(ctx, ...)
  local words = { "handoff", ... }
  for i, word in ipairs(words) do words[i] = type(word) == "number" and ("%d"):format(word) or word end
  local function keep(names)
    for _, name in ipairs(names) do
      for _, word in ipairs(given(ctx, name)) do words[#words + 1] = word end
    end
  end
  keep(kept_flags)
  if words[2] == "resume" then keep(brakes) end
  for _, name in ipairs(kept_switches) do words[#words + 1] = given(ctx, name)[1] end
  return edit.name_of(words)
end

local function has_left(run)
  return (run.counts.untouched or 0) + (run.counts.planned or 0) > 0
end

-- With the edit that a run was gone on with in place of its own, which is the one that the history knows.
local function resume_command(ctx, id)
  local own = ctx.verb == "resume" and ctx.args.edit or {}
  return writing.command(ctx, "resume", id, (table.unpack or unpack)(own))
end

local function advise(ctx, run)
  local counts, id = run.counts, run.id
  if not id then return end
  if has_left(run) then
    ctx:note(("`%s` goes on with it"):format(resume_command(ctx, id)))
  elseif (counts.failed or 0) > 0 then
    ctx:note(("`%s` tries what failed once more"):format(resume_command(ctx, id)))
  end
  if (counts.changed or 0) > 0 then
    ctx:note(("`%s` takes it back"):format(writing.command(ctx, "undo", id)))
  end
end

-- ---- before it is written ---------------------------------------------------------------------------------------------------

local questions = {
  apply = "Write this to %s?", undo = "Take this back on %s?", resume = "Go on, and write this to %s?",
}

-- Holds what would be written against the policies of --test → whether it passes; what fails is shown.
local function passes(ctx, gate, run, state)
  local result = gate:finish()
  if ctx.json and not result.ok then
    plan.show(ctx, run)
    require("handoff.command.policies").record(ctx, result)
  elseif not ctx.json then
    require("handoff.command.policies").show(ctx, result, true)
  end
  state.tested = result
  return result.ok
end

-- Shows the plan → whether it is to be written.
local function confirm(ctx, kind, run, gate, state)
  local count = plan.counts(run).change
  if not ctx.json then plan.show(ctx, run) end
  ctx.out:flush()
  if ctx.out.broken and count > 0 then
    failure.raise(status.failed, "standard output: it was closed before the plan was shown; nothing was written; "
      .. "let it be read to its end, or give --json, which shows no plan")
  end
  if gate and count > 0 and not passes(ctx, gate, run, state) then return false end
  if ctx.args.yes or count == 0 then return true end
  return require("handoff.command.prompt").ask(ctx, questions[kind]:format(ctx:plural(count, "agent")))
end

-- What was told in the plan is not told again.
local function mark_told(run)
  local told = {}
  for _, result in ipairs(run.results) do
    told[result.agent] = result.error
    result.new_warnings = nil
  end
  return told
end

-- ---- afterwards -------------------------------------------------------------------------------------------------------------

-- Of what was written only what the service keeps otherwise is news: the rest was told in the plan.
local function keep_news(run)
  for _, result in ipairs(run.results) do
    local news = {}
    for _, issue in ipairs(result.new_warnings or {}) do
      if issue.rule == "normalised" then news[#news + 1] = issue end
    end
    result.new_warnings = news[1] and news or nil
  end
end

-- What is told of a run, or why it was stopped, as the command says it.
local function in_words(text, signal)
  local line = text:gsub(", go on with fleet:resume%b()", "")
  if signal then line = line:gsub("stopped by the script", "interrupted") end
  return wording.in_flags(line)
end

-- A run in one line. What was planned and what was not even looked at is left, both: told once.
local function summary(run, signal)
  local left, line = (run.counts.planned or 0) + (run.counts.untouched or 0), tostring(run)
  if left > 0 and run.stopped then
    local told
    line, told = line:gsub("; %d+ left untouched", ""):gsub(", %d+ planned", (", %d left"):format(left), 1)
    line = line:gsub(", %d+ untouched", told == 0 and (", %d left"):format(left) or "", 1)
  end
  return in_words(line, signal)
end

local function report(ctx, run, told, signal)
  if told then keep_news(run) end
  plan.errors(ctx, run.results, function(result) return not told or told[result.agent] ~= result.error end)
  plan.warnings(ctx, run.results)
  ctx:say((run.id and ("Run %d: "):format(run.id) or "") .. summary(run, signal))
  advise(ctx, run)
end

local function record(ctx, run, signal)
  for _, result in ipairs(run.results) do plan.record(ctx, run, result) end
  local counts = { changed = 0, unchanged = 0, failed = 0 } -- so that a script can compare them
  for name, count in pairs(run.counts) do counts[name] = count end
  ctx:record {
    summary = true, run = run.id, counts = counts, stopped = run.stopped and in_words(run.stopped, signal) or nil,
  }
end

--- Ends the verb with an error of a fleet's run; the plan that a limit refused is shown before.
function writing.refuse(ctx, err)
  if err.kind == "limit" and err.run then plan.show(ctx, err.run) end
  failure.check(nil, err)
end

-- → told (what the plan showed; nil where it was not), and options for a run that ask.
local function asking(ctx, kind, opts, p, gate)
  local state, all = {}, writing.options(ctx)
  for name, value in pairs(opts) do all[name] = value end
  all.on_result = both(digest.observe, opts.on_result)
  all.on_planned = both(digest.observe, opts.on_planned)
  if gate then
    all.on_planned = both(all.on_planned, function(...) gate:observe(...) end)
    function all.on_put(...) return gate:admit(...) end
  end
  function all.confirm(run)
    p:hide()
    if not confirm(ctx, kind, run, gate, state) then return false end
    if not ctx.json then state.told = mark_told(run) end
    p:phase("writing", run)
    return true
  end
  function all.on_wave(wave)
    p:note(("wave %d of %d: %d written, %d left, %d failed"):format(wave.number, wave.of, wave.reached, wave.left,
      wave.failed))
  end
  return state, all
end

-- A saved plan may change nothing, a shard be empty.
local function has_nobody(ctx)
  if ctx.json then
    ctx:record { summary = true, counts = {} }
  else
    ctx:say "Plan: 0 agents to change, 0 unchanged, 0 failed."
  end
  return status.done
end

--- Makes a run that writes: plans it, shows the plan, asks unless --yes, writes it, reports.
-- @param fleet whose agents it is for
-- @param kind "apply", "undo" or "resume": what is asked
-- @param start function(opts) → run | nil, err: calls fleet:update, undo or resume with these options
-- @return the exit status
function writing.perform(ctx, fleet, kind, start)
  if not ctx.args.yes then require("handoff.command.prompt").check(ctx) end
  if #fleet:agents() == 0 then return has_nobody(ctx) end
  local gate = ctx.args.test and require("handoff.command.policies").gate(ctx.args.test, fleet:agents())
  local state, signal
  local run, err = require("handoff.command.progress").during(ctx, fleet, "planning", function(opts, p)
    local all
    state, all = asking(ctx, kind, opts, p, gate)
    local made, why = start(all)
    signal = p:interrupted()
    return made, why
  end)
  if not run then writing.refuse(ctx, err) end
  if state.tested then require("handoff.command.policies").refuse(ctx, state.tested, "nothing was written") end
  if run.declined then
    ctx:note "declined: nothing was written"
    return status.failed
  end
  if ctx.json then record(ctx, run, signal) else report(ctx, run, state.told, signal) end
  return signal and has_left(run) and status.interrupted or status.of_run(run)
end

return writing
