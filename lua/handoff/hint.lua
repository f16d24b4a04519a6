-- SPDX-License-Identifier: MIT
--- What a message offers for a name that there is not: the one that was meant, or else what there is.
local core = require "handoff.core"

--- @param known a list of names
-- @param otherwise what is said where none of them is near; by default all of them
return function(name, known, otherwise)
  local near = type(name) == "string" and core.schema.nearest(name, known)
  if near then return ("did you mean %q?"):format(near) end
  return otherwise or "known are: " .. table.concat(known, ", ")
end
