-- SPDX-License-Identifier: MIT
--- What is wrong with a fleet's tokens and with the way to its service, before a run finds out: looked at here first, then with
-- one GET an agent. Nothing is written, and nothing that is found holds a token.
--
-- A finding: { agent = its name, or service = a URL, severity = "error" | "warning", message,
--   what = "token" (none, bad, expired, refused) | "life" (of the token) | "duplicate" | "scope" | "inventory" (its options) |
--     "service" (reachability, answers) | "tls" | "clock",
--   place = where an agent without a good token stands: agents.lua:12 }
-- @module handoff.doctor
local client = require "handoff.client"
local core = require "handoff.core"
local inventory = require "handoff.inventory"
local options = require "handoff.options"
local retry_after = require "handoff.retry_after"
local shape = require "handoff.shape"

core.error.home(debug.getinfo(1, "S").source)

local doctor = {}

local DAY = 24 * 3600
local MOST_DATE = 253402300799 -- the last second of the year 9999, which os.date still takes
local MOST_SKEW = 60 -- seconds that two clocks may differ without a word
local CERTIFICATE_DAYS = 7 -- those that renew themselves do so earlier
local READ_ONLY = "read_all" -- api: Transport, scope

-- What failed, by the error's kind; "service" by default.
local subjects = { auth = "token", scope = "scope", tls = "tls", invalid = "inventory" }

-- ---- tokens -------------------------------------------------------------------------------------------------------------

-- What inventory.resolve says of tokens, as findings.
local function findings_of(err)
  local findings = {}
  for i, issue in ipairs(err.issues) do
    local name, message = issue.agent, issue.message
    if name and message:sub(1, #name + 2) == name .. ": " then message = message:sub(#name + 3) end
    findings[i] = { agent = name, what = "token", severity = "error", message = message, place = issue.path }
  end
  return findings
end

local function claims_of(agent)
  local token = agent.token
  if type(token) == "function" then token = token() end
  return core.token.unverified_claims(token) or {}
end

local function new_row(agent, now)
  local row = { agent = agent.name }
  row.has_token = agent.token ~= nil
  if not row.has_token then return row end
  local claims = claims_of(agent)
  row.scenario_id, row.scope = claims.scenario_id, claims.scope
  if claims.exp then
    row.expires = math.floor(math.max(0, math.min(claims.exp, MOST_DATE)))
    row.days_left = math.floor((row.expires - now) / DAY)
  end
  return row
end

local function judge_token(row, days, add)
  if not row.scenario_id then
    add("token", "warning", "the token does not say which agent it is for; two names with one agent would go unseen")
  end
  if row.days_left and row.days_left < days then
    add("life", "warning", ("the token expires %s, in %d day%s; make a new one in the dashboard"):format(
      os.date("!%Y-%m-%d", row.expires), row.days_left, row.days_left == 1 and "" or "s"))
  end
  if row.scope == READ_ONLY then
    add("scope", "warning", "the token may only read (read_all): every write will be refused; "
      .. "make one with write_all in the dashboard, unless looking is all it is for")
  end
end

local function note_duplicates(found, agents)
  for _, one in ipairs(inventory.duplicates(agents)) do
    found[#found + 1] = { agent = one.names[1], what = "duplicate", severity = "error",
      message = ("%s are one agent (scenario %s); take all but one out of the inventory, or give the others tokens of "
        .. "their own"):format(table.concat(one.names, " and "), one.scenario_id) }
  end
end

-- ---- the service --------------------------------------------------------------------------------------------------------

--- How far the clock here is behind the one that wrote the date, in seconds: 0 where it stood between the two looks.
local function skew(headers, before, after)
  local date = retry_after.date(headers.date or "", after)
  if not date then return nil end
  return math.max(0, date - after) + math.min(0, date - before)
end

local function note_answer(known, res, before)
  local off = skew(res.headers, before, os.time())
  if off and (not known.clock or math.abs(off) < math.abs(known.clock)) then known.clock = off end
  known.certificate_expires = res.certificate_expires or known.certificate_expires
end

--- A transport as the given one that notes of each URL what its answers say of clock and certificate.
local function watch(transport, seen)
  local watched = setmetatable({}, { __index = transport })
  function watched.request(_, req)
    local asked, before = shape.copy(req), os.time()
    asked.certificate = true
    local res, err = transport:request(asked)
    seen[req.url] = seen[req.url] or {}
    if res then note_answer(seen[req.url], res, before) end
    return res, err
  end
  return watched
end

local function maker(fleet, seen, retries)
  local all = shape.copy(fleet.clients)
  all.transport, all.retries = watch(fleet.transport, seen), retries
  return client.maker(all)
end

--- Reads every agent that has a token, many at once → { [agent] = error or false }; those that `stop` kept back are not in it.
local function ask(fleet, agents, o, seen)
  local make, errors = maker(fleet, seen, o.retries), {}
  local asked, failures = fleet.transport.loop:map(fleet.options.concurrency, agents, function(agent)
    if o.stop and o.stop() then return end
    local cfg, err = make(inventory.options(agent)):get()
    errors[agent] = err or false
    if o.on_result then o.on_result { agent = agent.name, status = cfg and "done" or "failed", error = err } end
  end)
  if not asked then return nil, failures end
  for i, agent in ipairs(agents) do
    if failures[i] then errors[agent] = failures[i] end
  end
  return errors
end

local function note_clock(found, service)
  local off = service.clock
  if not off or math.abs(off) <= MOST_SKEW then return end
  found[#found + 1] = { what = "clock", severity = "warning", service = service.url,
    message = ("the clock here is %d s %s the one of %s; set it, as tokens and waits are judged by it"):format(
      math.abs(off), off > 0 and "behind" or "ahead of", service.url) }
end

local function note_certificate(found, service, now)
  local ends = service.certificate_expires
  if not ends or ends - now >= CERTIFICATE_DAYS * DAY then return end
  found[#found + 1] = { what = "tls", severity = "warning", service = service.url,
    message = ("the certificate of %s expires %s; whoever runs it is to renew it"):format(service.url,
      os.date("!%Y-%m-%d", ends)) }
end

-- Where a URL is none there is no service either; what failed says so.
local function count_answer(report, url, seen, answered)
  if not url then return end
  local service = report.by_url[url]
  if not service then
    service = shape.copy(seen[url] or {})
    service.url, service.agents, service.answered = url, 0, 0
    report.by_url[url], report.services[#report.services + 1] = service, service
  end
  service.agents, service.answered = service.agents + 1, service.answered + (answered and 1 or 0)
end

local function note_failure(found, agent, err)
  found[#found + 1] = { agent = agent.name, what = subjects[err.kind] or "service", severity = "error", kind = err.kind,
    message = err.path and err.kind == "invalid" and ("%s: %s"):format(err.path, err.message) or err.message }
end

local function online(fleet, agents, report, o)
  local seen = {}
  local errors, cancelled = ask(fleet, agents, o, seen)
  if not errors then return nil, cancelled end
  for _, agent in ipairs(agents) do
    local err = errors[agent]
    if err ~= nil then
      local valid, url = pcall(client.url, agent.base_url or fleet.clients.base_url, true)
      if not valid and not core.error.is(url) then error(url, 0) end -- memory was short
      report.by_name[agent.name].answered = err == false
      count_answer(report, valid and url, seen, err == false)
      if err then note_failure(report.findings, agent, err) end
    end
  end
  for _, service in ipairs(report.services) do
    note_clock(report.findings, service)
    note_certificate(report.findings, service, o.now)
  end
  return true
end

-- ---- all of it ----------------------------------------------------------------------------------------------------------

local function look_at_tokens(fleet, report, o)
  local agents, good = fleet:agents(), {}
  local resolved, err = inventory.resolve(agents, o.now)
  if not resolved then report.findings = findings_of(err) end
  local found = report.findings
  for i, agent in ipairs(agents) do
    local row = new_row(agent, o.now)
    report.agents[i], report.by_name[row.agent] = row, row
    if agent.token then
      good[#good + 1] = agent
      judge_token(row, o.days, function(what, severity, message)
        found[#found + 1] = { agent = row.agent, what = what, severity = severity, message = message }
      end)
    end
  end
  note_duplicates(found, good)
  return good
end

local rows = {
  offline = { "boolean", default = false }, days = { "number", default = 30, min = 0, max = 36500 },
  retries = { "number", default = 0, min = 0, max = 100, integer = true }, now = { "number", min = 0 },
  on_result = { "function" }, stop = { "function" },
}

--- Looks at every token of a fleet, and asks the service once for every agent whose token is worth it.
-- @tparam Fleet fleet
-- @tparam[opt] table opts
-- @tparam[opt=false] boolean opts.offline do not ask
-- @tparam[opt=30] number opts.days warn of tokens that expire sooner
-- @tparam[opt=0] integer opts.retries by default a failure is told as it is, at once
-- @tparam[opt] integer opts.now seconds since 1970; the clock's by default
-- @tparam[opt] function opts.on_result called with `{agent, status, error}` when an agent was asked
-- @tparam[opt] function opts.stop true where no further agent is to be asked
-- @treturn ?table `findings`; `counts` = `{error, warning}`; `agents`, in the inventory's order, of `{agent, has_token (a
--   good one, by its looks), scenario_id, scope, expires (seconds since 1970), days_left, answered}`, as far as the token
--   says so and it was asked; `services`, of `{url, agents, answered, clock (seconds that the one here is behind),
--   certificate_expires (seconds since 1970)}`; nil where the calling task was cancelled
-- @treturn ?Error err
function doctor.examine(fleet, opts)
  local o = options.read(opts, rows, "handoff.doctor")
  o.now = o.now or os.time()
  local report = { findings = {}, counts = { error = 0, warning = 0 }, agents = {}, services = {}, by_name = {},
    by_url = {} }
  local good = look_at_tokens(fleet, report, o)
  if not o.offline then
    local ok, err = online(fleet, good, report, o)
    if not ok then return nil, err end
  end
  for _, finding in ipairs(report.findings) do
    report.counts[finding.severity] = report.counts[finding.severity] + 1
  end
  report.by_name, report.by_url = nil, nil
  return report
end

return doctor
