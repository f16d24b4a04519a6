-- SPDX-License-Identifier: MIT
--- A run over many agents, killed at a random instant and then gone on with, again and again.
--
-- The edit of each round is one that shows when it is done twice or not at all: it appends to a text, and adds a guideline by
-- its name while it removes that of the round before.
--   lua killed.lua KILLS AGENTS SEED      prints the figures; the exit status is 0 where every agent was edited once, always
local core = require "handoff.core"
local program = require "support.program"
local sandbox = require "support.sandbox"

local json, now = core.json, core.http.now
local unpack = table.unpack or unpack

local killed = {}

local function name_of(round) return ("Round %d"):format(round) end

--- The edit of a round, also used by the program below.
function killed.edit(round)
  return function(cfg)
    cfg.settings.question_message = cfg.settings.question_message .. "|"
    cfg.custom_guidelines:remove { name = name_of(round - 1) }
    cfg.custom_guidelines:add { name = name_of(round), description = "Once.", is_active = true }
  end
end

-- ---- the documents -----------------------------------------------------------------------------------------------------

local function documents(box)
  local names = {}
  for i, agent in ipairs(box.agents) do names[i] = agent.name end
  local url = box.base_url:match "^%w+://[^/]+" .. "/_sandbox/document/{" .. table.concat(names, ",") .. "}"
  local text = sandbox.run_client("curl -sS -w '\\n' " .. program.quote(url))
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = assert(json.decode(line)) end
  assert(#list == #names, text:sub(1, 500))
  return list
end

local function count_marks(document)
  return select(2, document.settings.question_message:gsub("|", ""))
end

--- → how many agents were missed, and how many edited more than once, in that round.
local function tally(list, round)
  local missed, doubled = 0, 0
  for _, document in ipairs(list) do
    local marks, named = count_marks(document), 0
    for _, guideline in ipairs(document.custom_guidelines) do
      if guideline.name:find "^Round" then named = named + (guideline.name == name_of(round) and 1 or 100) end
    end
    if marks < round or named == 0 then missed = missed + 1 end
    if marks > round or named > 1 then doubled = doubled + 1 end
  end
  return missed, doubled
end

-- ---- the program that is killed -------------------------------------------------------------------------------------------

local function runner(box, folder, round, seconds, id)
  local command = ("%s %s --run %s %s %s %d %s"):format(program.lua, program.quote("spec/support/killed.lua"),
    program.quote(box.base_url), program.quote(folder .. "/agents.lua"), program.quote(folder .. "/history.db"), round,
    id or "")
  -- In the foreground timeout kills the program alone, and waits until it is gone, and its locks with it.
  if seconds then command = ("timeout --foreground -s KILL %.4f %s"):format(seconds, command) end
  return program.run(command, { LUA_PATH = package.path, LUA_PATH_5_3 = package.path, LUA_PATH_5_4 = package.path })
end

local function run_once(base_url, agents, history, round, id)
  local handoff = require "handoff"
  local fleet = assert(handoff.fleet(agents, { base_url = base_url, history = history }))
  local edit, opts = killed.edit(tonumber(round)), { concurrency = 16 }
  local run = id and assert(fleet:resume(tonumber(id), edit, opts)) or assert(fleet:update(edit, opts))
  print(run)
  for _, result in ipairs(run.results) do
    if result.error then print(result.agent, result.error) end
  end
  os.exit(run.counts.failed == nil)
end

-- ---- rounds ---------------------------------------------------------------------------------------------------------------

-- What is counted, in this order.
local words = {
  { "killed", "runs killed by kill -9" },
  { "before_start", "  of these before the run was in the history" },
  { "after_end", "  of these when its end was in the history" },
  { "in_flight", "agents whose PUT was under way then" },
  { "done_before", "agents that were done then" },
  { "missed", "agents missed" },
  { "doubled", "agents edited more than once" },
  { "documents", "agents whose documents before and after are in the history" },
}

-- Every agent's documents before and after are there, and the edit is what is between them → how many.
local function check_documents(recorded, round)
  local count = 0
  for name in recorded:entries() do
    local before, meant = recorded:documents(name)
    assert(count_marks(json.decode(before)) == round - 1 and count_marks(json.decode(meant)) == round, name)
    count = count + 1
  end
  return count
end

local function latest(folder, fn)
  local history = assert(require("handoff.history").open(folder .. "/history.db"))
  local ok, result, more = pcall(fn, history:runs { limit = 1 }[1])
  history:close()
  if not ok then error(result, 0) end
  return result, more
end

-- After the kill → whether there is something left to do, and the id of the run to go on with, nil where it had not begun.
local function look_after(folder, figures)
  figures.killed = figures.killed + 1
  return latest(folder, function(last)
    if not last or last.id == figures.last_id then
      figures.before_start = figures.before_start + 1
      return true
    elseif last.state == "finished" then
      figures.after_end = figures.after_end + 1
      return false
    end
    assert(last.state == "interrupted", last.state)
    figures.in_flight = figures.in_flight + (last.counts.writing or 0)
    figures.done_before = figures.done_before + (last.counts.changed or 0)
    return true, last.id
  end)
end

local function one_round(box, folder, figures, seconds)
  local round = figures.round
  local output, status = runner(box, folder, round, seconds)
  if status ~= 0 then
    assert(status == 137 or status == 124, output) -- 124: it ended by itself just then
    local is_open, id = look_after(folder, figures)
    if is_open then output, status = runner(box, folder, round, nil, id) end
    assert(not is_open or status == 0, output)
  end
  local missed, doubled = tally(documents(box), round)
  figures.missed, figures.doubled = figures.missed + missed, figures.doubled + doubled
  latest(folder, function(last)
    figures.last_id = last.id
    figures.documents = figures.documents + check_documents(last, round)
  end)
end

--- Kills that many runs, each at any instant of the time that the first, which is not killed, takes.
-- @param opts { kills=, agents=, seed= }
-- @return figures by name, see words; and rounds, how many runs there were in all
function killed.rounds(opts)
  local random = require "support.random"(opts.seed)
  local folder = program.folder()
  local box = sandbox.start { agents = opts.agents, no_rate_limit = true, inventory = folder .. "/agents.lua" }
  box.agents = dofile(folder .. "/agents.lua")
  local figures = { round = 1, last_id = 0 }
  for _, row in ipairs(words) do figures[row[1]] = 0 end
  local ok, err = pcall(function()
    local began = now()
    one_round(box, folder, figures)
    local longest = now() - began
    while figures.killed < opts.kills do
      figures.round = figures.round + 1
      one_round(box, folder, figures, longest * (random:below(10000) + 1) / 10000)
    end
  end)
  box:stop()
  program.remove(folder)
  if not ok then error(err, 0) end
  return figures
end

local function main(given)
  if given[1] == "--run" then return run_once(unpack(given, 2)) end
  local opts = { kills = tonumber(given[1]), agents = tonumber(given[2]), seed = tonumber(given[3]) }
  local figures = killed.rounds(opts)
  for _, row in ipairs(words) do print(("%-60s %6d"):format(row[2], figures[row[1]])) end
  print(("%-60s %6d"):format("runs in all, of so many agents: " .. opts.agents, figures.round))
  os.exit(figures.missed == 0 and figures.doubled == 0 and figures.documents == figures.round * opts.agents)
end

if type(arg) == "table" and tostring(arg[0]):find "killed%.lua$" then main(arg) end

return killed
