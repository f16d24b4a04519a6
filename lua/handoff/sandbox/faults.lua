-- SPDX-License-Identifier: MIT
--- What goes wrong in a sandbox on purpose; knows nothing of connections.
--
-- Rules are data: { agent = "shop-uk" (every), method = "GET" | "PUT" (both), at = N (the N-th such request of an agent, 1),
-- times = K | "always" (how many in a row, 1), chance = P (of those only some, at random, that part of them, 0 to 1; times is
-- "always" then), fault = a name, handled = whether the request is handled before its answer goes wrong, …what the fault takes }.
-- All rules that are due for a request act on it, in their order; of those that change the answer only the first.
--
-- Which of an agent's requests a chance picks follows from the sandbox's seed, in whatever order those of other agents come.
local core = require "handoff.core"
local answers = require "handoff.sandbox.answer"
local hint = require "handoff.hint"
local options = require "handoff.options"

local json = core.json

local faults = {}

-- ---- places in a document ---------------------------------------------------------------------------------------------

--- The names and indices of a path: "custom_guidelines[1].name".
local function steps_of(path)
  local steps = {}
  for step in path:gmatch "[^.%[%]]+" do steps[#steps + 1] = tonumber(step) or step end
  return steps
end

--- What holds the place, and the place's last step; nil where there is no such place.
local function holder(document, path)
  local steps = steps_of(path)
  for i = 1, #steps - 1 do
    if type(document) ~= "table" then return nil end
    document = document[steps[i]]
  end
  if type(document) == "table" then return document, steps[#steps] end
end

local function get(document, path)
  local at, step = holder(document, path)
  return at and at[step]
end

--- Sets the place; nil takes it away. An index beyond the end of a list is the next one.
local function set(document, path, value)
  local at, step = holder(document, path)
  if not at then return end
  if type(step) ~= "number" then
    at[step] = value
  elseif value == nil then
    table.remove(at, step)
    if #at == 0 then json.array(at) end
  else
    at[math.min(step, #at + 1)] = value
  end
end

--- RFC 7396: objects are merged, null takes away, everything else is replaced.
local function merge(document, patch)
  if type(patch) ~= "table" or patch[1] ~= nil or next(patch) == nil then return patch end
  if type(document) ~= "table" then document = {} end
  for name, value in pairs(patch) do
    if value == json.null then document[name] = nil else document[name] = merge(document[name], value) end
  end
  return document
end

--- The text after `fn(document)` edited it, or as it is where it is no document.
local function edited(text, fn)
  local document = json.decode(text)
  if type(document) ~= "table" then return text end
  return json.encode(fn(document) or document)
end

-- ---- the faults -------------------------------------------------------------------------------------------------------

local function http_date(time)
  local names = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }
  local days, t = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }, os.date("!*t", time)
  return ("%s, %02d %s %04d %02d:%02d:%02d GMT"):format(days[t.wday], t.day, names[t.month], t.year, t.hour, t.min,
    t.sec)
end

local function retry_after(rule)
  local value = rule.retry_after
  if rule.retry_date then value = http_date(os.time() + rule.retry_date) end
  if type(value) == "number" then value = ("%d"):format(value) end
  return value and { ["Retry-After"] = value }
end

local words = {
  [400] = { "BAD_REQUEST", "Bad request." }, [403] = { "PERMISSION_DENIED", "Insufficient token scope." },
  [429] = { "RATE_LIMITED", "Rate limit exceeded." }, [500] = { "SERVER_ERROR", "Internal server error." },
  [502] = { "BAD_GATEWAY", "Bad gateway." }, [503] = { "UNAVAILABLE", "Service unavailable." },
  [504] = { "GATEWAY_TIMEOUT", "Gateway timeout." },
}

local html = "<!DOCTYPE html>\n<html><head><title>%d</title></head><body><h1>We'll be back soon</h1></body></html>\n"

local function no_answer(ending)
  return function() return { wire = { text = "", ending = ending } } end
end

local function over_wire(answer, length, wire)
  wire.text = answers.text(answer, length)
  return { status = answer.status, body = answer.body, wire = wire }
end

local function with_body(answer, body)
  return { status = answer.status, headers = answer.headers, body = body }
end

-- What is not given to an edit is told from null.
local any = "string number boolean table userdata"
local whole, size = { "number", integer = true }, { "number", min = 1, max = 2 ^ 26, integer = true }

local function default(row, value)
  local copy = { default = value }
  for name, one in pairs(row) do copy[name] = one end
  return copy
end

-- name → { doc, parameters (see handoff.options),
--   handled: whether the request is handled first, where its rule does not say; nil: it always is,
--   check(rule) → what is wrong with the rule, or nil,
--   before(rule, request, document), after(rule, request, document, answer, what before returned),
--   answer(rule, answer or nil where it was not handled) → what is answered instead, see handoff.sandbox.answer; with
--     `wire`, see handoff.sandbox.wire, that is what leaves }
-- A document is { text() → what is stored, edit(text): somebody else's PUT }.
local rows = {
  status = {
    doc = "answers `status`, by default 500; retry_after= seconds or a text, retry_date= seconds from now, as a date",
    parameters = {
      status = { "number", min = 200, max = 599, integer = true, default = 500 }, message = { "string" },
      retry_after = { "number string" }, retry_date = { "number" },
    },
    handled = false,
    answer = function(rule)
      if rule.status == 401 and not rule.message then return answers.no_permission end
      local said = words[rule.status] or { "FAULT", "As it was asked for." }
      return answers.refuse(rule.status, said[1], rule.message or said[2], retry_after(rule))
    end,
  },
  html = {
    doc = "answers a page of HTML with `status`, by default 502",
    parameters = { status = { "number", min = 200, max = 599, integer = true, default = 502 } },
    handled = false,
    answer = function(rule)
      return { status = rule.status, body = html:format(rule.status), headers = { ["Content-Type"] = "text/html" } }
    end,
  },
  not_json = {
    doc = "answers 200 with `text`, which is no JSON",
    parameters = { text = { "string", default = "OK" } },
    handled = false,
    answer = function(rule) return answers.ok(rule.text) end,
  },
  redirect = {
    doc = "answers `status`, by default 302, with `location`",
    parameters = {
      status = { "number", min = 300, max = 399, integer = true, default = 302 },
      location = { "string", default = "/v1/api/elsewhere" },
    },
    handled = false,
    answer = function(rule)
      return { status = rule.status, body = "", headers = { Location = rule.location } }
    end,
  },
  reset = { doc = "resets the connection, before anything is done", handled = false, answer = no_answer "reset" },
  reset_after = {
    doc = "resets the connection after the request was handled: a PUT is stored",
    answer = no_answer "reset",
  },
  close = { doc = "closes the connection, before anything is done", handled = false, answer = no_answer "close" },
  hang = { doc = "never answers; held until the client goes", handled = false, answer = no_answer "hold" },
  truncate = {
    doc = "closes the connection after `bytes` of the body, by default half of it",
    parameters = { bytes = { "number", min = 0, max = 2 ^ 26, integer = true } },
    answer = function(rule, answer)
      local cut = with_body(answer, answer.body:sub(1, rule.bytes or math.floor(#answer.body / 2)))
      return over_wire(cut, #answer.body, { ending = "close" })
    end,
  },
  length = {
    doc = "a Content-Length wrong `by` bytes, by default -7: the rest comes after it; above 0, it never comes",
    parameters = { by = default(whole, -7) },
    answer = function(rule, answer)
      return over_wire(answer, math.max(0, #answer.body + rule.by), { ending = rule.by > 0 and "hold" or "close" })
    end,
  },
  garbage = {
    doc = "`text` after the JSON, inside the Content-Length",
    parameters = { text = { "string", default = "\n<!-- served in 0.02 s -->" } },
    answer = function(rule, answer) return with_body(answer, answer.body .. rule.text) end,
  },
  drip = {
    doc = "the answer comes `bytes` at a time, 16, one every `every` milliseconds, 20",
    parameters = { bytes = default(size, 16), every = { "number", min = 1, max = 3600000, default = 20 } },
    answer = function(rule, answer)
      return over_wire(answer, #answer.body, { chunk = rule.bytes, every = rule.every / 1000, ending = "close" })
    end,
  },
  huge = {
    doc = "the answer with blanks after it, `bytes` in all, 9 MiB",
    parameters = { bytes = default(size, 9 * 2 ^ 20) },
    answer = function(rule, answer) return with_body(answer, answer.body .. (" "):rep(rule.bytes - #answer.body)) end,
  },
  edit = {
    doc = 'somebody else edits, when="before" or "after" it: value= or delete=true at path=, or merge= (RFC 7396)',
    parameters = {
      path = { "string" }, value = { any }, delete = { "boolean" }, merge = { "table" },
      when = { "string", default = "before" },
    },
    check = function(rule)
      if rule.when ~= "before" and rule.when ~= "after" then return 'when="before" or "after" expected' end
      if rule.merge and not rule.path and rule.value == nil and not rule.delete then return nil end
      if rule.merge or not rule.path or (rule.value ~= nil) == (rule.delete == true) then
        return "path= and value=, path= and delete=true, or merge= expected"
      end
    end,
    before = function(rule, _, document)
      if rule.when == "before" then rule.edit(document) end
    end,
    after = function(rule, _, document)
      if rule.when == "after" then rule.edit(document) end
    end,
  },
  drop_field = {
    doc = "a PUT is stored but for path=, which stays what it was; echo=true: its answer says otherwise",
    parameters = { path = { "string" }, echo = { "boolean", default = false } },
    check = function(rule)
      if not rule.path then return 'path= expected, such as "settings.question_message"' end
    end,
    before = function(rule, request, document)
      if request.method ~= "PUT" then return end
      local sent
      local stays = get(json.decode(document.text()), rule.path)
      request.body = edited(request.body, function(body)
        sent = get(body, rule.path)
        set(body, rule.path, stays)
      end)
      return sent
    end,
    after = function(rule, _, _, answer, sent)
      if not (rule.echo and answer and answer.status == 200 and sent ~= nil) then return end
      answer.body = edited(answer.body, function(body) set(body, rule.path, sent) end)
    end,
  },
}

-- ---- rules ------------------------------------------------------------------------------------------------------------

-- `fault` is checked before all else.
local common = {
  fault = { "string" }, agent = { "string" }, method = { "string" },
  at = default(size, 1), times = { "number string", min = 1, integer = true },
  chance = { "number", min = 0, max = 1 },
}

for _, row in pairs(rows) do
  row.options = { handled = row.handled ~= nil and { "boolean", default = row.handled } or nil }
  for name, one in pairs(common) do row.options[name] = one end
  for name, one in pairs(row.parameters or {}) do row.options[name] = one end
end

local function sorted_names(of)
  local list = {}
  for name in pairs(of) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local function refuse(path, rule, message) core.error.raise { path = path, rule = rule, message = message } end

local function refuse_unknown(path, what, name, known)
  local list = sorted_names(known)
  refuse(path, "unknown", ("no %s %q; %s"):format(what, tostring(name),
    hint(name, list, "known are: " .. table.concat(list, ", ", 1, math.min(#list, 20)))))
end

--- A rule as it was given → one that is complete and its own, or raises.
local function read(given, path, agents)
  if type(given) ~= "table" then refuse(path, "type", ("a rule expected, got %s"):format(type(given))) end
  local row = rows[given.fault]
  if not row then refuse_unknown(path, "fault", given.fault or "", rows) end
  path = ("%s (%s)"):format(path, given.fault)
  local rule = options.read(given, row.options, path)
  if rule.agent and not agents[rule.agent] then refuse_unknown(path, "agent", rule.agent, agents) end
  if rule.method and rule.method ~= "GET" and rule.method ~= "PUT" then
    refuse(path, "choice", 'method="GET" or "PUT" expected, or none for both')
  end
  rule.times = rule.times or rule.chance and "always" or 1
  if type(rule.times) == "string" and rule.times ~= "always" then
    refuse(path, "choice", 'times= a number or "always" expected')
  end
  local wrong = row.check and row.check(rule)
  if wrong then refuse(path, "parameters", wrong) end
  return rule
end

--- What an edit does, put down as text: a rule that is used twice must not share tables with a document.
local function editor(rule)
  local text = json.encode { value = rule.value, merge = rule.merge }
  return function(document)
    local given = json.decode(text)
    document.edit(edited(document.text(), function(stored)
      if given.merge then return merge(stored, given.merge) end
      set(stored, rule.path, given.value)
    end))
  end
end

-- ---- a set of rules ---------------------------------------------------------------------------------------------------

local Set = {}
Set.__index = Set

-- Whether the chance of a rule picks the agent's next request: Park and Miller's generator, one an agent and rule.
local function is_drawn(self, place, agent)
  local one = self[place]
  local state, steps = one.drawn[agent], 1
  if not state then
    state, steps = (self.seed * 7919 + place * 1299709 + self.agents[agent].place * 104729) % 2147483646 + 1, 4
  end
  for _ = 1, steps do state = state * 48271 % 2147483647 end
  one.drawn[agent] = state
  return state <= one.rule.chance * 2147483647
end

--- The rules that are due for a request, which is counted; nil: none.
-- @param agent its name
function Set:due(agent, method)
  local due
  for place, one in ipairs(self) do
    local rule = one.rule
    if (rule.agent or agent) == agent and (rule.method or method) == method then
      local count = (one.seen[agent] or 0) + 1
      one.seen[agent] = count
      local is_due = count >= rule.at and (rule.times == "always" or count < rule.at + rule.times)
      if is_due and (not rule.chance or is_drawn(self, place, agent)) then
        due = due or {}
        due[#due + 1] = one
      end
    end
  end
  return due
end

--- What becomes of a request.
-- @param due what Set.due gave
-- @param handle function → the answer of a service without faults
function faults.act(due, request, document, handle)
  local memo, chosen = {}, nil
  for i, one in ipairs(due) do
    if one.row.answer then chosen = chosen or one else one.fired = one.fired + 1 end
    if one.row.before then memo[i] = one.row.before(one.rule, request, document) end
  end
  local answer = (not chosen or chosen.rule.handled ~= false) and handle() or nil
  for i, one in ipairs(due) do
    if one.row.after then one.row.after(one.rule, request, document, answer, memo[i]) end
  end
  if not chosen then return answer end
  chosen.fired = chosen.fired + 1
  return chosen.row.answer(chosen.rule, answer)
end

--- The rules as they were given, each with `seen` (such requests) and `fired`.
function Set:report()
  local list = json.array {}
  for i, one in ipairs(self) do
    local row = { seen = 0, fired = one.fired }
    for name, value in pairs(one.given) do row[name] = value end
    for _, count in pairs(one.seen) do row.seen = row.seen + count end
    list[i] = row
  end
  return list
end

--- A list of rules, checked: raises on a bad one, whose message says which.
-- @param agents the agents there are, by name, each with its `place` in their list
-- @param seed a number, for the rules with a chance
-- @return the set, or nil where the list is empty
function faults.new(rules, agents, seed)
  if type(rules) ~= "table" or rules.fault ~= nil then refuse("faults", "type", "a list of rules expected") end
  local set_of_rules = setmetatable({ agents = agents, seed = seed }, Set)
  for i in pairs(rules) do
    if type(i) ~= "number" then refuse("faults", "type", "a list of rules expected") end
    local rule = read(rules[i], ("faults[%d]"):format(i), agents)
    if rule.fault == "edit" then rule.edit = editor(rule) end
    local given = json.decode(json.encode(rules[i]))
    set_of_rules[i] = { rule = rule, row = rows[rule.fault], given = given, seen = {}, drawn = {}, fired = 0 }
  end
  return set_of_rules[1] and set_of_rules or nil
end

--- A document's text with a patch, a text too, merged into it (RFC 7396); nil, err where the patch is no JSON.
function faults.merged(text, patch_text)
  local patch, err = json.decode(patch_text)
  if patch == nil then return nil, err end
  return edited(text, function(document) return merge(document, patch) end)
end

--- A line a fault, for people.
function faults.describe()
  local lines = {}
  for i, name in ipairs(sorted_names(rows)) do lines[i] = ("  %-12s %s\n"):format(name, rows[name].doc) end
  return table.concat(lines)
end

return faults
