-- SPDX-License-Identifier: MIT
--- The command as people start it: a process of its own, its two streams apart, its exit status.
--
--   local box = command.sandbox(3)          a sandbox with an inventory in a file, a folder, an environment of its own
--   local ran = box:run("query settings.timezone --json") → { out=, err=, status= }
--   box.folder, box.inventory, box.box (see support.sandbox); box:write(name, text) → its path; box:read(name); box:stop()
local files = require "handoff.file"
local program = require "support.program"

local command = {}

local here = program.run "pwd":gsub("\n", "")

--- The words that start the command, under this VM.
function command.words()
  return ("%s %s/lua/bin/handoff"):format(program.quote(program.lua), program.quote(here))
end

local function read(path) return assert(files.read(path)) end

-- None of the variables that the tests themselves are told things by.
local function clean(env)
  local all = {
    HANDOFF_TOKEN = false, HANDOFF_BASE_URL = false, HANDOFF_BUILD = false, HANDOFF_GC = false,
    HANDOFF_OUTCOMES = false, HANDOFF_BENCH = false, NO_COLOR = false, TERM = "xterm",
  }
  for name, value in pairs(env or {}) do all[name] = value end
  return all
end

--- Runs `handoff` with these words of a shell, without a terminal.
-- @param more { env= variables (false: taken out), folder= to run it in, stdin= a file (/dev/null), before= a shell's command
--   before it, which changes what it finds, after= words after it: "| head -1", ">/dev/full" (then `out` is what that printed) }
-- @return { out=, err=, status= } (with a pipe, the status is still the command's)
function command.run(words, more)
  more = more or {}
  local folder = program.folder()
  local line = ("cd %s && %s && { { setsid -w %s %s <%s; echo $? >%s/status; } %s; } >%s/out 2>%s/err"):format(
    program.quote(more.folder or here), more.before or ":", command.words(), words,
    program.quote(more.stdin or "/dev/null"), folder, more.after or "", folder, folder)
  program.run(line, clean(more.env))
  local ran = {
    out = read(folder .. "/out"), err = read(folder .. "/err"), status = tonumber(read(folder .. "/status")),
  }
  program.remove(folder)
  return ran
end

-- ---- with a sandbox -------------------------------------------------------------------------------------------------------

local Box = {}
Box.__index = Box

--- @param count how many agents
-- @param options of support.sandbox's start
function command.sandbox(count, options)
  local sandbox = require "support.sandbox"
  local all = { agents = count }
  for name, value in pairs(options or {}) do all[name] = value end
  local folder, box = program.folder(), sandbox.start(all)
  local self = setmetatable({ folder = folder, box = box, inventory = folder .. "/agents.lua" }, Box)
  self:write("agents.lua", require("handoff.sandbox").inventory_text(box.agents))
  return self
end

--- Runs it in the folder, where agents.lua is.
function Box:run(words, more)
  local all = { folder = self.folder, env = { HANDOFF_BASE_URL = self.box.base_url, XDG_STATE_HOME = self.folder } }
  for name, value in pairs(more or {}) do
    if name == "env" then
      for variable, text in pairs(value) do all.env[variable] = text end
    else
      all[name] = value
    end
  end
  return command.run(words, all)
end

function Box:write(name, text) return program.write(self.folder .. "/" .. name, text) end

function Box:read(name) return read(self.folder .. "/" .. name) end

function Box:stop()
  self.box:stop()
  program.remove(self.folder)
end

return command
