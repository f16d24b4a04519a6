-- SPDX-License-Identifier: MIT
--- What verbs do at a terminal, alone: at_terminal.lua ask; at_terminal.lua read URL INVENTORY TIMEOUT RETRIES.
local context = require "handoff.command.context"
local core = require "handoff.core"
local failure = require "handoff.command.failure"
local stream = require "handoff.command.stream"

local variables = core.process.environment()
local ctx = context.new {
  args = { json = variables.AS_JSON and true }, out = stream.new(io.stdout, 1, "standard output", "auto", variables),
  err = stream.new(io.stderr, 2, "standard error", "auto", variables),
}

local acts = {}

function acts.ask()
  local guard = require("handoff.command.interrupt").watch(ctx)
  local ok, answer = pcall(require("handoff.command.prompt").ask, ctx, "Write this to 2 agents?")
  guard:close()
  if not ok then error(answer, 0) end
  ctx:say(tostring(answer))
  return 0
end

function acts.read(url, inventory, timeout, retries)
  local fleet = assert(require("handoff.fleet").new(inventory, {
    base_url = url, retries = tonumber(retries), timeout = tonumber(timeout), concurrency = 4, history = false,
  }))
  local run = require("handoff.command.progress").during(ctx, fleet, "reading", function(opts)
    return fleet:each(function(client) return client:get() end, opts)
  end)
  ctx:say(tostring(run))
  return run.counts.untouched and 130 or 0
end

local ok, result = pcall(acts[arg[1]], (table.unpack or unpack)(arg, 2))
ctx.out:flush()
if not ok then ctx:note(failure.is(result) and result.message or tostring(result)) end
os.exit(not ok and (result.status or 1) or result)
