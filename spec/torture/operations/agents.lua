-- SPDX-License-Identifier: MIT
-- Agents: one, many, their inventory, plans, files, policies, history.
local torture = torture -- luacheck: ignore
local list = {}
local function add(op) list[#list + 1] = op end

local sample = require "bench.sample"
local folders = require "torture.folder"
local refused = require "torture.refused"
local tellings = require "torture.tellings"

local function handoff() return require "handoff" end
local function core() return require "handoff.core" end
local function cfg_of() return assert(handoff().config(sample)) end

local folder = folders.path
local base_url = os.getenv "TORTURE_URL"
local AGENTS = 2

local path_of = folders.path_of
local write, read = folders.write, folders.read

local entries
local function agents()
  entries = entries or dofile(folder .. "/agents.lua")
  local some = {}
  for i = 1, AGENTS do
    some[i] = { name = entries[i].name, token = entries[i].token, tags = { region = "eu" }, base_url = base_url }
  end
  return some
end

-- ---- the service ---------------------------------------------------------------------------------------------------------

-- What the service allows in a minute is told apart by the clock, and each call gets one of its own.
local function transport()
  local t = require("handoff.transport").curl { loop = require("handoff.loop").new() }
  function t:now() return require("handoff.core").http.now() + 0 * #tostring(self) end -- luacheck: ignore
  return t
end

-- The sandbox, behind the library's back.
local backstage_transport
local function backstage(method, what, body)
  backstage_transport = backstage_transport or transport()
  local url = base_url:match "^%w+://[^/]+" .. "/_sandbox/" .. what
  local answer = assert(backstage_transport:request { method = method, url = url, body = body })
  assert(answer.status == 200, answer.body)
  return answer.body
end

-- What was under way when memory failed comes to its end first.
local function close(s)
  pcall(s.transport.loop.run, s.transport.loop)
  s.transport:close()
  if backstage_transport then backstage_transport:close() end
end

local afar = { transport = transport }
function afar.store()
  for _, agent in ipairs(agents()) do backstage("PUT", "document/" .. agent.name, sample) end
end
function afar.stored(count)
  local texts = {}
  for i, agent in ipairs(agents()) do
    if i <= count then texts[i] = handoff().config(backstage("GET", "document/" .. agent.name)):json() end
  end
  return table.concat(texts, "\n")
end

-- The same service in this state, without a connection: a request waits as its task does, and takes a tenth of the processor's
-- time of one that is sent. A run over a fleet asks for memory thousands of times, and each fails in a run of its own.
local at_hand = { texts = {} }
local answers = {} -- by what was there and what was sent: the service gives the same each time
local function answer_to(request)
  local texts, sent = at_hand.texts, request.body
  local who = request.headers.Authorization
  if sent then
    local key = texts[who] .. "\0" .. sent
    local id = 9000
    answers[key] = answers[key] or assert(require("handoff.sandbox.service").put(texts[who], sent, function()
      id = id + 1
      return id
    end))
    texts[who] = answers[key]
  end
  return { status = 200, headers = {}, body = texts[who], bytes_sent = 1 }
end
local function wait_for_answer(self, request)
  local slept, err = self.loop:sleep(0)
  if not slept then return nil, err end
  return torture.pause(answer_to, request)
end
function at_hand.transport()
  local t = transport()
  t.request = wait_for_answer
  return t
end
function at_hand.store()
  for _, agent in ipairs(agents()) do at_hand.texts["Bearer " .. agent.token] = sample end
end
function at_hand.stored(count)
  local texts = {}
  for i, agent in ipairs(agents()) do
    if i <= count then texts[i] = at_hand.texts["Bearer " .. agent.token] end
  end
  return table.concat(texts, "\n")
end

local function edit(cfg)
  cfg.settings.question_message = "Shall we get a colleague?"
  cfg.custom_guidelines:upsert { name = "Guideline 2", description = "Otherwise.", is_active = false }
end

-- ---- one agent -----------------------------------------------------------------------------------------------------------

local function one(name, run)
  add { name = "client " .. name, prepare = function()
    afar.store()
    return { transport = transport(), agent = agents()[1] }
  end, run = function(s)
    return run(handoff().client {
      name = s.agent.name, token = s.agent.token, base_url = base_url, transport = s.transport,
    })
  end, state = function() return afar.stored(1) end, finish = close, accepts = tellings.of_curl }
end

one("get", function(client)
  local cfg, err = client:get()
  return cfg and cfg:json(), err
end)
one("put", function(client)
  local cfg = cfg_of()
  edit(cfg)
  local after, err = client:put(cfg)
  return after and after:json(), err
end)
one("update", function(client)
  local outcome, err = client:update(edit, { verify = "read" })
  if not outcome then return nil, err end
  return { outcome.status, #outcome.changes, outcome.after:json() } -- not how many requests: one may have been tried again
end)
one("apply", function(client)
  local meant = cfg_of()
  edit(meant)
  local outcome, err = client:apply(cfg_of(), meant)
  if not outcome then return nil, err end
  return { outcome.status, outcome.after:json() }
end)
one("merge", function(client)
  local outcome, err = client:update(edit, { merge = true, verify = "answer" })
  if not outcome then return nil, err end
  return { outcome.status, outcome.after:json() }
end)
one("dry run", function(client)
  local outcome, err = client:update(edit, { dry_run = true })
  return outcome and { outcome.status, #outcome.changes }, err
end)

-- ---- many ----------------------------------------------------------------------------------------------------------------

local function summary(run, err)
  if not run then return nil, err end
  local rows = {}
  for i, result in ipairs(run.results) do
    if result.error then return nil, result.error end
    rows[i] = result.agent .. " " .. result.status .. " " .. #(result.changes or {})
  end
  return rows
end

local function without_history()
  os.remove(path_of "history.db")
  os.remove(path_of "history.db-runs")
end

local function fleet_of(carrier)
  return assert(handoff().fleet(agents(), { history = path_of "history.db", transport = carrier, concurrency = 2 }))
end

local function add_many(name, service, kinds, run, before)
  add { name = name, kinds = kinds, prepare = function()
    service.store()
    without_history()
    local s = { transport = service.transport() }
    if before then before(s, fleet_of(s.transport)) end
    return s
  end, run = function(s)
    return run(fleet_of(s.transport), s)
  end, finish = close, accepts = tellings.of_curl, partial = true,
  state = function() return service.stored(AGENTS) end }
end

-- Before each call: before(subject, fleet).
local function many(name, run, before)
  add_many("fleet " .. name, at_hand, { "lua" }, run, before)
  add_many("fleet " .. name .. " over HTTP", afar, { "own", "curl" }, run, before)
end

add_many("fleet get", afar, nil, function(fleet) return summary(fleet:get()) end)
many("update", function(fleet) return summary(fleet:update(edit, { history = false })) end)
many("update with history", function(fleet) return summary(fleet:update(edit)) end)
many("update in waves", function(fleet)
  return summary(fleet:update(edit, { waves = { 1, "100%" }, max_changes = 3, history = false }))
end)
many("undo", function(fleet, s) return summary(fleet:undo(s.id)) end, function(s, fleet)
  s.id = assert(fleet:update(edit)).id
end)
many("each", function(fleet)
  local run, err = fleet:select "region=eu":each(function(client, agent)
    local cfg, failed = client:get()
    return cfg and agent.name .. cfg.settings.timezone, failed
  end)
  local rows, failed = summary(run, err)
  return rows and { rows, run.results[1].value, run:text() }, failed
end)
many("identities", function(fleet)
  local some, err = fleet:shard(1, 1):identities()
  return some and { #some, some[1].key, #fleet:agents() }, err
end)
many("resume", function(fleet, s) return summary(fleet:resume(s.id, edit)) end, function(s, fleet)
  s.id = assert(fleet:update(edit, { waves = { 1 } })).id
end)
many("drift", function(fleet)
  local report, err = require("handoff.drift").look(fleet)
  if not report then return nil, err end
  return summary(report)
end)
many("query", function(fleet)
  local values, run = require("handoff.query").values(fleet, "settings.is_active")
  if not values then return nil, run end
  local rows, err = summary(run)
  return rows and { #values, values[1].value, values[1].count }, err
end)
for _, offline in ipairs { true, false } do
  many(offline and "doctor offline" or "doctor", function(fleet)
    local report, err = require("handoff.doctor").examine(fleet, { offline = offline })
    return report and #report.agents, err
  end)
end
many("digest", function(fleet)
  local digest = require "handoff.digest"
  local run, err = fleet:update(edit, { dry_run = true, history = false, on_result = digest.observe })
  local rows, failed = summary(run, err)
  return rows and { #digest.changes(run.results), #digest.warnings(run.results), #digest.errors(run.results) }, failed
end)

-- ---- history -------------------------------------------------------------------------------------------------------------

add { name = "history looked at", prepare = function()
  at_hand.store()
  without_history()
  local t = at_hand.transport()
  assert(fleet_of(t):update(edit))
  t:close()
end, run = function()
  local history, err = handoff().history(path_of "history.db")
  if not history then return nil, err end
  local runs, failed = history:runs()
  if not runs then return nil, failed end
  local names = {}
  local entries_of, wrong = runs[1]:entries()
  if not entries_of then return nil, wrong end
  for name, entry in entries_of do names[#names + 1] = name .. entry.status end
  local before, meant = runs[1]:documents(agents()[1].name)
  if not before then return nil, meant end
  history:close()
  return { runs[1].state, names, #before, #meant }
end }

-- Two writers who wait for one commit: neither waits for ever.
add { name = "history in groups", prepare = function() return require("handoff.loop").new() end, run = function(loop)
  local written = 0
  local place = { call = function(_, _, rows)
    loop:sleep(0)
    written = written + #rows
    return true
  end }
  local group = require("handoff.history.group").new(place, function(seconds) return loop:sleep(seconds) end)
  local first, second = loop:spawn(group.write, group, "a"), loop:spawn(group.write, group, "b")
  for _, task in ipairs { first, second } do
    local done, err = task:join()
    if not done then return nil, err end
  end
  return written
end, finish = function(loop)
  pcall(loop.run, loop)
  loop:close()
end }

-- ---- inventories ---------------------------------------------------------------------------------------------------------

local token = "eyJhbGciOiJIUzI1NiJ9.eyJzY2VuYXJpb19pZCI6ImFiYyIsImV4cCI6NDEwMjQ0NDgwMH0.c2ln"
local forms = {
  lua = ('return { { name = "a", token = %q, tags = { region = "eu" } }, { name = "b", token = env "HOME" } }')
    :format(token),
  json = ('[{"name":"a","token":"%s","tags":{"region":"eu"}},{"name":"b","token_env":"HOME","retries":2}]')
    :format(token),
  csv = ("name,token,token_env,tag.region\na,%s,,eu\nb,,HOME,us\n"):format(token),
}
for form, text in pairs(forms) do
  local function prepare() return write("inventory." .. form, text) end
  add { name = "inventory " .. form, prepare = prepare, run = function(path)
    local some, err = require("handoff.inventory").load(path)
    if not some then return nil, err end
    local lines = {}
    for i, agent in ipairs(some) do lines[i] = agent.name .. (agent.tags.region or "") .. tostring(agent) end
    return lines
  end }
  add { name = "inventory that is wrong, " .. form, prepare = function()
    return write("inventory." .. form, (text:gsub("name", "nam", 1)))
  end, run = function(path)
    return refused(require("handoff.inventory").load, path)
  end }
end
add { name = "inventory tokens", prepare = function()
  local some = {}
  for i = 1, 2 do
    some[i] = { name = "a" .. i, token_file = write("token" .. i, token:gsub("c2ln", "c2l" .. i) .. "\n") }
  end
  return some
end, run = function(some)
  local inventory = require "handoff.inventory"
  local loaded, err = inventory.load(some)
  if not loaded then return nil, err end
  local ok, wrong = inventory.resolve(loaded, 1800000000)
  if not ok then return nil, wrong end
  return { inventory.identity(loaded[1], base_url), #inventory.duplicates(loaded) }
end }

-- ---- plans, desired state, policies --------------------------------------------------------------------------------------

add { name = "plan", prepare = function()
  return { path = write("a.plan", "before"), cfg = cfg_of() }
end, run = function(s)
  local plan = require "handoff.plan"
  local changed = cfg_of()
  edit(changed)
  local writer, err = plan.create(s.path, { edit = "x" })
  if not writer then return nil, err end
  writer:add("a", "key", { before_text = s.cfg:text(), after_text = changed:text(), changes = changed:changes() })
  local ok, failed = writer:finish()
  if not ok then return nil, failed end
  local saved, broken = plan.read(s.path)
  if not saved then return nil, broken end
  local cfg = cfg_of()
  local kept, moved = plan.edit(saved)(cfg, { name = "a" })
  if kept == nil and moved then return nil, moved end
  local same, other = plan.check(saved, { { name = "a", key = "key" } })
  if not same then return nil, other end
  local outcome, wrong = plan.outcome(s.cfg:text(), changed:text())
  if not outcome then return nil, wrong end
  return { cfg:json(), saved.names, #outcome:changes() }
end, finish = function(s)
  os.remove(s.path)
  os.remove(s.path .. ".part")
end }

local state = [[
-- what the shop is to have
return {
  settings = { timezone = "Europe/London", keywords = { "agent", "human" }, is_active = false }, -- off
  custom_guidelines = { { name = "Guideline 1", description = "Other.", is_active = true } },
  routing_profiles = { { name = "Topic 1", user_ids = { 12345678901234567890 } } },
}
]]
add { name = "desired lua", prepare = function()
  return { path = write("shop.lua", state), cfg = cfg_of() }
end, run = function(s)
  local desired = require "handoff.desired"
  local value, err = desired.read(s.path)
  if not value then return nil, err end
  desired.edit(value)(s.cfg)
  local new, old = desired.write(s.cfg, "lua"), desired.write(s.cfg, "lua", state)
  return { s.cfg:json(), new, old, (desired.write(s.cfg, "json")) }
end }
add { name = "desired as a configuration", run = function()
  local desired = require "handoff.desired"
  return { desired.is_data(state), desired.is_data "--[[", desired.config({ settings = { is_active = true } }):json() }
end }
add { name = "desired that is wrong", prepare = function()
  return write("wrong.lua", (state:gsub("Europe/London", "Europe/Londn")))
end, run = function(path)
  local value, err = require("handoff.desired").read(path)
  return not value and err.message
end }
add { name = "desired saved", prepare = function()
  write("desired/shop.lua", state)
  return cfg_of()
end, run = function(cfg)
  local desired = require "handoff.desired"
  local saved, err = desired.save(cfg, folder .. "/desired", "shop", "lua")
  if not saved then return nil, err end
  local all, failed = desired.folder(folder .. "/desired")
  if not all then return nil, failed end
  return saved.status
end, state = function() return read(folder .. "/desired/shop.lua") end }

local rules = [[
  describe("shops", "name~shop-*", function()
    it("are open", function(agent) expect(agent):open_at "tue 11:00":closed_at "sun 3:00" end)
    it("are on", function(agent) expect(agent.config.settings.is_active):equals(false) end)
    it("hand over", function(agent)
      expect(agent):hands_over { message = "an agent, please" }:says("question", "colleagues")
    end)
    it("notify", function(agent) expect(agent):notifies { user_ids = {} }:routes("Topic 1", { 7 }) end)
    it("have", function(agent)
      expect(agent):has("settings.timezone", "Europe/Warsaw"):passes_check()
      expect(agent.config.settings.keywords):contains "agent"
      expect(#agent.config.custom_guidelines):at_least(1):at_most(5)
    end)
  end)]]

local function policy_file() return write("policy.lua", rules) end
local shop = { name = "shop-a", tags = {} }
local at = { at = 1795608000 }

-- A test that raised for want of memory failed by that, and says so.
local function short_of_memory(findings)
  for _, finding in ipairs(findings) do
    if finding.message and finding.message:find "not enough memory" then return finding end
  end
end

add { name = "policy", prepare = policy_file, run = function(path)
  local suite, err = handoff().policy(path)
  if not suite then return nil, err end
  local findings = suite:hold(cfg_of(), shop, at)
  if short_of_memory(findings) then return nil, short_of_memory(findings) end
  local seen = {}
  for i, finding in ipairs(findings) do seen[i] = finding.status .. (finding.message or "") end
  return seen
end }
add { name = "policy report", prepare = policy_file, run = function(path)
  local suite, err = handoff().policy(path)
  if not suite then return nil, err end
  local report, findings = suite:report(), suite:hold(cfg_of(), shop, at)
  if short_of_memory(findings) then return nil, short_of_memory(findings) end
  report:add(shop.name, findings)
  report:add_unreadable("shop-b", core().error.new { kind = "network", message = "gone" })
  return report:finish()
end }
add { name = "policy gate", prepare = policy_file, run = function(path)
  local suite, err = handoff().policy(path)
  if not suite then return nil, err end
  local gate, meant = suite:gate { shop }, cfg_of()
  edit(meant)
  local outcome = { status = "changed", before_text = sample, after_text = meant:text(), changes = meant:changes() }
  gate:observe({ agent = shop.name, status = "changed" }, outcome)
  local came = gate:finish()
  local admitted, failed = gate:admit({ agent = shop.name }, sample, meant:text(), true)
  return came and { came.failed, admitted, failed and failed.kind or "none" }
end, accepts = function(text) return text:find "the policy" ~= nil end }

-- ---- the sandbox, in this state -------------------------------------------------------------------------------------------

-- LuaJIT's allocator does not fail here: one of its library functions in assembler, while it makes a new short text, then crashes
-- the VM itself, in the unwinding of its own error (no frame but its own is on the stack).
local kinds = { "own", not rawget(_G, "jit") and "lua" or nil }

add { name = "sandbox looked at", kinds = kinds, run = function()
  local sandboxes = require "handoff.sandbox"
  local box, err = sandboxes.new { agents = 2, seed = 3 }
  if not box then return nil, err end
  local some = box:agents()
  box:set_faults { { fault = "status", status = 503 } }
  box:revoke(some[2].name)
  local seen = { #box:document(some[1].name), box:requests().total, #sandboxes.inventory_text(some, base_url) }
  local ok, failed = sandboxes.write_inventory(path_of "inventory of a sandbox.lua", some)
  box:close()
  if not ok then return nil, failed end
  return seen
end, finish = function() os.remove(path_of "inventory of a sandbox.lua") end }
add { name = "sandbox", kinds = kinds, run = function()
  local box, err = require("handoff.sandbox").new { agents = 2, seed = 3 }
  if not box then return nil, err end
  local engine = core().http.engine()
  local agent = box:agents()[1]
  local transfer = engine:submit({ method = "GET", url = box:base_url() .. "human_handoff/configuration", timeout = 5,
    headers = { Authorization = "Bearer " .. agent.token } }, {}, true)
  repeat
    engine:step(0)
    box:step(0)
  until engine:next()
  local answer, failed = transfer:result()
  engine:close()
  box:close()
  if not answer then return nil, failed end
  return { answer.status, #answer.body }
end, accepts = tellings.dropped }

return list
