-- SPDX-License-Identifier: MIT
--- Answers that leave as no good server sends them: bytes as they are, slowly, cut off, never.
--
-- A wire is { text = what is sent, status line and all; chunk = bytes at a time (all); every = seconds between two chunks;
-- ending = "close" | "reset" | "hold" (nothing more comes, until the client goes) }.
local serve = require "handoff.serve"

local Wires = {}
Wires.__index = Wires

local look_seconds = 0.1 -- between two looks at whether a client is still there
local full_seconds = 0.001 -- before another try where a connection takes no more

local function finish(one, now)
  if one.wire.ending == "hold" then
    one.due = now + look_seconds
    return false
  end
  one.request[one.wire.ending == "reset" and "reset" or "drop"](one.request)
  return true
end

--- Sends what is due → whether that was the end of it.
local function advance(one, now)
  if one.due > now then return false end
  local wire = one.wire
  local chunk = wire.text:sub(one.sent + 1, one.sent + (wire.chunk or #wire.text))
  local taken = one.request:write(chunk)
  if not taken then
    one.request:drop()
    return true
  end
  one.sent = one.sent + taken
  if one.sent == #wire.text then return finish(one, now) end
  one.due = now + (taken == #chunk and wire.every or full_seconds)
  return false
end

function Wires:add(request, wire)
  self[#self + 1] = { request = request, wire = wire, sent = 0, due = serve.now() }
end

--- Sends what is due on all of them.
function Wires:step()
  local now = serve.now()
  for i = #self, 1, -1 do
    if advance(self[i], now) then table.remove(self, i) end
  end
end

--- How long the next step may wait: those seconds, or less where something is due before.
function Wires:wait(seconds)
  local now = serve.now()
  for _, one in ipairs(self) do seconds = math.min(seconds, math.max(0, one.due - now)) end
  return seconds
end

return { new = function() return setmetatable({}, Wires) end }
