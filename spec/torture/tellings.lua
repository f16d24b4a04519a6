-- SPDX-License-Identifier: MIT
--- Errors of another name that stand for a failure of memory: functions of an error's text and the kind of memory that failed.
local tellings = {}

-- What libcurl (7.88) itself calls it when memory fails it while it reads an address or connects.
local of_curl = {
  "Could not resolve", "Couldn't resolve", "thread failed to start", "Bad login part", "Failed to connect",
  "Couldn't connect",
}

function tellings.of_curl(text, kind)
  for _, words in ipairs(kind == "curl" and of_curl or {}) do
    if text:find(words, 1, true) then return true end
  end
  return false
end

--- A server that has no memory for an exchange drops it: who asked learns that the connection broke.
function tellings.dropped(text)
  return text:find "[Ee]mpty reply" ~= nil or text:find "broke" ~= nil or text:find "reset by peer" ~= nil
end

return tellings
