-- SPDX-License-Identifier: MIT
--- Ctrl-C while agents are worked on: the first begins no further agent and lets those under way come to their end, the second
-- ends the process at once. The same for SIGTERM and SIGHUP.
local core = require "handoff.core"

local interrupt = {}

local Guard = {}
Guard.__index = Guard

local notices = {
  SIGINT = "finishing what is in flight; Ctrl-C again ends at once",
  SIGTERM = "told to end: finishing what is in flight; a second signal ends at once",
  SIGHUP = "the terminal is gone: finishing what is in flight; a second signal ends at once",
}

--- Whether somebody wants it to end; says so on standard error the first time.
-- @return the signal's name, or nil
function Guard:seen()
  if not self.name then
    self.name = self.watch:seen()
    if self.name then
      if self.on_seen then self.on_seen() end
      pcall(self.ctx.note, self.ctx, notices[self.name]) -- a terminal that is gone must not end what is in flight
    end
  end
  return self.name
end

--- Idempotent, and says nothing any more. Where a signal came the next still ends the process at once.
function Guard:close() self.watch:close() end

--- Begins to watch; one at a time.
-- @return guard: seen(), close(), stop (the option of a fleet's runs: true once it was seen); guard.on_seen = function() may be
--   set, and is called before it is told
function interrupt.watch(ctx)
  local guard = setmetatable({ ctx = ctx, watch = core.interrupt.watch() }, Guard)
  function guard.stop() return guard:seen() ~= nil end
  return guard
end

return interrupt
