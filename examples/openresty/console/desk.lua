-- SPDX-License-Identifier: MIT
--- What the console does once somebody is let in: the fleet as it is now, its week, and handoff switched, or a run taken back,
-- after the change was shown. It knows nothing of HTTP. What fails is nil and a line for people.
--
-- An order is what is asked for: { active = boolean, and one of agent = name, tag = "key=value", all = true }, or { undo = a
-- run's number }; with plan = the one that was shown, where it is to be done.
local core = require "handoff.core"
local digest = require "handoff.digest"
local page = require "handoff.page"
local plain = require "handoff.plain"
local timetable = require "handoff.timetable"
local view = require "handoff.page.view"

local json, now = core.json, core.http.now

local desk = {}

local Desk = {}
Desk.__index = Desk

--- @param cache of handoff.nginx
-- @param history a file's path, or nil
-- @param patience seconds in which agents are begun to be looked at, and as many to be written; each that was begun has the
--   deadline of the cache's fleet
function desk.new(cache, history, patience)
  return setmetatable({ cache = cache, history = history, patience = patience }, Desk)
end

-- An error as whoever is logged in may read it; where the fault is here, or names a file, the log has it.
-- @param message how it is told, where that is not as it prints
local function told(err, message)
  local is_ours = core.error.is(err)
  if is_ours and err.kind == "held" then
    return ("run %d is at work on some of these agents, nothing was written; try again once it has ended"):format(
      err.run)
  end
  local is_history = is_ours and (err.kind == "history" or err.kind == "file")
  if is_ours and err.rule ~= "raised" and not is_history then return message or tostring(err) end
  ngx.log(ngx.ERR, "console: ", tostring(err))
  return (is_history and "the history cannot be used" or "something went wrong here") .. "; nginx's log says why"
end

-- ---- who is meant ---------------------------------------------------------------------------------------------------------

-- A function(agent) → whether it is meant.
local function chooser(order)
  local key, value = (order.tag or ""):match "^(.-)=(.*)$"
  return function(agent)
    if order.agent then return agent.name == order.agent end
    return not order.tag or key ~= nil and (agent.tags or {})[key] == value
  end
end

local function who(order) return plain(order.agent or order.tag or "all agents") end

--- An order in words, for the history and the log.
function desk.describe(order)
  if order.undo then return ("take back run %d"):format(order.undo) end
  return ("switch handoff %s for %s"):format(order.active and "on" or "off", who(order))
end

local function text_or_nil(value) return value == nil or type(value) == "string" and #value <= 500 end
local function is_whole(value) return type(value) == "number" and value >= 1 and value < 2 ^ 31 and value % 1 == 0 end

--- Reads an order that came as JSON: what it has besides is left alone.
-- @return the order; or nil and why it is none
function desk.read(given)
  local order = { active = given.active, agent = given.agent, tag = given.tag, all = given.all, undo = given.undo,
    plan = given.plan }
  if not (text_or_nil(order.agent) and text_or_nil(order.tag) and text_or_nil(order.plan)) then
    return nil, "agent, tag and plan: texts expected"
  end
  if order.undo ~= nil then return is_whole(order.undo) and order or nil, "undo: a run's number expected" end
  if type(order.active) ~= "boolean" then return nil, "active: true or false expected" end
  local count = (order.agent and 1 or 0) + (order.tag and 1 or 0) + (order.all == true and 1 or 0)
  if count ~= 1 then return nil, "one of agent, tag and all expected" end
  return order
end

-- ---- the fleet as it is -----------------------------------------------------------------------------------------------------

-- The configurations of these agents, those that are not there fetched at once, in a light thread each.
-- @return by agent { cfg, info or what is wrong }
local function configurations(self, agents)
  local threads, list = {}, {}
  for i, agent in ipairs(agents) do
    threads[i] = ngx.thread.spawn(function() list[i] = { self.cache:get(agent.name) } end)
  end
  for _, thread in ipairs(threads) do ngx.thread.wait(thread) end
  return list
end

local function chosen(self, order)
  local agents, fits = {}, chooser(order)
  for _, agent in ipairs(self.cache:agents()) do
    if fits(agent) then agents[#agents + 1] = agent end
  end
  return agents
end

-- What changes whenever something that is shown does.
local function state_of(agents, found)
  local words = {}
  for i, agent in ipairs(agents) do
    local info = found[i] and found[i][2] or {}
    words[i] = ("%s\0%s\0%s\0%s"):format(agent.name, tostring(info.version), tostring(info.stale),
      tostring(info.error or info.kind))
  end
  return ngx.encode_base64(ngx.sha1_bin(table.concat(words, "\1")))
end

local function drawable(agents, found)
  local list = {}
  for i, agent in ipairs(agents) do
    if found[i] and found[i][1] then list[#list + 1] = { agent = agent.name, cfg = found[i][1] } end
  end
  return list
end

local function tags_of(agent)
  local tags = json.array {}
  for key, value in pairs(agent.tags or {}) do tags[#tags + 1] = key .. "=" .. value end
  table.sort(tags)
  return tags
end

local function missing_row(agent, err)
  return {
    name = agent.name, tags = tags_of(agent), class = "unknown", status = "not known: " .. (err and err.kind or "?"),
    facts = json.array {},
  }
end

local function row_of(agent, got, drawn)
  local info = got[2]
  return {
    name = agent.name, tags = tags_of(agent), active = got[1].settings.is_active == true, class = drawn.class,
    status = drawn.status, hours = drawn.text, zone = drawn.zone, facts = json.array { drawn.facts[1] },
    stale = info.stale == true and { age = math.floor(info.age), error = info.error } or nil,
  }
end

local function rows_of(agents, found, v)
  local rows, at = json.array {}, 0
  for i, agent in ipairs(agents) do
    local got = found[i] or {}
    if got[1] then at = at + 1 end
    rows[i] = got[1] and row_of(agent, got, v.rows[at]) or missing_row(agent, got[2])
  end
  return rows
end

--- All agents, as JSON: { state = a text that changes whenever something here does, at = an instant, agents = a list of { name,
-- tags, class, status, hours, zone, facts, active (nil: not known), stale = { age, error } or nil } }. Made once a minute and
-- state.
function Desk:fleet()
  local agents = chosen(self, { all = true })
  local found = configurations(self, agents)
  local state = state_of(agents, found)
  local at = ngx.time()
  local made = math.floor(at / 60) .. state
  if self.made ~= made then
    local v = view.of(assert(timetable.new { agents = drawable(agents, found), at = at }))
    self.made, self.text = made, json.encode { state = state, at = at, agents = rows_of(agents, found, v) }
  end
  return self.text
end

--- The week of those that are meant → an SVG document; or nil, why.
function Desk:picture(args)
  local order = { agent = args.agent, tag = args.tag }
  if not (text_or_nil(order.agent) and text_or_nil(order.tag)) then return nil, "no such agents" end
  local agents = chosen(self, order)
  local list = drawable(agents, configurations(self, agents))
  if not list[1] then return nil, "nothing to draw" end
  return page.svg(assert(timetable.new { agents = list }))
end

-- ---- previews -------------------------------------------------------------------------------------------------------------

local function value_text(value) return value == nil and "" or json.encode(value) end

-- What a run would write, whole, as a short text: another plan has another one.
local function plan_of(run)
  local words = {}
  for _, result in ipairs(run.results) do
    words[#words + 1] = result.agent .. "\0" .. (result.status == "planned" and "changed" or result.status)
    for _, c in ipairs(result.changes or {}) do
      words[#words + 1] = ("%s\0%s\0%s\0%s"):format(c.kind, c.path, value_text(c.before), value_text(c.after))
    end
  end
  return ngx.encode_base64(ngx.sha1_bin(table.concat(words, "\1")))
end

local function folded(groups)
  local list = json.array {}
  for i, group in ipairs(groups) do
    list[i] = { names = json.array(group.names), lines = group.lines and json.array(group.lines), hours = group.hours,
      message = group.message }
  end
  return list
end

local function errors_of(run)
  local groups = digest.errors(run.results)
  for _, group in ipairs(groups) do group.message = told(group.error, group.message) end
  return folded(groups)
end

-- The agents whose turn did not come, as one more error; nil where there are none.
local function left_of(run)
  local names = json.array {}
  for _, result in ipairs(run.results) do
    if result.status == "untouched" then names[#names + 1] = result.agent end
  end
  return names[1] and { names = names, message =
    "not looked at, as the API answers too slowly, so nothing can be written; choose fewer agents, or try again later" }
end

local function preview_of(order, run)
  local counts, errors, left = run.counts, errors_of(run), left_of(run)
  if left then table.insert(errors, 1, left) end
  return {
    title = desk.describe(order), plan = not run.stopped and plan_of(run) or nil,
    change = (counts.changed or 0) + (counts.planned or 0), unchanged = counts.unchanged or 0,
    changes = folded(digest.changes(run.results)), errors = errors, warnings = folded(digest.warnings(run.results)),
    absent = run.absent,
  }
end

-- ---- runs -----------------------------------------------------------------------------------------------------------------

-- For a run's `stop`: an API that hangs would keep a large fleet busy for hours, and whoever asked waiting.
local function new_clock(seconds)
  local clock = { ends = now() + seconds }
  function clock.stop()
    clock.rang = clock.rang or now() >= clock.ends
    return clock.rang
  end
  return clock
end

local function start(self, order, opts)
  local fleet = self.cache.fleet
  opts.history = self.history or false
  if order.undo and not self.history then
    return nil, core.error.new { kind = "invalid", message = "no history is kept; give the console one" }
  end
  if order.undo then return fleet:undo(order.undo, opts) end
  opts.edit = "console: " .. desk.describe(order)
  return fleet:select(chooser(order)):update(function(cfg) cfg.settings.is_active = order.active end, opts)
end

-- What a run says of an agent that it is done with. What it read or wrote just now is served from now on: who is told that
-- nothing would change sees it on the page, too.
local function observer(self)
  return function(result, outcome)
    digest.observe(result, outcome)
    if outcome then self.cache:put(result.agent, outcome.dry_run and outcome.before or outcome.after) end
  end
end

--- What an order would change; nothing is written.
-- @return { title, plan = what to send along to have just that (nil where not all agents were looked at in time), change = how
--   many agents, unchanged, changes = list of { names, lines, hours }, errors and warnings = lists of { names, message } }; or
--   nil, why
function Desk:preview(order)
  local clock = new_clock(self.patience)
  local run, err = start(self, order, { dry_run = true, on_result = observer(self), stop = clock.stop })
  if not run then return nil, told(err) end
  return preview_of(order, run)
end

local function result_of(result)
  local group = digest.errors { result }[1]
  return { name = result.agent, status = result.status, error = group and told(group.error, group.message) }
end

local function done_of(order, run, clock)
  local results = json.array {}
  if clock.rang then run.stopped = "it took too long; do the same again for those that are left" end
  for i, result in ipairs(run.results) do results[i] = result_of(result) end
  return {
    title = desk.describe(order), run = run.id, changed = run.counts.changed or 0, results = results,
    summary = tostring(run) .. (run.id and (" (run %d)"):format(run.id) or ""),
  }
end

--- Does what was shown, and nothing else: where by now it would change something other, nothing is written.
-- @return { title, run = its number or nil, changed = how many agents, summary, results = a list of { name, status,
--   error } }; or nil, why; or nil, why, a new preview
function Desk:apply(order)
  local clock, fresh = new_clock(2 * self.patience), nil -- so long that what could be shown can be done
  local run, err = start(self, order, {
    on_planned = digest.observe, on_result = observer(self), stop = clock.stop,
    confirm = function(planned)
      clock.ends, clock.is_confirmed = now() + self.patience, true
      if plan_of(planned) == order.plan then return true end
      fresh = preview_of(order, planned)
      return false
    end,
  })
  if fresh then return nil, "somebody changed something since; nothing was written: look at it again", fresh end
  if not run then return nil, told(err) end
  if clock.rang and not clock.is_confirmed then
    return nil, "looking at the agents again took too long; nothing was written", preview_of(order, run)
  end
  return done_of(order, run, clock)
end

--- The latest runs, newest first: a list of { id, what, started, state, changed }; or nil, why.
function Desk:runs()
  if not self.history then return json.array {} end
  local history, err = require("handoff.nginx").history(self.history)
  if not history then return nil, told(err) end
  local found
  found, err = history:runs { limit = 8 }
  history:close()
  if not found then return nil, told(err) end
  local list = json.array {}
  for i, run in ipairs(found) do
    local is_undo = run.kind == "undo"
    list[i] = {
      id = run.id, what = is_undo and ("take back run %d"):format(run.of) or run.edit or "?", started = run.started,
      state = run.state, changed = run.counts.changed or 0,
    }
  end
  return list
end

return desk
