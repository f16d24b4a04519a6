-- SPDX-License-Identifier: MIT
--- How a verb ends early: an exit status and one line, which `main` prints.
local status = require "handoff.command.status"

local failure = {}

local Failure = {}
Failure.__tostring = function(self) return self.message end

--- Ends the verb. @param message "place: reason; next step", or nil where all is said
function failure.raise(code, message)
  error(setmetatable({ status = code, message = message }, Failure), 0)
end

--- Returns the value; where there is none, ends the verb with what the library says.
function failure.check(value, err)
  if value ~= nil then return value end
  failure.raise(status.of_error(err), require("handoff.command.wording").in_flags(tostring(err)))
end

function failure.is(value)
  return getmetatable(value) == Failure
end

return failure
