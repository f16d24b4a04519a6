-- SPDX-License-Identifier: MIT
-- Eight Lua states in eight threads, opened and closed again, with requests to a sandbox: run.lua BUILD, where the program and
-- the modules of this VM are built with ThreadSanitizer. The sandbox is an ordinary build's.
local program = require "support.program"
local sandbox = require "support.sandbox"

local THREADS, ROUNDS = 8, 5
local build = assert(arg[1], "run it by make test-threads")

local folder = program.folder()
local inventory = folder .. "/agents.lua"
local box = sandbox.start { agents = THREADS + 1, no_rate_limit = true, latency = 5, inventory = inventory }
local cpath = ("%s/%s/?.so;;"):format(build, program.vm)

-- ThreadSanitizer takes certain places of memory for its own: addresses at random may be in its way, where that can be helped.
local fixed = "$(setarch -R true 2>/dev/null && echo setarch -R)"
local words = ("%s timeout -k 5 300 %s/spec/threads-%s %d %d spec/threads/state.lua %s"):format(fixed, build,
  program.vm, THREADS, ROUNDS, inventory)
local output, status = program.run(words, {
  LUA_CPATH = cpath, LUA_CPATH_5_4 = cpath, LUA_PATH = package.path, LUA_PATH_5_4 = package.path,
  -- Locks of libraries that are not built with it are unknown to it: only what our own code does counts.
  TSAN_OPTIONS = "exitcode=66 ignore_noninstrumented_modules=1",
})
box:stop()
program.remove(folder)
io.write(output)
os.exit(status == 0) -- a race leaves the states well, and fails all the same
