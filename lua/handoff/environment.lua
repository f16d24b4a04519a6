-- SPDX-License-Identifier: MIT
--- Variables of the environment.
local environment = {}

--- A variable's value; one that is set to nothing counts as one that is not set.
function environment.get(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

--- What an advice to set a variable ends with: nginx hands its workers none that its configuration does not name.
function environment.hint(name)
  if not rawget(_G, "ngx") then return "" end
  return (" where nginx is started, and name it in nginx.conf: `env %s;`"):format(name)
end

return environment
