-- SPDX-License-Identifier: MIT
--- Arguments of the history's functions; a bad one raises. `path` is what a message calls it.
local core = require "handoff.core"

local refuse = core.error.raise

local check = {}

--- The driver cuts a text at a NUL, and half a document is worse than none.
function check.text(path, value)
  if type(value) == "string" and not value:find("\0", 1, true) then return value end
  refuse { path = path, rule = "type", message = ("a text expected, got %s"):format(
    type(value) == "string" and "one with a NUL in it" or type(value)) }
end

--- A text that is not empty.
function check.name(path, value)
  if check.text(path, value) ~= "" then return value end
  refuse { path = path, rule = "required", message = "a text expected, got an empty one" }
end

function check.choice(path, value, choices)
  for _, choice in ipairs(choices) do
    if value == choice then return value end
  end
  refuse { path = path, rule = "choice", message = ('one of "%s" expected'):format(table.concat(choices, '", "')) }
end

local function is_whole(value)
  return type(value) == "number" and value % 1 == 0 and math.abs(value) < 2 ^ 31
end

--- The number of a run.
function check.id(path, value)
  if is_whole(value) and value >= 1 then return value end
  refuse { path = path, rule = "type", message = "the number of a run expected, such as history:runs() lists" }
end

--- What was changed: how much, in words, or nil.
function check.changes(path, value)
  if value == nil or is_whole(value) then return value end
  if type(value) ~= "number" then return check.text(path, value) end
  refuse { path = path, rule = "integer", value = value, message = "a whole number or a text expected" }
end

function check.open(path, history)
  if not history.closed then return end
  refuse { path = path, rule = "closed", message = "the history is closed; open it again" }
end

return check
