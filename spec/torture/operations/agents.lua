-- SPDX-License-Identifier: MIT
-- Agents: many, their inventory, plans, files, policies, history.
local list = {}
local function add(op) list[#list + 1] = op end

local sample = require "bench.sample"
local folders = require "torture.folder"
local refused = require "torture.refused"
local service = require "torture.service"
local tellings = require "torture.tellings"

local function handoff() return require "handoff" end
local function core() return require "handoff.core" end
local function cfg_of() return assert(handoff().config(sample)) end

local folder = folders.path
local base_url, AGENTS, agents, edit = service.base_url, service.AGENTS, service.agents, service.edit
local afar, at_hand, close = service.afar, service.at_hand, service.close
local path_of, write, read = folders.path_of, folders.write, folders.read

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

local function add_many(name, side, kinds, run, before)
  add { name = name, kinds = kinds, prepare = function()
    side.store()
    without_history()
    local s = { transport = side.transport() }
    if before then before(s, fleet_of(s.transport)) end
    return s
  end, run = function(s)
    return run(fleet_of(s.transport), s)
  end, finish = close, accepts = tellings.of_curl, partial = true,
  state = function() return side.stored(AGENTS) end }
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
many("resume of a run that was killed", function(fleet, s)
  return summary(fleet:resume(s.id, edit))
end, function(s, fleet)
  local history = assert(handoff().history(path_of "history.db"))
  local meant, some = cfg_of(), assert(fleet:identities())
  edit(meant)
  local run = assert(history:start { kind = "update", agents = some })
  for _, agent in ipairs(some) do assert(run:writing(agent.name, sample, meant:text())) end
  history:close()
  assert(fleet:select("name=" .. some[1].name):update(edit, { history = false })) -- the other's PUT did not arrive
  s.id = run.id
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

local function with_a_run()
  at_hand.store()
  without_history()
  local t = at_hand.transport()
  assert(fleet_of(t):update(edit))
  t:close()
end

add { name = "history looked at", prepare = with_a_run, run = function()
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

add { name = "history only looked at", prepare = with_a_run, run = function()
  local history, err = require("handoff.history").look(path_of "history.db")
  if not history then return nil, err end
  local run, failed = history:run(1)
  if not run then return nil, failed end
  local known, wrong = history:known()
  if not known then return nil, wrong end
  local complete, why = run:complete()
  if complete == nil then return nil, why end
  local parts, unknown = run:remaining()
  if not parts then return nil, unknown end
  local names = { #parts }
  for _, entry in pairs(known) do
    local before, unread = entry:documents()
    if not before then return nil, unread end
    names[entry.name] = #before
  end
  history:close()
  return { names, run.state, #tostring(run), complete }
end }
add { name = "history of a run that is dropped", prepare = without_history, run = function()
  local history, err = require("handoff.history").open(path_of "history.db")
  if not history then return nil, err end
  local run, failed = history:start { kind = "update", edit = "x", agents = { { name = "a", key = "k" } } }
  if not run then return nil, failed end
  local planned, wrong = run:plan("a", sample, "meant", 1)
  if not planned then return nil, wrong end
  local dropped, why = run:drop()
  if not dropped then return nil, why end
  local runs, missing = history:runs()
  if not runs then return nil, missing end
  history:close()
  return #runs == 0
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
