-- SPDX-License-Identifier: MIT
--- Which other sites' pages may read an answer: CORS, as the Fetch standard has it, for answers without credentials.
local core = require "handoff.core"
local plain = require "handoff.plain"

local cors = {}

local DAY = 86400

-- What a browser sends as Origin: scheme, host and port where it is not the scheme's own; lower case, nothing behind.
local function flaw_of(origin)
  if type(origin) ~= "string" then return "a text expected, got a " .. type(origin) end
  local scheme, port = origin:match "^(https?)://[%w._-]+:?(%d*)$"
  if not scheme then scheme, port = origin:match "^(https?)://%[[%x:.]+%]:?(%d*)$" end
  if not scheme or origin:find ":$" then return "scheme://host expected, without a path or a slash at the end" end
  if origin:find "%u" then return "lower case expected, as browsers write it" end
  local own = scheme == "https" and "443" or "80"
  if port == own then return ("the port of %s expected to be left out, as browsers do"):format(scheme) end
end

local function check(list, path)
  local known = {}
  for i, origin in ipairs(list) do
    local flaw = flaw_of(origin)
    if flaw then
      core.error.raise {
        path = ("%s[%d]"):format(path, i), rule = "origin",
        message = ("%s: %s; write https://www.example.com"):format(plain(tostring(origin)), flaw),
      }
    end
    known[origin] = true
  end
  if not next(known) then
    core.error.raise {
      path = path, rule = "origin",
      message = 'a list of origins expected, { "https://www.example.com" }, or "*" for all',
    }
  end
  return known
end

-- The headers of a preflight. No header of a request is looked at and no credentials are, so any may come.
local function allow_request(header)
  header["Access-Control-Allow-Methods"] = "GET, HEAD"
  header["Access-Control-Allow-Headers"] = "*"
  header["Access-Control-Max-Age"] = DAY
end

--- @param origins nil (no other site's), "*" (all), or a list of origins
-- @param path the place of the option, for messages
-- @return a function(method) that sets the headers of an answer; caches are told where it differs by origin
function cors.new(origins, path)
  if origins == nil then return function() end end
  local known = origins ~= "*" and check(type(origins) == "table" and origins or { origins }, path)
  return function(method)
    local header, origin = ngx.header, ngx.var.http_origin
    if known then header["Vary"] = "Origin" end
    if known and not known[origin] then return end
    header["Access-Control-Allow-Origin"] = known and origin or "*"
    if method == "OPTIONS" and origin and ngx.var.http_access_control_request_method then allow_request(header) end
  end
end

return cors
