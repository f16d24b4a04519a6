-- SPDX-License-Identifier: MIT
--- What a verb is given: what it was asked for, the two streams to answer on, and the fleet.
--   args     arguments and flags by name, dashes as underscores; of a flag that was not given its variable, or its default
--   out, err streams, see command/stream.lua
--   json     true where JSON was asked for
--   verb     its name
local core = require "handoff.core"
local failure = require "handoff.command.failure"
local hint = require "handoff.hint"
local plain = require "handoff.plain"
local status = require "handoff.command.status"

local Context = {}
Context.__index = Context

-- Scripts that read JSON can tell by it whether they know the form; it rises when something is taken away or changes its meaning.
local FORMAT_VERSION = 1

--- A line to standard output.
function Context:say(line) self.out:write(line .. "\n") end

--- A line to standard error, after all that was said before.
function Context:note(line)
  self.out:flush()
  self.err:write(plain(line) .. "\n")
end

--- JSON of the same value, in which nothing can command a terminal: its writers leave DEL and the C1 controls as they are.
function Context.tame(json)
  return (json:gsub("\127", "\\u007f"):gsub("\194([\128-\159])", function(c) return ("\\u00%02x"):format(c:byte()) end))
end

--- One JSON object to standard output, a line.
function Context:record(object)
  local all = { format_version = FORMAT_VERSION }
  for name, value in pairs(object) do all[name] = value end
  self:say(self.tame(core.json.encode(all)))
end

--- "1 agent", "3 agents"
function Context.plural(_, count, one, many)
  return ("%d %s"):format(count, count == 1 and one or many or one .. "s")
end

--- The instant that --at names, where local times are those of this zone, or UTC; now without it. What is no time ends the verb.
-- Asked first without a zone, it is said before anything is requested, but for what the clocks of a zone skip.
function Context:time(zone)
  local at, why = require("handoff.time").read(self.args.at, zone)
  return at or failure.raise(status.misuse, "--at: " .. why)
end

-- ---- the fleet ------------------------------------------------------------------------------------------------------------

-- Flags that are options of handoff.fleet.
local fleet_options = {
  "concurrency", "base_url", "timeout", "connect_timeout", "retries", "deadline", "budget", "ca_file", "proxy",
  "insecure", "history", "allow_duplicates",
}

-- What is wrong in an inventory is said whole, a line each.
local function refuse_inventory(self, err)
  local issues = err.issues or { err }
  for i = 1, #issues - 1 do self:note(("%s: %s"):format(issues[i].path, issues[i].message)) end
  local last = issues[#issues]
  failure.raise(status.failed, last.path and ("%s: %s"):format(last.path, last.message) or tostring(err))
end

local function load_fleet(self, own)
  local options, path = {}, self.args.inventory
  for _, name in ipairs(fleet_options) do options[name] = self.args[name] end
  for name, value in pairs(own or {}) do options[name] = value end
  if not core.file.kind(path) then
    failure.raise(status.failed, ("%s: there is no such inventory; name one with --inventory, or let `handoff init` "
      .. "write a first one"):format(path))
  end
  local ok, fleet, err = pcall(require("handoff.fleet").new, path, options)
  if ok and fleet then return fleet end
  err = err or fleet
  if core.error.is(err) and (err.issues or ok) then refuse_inventory(self, err) end
  error(err, 0)
end

--- The agents that are meant: those of --inventory that --select and --shard leave.
-- @param own options of handoff.fleet beside those that are flags
function Context:fleet(own)
  local fleet = load_fleet(self, own)
  local terms, shard = self.args.select, self.args.shard
  local all = #fleet:agents()
  if terms then fleet = fleet:select(terms) end
  if terms and #fleet:agents() == 0 then
    failure.raise(status.misuse, ("--select: %q fits none of %s of %s; `handoff agents` lists them"):format(terms,
      self:plural(all, "agent"), self.args.inventory))
  end
  return shard and fleet:shard(shard[1], shard[2]) or fleet
end

local function refuse_agent(self, fleet, name, advice)
  local names = {}
  for i, agent in ipairs(fleet:agents()) do names[i] = agent.name end
  local chosen = (self.args.select or self.args.shard) and "that is selected " or ""
  failure.raise(status.misuse, ("%s: no agent of %s %shas this name; %s"):format(name, self.args.inventory, chosen,
    hint(name, names, advice or "`handoff agents` lists them")))
end

--- The agents of these names, in the inventory's order; one that is not there ends the verb.
-- @param advice what to do then, where no name is near; by default to look at the list
-- @return a fleet
function Context:named(names, own, advice)
  local fleet, wanted, there = self:fleet(own), {}, {}
  for _, name in ipairs(names) do wanted[name] = true end
  for _, agent in ipairs(fleet:agents()) do there[agent.name] = true end
  for _, name in ipairs(names) do
    if not there[name] then refuse_agent(self, fleet, name, advice) end
  end
  return fleet:select(function(agent) return wanted[agent.name] end)
end

--- The same of one.
function Context:agent(name, own) return self:named({ name }, own) end

local context = {}

--- @param given { args=, out=, err=, verb= }
function context.new(given)
  given.json = given.args.json
  return setmetatable(given, Context)
end

return context
