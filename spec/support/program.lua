-- SPDX-License-Identifier: MIT
--- Programs as people start them: a shell command, what it printed, how it ended.
local lfs = require "lfs"

local program = {}

local jit_version = rawget(_G, "jit")

-- The interpreter that runs the tests; its options and script stand around it in `arg`.
program.lua = arg[-1]
--- Which of the Makefile's VMs that is, and the Lua version whose trees it reads.
program.vm = jit_version and "luajit" or "lua" .. _VERSION:gsub("%D", "")
program.abi = _VERSION:match "%d.%d"

function program.quote(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

local function in_environment(command, env)
  local words = { "env" }
  for name, value in pairs(env) do
    if not value then words[#words + 1] = "-u " .. name end
  end
  for name, value in pairs(env) do
    if value then words[#words + 1] = name .. "=" .. program.quote(value) end
  end
  return table.concat(words, " ") .. " sh -c " .. program.quote(command)
end

local function execute(command, env)
  local shell = in_environment(command, env)
  local pipe = assert(io.popen(shell .. " </dev/null 2>&1; status=$?; echo; echo $status"))
  local text = pipe:read "*a"
  pipe:close()
  local output, status = text:match "^(.*)\n(%d+)\n$"
  return output, tonumber(status)
end

local here = lfs.currentdir()
program.here = here
local build = os.getenv "HANDOFF_BUILD" or here .. "/build"
--- The words before a program that is not to know what only tests are told.
program.untold = "env -u HANDOFF_BUILD -u HANDOFF_GC -u HANDOFF_OUTCOMES -u HANDOFF_BENCH"
--- The words that start the command of this tree, under this VM.
program.handoff = ("%s %s %s"):format(program.untold, program.quote(program.lua),
  program.quote(here .. "/lua/bin/handoff"))

local tree = {
  LUA_PATH = ("%s/lua/?.lua;%s/lua/?/init.lua;;"):format(here, here),
  LUA_CPATH = ("%s/%s/?.so;;"):format(build, program.vm),
}
-- Under the names that come before those, where the environment has them.
for _, version in ipairs { "5_3", "5_4" } do
  tree["LUA_PATH_" .. version], tree["LUA_CPATH_" .. version] = tree.LUA_PATH, tree.LUA_CPATH
end

local function with(variables, env)
  local all = {}
  for name, value in pairs(variables) do all[name] = value end
  for name, value in pairs(env or {}) do all[name] = value end
  return all
end

--- Runs a shell command to its end. Lua programs in it find the modules of this tree, from any folder.
-- @param env variables to set; one set to false is taken out of the environment
-- @return what it printed, on either stream; its exit status
function program.run(command, env) return execute(command, with(tree, env)) end

-- A make or a compiler started by a test knows nothing of the make, the sanitizer or the paths that the test itself runs under.
local fresh = {}
for _, name in ipairs {
  "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "LD_PRELOAD", "CFLAGS", "CPPFLAGS", "COVER", "BUILD",
  "DESTDIR", "PREFIX", "HANDOFF_BUILD", "HANDOFF_GC", "HANDOFF_OUTCOMES", "HANDOFF_BENCH",
  "LUA_PATH", "LUA_CPATH", "LUA_PATH_5_3", "LUA_CPATH_5_3", "LUA_PATH_5_4", "LUA_CPATH_5_4",
  "LUADIR", "LIBDIR", "DOCDIR", "ZSHDIR", "VMS",
} do
  fresh[name] = false
end

--- As `run`, in an environment without traces of the run of the tests.
function program.run_fresh(command, env) return execute(command, with(fresh, env)) end

--- A new folder below TMPDIR; `remove` takes it away with all in it.
function program.folder()
  local path = program.run "mktemp -d":gsub("\n", "")
  return path
end
function program.remove(folder) program.run("rm -rf " .. program.quote(folder)) end

--- Writes a file → its path.
function program.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

--- Starts the sandbox of this tree as a program → { url=, agents=, inventory= its file, env= for the programs that use it }.
-- `stop` ends it; it also ends with its standard input, when this process does. A pipe with a name is how it says that it
-- listens, so nobody has to wait and look. `installed`: the command to start, unless it is this tree's.
function program.sandbox(agents, installed)
  local sandbox = { folder = program.folder() }
  local says = sandbox.folder .. "/says"
  sandbox.inventory = sandbox.folder .. "/agents.lua"
  program.run("mkfifo " .. program.quote(says))
  local command = ("exec %s sandbox --agents %d --until-eof --inventory %s >%s"):format(
    installed or program.handoff, agents, program.quote(sandbox.inventory), program.quote(says))
  local input = assert(io.popen("exec " .. in_environment(command, installed and fresh or tree), "w"))
  function sandbox.stop()
    input:close()
    program.remove(sandbox.folder)
  end
  local pipe = assert(io.open(says))
  sandbox.url = pipe:read "*l"
  pipe:close()
  if not sandbox.url then
    sandbox.stop()
    error("the sandbox did not start", 2)
  end
  sandbox.agents = dofile(sandbox.inventory)
  sandbox.env = { HANDOFF_BASE_URL = sandbox.url, HANDOFF_TOKEN = sandbox.agents[1].token,
    XDG_STATE_HOME = sandbox.folder }
  return sandbox
end

return program
