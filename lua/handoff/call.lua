-- SPDX-License-Identifier: MIT
--- What a script asks of a client once (a get, an update) as a whole: its requests, each in its turn (pace) and tried again
-- where that helps (retry), within one deadline.
--
-- A call: { client = what a client keeps (see client.lua), retries, deadline (seconds), ends (on the transport's clock),
-- requests = how many were sent, token = the last one that was asked for }
local failure = require("handoff.core").error.new
local request = require "handoff.request"
local retry = require "handoff.retry"

local call = {}

--- @param opts { retries=, deadline= }, by default the client's own; or nil
function call.begin(client, opts)
  local o = client.options
  local deadline = opts and opts.deadline or o.deadline
  return {
    client = client, retries = opts and opts.retries or o.retries, deadline = deadline,
    ends = client.transport:now() + deadline, requests = 0,
  }
end

-- ---- waiting --------------------------------------------------------------------------------------------------------

local function sleep(self, seconds)
  local ok, err = self.client.transport:sleep(seconds)
  if ok then return true end
  err.agent, err.bytes_sent = self.client.name, 0
  err.message = err.message .. "; nothing more was sent"
  return nil, err
end

local function not_in_time(self, method, kind, why, retry_after)
  return failure {
    kind = kind, agent = self.client.name, retry_after = retry_after, bytes_sent = 0,
    message = ("%s %s: not sent: %s; raise deadline (%g s for the whole), or try again later")
      :format(method, self.client.url, why, self.deadline),
  }
end

local function over(self, method)
  return not_in_time(self, method, "timeout", "no time is left")
end

local function too_long(self, method, wait)
  local seconds = math.ceil(wait)
  return not_in_time(self, method, "rate_limit",
    ("by its limits this token may send the next one in %d s"):format(seconds), seconds)
end

--- Waits until a request of that method may be sent, without taking the turn → true | nil, err.
function call.await(self, method)
  local client = self.client
  local token = self.token or client.token()
  while true do
    local now = client.transport:now()
    local wait = client.pacer:wait(method, token, now)
    if not wait then return true end
    if now + wait >= self.ends then return nil, too_long(self, method, wait) end
    local ok, err = sleep(self, wait)
    if not ok then return nil, err end
  end
end

-- ---- requests -------------------------------------------------------------------------------------------------------

--- Sends one request if it may be sent at once.
-- @return the text of an answer 200; nil, err where it failed; or nil, nil where it has to wait for its turn
function call.try(self, method, body)
  local client = self.client
  local token, now = client.token(), client.transport:now()
  local left = self.ends - now
  if left <= 0 then return nil, over(self, method) end
  self.token = token
  if client.pacer:take(method, token, now) then return nil, nil end
  self.requests = self.requests + 1
  local text, err = request.send(client, method, body, token, left)
  if text then return text end
  if err.status == 429 and err.retry_after then
    client.pacer:hold(method, token, client.transport:now(), err.retry_after)
  end
  return nil, err
end

--- Sends one request when its turn comes → the text of an answer 200; or nil, err.
function call.exchange(self, method, body)
  while true do
    local text, err = call.try(self, method, body)
    if text or err then return text, err end
    local ok
    ok, err = call.await(self, method)
    if not ok then return nil, err end
  end
end

local function tell(self, method, tried, wait, err)
  local on_event = self.client.on_event
  if not on_event then return end
  on_event {
    type = "retry", method = method, url = self.client.url, attempt = tried, wait = wait, error = err.kind,
    status = err.status,
  }
end

--- Waits before another try of a request that failed.
-- @param tried how often it was tried
-- @param err how it failed, which gets `attempts`; where it is not tried again its message says why not
-- @return true; or nil, err
function call.again(self, method, tried, err)
  err.attempts = tried
  if not retry.is_transient(err, method) then return nil, err end
  local wait = tried <= self.retries and retry.wait(tried, err.retry_after)
  if wait and self.client.transport:now() + wait < self.ends then
    tell(self, method, tried, wait, err)
    return sleep(self, wait)
  end
  if tried > 1 then err.message = ("%s; it was tried %d times"):format(err.message, tried) end
  if wait then
    err.message = ("%s; the next try, in %.0f s, would be beyond the deadline: raise deadline (%g s for the whole)")
      :format(err.message, wait, self.deadline)
  end
  return nil, err
end

--- Sends a request until it is answered, tried no more or refused by `gives_up`.
-- @param gives_up function(err) → true where it must not be tried again; or nil
-- @return the text of an answer 200; or nil, err
function call.insist(self, method, body, gives_up)
  local tried = 0
  while true do
    local sent = self.requests
    local text, err = call.exchange(self, method, body)
    if text then return text end
    err.attempts = tried
    if self.requests == sent then return nil, err end -- it was not sent, and the error says why
    tried = tried + 1
    if gives_up and gives_up(err) then
      err.attempts = tried
      return nil, err
    end
    local ok
    ok, err = call.again(self, method, tried, err)
    if not ok then return nil, err end
  end
end

return call
