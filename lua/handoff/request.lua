-- SPDX-License-Identifier: MIT
--- One HTTP exchange with the API: what is sent, and what went wrong in words. Knows nothing of tries and waits.
local core = require "handoff.core"
local config = require "handoff.config"
local retry_after = require "handoff.retry_after"

local failure = core.error.new

local request = {}

-- ---- what the server says -------------------------------------------------------------------------------------------

local SHOWN = 300 -- bytes of the server's words
local PIECE = 12 -- characters in a row of a token that are too many to be shown

-- Whether a piece of the token is in the line, which may have it cut short or encoded.
local function has_piece(line, token)
  for at = 1, #line - PIECE + 1 do
    if token:find(line:sub(at, at + PIECE - 1), 1, true) then return true end
  end
  return false
end

-- A text of the server's as one line that can command no terminal, cut short between two characters; nil where it is no
-- text or quotes the token back.
local function plain_words(text, token)
  if type(text) ~= "string" or text:find(token, 1, true) then return nil end
  local line = text:gsub("\194[\128-\159]", " "):gsub("\226\128[\168-\174]", " "):gsub("%c", " ")
  if #line > SHOWN then line = line:sub(1, SHOWN + 1):match "^(.*)[^\128-\191][\128-\191]*$" .. "..." end
  return not has_piece(line, token) and line or nil
end

-- One error of the server's, documented as {"message", "code"} → message, code.
local function words_of(one, token)
  if type(one) ~= "table" then return plain_words(one, token) end
  return plain_words(one.message, token), plain_words(one.code, token)
end

local function sorted_keys(errors)
  local keys = {}
  for key in pairs(errors) do
    if type(key) == "string" then keys[#keys + 1] = key end
  end
  table.sort(keys, function(a, b)
    if (a == "root") ~= (b == "root") then return a == "root" end
    return a < b
  end)
  return keys
end

-- The server's own words, from {"errors": {"root": [{"message", "code"}]}} (api: Transport, errors); other keys may
-- name fields → message, code, path, of the first, and how many there are; nothing where the body is something else. A list
-- without keys, and messages without an object around, are understood too.
local function server_words(body, token)
  local decoded = core.json.decode(body)
  local errors = type(decoded) == "table" and decoded.errors
  if type(errors) ~= "table" then return end
  if errors[1] ~= nil then errors = { root = errors } end
  local message, code, path, count = nil, nil, nil, 0
  for _, key in ipairs(sorted_keys(errors)) do
    local list = errors[key]
    for _, one in ipairs(type(list) == "table" and list[1] ~= nil and list or { list }) do
      local words, its_code = words_of(one, token)
      if words then count = count + 1 end
      if words and not message then
        message, code, path = words, its_code, key ~= "root" and plain_words(key, token) or nil
      end
    end
  end
  return message, code, path, count
end

-- What to do next, by kind. The kinds are those of the contract.
local advice = {
  auth = "the token is unknown, expired or revoked; make a new one in the dashboard",
  scope = "the token may not do this; use one with the scope write_all to change, read_all to read",
  rejected = "the service refused the request; mend what it names",
  rate_limit = "too many requests with this token; %s, then go on",
  server = "the service failed; %s, then try again",
  protocol = "this does not look like the API; check base_url",
}

local function kind_of(status)
  if status == 401 then return "auth" end
  if status == 403 then return "scope" end
  if status == 429 then return "rate_limit" end
  if status >= 500 then return "server" end
  if status >= 400 then return "rejected" end
  return "protocol"
end

local function next_step(kind, status, words, wait)
  if status >= 300 and status < 400 then return "a redirect is never followed; check base_url" end
  if status == 404 then return "there is no such place; check base_url, which ends in /v1/api/" end
  if kind == "rejected" and not words then
    return "the service refused the request and gave no reason that can be read; check base_url"
  end
  return (advice[kind]:gsub("%%s", wait and ("wait %d s"):format(wait) or "wait"))
end

local function bad_status(self, method, res, token)
  local kind = kind_of(res.status)
  local words, code, path, count = server_words(res.body, token)
  local wait = retry_after.seconds(res.headers, os.time())
  local what = ("%s %s answered %d"):format(method, self.url, res.status)
  if words then what = ('%s, "%s"'):format(what, words) end
  if words and count > 1 then what = ("%s (and %d more)"):format(what, count - 1) end
  return failure {
    kind = kind, status = res.status, code = code, path = path, retry_after = wait, server_message = words,
    message = what .. "; " .. next_step(kind, res.status, words, wait),
  }
end

-- What the transport says of a request that has no answer, with what only a client knows.
local function no_answer(self, method, err, clipped)
  if err.limit then
    err.message = ("%s %s: the answer is larger than %d bytes, the most that is read; check base_url")
      :format(method, self.url, err.limit)
  elseif clipped and err.kind == "timeout" then
    err.message = ("%s %s: no answer in the %.3g s that were left of the deadline; raise deadline, or try again later")
      :format(method, self.url, clipped)
  end
  return err
end

-- ---- what is sent ---------------------------------------------------------------------------------------------------

-- The headers of a GET and of a PUT, made anew where the token is another one than last time.
local function headers_of(self, token)
  if self.token_sent == token then return self.get_headers, self.put_headers end
  local bearer = "Bearer " .. token
  self.token_sent = token
  self.get_headers = { Authorization = bearer, Accept = "application/json" }
  self.put_headers = { Authorization = bearer, Accept = "application/json", ["Content-Type"] = "application/json" }
  return self.get_headers, self.put_headers
end

--- Sends one request.
-- @param self what a client keeps, see client.lua
-- @param body the text of a PUT
-- @param left seconds: it takes no longer, whatever the client's timeout is
-- @return the text of an answer 200; or nil, err
function request.send(self, method, body, token, left)
  local o = self.options
  local get_headers, put_headers = headers_of(self, token)
  local clipped = left < o.timeout and left or nil
  local observe, began = self.observe, nil
  if observe then began = self.transport:now() end
  local res, err = self.transport:request {
    method = method, url = self.url, body = body, headers = body and put_headers or get_headers,
    timeout = clipped or o.timeout, connect_timeout = o.connect_timeout, ca_file = o.ca_file, proxy = o.proxy,
    insecure = o.insecure, on_event = self.on_event,
  }
  if observe then observe(method, res and res.status, err and err.kind, self.transport:now() - began) end
  if res and res.status == 200 then return res.body end
  err = res and bad_status(self, method, res, token) or no_answer(self, method, err, clipped)
  err.agent = self.name
  return nil, err
end

--- The configuration of an answer; or nil, err.
function request.parse(self, method, text)
  local cfg, err = config.new(text, true)
  if cfg then return cfg end
  err.agent, err.status = self.name, 200
  err.message = ("%s %s: %s; check base_url"):format(method, self.url, err.message)
  return nil, err
end

-- ---- a PUT that failed ----------------------------------------------------------------------------------------------

--- Whether it may have been written all the same. 4xx is a refusal; anything else may have come after the service had
-- written, unless nothing was sent.
function request.may_have_written(err)
  local refused = err.status and err.status >= 400 and err.status < 500
  return not refused and err.bytes_sent ~= 0
end

--- Whether it may even be written later, after a look: nobody waited to the end.
function request.may_come_late(err)
  return err.kind == "timeout" or err.status == 504
end

--- Says in the error that it may have been written → the error.
-- @param before_text what was there before
function request.doubt(err, before_text)
  if err.unknown then return err end
  err.unknown = true
  err.before = before_text and config.new(before_text, true)
  if err.kind ~= "cancelled" then
    err.message = err.message .. "; it may have been written or not, so look (client:get) before repeating it"
  end
  return err
end

return request
