-- SPDX-License-Identifier: MIT
--- Standard output and standard error: whether they are terminals, colours, and what happens when they cannot be written.
local core = require "handoff.core"
local failure = require "handoff.command.failure"
local status = require "handoff.command.status"

local Stream = {}
Stream.__index = Stream

-- Of the sixteen colours only those that can be read on a light and on a dark background.
local codes = { red = "31", green = "32", yellow = "33", cyan = "36", dim = "2", bold = "1" }

-- EPIPE: whoever read it has enough. What is left to be said is dropped, and the verb goes on to its own exit status.
local BROKEN_PIPE = 32

-- Standard error tells of what is done and decides nothing: what was written stays written where nobody could be told of it.
local function check(self, ok, why, code)
  if ok then return end
  self.broken = true
  if code == BROKEN_PIPE or self.fd == 2 then return end
  failure.raise(status.failed, ("%s: it cannot be written: %s; free the place, or write it elsewhere"):format(
    self.name, why))
end

--- Writes text as it is.
function Stream:write(text)
  if not self.broken then check(self, self.file:write(text)) end
end

--- Writes what waits to be written. `broken` tells afterwards whether there is nobody to read it.
function Stream:flush()
  if not self.broken then check(self, self.file:flush()) end
end

--- The text in a colour: "red", "green", "yellow", "cyan", "dim", "bold"; as it is where there is none.
function Stream:paint(colour, text)
  if not self.coloured then return text end
  return ("\27[%sm%s\27[0m"):format(codes[colour], text)
end

--- How wide its terminal is; 80 where it is none, or does not say.
function Stream:width()
  return core.terminal.columns(self.fd) or 80
end

local stream = {}

--- A stream: `terminal` tells whether it is one, `live` whether that obeys escape sequences.
-- @param file io.stdout or io.stderr
-- @param fd 1 or 2
-- @param colour "auto", "always" or "never"
-- @param environment variables by name: NO_COLOR and TERM count
function stream.new(file, fd, name, colour, environment)
  local terminal = core.terminal.is_terminal(fd)
  local kind = environment.TERM or ""
  local live = terminal and kind ~= "" and kind ~= "dumb"
  local auto = live and (environment.NO_COLOR or "") == ""
  file:setvbuf(fd == 1 and "full" or "line", 65536)
  return setmetatable({
    file = file, fd = fd, name = name, terminal = terminal, live = live,
    coloured = colour == "always" or colour == "auto" and auto,
  }, Stream)
end

return stream
