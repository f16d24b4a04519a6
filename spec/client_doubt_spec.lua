-- SPDX-License-Identifier: MIT
--- A PUT whose answer never comes: looked for before it is repeated, and said to be unknown where that cannot be done. And apply,
-- which carries a difference over by the same way.
local handoff = require "handoff"
local document = require "support.document"
local services = require "support.service"

local unpack = table.unpack or unpack

local function edit(cfg)
  cfg.settings.timezone = "UTC"
  cfg.custom_guidelines:add { name = "New", description = "new", is_active = true }
  cfg.availability:remove { id = 2 }
end

local function deactivate(cfg) cfg.settings.is_active = false end

describe("a client", function()
  local service, client

  before_each(function()
    service = services.start()
    client = service:client()
  end)
  after_each(function() service:close() end)

  -- Rows of what happens before the requests that are named: { ["PUT 1"] = "lose" }, as service.on returns it, or a function
  -- that does; "GET 3+" is for all from then on.
  local function meanwhile(steps)
    service.on = function(method, count)
      local step = steps[method .. " " .. count]
      for n = 1, count do step = step or steps[("%s %d+"):format(method, n)] end
      if type(step) == "function" then return step() end
      if type(step) == "table" then return unpack(step) end
      return step
    end
  end

  local function others(fn)
    return function() service:edit(fn) end
  end

  local function update(opts, fn)
    return service:run(function() return client:update(fn or edit, opts) end)
  end

  -- What is stored has the edit, once.
  local function assert_written()
    local cfg, new = service:config(), 0
    for _, item in handoff.each(cfg.custom_guidelines) do
      if item.name == "New" then new = new + 1 end
    end
    assert.same({ "UTC", 1, 2 }, { cfg.settings.timezone, new, #cfg.availability })
  end

  describe("that lost the answer to a PUT", function()
    local html = "<html>Bad gateway</html>"
    -- How the answer was lost; with true the service had done what was asked.
    local ways = {
      ["no answer"] = { { "drop" }, { "lose" } },
      ["status 500"] = { { 500, "" }, 500 }, ["status 502"] = { { 502, html }, 502 },
      ["status 504"] = { { 504, "" }, 504 },
      ["status 503"] = { { 503, "", { ["Retry-After"] = "5" } }, 503 },
      ["another 200"] = { { 200, html }, 200 },
    }

    -- Does what was asked and answers something else.
    local function done_but(status)
      return function()
        local request = service.request
        service:store(request)
        return status, html
      end
    end

    for name, way in pairs(ways) do
      it(("finds it written: %s"):format(name), function()
        local lost = type(way[2]) == "number" and done_but(way[2]) or way[2]
        meanwhile { ["PUT 1"] = lost }
        local outcome = assert(update())
        assert.same({ "changed", 3, 4 }, { outcome.status, #outcome.changes, outcome.requests })
        assert.equal("GET GET PUT GET", service.asked)
        assert.equal(service.text, outcome.after_text)
        assert.equal(document.text(), outcome.before_text)
        assert.equal(1, #service.waits)
        assert_written()
      end)

      it(("finds it not written, and repeats it: %s"):format(name), function()
        meanwhile { ["PUT 1"] = way[1], ["PUT 2"] = way[1] }
        local outcome = assert(update())
        assert.same({ "changed", "GET GET PUT GET PUT GET PUT" }, { outcome.status, service.asked })
        assert.equal(service.sent[1], service.sent[3])
        assert_written()
      end)
    end

    it("finds it written although the service trims and sorts", function()
      meanwhile { ["PUT 1"] = "lose", ["GET 3"] = others(function(cfg)
        local items = cfg:plain().custom_guidelines
        items[1], items[3] = items[3], items[1]
        cfg.custom_guidelines = items
        cfg.custom_guidelines:find { name = " Big  one" }.name = "Big one"
      end) }
      local outcome = assert(update(nil, function(cfg)
        cfg.custom_guidelines:add { name = " Big  one", description = "d", is_active = true }
      end))
      assert.same({ "changed", "GET GET PUT GET" }, { outcome.status, service.asked })
      assert.equal("normalised", outcome.warnings[#outcome.warnings].rule)
      assert.equal(3, #service:config().custom_guidelines)
    end)

    it("finds it written beside what somebody else edited since", function()
      meanwhile { ["PUT 1"] = "lose", ["GET 3"] = others(deactivate) }
      local outcome = assert(update())
      assert.equal("GET GET PUT GET", service.asked)
      assert.is_false(outcome.after.settings.is_active)
      assert_written()
    end)

    it("merges with what somebody else edited since, where it was not written", function()
      meanwhile { ["PUT 1"] = "drop", ["GET 3"] = others(deactivate) }
      local outcome = assert(update())
      assert.equal("GET GET PUT GET PUT", service.asked)
      assert.is_true(outcome.merged)
      assert.is_false(service:config().settings.is_active)
      assert_written()
    end)

    it("writes what is left where somebody else undid a part of it, whatever the service trimmed", function()
      meanwhile { ["PUT 1"] = "lose", ["GET 3"] = others(function(cfg)
        cfg.settings.question_message = "Shall we?"
        cfg.custom_guidelines:remove { name = "New" }
      end) }
      local outcome = assert(update(nil, function(cfg)
        edit(cfg)
        cfg.settings.question_message = " Shall  we? "
      end))
      assert.equal("GET GET PUT GET PUT", service.asked)
      assert.same({ "added", 1 }, { outcome.changes[1].kind, #outcome.changes })
      assert_written()
    end)

    it("does not ask again who is right in a conflict that was resolved", function()
      local asked = 0
      meanwhile {
        ["GET 2"] = others(function(cfg) cfg.settings.timezone = "Europe/Paris" end),
        ["PUT 1"] = "drop", ["GET 3"] = others(deactivate),
      }
      assert(update { on_conflict = function()
        asked = asked + 1
        return "mine"
      end })
      assert.equal(1, asked)
      assert_written()
    end)

    it("reports who edited the same since, and that it is not known", function()
      meanwhile { ["PUT 1"] = "lose", ["GET 3"] = others(function(cfg) cfg.settings.timezone = "Europe/Paris" end) }
      local _, err = update()
      assert.same({ "conflict", "settings.timezone", true }, { err.kind, err.path, err.unknown })
      assert.equal(document.text(), err.before:text())
      assert.equal("GET GET PUT GET", service.asked)
    end)

    it("repeats it as often as it was told, then looks once more", function()
      meanwhile { ["PUT 1+"] = "drop" }
      local _, err = update { retries = 2 }
      assert.same({ "network", 3 }, { err.kind, err.attempts })
      assert.is_nil(err.unknown)
      assert.matches("; it was tried 3 times; it was not written, as a look afterwards showed$", err.message)
      assert.equal("GET GET PUT GET PUT GET PUT GET", service.asked)
      assert.equal(document.text(), service.text)
    end)

    it("looks even where nothing is to be tried again", function()
      meanwhile { ["PUT 1"] = "lose" }
      assert.equal("changed", assert(update { retries = 0 }).status)
      meanwhile { ["PUT 2"] = { 503, "", { ["Retry-After"] = "500" } } }
      local _, err = update(nil, deactivate)
      assert.same({ "server", 500 }, { err.kind, err.retry_after })
      assert.is_nil(err.unknown)
      assert.matches("raise deadline", err.message)
    end)

    it("looks also where it was told not to look before", function()
      meanwhile { ["PUT 1"] = "lose" }
      assert.equal("changed", assert(update { merge = false }).status)
      assert.equal("GET PUT GET", service.asked)
    end)

    it("says that it is not known where looking fails", function()
      for _, row in ipairs { { "drop" }, { 401, "" }, { 200, html }, { 503, "", { ["Retry-After"] = "500" } } } do
        service.text, service.counts, service.asked = document.text(), {}, nil
        meanwhile { ["PUT 1"] = "lose", ["GET 3+"] = row }
        client = service:client()
        local outcome, err = update()
        assert.is_nil(outcome)
        assert.same({ "network", true, document.text() }, { err.kind, err.unknown, err.before:text() })
        assert.matches("; looking whether it was written failed too %([%a_]+%); it may have been written or not, "
          .. "so look %(client:get%) before repeating it$", tostring(err))
        assert.is_nil(tostring(err):find("service-", 1, true))
      end
    end)

    it("does not add again what the service may have changed beyond recognition", function()
      for said, kept in pairs { ["R & D"] = "R &amp; D", ["Foo@example.com"] = "foo@example.com" } do
        service.text, service.counts, service.asked, client = document.text(), {}, nil, service:client()
        meanwhile { ["PUT 1"] = function()
          service:store { body = service.request.body:gsub(said, kept) }
          return "drop"
        end }
        local _, err = update(nil, function(cfg)
          if said:find "@" then return cfg.settings.emails:add(said) and nil end
          cfg.custom_guidelines:add { name = said, description = "d", is_active = true }
        end)
        assert.same({ "network", true, "GET GET PUT GET" }, { err.kind, err.unknown, service.asked })
        assert.matches("showed what may be this, as the service keeps it, or somebody else's: + ", err.message, 1, true)
      end
    end)

    it("does not take blanks that were there before for those that it wrote", function()
      service.text = service.text:gsub('"agent"', '" agent"')
      meanwhile { ["PUT 1"] = "drop", ["GET 3"] = others(deactivate) }
      assert(update(nil, function(cfg)
        cfg.settings.keywords[2] = "agent"
        cfg.settings.question_message = "Shall I\nconnect you?"
      end))
      assert.equal("GET GET PUT GET PUT", service.asked)
      local settings = service:config().settings
      assert.same({ "agent", "Shall I\nconnect you?" }, { settings.keywords[2], settings.question_message })
    end)

    it("does not say for certain that it was not written where nobody waited for the answer", function()
      meanwhile { ["PUT 1+"] = { 504, "" } }
      local _, err = update { retries = 0 }
      assert.same({ "server", true, document.text(), "GET GET PUT GET" },
        { err.kind, err.unknown, err.before:text(), service.asked })
    end)

    -- The first PUT was done, and somebody else took back a part of it: what goes wrong from then on leaves the rest there.
    describe("and finds a part of it", function()
      local function part_of_it(steps)
        steps["PUT 1"] = "lose"
        steps["GET 3"] = others(function(cfg) cfg.custom_guidelines:remove { name = "New" } end)
        meanwhile(steps)
      end

      local function assert_unknown(kind, err)
        assert.same({ kind, true, document.text() }, { err.kind, err.unknown, err.before:text() })
        assert.matches("it may have been written or not", err.message, 1, true)
        assert.is_nil(err.message:find("not written", 1, true))
      end

      it("says so where the rest is refused for now, or not written", function()
        for kind, row in pairs { rate_limit = { 429, "" }, network = { "drop" }, rejected = { 400, "" } } do
          service.text, service.counts, client = document.text(), {}, service:client()
          part_of_it { ["PUT 2+"] = row }
          local _, err = update { retries = 2 }
          assert_unknown(kind, err)
        end
      end)

      it("says so where on_put stops the rest", function()
        part_of_it {}
        local told = 0
        local _, err = update { on_put = function()
          told = told + 1
          return told == 1, told > 1 and require("handoff.core").error.new { kind = "history", message = "full" } or nil
        end }
        assert_unknown("history", err)
      end)

      it("says so where no time is left for the rest", function()
        part_of_it {}
        local _, err = update { deadline = 60, on_put = function()
          if service.counts.PUT then service.time = service.time + 60 end
          return true
        end }
        assert_unknown("timeout", err)
        assert.same({ 1, "GET GET PUT GET" }, { err.attempts, service.asked })
      end)

      it("says so where the rest breaks a rule", function()
        part_of_it {}
        local others_edit = service.on
        service.on = function(method, count)
          local step = others_edit(method, count)
          if method == "GET" and count == 3 then
            service:edit(function(cfg) cfg.settings.timezone = "Europe/Paris" end)
          end
          return step
        end
        local _, err = update { on_conflict = function() return "value", "Nowhere" end }
        assert_unknown("invalid", err)
      end)

      it("calls it changed where somebody else puts back the rest", function()
        part_of_it { ["PUT 2"] = { 429, "" }, ["GET 4"] = others(function(cfg)
          cfg.custom_guidelines:add { name = "New", description = "new", is_active = true }
        end) }
        local outcome = assert(update())
        assert.same({ "changed", true, 3 }, { outcome.status, outcome.reconciled, #outcome.changes })
        assert_written()
      end)
    end)

    it("says so in what the script's own functions raise", function()
      client = service:client { on_event = function(event)
        if event.type == "request_end" and event.method == "PUT" then error "boom" end
      end }
      local err = document.raised(update)
      assert.same({ "invalid", true, document.text() }, { err.kind, err.unknown, err.before:text() })
      assert.matches("_spec%.lua:%d+: boom; it may have been written or not", tostring(err))
      assert.matches("_spec.lua", err.traceback, 1, true)
      assert_written()
    end)

    it("says so where it was cancelled while it waited", function()
      meanwhile { ["PUT 1"] = "lose" }
      service.on_wait = function() service.task:cancel() end
      local _, err = update()
      assert.same({ "cancelled", true, document.text() }, { err.kind, err.unknown, err.before:text() })
      assert.matches("whether the PUT before was written is not known", err.message)
    end)

    it("says so where it was cancelled during the PUT", function()
      meanwhile { ["PUT 1"] = function()
        service.task:cancel()
        return "lose"
      end }
      local _, err = update()
      assert.same({ "cancelled", true, document.text() }, { err.kind, err.unknown, err.before:text() })
    end)
  end)

  describe("that was refused a PUT for now", function()
    it("waits, and merges with what is there then", function()
      meanwhile { ["PUT 1"] = { 429, "", { ["Retry-After"] = "9" } }, ["GET 3"] = others(deactivate) }
      local outcome = assert(update())
      assert.same({ "GET GET PUT GET PUT", true }, { service.asked, outcome.merged })
      assert.is_true(service.waits[1] >= 9)
      assert_written()
    end)

    it("or gives up, and knows that it was not written", function()
      meanwhile { ["PUT 1+"] = { 429, "" } }
      local _, err = update { retries = 1 }
      assert.same({ "rate_limit", 2, "GET GET PUT GET PUT" }, { err.kind, err.attempts, service.asked })
      assert.is_nil(err.unknown)
    end)

    it("or for good: it is not repeated", function()
      for status, kind in pairs { [400] = "rejected", [401] = "auth", [403] = "scope" } do
        service.counts, service.asked = {}, nil
        meanwhile { ["PUT 1"] = { status, "" } }
        local _, err = update()
        assert.same({ kind, 1, "GET GET PUT" }, { err.kind, err.attempts, service.asked })
        assert.is_nil(err.unknown)
      end
    end)
  end)

  describe("applies", function()
    local function edited(fn, from)
      local cfg = from or service:config()
      local copy = assert(handoff.config(cfg:text()))
      fn(copy)
      return copy
    end

    local function apply(before, meant, opts)
      return service:run(function() return client:apply(before, meant, opts) end)
    end

    it("what was meant, and nothing else, where what is there is what was before", function()
      local meant = assert(handoff.config(document.text({
        settings = document.part "settings":gsub("Europe/Berlin", "UTC") })))
      local before = service:config()
      local outcome = assert(apply(before, meant))
      assert.same({ "changed", "GET PUT" }, { outcome.status, service.asked })
      local sent = assert(handoff.config(service.sent[1]))
      assert.equal(meant:json(), sent:json())
      assert.same({ "settings" }, require("handoff.core").config.differing(before, sent))
      assert.equal("~ settings.timezone: \"Europe/Berlin\" → \"UTC\"", tostring(outcome.changes[1]))
      assert.is_nil(outcome.merged)
    end)

    it("the difference to what somebody else edited, and takes it back again", function()
      local before = service:config()
      local meant = edited(edit, before)
      service:edit(deactivate)
      assert.is_true(assert(apply(before, meant)).merged)
      assert_written()
      assert(apply(meant, before))
      local cfg = service:config()
      assert.same({ "Europe/Berlin", false, 3, 2 },
        { cfg.settings.timezone, cfg.settings.is_active, #cfg.availability, #cfg.custom_guidelines })
    end)

    it("nothing that is there already, in the service's own words", function()
      local before = service:config()
      local meant = edited(function(cfg)
        edit(cfg)
        cfg.settings.question_message = " Shall  we?\n"
      end, before)
      service:edit(edit)
      service:edit(function(cfg) cfg.settings.question_message = "Shall we?" end)
      local outcome = assert(apply(before, meant))
      assert.same({ "unchanged", {}, "GET" }, { outcome.status, outcome.changes, service.asked })
    end)

    it("nothing in a dry run, but shows what it would", function()
      local outcome = assert(apply(service:config(), edited(edit), { dry_run = true }))
      assert.same({ true, "changed", "GET" }, { outcome.dry_run, outcome.status, service.asked })
      assert.equal("UTC", outcome.after.settings.timezone)
    end)

    it("nothing in a conflict, unless it is told how", function()
      local before, meant = service:config(), edited(edit)
      service:edit(function(cfg) cfg.settings.timezone = "Europe/Paris" end)
      local _, err = apply(before, meant)
      assert.same({ "conflict", "settings.timezone", "GET" }, { err.kind, err.path, service.asked })
      assert(apply(before, meant, { on_conflict = "mine" }))
      assert_written()
    end)

    it("to the items that are there, though what was meant has no ids", function()
      local plain = service:config():plain()
      for _, item in ipairs(plain.custom_guidelines) do item.id = nil end
      plain.custom_guidelines[2].is_active = true
      local before = service:config()
      local outcome = assert(apply(before, assert(handoff.config(plain))))
      assert.equal('~ custom_guidelines["Legal"].is_active: false → true', tostring(outcome.changes[1]))
      assert.equal(before.custom_guidelines[1].id, service:config().custom_guidelines[1].id)
    end)

    it("as carefully as an update: after a lost answer, with on_put, and reading back", function()
      meanwhile { ["PUT 1"] = "drop", ["PUT 2"] = "lose" }
      local told = 0
      local outcome = assert(apply(service:config(), edited(edit), { verify = "read", on_put = function()
        told = told + 1
        return true
      end }))
      assert.same({ "changed", 2, "GET PUT GET PUT GET" }, { outcome.status, told, service.asked })
      assert_written()
    end)

    it("two configurations, and nothing else", function()
      local cfg = service:config()
      for _, row in ipairs { { nil, cfg }, { cfg, nil }, { "{}", cfg }, { cfg, {} } } do
        assert.matches("client:apply: %a+: a configuration expected",
          tostring(document.raised(client.apply, client, row[1], row[2])))
      end
    end)
  end)
end)
