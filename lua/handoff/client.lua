-- SPDX-License-Identifier: MIT
--- One agent: read its configuration, write it, edit it safely. Failures of the world are `nil, err`; mistakes raise.
local core = require "handoff.core"
local change = require "handoff.change"
local config = require "handoff.config"
local options = require "handoff.options"
local retry_after = require "handoff.retry_after"
local transport = require "handoff.transport"
local verify = require "handoff.verify"

local failure, refuse = core.error.new, core.error.raise

local Client = {}

local BASE_URL = "https://app.quickchat.ai/v1/api/" -- api: Transport, base URL
local ENDPOINT = "human_handoff/configuration"

local rows = {
  token = { "string function", secret = true },
  name = { "string" },
  base_url = { "string" },
  timeout = { "number", min = 0.001, max = 1e6, default = 30 },
  connect_timeout = { "number", min = 0.001, max = 1e6, default = 10 },
  ca_file = { "string" },
  proxy = { "string", secret = true },
  insecure = { "boolean", default = false },
  on_event = { "function" },
  transport = { "table" },
}

-- ---- making one ---------------------------------------------------------------------------------------------------

-- A variable that is set to nothing counts as one that is not set.
local function environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

-- What is wrong with it, without a character of it.
local function describe_token(token)
  if type(token) ~= "string" then return "a " .. type(token) end
  if token == "" then return "an empty text" end
  if token:find "^Bearer%s" then return "one with the word Bearer in front, which is added here" end
  if token:find "%s" then return "a text with a blank or a line end in it" end
  return "a text with a character in it that no token has"
end

-- The value is never named: it is a secret, or near enough to one.
local function check_token(token, path)
  if type(token) ~= "string" or token == "" or token:find "[^\33-\126]" then
    refuse { path = path, rule = "token", message = ("a token expected, got %s; copy it again from the dashboard")
      :format(describe_token(token)) }
  end
  return token
end

local function token_source(given)
  if type(given) == "function" then
    return function() return check_token(given(), "handoff.client: what the function token returned") end
  end
  local token = given or environment "HANDOFF_TOKEN"
  if not token then
    refuse { path = "handoff.client: token", rule = "required",
      message = "no token; give token=, or set HANDOFF_TOKEN" }
  end
  check_token(token, given and "handoff.client: token" or "HANDOFF_TOKEN")
  return function() return token end
end

-- The name stands in messages, which are one line each.
local function check_name(name)
  if name and (name == "" or name:find "%c") then
    refuse { path = "handoff.client: name", rule = "name",
      message = "a text of one line expected, without control characters" }
  end
  return name
end

local function endpoint(given, insecure)
  local base_url = given or environment "HANDOFF_BASE_URL"
  local path = not given and base_url and "HANDOFF_BASE_URL" or "handoff.client: base_url"
  base_url = base_url or BASE_URL
  transport.check_url(path, base_url, insecure)
  if base_url:find "[?#]" then
    refuse { path = path, rule = "url", message = "it ends in a query or a fragment; give it up to and with /v1/api/" }
  end
  while base_url:sub(-1) == "/" do base_url = base_url:sub(1, -2) end
  return base_url .. "/" .. ENDPOINT
end

local function check_transport(given)
  if given and type(given.request) ~= "function" then
    refuse { path = "handoff.client: transport", rule = "type",
      message = "a transport expected, such as require 'handoff.transport'.curl{} gives" }
  end
  return given or transport.default()
end

-- What a client must not show, above all how to get its token, is in its metatable, which scripts do not get at: in a table
-- of all clients it would keep a client alive that its own on_event mentions.
local PRIVATE = {}

local function describe(client)
  return ("handoff.client(%s)"):format(client.name or "unnamed")
end

local function refuse_assignment(_, name)
  refuse { path = "handoff.client", rule = "assignment",
    message = ("%s cannot be set: a client stays as it was made; make another one"):format(tostring(name)) }
end

local function protect(self)
  return setmetatable({}, {
    [PRIVATE] = self,
    __index = function(_, key)
      if key == "name" then return self.name end
      return Client[key]
    end,
    __newindex = refuse_assignment, __tostring = describe, __metatable = "handoff client",
  })
end

--- The client of one agent.
-- @param opts { token = a text, or a function that returns one (by default HANDOFF_TOKEN), name = what messages call
--   the agent, base_url = (by default HANDOFF_BASE_URL, or the vendor's), timeout = 30, connect_timeout = 10 (seconds,
--   of one request), ca_file =, proxy =, insecure = false (allow plain http:// beyond loopback),
--   on_event = function(event), transport = (by default the shared one) }
local function new(opts)
  local o = options.read(opts, rows, "handoff.client")
  if o.proxy then transport.check_proxy("handoff.client: proxy", o.proxy) end
  return protect {
    name = check_name(o.name),
    token = token_source(o.token),
    url = endpoint(o.base_url, o.insecure),
    transport = check_transport(o.transport),
    options = o,
  }
end

local function own(client)
  local meta = debug.getmetatable(client)
  local self = type(meta) == "table" and rawget(meta, PRIVATE)
  if not self then
    refuse { path = "handoff.client", rule = "type", message = "a client expected; call methods as client:get()" }
  end
  return self
end

local function refuse_options(what, opts)
  if opts ~= nil then refuse { path = what, rule = "unknown", message = "it takes no options" } end
end

-- ---- one request ----------------------------------------------------------------------------------------------------

local SHOWN = 300 -- bytes of the server's words

-- A text of the server's as one line that can command no terminal, cut short between two characters; nil where it is no
-- text or quotes the token back.
local function plain_words(text, token)
  if type(text) ~= "string" or text:find(token, 1, true) then return nil end
  local line = text:gsub("\194[\128-\159]", " "):gsub("\226\128[\168-\174]", " "):gsub("%c", " ")
  if #line <= SHOWN then return line end
  return line:sub(1, SHOWN + 1):match "^(.*)[^\128-\191][\128-\191]*$" .. "..."
end

-- One error of the server's, documented as {"message", "code"} → message, code.
local function words_of(one, token)
  if type(one) ~= "table" then return plain_words(one, token) end
  return plain_words(one.message, token), plain_words(one.code, token)
end

local function sorted_keys(errors)
  local keys = {}
  for key in pairs(errors) do
    if type(key) == "string" then keys[#keys + 1] = key end
  end
  table.sort(keys, function(a, b)
    if (a == "root") ~= (b == "root") then return a == "root" end
    return a < b
  end)
  return keys
end

-- The server's own words, from {"errors": {"root": [{"message", "code"}]}} (api: Transport, errors); other keys may
-- name fields → message, code, path, of the first, and how many there are; nothing where the body is something else. A list
-- without keys, and messages without an object around, are understood too.
local function server_words(body, token)
  local decoded = core.json.decode(body)
  local errors = type(decoded) == "table" and decoded.errors
  if type(errors) ~= "table" then return end
  if errors[1] ~= nil then errors = { root = errors } end
  local message, code, path, count = nil, nil, nil, 0
  for _, key in ipairs(sorted_keys(errors)) do
    local list = errors[key]
    for _, one in ipairs(type(list) == "table" and list[1] ~= nil and list or { list }) do
      local words, its_code = words_of(one, token)
      if words then count = count + 1 end
      if words and not message then
        message, code, path = words, its_code, key ~= "root" and plain_words(key, token) or nil
      end
    end
  end
  return message, code, path, count
end

-- What to do next, by kind. The kinds are those of the contract.
local advice = {
  auth = "the token is unknown, expired or revoked; make a new one in the dashboard",
  scope = "the token may not do this; use one with the scope write_all to change, read_all to read",
  rejected = "the service refused the request; mend what it names",
  rate_limit = "too many requests with this token; %s, then go on",
  server = "the service failed; %s, then try again",
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

local function next_step(kind, status, words, wait)
  if status >= 300 and status < 400 then return "a redirect is never followed; check base_url" end
  if status == 404 then return "there is no such place; check base_url, which ends in /v1/api/" end
  if kind == "rejected" and not words then
    return "the service refused the request and gave no reason that can be read; check base_url"
  end
  return (advice[kind]:gsub("%%s", wait and ("wait %d s"):format(wait) or "wait"))
end

local function bad_status(self, method, res, token)
  local kind = kind_of(res.status)
  local words, code, path, count = server_words(res.body, token)
  local wait = retry_after.seconds(res.headers, os.time())
  local what = ("%s %s answered %d"):format(method, self.url, res.status)
  if words then what = ('%s, "%s"'):format(what, words) end
  if words and count > 1 then what = ("%s (and %d more)"):format(what, count - 1) end
  return failure {
    kind = kind, status = res.status, code = code, path = path, retry_after = wait, server_message = words,
    message = what .. "; " .. next_step(kind, res.status, words, wait),
  }
end

-- What the transport says of a request that has no answer, with what only a client knows.
local function no_answer(self, method, err)
  if err.limit then
    err.message = ("%s %s: the answer is larger than %d bytes, the most that is read; check base_url")
      :format(method, self.url, err.limit)
  end
  return err
end

local function send(self, method, body)
  local o = self.options
  local token = self.token()
  local on_event = o.on_event and function(event)
    event.agent = self.name
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
  if err then
    err = no_answer(self, method, err)
  elseif res.status ~= 200 then
    res, err = nil, bad_status(self, method, res, token)
  end
  if not err then return res end
  err.agent = self.name
  -- 4xx is a refusal; anything else may have come after the service had written.
  local refused = err.status and err.status >= 400 and err.status < 500 or err.kind == "cancelled"
  if method == "PUT" and not refused and err.bytes_sent ~= 0 then
    err.message = err.message .. "; it may have been written or not, so look (client:get) before repeating it"
  end
  return nil, err
end

local function parse(self, method, text)
  local cfg, err = config.new(text, true)
  if cfg then return cfg end
  err.agent, err.status = self.name, 200
  local step = method == "GET" and "check base_url" or "it may have been written or not, so look before repeating it"
  err.message = ("%s %s: %s; %s"):format(method, self.url, err.message, step)
  return nil, err
end

local function request(self, method, body)
  local res, err = send(self, method, body)
  if not res then return nil, err end
  return parse(self, method, res.body)
end

--- The configuration as it is now → cfg, or nil, err.
function Client:get(opts)
  local private = own(self)
  refuse_options("client:get", opts)
  return request(private, "GET")
end

--- Writes the whole configuration: what is there is overwritten, without a look; scripts want update.
-- @return the configuration as the service has it now, or nil, err
function Client:put(cfg, opts)
  local private = own(self)
  refuse_options("client:put", opts)
  if not core.config.is(cfg) then
    refuse { path = "client:put", rule = "type",
      message = ("a configuration expected, from client:get() or handoff.config, got %s"):format(type(cfg)) }
  end
  return request(private, "PUT", core.config.methods.text(cfg))
end

-- ---- update ------------------------------------------------------------------------------------------------------------

-- Holds the answer against what was sent → the changes that were dropped, and warnings for what was normalised.
local function verify_answer(before, sent, answer, changes)
  local dropped, warnings, seen = {}, {}, {}
  for _, made in ipairs(changes) do
    local part = made.part
    if not seen[part] then
      seen[part] = true
      verify.part(part, changes, config.part(before, part), config.part(sent, part), config.part(answer, part), dropped,
        warnings)
    end
  end
  return dropped, warnings
end

local function unverified(self, dropped)
  return failure {
    kind = "unverified", agent = self.name, path = dropped[1].path, status = 200, dropped = dropped,
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

local function invalid(self, errors)
  local more = #errors > 1 and (" (and %d more)"):format(#errors - 1) or ""
  return failure {
    kind = "invalid", agent = self.name, path = errors[1].path, rule = errors[1].rule, issues = errors,
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

local function write(self, cfg, outcome, verify_how)
  local after, err = request(self, "PUT", core.config.methods.text(cfg))
  outcome.requests = 2
  if not after then return nil, err end
  outcome.after = after
  if not verify_how then return outcome end
  local dropped, warnings = verify_answer(outcome.before, cfg, after, outcome.changes)
  if #dropped > 0 then return nil, unverified(self, dropped) end
  for _, warning in ipairs(warnings) do outcome.warnings[#outcome.warnings + 1] = warning end
  return outcome
end

--- Edits the configuration: reads it, calls fn(cfg, client), checks what was edited, writes it, and holds the answer
-- against the edit. Nothing is written where nothing changed, or where the edit broke a rule (`invalid`, with `issues`).
-- What fn raises reaches the caller, and nothing is written.
-- @param opts { dry_run = false (do all but the writing), verify = "answer" (or false) }
-- @return an outcome { status = "changed" | "unchanged", changes, warnings, before, after (configs), requests (how many
--   were made), dry_run (true where nothing was written that would have been: `after` is what would have been sent) },
--   or nil, err
function Client:update(fn, opts)
  local private = own(self)
  local o = update_options(opts)
  if type(fn) ~= "function" then
    refuse { path = "client:update", rule = "type", message = ("a function(cfg) expected, got %s"):format(type(fn)) }
  end
  local cfg, err = request(private, "GET")
  if not cfg then return nil, err end
  local before = core.config.methods.copy(cfg)
  fn(cfg, self)
  local changes = cfg:changes()
  local errors, warnings = split(cfg:check { edited = true })
  if #errors > 0 then return nil, invalid(private, errors) end
  local outcome = {
    status = "unchanged", changes = changes, warnings = warnings, before = before, after = before, requests = 1,
  }
  if #changes == 0 then return outcome end
  outcome.status, outcome.after = "changed", cfg
  if o.dry_run then
    outcome.dry_run = true
    return outcome
  end
  return write(private, cfg, outcome, o.verify)
end

return { new = new }
