-- SPDX-License-Identifier: MIT
-- Edits a fleet, see bench.program for what it prints.
--     update.lua plain|guarded|history URL TOKENS AGENTS CONCURRENCY STAMP
local handoff = require "handoff"
local edit = require "bench.edit"
local program = require "bench.program"

local how = {
  plain = { history = false, merge = false, verify = false },
  guarded = { history = false },
  history = { history = (os.getenv "TMPDIR" or "/tmp") .. "/history.db" },
}
local opts = assert(how[table.remove(arg, 1)])
local url, tokens, concurrency, stamp = program.arguments()

local list = {}
for i, token in ipairs(tokens) do list[i] = { name = "agent-" .. i, token = token } end
local fleet = handoff.fleet(list, { base_url = url:match "^(.*/)human_handoff", concurrency = concurrency })

program.report(function()
  local run = assert(fleet:update(function(cfg) edit(cfg, stamp) end, opts))
  assert(run.counts.changed == #list, tostring(run))
end)
