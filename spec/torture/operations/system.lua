-- SPDX-License-Identifier: MIT
-- What talks to the system: HTTP, files, the server.
local list = {}
local function add(op) list[#list + 1] = op end

local folders = require "torture.folder"
local refused = require "torture.refused"
local tellings = require "torture.tellings"

local function core() return require "handoff.core" end

local folder = folders.path
local base_url, token = os.getenv "TORTURE_URL", os.getenv "TORTURE_TOKEN"
local url = base_url .. "human_handoff/configuration"

local function request(more)
  local r = { method = "GET", url = url, headers = { Authorization = "Bearer " .. token } }
  for name, value in pairs(more or {}) do r[name] = value end
  return r
end

local write, read = folders.write, folders.read

-- ---- HTTP ----------------------------------------------------------------------------------------------------------------

add { name = "http url", run = function()
  local u, why = core().http.url "https://user:secret@example.com:8443/x"
  return u and { u.scheme, u.host, u.loopback, u.credentials }, why
end, accepts = tellings.of_curl }
add { name = "http url that is none", run = function()
  local u, why = core().http.url "https://"
  return not u and why
end }
add { name = "http headers", run = function()
  return core().http.headers "HTTP/1.1 200 OK\r\nX-One: 1\r\nx-one: 2\r\nContent-Type: text/plain\r\n\r\n"
end }

add { name = "http check", run = function()
  core().http.check(request { timeout = 3, ca_file = "/nowhere" }, {})
  return refused(core().http.check, request { method = "G T" }, {})
end }

add { name = "addresses that are checked", run = function()
  local transports = require "handoff.transport"
  transports.check_url("base_url", "https://example.com/" .. collectgarbage "count") -- those that are known are not read again
  transports.check_proxy("proxy", "socks5h://127.0.0.1:9")
  local one = refused(transports.check_url, "base_url", "ftp://example.com/")
  return { one, refused(transports.check_proxy, "proxy", "x://y") }
end, accepts = tellings.of_curl }

local function drain(engine, transfer)
  repeat engine:step(5) until engine:next()
  return transfer:result()
end

add { name = "engine", run = function(_)
  local engine = core().http.engine()
  local transfer = engine:submit(request(), {})
  local answer, err = drain(engine, transfer)
  transfer = nil -- luacheck: ignore
  engine:close()
  if not answer then return nil, err end
  return { answer.status, #answer.body, answer.http_version }
end, accepts = tellings.of_curl }

-- One engine used again and again: what a request that failed left behind is used by the next ones.
add { name = "engine reused", prepare = function() return core().http.engine() end, run = function(engine)
  local first = engine:submit(request { ca_file = "/nowhere" }, {}, true)
  local one, err = drain(engine, first)
  if not one then return nil, err end
  local put = engine:submit(request { method = "PUT", body = "{}", timeout = 20 }, {}, true)
  local two, err_two = drain(engine, put)
  if not two then return nil, err_two end
  return { one.status, two.status }
end, state = function(engine)
  -- whatever became of it, the next one gets what it should
  local again = assert(drain(engine, (engine:submit(request(), {}, true))))
  return again.status .. " " .. #again.body
end, finish = function(engine) engine:close() end, accepts = tellings.of_curl }

-- Not with libcurl's memory: 7.88 goes to another port of the proxy where it has none to note the one it was given.
add { name = "engine proxied", kinds = { "lua", "own" }, prepare = function() return core().http.engine() end,
  run = function(engine)
    local answer, err = drain(engine, (engine:submit(request { proxy = base_url:match "^(http://[^/]+)" }, {})))
    return answer and answer.status, err
  end, state = function(engine)
    return assert(drain(engine, (engine:submit(request(), {}, true)))).status
  end, finish = function(engine) engine:close() end }

add { name = "engine cancelled", run = function()
  local engine = core().http.engine()
  local one, two = engine:submit(request(), {}), engine:submit(request(), {})
  engine:step(0)
  one:cancel()
  two:close()
  engine:close()
  local _, err = one:result()
  if err.kind ~= "cancelled" then return nil, err end
  return err.kind
end, accepts = tellings.of_curl }

local function transport()
  local transports = require "handoff.transport"
  return transports.curl { loop = require("handoff.loop").new() }
end

add { name = "transport", prepare = transport, run = function(t)
  local answer, err = t:request(request())
  if not answer then return nil, err end
  return { answer.status, answer.headers["content-type"], #answer.body }
end, finish = function(t) t:close() end, accepts = tellings.of_curl }

add { name = "loop", prepare = transport, run = function(t)
  local loop = t.loop
  local task = loop:spawn(function()
    loop:sleep(0)
    return t:request(request())
  end)
  local results, errors = loop:map(2, { 1, 2, 3 }, function(i)
    local answer, err = t:request(request())
    return answer and answer.status + i, err
  end)
  if not results then return nil, errors end
  local _, failed = next(errors)
  if failed then return nil, failed end
  local answer, err = task:join()
  if not answer then return nil, err end
  results[4] = answer.status
  return results
end, state = function(t)
  -- whatever became of it, the loop goes on
  local answer = assert(t:request(request()))
  local one = assert(t.loop:spawn(function() return assert(t:request(request())).status end):join())
  pcall(t.loop.run, t.loop) -- what failed was told of
  t.loop:run()
  return answer.status .. " " .. one
end, finish = function(t) t:close() end, accepts = tellings.of_curl }

add { name = "loop cancelled", prepare = transport, run = function(t)
  local loop, seen = t.loop, {}
  local waits = { function() return loop:sleep(0.5) end, function() return t:request(request()) end }
  for i, wait in ipairs(waits) do
    local task = loop:spawn(wait)
    local canceller = loop:spawn(function()
      task:cancel()
      return true
    end)
    local _, err = task:join()
    local done, why = canceller:join()
    if not done or err.kind ~= "cancelled" then return nil, done and err or why end
    seen[i] = err.kind
  end
  loop:run()
  return seen
end, finish = function(t)
  pcall(t.loop.run, t.loop)
  t:close()
end, accepts = tellings.of_curl }

-- ---- the server ----------------------------------------------------------------------------------------------------------

add { name = "serve", kinds = { "lua", "own" }, run = function()
  local serve = require "handoff.serve"
  local server = assert(serve.new())
  local engine = core().http.engine()
  local transfer = engine:submit({
    method = "PUT", url = ("http://127.0.0.1:%d/a?b"):format(server:port()), body = "text", timeout = 5,
  }, {}, true)
  local done
  repeat
    engine:step(0)
    server:step(0)
    local asked = server:next()
    if asked then server:answer(asked, 201, { ["X-A"] = asked.path .. asked.query .. asked.body }, "thanks") end
    done = engine:next()
  until done
  local answer, err = transfer:result()
  engine:close()
  server:close()
  if not answer then return nil, err end
  return { answer.status, answer.body, core().http.headers(answer.head)["x-a"] }
end, accepts = tellings.dropped }

-- ---- files ---------------------------------------------------------------------------------------------------------------

add { name = "file replace", prepare = function() return write("replaced", "before") end, run = function(path)
  local ok, why = core().file.replace(path, "after")
  return ok, why
end, state = read, finish = os.remove }
add { name = "file folder", prepare = function() return folder .. "/deep/er" end, run = function(path)
  return core().file.make_folder(path)
end, finish = function(path)
  os.remove(path)
  os.remove(folder .. "/deep")
end }
add { name = "file locks", prepare = function() return folder .. "/locks" end, run = function(path)
  local locks, why = core().file.locks(path)
  if not locks then return nil, why end
  local taken = locks:take(7)
  locks:close()
  return taken
end, finish = os.remove }
add { name = "file kinds", run = function()
  local f = core().file
  return { f.kind(folder), f.kind "/nowhere/at/all" or "none", type(f.identity(folder)) }
end }
add { name = "interrupt", run = function()
  local watch = core().interrupt.watch()
  local seen = watch:seen()
  watch:close()
  return seen or "none"
end }

return list
