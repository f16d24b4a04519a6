-- SPDX-License-Identifier: MIT
--- What fn(…) raises as a mistake, as its text; whatever else it raises is raised again.
return function(fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then error "it was not refused" end
  if type(err) ~= "table" then error(err, 0) end
  if tostring(err):find "not enough memory" then error(tostring(err), 0) end
  return tostring(err)
end
