-- SPDX-License-Identifier: MIT
--- Requests by lua-resty-http, for where nginx has no thread pool: carrier = "resty-http". Arguments and answers are those of
-- handoff.loop's request. What is different, since it is nginx that connects:
--   TLS is verified against lua_ssl_trusted_certificate, to the depth of lua_ssl_verify_depth, so ca_file raises; a server is
--   known by its name, never by an address; names are looked up by nginx's `resolver`, in its resolver_timeout; proxies are
--   http:// ones, and none is taken from the environment; HTTP/1.1 is spoken, without compression; certificate_expires is not
--   known; connections are kept for a minute.
-- A request is sent once and never again, whatever becomes of it.
local core = require "handoff.core"
local sockets = require "handoff.nginx.socket"
local turns = require "handoff.nginx.turns"

local now = core.http.now

local resty = {}

local KEEP = 60000 -- milliseconds
local PIECE = 16 * 1024

local function refuse(path, rule, message)
  core.error.raise { path = path, rule = rule, message = message }
end

-- ---- what is to be done ---------------------------------------------------------------------------------------------

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

--- A proxy's address as lua-resty-http takes it, which would quote credentials in messages.
local function proxy_of(text)
  if not text then return nil end
  text = text:find "://" and text or "http://" .. text
  local url = core.http.url(text)
  if url.scheme ~= "http" then
    refuse("request.proxy", "proxy", ('carrier "resty-http" speaks to http:// proxies alone, not to %s://; '
      .. 'carrier "threads" does'):format(url.scheme))
  end
  local user = text:match "^%w+://([^/?#]*)@"
  local authorization = user and "Basic " .. ngx.encode_base64(unescape(user))
  local address = "http://" .. url.host
  return {
    http_proxy = address, https_proxy = address,
    http_proxy_authorization = authorization, https_proxy_authorization = authorization,
  }
end

local function target_of(text)
  local url = core.http.url(text)
  local host, port = url.host:match "^(%[.*%]):?(%d*)$"
  if not host then host, port = url.host:match "^([^:]*):?(%d*)$" end
  local path = text:match "^[^:]*://[^/?#]*([^#]*)"
  if path:find "[%c ]" then
    refuse("request.url", "url", "it holds a space or a control character; write %20 for a space")
  end
  if path:sub(1, 1) ~= "/" then path = "/" .. path end
  return url.scheme, host, tonumber(port) or (url.scheme == "https" and 443 or 80), path
end

-- lua-resty-http's own name for a pool of connections would hold the proxy's password.
local function pool_of(job)
  local proxy = job.proxy
  return ("handoff:%s://%s:%d %s %s"):format(job.scheme, job.host, job.port, proxy and proxy.http_proxy or "",
    proxy and proxy.http_proxy_authorization and ngx.md5(proxy.http_proxy_authorization) or "")
end

local function headers_of(given)
  local headers, named = {}, false
  for name, value in pairs(given or {}) do
    headers[name] = value
    named = named or name:lower() == "user-agent"
  end
  if not named then headers["User-Agent"] = "handoff/" .. core.version end
  return headers
end

local function read_job(request, defaults)
  core.http.check(request, defaults)
  local function field(name)
    if request[name] ~= nil then return request[name] end
    return defaults[name]
  end
  if field "ca_file" then
    refuse("request.ca_file", "carrier", 'carrier "resty-http" trusts what nginx.conf names: leave ca_file out and add '
      .. "`lua_ssl_trusted_certificate FILE;` to its http block")
  end
  local job = {
    method = request.method, headers = headers_of(field "headers"), body = request.body,
    timeout = field "timeout", connect_timeout = field "connect_timeout", max_bytes = field "max_bytes",
    proxy = proxy_of(field "proxy"), began = now(),
  }
  job.scheme, job.host, job.port, job.path = target_of(request.url)
  job.pool = pool_of(job)
  return job
end

-- ---- what went wrong ------------------------------------------------------------------------------------------------

-- What nginx's words do not say.
local advice = {
  { "^no resolver", "network", "add `resolver ADDRESS;` to the http block of nginx.conf" },
  { "certificate", "tls", "lua_ssl_trusted_certificate in nginx.conf names the file of the authorities (on Debian "
    .. "/etc/ssl/certs/ca-certificates.crt), lua_ssl_verify_depth how many may be in between" },
}

local function advise(kind, words)
  for _, row in ipairs(advice) do
    if row[2] == kind and words:find(row[1]) then return row[3] end
  end
  return kind == "tls" and "check that the server speaks https, and its name and certificate" or nil
end

local function times_of(job, socket)
  return {
    total = now() - job.began, connect = (job.connected or job.began) - job.began,
    first_byte = (socket.first_byte or job.began) - job.began,
  }
end

local function failure(job, socket, kind, words)
  return core.error.new {
    kind = kind, message = words, advice = advise(kind, words), too_big = words == "too big" or nil,
    times = times_of(job, socket), bytes_sent = job.connected and socket.bytes_sent or 0,
    bytes_received = socket.bytes_received,
  }
end

local words_of = {
  closed = "the server closed the connection before its answer was whole",
}

--- The error of a socket that failed, or of an exchange that could not be understood. lua-resty-http's own words may quote what
-- the server sent.
local function explain(job, socket, fallback)
  local why = socket.failure
  if not why then return failure(job, socket, job.connected and "protocol" or "network", fallback) end
  if why == "timeout" then
    return failure(job, socket, "timeout", ("timed out after %.3g s"):format(now() - job.began))
  end
  if socket.refused then return failure(job, socket, "tls", "no TLS: " .. why:gsub("^%d+: ", "")) end
  if socket.too_long then return failure(job, socket, "protocol", why) end
  return failure(job, socket, "network", words_of[why] or why)
end

-- ---- an exchange ----------------------------------------------------------------------------------------------------

local function connect(http, socket, job)
  local ok, why = http:connect {
    scheme = job.scheme, host = job.host, port = job.port, pool = job.pool, pool_size = job.pool_size,
    ssl_verify = true, ssl_server_name = job.scheme == "https" and job.host:gsub("^%[(.*)%]$", "%1") or nil,
    proxy_opts = job.proxy,
  }
  if not ok then
    local status = why:match "tunnel through a proxy: (%d+)"
    return nil, explain(job, socket, status and "the proxy refused the connection with status " .. status
      or "no connection was made")
  end
  job.connected = now()
  socket:begin()
  return true
end

-- The head of the answer that counts, behind those of kind 1xx.
local function receive_head(http, socket, job)
  local res = http:request { method = job.method, path = job.path, headers = job.headers, body = job.body }
  while res and res.status > 101 and res.status < 200 or res and res.status == 100 do
    socket:expect_head()
    res = http:read_response { method = job.method, headers = {} }
  end
  local version = socket.head and socket.head:match "^HTTP/(1%.[01]) %d%d%d[ \r]"
  if not res or not version or res.status < 200 then return nil, explain(job, socket, "the answer is not HTTP/1.1") end
  return res, version
end

-- lua-resty-http takes a body that is cut by a timeout for a whole one, loops for ever over a length below zero, and knows
-- neither limits nor compression.
local function check_head(socket, job)
  local headers = core.http.headers(socket.head)
  local coding, length = headers["content-encoding"], headers["content-length"]
  if coding and coding:lower() ~= "identity" then
    return nil, failure(job, socket, "protocol", "the answer is compressed, which was not asked for")
  end
  if length and not length:find "^%d+$" then
    return nil, failure(job, socket, "protocol", "its Content-Length is no number")
  end
  if job.method ~= "HEAD" and tonumber(length or 0) > job.max_bytes then
    return nil, failure(job, socket, "protocol", "too big")
  end
  return length or headers["transfer-encoding"] or false
end

-- Only the end of a body without a length is told by the end of the connection.
local function receive_body(res, socket, job, framed)
  local parts, size, why = {}, 0, nil
  local more = res.has_body
  while more do
    local part
    part, why = res.body_reader(PIECE)
    parts[#parts + 1], size = part, size + #(part or "")
    if size > job.max_bytes then return nil, failure(job, socket, "protocol", "too big") end
    more = part and not why
  end
  local is_end = not framed and socket.failure == "closed"
  if (why or socket.failure) and not is_end then return nil, explain(job, socket, "its body cannot be read") end
  return table.concat(parts)
end

local function exchange(http, socket, job)
  local ok, err = connect(http, socket, job)
  if not ok then return nil, err end
  local res, version = receive_head(http, socket, job)
  if not res then return nil, version end
  local framed
  framed, err = check_head(socket, job)
  if err then return nil, err end
  local body
  body, err = receive_body(res, socket, job, framed)
  if not body then return nil, err end
  local answer = times_of(job, socket)
  answer.status, answer.head, answer.body, answer.http_version = res.status, socket.head, body, version
  answer.bytes_sent, answer.bytes_received = socket.bytes_sent, socket.bytes_received
  answer.reused = http:get_reused_times() > 0
  return answer
end

local function perform(library, job)
  local http = assert(library.new())
  local socket = sockets.new(http.sock, job.began + job.timeout, job.began + job.connect_timeout)
  http.sock = socket
  local ok, answer, err = pcall(exchange, http, socket, job)
  if not (ok and answer and http:set_keepalive(KEEP, job.pool_size)) then http:close() end
  if not ok then core.error.again(answer) end
  return answer, err
end

-- ---- the face -------------------------------------------------------------------------------------------------------

local function load()
  local ok, library = pcall(require, "resty.http")
  if ok then return library end
  local path = "handoff.nginx.transport: carrier"
  if tostring(library):find("module 'resty.http' not found", 1, true) then
    refuse(path, "missing", 'lua-resty-http is not installed: `opm get ledgetech/lua-resty-http` or `luarocks install '
      .. 'lua-resty-http` brings it; or leave carrier out, "threads" needs nothing but nginx')
  end
  refuse(path, "missing", "lua-resty-http cannot be loaded: " .. tostring(library):match "[^\n]*")
end

--- @param opts { concurrency = requests at once in this worker }
-- @return function(request, defaults) → as handoff.loop's request; raises where lua-resty-http is not installed
function resty.carrier(opts)
  local library, concurrency = load(), opts.concurrency
  local own = turns.new(concurrency)
  return function(request, defaults)
    local job = read_job(request, defaults)
    job.pool_size = concurrency
    local turn = own:take(job.began + job.timeout)
    if not turn then return nil, turns.missed(job.timeout, concurrency) end
    local ok, answer, err = pcall(perform, library, job)
    own:give_back(turn)
    if not ok then core.error.again(answer) end
    return answer, err
  end
end

return resty
