-- SPDX-License-Identifier: MIT
--- What runs in a thread of nginx's pool, in a Lua state of its own that lasts as long as the worker process and is used
-- again, so that its connections are. Arguments and results are plain values. nginx loads this file in its event loop, once
-- for each state: what takes long to load is loaded in the functions, in the thread.
local worker = {}

local STEP = 0.2 -- seconds after which a thread looks whether nginx stops: nginx waits for its threads then

local engine -- of this state, kept with its connections
local none = {}

local flags

--- Whether nginx was told to stop at once.
function worker.is_stopping()
  if flags == nil then
    local ok, found = pcall(function()
      local ffi = require "ffi"
      ffi.cdef "extern volatile int ngx_terminate;"
      return ffi.C.ngx_terminate and ffi.C
    end)
    flags = ok and found
  end
  return flags and flags.ngx_terminate ~= 0
end

local function exchange(http, request, direct)
  engine = engine or http.engine()
  local transfer = engine:submit(request, none, direct)
  repeat
    engine:step(STEP)
    if worker.is_stopping() then transfer:cancel() end
  until engine:next()
  return transfer:result()
end

--- Makes a request, as the loop of handoff.loop does.
-- @param request plain; what a transport leaves out is in it
-- @param expires on the clock of http.now: later it is not begun
-- @return the answer; or nil and the error's fields; or nil, nil and the fields of what was raised
function worker.request(request, direct, expires)
  local core = require "handoff.core"
  if core.http.now() > expires then
    return nil, { kind = "timeout", bytes_sent = 0, bytes_received = 0,
      message = "no thread was free in time, so it was not sent: thread_pool has too few threads" }
  end
  local ok, answer, err = pcall(exchange, core.http, request, direct)
  if ok then return answer, err end
  if core.error.is(answer) then return nil, nil, answer end
  if engine then engine:close() end
  engine = nil
  return nil, nil, { message = tostring(answer) }
end

--- Puts a file in the place of another, see core.file.replace → true | nil, why.
function worker.replace_file(path, text) return require("handoff.core").file.replace(path, text) end

--- Does a step of a history's work on its file, see handoff.nginx.disk.
function worker.history(...) return require("handoff.nginx.disk").work(...) end

return worker
