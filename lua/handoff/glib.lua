-- SPDX-License-Identifier: MIT
--- Modules of handoff that are built only where GLib is.
local core = require "handoff.core"
local optional = require "handoff.optional"

--- → the module; or nil, err
-- @param lack what cannot be done without it: "time zones cannot be read"
return function(name, lack)
  local module = optional(name)
  if module then return module end
  return nil, core.error.new { kind = "invalid", message = ("%s: %s is built where GLib is; install that (Debian: "
    .. "libglib2.0-dev) and build again"):format(lack, name) }
end
