-- SPDX-License-Identifier: MIT
--- A text of anybody's (a word of the command line, a file's name, what a service or a script said) as it may stand in a message:
-- on one line, and with nothing in it that commands a terminal. What cannot stand as it is, is escaped.
local core = require "handoff.core"

local escapes = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function control(character) return escapes[character] or ("\\u%04x"):format(character:byte(-1)) end

-- What turns the direction of all that follows, U+202A to U+202E and U+2066 to U+2069: a name could pass for another one.
local function turn(character)
  local second, third = character:byte(2, 3)
  return ("\\u%04x"):format(0x2000 + (second - 128) * 64 + third - 128)
end

local function byte(character) return ("\\x%02x"):format(character:byte()) end

return function(text)
  if not core.schema.utf8_length(text) then text = text:gsub("[\128-\255]", byte) end
  return (text:gsub("%c", control):gsub("\194[\128-\159]", control):gsub("\226\128[\170-\174]", turn):gsub(
    "\226\129[\166-\169]", turn))
end
