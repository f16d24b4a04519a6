-- SPDX-License-Identifier: MIT
--- One agent: read its configuration, write it, edit it safely. Failures of the world are `nil, err`; mistakes raise.
-- `handoff.client` makes one.
-- @classmod Client

--- What a client may be told. An option that there is not raises.
-- @table ClientOptions
-- @tfield[opt] string|function token a text, or a function that returns one; `HANDOFF_TOKEN` by default
-- @tfield[opt] string name what messages call the agent
-- @tfield[opt] string base_url `HANDOFF_BASE_URL` by default, or the vendor's
-- @tfield[opt=30] number timeout seconds of one request
-- @tfield[opt=10] number connect_timeout seconds of one request until it is connected
-- @tfield[opt=4] integer retries how often a request is tried again
-- @tfield[opt=120] number deadline seconds of a whole get, put, update or apply
-- @tfield[opt="100%"] string budget how much of the service's limits it may use
-- @tfield[opt] string ca_file a file of certificates to trust
-- @tfield[opt] string proxy a proxy's URL
-- @tfield[opt=false] boolean insecure allow plain http:// beyond loopback
-- @tfield[opt] fun(event:table) on_event called with `{type="request_start"}`, `{type="request_end"}` and `{type="retry"}`
-- @tfield[opt] table transport by default the shared one, see `handoff.transport`

--- What an update may be told.
-- @table UpdateOptions
-- @tfield[opt=false] boolean dry_run do all but the writing
-- @tfield[opt=true] boolean merge look a second time, just before writing; apply always does
-- @tfield[opt] "mine"|"theirs"|function on_conflict by default a conflict is an error; a function gets it (`path`, `base`,
--   `mine`, `theirs`) and returns one of the words, or `"value"` and one
-- @tfield[opt="answer"] "answer"|"read"|boolean verify what is held against the edit: the PUT's answer, what a GET says
--   afterwards, or nothing (false)
-- @tfield[opt] fun(before:string,meant:string):boolean,any on_put called just before each PUT leaves, which it stops with
--   nil, err
-- @tfield[opt] integer retries as of the client
-- @tfield[opt] number deadline as of the client; the time that the edit takes does not count

--- What became of an update.
-- @table Outcome
-- @tfield "changed"|"unchanged" status
-- @tfield Change[] changes
-- @tfield Issue[] warnings
-- @tfield Config before what was there
-- @tfield Config after what is there now; in a dry run what would have been sent
-- @tfield string before_text
-- @tfield string after_text
-- @tfield integer requests how many were made
-- @tfield[opt] boolean merged true where somebody else's edits were merged in
-- @tfield[opt] boolean reconciled true where the PUT's answer never came, and a look showed that it was written
-- @tfield[opt] boolean dry_run true where nothing was written that would have been
local core = require "handoff.core"
local call = require "handoff.call"
local environment = require "handoff.environment"
local options = require "handoff.options"
local pace = require "handoff.pace"
local request = require "handoff.request"
local transport = require "handoff.transport"
local write = require "handoff.write"

local failure, refuse = core.error.new, core.error.raise

local Client = {}

local BASE_URL = "https://app.quickchat.ai/v1/api/" -- api: Transport, base URL
local ENDPOINT = "human_handoff/configuration"

local function retries(default) return { "number", min = 0, max = 100, integer = true, default = default } end
local function deadline(default) return { "number", min = 0.001, max = 1e6, default = default } end

local rows = {
  token = { "string function", secret = true },
  name = { "string" },
  base_url = { "string" },
  timeout = { "number", min = 0.001, max = 1e6, default = 30 },
  connect_timeout = { "number", min = 0.001, max = 1e6, default = 10 },
  retries = retries(4),
  deadline = deadline(120),
  budget = { "string", default = "100%" },
  ca_file = { "string" },
  proxy = { "string", secret = true },
  insecure = { "boolean", default = false },
  on_event = { "function" },
  transport = { "table" },
}

-- ---- making one ---------------------------------------------------------------------------------------------------

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
  if type(token) ~= "string" or not core.token.plausible(token) then
    refuse { path = path, rule = "token", message = ("a token expected, got %s; copy it again from the dashboard")
      :format(describe_token(token)) }
  end
  return token
end

local function token_source(given)
  if type(given) == "function" then
    return function() return check_token(given(), "handoff.client: what the function token returned") end
  end
  local token = given or environment.get "HANDOFF_TOKEN"
  if not token then
    refuse { path = "handoff.client: token", rule = "required",
      message = "no token; give token=, or set HANDOFF_TOKEN" .. environment.hint "HANDOFF_TOKEN" }
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
  local base_url = given or environment.get "HANDOFF_BASE_URL"
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
  for _, name in ipairs { "request", "sleep", "now" } do
    if given and type(given[name]) ~= "function" then
      refuse { path = "handoff.client: transport", rule = "type",
        message = "a transport expected, such as require 'handoff.transport'.curl{} gives" }
    end
  end
  return given or transport.default()
end

-- The service's limits are for a token; how much of them this state may use.
local function pacer_of(budget, clock)
  local percent = tonumber(budget:match "^(%d+)%%$")
  if not percent or percent < 1 or percent > 100 then
    refuse { path = "handoff.client: budget", rule = "range", message = 'a share from "1%" to "100%" expected' }
  end
  return pace.pacer(clock, percent)
end

-- What its own on_event is called with names the agent.
local function event_sink(on_event, name)
  return on_event and function(event)
    event.agent = name
    return on_event(event)
  end
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

-- What is the same in all clients with these options, whoever the agent is.
local function common(o, observe)
  if o.proxy then transport.check_proxy("handoff.client: proxy", o.proxy) end
  local carrier = check_transport(o.transport)
  return {
    url = endpoint(o.base_url, o.insecure), transport = carrier, pacer = pacer_of(o.budget, carrier.now), options = o,
    observe = observe,
  }
end

local function client_of(base, name, token)
  name = check_name(name)
  return protect {
    name = name, token = token_source(token), url = base.url, transport = base.transport, pacer = base.pacer,
    on_event = event_sink(base.options.on_event, name), options = base.options, observe = base.observe,
  }
end

-- The client of one agent.
-- @param opts ClientOptions
local function new(opts)
  return client_of(common(options.read(opts, rows, "handoff.client")), opts and opts.name, opts and opts.token)
end

-- Clients of many agents, which share most options.
-- @param opts options of handoff.client, but name and token
-- @param observe function(method, status or nil, kind of error or nil, seconds), called when a request ended
-- @return function(own) → the client of one agent; own = { name=, token=, … }: options of its own come before the shared ones
local function maker(opts, observe)
  local shared = options.read(opts, rows, "handoff.client")
  local base = common(shared, observe)
  return function(own)
    for name in pairs(own) do
      if name ~= "name" and name ~= "token" then
        local all = {}
        for option, value in pairs(shared) do all[option] = value end
        for option, value in pairs(own) do all[option] = value end
        return client_of(common(options.read(all, rows, "handoff.client"), observe), own.name, own.token)
      end
    end
    return client_of(base, own.name, own.token)
  end
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

-- ---- get and put ----------------------------------------------------------------------------------------------------

local function get(self, asked)
  local text, err = call.insist(asked, "GET")
  if not text then return nil, err end
  local cfg
  cfg, err = request.parse(self, "GET", text)
  return cfg, cfg and text or err
end

--- The configuration as it is now.
-- @tparam[opt] nil opts there are none
-- @treturn ?Config
-- @treturn ?Error err
function Client:get(opts)
  local private = own(self)
  refuse_options("client:get", opts)
  local cfg, err = get(private, call.begin(private))
  if cfg then return cfg end
  return nil, err
end

local function check_config(cfg, path)
  if core.config.is(cfg) then return end
  refuse { path = path, rule = "type",
    message = ("a configuration expected, from client:get() or handoff.config, got %s"):format(type(cfg)) }
end

--- Writes the whole configuration: what is there is overwritten, without a look; scripts want update. It is tried again only
-- where nothing was written for certain.
-- @tparam Config cfg
-- @tparam[opt] nil opts there are none
-- @treturn ?Config as the service has it now
-- @treturn ?Error err
function Client:put(cfg, opts)
  local private = own(self)
  refuse_options("client:put", opts)
  check_config(cfg, "client:put")
  local text, err = call.insist(call.begin(private), "PUT", cfg:text(), request.may_have_written)
  local after
  if text then after, err = request.parse(private, "PUT", text) end
  if after then return after end
  if request.may_have_written(err) then request.doubt(err) end
  return nil, err
end

-- ---- update and apply -------------------------------------------------------------------------------------------------

local apply_rows = {
  dry_run = { "boolean", default = false },
  verify = { "string boolean", default = "answer" },
  on_conflict = { "string function" },
  on_put = { "function" },
  retries = retries(),
  deadline = deadline(),
}

local update_rows = { merge = { "boolean", default = true } }
for name, row in pairs(apply_rows) do update_rows[name] = row end

local function refuse_choice(what, name, value, choices)
  refuse { path = what .. ": " .. name, rule = "choice", value = value, message = "one of " .. choices .. " expected" }
end

-- What the options of an update may say.
local function check_choices(o, what)
  local how, resolve = o.verify, o.on_conflict
  if how and how ~= "answer" and how ~= "read" then
    refuse_choice(what, "verify", how, '"answer", "read", false')
  elseif type(resolve) == "string" and resolve ~= "mine" and resolve ~= "theirs" then
    refuse_choice(what, "on_conflict", nil, '"mine", "theirs", or a function')
  end
end

local function write_options(opts, its_rows, what)
  local o = options.read(opts, its_rows, what)
  check_choices(o, what)
  return o
end

-- What an edit function returned → nothing where the edit is to be written; or nil, err.
local function judge_returned(private, cfg, first, second)
  core.config.seal(cfg)
  if first == nil and second == nil or first == cfg then return true end
  if first then
    refuse { path = "client:update", rule = "returned",
      message = ("an edit changes cfg in place and returns nothing; it returned a %s"):format(type(first)) }
  end
  if core.error.is(second) and second.kind == "skipped" then
    second.agent = second.agent or private.name
    return nil, second
  end
  local message = second == nil and "the edit function returned false; nothing was written" or tostring(second)
  return nil, failure { kind = "invalid", rule = "edit", agent = private.name, message = message }
end

--- Edits the configuration: reads it, calls the function, checks what was edited, reads once more, carries the edit over to
-- what is there then, writes it, and holds the answer against the edit. Nothing is written where nothing changed, or where the
-- edit broke a rule (`invalid`, with `issues`). What fn raises reaches the caller, and nothing is written; it may also
-- return nil and a message; an error of kind "skipped" in its place is what the caller gets.
-- @tparam fun(cfg:Config,client:Client) fn edits cfg in place, and returns nothing
-- @tparam[opt] UpdateOptions opts
-- @treturn ?Outcome
-- @treturn ?Error err; where it is not known whether it was written, `err.unknown` is true, and `err.before` what was there
-- @usage local outcome, err = client:update(function(cfg)
--   cfg.settings.keywords:add "speak to a human"
-- end)
-- print(outcome and outcome.status or tostring(err))
function Client:update(fn, opts)
  local private = own(self)
  local o = write_options(opts, update_rows, "client:update")
  if type(fn) ~= "function" then
    refuse { path = "client:update", rule = "type", message = ("a function(cfg) expected, got %s"):format(type(fn)) }
  end
  local asked, clock = call.begin(private, o), private.transport
  local cfg, text = get(private, asked)
  if not cfg then return nil, text end
  local began = clock:now()
  local ok, err = judge_returned(private, cfg, fn(cfg, self))
  if not ok then return nil, err end
  asked.ends = asked.ends + clock:now() - began
  local draft
  draft, err = write.draft(private, text, cfg)
  if not draft then return nil, err end
  local is_last_look = not o.merge or o.dry_run or #draft.changes == 0
  return write.carry {
    call = asked, base_text = text, meant = cfg, draft = draft, known = is_last_look and text,
    resolve = o.on_conflict, on_put = o.on_put, verify = o.verify, dry_run = o.dry_run,
  }
end

--- Carries the difference of two configurations over to what is there now, as update does with an edit. What is there already,
-- in whatever way the service writes it, is left.
-- @tparam Config before
-- @tparam Config meant
-- @tparam[opt] UpdateOptions opts without `merge`
-- @treturn ?Outcome
-- @treturn ?Error err
function Client:apply(before, meant, opts)
  local private = own(self)
  local o = write_options(opts, apply_rows, "client:apply")
  check_config(before, "client:apply: before")
  check_config(meant, "client:apply: meant")
  return write.carry {
    call = call.begin(private, o), base_text = before:text(), base = before, meant = meant,
    lenient = true, resolve = o.on_conflict, on_put = o.on_put, verify = o.verify, dry_run = o.dry_run,
  }
end

return {
  new = new, maker = maker,
  -- The names of the options, as handoff.options reads them.
  rows = rows,
  -- check_choices(options of an update, what messages call their place): raises where one is none of its choices.
  check_choices = check_choices,
  -- url(base_url or nil, insecure) → where requests go.
  url = endpoint,
}
