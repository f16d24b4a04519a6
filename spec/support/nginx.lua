-- SPDX-License-Identifier: MIT
--- A private nginx on loopback, whose locations answer as well and as badly as servers do.
--   local server = require "support.nginx".start()
--   server.http, server.https, server.proxy   base URLs, without a slash at the end; https has no name but localhost
--   server.https_other                        the same by an address that its certificate does not name
--   server.ca_file                            the certificate that vouches for it
--   server:program(code)   what answers below /program/ from now on: a Lua chunk that nginx runs
--   server:stop()
local nginx = {}

local config = [[
load_module @MODULES@/ndk_http_module.so;
load_module @MODULES@/ngx_http_lua_module.so;
worker_processes 1;
pid @DIR@/nginx.pid;
error_log @DIR@/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  client_max_body_size 32m;
  client_body_buffer_size 4m;
  client_body_temp_path @DIR@/body; proxy_temp_path @DIR@/t1; fastcgi_temp_path @DIR@/t2; uwsgi_temp_path @DIR@/t3;
  scgi_temp_path @DIR@/t4;
  keepalive_requests 100000;
  lua_shared_dict counts 1m;
  lua_socket_log_errors off;
  server {
    listen 127.0.0.1:@HTTP@;
    listen 127.0.0.1:@HTTPS@ ssl http2;
    listen 127.0.0.2:@HTTPS@ ssl http2;
    ssl_certificate @DIR@/cert.pem;
    ssl_certificate_key @DIR@/key.pem;

    location /echo { content_by_lua_block {
      ngx.req.read_body()
      local lines = {}
      for name, value in pairs(ngx.req.get_headers()) do lines[#lines + 1] = name .. ": " .. tostring(value) end
      table.sort(lines)
      ngx.header["X-Connection"] = ngx.var.connection
      ngx.header["X-Twice"] = { "one", "two" }
      ngx.print(ngx.var.request_method, " ", ngx.var.request_uri, "\n", table.concat(lines, "\n"), "\n\n",
        ngx.req.get_body_data() or "")
    } }
    location /slow { content_by_lua_block { ngx.sleep(0.02) ngx.print "slow" } }
    location /never { content_by_lua_block {
      ngx.shared.counts:incr("never", 1, 0)
      ngx.sleep(600)
    } }
    location /stall { content_by_lua_block {
      ngx.header.content_length = 100
      ngx.print "begin"
      ngx.flush(true)
      ngx.sleep(600)
    } }
    location /empty { return 204; }
    location /missing { return 404 "nothing here"; }
    location /busy { add_header Retry-After 7 always; return 429 "slow down"; }
    location /redirect { return 302 /echo; }
    location /huge { content_by_lua_block {
      for _ = 1, 16 do ngx.print(("x"):rep(1024 * 1024)) end
    } }
    location /bomb { gzip on; gzip_types *; content_by_lua_block {
      ngx.header.content_type = "application/json"
      for _ = 1, 16 do ngx.print(("x"):rep(1024 * 1024)) end
    } }
    location /zipped { gzip on; gzip_types *; gzip_min_length 1; content_by_lua_block {
      ngx.header.content_type = "application/json"
      ngx.print(("x"):rep(4096))
    } }
    location /bad_zip { content_by_lua_block {
      ngx.header["Content-Encoding"] = "gzip"
      ngx.print "this is not gzip"
    } }
    location /truncated { content_by_lua_block {
      ngx.req.socket(true):send "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nfew"
    } }
    location /no_status { content_by_lua_block {
      ngx.req.socket(true):send "HTTP/2000 OK\r\nContent-Length: 0\r\n\r\n"
    } }
    location /not_http { content_by_lua_block { ngx.req.socket(true):send "SSH-2.0-none\r\n" } }
    location /big_head { content_by_lua_block {
      local socket = ngx.req.socket(true)
      socket:send "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
      for i = 1, 8 do socket:send("X-" .. i .. ": " .. ("x"):rep(10000) .. "\r\n") end
      socket:send "\r\n"
    } }
    location /drop { content_by_lua_block {
      ngx.req.read_body()
      ngx.shared.counts:incr("drop", 1, 0)
      ngx.exit(444)
    } }
    location /count { content_by_lua_block { ngx.print(ngx.shared.counts:get(ngx.var.arg_of) or 0) } }
    location /forget { content_by_lua_block { ngx.shared.counts:flush_all() } }
    @LOCATIONS@
    location /program/ { content_by_lua_block { assert(loadfile "@DIR@/program.lua")() } }
    location /document { content_by_lua_block { ngx.req.discard_body() ngx.print(("x"):rep(4096)) } }
  }
  server {
    listen 127.0.0.1:@PROXY@;
    location / { return 200 "by proxy: $request_method $host$request_uri"; }
  }
}
]]

local function sh(command)
  local ok, _, status = os.execute(command)
  return ok == true or ok == 0, status or ok
end

local function capture(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return (text:gsub("%s+$", ""))
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function fill(template, values)
  return (template:gsub("@(%u+)@", values))
end

local certificate = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
  .. "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 "
  .. "-keyout %s/key.pem -out %s/cert.pem 2>/dev/null"

-- Before nginx where make test-asan runs: the sanitizers that the modules which it loads need first. What they find ends a worker
-- by a signal, which its log tells of.
local sanitizers = os.getenv "SANITIZERS"
local before = sanitizers and ("ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 LD_PRELOAD='%s' "):format(sanitizers) or ""

--- Starts an nginx in the folder, on free ports: nginx returns once it listens; a port that is taken makes it fail, and others
-- are tried.
-- @param template its configuration, with @NAME@ where the values go: DIR, MODULES, and a port for each of `ports`
-- @return the values
function nginx.launch(dir, template, ports, values)
  values.DIR = dir
  values.MODULES = capture "nginx -V 2>&1 | sed -n 's/.*--modules-path=\\([^ ]*\\).*/\\1/p'"
  local first = 20000 + tonumber(capture "od -An -N2 -tu2 /dev/urandom") % 10000
  for try = first, first + 20 * #ports, #ports do
    for i, name in ipairs(ports) do values[name] = try + i - 1 end
    write(dir .. "/nginx.conf", fill(template, values))
    if sh(("%snginx -p %s -e %s/error.log -c %s/nginx.conf 2>%s/start.log"):format(before, dir, dir, dir, dir)) then
      return values
    end
  end
  error("nginx does not start: " .. capture(("cat %s/start.log"):format(dir)))
end

local Server = {}
Server.__index = Server

--- @param locations more of them, as nginx's configuration has them
function nginx.start(locations)
  local dir = capture "mktemp -d"
  assert(sh(("chmod 711 %s"):format(dir)))
  assert(sh(certificate:format(dir, dir)), "openssl makes no certificate")
  local ports = nginx.launch(dir, config, { "HTTP", "HTTPS", "PROXY" }, { LOCATIONS = locations or "" })
  return setmetatable({
    dir = dir, ca_file = dir .. "/cert.pem",
    http = "http://127.0.0.1:" .. ports.HTTP,
    https = "https://localhost:" .. ports.HTTPS,
    https_other = "https://127.0.0.2:" .. ports.HTTPS,
    proxy = "http://127.0.0.1:" .. ports.PROXY,
  }, Server)
end

function Server:program(code)
  write(self.dir .. "/program.new", code)
  assert(os.rename(self.dir .. "/program.new", self.dir .. "/program.lua"))
end

--- Stops nginx, waits until it is gone, and removes what it left.
function Server:stop()
  assert(sh(([[
    until [ -s %s/nginx.pid ]; do sleep 0.01; done
    pid=$(cat %s/nginx.pid)
    kill -TERM $pid && timeout 10 tail --pid=$pid -s 0.02 -f /dev/null
    rm -rf %s]]):format(self.dir, self.dir, self.dir)))
end

return nginx
