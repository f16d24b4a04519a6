-- SPDX-License-Identifier: MIT
--- What is tried with failing memory: the public operations, a list of
--   { name=, run= function(subject) → result | nil, err,
--     prepare= function() → subject, before each call, with memory that does not fail; finish= function(subject), after it,
--     state= function(subject) → what must be as it was before or as it is after, nothing between; partial=true: it may be
--     between, kinds= which memory (by default all), accepts= function(text, kind) → whether an error that says so is one of
--     memory (see tellings.lua), fresh=true: it is loading.lua instead, in a state of its own,
--     most= how many requests fail in a sweep where there are so many that each would take hours }
-- The list is also a table by name. What is only there inside nginx is not in it: nginx has its own states.
local operations = { names = {} }

for _, subject in ipairs { "document", "words", "system", "client", "agents" } do
  for _, op in ipairs(require("torture.operations." .. subject)) do
    assert(not operations[op.name], op.name)
    operations[op.name] = op
    operations.names[#operations.names + 1] = op.name
  end
end

-- What a state keeps for later, and lets go when it is told to.
function operations.settle()
  local transport = package.loaded["handoff.transport"]
  if transport then transport.default():close() end
end

return operations
