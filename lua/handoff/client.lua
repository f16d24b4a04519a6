-- SPDX-License-Identifier: MIT
--- One agent: read its configuration, write it, edit it safely. Failures of the world are `nil, err`; mistakes raise.
local core = require "handoff.core"
local change = require "handoff.change"
local config = require "handoff.config"
local options = require "handoff.options"
local transport = require "handoff.transport"

local failure, refuse = core.error.new, core.error.raise

local Client = {}
Client.__index = Client
Client.__metatable = "handoff client"

-- What a client must not show, above all how to get its token: kept apart from the object, which only has its name.
local private = setmetatable({}, { __mode = "k" })

local BASE_URL = "https://app.quickchat.ai/v1/api/" -- api: Transport, base URL
local ENDPOINT = "human_handoff/configuration"

local rows = {
  token = { "string function" },
  name = { "string" },
  base_url = { "string" },
  timeout = { "number", min = 0.001, max = 1e6, default = 30 },
  connect_timeout = { "number", min = 0.001, max = 1e6, default = 10 },
  ca_file = { "string" },
  proxy = { "string" },
  insecure = { "boolean", default = false },
  on_event = { "function" },
  transport = { "table" },
}

-- ---- making one ---------------------------------------------------------------------------------------------------

-- The value is never named: it is a secret, or near enough to one.
local function check_token(token)
  if type(token) ~= "string" or token == "" or token:find "[^\33-\126]" then
    refuse { path = "handoff.client: token", rule = "token",
      message = "not a token: visible ASCII characters without blanks expected; copy it again from the dashboard" }
  end
  return token
end

local function token_source(given)
  if type(given) == "function" then
    return function() return check_token((given())) end
  end
  local token = given or os.getenv "HANDOFF_TOKEN"
  if not token then
    refuse { path = "handoff.client: token", rule = "required",
      message = "no token; give token=, or set HANDOFF_TOKEN" }
  end
  check_token(token)
  return function() return token end
end

local function endpoint(base_url, insecure)
  transport.check_url("handoff.client: base_url", base_url, insecure)
  return base_url:gsub("/+$", "") .. "/" .. ENDPOINT
end

--- The client of one agent.
-- @param opts { token = a text, or a function that returns one (by default HANDOFF_TOKEN), name = what messages call
--   the agent, base_url = (by default HANDOFF_BASE_URL, or the vendor's), timeout = 30, connect_timeout = 10 (seconds,
--   of one request), ca_file =, proxy =, insecure = false (allow plain http:// beyond loopback),
--   on_event = function(event), transport = (by default the shared one) }
function Client.new(opts)
  local o = options.read(opts, rows, "handoff.client")
  local client = setmetatable({ name = o.name }, Client)
  private[client] = {
    token = token_source(o.token),
    url = endpoint(o.base_url or os.getenv "HANDOFF_BASE_URL" or BASE_URL, o.insecure),
    transport = o.transport or transport.default(),
    options = o,
  }
  return client
end

local function own(client)
  local self = private[client]
  if not self then
    refuse { path = "handoff.client", rule = "type", message = "a client expected; call methods as client:get()" }
  end
  return self
end

function Client.__tostring(client)
  return ("handoff.client(%s)"):format(client.name or "unnamed")
end

-- ---- one request ----------------------------------------------------------------------------------------------------

-- The server's own words, from {"errors": {"root": [{"message", "code"}]}} (api: Transport, errors); other keys may
-- name fields → message, code, path; nothing where the body is something else.
local function server_words(body)
  local decoded = core.json.decode(body)
  local errors = type(decoded) == "table" and decoded.errors
  if type(errors) ~= "table" then return end
  local keys = {}
  for key in pairs(errors) do keys[#keys + 1] = tostring(key) end
  table.sort(keys, function(a, b)
    if (a == "root") ~= (b == "root") then return a == "root" end
    return a < b
  end)
  for _, key in ipairs(keys) do
    local first = type(errors[key]) == "table" and errors[key][1]
    if type(first) == "table" and type(first.message) == "string" then
      local code = type(first.code) == "string" and first.code or nil
      return first.message:gsub("%c", " "):sub(1, 300), code, key ~= "root" and key or nil
    end
  end
end

local function retry_after(headers)
  return tonumber((headers["retry-after"] or ""):match "^%s*(%d+)%s*$")
end

-- What to do next, by kind. The kinds are those of the contract.
local advice = {
  auth = "the token is unknown, expired or revoked; make a new one in the dashboard",
  scope = "the token may not do this; use one with the scope write_all to change, read_all to read",
  rejected = "the service refused the request; mend what it names",
  rate_limit = "too many requests with this token; wait, then go on",
  server = "the service failed; try again later",
  protocol = "this does not look like the API; check base_url",
}

local function kind_of(status)
  if status == 401 then return "auth" end
  if status == 403 then return "scope" end
  if status == 429 then return "rate_limit" end
  if status >= 500 then return "server" end
  if status >= 400 then return "rejected" end
  return "protocol"
end

local function bad_status(self, method, res, token)
  local kind = kind_of(res.status)
  local words, code, path = server_words(res.body)
  -- a server that quotes the token back must not bring it into an error
  if words and words:find(token, 1, true) then words = nil end
  local wait = retry_after(res.headers)
  local what = ("%s %s answered %d"):format(method, self.url, res.status)
  if words then what = ('%s, "%s"'):format(what, words) end
  local next_step = advice[kind]
  if kind == "rate_limit" and wait then next_step = next_step:gsub("wait", ("wait %d s"):format(wait)) end
  if res.status >= 300 and res.status < 400 then next_step = "a redirect is never followed; check base_url" end
  return failure {
    kind = kind, status = res.status, code = code, path = path, retry_after = wait, server_message = words,
    message = what .. "; " .. next_step,
  }
end

local function send(client, method, body)
  local self = own(client)
  local o = self.options
  local token = self.token()
  local on_event = o.on_event and function(event)
    event.agent = client.name
    return o.on_event(event)
  end
  local res, err = self.transport:request {
    method = method, url = self.url, body = body,
    headers = {
      Authorization = "Bearer " .. token, Accept = "application/json",
      ["Content-Type"] = body and "application/json" or nil,
    },
    timeout = o.timeout, connect_timeout = o.connect_timeout, ca_file = o.ca_file, proxy = o.proxy,
    insecure = o.insecure,
    on_event = on_event,
  }
  if res and res.status ~= 200 then
    res, err = nil, bad_status(self, method, res, token)
  end
  if err then err.agent = client.name end
  return res, err
end

local function parse(client, method, text)
  local cfg, err = config.new(text, true)
  if cfg then return cfg end
  err.agent, err.status = client.name, 200
  err.message = ("%s %s: %s"):format(method, own(client).url, err.message)
  return nil, err
end

local function request(client, method, body)
  local res, err = send(client, method, body)
  if not res then return nil, err end
  return parse(client, method, res.body)
end

--- The configuration as it is now → cfg, or nil, err.
function Client:get()
  return request(self, "GET")
end

--- Writes the whole configuration: what is there is overwritten, without a look; scripts want update.
-- @return the configuration as the service has it now, or nil, err
function Client:put(cfg)
  return request(self, "PUT", core.config.methods.text(cfg))
end

-- ---- update ------------------------------------------------------------------------------------------------------------

local function trimmed(name)
  return type(name) == "string" and (name:gsub("^%s+", ""):gsub("%s+$", "")) or name
end

-- What the answer has other than what was sent, for a change that was made → "dropped", "normalised" or nil.
local function judge(made, difference, differences)
  if difference.path ~= made.path then
    return difference.path:sub(1, #made.path) == made.path and "normalised" or nil
  end
  if made.kind == "added" and difference.kind == "removed" then
    -- an item whose name was trimmed looks like another one
    for _, other in ipairs(differences) do
      if other.kind == "added" and other.part == made.part and trimmed(other.name) == trimmed(made.name)
        and made.name then
        return "normalised"
      end
    end
    return "dropped"
  end
  if made.kind == "removed" and difference.kind == "added" then return "dropped" end
  return change.same(made.before, difference.after) and "dropped" or "normalised"
end

-- Holds the answer against what was sent → the changes that were dropped, and warnings for what was normalised.
local function verify(sent, answer, changes)
  local dropped, warnings, differences = {}, {}, {}
  local parts = {}
  for _, made in ipairs(changes) do parts[made.part] = true end
  for part in pairs(parts) do
    for _, d in ipairs(change.part(part, config.part(sent, part), config.part(answer, part))) do
      differences[#differences + 1] = d
    end
  end
  if #differences == 0 then return dropped, warnings end
  for _, made in ipairs(changes) do
    for _, d in ipairs(differences) do
      local verdict = judge(made, d, differences)
      if verdict == "dropped" then
        dropped[#dropped + 1] = made
        break
      elseif verdict then
        warnings[#warnings + 1] = { severity = "warning", rule = "normalised", path = d.path,
          message = "the service keeps it otherwise than it was sent: " .. change.line(d) }
      end
    end
  end
  return dropped, warnings
end

local function unverified(client, dropped)
  return failure {
    kind = "unverified", agent = client.name, path = dropped[1].path, dropped = dropped,
    message = ("the service answered 200 but did not keep %d of the changes, the first: %s; look at the dashboard")
      :format(#dropped, change.line(dropped[1])),
  }
end

local function split(issues)
  local errors, warnings = {}, {}
  for _, issue in ipairs(issues) do
    local list = issue.severity == "error" and errors or warnings
    list[#list + 1] = issue
  end
  return errors, warnings
end

local function invalid(client, errors)
  local more = #errors > 1 and (" (and %d more)"):format(#errors - 1) or ""
  return failure {
    kind = "invalid", agent = client.name, path = errors[1].path, rule = errors[1].rule, issues = errors,
    message = errors[1].message .. more .. "; nothing was written",
  }
end

local update_rows = {
  dry_run = { "boolean", default = false },
  verify = { "string boolean", default = "answer" },
}

local function update_options(opts)
  local o = options.read(opts, update_rows, "client:update")
  if o.verify ~= false and o.verify ~= "answer" then
    refuse { path = "client:update: verify", rule = "choice", value = o.verify, message = 'one of "answer", false' }
  end
  return o
end

local function write(client, cfg, outcome, verify_how)
  local after, err = client:put(cfg)
  outcome.requests = 2
  if not after then return nil, err end
  outcome.after = after
  if not verify_how then return outcome end
  local dropped, warnings = verify(cfg, after, outcome.changes)
  if #dropped > 0 then return nil, unverified(client, dropped) end
  for _, warning in ipairs(warnings) do outcome.warnings[#outcome.warnings + 1] = warning end
  return outcome
end

--- Edits the configuration: reads it, calls fn(cfg, client), checks what was edited, writes it, and holds the answer
-- against the edit. Nothing is written where nothing changed, or where the edit broke a rule (`invalid`, with `issues`).
-- What fn raises reaches the caller, and nothing is written.
-- @param opts { dry_run = false (do all but the writing), verify = "answer" (or false) }
-- @return an outcome { status = "changed" | "unchanged", changes, warnings, before, after (configs), requests (how many
--   were made) }, or nil, err
function Client:update(fn, opts)
  local o = update_options(opts)
  if type(fn) ~= "function" then
    refuse { path = "client:update", rule = "type", message = ("a function(cfg) expected, got %s"):format(type(fn)) }
  end
  local res, err = send(self, "GET")
  if not res then return nil, err end
  local cfg
  cfg, err = parse(self, "GET", res.body)
  if not cfg then return nil, err end
  local before = cfg:copy()
  fn(cfg, self)
  local changes = cfg:changes()
  local errors, warnings = split(cfg:check { edited = true })
  if #errors > 0 then return nil, invalid(self, errors) end
  local outcome = {
    status = "unchanged", changes = changes, warnings = warnings, before = before, after = before, requests = 1,
  }
  if #changes == 0 then return outcome end
  outcome.status, outcome.after = "changed", cfg
  if o.dry_run then return outcome end
  return write(self, cfg, outcome, o.verify)
end

return { new = Client.new }
