-- SPDX-License-Identifier: MIT
--- Configurations: the core's objects, and what is said about them in Lua.
local core = require "handoff.core"
local change = require "handoff.change"

local config = { new = core.config.new, each = core.config.each, part = core.config.part }

-- The schema's parts have their order, unknown ones come after.
local place = {}
for i, part in ipairs(core.schema.document().fields) do place[part.name] = i end

local function by_place(a, b)
  local i, j = place[a.name] or math.huge, place[b.name] or math.huge
  return i < j or i == j and a.name < b.name
end

--- cfg:changes() → what was edited since the configuration was fetched or made, as handoff.change lists it; empty where
-- every value is what it was, even if it was assigned.
function core.config.methods.changes(cfg)
  local edited = core.config.edited(cfg)
  if #edited == 1 then return change.part(edited[1].name, edited[1].before, edited[1].after) end
  table.sort(edited, by_place)
  local all = {}
  for _, part in ipairs(edited) do
    for _, one in ipairs(change.part(part.name, part.before, part.after)) do all[#all + 1] = one end
  end
  return all
end

return config
