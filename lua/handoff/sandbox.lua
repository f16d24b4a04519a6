-- SPDX-License-Identifier: MIT
--- The remote API emulated on loopback, for trying, teaching and testing; knows nothing of the client.
--
-- `sandbox.new{agents=25}` gives a box that is served by calling `box:step(seconds)` again and again; `handoff sandbox` does so
-- until it is told to stop.
--
-- Limits are per token and per endpoint, over a sliding window: no 60 seconds hold more than 120 reads or 60 writes that were let
-- through. What was refused with 429 does not count, all else with a good token does.
--
-- Under /_sandbox/ is what the remote API does not have, without a token, for tests:
--   GET ledger            what box:requests() gives, as JSON;  DELETE ledger: from zero
--   GET document/NAME     the stored text;  PUT document/NAME: stored as it is, unchecked
--   PATCH document/NAME   somebody else's edit, done at one stroke: what is sent is merged into it (RFC 7396)
--   POST revoke/NAME      the agent's token is no longer good
--   POST token/NAME       one more token for the agent, good beside its first: { "token": … }
--   PUT faults            what goes wrong from now on, a list of rules, see handoff.sandbox.faults;  DELETE faults: nothing
--   GET faults            the rules, each with `seen` (requests that it is for) and `fired` (how often it acted)
--
-- With writes="FILE" every text that is stored is added to that file before the answer leaves, a line of JSON each: { agent=,
-- by= "PUT" (of the API), "edit" (of a fault) or "document" (behind the stage), text= what is stored from now on, sent= what
-- came, where that is another text }.
-- @module handoff.sandbox
local core = require "handoff.core"
local answers = require "handoff.sandbox.answer"
local faults = require "handoff.sandbox.faults"
local files = require "handoff.file"
local options = require "handoff.options"
local seed = require "handoff.sandbox.seed"
local serve = require "handoff.serve"
local service = require "handoff.sandbox.service"
local wires = require "handoff.sandbox.wire"

local ok, refuse, wrong_method = answers.ok, answers.refuse, answers.wrong_method

local sandbox = {}

local root, endpoint, backstage = "/v1/api/", "human_handoff/configuration", "/_sandbox/"
local window_seconds = 60
local limits = { GET = 120, PUT = 60 }
local max_body = 1048576
local too_large = answers.errors("PAYLOAD_TOO_LARGE", { { message = ("At most %d bytes are read."):format(max_body) } })

-- ---- limits -------------------------------------------------------------------------------------------------------

-- Lets something through, or says in how many seconds to come back.
-- The window is { count=, [1…limit]= when the latest ones were let through, a ring }
local function take(window, limit, now)
  local slot = window.count % limit + 1
  local wait = window[slot] and window[slot] + window_seconds - now or 0
  if wait > 0 then return math.ceil(wait) end
  window[slot], window.count = now, window.count + 1
end

-- ---- the API ------------------------------------------------------------------------------------------------------

local Box = {}
Box.__index = Box

local function new_ledger()
  return { total = 0, peak = 0, agents = {}, statuses = {}, writes = {} }
end

local function text_of(self, agent)
  if not agent.text then
    agent.text = service.text(seed.document(self.options.seed, agent.place, core.json.decode))
  end
  return agent.text
end

--- Stores a text, and says so where that is asked for.
local function store(self, agent, by, text, sent)
  agent.text = text
  if not self.writes then return end
  self.writes:write(core.json.encode { agent = agent.name, by = by, text = text, sent = sent ~= text and sent or nil },
    "\n")
  self.writes:flush()
end

local function edit(self, agent, by, text)
  store(self, agent, by, service.put(text_of(self, agent), text, self.new_id) or text)
end

local function agent_of(self, request)
  local scheme, token = (request.headers.authorization or ""):match "^(%a+) +(%S+)$"
  return scheme and scheme:lower() == "bearer" and self.by_token[token] or nil
end

local function over_limit(self, agent, method)
  if not self.options.rate_limit then return end
  agent.windows = agent.windows or { GET = { count = 0 }, PUT = { count = 0 } }
  local wait = take(agent.windows[method], limits[method], self.options.clock())
  if not wait then return end
  return refuse(429, "RATE_LIMITED", ("Rate limit exceeded: %d per minute."):format(limits[method]),
    { ["Retry-After"] = ("%d"):format(wait) })
end

local function put(self, agent, request)
  if agent.scope ~= "write_all" then
    return refuse(403, "PERMISSION_DENIED", "Insufficient token scope. Required: write_all")
  end
  local media_type = (request.headers["content-type"] or ""):match "^[^;%s]*":lower()
  if media_type ~= "application/json" then
    return refuse(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json.")
  end
  local text, found = service.put(text_of(self, agent), request.body, self.new_id)
  if not text then return { status = 400, body = answers.errors("BAD_REQUEST", found) } end
  store(self, agent, "PUT", text, request.sent)
  self.ledger.writes[agent.name] = (self.ledger.writes[agent.name] or 0) + 1
  return ok(text)
end

local function api(self, request, agent)
  if request.path ~= root .. endpoint then return answers.not_found end
  if not limits[request.method] then return wrong_method "GET, PUT" end
  if not agent then return answers.no_permission end
  local refusal = over_limit(self, agent, request.method)
  if refusal then return refusal end
  if request.method == "PUT" then return put(self, agent, request) end
  return ok(text_of(self, agent))
end

--- What becomes of a request where faults are due for it; nil: what always does.
local function faulty(self, request, agent)
  local named = agent and request.path == root .. endpoint and limits[request.method]
  local due = named and self.faults:due(agent.name, request.method)
  if not due then return nil end
  local document = {
    text = function() return text_of(self, agent) end,
    edit = function(text) edit(self, agent, "edit", text) end,
  }
  return faults.act(due, request, document, function() return api(self, request, agent) end)
end

-- ---- behind the stage ---------------------------------------------------------------------------------------------

local actions = { ledger = {}, document = {}, revoke = {}, token = {}, faults = {} }
local for_agents = { document = true, revoke = true, token = true }

function actions.ledger.GET(self)
  return ok(core.json.encode(self.ledger))
end

function actions.ledger.DELETE(self)
  self.ledger = new_ledger()
  return ok "{}"
end

function actions.document.GET(self, agent)
  return ok(text_of(self, agent))
end

function actions.document.PUT(self, agent, request)
  store(self, agent, "document", request.body)
  return ok(agent.text)
end

function actions.document.PATCH(self, agent, request)
  local text, err = faults.merged(text_of(self, agent), request.body)
  if not text then return refuse(400, "BAD_REQUEST", err.message) end
  edit(self, agent, "document", text)
  return ok(agent.text)
end

function actions.revoke.POST(self, agent)
  self.by_token[agent.token] = nil
  return ok "{}"
end

-- Issued a second later than the last, it is another text for the same scenario.
function actions.token.POST(self, agent)
  agent.issued = agent.issued + 1
  local token = seed.agent(self.options.seed, agent.place, agent.scope, agent.issued).token
  self.by_token[token] = agent
  return ok(core.json.encode { token = token })
end

function actions.faults.GET(self)
  return ok(core.json.encode(self.faults and self.faults:report() or core.json.array {}))
end

function actions.faults.DELETE(self)
  self.faults = nil
  return ok "[]"
end

function actions.faults.PUT(self, _, request)
  local rules, err = core.json.decode(request.body)
  if rules == nil then return refuse(400, "BAD_REQUEST", err.message) end
  local read
  read, err = pcall(self.set_faults, self, rules)
  if not read then return refuse(400, "BAD_REQUEST", ("%s: %s"):format(err.path, err.message)) end
  return actions.faults.GET(self)
end

local function behind(self, request)
  local what, name = request.path:match("^" .. backstage .. "(%a+)/?(.*)$")
  local methods = actions[what]
  if not methods then return answers.not_found end
  local agent = self.by_name[name]
  if for_agents[what] and not agent then return refuse(404, "NOT_FOUND", "There is no agent of that name.") end
  local allowed = {}
  for method in pairs(methods) do allowed[#allowed + 1] = method end
  table.sort(allowed)
  if not methods[request.method] then return wrong_method(table.concat(allowed, ", ")) end
  return methods[request.method](self, agent, request)
end

-- ---- the box ------------------------------------------------------------------------------------------------------

local function count(self, request, agent, status)
  local ledger = self.ledger
  local name = agent and agent.name or "-"
  local counts = ledger.agents[name] or {}
  ledger.agents[name] = counts
  counts[request.method] = (counts[request.method] or 0) + 1
  ledger.total = ledger.total + 1
  ledger.peak = math.max(ledger.peak, self.last - self.first + 2 + #self.wires)
  local code = status and ("%d"):format(status) or "none"
  ledger.statuses[code] = (ledger.statuses[code] or 0) + 1
end

local function send(self, request, answer)
  if answer.wire then return self.wires:add(request, answer.wire) end
  self.server:answer(request, answer.status, answers.headers(answer), answer.body)
end

--- What was asked is done at once; the answer to it is held for the latency.
local function receive(self, request)
  if request.path:sub(1, #backstage) == backstage then return send(self, request, behind(self, request)) end
  local agent = agent_of(self, request)
  request.sent = request.body -- a fault may change the body
  local answer = self.faults and faulty(self, request, agent) or api(self, request, agent)
  count(self, request, agent, answer.status)
  self.last = self.last + 1
  self.held[self.last] = { request = request, answer = answer, due = serve.now() + self.options.latency / 1000 }
end

--- Sends what is due. The latency is one for all, so the held ones are due in their order.
local function release(self)
  local now = serve.now()
  while self.first <= self.last and self.held[self.first].due <= now do
    local one = self.held[self.first]
    self.held[self.first] = nil
    self.first = self.first + 1
    send(self, one.request, one.answer)
  end
end

--- Serves what comes within that time, and returns as soon as something came.
-- @tparam number seconds
-- @treturn ?string "signal" or "eof" where that was asked for and it is time to stop
function Box:step(seconds)
  local next_one = self.held[self.first]
  if next_one then seconds = math.max(0, math.min(seconds, next_one.due - serve.now())) end
  if #self.wires > 0 then seconds = self.wires:wait(seconds) end
  local stop = self.server:step(seconds)
  local request = self.server:next()
  while request do
    receive(self, request)
    request = self.server:next()
  end
  release(self)
  if #self.wires > 0 then self.wires:step() end
  return stop
end

--- Connections that are open now.
-- @treturn integer
function Box:connections()
  return self.server:connections()
end

--- Where the API is: what a client's `base_url` wants.
-- @treturn string
function Box:base_url()
  return ("http://127.0.0.1:%d%s"):format(self.server:port(), root)
end

--- The agents, as an inventory lists them.
-- @treturn Agent[] with `token`
function Box:agents()
  local list = {}
  for i, agent in ipairs(self.list) do
    local tags = {}
    for name, value in pairs(agent.tags) do tags[name] = value end
    list[i] = { name = agent.name, token = agent.token, tags = tags }
  end
  return list
end

--- The text of an agent's document as it is stored.
-- @tparam string name
-- @treturn ?string nil where there is no such agent
function Box:document(name)
  local agent = self.by_name[name]
  return agent and text_of(self, agent)
end

--- What was asked of the API. Requests without a good token stand under "-". Bodies that are too large are refused before they
-- are counted.
-- @treturn table `total`; `peak`, most that were in hand at once; `agents`, by name `{GET, PUT, …}`; `statuses`, by "200"
--   and so on, `none` those without an answer; `writes`, by name how often a PUT was stored
function Box:requests()
  return assert(core.json.decode(core.json.encode(self.ledger)))
end

--- What goes wrong from now on. Raises on a bad rule.
-- @tparam[opt] table[] rules see handoff.sandbox.faults; nil: nothing
function Box:set_faults(rules)
  self.faults = rules and faults.new(rules, self.by_name, self.options.seed)
end

--- Takes back an agent's token: from now on it gets 401.
-- @tparam string name
function Box:revoke(name)
  local agent = self.by_name[name]
  if not agent then core.error.raise { path = "name", rule = "unknown", message = "there is no agent of that name" } end
  self.by_token[agent.token] = nil
end

--- Stops serving; requests that are held are cut off. A second call does nothing.
function Box:close()
  self.server:close()
  if self.writes then self.writes:close() end
  self.writes = nil
  self.held, self.first, self.last, self.wires = {}, 1, 0, wires.new()
end

-- ---- making one ---------------------------------------------------------------------------------------------------

local option_rows = {
  agents = { "number", default = 25, min = 1, max = 100000, integer = true },
  port = { "number", default = 0, min = 0, max = 65535, integer = true },
  latency = { "number", default = 0, min = 0, max = 3600000 },
  rate_limit = { "boolean", default = true },
  seed = { "number", default = 1, min = 0, max = 1000000000, integer = true },
  read_only = { "number", default = 0, min = 0, integer = true },
  faults = { "table" },
  writes = { "string" },
  issued = { "number", min = 0, max = 100000000000, integer = true },
  clock = { "function", default = serve.now },
  signals = { "boolean", default = false },
  until_eof = { "boolean", default = false },
}

--- The first of this month, UTC to the day: tokens of one seed stay the same, and are good for 48 weeks at least.
local function month_start()
  local day = 24 * 3600
  local today = math.floor(os.time() / day)
  return (today - tonumber(os.date("!%d")) + 1) * day
end

local function add_agents(self, read)
  local issued = read.issued or month_start()
  for place = 1, read.agents do
    local scope = place > read.agents - read.read_only and "read_all" or "write_all"
    local agent = seed.agent(read.seed, place, scope, issued)
    agent.place, agent.scope, agent.issued = place, scope, issued
    self.list[place], self.by_name[agent.name], self.by_token[agent.token] = agent, agent, agent
  end
end

-- A file to add to, for its owner only, or nil and an error.
local function open_writes(path)
  local made, why = core.file.create_private(path)
  local file
  if made then file, why = files.open(path, "ab") end
  if file then return file end
  return nil, core.error.new { kind = "invalid", path = path, rule = "file",
    message = why .. "; name a file that can be written" }
end

--- A sandbox on a port of 127.0.0.1.
-- @tparam[opt] table given
-- @tparam[opt=25] integer given.agents
-- @tparam[opt=0] integer given.port 0: any free one
-- @tparam[opt=0] number given.latency milliseconds
-- @tparam[opt=true] boolean given.rate_limit
-- @tparam[opt=1] integer given.seed
-- @tparam[opt=0] integer given.read_only how many, the last ones, have tokens that only read
-- @tparam[opt] table[] given.faults a list of rules, see handoff.sandbox.faults
-- @tparam[opt] string given.writes a file to which every text that is stored is added, its owner's alone, see above
-- @tparam[opt] integer given.issued when the tokens were, seconds since 1970; the first of this month
-- @tparam[opt] fun():number given.clock of the limits, in seconds
-- @tparam[opt=false] boolean given.signals makes step say that it is time to stop at SIGTERM and SIGINT
-- @tparam[opt=false] boolean given.until_eof the same at the end of standard input
-- @treturn ?Box
-- @treturn ?Error err
function sandbox.new(given)
  local read = options.read(given, option_rows, "handoff.sandbox")
  local last_id = seed.free_id(read.agents)
  local self = setmetatable({
    options = read, server = nil, ledger = new_ledger(),
    list = {}, by_name = {}, by_token = {},
    held = {}, first = 1, last = 0, -- answers that wait, from first to last
    wires = wires.new(), faults = nil, -- see set_faults
    new_id = function()
      last_id = last_id + 1
      return last_id
    end,
  }, Box)
  add_agents(self, read)
  self:set_faults(read.faults)
  if read.writes then
    local file, err = open_writes(read.writes)
    if not file then return nil, err end
    self.writes = file
  end
  local server, message = serve.new {
    port = read.port, max_body = max_body, too_large = too_large, signals = read.signals, until_eof = read.until_eof,
  }
  if not server then
    if self.writes then self.writes:close() end
    return nil, core.error.new { kind = "network", message = message }
  end
  self.server = server
  return self
end

-- ---- its inventory ------------------------------------------------------------------------------------------------

-- How an inventory of a sandbox begins: such a file may be written over, an operator's own never is.
local inventory_head = "-- The agents of a handoff sandbox, good for nothing else.\n"

local function is_own_inventory(path)
  local kind = core.file.kind(path)
  local file = kind ~= "other" and io.open(path, "rb") -- a pipe would never be read
  if not file then return kind ~= "other" end
  local head = file:read(#inventory_head)
  file:close()
  return head == nil or head == inventory_head
end

--- An inventory as the text of a Lua file.
-- @tparam Agent[] agents as `box:agents` gives them
-- @tparam[opt] string base_url where they are; nil: then it is given where the inventory is used
-- @treturn string
function sandbox.inventory_text(agents, base_url)
  local lines, place = {}, base_url and (", base_url = %q"):format(base_url) or ""
  for i, agent in ipairs(agents) do
    lines[i] = ("  { name = %q, token = %q, tags = { region = %q, tier = %q }%s },\n"):format(agent.name, agent.token,
      agent.tags.region, agent.tags.tier, place)
  end
  return inventory_head .. "return {\n" .. table.concat(lines) .. "}\n"
end

--- Writes such an inventory to a file, for its owner only; over one of a sandbox, never over another.
-- @tparam string path
-- @tparam Agent[] agents as `box:agents` gives them
-- @tparam[opt] string base_url as of inventory_text
-- @treturn ?boolean true
-- @treturn ?Error err
function sandbox.write_inventory(path, agents, base_url)
  local written, why = is_own_inventory(path), "it is there already and no sandbox wrote it"
  if written then written, why = core.file.write_private(path, sandbox.inventory_text(agents, base_url)) end
  if written then return true end
  return nil, core.error.new { kind = "invalid", path = path, rule = "file",
    message = why .. "; name a file that can be written" }
end

return sandbox
