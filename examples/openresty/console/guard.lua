-- SPDX-License-Identifier: MIT
--- Who may use the console: one secret, known to those who may, and a cookie for whoever has shown it. A page of another site can
-- neither read nor send anything here, though its visitor is logged in: see Guard:is_ours and Guard:csrf.
local guard = {}

local Guard = {}
Guard.__index = Guard

local COOKIE, LIFETIME = "handoff_console", 8 * 3600
local TRIES, WINDOW = 5, 600 -- wrong secrets of one address, in so many seconds
local LEAST = 16 -- bytes of a secret
local MAPPED = ("\0"):rep(10) .. "\255\255"

local function random_bytes()
  local file = assert(io.open("/dev/urandom", "rb"))
  local bytes = file:read(18)
  file:close()
  return bytes
end

local url_safe = { ["+"] = "-", ["/"] = "_" }
local function base64(bytes) return (ngx.encode_base64(bytes, true):gsub("[+/]", url_safe)) end

--- @param secret a text, or nil
-- @param dict a lua_shared_dict of its own, for sessions and tries: whoever tries secrets from many addresses pushes nothing else
--   out of it, but at worst a session that nobody uses
-- @return a guard; or nil and why there is none: a line for people
function guard.new(secret, dict)
  if not secret or secret == "" then
    return nil, "CONSOLE_SECRET is not set; set it where nginx is started, and name it in nginx.conf: "
      .. "env CONSOLE_SECRET;"
  elseif #secret < LEAST then
    return nil, ("CONSOLE_SECRET has fewer than %d characters; make one: openssl rand -base64 24"):format(LEAST)
  elseif not dict then
    return nil, "there is no place to count tries in; add to the http block: lua_shared_dict handoff_console 1m;"
  end
  return setmetatable({ secret = secret, dict = dict, blind = random_bytes() }, Guard)
end

-- Compares without telling by its time how much of the two is the same: what is compared is no text that anybody can choose.
local function is_same(self, one, other)
  return ngx.hmac_sha1(self.blind, one) == ngx.hmac_sha1(self.blind, other)
end

local function sign(self, what, text) return base64(ngx.hmac_sha1(self.secret, what .. ":" .. text)) end

-- ---- tries ----------------------------------------------------------------------------------------------------------------

-- Who owns an IPv6 address owns the 2^64 beside it; but a socket for both kinds has the IPv4 ones as ::ffff:192.0.2.1.
local function tries_key()
  local address = ngx.var.binary_remote_addr
  if address:sub(1, 12) == MAPPED then return "tries:" .. address:sub(13) end
  return "tries:" .. address:sub(1, 8)
end

--- Holds a secret against the right one.
-- @return true; false; or nil and the seconds to wait, where this address was wrong too often
function Guard:try(secret)
  local key = tries_key()
  local count = self.dict:incr(key, 1, 0, WINDOW)
  if not count or count > TRIES then return nil, math.ceil(self.dict:ttl(key) or WINDOW) end
  if not is_same(self, secret, self.secret) then return false end
  self.dict:delete(key)
  return true
end

-- ---- sessions ---------------------------------------------------------------------------------------------------------------

-- Behind a proxy that speaks TLS for us only the page knows that it came that way.
local function is_secure() return ngx.var.scheme == "https" or (ngx.var.http_origin or ""):find "^https:" ~= nil end

local function set_cookie(value, age)
  local secure = is_secure() and "; Secure" or ""
  ngx.header["Set-Cookie"] = ("%s=%s; Path=/console/; Max-Age=%d; HttpOnly; SameSite=Strict%s"):format(COOKIE, value,
    age, secure)
end

-- What the dictionary knows a session by: no cookie can be made of it, and another secret knows none.
local function session_key(self, session) return "session:" .. sign(self, "session", session) end

--- Begins a session. It lasts as long as nginx does, at most: a reload keeps it, a restart does not.
function Guard:log_in()
  local session = base64(random_bytes())
  self.dict:set(session_key(self, session), true, LIFETIME)
  set_cookie(session, LIFETIME)
end

--- The session of this request, or nil.
function Guard:session()
  local session = ngx.var["cookie_" .. COOKIE]
  return session and self.dict:get(session_key(self, session)) and session
end

--- Ends it, also for whoever has a copy of the cookie.
function Guard:log_out(session)
  self.dict:delete(session_key(self, session))
  set_cookie("", 0)
end

-- ---- where a request comes from --------------------------------------------------------------------------------------------

--- What a page of this session sends along with whatever it asks to be done, in the header X-CSRF-Token.
function Guard:csrf(session) return sign(self, "csrf", session) end

function Guard:has_csrf(session)
  local token = ngx.req.get_headers()["X-CSRF-Token"]
  return type(token) == "string" and is_same(self, token, self:csrf(session))
end

--- Whether a page of ours made this request, or, where it only reads, somebody who typed the address. Browsers say it with every
-- POST; what does not say it is no browser, and is refused.
-- @param reads whether it does
function Guard.is_ours(reads)
  local headers = ngx.req.get_headers()
  local origin, site = headers.Origin, headers["Sec-Fetch-Site"]
  if site and site ~= "same-origin" and not (reads and site == "none") then return false end
  if origin == nil then return reads end
  local host = type(origin) == "string" and origin:match "^https?://(.+)$"
  return host and host == ngx.var.http_host
end

return guard
