-- SPDX-License-Identifier: MIT
-- The names of the operations, a line each.
for _, name in ipairs(require("torture.operations").names) do print(name) end
