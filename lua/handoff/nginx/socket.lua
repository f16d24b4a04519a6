-- SPDX-License-Identifier: MIT
--- A cosocket of nginx for one exchange of HTTP, with what cosockets lack: one deadline for all that it does (nginx's own is
-- for each read, so that a server that sends a byte at a time is waited for without end), a limit on lines, so that a head
-- without end fills no memory, and an account of what went over it. Has the methods of a cosocket that lua-resty-http uses.
local core = require "handoff.core"

local now = core.http.now

local Socket = {}
Socket.__index = Socket

local MAX_HEAD = 64 * 1024 -- bytes, and no line is longer
local PIECE = 16 * 1024

local function fail(self, why)
  self.failure = self.failure or why
  return nil, self.failure
end

--- Sets nginx's timeout to what is left until then → whether anything is.
local function arm(self, deadline)
  local left = deadline - now()
  if left <= 0 or self.failure then return false end
  self.socket:settimeout(math.ceil(left * 1000))
  return true
end

function Socket:settimeout() end -- luacheck: ignore self
function Socket:settimeouts() end -- luacheck: ignore self

function Socket:connect(...)
  if not arm(self, self.connect_by) then return fail(self, "timeout") end
  local ok, why = self.socket:connect(...)
  if not ok then return fail(self, why) end
  return ok
end

function Socket:sslhandshake(...)
  if self.buffer ~= "" then return fail(self, "the proxy sent more than its answer") end
  if not arm(self, self.connect_by) then return fail(self, "timeout") end
  -- It raises where a certificate is refused and the handshake ended at once: openresty/lua-resty-core issue 499.
  local ok, session, why = pcall(self.socket.sslhandshake, self.socket, ...)
  if ok and session then return session end
  if not ok then why = "its certificate is not accepted" end
  self.refused = why ~= "timeout" and why ~= "closed"
  return fail(self, why)
end

-- What a send that failed has sent is not known: all of it, to be safe.
function Socket:send(data)
  if not arm(self, self.deadline) then return fail(self, "timeout") end
  local sent, why = self.socket:send(data)
  self.bytes_sent = self.bytes_sent + (sent or #data)
  if not sent then return fail(self, why) end
  return sent
end

local function fill(self)
  if not arm(self, self.deadline) then return fail(self, "timeout") end
  local data, why = self.socket:receiveany(PIECE)
  if not data then return fail(self, why) end
  self.first_byte = self.first_byte or now()
  self.bytes_received = self.bytes_received + #data
  self.buffer = self.buffer .. data
  return true
end

local function take(self, count, after)
  local data = self.buffer:sub(1, count)
  self.buffer = self.buffer:sub(after or count + 1)
  return data
end

local function keep_head(self, line)
  self.lines[#self.lines + 1] = line
  self.head_size = self.head_size + #line + 2
  if line == "" then self.head, self.lines = table.concat(self.lines, "\r\n") .. "\r\n", nil end
end

local function receive_line(self)
  local from = 1
  while true do
    local stop = self.buffer:find("\n", from, true)
    if (stop or #self.buffer) + self.head_size > MAX_HEAD then
      self.too_long = true
      return fail(self, "its head is too long")
    end
    if stop then
      local line = take(self, stop - 1, stop + 1):gsub("\r$", "")
      if self.lines then keep_head(self, line) end
      return line
    end
    from = #self.buffer + 1
    local ok, why = fill(self)
    if not ok then return nil, why, take(self, #self.buffer) end
  end
end

--- @param what "*l" or a number of bytes
function Socket:receive(what)
  if what == "*l" then return receive_line(self) end
  while #self.buffer < what do
    local ok, why = fill(self)
    if not ok then return nil, why, take(self, #self.buffer) end
  end
  return take(self, what)
end

--- Begins the account of an exchange, whose head comes next.
function Socket:expect_head()
  self.head, self.lines, self.head_size = nil, {}, 0
end

function Socket:begin()
  self.bytes_sent, self.bytes_received, self.first_byte = 0, 0, nil
  self:expect_head()
end

function Socket:getreusedtimes() return self.socket:getreusedtimes() end

function Socket:setkeepalive(...)
  if self.buffer ~= "" or self.failure then return self.socket:close() end
  return self.socket:setkeepalive(...)
end

function Socket:close() return self.socket:close() end

--- @param socket a cosocket that is not connected yet
-- @param deadline, connect_by when all, and when connecting, has to be done, on the clock of http.now
-- @return it; fields to read: `failure` (what went wrong with it first), `refused` (whether it was TLS), `too_long` (a line),
-- `head` (status line and headers, once all came), `bytes_sent`, `bytes_received`, `first_byte`
local function new(socket, deadline, connect_by)
  local self = { socket = socket, deadline = deadline, connect_by = math.min(connect_by, deadline), buffer = "" }
  setmetatable(self, Socket):begin()
  return self
end

return { new = new }
