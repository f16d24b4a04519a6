-- SPDX-License-Identifier: MIT
-- Two teams, an inventory each, one edit over all of their agents: one preview, one run, one history. A name or a token that
-- stands in both is refused, with both places.
--
--     lua5.4 examples/recipes/two_inventories.lua shops.lua support.csv edit.lua          what it would do
--     lua5.4 examples/recipes/two_inventories.lua shops.lua support.csv edit.lua write

local handoff = require "handoff"

local edit, word = arg[3], arg[4]
if not edit or word and word ~= "write" then
  io.stderr:write "usage: lua5.4 two_inventories.lua INVENTORY INVENTORY edit.lua [write]\n"
  os.exit(64)
end
local fleet = assert(handoff.fleet { arg[1], arg[2] })
local run = assert(fleet:update(dofile(edit), { edit = edit, dry_run = not word }))
for _, result in ipairs(run.results) do
  for _, change in ipairs(result.changes or {}) do print(result.agent .. "  " .. tostring(change)) end
end
print(run:text())
os.exit(not (run.counts.failed or run.stopped))
