-- SPDX-License-Identifier: MIT
--- Lets memory fail under every operation (see driver.lua): run.lua BUILD [MOST], where the programs and the modules of this VM
-- are built for it. At most MOST requests for memory fail in a sweep, others each time; 0: each of them. Operations that match
-- TORTURE_ONLY (a pattern) are tried alone; TORTURE_MODE is one of the driver's. Ends with a line `N passed, N failed`, an
-- operation each.
local program = require "support.program"
local sandbox = require "support.sandbox"

local build, most = assert(arg[1], "run it by make torture"), tonumber(arg[2] or 0)
local only, mode = os.getenv "TORTURE_ONLY", os.getenv "TORTURE_MODE" or ""
local LIMIT = 1800 -- seconds for an operation

local folder = program.folder()
program.run("mkdir " .. folder .. "/desired")
local box = sandbox.start { agents = 3, no_rate_limit = true, inventory = folder .. "/agents.lua" }
local cpath = ("%s/%s/?.so;;"):format(build, program.vm)
local env = {
  LUA_CPATH = cpath, LUA_CPATH_5_4 = cpath, LUA_PATH = package.path, LUA_PATH_5_4 = package.path,
  TORTURE_FOLDER = folder, TORTURE_URL = box.base_url, TORTURE_TOKEN = dofile(folder .. "/agents.lua")[1].token,
  HANDOFF_HISTORY = false,
}

local names_of = ("%s/host-%s spec/torture/names.lua"):format(build, program.vm)
local names, passed, failed, counts = {}, 0, 0, {}
for name in program.run(names_of, env):gmatch "[^\n]+" do names[#names + 1] = name end

math.randomseed(os.time())
local modes = { "once", "all", program.vm == "luajit" and "all" or "gives" }
if most > 0 and mode == "" then mode = modes[math.random(#modes)] end
for _, name in ipairs(names) do
  if not only or name:find(only) then
    local words = ("timeout -k 5 %d %s/host-%s spec/torture/driver.lua %s %d %.3f %s"):format(LIMIT, build,
      program.vm, program.quote(name), most, math.random(), mode)
    local output, status = program.run(words, env)
    local well, failures = status == 0, 0
    for line in (output .. "\n"):gmatch "([^\n]*)\n" do
      local kind, fails = line:match "^(%l+) %l+ %d+ (%d+)$"
      if kind then
        local count = counts[kind] or { sweeps = 0, failures = 0 }
        counts[kind] = count
        count.sweeps, count.failures, failures = count.sweeps + 1, count.failures + fails, failures + fails
      elseif line ~= "" then
        well = false
        print(line:find "^found" and line or name .. ": " .. line)
      end
    end
    if well then passed = passed + 1 else failed = failed + 1 end
    if most == 0 then print(("%s: %d failures"):format(name, failures)) end
    io.flush()
  end
end
box:stop()
program.remove(folder)

for _, kind in ipairs { "lua", "own", "curl" } do
  local count = counts[kind] or { sweeps = 0, failures = 0 }
  print(("%s, %s: %d failures of memory in %d sweeps"):format(program.vm, kind, count.failures, count.sweeps))
end
print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0)
