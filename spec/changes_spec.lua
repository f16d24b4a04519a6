-- SPDX-License-Identifier: MIT
local handoff = require "handoff"

local json = handoff.json

local function raised(...)
  local ok, err = pcall(...)
  assert.is_false(ok, "nothing was raised")
  return err
end

describe("cfg:changes()", function()
  -- In no part's usual place.
  local text = [==[{"later":[],
    "routing_profiles":[{"id":9,"name":"Billing","description":"d","is_active":true,"user_ids":[5]}],
    "custom_guidelines":[{"id":7,"name":"Refund","description":"d","is_active":true}],
    "generic_guidelines":[{"name":"user_frustration","description":"d","is_active":true}],
    "availability":[{"id":1,"day_span":"monday-friday","start_time":"09:00","end_time":"17:00"}],
    "settings":{"is_active":true,"keywords":["agent"]},
    "earlier":{"a":1}}]==]
  local function new() return assert(handoff.config(text)) end
  local function edit(cfg)
    cfg.later = { 1 }
    cfg.earlier.a = 2
    cfg.routing_profiles[1].user_ids = { 5, 6 }
    cfg.custom_guidelines:add { name = "New", description = "d", is_active = false }
    cfg.generic_guidelines[1].is_active = false
    cfg.availability[1].end_time = "18:00"
    cfg.settings.keywords:clear()
    cfg.settings.is_active = false
  end
  local function paths(changes)
    local all = {}
    for i, one in ipairs(changes) do all[i] = one.kind .. " " .. one.path end
    return all
  end
  local expected = {
    "changed settings.is_active", 'removed settings.keywords["agent"]',
    "changed availability[monday-friday 09:00-17:00].end_time",
    'changed generic_guidelines["user_frustration"].is_active', 'added custom_guidelines["New"]',
    'added routing_profiles["Billing"].user_ids[6]', "changed earlier", "changed later",
  }

  it("lists edits in the schema's order, whatever the text's and theirs", function()
    local cfg = new()
    assert.same({}, cfg:changes())
    edit(cfg)
    assert.same(expected, paths(cfg:changes()))
    assert.same(expected, paths(cfg:copy():changes()))
    assert.same(expected, paths(cfg:copy():copy():changes()))
  end)

  it("knows what was there whether fields or what is in them are edited first", function()
    local function fields(cfg) cfg.settings.is_active, cfg.settings.timezone = false, "Europe/London" end
    local function within(cfg) cfg.settings.keywords:add "human" end
    for _, order in ipairs { { fields, within, fields }, { within, fields } } do
      local cfg = new()
      for _, edits in ipairs(order) do edits(cfg) end
      assert.same({ "changed settings.is_active", 'added settings.keywords["human"]', "added settings.timezone" },
        paths(cfg:changes()))
      cfg.settings.is_active = true
      cfg.settings.keywords:remove "human"
      assert.same({ "added settings.timezone" }, paths(cfg:changes()))
    end
  end)

  it("knows of a field that was not there that it was not, where nothing but fields was edited", function()
    local cfg = new()
    cfg.settings.timezone, cfg.settings.is_active = "Europe/London", false
    local changes = cfg:changes()
    assert.same({ "changed settings.is_active", "added settings.timezone" }, paths(changes))
    assert.is_nil(changes[2].before)
    assert.equal("Europe/London", changes[2].after)
  end)

  it("is empty again where edits were taken back", function()
    local cfg = new()
    edit(cfg)
    cfg.later, cfg.earlier.a, cfg.routing_profiles[1].user_ids = {}, 1, { 5 }
    cfg.custom_guidelines:remove { name = "New" }
    cfg.generic_guidelines[1].is_active, cfg.availability[1].end_time = true, "17:00"
    cfg.settings.keywords:add "agent"
    cfg.settings.is_active = true
    assert.same({ "changed later" }, paths(cfg:changes())) -- {} is an object, [] was there
    cfg.later = json.array()
    assert.same({}, cfg:changes())
    assert.same({}, cfg:copy():changes())
    assert.same({}, cfg:check { edited = true })
  end)

  it("of a copy are its own", function()
    local cfg = new()
    local copy = cfg:copy()
    copy.settings.is_active = false
    assert.same({}, cfg:changes())
    assert.same({ "changed settings.is_active" }, paths(copy:changes()))
    local third = copy:copy()
    third.settings.is_active = true
    assert.same({}, third:changes())
    assert.same({ "changed settings.is_active" }, paths(copy:changes()))
  end)

  it("gives plain values, which are nobody else's", function()
    local cfg = new()
    cfg.custom_guidelines:clear()
    cfg.routing_profiles[1].user_ids = { 5, 6 }
    cfg.earlier = { list = {}, deep = { { 1 } } }
    local function plain(value)
      assert.is_not_equal("userdata", type(value))
      if type(value) ~= "table" then return end
      assert.is_true(getmetatable(value) == nil or getmetatable(value) == getmetatable(json.array()))
      for key, inner in next, value do
        plain(key)
        plain(inner)
      end
    end
    local changes = cfg:changes()
    assert.equal(3, #changes)
    for _, one in ipairs(changes) do
      plain(one.before)
      plain(one.after)
    end
    assert.same({ id = 7, name = "Refund", description = "d", is_active = true }, changes[1].before)
    local sent = cfg:text()
    changes[3].after.deep[1][1] = 2
    assert.equal(sent, cfg:text())
    assert.same(1, cfg:changes()[3].after.deep[1][1])
  end)

  it("raises on another self", function()
    local cfg = new()
    for _, self in ipairs { {}, 1, cfg.settings } do assert.equal("type", raised(cfg.changes, self).rule) end
  end)
end)
