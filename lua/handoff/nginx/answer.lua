-- SPDX-License-Identifier: MIT
--- Answers of the handlers to HTTP requests. Whatever fails, a client reads one line of JSON: the reason is for the log.
local core = require "handoff.core"
local options = require "handoff.options"
local plain = require "handoff.plain"

local answer = {}

--- One line in nginx's log.
function answer.log(level, text) ngx.log(level, "handoff: ", plain(text)) end

--- Answers. @param headers more of them by name, or nil
function answer.send(status, kind, body, headers)
  local header = ngx.header
  ngx.status = status
  header["Content-Type"] = kind
  header["Content-Length"] = #body
  header["X-Content-Type-Options"] = "nosniff"
  if headers then
    for name, value in pairs(headers) do header[name] = value end
  end
  ngx.print(body)
end

--- Answers that something is not to be had. @param code for programs @param message for people
function answer.refuse(status, code, message, headers)
  ngx.header["Cache-Control"] = "no-store"
  local text = core.json.encode { error = code, message = message }
  answer.send(status, "application/json", text .. "\n", headers)
end

function answer.wrong_method(allowed)
  answer.refuse(405, "method_not_allowed", "this answers " .. allowed .. " only", { Allow = allowed })
end

local function fail(what, err)
  answer.log(ngx.ERR, ("%s: %s; the client was told that there is an error, without it"):format(what, tostring(err)))
  if ngx.headers_sent then return end
  answer.refuse(500, "internal", "this cannot be answered; the log of the server says why")
end

--- A function that does what fn does, for content_by_lua: what is raised goes to the log in one line, never to the client.
-- @param what the name of the handler, for the log
function answer.guard(what, fn)
  return function()
    local ok, err = pcall(fn)
    if not ok then fail(what, err) end
  end
end

--- Raises where that is no cache. @param what the name of the handler
function answer.check_cache(cache, what)
  if getmetatable(cache) == "handoff cache" then return end
  core.error.raise { path = what .. ": cache", rule = cache and "type" or "required",
    message = (cache and "this is none" or "no cache") .. "; make one by hn.cache and give it: cache = cache" }
end

--- Reads the options of a handler that is about a cache alone, and returns that.
function answer.cache_of(given, what)
  local cache = options.read(given, { cache = { "table" } }, what).cache
  answer.check_cache(cache, what)
  return cache
end

--- A handler that answers GET and HEAD with what fn makes, for no cache to keep.
-- @param fn function() → status, type, body
function answer.page(what, fn)
  return answer.guard(what, function()
    local method = ngx.req.get_method()
    if method ~= "GET" and method ~= "HEAD" then return answer.wrong_method "GET, HEAD" end
    local status, kind, body = fn()
    ngx.header["Cache-Control"] = "no-store"
    answer.send(status, kind, body)
  end)
end

return answer
