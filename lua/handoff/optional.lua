-- SPDX-License-Identifier: MIT
--- optional(name) → the module | nil where it is not there, or cannot be loaded: what it is linked with is missing. That memory was
-- short, or somebody pressed Ctrl-C, says neither, and is raised.
return function(name)
  local ok, module = pcall(require, name)
  if ok then return module end
  if type(module) ~= "string" or module:find "not enough memory" or module:find "interrupted!$" then error(module, 0) end
end
