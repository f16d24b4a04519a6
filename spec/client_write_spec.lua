-- SPDX-License-Identifier: MIT
--- The guarded write: what others edit meanwhile, and what becomes of a PUT whose answer never comes.
local handoff = require "handoff"
local core = require "handoff.core"
local document = require "support.document"
local services = require "support.service"

local unpack = table.unpack or unpack

local function set_zone(zone) return function(cfg) cfg.settings.timezone = zone end end
local function deactivate(cfg) cfg.settings.is_active = false end
local function add_item(cfg) cfg.custom_guidelines:add { name = "New", description = " d ", is_active = true } end
local function remove_slot(cfg) cfg.availability:remove { id = 2 } end

local function both(cfg)
  set_zone "UTC"(cfg)
  add_item(cfg)
end

describe("a guarded write", function()
  local service, client

  before_each(function()
    service = services.start()
    client = service:client()
  end)
  after_each(function() service:close() end)

  local function update(fn, opts, with)
    return service:run(function() return (with or client):update(fn, opts) end)
  end

  -- Lets something happen before the requests that are named: { ["GET 2"] = function }; it returns what service.on does.
  local function meanwhile(steps)
    service.on = function(method, count)
      local step = steps[method .. " " .. count]
      if type(step) == "function" then return step() end
      if step then return unpack(step) end
    end
  end

  local function others(fn) return function() service:edit(fn) end end

  local function count_items(name)
    local count = 0
    for _, item in handoff.each(service:config().custom_guidelines) do
      if item.name == name then count = count + 1 end
    end
    return count
  end

  local function kinds(changes)
    local list = {}
    for i, change in ipairs(changes) do list[i] = change.kind .. " " .. change.path end
    return list
  end

  it("sends each request with the token that is right by then", function()
    local count, sent = 0, {}
    service.on = function(_, _, request) sent[#sent + 1] = request.headers.authorization end
    client = service:client { token = function()
      count = count + 1
      return "turn-" .. count
    end }
    assert(update(set_zone "UTC"))
    assert.same({ "GET GET PUT", count }, { service.asked, tonumber(sent[3]:match "^Bearer turn%-(%d+)$") })
    assert.is_true(sent[1] ~= sent[2] and sent[2] ~= sent[3])
  end)

  describe("beside another writer", function()
    -- All orders in which the requests of two updates can be handled: "AABBAB".
    local function interleavings(a, b)
      if a == 0 and b == 0 then return { "" } end
      local list = {}
      for _, rest in ipairs(a > 0 and interleavings(a - 1, b) or {}) do list[#list + 1] = "A" .. rest end
      for _, rest in ipairs(b > 0 and interleavings(a, b - 1) or {}) do list[#list + 1] = "B" .. rest end
      return list
    end

    -- Runs two updates whose requests are handled in that order → their outcomes and errors by "A" and "B".
    local function run(order, edits)
      service.text, service.held = document.text(), {}
      local tokens, clients, outcomes, errors = {}, {}, {}, {}
      for name in pairs(edits) do
        tokens[name] = ("writer-%s-%s"):format(name, service.time)
        clients[name] = service:client { name = name, token = tokens[name] }
      end
      service.time, service.order = service.time + 1, {}
      for name in order:gmatch "." do table.insert(service.order, tokens[name]) end
      service:run(function()
        local tasks = {}
        for name, edit in pairs(edits) do
          tasks[#tasks + 1] = service.loop:spawn(function()
            outcomes[name], errors[name] = clients[name]:update(edit)
            for i = #service.order, 1, -1 do
              if service.order[i] == tokens[name] then table.remove(service.order, i) end
            end
          end)
        end
        for _, task in ipairs(tasks) do task:join() end
        return true
      end)
      return outcomes, errors
    end

    -- Whether what `name` wrote is overwritten unseen: its PUT comes between the other's last GET and PUT.
    local function is_in_window(order, name)
      local places = { A = {}, B = {} }
      for i = 1, #order do table.insert(places[order:sub(i, i)], i) end
      local other = places[name == "A" and "B" or "A"]
      return places[name][3] > other[2] and places[name][3] < other[3]
    end

    it("keeps both edits, in whatever order the requests come, but within one round trip", function()
      local orders = interleavings(3, 3)
      assert.equal(20, #orders)
      for _, order in ipairs(orders) do
        local outcomes = run(order, { A = set_zone "UTC", B = add_item })
        assert.same({ "changed", "changed" }, { outcomes.A.status, outcomes.B.status }, order)
        local lost = { A = service:config().settings.timezone ~= "UTC", B = count_items "New" ~= 1 }
        assert.same({ A = is_in_window(order, "A"), B = is_in_window(order, "B") }, lost, order)
      end
    end)

    it("reports who edited the same field, in whatever order, but within one round trip", function()
      local conflicts = 0
      for _, order in ipairs(interleavings(3, 3)) do
        local zones = { A = "UTC", B = "Europe/Paris" }
        local outcomes, errors = run(order, { A = set_zone(zones.A), B = set_zone(zones.B) })
        local zone = service:config().settings.timezone
        for name, other in pairs { A = "B", B = "A" } do
          if errors[name] then
            assert.same({ "conflict", "settings.timezone" }, { errors[name].kind, errors[name].path }, order)
            assert.equal(zones[other], zone, order)
            conflicts = conflicts + 1
          elseif zone ~= zones[name] and not is_in_window(order, name) then -- the other began when it was there
            assert.equal(zones[name], outcomes[other].before.settings.timezone, order)
          end
        end
      end
      assert.is_true(conflicts > 0)
    end)
  end)

  describe("merges", function()
    it("what somebody else edited meanwhile, and says so", function()
      meanwhile { ["GET 2"] = others(function(cfg)
        cfg.settings.is_active = false
        cfg.custom_guidelines:find { name = "Legal" }.description = "Theirs."
        remove_slot(cfg)
      end) }
      local outcome = assert(update(function(cfg)
        both(cfg)
        cfg.custom_guidelines:find { name = "Legal" }.is_active = true
      end))
      assert.is_true(outcome.merged)
      assert.same({ "changed settings.timezone", 'changed custom_guidelines["Legal"].is_active',
        'added custom_guidelines["New"]' }, kinds(outcome.changes))
      assert.equal("GET GET PUT", service.asked)
      assert.equal(service.text, outcome.after:text())
      assert.same({ false, "Europe/Berlin" }, { outcome.before.settings.is_active, outcome.before.settings.timezone })
      local now = service:config()
      assert.same({ false, "UTC", 2, 3 }, { now.settings.is_active, now.settings.timezone, #now.availability,
        #now.custom_guidelines })
      assert.same({ "Theirs.", true }, { now.custom_guidelines[2].description, now.custom_guidelines[2].is_active })
    end)

    it("nothing into what was only written otherwise", function()
      meanwhile { ["GET 2"] = function() service.text = handoff.json.encode(handoff.json.decode(service.text)) end }
      local outcome = assert(update(set_zone "UTC"))
      assert.same({ "changed settings.timezone" }, kinds(outcome.changes))
    end)

    it("and sends nothing where somebody else has made the same edit", function()
      meanwhile { ["GET 2"] = others(both) }
      local outcome = assert(update(function(cfg)
        set_zone "UTC"(cfg)
        cfg.custom_guidelines:add { name = "New", description = " d ", is_active = true }
      end))
      assert.same({ "unchanged", {}, 2 }, { outcome.status, outcome.changes, outcome.requests })
      assert.equal(outcome.before, outcome.after)
      assert.equal("GET GET", service.asked)
    end)

    it("not what breaks a rule only together", function()
      meanwhile { ["GET 2"] = others(function(cfg) cfg.availability[1].end_time = "12:00" end) }
      local _, err = update(function(cfg) cfg.availability[1].start_time = "13:00" end)
      assert.same({ "invalid", "GET GET" }, { err.kind, service.asked })
    end)

    it("not at all where it is told not to look again", function()
      meanwhile { ["PUT 1"] = others(deactivate) }
      local outcome = assert(update(set_zone "UTC", { merge = false }))
      assert.same({ 2, "GET PUT" }, { outcome.requests, service.asked })
      assert.is_true(service:config().settings.is_active)
    end)
  end)

  describe("in a conflict", function()
    local function theirs(cfg)
      cfg.settings.timezone = "Europe/Paris"
      cfg.settings.question_message = "Theirs?"
      cfg.settings.is_active = false
    end
    local function mine(cfg)
      cfg.settings.timezone = "UTC"
      cfg.settings.question_message = "Mine?"
    end

    it("writes nothing, and tells all of them", function()
      meanwhile { ["GET 2"] = others(theirs) }
      local outcome, err = update(mine)
      assert.is_nil(outcome)
      assert.same({ "conflict", "shop", "settings.question_message", 2 },
        { err.kind, err.agent, err.path, #err.conflicts })
      assert.same({ "settings.timezone", "Europe/Berlin", "UTC", "Europe/Paris" },
        { err.conflicts[2].path, err.conflicts[2].base, err.conflicts[2].mine, err.conflicts[2].theirs })
      assert.matches('^shop: settings%.question_message: somebody else has edited it, too: mine [^%c]*"Mine%?"; theirs '
        .. '[^%c]*"Theirs%?" %(and 1 more%); [^%c]*on_conflict="mine", "theirs" or a function$', tostring(err))
      assert.is_nil(err.unknown)
      assert.equal("GET GET", service.asked)
    end)

    it("takes whose edit it is told", function()
      local rows = {
        { "mine", "Mine?", "UTC" }, { "theirs", "Theirs?", "Europe/Paris" },
        { function(c) return c.field == "timezone" and "mine" or "theirs" end, "Theirs?", "UTC" },
        { function(c) return "value", c.field == "timezone" and "Europe/Rome" or "Ours?" end, "Ours?", "Europe/Rome" },
      }
      for _, row in ipairs(rows) do
        service.text, service.counts = document.text(), {}
        meanwhile { ["GET 2"] = others(theirs) }
        local outcome = assert(update(mine, { on_conflict = row[1] }))
        local settings = service:config().settings
        assert.same({ row[2], row[3], false }, { settings.question_message, settings.timezone, settings.is_active })
        assert.equal(row[1] == "theirs" and "unchanged" or "changed", outcome.status)
      end
    end)

    it("asks for each again where a function leaves some open", function()
      meanwhile { ["GET 2"] = others(theirs) }
      local _, err = update(mine, { on_conflict = function(c) return c.field == "timezone" and "mine" or nil end })
      assert.same({ "conflict", 1 }, { err.kind, #err.conflicts })
    end)
  end)

  describe("takes from an edit function", function()
    it("nothing, nil or the configuration, as leave to write", function()
      for i, result in ipairs { function() end, function() return nil end, function(cfg) return cfg end } do
        local outcome = assert(update(function(cfg)
          cfg.settings.question_message = "Q" .. i
          return result(cfg)
        end))
        assert.equal("changed", outcome.status)
      end
    end)

    it("nil or false and a message, as a failure", function()
      local world = core.error.new { kind = "network", message = "no way" }
      for _, row in ipairs { { nil, "not today" }, { false, "not today" }, { nil, world }, { false } } do
        service.asked = nil
        local outcome, err = update(function(cfg)
          deactivate(cfg)
          return row[1], row[2]
        end)
        assert.is_nil(outcome)
        assert.same({ "invalid", "edit", "shop" }, { err.kind, err.rule, err.agent })
        assert.matches(row[2] and tostring(row[2]) or "returned false", err.message)
        assert.equal("GET", service.asked)
      end
    end)

    it("nil and that it leaves the agent out, as it is", function()
      local skipped = core.error.new { kind = "skipped", message = "not this one" }
      local outcome, err = update(function() return nil, skipped end)
      assert.same({ nil, "skipped", "shop" }, { outcome, err.kind, err.agent })
    end)

    it("nothing else", function()
      for what, result in pairs { table = {}, boolean = true, string = "x", number = 1, ["function"] = print } do
        local err = document.raised(update, function() return result end)
        assert.same({ "invalid", "returned" }, { err.kind, err.rule })
        assert.matches("^spec[^%c]*:%d+: client:update: an edit changes cfg in place and returns nothing; "
          .. "it returned a " .. what, tostring(err))
      end
    end)

    it("no edit when it has returned", function()
      local kept, item
      local outcome = assert(update(function(cfg)
        kept, item = cfg, cfg.custom_guidelines[1]
        deactivate(cfg)
      end))
      for _, late in ipairs {
        function() kept.settings.timezone = "UTC" end, function() item.name = "x" end,
      } do
        assert.equal("sealed", document.raised(late).rule)
      end
      outcome.after.settings.timezone = "UTC"
      outcome.before.settings.timezone = "UTC"
      local dry = assert(update(set_zone "UTC", { dry_run = true }))
      dry.after.settings.timezone = "Europe/Paris"
    end)
  end)

  describe("tells on_put", function()
    it("what is there and what is meant, before each PUT", function()
      local told = {}
      meanwhile { ["PUT 1"] = { "drop" }, ["GET 3"] = others(deactivate) }
      assert(update(set_zone "UTC", { on_put = function(before, meant)
        told[#told + 1] = { before, meant, service.asked }
        return true
      end }))
      assert.equal(2, #told)
      assert.same({ document.text(), service.sent[1], "GET GET" }, told[1])
      assert.same({ service.sent[2], "GET GET PUT GET" }, { told[2][2], told[2][3] })
      assert.is_false(assert(handoff.config(told[2][1])).settings.is_active)
      assert.equal("GET GET PUT GET PUT", service.asked)
    end)

    it("and sends nothing where that fails", function()
      local full = core.error.new { kind = "network", message = "the disk is full" }
      local outcome, err = update(deactivate, { on_put = function() return nil, full end })
      assert.is_nil(outcome)
      assert.equal(full, err)
      assert.equal("returned", document.raised(update, deactivate, { on_put = function() end }).rule)
      assert.equal("GET GET GET GET", service.asked)
    end)

    it("and sends nothing where that has used up the time for the whole", function()
      local _, err = update(set_zone "UTC", { deadline = 60, on_put = function()
        service.time = service.time + 60
        return true
      end })
      assert.same({ "timeout", 0, 0, "GET GET" }, { err.kind, err.bytes_sent, err.attempts, service.asked })
      assert.is_nil(err.unknown)
      assert.matches("PUT [^\n]+: not sent: no time is left; raise deadline %(60 s for the whole%)", tostring(err))
      assert.equal(document.text(), service.text)
    end)

    it("not in a dry run, nor where nothing changes", function()
      local function never() error "called" end
      assert(update(deactivate, { on_put = never, dry_run = true }))
      assert(update(function() end, { on_put = never }))
    end)
  end)

  describe("verifies by reading", function()
    it("what the service keeps", function()
      local outcome = assert(update(both, { verify = "read" }))
      assert.same({ 4, "GET GET PUT GET" }, { outcome.requests, service.asked })
      assert.equal(service.text, outcome.after_text)
    end)

    it("what it says and forgets", function()
      meanwhile { ["GET 3"] = function() service.text = document.text() end }
      local _, err = update(set_zone "UTC", { verify = "read" })
      assert.same({ "unverified", "settings.timezone" }, { err.kind, err.path })
      service.text, service.counts = document.text(), {}
      assert(update(set_zone "UTC"))
    end)

    it("and does not know what it cannot read", function()
      meanwhile { ["GET 3"] = { 401, "" } }
      local _, err = update(set_zone "UTC", { verify = "read" })
      assert.same({ "auth", true, document.text() }, { err.kind, err.unknown, err.before:text() })
      assert.matches("; it may have been written or not", err.message)
    end)
  end)
end)
