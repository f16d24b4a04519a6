-- SPDX-License-Identifier: MIT
--- Whether an agent hands over to humans now, and until when, as JSON that browsers and caches between may keep until it changes.
local answer = require "handoff.nginx.answer"
local core = require "handoff.core"
local cors = require "handoff.nginx.cors"
local opening = require "handoff.nginx.opening"

local json = core.json

local status = {}

local METHODS = "GET, HEAD, OPTIONS"
local RETRY = 10 -- seconds to ask again after, where the failure does not say

-- ---- the body -------------------------------------------------------------------------------------------------------------

local members = {
  { "open", "open" }, { "reason", "reason" }, { "until", "until_text" }, { "next_open", "next_text" },
  { "message", "outside" }, { "timezone", "zone" },
}

-- The members that hold until something changes, as the begin of an object.
local function lasting(one)
  local list = {}
  for i, member in ipairs(members) do
    local value = one[member[2]]
    if value == nil then value = json.null end
    list[i] = ('"%s":%s'):format(member[1], json.encode(value))
  end
  return "{" .. table.concat(list, ",")
end

-- Adds to what the keeper keeps: `text`, and `body` and `tag` of this age. The tag is a weak one, as the age is not worth a
-- transfer.
local function write(one, info)
  local age, stale = math.floor(info.age), tostring(info.stale)
  if one.age == age and one.stale == stale then return end
  one.text = one.text or lasting(one)
  if one.stale ~= stale then one.tag = ('W/"%s"'):format(ngx.md5(one.text .. stale)) end
  one.age, one.stale = age, stale
  one.body = ('%s,"age":%d,"stale":%s}\n'):format(one.text, age, stale)
end

-- ---- answers --------------------------------------------------------------------------------------------------------------

local function unknown() answer.refuse(404, "not_found", "there is no such agent") end

local function unavailable(err)
  local seconds = math.max(1, math.ceil(err.retry_after or RETRY))
  local message = ("the hours of this agent cannot be told now; ask again in %d s"):format(seconds)
  answer.refuse(503, "unavailable", message, { ["Retry-After"] = seconds })
end

local function tell(one, info, most)
  write(one, info)
  local header = ngx.header
  header["Cache-Control"] = "max-age=" .. math.min(most, one.limit - ngx.time())
  header["ETag"] = one.tag
  answer.send(200, "application/json", one.body)
end

local function serve(read, keep)
  local name = read.agent()
  if not name then return unknown() end
  local cfg, info = read.cache:get(name)
  if not cfg then return unavailable(info) end
  local one = keep(name, cfg, info.version, ngx.time())
  if not one.err then return tell(one, info, read.max_age) end
  if not one.told then answer.log(ngx.ERR, ("hn.status: %s: %s"):format(name, tostring(one.err))) end
  one.told = true
  return unavailable(one.err)
end

local rows = {
  cache = { "table" }, agent = { "string function" }, origins = { "string table" },
  max_age = { "number", default = 60, min = 0, max = 86400, integer = true },
}

--- What hn.status is. It answers GET and HEAD with JSON: open (boolean), reason ("off", "always", "open", "closed"), until (when
-- that changes, ISO 8601 or null), next_open (when it opens next, after the hours that it is open now, or null), message (what a
-- visitor reads outside hours, or null), timezone, age (seconds since the document was fetched), stale (whether it should have
-- been fetched again by now). 404 where there is no such agent; 503 with Retry-After where there is no document. The 304
-- are nginx's.
function status.new(opts)
  local read = opening.read(opts, rows, "hn.status")
  local allow, keep = cors.new(read.origins, "hn.status: origins"), opening.keeper()
  return answer.guard("hn.status", function()
    local method = ngx.req.get_method()
    allow(method)
    if method == "GET" or method == "HEAD" then return serve(read, keep) end
    if method ~= "OPTIONS" then return answer.wrong_method(METHODS) end
    ngx.header["Allow"] = METHODS
    ngx.status = 204
  end)
end

return status
