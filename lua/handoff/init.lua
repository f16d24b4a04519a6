-- SPDX-License-Identifier: MIT
--- The public face of the library.
local core = require "handoff.core"

local handoff = {
  null = core.json.null,
  json = core.json,
  config = core.config.new,
  each = core.config.each,
}

return handoff
