-- SPDX-License-Identifier: MIT
--- How far a run over many agents is: on a terminal one line at the end of standard error that is drawn anew and goes in the end;
-- elsewhere a plain line now and then, so that a job that takes long is seen to live.
--
--   local run, err = progress.during(ctx, fleet, "reading", function(opts) return fleet:each(read_one, opts) end)
--
-- The time left is the longer of what the rate of the last minute promises and what the limits of the slowest token allow; it is
-- not told before there is something to tell it from.
local interrupt = require "handoff.command.interrupt"

local progress = {}

local Progress = {}
Progress.__index = Progress

-- Seconds: between two drawings; between two estimates; between two lines where there is no terminal; of the rate that counts,
-- which is no shorter than the span of the service's limits, as a token that has used them up rests for the rest of it.
local DRAW, ESTIMATE, TELL, RATE = 0.1, 1, 30, 61
-- Before that a rate says nothing.
local SOON = 2

-- ---- the line: what it draws ----------------------------------------------------------------------------------------------

--- "~25 s left": never more exact than it can be, and rounded up.
function progress.left(seconds)
  if seconds <= 10 then return ("~%d s left"):format(math.max(1, math.ceil(seconds))) end
  if seconds <= 55 then return ("~%d s left"):format(math.ceil(seconds / 5) * 5) end
  if seconds <= 3540 then return ("~%d min left"):format(math.ceil(seconds / 60)) end
  return ("~%.1f h left"):format(math.ceil(seconds / 360) / 10)
end

local function rate_words(rate)
  if rate >= 9.5 then return ("%.0f/s"):format(rate) end
  if rate >= 1 then return ("%.1f/s"):format(rate) end
  return ("%.0f/min"):format(rate * 60)
end

local LEAST_BAR = 10

local function bar(width, done, total)
  local inside = width - 2
  local full = total > 0 and math.floor(inside * math.min(done, total) / total) or inside
  return ("[%s%s]"):format(("="):rep(full), (" "):rep(inside - full))
end

-- The pieces after the counts in their order; `keep`: which of them stays longest where there is little room.
local function pieces(state)
  local rate, left = state.rate, state.left
  return {
    rate and rate > 0 and { text = rate_words(rate), keep = 3 } or false,
    state.failed > 0 and { text = state.failed .. " failed", keep = 1, colour = "red" } or false,
    state.ending and { text = "finishing", keep = 2 } or left and { text = progress.left(left), keep = 2 } or false,
  }
end

--- The line, no wider than that many columns: all of it is ASCII.
-- @param state { what= "planning", done=, total=, failed=, rate= (a second) or nil, left= (seconds) or nil, ending= (boolean) }
-- @param paint function(colour, text) → text
function progress.line(state, columns, paint)
  local counts = ("%d/%d"):format(state.done, state.total)
  local room = columns - #state.what - 1 - #counts
  if room < 0 then return (state.what .. " " .. counts):sub(1, columns) end
  local list, shown = pieces(state), {}
  for keep = 1, 3 do
    for i = 1, 3 do
      local piece = list[i]
      if piece and piece.keep == keep and #piece.text + 2 <= room then
        shown[i], room = piece, room - #piece.text - 2
      end
    end
  end
  local words = { state.what, " " }
  if room >= LEAST_BAR + 1 then words[3] = bar(math.min(room - 1, 42), state.done, state.total) .. " " end
  words[#words + 1] = counts
  for i = 1, 3 do
    local piece = shown[i]
    if piece then words[#words + 1] = "  " .. (piece.colour and paint(piece.colour, piece.text) or piece.text) end
  end
  return table.concat(words)
end

--- The line where there is no terminal.
function progress.plain(state)
  return ("%s: %d of %d agents%s"):format(state.what, state.done, state.total,
    state.failed > 0 and (", %d failed"):format(state.failed) or "")
end

-- ---- the time left --------------------------------------------------------------------------------------------------------

-- Requests that an agent needs, at least.
local costs = { reading = { GET = 1 }, planning = { GET = 1 }, writing = { GET = 1, PUT = 1 } }

-- Agents by token, with the pacer that holds its requests back: { token=, pacer=, count= of agents that are left }, which each
-- agent's name leads to. A token that is not known yet, or comes from a function, has none.
local function budgets(self)
  local inventory, pace = require "handoff.inventory", require "handoff.pace"
  local by_token, by_name = {}, {}
  for name, agent in pairs(self.waiting) do
    local own = inventory.options(agent)
    local budget = type(own.token) == "string" and (by_token[own.token] or { token = own.token, count = 0 })
    if budget then
      local share = own.budget or self.ctx.args.budget or "100%"
      budget.pacer = budget.pacer or pace.pacer(self.carrier.now, tonumber(share:match "%d+"))
      budget.count, by_token[own.token], by_name[name] = budget.count + 1, budget, budget
    end
  end
  return by_token, by_name
end

--- The seconds that the slowest token needs at least for the agents that are left, by the service's limits.
local function by_limits(self, now)
  if not (self.budget_of and next(self.budget_of)) then self.budgets, self.budget_of = budgets(self) end
  local longest, cost = 0, costs[self.state.what] or costs.reading
  for token, budget in pairs(self.budgets) do
    if budget.count == 0 then self.budgets[token] = nil end
    for method, each in pairs(cost) do
      longest = math.max(longest, budget.pacer:span(method, token, budget.count * each, now))
    end
  end
  return longest
end

-- How many came in the last while, a second; nil: too soon to say.
local function observed_rate(self, now)
  local samples, state = self.samples, self.state
  samples[#samples + 1] = { at = now, done = state.done }
  while samples[1].at < now - RATE do table.remove(samples, 1) end
  local elapsed = now - samples[1].at
  return elapsed >= SOON and (state.done - samples[1].done) / elapsed or nil
end

local function estimate(self, now)
  local state = self.state
  if now < self.estimated + ESTIMATE then return end
  self.estimated = now
  state.rate = observed_rate(self, now)
  local left = state.rate and state.rate > 0 and (state.total - state.done) / state.rate
  local least = by_limits(self, now)
  state.left = (left or least > SOON) and math.max(left or 0, least) or nil
end

-- ---- drawing --------------------------------------------------------------------------------------------------------------

local function write(self, text)
  local err = self.ctx.err
  -- That it cannot be drawn is no reason to end a run; that nothing can be said at all shows soon enough.
  pcall(function()
    err:write(text)
    err:flush()
  end)
end

local function erase(self)
  if self.drawn then write(self, "\r\27[K") end
  self.drawn = nil
end

local function draw(self)
  local err = self.ctx.err
  -- The last columns stay free: after the last one a terminal may go on to the next line, and it shows Ctrl-C as ^C.
  local line = progress.line(self.state, err:width() - 3, function(colour, text) return err:paint(colour, text) end)
  if line == self.drawn then return end
  write(self, "\r" .. line .. "\27[K")
  self.drawn = line
end

local function tell(self, now)
  if now < self.told + TELL then return end
  self.told = now
  pcall(self.ctx.note, self.ctx, progress.plain(self.state))
end

local function look(self)
  local now = self.carrier.now()
  self.state.ending = self.guard:seen() and true
  if self.hidden then return end
  if not self.is_live then return tell(self, now) end
  estimate(self, now)
  draw(self)
end

-- ---- the face -------------------------------------------------------------------------------------------------------------

--- Begins anew: another thing is done to the agents, or to some of them.
-- @param what "reading", "planning", "writing"
-- @param run where only those count that it plans to change; or nil
function Progress:phase(what, run)
  local now, waiting, total = self.carrier.now(), {}, 0
  local is_planned = {}
  for _, result in ipairs(run and run.results or {}) do is_planned[result.agent] = result.status == "planned" end
  for _, agent in ipairs(self.agents) do
    if not run or is_planned[agent.name] then waiting[agent.name], total = agent, total + 1 end
  end
  self.state = { what = what, done = 0, total = total, failed = 0 }
  self.waiting, self.budgets, self.budget_of = waiting, nil, nil
  self.samples, self.estimated, self.told, self.hidden = { { at = now, done = 0 } }, now, now, nil
end

--- An agent had its turn; once more for the same one does nothing.
-- @param result { agent= its name, status= }
function Progress:result(result)
  local name, state = result.agent, self.state
  if not self.waiting[name] then return end
  local budget = self.budget_of and self.budget_of[name]
  self.waiting[name] = nil
  if budget then budget.count = budget.count - 1 end
  state.done = state.done + 1
  if result.status == "failed" then state.failed = state.failed + 1 end
end

--- The line goes, until the next phase: something else is to be read.
function Progress:hide()
  erase(self)
  self.hidden = true
end

--- Says something on standard error meanwhile: the line makes room for it.
function Progress:note(line)
  erase(self)
  self.ctx:note(line)
end

--- Whether somebody asked for an early end → the signal's name or nil.
function Progress:interrupted() return self.guard:seen() end

--- Ends it: the line is gone. Idempotent.
function Progress:stop()
  if self.stopped then return end
  self.stopped = true
  self:hide()
  self.ticker:cancel()
  self.ticker:join()
  self.guard:close()
end

--- Shows progress, and watches for Ctrl-C (see command/interrupt.lua), until `stop`.
-- @param agents the fleet's
-- @param what see Progress:phase
function progress.start(ctx, agents, what)
  local carrier = require("handoff.transport").default()
  local self = setmetatable({
    ctx = ctx, agents = agents, carrier = carrier, guard = interrupt.watch(ctx), is_live = ctx.err.live,
  }, Progress)
  self.guard.on_seen = function() erase(self) end
  self:phase(what)
  -- A task of its own: the line moves, and Ctrl-C is noticed, while every request hangs.
  self.ticker = carrier.loop:spawn(function()
    repeat look(self) until not carrier:sleep(DRAW)
  end)
  return self
end

--- Does something to the fleet's agents with progress shown, and Ctrl-C obeyed.
-- @param fn function(opts, p): what it returns is returned; opts are options of a fleet's runs: on_result, on_planned, stop
function progress.during(ctx, fleet, what, fn)
  local p = progress.start(ctx, fleet:agents(), what)
  local function on_result(result) p:result(result) end
  local ok, value, err = pcall(fn, { on_result = on_result, on_planned = on_result, stop = p.guard.stop }, p)
  p:stop()
  if not ok then error(value, 0) end
  return value, err
end

return progress
