-- SPDX-License-Identifier: MIT
local core = require "handoff.core"

return {
  summary = "say which version this is, of what it is made", group = "other",
  run = function(ctx)
    local vm = rawget(_G, "jit") and rawget(_G, "jit").version or _VERSION
    if ctx.json then return ctx:record { version = core.version, vm = vm, libcurl = core.http.library } end
    ctx:say(("handoff %s (%s, libcurl %s)"):format(core.version, vm, core.http.library))
  end,
}
