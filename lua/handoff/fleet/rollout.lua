-- SPDX-License-Identifier: MIT
--- What a roll-out may do: its waves and its limits. Pure functions on numbers.
local core = require "handoff.core"

local rollout = {}

local function refuse(what, value)
  core.error.raise { path = what, rule = "count", value = value,
    message = 'a whole number from 0 on, or a share such as "10%", expected' }
end

--- A count or a share → parts of `total`; of a share, what rounding leaves.
-- @param value 12 or "10%"
-- @param round math.floor or math.ceil
-- @param what what messages call it
function rollout.amount(value, total, round, what)
  if type(value) == "number" and value >= 0 and value % 1 == 0 then return value end
  local percent = type(value) == "string" and tonumber(value:match "^(%d+%.?%d*)%%$")
  if not percent or percent > 100 then refuse(what, value) end
  return round(total * percent / 100)
end

--- Refuses limits and waves that say nothing, before anything is done.
-- @param limits options of a run: max_changes, max_deletions, max_failures, waves
-- @param what what messages call their place
function rollout.check(limits, what)
  for _, name in ipairs { "max_changes", "max_deletions", "max_failures" } do
    if limits[name] then rollout.amount(limits[name], 0, math.floor, ("%s: %s"):format(what, name)) end
  end
  if not limits.waves then return end
  if #limits.waves == 0 then
    core.error.raise { path = what .. ": waves", rule = "required",
      message = 'no wave, so nothing would be written; give some, such as {1, "10%", "100%"}, or leave waves out' }
  end
  for i, wave in ipairs(limits.waves) do rollout.amount(wave, 0, math.ceil, ("%s: waves[%d]"):format(what, i)) end
end

--- The waves of a roll-out, {1, "10%", "100%"} → how many agents have had their turn after each, rising; none is empty.
function rollout.waves(waves, total)
  local ends, last = {}, 0
  for i, wave in ipairs(waves) do
    local reached = math.min(total, rollout.amount(wave, total, math.ceil, ("waves[%d]"):format(i)))
    if reached > last then
      ends[#ends + 1], last = reached, reached
    end
  end
  return ends
end

local function plural(count, one, many)
  return ("%d %s"):format(count, count == 1 and one or many)
end

--- Holds what a plan would do against the limits.
-- @param counts { agents= in all, changes= agents that would change, deletions= items that would go }
-- @param limits { max_changes=, max_deletions= }, each may be nil
-- @return an error of kind "limit", which names what was counted and the option that would let exactly that through; or nil
function rollout.refusal(counts, limits)
  local rows = {
    { "max_changes", counts.changes, "agent would change", "agents would change" },
    { "max_deletions", counts.deletions, "item would be deleted", "items would be deleted" },
  }
  for _, row in ipairs(rows) do
    local name, count = row[1], row[2]
    local most = limits[name] and rollout.amount(limits[name], counts.agents, math.floor, name)
    if most and count > most then
      return core.error.new { kind = "limit", option = name, count = count, limit = most,
        message = ("%s, at most %d allowed; nothing was written; %s=%d lets exactly that through"):format(
          plural(count, row[3], row[4]), most, name, count) }
    end
  end
end

return rollout
