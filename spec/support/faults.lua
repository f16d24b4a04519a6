-- SPDX-License-Identifier: MIT
--- What becomes of an update when something goes wrong: every fault of the sandbox, for its GETs and for its PUT. The same table
-- holds wherever an update runs.
local json = require("handoff.core").json

local faults = {}

--- The agent that is edited, and how often a request of it is tried again.
faults.agent, faults.retries = "shop-uk", 2

local SHORT = 0.25 -- seconds, for a request that is meant to time out

-- ---- the table --------------------------------------------------------------------------------------------------------

-- An outcome: { what update gives, GETs + PUTs that the service counted, how often it wrote, what it holds afterwards }.
-- What update gives is a status, or an error's kind with the HTTP status if there is one, and a "?" where the error says that
-- it is not known whether it was written. What the service holds: "before"; "mine", each edit once; "theirs", an edit of
-- somebody else's; "part of mine".
local function outcome(...) return { ... } end

local fine = outcome("changed", "2+1", 1, "mine") -- as without a fault: GET, edit, GET, merge, PUT
local looked_again = outcome("changed", "3+1", 1, "mine") -- one GET more than that
local sent_again = outcome("changed", "3+2", 1, "mine") -- one more PUT, too, after a look

-- Rules, see handoff.sandbox.faults.
local function status(code, more)
  local rule = more or {}
  rule.fault, rule.status = "status", code
  return rule
end

local function somebody(field, value, more)
  local rule = more or {}
  rule.fault, rule.path, rule.value = "edit", "settings." .. field, value
  return rule
end

local function dropped(more)
  local rule = more or {}
  rule.fault, rule.method, rule.path = "drop_field", "PUT", "settings.question_message"
  return rule
end

-- A row: { what goes wrong, a rule or a list of rules, GET = outcome where it is a GET that the rule hits, PUT = outcome where it
-- is the PUT, is = outcome where the rules say which; slow = the request that is hit ends by its timeout; waited = at least so
-- many seconds between tries; opts = of update; repeated = how many requests libcurl made again by itself, as it does with a
-- GET whose kept connection turned out to be closed, and with nothing else }
faults.rows = {
  { "nothing", {}, is = fine },

  -- refusals and failures that say so
  { "429, Retry-After: 7", status(429, { retry_after = 7 }), GET = looked_again, PUT = sent_again, waited = 7 },
  { "429, Retry-After: a date, in 30 s", status(429, { retry_date = 30 }),
    GET = looked_again, PUT = sent_again, waited = 28 },
  { "429 without Retry-After", status(429), GET = looked_again, PUT = sent_again },
  { "429, Retry-After: 1000, beyond the deadline", status(429, { retry_after = 1000 }),
    GET = outcome("rate_limit 429", "1+0", 0, "before"), PUT = outcome("rate_limit 429", "2+1", 0, "before") },
  { "429, always", status(429, { times = "always" }), GET = outcome("rate_limit 429", "3+0", 0, "before"),
    PUT = outcome("rate_limit 429", "4+3", 0, "before") },
  { "500", status(500), GET = looked_again, PUT = sent_again },
  { "502", status(502), GET = looked_again, PUT = sent_again },
  { "503, Retry-After: 5", status(503, { retry_after = 5 }), GET = looked_again, PUT = sent_again, waited = 5 },
  { "503, Retry-After: a date, in 30 s", status(503, { retry_date = 30 }),
    GET = looked_again, PUT = sent_again, waited = 28 },
  { "503, Retry-After: 1000, beyond the deadline", status(503, { retry_after = 1000 }),
    GET = outcome("server 503", "1+0", 0, "before"), PUT = outcome("server 503", "3+1", 0, "before") },
  { "504", status(504), GET = looked_again, PUT = sent_again },
  { "500, always", status(500, { times = "always" }), GET = outcome("server 500", "3+0", 0, "before"),
    PUT = outcome("server 500", "5+3", 0, "before") },
  { "502, a page of HTML", { fault = "html" }, GET = looked_again, PUT = sent_again },
  { "500 after it was written", status(500, { method = "PUT", handled = true }), is = looked_again },
  { "500 after it was written, always", status(500, { method = "PUT", handled = true, times = "always" }),
    is = looked_again },
  { "400", status(400), GET = outcome("rejected 400", "1+0", 0, "before"),
    PUT = outcome("rejected 400", "2+1", 0, "before") },
  { "403", status(403), GET = outcome("scope 403", "1+0", 0, "before"),
    PUT = outcome("scope 403", "2+1", 0, "before") },
  { "401 from this request on", status(401, { times = "always" }), GET = outcome("auth 401", "1+0", 0, "before"),
    PUT = outcome("auth 401", "2+1", 0, "before") },

  -- connections
  { "reset before anything is done", { fault = "reset" }, GET = looked_again, PUT = sent_again },
  { "reset before anything is done, always", { fault = "reset", times = "always" },
    GET = outcome("network", "3+0", 0, "before"), PUT = outcome("network", "5+3", 0, "before") },
  { "reset after it was done", { fault = "reset_after" }, GET = looked_again, PUT = looked_again },
  { "reset after it was done, and no GET works after that",
    { { fault = "reset_after", method = "PUT" }, { fault = "reset", method = "GET", at = 3, times = "always" } },
    is = outcome("network?", "5+1", 1, "mine") },
  { "reset after it was done, and the token is revoked",
    { { fault = "reset_after", method = "PUT" }, status(401, { method = "GET", at = 3, times = "always" }) },
    is = outcome("network?", "3+1", 1, "mine") },
  { "the second GET is reset", { fault = "reset", method = "GET", at = 2 }, is = looked_again, repeated = 1 },
  { "reset after it was done, and the look at it fails once",
    { { fault = "reset_after", method = "PUT" }, status(503, { method = "GET", at = 3 }) },
    is = outcome("changed", "4+1", 1, "mine") },
  { "reset after it was done, with merge=false", { fault = "reset_after", method = "PUT" },
    opts = { merge = false }, is = fine },
  { "closed without an answer", { fault = "close" }, GET = looked_again, PUT = sent_again },
  { "closed without an answer after it was done", { fault = "close", handled = true },
    GET = looked_again, PUT = looked_again },
  { "the body ends half-way", { fault = "truncate" }, GET = looked_again, PUT = looked_again },
  { "the body never starts", { fault = "truncate", bytes = 0 }, GET = looked_again, PUT = looked_again },
  { "Content-Length too large, and the rest never comes", { fault = "length", by = 7 }, slow = true, GET = looked_again,
    PUT = looked_again },
  { "Content-Length too small", { fault = "length", by = -7 }, GET = outcome("protocol 200", "1+0", 0, "before"),
    PUT = looked_again },
  { "an answer that drips, in time", { fault = "drip", bytes = 400, every = 2 }, GET = fine, PUT = fine },
  { "an answer that drips, too slowly", { fault = "drip", bytes = 1, every = 50 }, slow = true, GET = looked_again,
    PUT = looked_again },
  { "never answers", { fault = "hang" }, slow = true, GET = looked_again, PUT = sent_again },
  { "never answers, after it was done", { fault = "hang", handled = true }, slow = true,
    GET = looked_again, PUT = looked_again },
  { "never answers, always", { fault = "hang", times = "always" }, slow = true,
    GET = outcome("timeout", "3+0", 0, "before"), PUT = outcome("timeout?", "5+3", 0, "before") },

  -- answers that are none
  { "200, and no JSON", { fault = "not_json" }, GET = outcome("protocol 200", "1+0", 0, "before"), PUT = sent_again },
  { "200, and no JSON, after it was done", { fault = "not_json", handled = true },
    GET = outcome("protocol 200", "1+0", 0, "before"), PUT = looked_again },
  { "200, a page of HTML", { fault = "html", status = 200 }, GET = outcome("protocol 200", "1+0", 0, "before"),
    PUT = sent_again },
  { "200, a page of HTML, always", { fault = "html", status = 200, times = "always" },
    GET = outcome("protocol 200", "1+0", 0, "before"), PUT = outcome("protocol 200", "5+3", 0, "before") },
  { "garbage after the JSON", { fault = "garbage" },
    GET = outcome("protocol 200", "1+0", 0, "before"), PUT = looked_again },
  { "a redirect", { fault = "redirect" }, GET = outcome("protocol 302", "1+0", 0, "before"),
    PUT = outcome("protocol 302", "3+1", 0, "before") },
  { "an answer of 9 MiB", { fault = "huge" }, GET = outcome("protocol 200", "1+0", 0, "before"), PUT = looked_again },

  -- other people
  { "somebody edits another field between the GETs", somebody("keywords", { "theirs" }, { method = "GET", at = 2 }),
    is = outcome("changed", "2+1", 1, "mine, theirs") },
  { "somebody edits the same field between the GETs",
    somebody("question_message", "Theirs?", { method = "GET", at = 2 }), is = outcome("conflict", "2+0", 0, "theirs") },
  { "somebody edits the same field between the GETs, with on_conflict=mine",
    somebody("question_message", "Theirs?", { method = "GET", at = 2 }), opts = { on_conflict = "mine" }, is = fine },
  { "somebody makes the same edit between the GETs",
    { { fault = "edit", method = "GET", at = 2, merge = { settings = { question_message = "Mine?" } } } }, is = fine },
  { "somebody edits between the last GET and the PUT: the one round trip",
    somebody("keywords", { "theirs" }, { method = "PUT" }), is = fine },
  { "somebody edits another field right after the PUT",
    somebody("keywords", { "theirs" }, { method = "PUT", when = "after" }),
    is = outcome("changed", "2+1", 1, "mine, theirs") },
  { "somebody edits another field right after the PUT, and its answer is lost",
    { { fault = "reset_after", method = "PUT" },
      somebody("keywords", { "theirs" }, { method = "PUT", when = "after" }) },
    is = outcome("changed", "3+1", 1, "mine, theirs") },
  { "somebody edits another field, and the PUT is lost",
    { { fault = "reset", method = "PUT" }, somebody("keywords", { "theirs" }, { method = "PUT" }) },
    is = outcome("changed", "3+2", 1, "mine, theirs") },
  { "somebody edits the same field, and the PUT is lost",
    { { fault = "reset", method = "PUT" }, somebody("question_message", "Theirs?", { method = "PUT" }) },
    is = outcome("conflict?", "3+1", 0, "theirs") }, -- theirs may have been put over mine
  { "somebody edits the same field right after the PUT, and its answer is lost",
    { { fault = "reset_after", method = "PUT" },
      somebody("question_message", "Theirs?", { method = "PUT", when = "after" }) },
    is = outcome("conflict?", "3+1", 1, "theirs, part of mine") },

  -- a service that does not keep what it was sent
  { "a field is dropped, and the answer shows it", dropped(),
    is = outcome("unverified 200", "2+1", 1, "part of mine") },
  { "a field is dropped, and the answer hides it", dropped { echo = true },
    is = outcome("changed", "2+1", 1, "part of mine") },
  { "a field is dropped, and the answer hides it, with verify=read", dropped { echo = true },
    opts = { verify = "read" }, is = outcome("unverified 200", "3+1", 1, "part of mine") },
  { "a field is dropped, and the answer is lost", { { fault = "reset_after", method = "PUT" }, dropped() },
    is = outcome("changed", "3+2", 2, "mine") },
  { "a field is always dropped, and the answer is lost",
    { { fault = "reset_after", method = "PUT" }, dropped { times = "always" } },
    is = outcome("unverified 200", "3+2", 2, "part of mine") },
}

-- ---- one update -------------------------------------------------------------------------------------------------------

--- The edit: two of its marks are in a document that has it.
function faults.edit(cfg)
  cfg.settings.question_message = "Mine?"
  cfg.custom_guidelines:add { name = "Mine", description = "d", is_active = true }
end

-- The real transport but for two things: its clock runs fast while a client waits between two tries, and a request that is
-- meant to time out does so early.
local function hurried(real, is_slow)
  local skipped, counts, carrier = 0, {}, { waited = 0 }
  function carrier.now() return real:now() + skipped end
  function carrier:sleep(seconds)
    self.waited = self.waited + seconds
    skipped = skipped + seconds
    return real:sleep(0)
  end
  function carrier:request(req) -- luacheck: ignore self
    counts[req.method] = (counts[req.method] or 0) + 1
    local mine = {}
    for key, value in pairs(req) do mine[key] = value end
    if is_slow(req.method, counts[req.method]) then mine.timeout = SHORT end
    return real:request(mine)
  end
  return carrier
end

local function rules_of(row, method)
  local rules = {}
  for i, rule in ipairs(row[2].fault and { row[2] } or row[2]) do
    rules[i] = { agent = faults.agent }
    for key, value in pairs(rule) do rules[i][key] = value end
    rules[i].method = method or rule.method
  end
  return rules
end

local function describe_result(result, err)
  if result then return result.status end
  return err.kind .. (err.status and " " .. err.status or "") .. (err.unknown and "?" or "")
end

--- Makes one update; the service has the row's rules.
-- @param place the row's, in faults.rows
-- @param method which requests its rules are for, or nil where they say so
-- @param new handoff.client, or one that stands in for it
-- @param real a transport
-- @param opts more of the client's options: token, base_url
-- @return { gave = what the update gave, requests=, waited = seconds between tries, message= the error's, agent= its agent }
function faults.update(place, method, new, real, opts)
  local row = faults.rows[place]
  local rule = row.slow and rules_of(row, method)[1]
  local carrier = hurried(real, function(its_method, count)
    return rule and rule.method == its_method and (count == (rule.at or 1) or rule.times == "always")
  end)
  local result, err = new {
    name = faults.agent, token = opts.token, base_url = opts.base_url, retries = faults.retries, transport = carrier,
  }:update(faults.edit, row.opts)
  return {
    gave = describe_result(result, err), requests = result and result.requests, waited = carrier.waited,
    message = err and tostring(err), agent = err and err.agent,
  }
end

-- ---- the tests --------------------------------------------------------------------------------------------------------

--- What a stored document has of the edits, as the outcomes of the table say it.
function faults.holdings(text, before)
  if text == before then return "before" end
  local document, count, held = json.decode(text), 0, {}
  local settings = document.settings
  for _, guideline in ipairs(document.custom_guidelines) do count = count + (guideline.name == "Mine" and 1 or 0) end
  local message = settings.question_message
  if message == "Theirs?" or settings.keywords[1] == "theirs" then held[1] = "theirs" end
  if count > 1 then held[#held + 1] = "mine doubled" end
  local mine = (message == "Mine?" and 1 or 0) + count
  if mine == 2 then table.insert(held, 1, "mine") elseif mine > 0 then held[#held + 1] = "part of mine" end
  return table.concat(held, ", ")
end

local function print_outcomes(seen)
  if not os.getenv "HANDOFF_OUTCOMES" then return end
  io.write("\n| what goes wrong | hits | the update gives | GET+PUT | writes | stored afterwards | waited |\n",
    "|---|---|---|---|---|---|---|\n", table.concat(seen, "\n"), "\n")
end

--- Declares the tests, one for each outcome of the table. HANDOFF_OUTCOMES=1 prints what happened as a table.
-- @param how { update = function(box, place, method) → what faults.update gave, start = function(box), called before all tests,
--   or nil, check = function(told), of more that is to hold, or nil }
function faults.tests(how)
  local assert, busted = require "luassert", require "busted" -- not where nginx loads this
  local box, before
  local seen = {}
  busted.setup(function()
    box = require("support.sandbox").start { agents = 1, no_rate_limit = true }
    before = box:document(faults.agent)
    if how.start then how.start(box) end
  end)
  busted.teardown(function()
    box:stop()
    print_outcomes(seen)
  end)

  local function perform(place, method)
    box:store(faults.agent, before)
    box:faults(rules_of(faults.rows[place], method))
    box:reset()
    local told = how.update(box, place, method)
    local ledger = box:ledger()
    local counts = ledger.agents[faults.agent] or {}
    local happened = {
      told.gave, ("%d+%d"):format(counts.GET or 0, counts.PUT or 0), ledger.writes[faults.agent] or 0,
      faults.holdings(box:document(faults.agent), before),
    }
    seen[#seen + 1] = ("| %s | %s | %s | %s | %d | %s | %s |"):format(faults.rows[place][1], method or "", happened[1],
      happened[2], happened[3], happened[4], told.waited > 0 and ("%.1f s"):format(told.waited) or "")
    return happened, told, ledger.total
  end

  local function check(place, method, expected)
    local row = faults.rows[place]
    local happened, told, total = perform(place, method)
    assert.same(expected, happened, told.message)
    local gets, puts = expected[2]:match "^(%d)%+(%d)$"
    assert.equal(gets + puts, total) -- nothing was sent elsewhere
    if row.waited then assert.truthy(told.waited >= row.waited and told.waited < row.waited + 5, told.waited) end
    if how.check then how.check(told) end
    if not told.message then
      assert.equal(total - (row.repeated or 0), told.requests)
      return
    end
    assert.matches("^[^\n]+; [^\n]+$", told.message) -- one line: what, and what next
    assert.is_nil(told.message:find(box.agents[faults.agent].token, 1, true))
    assert.equal(faults.agent, told.agent)
  end

  for place, row in ipairs(faults.rows) do
    if row.is then busted.it("meets " .. row[1], function() check(place, nil, row.is) end) end
    for _, method in ipairs { "GET", "PUT" } do
      if row[method] then
        busted.it(("whose %s meets %s"):format(method, row[1]), function() check(place, method, row[method]) end)
      end
    end
  end
end

return faults
