-- SPDX-License-Identifier: MIT
--- What is worth another try, and how long to wait before it.
local now = require("handoff.core").http.now

local retry = {}

local BASE, CAP = 0.5, 30 -- seconds

local statuses = { [429] = true, [500] = true, [502] = true, [503] = true, [504] = true }

--- Whether the same request may well succeed a little later. What the service refuses stays refused. An answer 200 to a PUT
-- that nobody understands says as little as none.
function retry.is_transient(err, method)
  if err.kind == "network" or err.kind == "timeout" then return true end
  if err.kind == "protocol" then return method == "PUT" and err.status == 200 end
  return statuses[err.status or 0] == true
end

-- A generator of its own (Lehmer's): math.random is the script's, with the seed that it chose. Seeded at first use, so that
-- processes forked from one that loaded this differ.
local state

local function random()
  if not state then
    local address = tonumber(tostring({}):match "0x(%x+)" or "0", 16) or 0
    state = math.floor(now() * 1e6 + os.time() + address) % 2147483646 + 1
  end
  state = state * 48271 % 2147483647
  return state / 2147483647
end

--- Seconds to wait: any up to a bound that doubles from try to try, so that many clients spread out; where the server said
-- how long, that comes before it.
-- @param tried how often it was tried
-- @param after the seconds of Retry-After, or nil
function retry.wait(tried, after)
  return (after or 0) + random() * math.min(CAP, BASE * 2 ^ (tried - 1))
end

return retry
