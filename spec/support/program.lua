-- SPDX-License-Identifier: MIT
--- Programs as people start them: a shell command, what it printed, how it ended.
local program = {}

local jit_version = rawget(_G, "jit")

-- The interpreter that runs the tests; its options and script stand around it in `arg`.
program.lua = arg[-1]
--- Which of the Makefile's VMs that is, and the Lua version whose trees it reads.
program.vm = jit_version and "luajit" or "lua54"
program.abi = jit_version and "5.1" or "5.4"

function program.quote(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

--- Runs a shell command to its end.
-- @param env variables to set; one set to false is taken out of the environment
-- @return what it printed, on either stream; its exit status
function program.run(command, env)
  local words = { "env" }
  for name, value in pairs(env or {}) do
    if value == false then words[#words + 1] = "-u " .. name end
  end
  for name, value in pairs(env or {}) do
    if value then words[#words + 1] = name .. "=" .. program.quote(value) end
  end
  local shell = table.concat(words, " ") .. " sh -c " .. program.quote(command)
  local pipe = assert(io.popen(shell .. " </dev/null 2>&1; status=$?; echo; echo $status"))
  local text = pipe:read "*a"
  pipe:close()
  local output, status = text:match "^(.*)\n(%d+)\n$"
  return output, tonumber(status)
end

-- A make or a compiler started by a test knows nothing of the make, the sanitizer or the paths that the test itself runs under.
local fresh = {}
for _, name in ipairs {
  "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "LD_PRELOAD", "CFLAGS", "BUILD", "DESTDIR", "PREFIX",
  "HANDOFF_BUILD", "LUA_PATH", "LUA_CPATH", "LUA_PATH_5_4", "LUA_CPATH_5_4",
} do
  fresh[name] = false
end

--- As `run`, in an environment without traces of the run of the tests.
function program.run_fresh(command, env)
  local all = {}
  for name, value in pairs(fresh) do all[name] = value end
  for name, value in pairs(env or {}) do all[name] = value end
  return program.run(command, all)
end

--- A new folder below TMPDIR; `remove` takes it away with all in it.
function program.folder()
  local path = program.run "mktemp -d":gsub("\n", "")
  return path
end
function program.remove(folder) program.run("rm -rf " .. program.quote(folder)) end

return program
