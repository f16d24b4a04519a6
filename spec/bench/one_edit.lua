-- SPDX-License-Identifier: MIT
-- The benchmarks' edit, as an edit of its own.
local edit = require "bench.edit"
return function(cfg) edit(cfg, "constant") end
