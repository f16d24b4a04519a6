-- SPDX-License-Identifier: MIT
-- Agents: one, many, their inventory, plans, files, policies, history.
local list = {}
local function add(op) list[#list + 1] = op end

local sample = require "bench.sample"
local refused = require "torture.refused"
local tellings = require "torture.tellings"

local function handoff() return require "handoff" end
local function cfg_of() return assert(handoff().config(sample)) end

local folder = os.getenv "TORTURE_FOLDER"
local base_url = os.getenv "TORTURE_URL"
local AGENTS = 3

local function path_of(name) return folder .. "/" .. name end

local function write(name, text)
  local file = assert(io.open(path_of(name), "wb"))
  file:write(text)
  file:close()
  return path_of(name)
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a"
  if file then file:close() end
  return text or "nothing"
end

local entries
local function agents()
  entries = entries or dofile(folder .. "/agents.lua")
  local some = {}
  for i = 1, AGENTS do
    some[i] = { name = entries[i].name, token = entries[i].token, tags = { region = "eu" }, base_url = base_url }
  end
  return some
end

-- ---- the service, behind the library's back ------------------------------------------------------------------------------

local function backstage(method, what, body)
  local transport = require("handoff.transport").curl { loop = require("handoff.loop").new() }
  local url = base_url:match "^%w+://[^/]+" .. "/_sandbox/" .. what
  local answer = assert(transport:request { method = method, url = url, body = body })
  transport:close()
  assert(answer.status == 200, answer.body)
  return answer.body
end

-- What the service allows in a minute is told apart by the clock, and each call gets one of its own.
local function transport()
  local t = require("handoff.transport").curl { loop = require("handoff.loop").new() }
  function t:now() return require("handoff.core").http.now() + 0 * #tostring(self) end -- luacheck: ignore
  return t
end

-- What was under way when memory failed comes to its end first.
local function close(s)
  pcall(s.transport.loop.run, s.transport.loop)
  s.transport:close()
end

local function store()
  for _, agent in ipairs(agents()) do backstage("PUT", "document/" .. agent.name, sample) end
end

local function stored(count)
  local texts = {}
  for i, agent in ipairs(agents()) do
    if i <= count then texts[i] = handoff().config(backstage("GET", "document/" .. agent.name)):json() end
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
    store()
    return { transport = transport(), agent = agents()[1] }
  end, run = function(s)
    return run(handoff().client {
      name = s.agent.name, token = s.agent.token, base_url = base_url, transport = s.transport,
    })
  end, state = function() return stored(1) end, finish = close, accepts = tellings.of_curl }
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

local function many(name, run, more)
  local op = { name = "fleet " .. name, prepare = function()
    store()
    os.remove(path_of "history.db")
    os.remove(path_of "history.db-runs")
    return { transport = transport() }
  end, run = function(s)
    return run(assert(handoff().fleet(agents(), {
      history = path_of "history.db", transport = s.transport, concurrency = 2,
    })), s)
  end, state = function() return stored(AGENTS) end, finish = close, accepts = tellings.of_curl, partial = true }
  for key, value in pairs(more or {}) do op[key] = value end
  add(op)
end

many("get", function(fleet) return summary(fleet:get()) end)
many("update", function(fleet) return summary(fleet:update(edit, { history = false })) end)
many("update with history", function(fleet) return summary(fleet:update(edit)) end)
many("update in waves", function(fleet)
  return summary(fleet:update(edit, { waves = { 1, "100%" }, max_changes = 3, history = false }))
end)
many("undo", function(fleet, s)
  return summary(fleet:undo(s.id))
end, { prepare = function()
  store()
  os.remove(path_of "history.db")
  os.remove(path_of "history.db-runs")
  local t = transport()
  local fleet = assert(handoff().fleet(agents(), { history = path_of "history.db", transport = t, concurrency = 2 }))
  return { transport = t, id = assert(fleet:update(edit)).id }
end })
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
many("doctor", function(fleet)
  local report, err = require("handoff.doctor").examine(fleet, { offline = true })
  return report and #report.agents, err
end)
many("digest", function(fleet)
  local digest = require "handoff.digest"
  local run, err = fleet:update(edit, { dry_run = true, history = false, on_result = digest.observe })
  local rows, failed = summary(run, err)
  return rows and { #digest.changes(run.results), #digest.warnings(run.results), #digest.errors(run.results) }, failed
end)

-- ---- history -------------------------------------------------------------------------------------------------------------

add { name = "history looked at", prepare = function()
  store()
  os.remove(path_of "history.db")
  os.remove(path_of "history.db-runs")
  local t = transport()
  local fleet = assert(handoff().fleet(agents(), { history = path_of "history.db", transport = t }))
  assert(fleet:update(edit))
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
  return { cfg:json(), saved.names }
end, finish = function(s)
  os.remove(s.path)
  os.remove(s.path .. ".part")
end }

local state = [[
-- what the shop is to have
return {
  settings = { timezone = "Europe/London", keywords = { "agent", "human" }, is_active = false }, -- off
  custom_guidelines = { { name = "Guideline 1", description = "Other.", is_active = true } },
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

add { name = "policy", prepare = function()
  return write("policy.lua", [[
    describe("shops", "name~shop-*", function()
      it("are open", function(agent) expect(agent):open_at "tue 11:00" end)
      it("are on", function(agent) expect(agent.config.settings.is_active):equals(false) end)
    end)]])
end, run = function(path)
  local suite, err = handoff().policy(path)
  if not suite then return nil, err end
  local findings = suite:hold(cfg_of(), { name = "shop-a", tags = {} }, { at = 1795608000 })
  local seen = {}
  for i, finding in ipairs(findings) do
    if finding.message and finding.message:find "not enough memory" then return nil, finding end
    seen[i] = finding.status .. (finding.message or "")
  end
  return seen
end }

-- ---- the sandbox, in this state -------------------------------------------------------------------------------------------

-- LuaJIT's allocator does not fail here: one of its library functions in assembler, while it makes a new short text, then crashes
-- the VM itself, in the unwinding of its own error (no frame but its own is on the stack).
add { name = "sandbox", kinds = { "own", not rawget(_G, "jit") and "lua" or nil }, run = function()
  local core = require "handoff.core"
  local box, err = require("handoff.sandbox").new { agents = 2, seed = 3 }
  if not box then return nil, err end
  local engine = core.http.engine()
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
