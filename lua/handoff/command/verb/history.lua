-- SPDX-License-Identifier: MIT
local convert = require "handoff.command.convert"
local failure = require "handoff.command.failure"
local past = require "handoff.command.past"

-- Statuses of agents as the table adds them up; whatever else there is was left.
local kinds = {
  changed = "changed", unchanged = "unchanged", failed = "failed", unverified = "failed", unknown = "failed",
}

-- "180 of 213, 1 failed, 3 left": how many were changed, of how many.
local function progress_of(run)
  local sums, total = { changed = 0, unchanged = 0, failed = 0, left = 0 }, 0
  for status, count in pairs(run.counts) do
    local kind = kinds[status] or "left"
    sums[kind], total = sums[kind] + count, total + count
  end
  local words = { ("%d of %d"):format(sums.changed, total) }
  if sums.failed > 0 then words[#words + 1] = ("%d failed"):format(sums.failed) end
  if sums.left > 0 then words[#words + 1] = ("%d left"):format(sums.left) end
  return table.concat(words, ", ")
end

local function row_of(run)
  return {
    ("%d"):format(run.id), os.date("!%Y-%m-%d %H:%M", run.started),
    run.of and ("undo of %d"):format(run.of) or run.kind, run.state, progress_of(run), run.edit or "",
  }
end

local colours = { running = "cyan", stopped = "yellow", interrupted = "yellow" }
local heading = { "run", "started (UTC)", "what", "state", "changed", "edit" }
local STATE, EDIT = 4, 6

local function widths_of(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, #cell) end
  end
  return widths
end

-- A line of the table. On a terminal the edit is cut to what is left of the line.
local function line_of(ctx, row, widths, is_heading)
  local cells, used = {}, 0
  for i = 1, EDIT - 1 do
    local blanks = (" "):rep(widths[i] - #row[i])
    local colour = i == STATE and colours[row[i]]
    local cell = colour and ctx.out:paint(colour, row[i]) or row[i]
    cells[i] = i == 1 and blanks .. cell or cell .. blanks
    used = used + widths[i] + 2
  end
  local left = ctx.out.terminal and math.max(ctx.out:width() - used, 8) or math.huge
  cells[EDIT] = past.fit(row[EDIT], left)
  local line = table.concat(cells, "  "):gsub(" +$", "")
  return is_heading and ctx.out:paint("dim", line) or line
end

local function print_table(ctx, runs)
  local rows = { heading }
  for i, run in ipairs(runs) do rows[i + 1] = row_of(run) end
  local widths = widths_of(rows)
  for i, row in ipairs(rows) do ctx:say(line_of(ctx, row, widths, i == 1)) end
end

local function print_records(ctx, runs)
  for _, run in ipairs(runs) do
    ctx:record {
      run = run.id, kind = run.kind, of = run.of, edit = run.edit, state = run.state, started = past.time(run.started),
      ended = past.time(run.ended), counts = run.counts,
    }
  end
end

local function limit(text)
  local count = convert.whole(text)
  if count and count > 0 then return count end
  return nil, "a whole number from 1 on expected"
end

return {
  summary = "list what was done: the runs, newest first", group = "runs",
  flags = {
    "history", { name = "limit", metavar = "N", convert = limit, default = 20, help = "how many, at most (20)" },
  },
  details = "Lists the runs that the history has, newest first: when each began, what it was and how it "
    .. "ended, how many of its agents it changed, and by which edit. `stopped` and `interrupted` runs "
    .. "can be gone on with, see `handoff resume`.",
  examples = { { "handoff history --limit 5", "the last five" } },
  run = function(ctx)
    local runs = past.look(ctx, function(history) return failure.check(history:runs { limit = ctx.args.limit }) end)
    if ctx.json then return print_records(ctx, runs) end
    if #runs > 0 then return print_table(ctx, runs) end
    local named = ctx.args.history and ctx.args.history .. ": " or ""
    ctx:note(named .. "nothing has run yet; `handoff apply` and `handoff set` record what they do")
  end,
}
