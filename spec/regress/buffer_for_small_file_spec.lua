-- SPDX-License-Identifier: MIT
--- An inventory of a few bytes took 64 MiB of memory to be read, a file of desired state 8: as much as one may have at most.
local program = require "support.program"

local script = [[
  local function peak()
    local file = assert(io.open "/proc/self/status")
    local kib = tonumber(file:read("*a"):match "VmPeak:%s*(%d+)")
    file:close()
    return kib
  end
  local inventory, desired = require "handoff.inventory", require "handoff.desired"
  local before = peak()
  inventory.load(arg[1])
  desired.read(arg[2])
  io.write(peak() - before < 4096 and "small" or "large")
]]

describe("a small file", function()
  it("takes little memory to be read", function()
    local folder = program.folder()
    program.write(folder .. "/run.lua", script)
    program.write(folder .. "/agents.json", '[{"name":"a","token":"x"}]')
    program.write(folder .. "/a.json", '{"settings":{"is_active":true}}')
    local output = program.run(("cd %s && %s run.lua agents.json a.json"):format(folder, program.lua))
    program.remove(folder)
    assert.equal("small", output)
  end)
end)
