-- SPDX-License-Identifier: MIT
--- Texts of an inventory, as messages of one line may hold them.
local core = require "handoff.core"

local text = {}

--- What keeps a text out of messages and tables of one line, or nil: what it has, in words.
function text.flaw(value, most)
  local count = core.schema.utf8_length(value)
  if not count then return "bytes that are not UTF-8" end
  if value:find "%c" or value:find "\194[\128-\159]" then return "control characters" end
  if most and count > most then return ("%d characters, at most %d allowed"):format(count, most) end
end

--- The type of a value, where JSON's null is one of its own.
function text.kind(value) return value == core.json.null and "null" or type(value) end

--- A key, in quotes where it can be shown.
function text.shown(key)
  if type(key) ~= "string" then return ("a %s"):format(type(key)) end
  local flaw = text.flaw(key, 60)
  return flaw and ("a text with " .. flaw) or ('"%s"'):format(key)
end

return text
