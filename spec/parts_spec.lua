-- SPDX-License-Identifier: MIT
-- What the library's own Lua side asks of a configuration: core.config.replace, differing, seal.
local handoff = require "handoff"
local core = require "handoff.core"
local document = require "support.document"

local replace, differing, seal = core.config.replace, core.config.differing, core.config.seal
local new, raised = document.new, document.raised

describe("config.seal", function()
  local slot = { day_span = "monday", start_time = "08:00", end_time = "09:00" }
  local guideline = { name = "New", description = "d", is_active = true }
  local edits = {
    function(cfg) cfg.settings.is_active = false end,
    function(cfg) cfg.settings.keywords[1] = "other" end,
    function(cfg) cfg.settings.keywords = { "other" } end,
    function(cfg) cfg.settings.keywords:add "other" end,
    function(cfg) cfg.settings.beta_flags.deep[1].a[1] = 2 end,
    function(cfg)
      local settings = cfg:plain().settings
      settings.beta_flags, settings.is_active = nil, false
      cfg.settings = settings
    end,
    function(cfg) cfg.availability = { slot } end,
    function(cfg) cfg.availability[4] = slot end,
    function(cfg) cfg.availability[3] = nil end,
    function(cfg) cfg.availability[1], cfg.availability[2] = cfg.availability[2], cfg.availability[1] end,
    function(cfg) cfg.availability:clear() end,
    function(cfg) cfg.generic_guidelines[1].is_active = false end,
    function(cfg) cfg.custom_guidelines:add(guideline) end,
    function(cfg) cfg.custom_guidelines:upsert(guideline) end,
    function(cfg) cfg.custom_guidelines:upsert { name = "Refund", is_active = false } end,
    function(cfg) cfg.custom_guidelines:remove { name = "Refund" } end,
    function(cfg) cfg.custom_guidelines:remove(1) end,
    function(cfg) cfg.routing_profiles[1].user_ids:add(9) end,
    function(cfg) cfg.routing_profiles[1].user_ids = {} end,
    function(cfg) cfg.voice.nested = 1 end,
    function(cfg) cfg.voice = 1 end,
    function(cfg) replace(cfg, "voice", 1) end,
  }
  if type(new().settings) == "table" then
    for _, edit in ipairs {
      function(cfg) table.insert(cfg.availability, 1, slot) end,
      function(cfg) table.insert(cfg.settings.keywords, "last") end,
      function(cfg) table.remove(cfg.availability, 1) end,
      function(cfg) table.sort(cfg.settings.keywords) end,
    } do edits[#edits + 1] = edit end
  end

  it("makes every way to edit raise, and change nothing", function()
    for i, edit in ipairs(edits) do
      local sealed, free = new(), new()
      edit(free)
      assert.is_not_equal(document.text(), free:text(), "edit " .. i)
      local canonical = sealed:json()
      seal(sealed)
      local err = raised(edit, sealed)
      assert.same({ "invalid", "sealed" }, { err.kind, err.rule }, "edit " .. i)
      local words = "parts_spec%.lua:%d+: [%w_]+: this configuration is not edited any more: [^\n]+$"
      assert.truthy(tostring(err):find(words))
      assert.equal(document.text(), sealed:text(), "edit " .. i)
      assert.equal(canonical, sealed:json(), "edit " .. i)
      assert.same({}, sealed:changes())
    end
  end)

  it("reaches objects that were got before, also those that are no longer in it", function()
    local cfg = new()
    local gone, kept = cfg.custom_guidelines[1], cfg.custom_guidelines[2]
    cfg.custom_guidelines:remove(gone)
    local text = cfg:text()
    seal(cfg)
    for _, item in ipairs { gone, kept } do
      assert.equal("sealed", raised(function() item.is_active = not item.is_active end).rule)
    end
    assert.equal(text, cfg:text())
  end)

  it("leaves reading, checking and copying as they were; a copy can be edited", function()
    local cfg = new()
    cfg.settings.is_active = false
    local text = cfg:text()
    seal(cfg)
    for _, value in handoff.each(cfg) do tostring(value) end
    assert.is_false(cfg.settings.is_active)
    assert.equal(1, #cfg:changes())
    cfg:check()
    assert.equal(text, cfg:text())
    local copy = cfg:copy()
    copy.settings.is_active = true
    assert.same({}, copy:changes())
    assert.equal(text, cfg:text())
  end)
end)

describe("config.replace", function()
  it("puts in by value what no assignment would take, and writes that part alone", function()
    local cfg = new()
    local value = { { id = 7, name = ("x"):rep(200), new = { list = core.json.array() } } }
    replace(cfg, "custom_guidelines", value)
    value[1].name = "changed later"
    assert.equal(("x"):rep(200), cfg.custom_guidelines[1].name)
    local text = cfg:text()
    for _, name in ipairs(document.parts) do
      assert.equal(name ~= "custom_guidelines", text:find(document.part(name), 1, true) ~= nil, name)
    end
    assert.truthy(text:find('"new":{"list":[]}', 1, true))
    assert.equal("custom_guidelines", cfg:changes()[1].part)
  end)

  it("is an edit like others: it can be taken back, and edited on", function()
    for _, touch in ipairs { function() end, function(cfg) return cfg.settings.keywords[1] end } do
      local cfg = new()
      touch(cfg)
      local plain = cfg:plain().settings
      plain.is_active = false
      replace(cfg, "settings", plain)
      assert.same({ "settings.is_active" }, { cfg:changes()[1].path })
      cfg.settings.is_active = true
      assert.same({}, cfg:changes())
      assert.same({}, cfg:copy():changes())
    end
  end)

  it("raises where it cannot", function()
    local cfg = new()
    for _, case in ipairs { { {}, "voice", 1 }, { cfg, 1 }, { cfg, "voice" }, { cfg, {}, 1 } } do
      assert.is_false(pcall(replace, case[1], case[2], case[3]))
    end
    assert.equal("unknown", raised(replace, cfg, "setings", {}).rule)
    assert.equal(document.text(), cfg:text())
  end)
end)

describe("config.differing", function()
  it("names the parts that are not the same byte for byte, in the first one's order", function()
    local cfg, other = new(), new()
    assert.same({}, differing(cfg, cfg))
    assert.same({}, differing(cfg, other))
    other = new { voice = '{"models": []}', settings = (document.part "settings":gsub(": false", ":  false")) }
    assert.same({ "settings", "voice" }, differing(cfg, other))
  end)

  it("counts edits, on either side", function()
    local cfg, other = new(), new()
    other.routing_profiles[1].is_active = false
    assert.same({ "routing_profiles" }, differing(cfg, other))
    assert.same({ "routing_profiles" }, differing(other, cfg))
    cfg.settings.is_active = false
    cfg.routing_profiles[1].is_active = false
    assert.same({ "settings" }, differing(cfg, other))
    assert.same({ "settings" }, differing(cfg:copy(), other:copy()))
  end)

  it("matches parts by name, wherever they stand, and names those that one lacks", function()
    local cfg = new(nil, { { "later", "1" }, { "\\u0061b", "2" }, { "mine", "1" } })
    local other = new(nil, { { "theirs", "1" }, { "ab", "2" }, { "later", "1" } })
    assert.same({ "mine", "theirs" }, differing(cfg, other))
    assert.same({ "theirs", "mine" }, differing(other, cfg))
  end)
end)
