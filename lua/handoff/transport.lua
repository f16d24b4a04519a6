-- SPDX-License-Identifier: MIT
--- HTTP for whoever wants it; knows nothing of the API. A transport has the methods below and `place`: who works on the disk for
-- those who may not block, nil where everybody may (see handoff.history.place). That of nginx keeps the same contract.
-- @module handoff.transport

--- What is asked for. It is not changed, its headers neither. One that must not be made (a bad field, plain http:// beyond
-- loopback, credentials in the URL) raises.
-- @table Request
-- @tfield string method
-- @tfield string url
-- @tfield[opt] {[string]:string} headers
-- @tfield[opt] string body
-- @tfield[opt=30] number timeout seconds
-- @tfield[opt=10] number connect_timeout seconds
-- @tfield[opt] string ca_file
-- @tfield[opt] string proxy
-- @tfield[opt=8388608] integer max_bytes of body, after decompression
-- @tfield[opt=false] boolean insecure
-- @tfield[opt] fun(event:table) on_event called when a request starts and when it ends, with `{type="request_start", method,
--   url}` and `{type="request_end"}`, which also has status or error (its kind), times, bytes_sent, bytes_received. What it
--   raises reaches the caller of request, before the request was sent or after it came to its end
-- @tfield[opt=false] boolean certificate true: the answer tells when the server's expires

--- What came. Any answer is one, whatever its status: a 404, a redirect.
-- @table Response
-- @tfield integer status
-- @tfield {[string]:string} headers by their names in lower case
-- @tfield string body
-- @tfield string http_version "1.1"
-- @tfield integer bytes_sent
-- @tfield integer bytes_received
-- @tfield table times `total`, `connect`, `first_byte`, in seconds
-- @tfield boolean reused whether it went over a connection made earlier
-- @tfield[opt] integer certificate_expires seconds since 1970, where it was asked for and the connection is a fresh one with TLS
local core = require "handoff.core"
local loops = require "handoff.loop"
local options = require "handoff.options"

local Transport = {}
Transport.__index = Transport

-- ---- what a request may be ----------------------------------------------------------------------------------

local fields = {
  method = "string", url = "string", headers = "table", body = "string", timeout = "number", connect_timeout = "number",
  ca_file = "string", proxy = "string", max_bytes = "number", insecure = "boolean", on_event = "function",
  certificate = "boolean",
}

-- No value is named: it may hold a token or a password.
local function refuse(path, rule, message)
  core.error.raise { path = path, rule = rule, message = message }
end

local function check_fields(req)
  if type(req) ~= "table" then refuse("request", "type", ("a table expected, got %s"):format(type(req))) end
  local wrong = core.options.wrong(req, fields)
  if wrong ~= nil then
    local expected = fields[wrong]
    if not expected then refuse("request", "unknown", ("no field %q"):format(tostring(wrong))) end
    refuse("request." .. wrong, "type", ("a %s expected, got %s"):format(expected, type(req[wrong])))
  end
  if not req.method or not req.url then refuse("request", "required", "method and url are needed") end
end

local function check_url(path, url, insecure)
  if url.credentials then
    refuse(path, "credentials", "it holds a user name or a password; send credentials in a header")
  end
  if url.scheme == "https" then return end
  if url.scheme ~= "http" then
    refuse(path, "scheme", ("%s:// is not spoken here, use https://"):format(url.scheme))
  end
  if not (url.loopback or insecure) then
    refuse(path, "insecure", ("http:// to %s would send everything in the clear; "
      .. "use https://, or insecure=true where that is really meant"):format(url.host))
  end
end

-- URLs are few and come again and again: what each says is kept, until too many have come.
local MAX_KNOWN = 256
local known, known_count = {}, 0

local function parse_url(path, text)
  local url = known[text]
  if url then return url end
  local why
  url, why = core.http.url(text)
  if not url then refuse(path, "url", ("it is no absolute URL (%s); write https://host/path"):format(why)) end
  if known_count == MAX_KNOWN then known, known_count = {}, 0 end
  known[text], known_count = url, known_count + 1
  return url
end

local proxy_schemes = { http = true, https = true, socks4 = true, socks4a = true, socks5 = true, socks5h = true }

-- libcurl quotes a proxy it cannot read, password and all, so none such is handed to it.
local function check_proxy(path, proxy)
  local url = core.http.url(proxy:find "://" and proxy or "http://" .. proxy)
  if not url or not proxy_schemes[url.scheme] then
    refuse(path, "proxy", "it is no proxy's address; http://host:port, https:// or socks5:// expected")
  end
end

-- ---- what went wrong ----------------------------------------------------------------------------------------

local advice = {
  timeout = "raise timeout or connect_timeout, or try again later",
  tls = "check that the server speaks https, its name and certificate; ca_file= names a file of your own authorities",
  network = "check the address, the network and the proxy, and try again",
  protocol = "check that the address is the API's",
  cancelled = "nothing is known of what the server did with it",
}

--- Puts the host, libcurl's words and the next step into the message of an error, which may bring one: `advice`.
local function explain(err, host, max_bytes)
  local what = err.message
  if err.too_big then
    what = ("the answer is larger than %d bytes, the limit; raise max_bytes, or"):format(max_bytes)
    err.limit, err.too_big = max_bytes, nil
  else
    what = what:gsub("[%s;]+$", "") .. ";"
  end
  local next_step = err.advice or advice[err.kind]
  if err.kind == "cancelled" and err.bytes_sent == 0 then next_step = "nothing was sent" end
  err.advice = nil
  err.message = ("%s: %s %s"):format(host, what, next_step)
  return err
end

-- ---- requests -----------------------------------------------------------------------------------------------

-- Few look at the headers of an answer, of which there may be dozens, or at its times: they are made when somebody does.
local Answer = {}

local make = {}

function make.headers(answer)
  return core.http.headers(answer.head)
end

function make.times(answer)
  return { total = answer.total, connect = answer.connect, first_byte = answer.first_byte }
end

function Answer.__index(answer, name)
  if not make[name] then return nil end
  answer[name] = make[name](answer)
  return answer[name]
end

local function tell_end(on_event, req, answer, err)
  local facts = answer or err
  on_event {
    type = "request_end", method = req.method, url = req.url,
    status = answer and answer.status, error = err and err.kind,
    times = facts.times, bytes_sent = facts.bytes_sent, bytes_received = facts.bytes_received,
  }
end

--- Makes a request. Waits as the loop does: a task waits without the others, anyone else blocks.
-- @tparam Request req
-- @treturn ?Response
-- @treturn ?Error err of kind timeout, tls, network, protocol or cancelled
function Transport:request(req)
  check_fields(req)
  local defaults, url = self.defaults, parse_url("request.url", req.url)
  local insecure = req.insecure
  if insecure == nil then insecure = defaults.insecure end
  check_url("request.url", url, insecure)
  if req.proxy then check_proxy("request.proxy", req.proxy) end
  local on_event = req.on_event or defaults.on_event
  if on_event then on_event { type = "request_start", method = req.method, url = req.url } end
  -- A proxy from the environment is never meant for this machine itself.
  local answer, err = self.loop:request(req, defaults, url.loopback)
  if answer then setmetatable(answer, Answer) else explain(err, url.host, req.max_bytes or defaults.max_bytes) end
  if on_event then tell_end(on_event, req, answer, err) end
  return answer, err
end

--- Waits that long.
-- @tparam number seconds
-- @treturn ?boolean true
-- @treturn ?Error err where the task was cancelled
function Transport:sleep(seconds)
  return self.loop:sleep(seconds)
end

--- A clock that never jumps.
-- @treturn number seconds
function Transport:now() -- luacheck: ignore self
  return core.http.now()
end

--- Closes the connections that its loop keeps for later requests. Raises while requests are under way.
function Transport:close()
  self.loop:close()
end

-- ---- transports ---------------------------------------------------------------------------------------------

local transport = {}

local function seconds(default) return { "number", min = 0.001, max = 1e6, default = default } end

local rows = {
  timeout = seconds(30),
  connect_timeout = seconds(10),
  max_bytes = { "number", min = 1, max = 2 ^ 30, integer = true, default = 8 * 1024 * 1024 },
  insecure = { "boolean", default = false },
  ca_file = { "string" },
  proxy = { "string", secret = true },
  on_event = { "function" },
  loop = { "table" },
}

--- A transport over libcurl. Transports of one loop share its connections.
-- @tparam[opt] table opts what its requests leave out, and `loop`, by default the shared one
-- @treturn Transport
function transport.curl(opts)
  local defaults = options.read(opts, rows, "handoff.transport.curl")
  if defaults.proxy then check_proxy("handoff.transport.curl: proxy", defaults.proxy) end
  return setmetatable({
    defaults = defaults, loop = defaults.loop or loops.default(),
  }, Transport)
end

--- Raises where no request may be made to the URL, as request itself does.
-- @tparam string path what the message calls it
-- @tparam string text the URL
-- @tparam[opt] boolean insecure
function transport.check_url(path, text, insecure)
  check_url(path, parse_url(path, text), insecure)
end

--- Raises where it is no proxy's address.
-- @function check_proxy
-- @tparam string path what the message calls it
-- @tparam string proxy
transport.check_proxy = check_proxy

local shared

--- The transport that is shared by whatever names no other, one a Lua state.
-- @treturn Transport
function transport.default()
  shared = shared or transport.curl()
  return shared
end

return transport
