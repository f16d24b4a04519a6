-- SPDX-License-Identifier: MIT
--- What the programs in Lua that a benchmark starts share. Those in other languages do the same: the arguments are
--     URL TOKENS (a file, one a line) AGENTS CONCURRENCY STAMP (see bench.edit)
-- and what is printed is one line: processor seconds, seconds by the clock, both of the whole run; the most memory, in KiB.
local now = require "handoff.loop".now

local program = {}

function program.arguments()
  local url, file, agents, concurrency, stamp = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4]), arg[5]
  local tokens = {}
  for token in io.lines(file) do
    if #tokens < agents then tokens[#tokens + 1] = token end
  end
  return url, tokens, concurrency, stamp
end

function program.report(run)
  local began = now()
  run()
  local seconds = now() - began
  local status = assert(io.open "/proc/self/status")
  local peak = status:read "*a":match "VmHWM:%s*(%d+)"
  status:close()
  print(("%.3f %.3f %d"):format(os.clock(), seconds, peak))
end

return program
