-- SPDX-License-Identifier: MIT
--- One run over agents of the sandbox, in this process or in one that is killed.
--
-- A job: { what = "update", "undo" or "resume", id= (of the run that is undone or gone on with), number= (of the edit; nil for an
-- undo that is gone on with), names= (of the agents), options= (of the run) }
local handoff = require "handoff"
local json = require("handoff.core").json
local marks = require "endurance.marks"
local program = require "support.program"

local work = {}

--- Does the job.
-- @param place { agents= (an inventory), base_url=, history=, timeout= (seconds, of a request) }
-- @param announce function(agent, before_text, meant_text), called before each PUT
-- @return the run; or nil, err
function work.perform(place, job, announce)
  local fleet = assert(handoff.fleet(place.agents, {
    base_url = place.base_url, history = place.history, concurrency = 16, timeout = place.timeout, deadline = 20,
  }))
  local wanted, options = {}, { edit = job.number and ("round %d"):format(job.number) }
  for _, name in ipairs(job.names) do wanted[name] = true end
  for name, value in pairs(job.options) do options[name] = value end
  function options.on_put(result, before, meant)
    announce(result.agent, before, meant)
    return true
  end
  fleet = fleet:select(function(agent) return wanted[agent.name] end)
  if job.what == "undo" then return fleet:undo(job.id, options) end
  local edit = job.number and marks.edit(job.number)
  if job.what == "update" then return fleet:update(edit, options) end
  options.edit = nil
  return fleet:resume(job.id, edit, options)
end

-- ---- in a process that is killed --------------------------------------------------------------------------------------

--- Does the job in a process of its own, which is killed after so many seconds if it has not ended by then.
-- @param folder for files of its own
-- @return how it ended: its exit status, 137 where it was killed; what it printed; and what it announced, a list of
--   { agent, before, meant }
function work.killed(place, job, folder, seconds)
  local path = { job = folder .. "/job.json", announced = folder .. "/announced" }
  program.write(path.announced, "")
  program.write(path.job, json.encode { job = job, agents = place.inventory, base_url = place.base_url,
    history = place.history, timeout = place.timeout, announced = path.announced })
  -- In the foreground timeout kills the program alone, and waits until it is gone, and its locks with it.
  local command = ("timeout --foreground -s KILL %.4f %s spec/endurance/work.lua --child %s"):format(seconds,
    program.quote(program.lua), program.quote(path.job))
  local output, status = program.run(command, { LUA_PATH = package.path, LUA_PATH_5_4 = package.path })
  local announced = {}
  for line in io.lines(path.announced) do
    local one = json.decode(line) -- the last may be cut short: then its PUT has not left
    announced[#announced + 1] = one
  end
  return status, output, announced
end

local function main(path)
  local file = assert(io.open(path, "rb"))
  local given = assert(json.decode(file:read "*a"))
  file:close()
  local out = assert(io.open(given.announced, "ab"))
  local run = assert(work.perform(given, given.job, function(...)
    out:write(json.encode { ... }, "\n")
    out:flush()
  end))
  print(run)
end

if type(arg) == "table" and arg[1] == "--child" then main(arg[2]) end

return work
