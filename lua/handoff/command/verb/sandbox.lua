-- SPDX-License-Identifier: MIT
local convert = require "handoff.command.convert"
local faults = require "handoff.sandbox.faults"

--- The rules in a file.
local function read_rules(path)
  local failure, status = require "handoff.command.failure", require "handoff.command.status"
  local text, reason = require("handoff.file").read(path)
  if not text then failure.raise(status.failed, ("%s: %s; name a file that can be read"):format(path, reason)) end
  local rules, err = require("handoff.core").json.decode(text)
  if rules == nil then
    failure.raise(status.failed, ("%s: %s; it is to be a JSON list of rules"):format(path,
      err.message:gsub("^the text: ", "")))
  end
  return rules
end

local function new_box(args)
  local core = require "handoff.core"
  local failure, status = require "handoff.command.failure", require "handoff.command.status"
  if not pcall(require, "handoff.serve") then
    failure.raise(status.failed, "handoff.serve cannot be loaded: it is built where libmicrohttpd is; install that "
      .. "(Debian: libmicrohttpd-dev), then build handoff again")
  end
  local called, box, err = pcall(require("handoff.sandbox").new, {
    agents = args.agents, port = args.port, latency = args.latency, rate_limit = not args.no_rate_limit,
    seed = args.seed, read_only = args.read_only, faults = args.faults and read_rules(args.faults), signals = true,
    until_eof = args.until_eof, writes = args.writes,
  })
  if called then return failure.check(box, err) end
  if not core.error.is(box) then error(box, 0) end
  local option = box.path:match "^handoff%.sandbox: ([%w_]+)$"
  local place = option and "--" .. option:gsub("_", "-") or ("%s: %s"):format(args.faults, box.path)
  failure.raise(option and status.misuse or status.failed, ("%s: %s"):format(place, box.message))
end

--- Says where it is and who its agents are; with a file, they are written there.
local function announce(ctx, box)
  local sandbox, path, url, agents = require "handoff.sandbox", ctx.args.inventory, box:base_url(), box:agents()
  if path then require("handoff.command.failure").check(sandbox.write_inventory(path, agents, url)) end
  if ctx.json then
    ctx:record { base_url = url, inventory = path, agents = not path and agents or nil }
  else
    ctx:say(url)
    if not path then ctx.out:write(sandbox.inventory_text(agents, url)) end
  end
  ctx.out:flush()
end

return {
  summary = "the remote API on this machine, for trying and testing", group = "start",
  details = [[
The human handoff API, emulated on this machine, with as many agents as you like.
Prints its base URL and an inventory of its agents, and serves until SIGTERM or
SIGINT. It keeps nothing: what is written to its agents goes when it ends.

What --faults names is a JSON list of rules, what goes wrong on purpose:

  [{ "agent": "shop-uk", "method": "PUT", "fault": "close" }]

which is the first PUT to shop-uk. Without "agent" it is every agent, without "method" GET and PUT. "at"
is the number of the request, counted for each agent (1); "times" is how many from there on, or "always"
(1). "chance" picks some of them at random, 0.05 of all: one in twenty. The faults, each with what it takes:
]] .. faults.describe():gsub("\n$", ""),
  flags = {
    { name = "agents", metavar = "N", convert = convert.whole, help = "how many agents (25)" },
    { name = "port", metavar = "PORT", convert = convert.whole, help = "the port on 127.0.0.1 (any free one)" },
    { name = "latency", metavar = "MS", convert = convert.number, help = "milliseconds before each answer (0)" },
    { name = "no-rate-limit", switch = true, help = "without the limits of 120 reads and 60 writes a minute" },
    { name = "seed", metavar = "N", convert = convert.whole, help = "other tokens and documents (1)" },
    { name = "read-only", metavar = "N", convert = convert.whole, help = "tokens that only read, the last ones (0)" },
    { name = "faults", metavar = "FILE", help = "what goes wrong on purpose, see above" },
    { name = "writes", metavar = "FILE", help = "add every text that is stored to it, a line of JSON each" },
    { name = "inventory", metavar = "FILE", help = "write the inventory there, print the URL only" },
    { name = "until-eof", switch = true, help = "stop at the end of standard input, too" },
  },
  examples = {
    { "handoff sandbox --agents 25 --inventory agents.lua", "25 agents for the verbs that run in this folder" },
  },
  run = function(ctx)
    local box = new_box(ctx.args)
    announce(ctx, box)
    repeat until box:step(3600)
    box:close()
  end,
}
