-- SPDX-License-Identifier: MIT
--- One run while it goes on: its passes over the agents, what is recorded of each, when it stops.
--
-- What is done to an agent is its work: function(session, index, how) → an outcome as client:update gives, or nil, err; `how`
-- are options of client:update. In one pass, each agent's work is done at once. With limits, waves or confirm there are two: the
-- first does the work of all as a dry run and records what each would write; the second, wave by wave, carries that over to
-- what is there by then.
local client = require "handoff.client"
local config = require "handoff.config"
local core = require "handoff.core"
local crew = require "handoff.fleet.crew"
local inventory = require "handoff.inventory"
local limiter = require "handoff.fleet.limiter"
local loops = require "handoff.loop"
local rollout = require "handoff.fleet.rollout"
local runs = require "handoff.fleet.run"

local session = {}

local Session = {}
Session.__index = Session

-- Options that go through to client:update as they are.
local passed_on = { "merge", "verify", "on_conflict" }

--- @param given { agents= a list, options= of the run, work=, record=, clients= options of every client, loop= }
--   record keeps what happened (see handoff.history and handoff.fleet.unrecorded); nil for a run that writes nothing
function session.new(given)
  local self = setmetatable(given, Session)
  local o = self.options
  self.run = runs.new(self.agents, o.dry_run)
  self.run.id = self.record and self.record.id
  self.limiter = limiter.new(o.concurrency)
  self.failures, self.deletions, self.planned, self.works = 0, 0, {}, {}
  -- By index: its task goes on; a PUT of this session may have left; one of an earlier session may have been written.
  self.under_way, self.announced, self.doubtful = {}, {}, {}
  self.carried = {} -- by index: the text that the plan meant, while it is written
  local most = o.max_failures or o.waves and 0
  self.max_failures = most and rollout.amount(most, #self.agents, math.floor, "max_failures")
  self.make_client = client.maker(self.clients, function(...) return self.limiter:observe(...) end)
  return self
end

-- ---- one agent ----------------------------------------------------------------------------------------------------------

function Session:client(index)
  return self.make_client(inventory.options(self.agents[index]))
end

--- The documents that a run recorded of an agent → before, meant, answer (nil where that is not known); or nil, err, also where
-- it has none: it may have been killed before they were on the disk.
function session.documents(record, name)
  local before, meant, answer = record:documents(name)
  if before or meant then return before, meant, answer end
  return nil, core.error.new { kind = "invalid", rule = "documents", agent = name,
    message = "the history has no document of it in this run; look at what is there (client:get), and edit it anew" }
end

-- What was there before the run, as far as that is known: what an earlier PUT of it may have written of the edit is taken out of
-- what is there now, so that all of it is taken back → a text; or nil, err.
local function before_run(self, index, before)
  local is_first = not (self.announced[index] or self.doubtful[index])
  if is_first or not self.record.id then return before end
  local was, made = session.documents(self.record, self.agents[index].name)
  if not was then return nil, made end
  local cfg = assert(config.new(before, true))
  was, made = assert(config.new(was, true)), assert(config.new(made, true))
  config.merge(cfg, made, was, { resolve = "theirs", lenient = true })
  return cfg:text()
end

-- Asks the script about a PUT → true; or nil, err where it is not to leave.
local function may_put(self, index, before, meant)
  local on_put = self.options.on_put
  if not on_put then return true end
  return on_put(self.run.results[index], before, meant, meant == self.carried[index])
end

--- Options of client:update for the agent: each PUT is recorded before it leaves.
local function how_to(self, index, is_dry)
  local how, record, name = { dry_run = is_dry }, self.record, self.agents[index].name
  for _, option in ipairs(passed_on) do how[option] = self.options[option] end
  if not is_dry then
    function how.on_put(before, meant)
      local ok, err = may_put(self, index, before, meant)
      if ok ~= true then return ok, err end
      local start, why = before_run(self, index, before)
      if not start then return nil, why end
      self.announced[index] = true
      return record:writing(name, start, meant)
    end
  end
  return how
end

-- What ended an agent's work from outside of it says nothing of the PUT that may have left.
local function cut_short(self, index, err)
  if self.announced[index] then err.unknown = true end
  return err
end

-- What lua and luajit raise at Ctrl-C; luajit in whatever coroutine runs: then it is no failure of the agent's.
local function is_interrupt(raised)
  return raised.rule == "raised" and type(raised.value) == "string" and raised.value:find "interrupted!$" ~= nil
end

--- Does the work of the agent at that index. That it failed this time does not tell what became of an earlier PUT.
local function attempt(self, index, is_dry)
  local work = self.works[index] or self.work
  local ok, outcome, err = loops.call(work, self, index, how_to(self, index, is_dry))
  if not ok and is_interrupt(outcome) then error(outcome.value, 0) end
  if not ok then outcome, err = nil, cut_short(self, index, outcome) end
  if err and self.doubtful[index] then err.unknown = true end
  return outcome, err
end

local function stop(self, why)
  self.run.stopped = self.run.stopped or why
end

local function count_failure(self)
  self.failures = self.failures + 1
  local most = self.max_failures
  if most and self.failures > most then
    stop(self, ("stopped: %d failed, max_failures allows %d"):format(self.failures, most))
  end
end

-- An answer that never came may have been to a PUT that was done, and what the service did not keep as it was meant it may have
-- kept in part: such an agent is looked at again when the run is resumed, and taken back with it.
local function recorded_status(result)
  local err = result.error
  if not err then return result.status end
  return err.unknown and "unknown" or err.kind == "unverified" and "unverified" or result.status
end

local function record_result(self, result, outcome)
  -- What was there when it was looked later may hold others' edits, which are none of this run's.
  local after = outcome and outcome.status == "changed" and not outcome.reconciled and outcome.after_text
  local kept, err = self.record:done(result.agent, recorded_status(result), {
    after = after or nil, error = result.error and tostring(result.error),
    changes = result.changes and not result.reconciled and #result.changes or nil,
  })
  if not kept then stop(self, tostring(err)) end
end

-- What limits are held against.
local function count_change(self, index, outcome)
  self.planned[#self.planned + 1] = index
  for _, change in ipairs(outcome.changes) do
    if change.kind == "removed" then self.deletions = self.deletions + 1 end
  end
end

local function refusal(self)
  local counts = { agents = #self.agents, changes = #self.planned, deletions = self.deletions }
  return rollout.refusal(counts, self.options)
end

-- What the edit itself left out is no failure.
local function failed_status(err) return err.kind == "skipped" and "skipped" or "failed" end

local reported = { "changes", "warnings", "requests", "merged", "reconciled", "value" }

--- Takes down what became of the agent. Documents are not kept: they are in the history, and there may be thousands.
local function settle(self, index, outcome, err)
  if self.is_over then return end -- a cancelled task that comes to its end only now: conclude has told of it
  local result = self.run.results[index]
  result.status, result.error = outcome and outcome.status or failed_status(err), err
  self.under_way[index], self.carried[index] = nil, nil
  for _, name in ipairs(reported) do result[name] = outcome and outcome[name] end
  if err then
    if self.run.id then err.before = nil end
    if result.status == "failed" then count_failure(self) end
    if err.kind == "history" then stop(self, tostring(err)) end
  end
  if self.record then record_result(self, result, outcome) end
  if self.options.on_result then self.options.on_result(result, outcome) end
end

local function is_over(self)
  if not self.run.stopped and self.options.stop and self.options.stop() then
    stop(self, "stopped by the script")
  end
  return self.run.stopped ~= nil
end

-- ---- passes ---------------------------------------------------------------------------------------------------------------

--- Takes down that the agents whose tasks were cancelled with the run failed.
local function settle_cancelled(self, indexes)
  for _, index in ipairs(indexes) do
    if self.under_way[index] then
      settle(self, index, nil, cut_short(self, index, core.error.new {
        kind = "cancelled", agent = self.agents[index].name, message = "the run was cancelled",
      }))
    end
  end
end

--- Does one thing to each agent of the list (of indexes), many at once.
local function pass(self, indexes, one)
  local raised
  -- What is raised here was raised by a function of the script's that is not the edit: that ends the pass, and is no agent's
  -- failure.
  local function guarded(fn, ...)
    local ok, result = loops.call(fn, ...)
    if ok then return result end
    raised = raised or result
  end
  local function work(index)
    self.under_way[index] = true
    guarded(one, self, index)
    self.under_way[index] = nil
  end
  local function broken(index, err) guarded(settle, self, index, nil, cut_short(self, index, err)) end
  local function ends() return raised or guarded(is_over, self) or raised end
  local ok, err = crew.each(self.loop, self.limiter, indexes, work, broken, ends)
  if not ok then guarded(settle_cancelled, self, indexes) end
  if raised then core.error.again(raised) end
  return ok, err
end

local function write(self, index)
  local outcome, err = attempt(self, index, self.record == nil)
  if outcome and outcome.dry_run then count_change(self, index, outcome) end
  settle(self, index, outcome, err)
end

local function plan(self, index)
  local outcome, err = attempt(self, index, true)
  if not outcome or outcome.status ~= "changed" or outcome.reconciled then return settle(self, index, outcome, err) end
  local result = self.run.results[index]
  result.status, result.changes, result.warnings = "planned", outcome.changes, outcome.warnings
  count_change(self, index, outcome)
  self.works[index] = session.carry
  local before, why = before_run(self, index, outcome.before_text)
  local kept = before
  if before then kept, why = self.record:plan(result.agent, before, outcome.after_text, #outcome.changes) end
  if not kept then stop(self, tostring(why)) end
  if self.options.on_planned then self.options.on_planned(result, outcome) end
end

--- Carries the difference of two configurations over to what the agent has now.
function Session:apply(index, before, meant, how)
  how.merge = nil -- there is no other way
  return self:client(index):apply(before, meant, how)
end

--- The work of an agent whose documents are recorded: their difference is carried over.
function session.carry(self, index, how)
  local before, meant = session.documents(self.record, self.agents[index].name)
  if not before then return nil, meant end
  if not how.dry_run then self.carried[index] = meant end
  return self:apply(index, assert(config.new(before, true)), assert(config.new(meant, true)), how)
end

--- The same where that may have been written before: then there is nothing left to do, and it counts as done.
function session.reconcile(self, index, how)
  local outcome, err = session.carry(self, index, how)
  if outcome and outcome.status == "unchanged" then outcome.status, outcome.reconciled = "changed", true end
  return outcome, err
end

local function slice(list, first, last)
  local part = {}
  for i = first, last do part[#part + 1] = list[i] end
  return part
end

local function after_wave(self, number, last, reached)
  local on_wave, count = self.options.on_wave, #self.planned
  if number == last and reached < count then
    stop(self, ("stopped: the waves end at %d of %d agents to change"):format(reached, count))
  elseif number < last and on_wave then
    local wave = { number = number, of = last, reached = reached, left = count - reached, failed = self.failures }
    if on_wave(wave) == false then stop(self, ("stopped by the script after wave %d of %d"):format(number, last)) end
  end
end

local function write_in_waves(self)
  local ends, from = rollout.waves(self.options.waves or { "100%" }, #self.planned), 1
  for number, reached in ipairs(ends) do
    local ok, err = pass(self, slice(self.planned, from, reached), write)
    if not ok then return nil, err end
    if self.run.stopped then break end
    after_wave(self, number, #ends, reached)
    from = reached + 1
  end
  if not ends[1] and self.planned[1] then after_wave(self, 0, 0, 0) end
  return true
end

-- Whether the plan is to be written; a run that is not, or whose question could not be asked, leaves no trace.
local function is_confirmed(self)
  local confirm = self.options.confirm
  if not confirm then return true end
  self.is_void = true
  local answer = confirm(runs.count(self.run))
  if answer and answer ~= true then -- the text of an answer, or of an error, is no consent
    core.error.raise { path = "confirm", rule = "returned",
      message = ("it returned a %s; true expected where the plan is to be written, else false"):format(type(answer)) }
  end
  self.is_void = not answer
  if answer then return true end
  self.run.declined = true
  stop(self, "declined")
end

-- A task that broke after its agent had a plan, as one in which on_planned yields: it was told as failed, and is not written.
local function forget_broken(self)
  local planned = {}
  for _, index in ipairs(self.planned) do
    if self.run.results[index].status == "planned" then planned[#planned + 1] = index end
  end
  self.planned = planned
end

local function in_two_passes(self, indexes)
  local ok, err = pass(self, indexes, plan)
  if ok and self.planned[1] then is_over(self) end -- once more: when the last began nobody may have asked to stop yet
  if not ok or self.run.stopped then return ok, err end
  forget_broken(self)
  table.sort(self.planned)
  local refused = refusal(self)
  if refused then return nil, refused end
  return not is_confirmed(self) or write_in_waves(self)
end

-- Reading only, or writing in one pass, or a dry run; that is held against the limits, too.
local function in_one_pass(self, indexes)
  local ok, err = pass(self, indexes, write)
  local refused = ok and self.options.dry_run and refusal(self)
  if refused then return nil, refused end
  return ok, err
end

-- ---- the whole ------------------------------------------------------------------------------------------------------------

local function has_two_passes(o)
  return o.waves or o.max_changes or o.max_deletions or o.confirm
end

local function describe_stop(self)
  local run = self.run
  local left = (run.counts.untouched or 0) + (run.counts.planned or 0)
  if not run.stopped or left == 0 then return end
  run.stopped = ("%s; %d left untouched%s"):format(run.stopped, left,
    run.id and (", go on with fleet:resume(%d, …)"):format(run.id) or "")
end

--- Comes to the end of it, however it ended.
local function conclude(self)
  runs.count(self.run)
  local counts = self.run.counts
  local is_done = not (counts.untouched or counts.planned or self.run.absent)
  local kept, err = true, nil
  self.is_over = true
  if self.is_void then
    kept, err = self.record:drop()
    self.run.id = nil
  elseif self.record then
    kept, err = self.record:finish(is_done and "finished" or "stopped")
  end
  if not kept then stop(self, tostring(err)) end
  describe_stop(self)
end

-- What was raised meanwhile, an interrupt above all, with how to go on.
local function with_way_on(self, raised)
  local id = self.run.id
  if type(raised) == "table" and is_interrupt(raised) then raised = raised.value end
  if type(raised) ~= "string" or not id then return raised end
  return ("%s (run %d was not finished; fleet:resume(%d, …) goes on with it)"):format(raised, id, id)
end

--- Does the work of the agents at these indexes.
-- @return the run; or nil, err where a limit refused it or the calling task was cancelled, with err.run
function Session:perform(indexes)
  local passes = has_two_passes(self.options) and self.record and in_two_passes or in_one_pass
  local called, ok, err = pcall(passes, self, indexes)
  conclude(self)
  if not called then core.error.again(with_way_on(self, ok)) end
  if ok then return self.run end
  err.run = self.run
  return nil, err
end

return session
