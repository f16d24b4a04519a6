-- SPDX-License-Identifier: MIT
--- Rounds of edits over some agents of a sandbox where things go wrong by chance; after each round every agent must be as the
-- run says it is.
--
--   local rounds = require "endurance.rounds".start { agents=, part= (how many of them a round), seed=,
--     faults= (part of all requests), timeout= (seconds, of a request) }
--   rounds:next()      one round; rounds.counts, what happened so far
--   rounds:conclude()  the checks of the whole; the books are closed, and the sandbox is stopped
--   rounds.failures    what was not as it must be, a list of texts
local books = require "endurance.books"
local json = require("handoff.core").json
local marks = require "endurance.marks"
local outside = require "endurance.outside"
local program = require "support.program"
local random = require "support.random"
local rules = require "endurance.rules"
local sandbox = require "support.sandbox"
local work = require "endurance.work"

local now = require("handoff.core").http.now

local rounds = {}

local Rounds = {}
Rounds.__index = Rounds

local REMEMBERED = 4 -- runs that may still be taken back

-- ---- what is there --------------------------------------------------------------------------------------------------------

local function count(self, what, more) self.counts[what] = (self.counts[what] or 0) + (more or 1) end

-- ---- one agent after a run --------------------------------------------------------------------------------------------------

-- Which state each mark may be in: a part that the service dropped is as it was, one that nobody knows of either way.
local function allowed(result, base, goal)
  local err, either = result.error, {}
  local is_done = result.status == "changed" or result.status == "unchanged"
  for mark, part in pairs(marks.parts) do
    either[mark] = { is_done and goal[mark] or base[mark] }
    if err and err.kind == "unverified" then
      local is_dropped = false
      for _, change in ipairs(err.dropped) do is_dropped = is_dropped or change.part == part end
      either[mark] = { is_dropped and base[mark] or goal[mark] }
    elseif err and err.unknown then
      either[mark] = { base[mark], goal[mark] }
    end
  end
  return either
end

local function check_state(self, job, result, state)
  local name = result.agent
  local base, goal = job.base[name], job.goal[name]
  for mark, either in pairs(allowed(result, base, goal)) do
    if not marks.is(mark, state[mark], either[1], either[2]) then
      return self.wrong("%s, run %d (%s), told %s%s: was {%s}, meant {%s}, is {%s}", name, job.id, job.what,
        result.status, result.error and ": " .. tostring(result.error) or "", marks.describe(base),
        marks.describe(goal), marks.describe(state))
    end
  end
  count(self, "passed")
end

local function recorded_status(result)
  local err = result.error
  if not err then return result.status end
  return err.unknown and "unknown" or err.kind == "unverified" and "unverified" or "failed"
end

local function check_status(self, job, result, status)
  local expected = recorded_status(result)
  if expected == "untouched" or expected == "planned" or expected == status then return end
  self.wrong("%s, run %d: told %s, and the history has %s", result.agent, job.id, expected, status)
end

-- The documents that the history has are what undo lives on: however often a PUT was tried, the edit is between them, whole.
local function check_documents(self, job, name, entry)
  if not entry.before then return end
  local before, meant = marks.take(json.decode(entry.before)), marks.take(json.decode(entry.meant))
  local base, goal = job.base[name], job.goal[name]
  for mark in pairs(marks.parts) do
    if not (marks.is(mark, before[mark], base[mark]) and marks.is(mark, meant[mark], goal[mark])) then
      return self.wrong("%s, run %d: from {%s} to {%s}, and the history has {%s} to {%s}", name, job.id,
        marks.describe(base), marks.describe(goal), marks.describe(before), marks.describe(meant))
    end
  end
end

-- ---- one run --------------------------------------------------------------------------------------------------------------

local function announcer(self, job)
  return function(name, before, meant)
    self.books:check_announced(name, before, meant)
    job.announced[name] = job.announced[name] or {}
    job.announced[name][meant] = before
  end
end

-- Does the job, or goes on with it, here, with somebody who edits meanwhile.
local function perform(self, job)
  local editor = outside.start(self.box, job.names, self.random:below(1000))
  local ok, run, err = pcall(work.perform, self.place, job, announcer(self, job))
  count(self, "outside", editor:stop())
  if not ok then error(run, 0) end
  if run then return run end
  self.wrong("%s over %d agents: %s", job.what, #job.names, tostring(err))
end

-- Does the job in a process that is killed at some instant → the id of the run to go on with, or nil.
local function perform_killed(self, job)
  local seconds = (self.longest or 1) * (self.random:below(1000) + 1) / 1000
  local status, output, announced = work.killed(self.place, job, self.folder, seconds)
  if status ~= 0 and status ~= 137 and status ~= 124 then -- 124: it ended by itself just then
    self.wrong("a run in a process of its own ended with %s: %s", tostring(status), output)
  end
  count(self, "killed", status == 137 and 1 or 0)
  local tell = announcer(self, job)
  for _, one in ipairs(announced) do tell(one[1], one[2], one[3]) end
  local history = assert(require("handoff.history").look(self.place.history))
  local last = history:runs({ limit = 1 })[1]
  history:close()
  return last and last.id ~= self.last_id and last.id or nil
end

local function go_on(self, job, id)
  count(self, "resumed")
  return perform(self, { what = "resume", id = id, number = job.number, names = job.names, options = job.options,
    announced = job.announced })
end

-- How many of the run's agents are not done.
local function left(run)
  local all = 0
  for status, some in pairs(run.counts) do
    if status ~= "changed" and status ~= "unchanged" then all = all + some end
  end
  return all
end

local function tally(self, job, run)
  for status, some in pairs(run.counts) do count(self, status, some) end
  count(self, job.what)
  for _, result in ipairs(run.results) do
    if result.error then count(self, "kind " .. result.error.kind .. (result.error.unknown and "?" or "")) end
    if result.reconciled then count(self, "reconciled") end
  end
end

-- After it: every agent is as it was told, and both books agree.
local function settle(self, job, run)
  job.id, self.last_id = run.id, run.id
  tally(self, job, run)
  local entries, there = self.books:check(run.id, job.announced), self.box:documents(job.names)
  for _, result in ipairs(run.results) do
    local name, text = result.agent, there[result.agent]
    if self.books.texts[name] and self.books.texts[name] ~= text then
      self.wrong("%s: the service has a text that nobody stored", name)
    end
    local state = marks.take(json.decode(text))
    check_state(self, job, result, state)
    check_status(self, job, result, entries[name].status)
    check_documents(self, job, name, entries[name])
    self.states[name] = state
  end
  job.announced = nil
end

-- Does a job to its end: killed and gone on with, or gone on with where some failed, now and then.
local function carry_out(self, job)
  local run
  job.announced = {}
  if job.is_killed then
    local id = perform_killed(self, job)
    if id then run = go_on(self, job, id) else run = perform(self, job) end
  else
    local began = now()
    run = perform(self, job)
    self.longest = math.max(self.longest or 0, math.min(now() - began, 10))
  end
  for _ = 1, 2 do
    if run and left(run) > 0 and self.random:boolean() then run = go_on(self, job, run.id) end
  end
  if run then settle(self, job, run) end
  return run
end

-- ---- what is done in a round --------------------------------------------------------------------------------------------------

local function some_names(self)
  local names, all = {}, {}
  for i, name in ipairs(self.names) do all[i] = name end
  for i = 1, math.min(self.part, #all) do
    names[i] = table.remove(all, self.random:below(#all) + 1)
  end
  return names
end

-- Ways to do the same: looking at the answer or once more, in one pass or in two, in waves, without the second look.
local function some_options(self)
  local options = { verify = self.is_lying and "read" or "answer" }
  local way = self.random:below(7)
  if way == 0 then options.max_changes, options.max_deletions = "100%", 1e6 end
  if way == 1 then options.waves, options.max_failures = { 1, "50%", "100%" }, "30%" end
  if way == 2 then options.merge = false end
  if way == 3 then options.on_conflict = "mine" end
  return options
end

-- One of the latest runs, and those of its agents that it was told to have written; of the last one all.
local function some_run(self)
  local place = self.random:below(3) > 0 and #self.runs or self.random:below(#self.runs) + 1
  local one = table.remove(self.runs, place)
  local names = {}
  for _, result in ipairs(one.results) do
    if result.status == "changed" or place > #self.runs and result.error then names[#names + 1] = result.agent end
  end
  return one, names
end

local function undo(self, is_killed)
  local one, names = some_run(self)
  local job = { what = "undo", id = one.id, names = names, options = some_options(self), is_killed = is_killed,
    base = {}, goal = one.base }
  if #names == 0 then return end
  job.options.merge, job.options.on_conflict = nil, nil -- theirs are later edits, which an undo must not take along
  for _, name in ipairs(names) do job.base[name] = self.states[name] end
  carry_out(self, job)
end

local function update(self, is_killed)
  self.number = self.number + 1
  local job = { what = "update", number = self.number, names = some_names(self), options = some_options(self),
    is_killed = is_killed, base = {}, goal = {} }
  for _, name in ipairs(job.names) do
    job.base[name] = self.states[name]
    job.goal[name] = marks.after(self.states[name], self.number)
  end
  local run = carry_out(self, job)
  if not run then return end
  table.insert(self.runs, { id = run.id, base = job.base, results = run.results })
  if #self.runs > REMEMBERED then table.remove(self.runs, 1) end
end

--- One round: an edit over some agents, or one of the latest taken back.
-- @param what "update", "undo"; nil: one of them at random
-- @param is_killed whether it is killed; nil: at random
function Rounds:next(what, is_killed)
  count(self, "rounds")
  local is_lying = self.random:boolean()
  if is_lying ~= self.is_lying then
    self.is_lying = is_lying
    self:note_faults()
    self.box:faults(rules.at_random(self.faults, is_lying))
  end
  if is_killed == nil then is_killed = self.random:below(6) == 0 end
  what = what or self.random:below(5) == 0 and "undo" or "update"
  if what == "undo" and self.runs[1] then undo(self, is_killed) else update(self, is_killed) end
end

--- Adds up how often each fault acted, before the rules are others.
function Rounds:note_faults()
  for _, rule in ipairs(self.box:fired()) do
    self.fired[rule.fault] = (self.fired[rule.fault] or 0) + rule.fired
    count(self, "faults", rule.fired)
  end
end

-- ---- the whole --------------------------------------------------------------------------------------------------------------

local function check_integrity(self)
  local connection = assert(require("DBI").Connect("SQLite3", self.place.history))
  local statement = assert(connection:prepare "PRAGMA integrity_check")
  assert(statement:execute())
  local said = statement:fetch(false)[1]
  statement:close()
  connection:close()
  if said == "ok" then count(self, "passed") else self.wrong("the history is damaged: %s", said) end
end

--- Checks what can only be seen in the end → figures of the books, see books.audit.
function Rounds:conclude()
  self:note_faults()
  check_integrity(self)
  local figures, ledger, writes = self.books:audit(), self.box:ledger(), 0
  for _, some in pairs(ledger.writes) do writes = writes + some end
  count(self, "requests", ledger.total)
  local function agree(what, one, other)
    if one == other then return count(self, "passed") end
    self.wrong("%s: %d and %d", what, one, other)
  end
  agree("PUTs stored, by the sandbox's count and by its file", writes, figures.puts)
  agree("PUTs that were stored, and those that were looked at after their run", figures.puts, self.books.puts)
  agree("rows of the history whose text was stored, in the end and after their run", figures.found, self.books.recorded)
  return figures
end

--- Stops the sandbox; idempotent.
-- @param keep whether its files stay
function Rounds:close(keep)
  self.books:close()
  self.box:stop()
  if not keep then program.remove(self.folder) end
end

function rounds.start(given)
  local folder = program.folder()
  local self = setmetatable({
    folder = folder, random = random(given.seed), part = given.part, faults = given.faults, number = 0,
    counts = { passed = 0 }, fired = {}, failures = {}, names = {}, states = {}, runs = {},
  }, Rounds)
  function self.wrong(format, ...) table.insert(self.failures, format:format(...)) end
  local inventory, writes = folder .. "/agents.lua", folder .. "/writes"
  self.box = sandbox.start { agents = given.agents, seed = given.seed, no_rate_limit = true, writes = writes,
    inventory = inventory }
  self.place = { agents = dofile(inventory), inventory = inventory, base_url = self.box.base_url,
    history = folder .. "/history.db", timeout = given.timeout }
  for i, agent in ipairs(self.place.agents) do
    agent.base_url, self.names[i] = nil, agent.name
  end
  for name, text in pairs(self.box:documents(self.names)) do self.states[name] = marks.take(json.decode(text)) end
  self.books = books.new(writes, self.place.history, self.wrong)
  return self
end

return rounds
