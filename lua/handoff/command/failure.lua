-- SPDX-License-Identifier: MIT
--- How a verb ends early: an exit status and one line, which `main` prints.
local status = require "handoff.command.status"

local failure = {}

local Failure = {}
Failure.__tostring = function(self) return self.message end

-- What messages of the library call an option, and what the flag for it is.
local in_flags = {
  { ", or go without a history: history=false", "" },
  { "wait=SECONDS", "--wait SECONDS" },
  { "allow_duplicates=true", "--allow-duplicates" },
  { 'on_conflict="mine", "theirs" or a function', "--on-conflict mine or theirs" },
  { "max_failures allows", "--max-failures allows" },
  { "max_(%l+)=(%d+)", "--max-%1=%2" },
  { "fleet:(%l+)%((%d+)[^)]*%)", "`handoff %1 %2`" },
}

--- A message of the library's, with flags for its options.
function failure.in_flags(text)
  for _, pair in ipairs(in_flags) do text = text:gsub(pair[1], pair[2]) end
  return text
end

--- Ends the verb. @param message "place: reason; next step", or nil where all is said
function failure.raise(code, message)
  error(setmetatable({ status = code, message = message }, Failure), 0)
end

--- Returns the value; where there is none, ends the verb with what the library says.
function failure.check(value, err)
  if value ~= nil then return value end
  failure.raise(status.of_error(err), failure.in_flags(tostring(err)))
end

function failure.is(value)
  return getmetatable(value) == Failure
end

return failure
