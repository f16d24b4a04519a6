-- SPDX-License-Identifier: MIT

--- A tag as --select takes it.
local function tag(name, value)
  return ("%s=%s"):format(name, value:find "^[^%s,\"]+$" and value or '"' .. value:gsub('["\\]', "\\%0") .. '"')
end

local function tags_of(agent)
  local list = {}
  for name, value in pairs(agent.tags) do list[#list + 1] = tag(name, value) end
  table.sort(list)
  return table.concat(list, " ")
end

return {
  summary = "list the agents of the inventory with their tags", group = "look",
  details = "Lists the agents of the inventory, or those that --select and --shard leave, with their tags.\n"
    .. "No token is read, and nothing is sent.",
  flags = { "inventory", "select", "shard" },
  examples = { { "handoff agents --select 'region=eu tier!=free'", "who an edit with this selection is for" } },
  run = function(ctx)
    local agents, rows = ctx:fleet():agents(), {}
    for i, agent in ipairs(agents) do
      if ctx.json then ctx:record { agent = agent.name, tags = agent.tags } end
      rows[i] = { agent.name, tags_of(agent) }
    end
    if ctx.json then return end
    for _, line in ipairs(require("handoff.columns").lines(rows)) do ctx:say(line) end
    ctx:note(ctx:plural(#agents, "agent"))
  end,
}
