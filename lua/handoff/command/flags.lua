-- SPDX-License-Identifier: MIT
--- The flags that several verbs have, a row each; a verb names those that it takes. A row:
--   name      "max-changes": --max-changes, HANDOFF_MAX_CHANGES, ctx.args.max_changes
--   metavar   what its value is called; choices: all values there are; switch = true: it takes none
--   short     "o": -o, too
--   once      true where giving it twice is refused; of others the last counts, but with
--   many      true each does: its value is a list
--   convert   function(text) → value, or nil and what was expected instead; default
--   help      one line
local convert = require "handoff.command.convert"

local flags = {}

local rows = {
  { name = "inventory", metavar = "FILE", default = "agents.lua", help = "who the agents are: .lua, .json or .csv" },
  { name = "select", metavar = "TERMS", once = true,
    help = "only the agents that fit: 'region=eu tier!=free name~shop-*'" },
  { name = "shard", metavar = "I/N", convert = convert.shard, help = "only the I-th of N parts of the agents" },
  { name = "concurrency", metavar = "N", convert = convert.whole, help = "agents at once, at most (32)" },
  { name = "base-url", metavar = "URL", help = "where the API is (the vendor's)" },
  { name = "timeout", metavar = "SECONDS", convert = convert.number, help = "of one request (30)" },
  { name = "connect-timeout", metavar = "SECONDS", convert = convert.number, help = "until it is connected (10)" },
  { name = "retries", metavar = "N", convert = convert.whole, help = "how often a request is tried again (4)" },
  { name = "deadline", metavar = "SECONDS", convert = convert.number, help = "of all that is done to an agent (120)" },
  { name = "budget", metavar = "N%", help = "share of the service's limits that may be used (100%)" },
  { name = "ca-file", metavar = "FILE", help = "certificates to trust" },
  { name = "proxy", metavar = "URL", help = "a proxy to go through" },
  { name = "insecure", switch = true, help = "allow http:// beyond this machine" },
  { name = "from", metavar = "PATH",
    help = "not live: a folder or file of desired state, or a saved plan" },
  { name = "history", metavar = "FILE", help = "where runs are recorded ($XDG_STATE_HOME/handoff/history.db)" },
  { name = "yes", switch = true, help = "do not ask; no limit is skipped by it" },
  { name = "max-changes", metavar = "N|N%", convert = convert.amount, help = "refuse where more agents would change" },
  { name = "max-deletions", metavar = "N|N%", convert = convert.amount, help = "refuse where more items would go" },
  { name = "max-failures", metavar = "N|N%", convert = convert.amount, help = "stop when more have failed" },
  { name = "waves", metavar = "LIST", convert = convert.waves, help = "how many by the end of each wave: 1,10%,100%" },
  { name = "on-conflict", choices = { "mine", "theirs" }, help = "whose edit stands where two meet (none: it fails)" },
  { name = "verify", choices = { "answer", "read", "none" }, help = "hold what was written against this (answer)" },
  { name = "wait", metavar = "SECONDS", convert = convert.number, help = "wait for agents that another run has (0)" },
  { name = "test", metavar = "PATH", many = true,
    help = "what would be written must pass these policies" },
  { name = "allow-duplicates", switch = true, help = "let two names stand for one agent" },
}

local groups = {
  agents = { "inventory", "select", "shard" },
  requests = {
    "concurrency", "base-url", "timeout", "connect-timeout", "retries", "deadline", "budget", "ca-file", "proxy",
    "insecure",
  },
  writing = {
    "yes", "max-changes", "max-deletions", "max-failures", "waves", "on-conflict", "verify", "wait", "history",
    "allow-duplicates", "test",
  },
}

-- What every verb has.
local common = {
  { name = "json", switch = true, help = "JSON on standard output; lists are one object a line" },
  { name = "color", choices = { "auto", "always", "never" }, default = "auto", help = "colours (auto: on a terminal)" },
}

local by_name = {}
for _, row in ipairs(rows) do by_name[row.name] = row end

--- The rows of a verb's flags, which are names of rows, of groups of them, or rows of its own.
function flags.of(wanted)
  local list = {}
  for _, one in ipairs(wanted or {}) do
    if groups[one] then
      for _, name in ipairs(groups[one]) do list[#list + 1] = by_name[name] end
    else
      list[#list + 1] = type(one) == "table" and one or assert(by_name[one], one)
    end
  end
  for _, row in ipairs(common) do list[#list + 1] = row end
  return list
end

--- A verb's flags as help and manual show them: its own, and the groups that it has.
-- @return the names and rows of its own; a list of the groups' names
function flags.sorted(wanted)
  local own, named = {}, {}
  for _, one in ipairs(wanted or {}) do
    local list = groups[one] and named or own
    list[#list + 1] = one
  end
  return own, named
end

--- The rows of some flags, without those that every verb has.
function flags.rows(wanted)
  local list = flags.of(wanted)
  for _ = 1, #common do list[#list] = nil end
  return list
end

--- What a flag does, with its default.
function flags.help(row)
  local default = row.default ~= nil and not row.help:find "%)" and (" (%s)"):format(tostring(row.default)) or ""
  return row.help .. default
end

--- The name of the variable that stands for a flag.
function flags.variable(name)
  return "HANDOFF_" .. name:gsub("-", "_"):upper()
end

--- The variables of the library's own.
flags.library_variables = { "HANDOFF_TOKEN", "HANDOFF_BASE_URL" }

return flags
