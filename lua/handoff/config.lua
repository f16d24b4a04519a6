-- SPDX-License-Identifier: MIT
--- Configurations: the core's objects, and what is said about them in Lua.
local core = require "handoff.core"
local change = require "handoff.change"

local config = { new = core.config.new, each = core.config.each, part = core.config.part }

--- cfg:changes() → what was edited since the configuration was fetched or made, as handoff.change lists it; empty where
-- every value is what it was, even if it was assigned.
function core.config.methods.changes(cfg)
  local all = {}
  for _, part in ipairs(core.config.edited(cfg)) do
    for _, one in ipairs(change.part(part.name, part.before, part.after)) do all[#all + 1] = one end
  end
  return all
end

return config
