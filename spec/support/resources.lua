-- SPDX-License-Identifier: MIT
--- What this process holds of the system, for audits at the end of a test.
local lfs = require "lfs"

local resources = {}

--- How many descriptors are open.
function resources.descriptors()
  local count = 0
  for _ in lfs.dir "/proc/self/fd" do count = count + 1 end
  return count
end

--- Runs Lua code in a process of its own, on the same VM, with some environment.
-- @return what it printed, standard error included
function resources.run(code, environment)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(code)
  file:close()
  local words = { "env" }
  for name, value in pairs(environment) do words[#words + 1] = ("%s='%s'"):format(name, value) end
  words[#words + 1] = ("LUA_PATH='%s' LUA_CPATH='%s'"):format(package.path, package.cpath)
  words[#words + 1] = ("%s %s 2>&1"):format(rawget(_G, "jit") and "luajit" or _VERSION:lower():gsub(" ", ""), path)
  local pipe = assert(io.popen(table.concat(words, " ")))
  local text = pipe:read "*a"
  pipe:close()
  os.remove(path)
  return text
end

return resources
