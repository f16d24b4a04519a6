-- SPDX-License-Identifier: MIT
--- A private nginx on loopback in which Lua code has this tree and the modules built for LuaJIT, whichever VM runs the tests.
--   local server = require "support.openresty".start { server = [[ location / { content_by_lua_block { … } } ]] }
--   server.url (without a slash at the end), server.dir (for files of its own), server.pid
--   server:get(path[, more]) → an answer, see sandbox.request; server:request(method, path[, more])
--   server:run(code) → what the chunk returns, in content code of it, as a text; raises what it raises
--   server:log() → the text of its log; server:workers() → the ids of its worker processes, old ones too
--   server:reload() → once new workers serve; server:await(pid): until that process is gone
--   server:stop(["QUIT"]): ends it, at once or gracefully, waits until it is gone and removes what it left; raises where the log
--   says that a process crashed or what no log may say
local nginx = require "support.nginx"
local program = require "support.program"
local secrets = require "support.secrets"

local openresty = {}

local config = [[
load_module @MODULES@/ndk_http_module.so;
load_module @MODULES@/ngx_http_lua_module.so;
worker_processes @WORKERS@;
pid @DIR@/nginx.pid;
error_log @DIR@/error.log @LEVEL@;
@MAIN@
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path @DIR@/body; proxy_temp_path @DIR@/t1; fastcgi_temp_path @DIR@/t2; uwsgi_temp_path @DIR@/t3;
  scgi_temp_path @DIR@/t4;
  keepalive_requests 10000000;
  lua_package_path "@TREE@/lua/?.lua;@TREE@/lua/?/init.lua;;";
  lua_package_cpath "@BUILD@/luajit/?.so;;";
  @HTTP@
  server {
    listen 127.0.0.1:@PORT@;
    location = /run { client_body_buffer_size 1m; content_by_lua_block {
      ngx.req.read_body()
      local ok, result = pcall(assert(loadstring(ngx.req.get_body_data(), "=chunk")))
      if not ok then ngx.status = 500 end
      ngx.print(tostring(result))
    } }
    @SERVER@
  }
}
]]

local function sh(command, ...)
  local output, status = program.run(command:format(...))
  assert(status == 0, output)
  return (output:gsub("%s+$", ""))
end

local function environment(env)
  local lines = {}
  for name, value in pairs(env or {}) do lines[#lines + 1] = ("env %s=%s;\n"):format(name, value) end
  return table.concat(lines)
end

local Server = {}
Server.__index = Server

--- @param o { main=, http=, server= (lines of its configuration, in which @DIR@ is its folder and @PORT@ its port), env= { NAME =
--   value }, workers = 1, threads = 32 (false: no thread pool), vms = 40 (states for threads), dict = "10m", level = "notice",
--   secrets= (a list of texts that no log may hold, see support.secrets) }
function openresty.start(o)
  local dir, tree = program.folder(), sh "pwd"
  local threads = o.threads == nil and 32 or o.threads
  local values = {
    WORKERS = tostring(o.workers or 1), TREE = tree, BUILD = os.getenv "HANDOFF_BUILD" or tree .. "/build",
    LEVEL = o.level or "notice",
    MAIN = environment(o.env) .. (threads and ("thread_pool handoff threads=%d;\n"):format(threads) or "")
      .. (o.main or ""),
    HTTP = ("lua_worker_thread_vm_pool_size %d;\nlua_shared_dict handoff %s;\n"):format(o.vms or 40, o.dict or "10m")
      .. (o.http or ""),
    SERVER = o.server or "",
  }
  sh("chmod 711 %s", dir)
  local text = config:gsub("@(%u+)@", { MAIN = values.MAIN, HTTP = values.HTTP, SERVER = values.SERVER })
  local ok, ports = pcall(nginx.launch, dir, text, { "PORT" }, values)
  if not ok then
    local log = program.run(("cat %s/error.log"):format(dir))
    program.remove(dir)
    error(ports .. "\n" .. log, 2)
  end
  local self = setmetatable({ dir = dir, url = "http://127.0.0.1:" .. ports.PORT }, Server)
  self.secrets, self.count = o.secrets or {}, o.workers or 1
  self.pid = sh("until [ -s %s/nginx.pid ]; do sleep 0.01; done; cat %s/nginx.pid", dir, dir)
  return self
end

function Server:request(method, path, more)
  return require("support.sandbox").request(method, self.url .. path, more)
end

function Server:get(path, more) return self:request("GET", path, more) end

function Server:run(code)
  local answer = self:request("POST", "/run", { body = code })
  if answer.status ~= 200 then error(answer.body, 0) end
  return answer.body
end

function Server:log()
  local file = assert(io.open(self.dir .. "/error.log"))
  local text = file:read "*a"
  file:close()
  return text
end

function Server:workers()
  local pids = {}
  for pid in program.run(("pgrep -P %s || :"):format(self.pid)):gmatch "%d+" do pids[#pids + 1] = pid end
  return pids
end

function Server:signal(name)
  sh("kill -%s %s", name, self.pid)
end

local function fresh_ones(self, old)
  local count = 0
  for _, pid in ipairs(self:workers()) do
    if not old[pid] then count = count + 1 end
  end
  return count
end

function Server:reload()
  local old = {}
  for _, pid in ipairs(self:workers()) do old[pid] = true end
  self:signal "HUP"
  repeat until fresh_ones(self, old) >= self.count
end

-- One that has ended is gone, although it stays listed until whoever adopted it asks how it ended: that may take seconds.
function Server:await(pid) -- luacheck: ignore self
  sh("timeout 30 sh -c 'while grep -qs ^State:.[^ZX] /proc/%s/status; do sleep 0.02; done'", pid)
end

local function check_log(self)
  local log = self:log()
  for _, text in ipairs { "exited on signal", "stack traceback" } do
    local at = log:find(text, 1, true)
    if at then error(("nginx's log holds %q: … %s"):format(text, log:sub(math.max(at - 300, 1), at + 1000)), 3) end
  end
  secrets.assert_none("nginx's log", log, (table.unpack or unpack)(self.secrets))
end

--- Stops it; a second call does nothing.
-- @param signal "TERM" (at once, the default) or "QUIT" (its requests come to their end)
function Server:stop(signal)
  if not self.pid then return end
  self:signal(signal or "TERM")
  self:await(self.pid)
  self.pid = nil
  local ok, err = pcall(check_log, self)
  program.remove(self.dir)
  if not ok then error(err, 2) end
end

return openresty
