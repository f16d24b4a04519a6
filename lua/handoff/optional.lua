-- SPDX-License-Identifier: MIT
--- optional(name) → the module | nil where it is not there, or cannot be loaded: what it is linked with is missing. That memory
-- was short, or somebody pressed Ctrl-C, says neither, and is raised.
return function(name)
  local ok, module = pcall(require, name)
  if ok then return module end
  local is_other = type(module) ~= "string" or module:find "not enough memory" or module:find "interrupted!$"
  if not is_other then return nil end
  package.loaded[name] = nil -- LuaJIT's require would not try it again
  error(module, 0)
end
