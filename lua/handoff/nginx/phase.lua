-- SPDX-License-Identifier: MIT
--- Where code of nginx may wait for something, in words.
local core = require "handoff.core"

local phase = {}

-- As ngx.get_phase names them; nginx suspends Lua code in these alone.
local waits = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, ssl_cert = true,
  ssl_session_fetch = true, ssl_client_hello = true,
}

--- What nginx calls a phase, by the name that ngx.get_phase has for it.
local directives = {
  init = "init_by_lua*", init_worker = "init_worker_by_lua*", exit_worker = "exit_worker_by_lua*", set = "set_by_lua*",
  balancer = "balancer_by_lua*", header_filter = "header_filter_by_lua*", body_filter = "body_filter_by_lua*",
  log = "log_by_lua*", ssl_session_store = "ssl_session_store_by_lua*",
}

--- Whether the calling code may wait.
function phase.can_wait()
  return waits[ngx.get_phase()] == true
end

--- Raises where the calling code may not wait.
-- @param what the message calls what would wait: "client:get"
function phase.check(what)
  local name = ngx.get_phase()
  if waits[name] then return end
  core.error.raise {
    path = what, rule = "phase", value = name,
    message = ("nginx cannot wait in %s; call it in rewrite_by_lua*, access_by_lua*, content_by_lua* or a timer: "
      .. "ngx.timer.at(0, function() … end)"):format(directives[name] or name),
  }
end

return phase
