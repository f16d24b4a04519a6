-- SPDX-License-Identifier: MIT
-- What the reference says is what there is: held against the live tables, whoever reads its comments.
local handoff = require "handoff"
local core = require "handoff.core"
local files = require "handoff.file"
local reference = require "handoff.reference"
local program = require "support.program"

local function read(path) return assert(files.read(path)) end

local function methods_of(object) return debug.getmetatable(object).__index end

local function upvalue(fn, wanted)
  for i = 1, math.huge do
    local name, value = debug.getupvalue(fn, i)
    if not name then return nil end
    if name == wanted then return value end
  end
end

-- The methods of lists are in the table of references that every function of the core has as its first upvalue.
local function list_methods(cfg)
  local _, references = debug.getupvalue(debug.getmetatable(cfg).__index, 1)
  for _, value in pairs(references) do
    if type(value) == "table" and rawget(value, "upsert") then return value end
  end
end

-- What cannot be loaded outside nginx is read: the names of its functions.
local function named_in(path, owner)
  local names = {}
  for mark, name in read(path):gmatch("\nfunction " .. owner .. "([.:])([%w_]+)%(") do names[name] = mark end
  return names
end

local function both(a, b)
  local all = {}
  for _, one in ipairs { a, b } do
    for name, value in pairs(one) do all[name] = value end
  end
  return all
end

local document = '{"settings":{},"availability":[],"generic_guidelines":[],"custom_guidelines":[],'
  .. '"routing_profiles":[]}'

-- Where the functions of each class and module really are, by its name.
local function live_tables(folder)
  local path = folder .. "/policy.lua"
  local file = assert(io.open(path, "w"))
  file:write 'it("is", function() end)'
  file:close()
  local suite = assert(handoff.policy(path))
  local writer = assert(require("handoff.plan").create(folder .. "/x.plan", {}))
  local history = assert(require("handoff.history").look(folder .. "/history.db"))
  local box = assert(require("handoff.sandbox").new { agents = 1 })
  local loop = require("handoff.loop").new()
  local value, agent = require "handoff.policy.value", require "handoff.policy.agent"
  local live = {
    handoff = handoff, ["handoff.json"] = handoff.json, Config = core.config.methods,
    List = list_methods(assert(handoff.config(document))), Week = methods_of(handoff.week "mon 09:00-10:00"),
    Client = upvalue(methods_of(handoff.client { token = "a.b.c" }), "Client"),
    Fleet = methods_of(assert(handoff.fleet {})), Run = methods_of(require("handoff.fleet.run").new {}),
    History = methods_of(history), RecordedRun = require("handoff.history.record").class(history).__index,
    RunningRun = methods_of(require("handoff.history.run").new()), Writer = methods_of(writer),
    Suite = methods_of(suite), PolicyReport = methods_of(suite:report()), PolicyGate = methods_of(suite:gate {}),
    Expectation = both(value.matchers, agent.matchers), Transport = methods_of(require("handoff.transport").curl()),
    Loop = methods_of(loop), Task = methods_of(loop:spawn(function() end)), Box = methods_of(box), Error = {},
    Zone = methods_of(assert(require("handoff.time").zone "UTC")),
    ["handoff.nginx"] = named_in("lua/handoff/nginx.lua", "hn"),
    Cache = named_in("lua/handoff/nginx/cache.lua", "Cache"),
  }
  loop:run()
  writer:discard()
  history:close()
  box:close()
  return live
end

-- What the reference says of each class and module: { [owner] = { [name] = item } }, functions and fields.
local function described()
  local owners = {}
  for _, page in ipairs(assert(reference.pages())) do
    owners[page.name] = owners[page.name] or {}
    for _, item in ipairs(page.items) do
      local owner = item.class or page.name
      owners[owner] = owners[owner] or {}
      if item.kind ~= "table" then owners[owner][item.name] = item end
    end
  end
  return owners
end

local function each_item(visit)
  for _, page in ipairs(assert(reference.pages())) do
    for _, item in ipairs(page.items) do visit(item, page.name .. ": " .. item.name) end
  end
end

describe("the reference", function()
  local folder, live, owners
  setup(function()
    folder = program.folder()
    live, owners = live_tables(folder), described()
  end)
  teardown(function() program.remove(folder) end)

  it("has every public function and field, and none that is not there", function()
    local odd = {}
    for owner, items in pairs(owners) do
      local there = live[owner] or require(owner)
      for name in pairs(there) do
        if not items[name] and name:sub(1, 1) ~= "_" then odd[#odd + 1] = owner .. ": nothing is said of " .. name end
      end
      for name in pairs(items) do
        if there[name] == nil then odd[#odd + 1] = owner .. ": there is no " .. name end
      end
    end
    table.sort(odd)
    assert.same({}, odd)
  end)

  it("says something of each, and of each parameter by its name", function()
    local odd = {}
    each_item(function(item, where)
      if not item.is_local and not item.text:find "%w" then odd[#odd + 1] = where end
    end)
    for owner, items in pairs(owners) do
      local there = live[owner] or require(owner)
      for name, item in pairs(items) do
        local fn, names = there[name], {}
        for _, param in ipairs(item.params) do names[#names + 1] = not param.name:find "%w%." and param.name or nil end
        local is_lua = type(fn) == "function" and not item.is_local and debug.getinfo(fn, "S").what == "Lua"
        -- matchers get what the test expects something of first, as methods do themselves
        local first = is_lua and item.class and 1 or 0
        for i = 1, is_lua and debug.getinfo(fn, "u").nparams - first or 0 do
          local param = debug.getlocal(fn, i + first)
          if names[i] == nil then odd[#odd + 1] = ("%s.%s: nothing is said of %s"):format(owner, name, param) end
        end
      end
    end
    assert.same({}, odd)
  end)

  it("says what is returned where something is", function()
    local odd, lines = {}, {}
    each_item(function(item, where)
      local owner = item.class or where:match "^[^:]+"
      local fn = (live[owner] or require(owner))[item.name]
      local of = type(fn) == "function" and debug.getinfo(fn, "S")
      -- what matchers return is for expect alone, which returns nothing
      if not of or of.what ~= "Lua" or item.is_local or item.returns[1] or owner == "Expectation" then return end
      local path = of.source:sub(2)
      if not lines[path] then
        lines[path] = {}
        for line in (read(path) .. "\n"):gmatch "(.-)\n" do table.insert(lines[path], line) end
      end
      for i = of.linedefined, of.lastlinedefined do
        local value = (" " .. lines[path][i]):match "%sreturn%s+(%S+)"
        if value and value ~= "end" then odd[#odd + 1] = ("%s: nothing is said of what it returns"):format(where) end
      end
    end)
    assert.same({}, odd)
  end)

  it("has the options that there are", function()
    local rows = { ClientOptions = require("handoff.client").rows }
    for _, name in ipairs { "update", "undo" } do
      rows[#rows + 1] = upvalue(live.Fleet[name], name .. "_rows")
    end
    rows.RunOptions, rows.UpdateOptions = rows[1], upvalue(live.Client.update, "update_rows")
    rows.Event = upvalue(upvalue(require("handoff.simulate").run, "read_event"), "rows")
    rows.FleetOptions = {}
    for name, row in pairs(upvalue(require("handoff.fleet").new, "fleet_rows")) do
      if not rows.ClientOptions[name] then rows.FleetOptions[name] = row end -- which it has besides
    end
    local seen = 0
    each_item(function(item)
      if not rows[item.name] then return end
      local names, expected = {}, {}
      for _, field in ipairs(item.params) do names[field.name] = true end
      for name in pairs(rows[item.name]) do expected[name] = true end
      assert.same(expected, names, item.name)
      seen = seen + 1
    end)
    assert.equal(5, seen)
  end)

  -- What is read of options that are all wrong, each function's with its own name for them: { [owner.name] = rows }. Those of
  -- nginx are read inside nginx alone, and the core's in C.
  local function rows_read()
    local options, wrong, all = require "handoff.options", { ["?"] = true }, {}
    local cfg, fleet, take = assert(handoff.config(document)), assert(handoff.fleet {}), options.read
    local history = assert(require("handoff.history").open(folder .. "/options.db"))
    local run = assert(history:start { kind = "update", agents = { { name = "a", key = "k" } } })
    assert(run:plan("a", document, document, 0))
    local suite = assert(handoff.policy(folder .. "/policy.lua"))
    local function of(name, fn, ...)
      options.read = function(given, rows, what)
        if given == wrong then all[name] = rows end
        return take(given, rows, what)
      end
      local ok, err = pcall(fn, ...)
      options.read = take
      assert(not ok and err.rule == "unknown" and all[name], name)
    end
    of("handoff.doctor.examine", require("handoff.doctor").examine, fleet, wrong)
    of("handoff.drift.look", require("handoff.drift").look, fleet, wrong)
    of("handoff.timetable.new", require("handoff.timetable").new, wrong)
    of("handoff.sandbox.new", require("handoff.sandbox").new, wrong)
    of("handoff.history.open", require("handoff.history").open, folder .. "/other.db", wrong)
    of("History.runs", history.runs, history, wrong)
    of("History.ended", history.ended, history, 1, wrong)
    of("History.start", history.start, history, wrong)
    of("History.reopen", history.reopen, history, 1, wrong)
    of("RunningRun.done", run.done, run, "a", "changed", wrong)
    of("Suite.hold", suite.hold, suite, cfg, { name = "a" }, wrong)
    run:drop()
    history:close()
    return all
  end

  it("has the options of each function that names its own", function()
    local rows, odd = rows_read(), {}
    each_item(function(item, where)
      local owner = item.class or where:match "^[^:]+"
      local key, names = owner .. "." .. item.name, nil
      for _, param in ipairs(item.kind == "function" and item.params or {}) do
        local name = param.name:match "^%a+%.(%a[%w_]*)$"
        if name then
          names = names or {}
          names[name] = true
        end
      end
      local fn = (live[owner] or require(owner))[item.name]
      if not rows[key] then
        local is_lua = type(fn) == "function" and debug.getinfo(fn, "S").what == "Lua"
        odd[#odd + 1] = names and is_lua and key .. ": nothing holds its options" or nil
        return
      end
      for name in pairs(rows[key]) do
        if not (names and names[name]) then odd[#odd + 1] = ("%s: nothing is said of %s"):format(key, name) end
      end
      for name in pairs(names or {}) do
        if not rows[key][name] then odd[#odd + 1] = ("%s: there is no %s"):format(key, name) end
      end
      rows[key] = nil
    end)
    for key in pairs(rows) do odd[#odd + 1] = key .. ": nothing is said of its options" end
    table.sort(odd)
    assert.same({}, odd)
  end)

  -- What is odd about an object, beside the fields that the reference has for its class.
  local function hold(odd, class, object)
    local fields = {}
    each_item(function(item)
      if item.kind ~= "table" or item.name ~= class then return end
      for _, field in ipairs(item.params) do fields[field.name] = field end
    end)
    for name in pairs(object) do
      if not fields[name] then odd[#odd + 1] = ("%s: nothing is said of %s"):format(class, tostring(name)) end
    end
    for name, field in pairs(fields) do
      if object[name] == nil and not field.optional then odd[#odd + 1] = ("%s: there is no %s"):format(class, name) end
    end
  end

  it("has the fields that objects have", function()
    local sandbox = program.sandbox(2)
    finally(sandbox.stop)
    local path, odd = folder .. "/runs.db", {}
    local fleet = assert(handoff.fleet(sandbox.inventory, { base_url = sandbox.url, history = path }))
    local run = assert(fleet:update(function(cfg) cfg.settings.timezone = "Asia/Tokyo" end,
      { on_result = function(_, outcome) hold(odd, "Outcome", outcome) end }))
    hold(odd, "Run", run)
    hold(odd, "Result", run.results[1])
    hold(odd, "Change", run.results[1].changes[1])
    hold(odd, "Agent", { name = fleet:agents()[1].name })
    local history = assert(handoff.history(path))
    hold(odd, "RecordedRun", history:runs()[1])
    history:close()
    local report = assert(require("handoff.drift").look(fleet))
    hold(odd, "Report", report)
    hold(odd, "DriftResult", report.results[1])
    local cfg = assert(fleet:get()).results[1].value
    cfg.availability, cfg.settings.working_hours_active = {}, true
    hold(odd, "Issue", cfg:check()[1])
    hold(odd, "Span", handoff.week("mon 09:00-10:00"):spans()[1])
    hold(odd, "Simulation", assert(handoff.simulate(cfg, {})))
    local drawn = assert(require("handoff.timetable").new { agents = { { agent = "a", cfg = cfg } }, at = 1e9 })
    hold(odd, "Timetable", drawn)
    hold(odd, "TimetableRow", drawn.rows[1])
    hold(odd, "Suite", assert(handoff.policy(folder .. "/policy.lua")))
    program.write(folder .. "/shop.lua", "return { availability = {} }")
    hold(odd, "DesiredFile", assert(require("handoff.desired").read(folder .. "/shop.lua")))
    local _, err = handoff.client({ token = "a.b.c", base_url = sandbox.url, retries = 0 }):get()
    err.where = nil
    hold(odd, "Error", err)
    local response = assert(require("handoff.transport").default():request { method = "GET", url = sandbox.url })
    hold(odd, "Response", { status = response.status, headers = response.headers, body = response.body,
      http_version = response.http_version, bytes_sent = response.bytes_sent, bytes_received = response.bytes_received,
      times = response.times, reused = response.reused })
    table.sort(odd)
    assert.same({}, odd)
  end)

  it("has a page of each module that the README and the examples that are scripts require", function()
    local pages, odd = {}, {}
    for _, page in ipairs(assert(reference.pages())) do pages[page.name] = true end
    local said = program.run "cat README.md .github/*.md examples/*.md examples/*.lua examples/[pr]*/*"
    for name in said:gmatch 'require[ (]+"(handoff[%w_.]*)"' do odd[#odd + 1] = not pages[name] and name or nil end
    assert.same({}, odd)
    assert.is_true(pages["handoff.drift"])
  end)

  it("shows each page once, by subject", function()
    local listed, pages = { configuration = true }, { configuration = true }
    for _, page in ipairs(assert(reference.pages())) do pages[page.name] = true end
    for _, subject in ipairs(reference.subjects) do
      for _, name in ipairs(subject) do
        assert.is_true(name == "configuration" or not listed[name], name)
        listed[name] = true
      end
    end
    assert.same(pages, listed)
  end)

  -- LDoc reads the same comments by itself: with a word about none of them, and to the same names.
  it("is what LDoc makes of it", function()
    local output, status = program.run(("%s spec/support/reference.lua %s %s/doc"):format(program.lua, folder, folder))
    assert.equal(0, status, output)
    output, status = program.run(("cd %s && ldoc --fatalwarnings -q ."):format(folder),
      { LUA_PATH = false, LUA_CPATH = false, LUA_PATH_5_4 = false, LUA_CPATH_5_4 = false, LD_PRELOAD = false })
    assert.equal(0, status, output)
    assert.equal("", (output:gsub("found master module[^\n]*\n", ""):gsub("reading configuration from[^\n]*\n", "")))
    local shown, expected = {}, {}
    for _, page in ipairs(assert(reference.pages())) do
      local path = ("%s/doc/%s/%s.html"):format(folder, page.is_class and "classes" or "modules", page.name)
      for id in read(path):gmatch '<section id="([^"]+)"' do shown[page.name .. " " .. id:match "[^:.]*$"] = true end
      for _, item in ipairs(page.items) do
        if not item.is_local then expected[page.name .. " " .. item.name] = true end
      end
    end
    local odd = {}
    for name in pairs(both(expected, shown)) do
      if not (expected[name] and shown[name]) then odd[#odd + 1] = name end
    end
    assert.same({}, odd)
    local fields = read(folder .. "/doc/modules/configuration.html")
    for _, class in ipairs(reference.configuration()) do
      for _, field in ipairs(class.fields) do
        assert.truthy(fields:find(("<code>%s</code>"):format(field.name), 1, true), field.name)
      end
    end
  end)
end)
