-- SPDX-License-Identifier: MIT
-- The vendor's own example, done safely: let one agent hand conversations over to people.
--
--     export HANDOFF_TOKEN=$(cat token.txt)      (so it does not stand in the history of your shell)
--     lua5.4 examples/recipes/enable_handoff.lua
--
-- HANDOFF_BASE_URL says where the API is when it is not the vendor's: a sandbox on this machine, for one.

local handoff = require "handoff"

-- The token comes from HANDOFF_TOKEN, so it does not stand in this file.
local client = handoff.client {}

-- `update` fetches the configuration, hands it to the function, and writes it back only if the function changed something.
-- A value that the API would refuse is an error at the line that assigns it, and then nothing at all is sent.
local outcome, err = client:update(function(cfg)
  cfg.settings.is_active = true
end)

-- A mistake in a script raises an error. What goes wrong in the world (the network, the token, the server) comes back as nil
-- and an error whose text says what to do next.
if not outcome then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end

print(outcome.status) -- "changed", or "unchanged": then nothing was written
for _, change in ipairs(outcome.changes) do print("  " .. tostring(change)) end

-- What is legal and surely not meant, such as handoff that nothing ever triggers.
for _, warning in ipairs(outcome.warnings) do print("  " .. tostring(warning)) end
