-- SPDX-License-Identifier: MIT
--- What the verbs that look back at runs share.
local failure = require "handoff.command.failure"
local statuses = require "handoff.history.status"

local past = {}

local function whole(text)
  local id = text:find "^%d+$" and tonumber(text)
  if id and id >= 1 and id < 2 ^ 31 then return id end
  return nil, "the number of a run expected, such as `handoff history` lists"
end

--- The argument RUN.
past.argument = { name = "run", metavar = "RUN", convert = whole, help = "the run's number, see `handoff history`" }

-- Calls fn(history) and closes it → what fn returns.
local function using(history, fn)
  local ok, result = pcall(fn, history)
  history:close()
  if not ok then error(result, 0) end
  return result
end

--- Calls fn(history) with the history open for looking → what it returns.
function past.look(ctx, fn)
  return using(failure.check(require("handoff.history").look(ctx.args.history)), fn)
end

--- What is known of one run; one that is not there ends the verb.
function past.run(ctx, id)
  return past.look(ctx, function(history) return failure.check(history:run(id)) end)
end

-- ---- what can still be done about a run ------------------------------------------------------------------------------------

--- Whether there is something left to do for those who go on with it.
function past.is_open(run)
  for name in pairs(run.counts) do
    if not statuses.done[name] then return true end
  end
  return false
end

--- Whether there may be something to take back.
function past.has_written(run)
  for name in pairs(run.counts) do
    if statuses.wrote[name] then return true end
  end
  return false
end

--- Ends a run that was killed after its last agent: nothing of it is left, and nobody is to be sent back to it.
function past.conclude(ctx, id)
  using(failure.check(require("handoff.history").open(ctx.args.history)), function(history)
    failure.check(failure.check(history:reopen(id)):finish "finished")
  end)
end

--- Performs what a run left to be done, see writing.perform. Agents of the run that were not selected are named, and are no
-- failure: who selects some wants these.
-- @param start function(opts) → run | nil, err
-- @return the exit status
function past.perform(ctx, fleet, kind, start)
  local others
  local code = require("handoff.command.writing").perform(ctx, fleet, kind, function(opts)
    local run, err = start(opts)
    if run and (ctx.args.select or ctx.args.shard) then others, run.absent = run.absent, nil end
    return run, err
  end)
  if others then ctx:note((others:gsub("not in this fleet", "not selected"))) end
  return code
end

-- ---- for people, and for programs -------------------------------------------------------------------------------------------

--- Says that there is nothing to do of a run, and why.
-- @return the exit status
function past.nothing(ctx, run, why)
  ctx:note(("%s; %s"):format(past.line(run), why))
  if ctx.json then ctx:record { summary = true, run = run.id, counts = { changed = 0, unchanged = 0, failed = 0 } } end
  return require("handoff.command.status").done
end

--- Seconds since 1970 → as JSON has them; nil of nil.
function past.time(seconds)
  return seconds and os.date("!%Y-%m-%dT%H:%M:%SZ", seconds)
end

--- Changes as plain data for JSON; none where they are not known.
function past.changes(changes)
  return require("handoff.plan").changes(changes)
end

--- The text on one line, nothing in it can command a terminal, at most `width` characters.
function past.fit(text, width)
  local shown = text:gsub("%c", " "):gsub("\194[\128-\159]", " ")
  local kept, count = {}, 0
  for character in shown:gmatch "[^\128-\191][\128-\191]*" do
    count = count + 1
    kept[count] = character
  end
  if count <= width then return shown end
  return table.concat(kept, "", 1, width - 1) .. "…"
end

--- The run on one line.
function past.line(run) return past.fit(tostring(run), math.huge) end

return past
