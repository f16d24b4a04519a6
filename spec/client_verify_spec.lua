-- SPDX-License-Identifier: MIT
--- An update held against answers that a service may give and against such that dropped something.
local handoff = require "handoff"
local document = require "support.document"
local nginx = require "support.nginx"

local null = handoff.null

local function reverse(list)
  for i = 1, math.floor(#list / 2) do list[i], list[#list + 1 - i] = list[#list + 1 - i], list[i] end
end

local function add_refund(cfg)
  cfg.custom_guidelines:add { name = " Big  refund ", description = "Wants\r\nmoney. ", is_active = true }
end

local function new_slot(cfg)
  cfg.availability:add { day_span = "monday-friday", start_time = "18:00", end_time = "20:00" }
end

local function set(part, place, field, value)
  return function(cfg)
    local item = place and cfg[part][place] or cfg[part]
    item[field] = value
  end
end

local function both(one, other)
  return function(cfg)
    one(cfg)
    other(cfg)
  end
end

local function nothing() end

-- Rows: what it is; the edit; the answer, made of the document before the edit, as plain tables; what is dropped, and
-- what is normalised, as paths.
local rows = {
  { "keeps all, lists all the other way round", function(cfg)
    cfg.settings.timezone = "UTC"
    cfg.settings.keywords:add "new"
    cfg.availability[1].start_time = "08:00"
    cfg.custom_guidelines[2].is_active = true
    cfg.routing_profiles[1].user_ids:add(7)
    new_slot(cfg)
  end, function(doc)
    doc.settings.timezone = "UTC"
    table.insert(doc.settings.keywords, "new")
    doc.availability[1].start_time = "08:00"
    table.insert(doc.availability, { id = 99, day_span = "monday-friday", start_time = "18:00", end_time = "20:00" })
    doc.custom_guidelines[2].is_active = true
    table.insert(doc.routing_profiles[1].user_ids, 7)
    for _, name in ipairs { "availability", "generic_guidelines", "custom_guidelines", "routing_profiles" } do
      reverse(doc[name])
    end
    reverse(doc.settings.keywords)
    reverse(doc.routing_profiles[2].user_ids)
  end },
  { "derives what is read-only", set("routing_profiles", 1, "is_active", false), function(doc)
    doc.routing_profiles[1].is_active = false
    doc.settings.topic_based_routing_active = false
  end },
  { "gives every item another id", function(cfg)
    cfg.custom_guidelines[1].is_active = false
    cfg.custom_guidelines[2].name = "Law"
    cfg.availability[1].start_time = "08:00"
    cfg.availability:remove { id = 3 }
    cfg.routing_profiles[1].user_ids:remove(6)
  end, function(doc)
    doc.custom_guidelines[1].is_active, doc.custom_guidelines[2].name = false, "Law"
    doc.availability[1].start_time = "08:00"
    table.remove(doc.availability)
    table.remove(doc.routing_profiles[1].user_ids)
    for i, name in ipairs { "availability", "custom_guidelines", "routing_profiles" } do
      for j, item in ipairs(doc[name]) do item.id = i * 100 + j end
    end
  end },
  { "gives no ids at all", set("custom_guidelines", 2, "name", "Law"), function(doc)
    doc.custom_guidelines[2].name = "Law"
    for _, item in ipairs(doc.custom_guidelines) do item.id = nil end
  end },
  { "gives a removed and added item one of the two ids", function(cfg)
    cfg.custom_guidelines:remove { name = "Legal" }
    cfg.custom_guidelines:add { name = "Legal", description = "Other words.", is_active = true }
  end, function(doc)
    local item = doc.custom_guidelines[2]
    item.id, item.description, item.is_active = 77, "Other words.", true
  end },
  { "trims the name of one that was removed and added anew", function(cfg)
    cfg.custom_guidelines:remove { name = "Legal" }
    cfg.custom_guidelines:add { name = "Legal ", description = "Speaks of a lawyer.", is_active = false }
  end, function(doc) doc.custom_guidelines[2].id = 77 end, normalised = { 'custom_guidelines["Legal "]' } },
  { "gives new items of one name their ids, in another order", function(cfg)
    for i = 1, 3 do cfg.custom_guidelines:add { name = "Twin", description = "d" .. i, is_active = true } end
  end, function(doc)
    for i = 3, 1, -1 do
      table.insert(doc.custom_guidelines, { id = 50 - i, name = "Twin", description = "d" .. i, is_active = true })
    end
  end },
  { "adds fields of its own to a new item", new_slot, function(doc)
    table.insert(doc.availability,
      { id = 9, day_span = "monday-friday", start_time = "18:00", end_time = "20:00", zone = null, seconds = 7200 })
  end },
  { "changes what nobody edited", set("settings", nil, "timezone", "UTC"), function(doc)
    doc.settings.timezone = "UTC"
    doc.settings.is_active, doc.settings.new_field = false, 1
    doc.voice.rate, doc.other = 2, {}
  end },
  { "trims a text", set("settings", nil, "question_message", " Shall  we? \r\n"), function(doc)
    doc.settings.question_message = "Shall we?"
  end, normalised = { "settings.question_message" } },
  { "trims a text, and so has what was there", set("settings", nil, "question_message", "Shall I connect you? "),
    nothing, normalised = { "settings.question_message" } },
  { "writes a text otherwise", set("settings", nil, "confirmation_message", "e\204\129t\195\169"), function(doc)
    doc.settings.confirmation_message = "\195\169t\195\169"
  end, normalised = { "settings.confirmation_message" } },
  { "makes null of an empty text", set("settings", nil, "question_message", ""), function(doc)
    doc.settings.question_message = null
  end, normalised = { "settings.question_message" } },
  { "leaves an empty list out", function(cfg) cfg.settings.emails:clear() end, function(doc)
    doc.settings.emails = nil
  end },
  { "makes null of an empty list", function(cfg) cfg.settings.emails = {} end, function(doc)
    doc.settings.emails = null
  end },
  { "trims the texts of a new item", add_refund, function(doc)
    table.insert(doc.custom_guidelines,
      { id = 5, name = "Big refund", description = "Wants\nmoney.", is_active = true })
  end, normalised = { 'custom_guidelines[" Big  refund "]' } },
  { "writes the name of a new item otherwise", add_refund, function(doc)
    table.insert(doc.custom_guidelines,
      { id = 5, name = "big-refund", description = "Wants\nmoney.", is_active = true })
  end, normalised = { 'custom_guidelines[" Big  refund "]' } },
  { "writes the days of a new slot otherwise", new_slot, function(doc)
    table.insert(doc.availability, { id = 9, day_span = "mon-fri", start_time = "18:00", end_time = "20:00" })
  end, normalised = { "availability[monday-friday 18:00-20:00]" } },
  { "writes a new e-mail address otherwise", function(cfg) cfg.settings.emails:add "Ann@Example.org" end, function(doc)
    table.insert(doc.settings.emails, "ann@example.org")
  end, normalised = { 'settings.emails["Ann@Example.org"]' } },
  { "lists the operators of a new profile in another order", function(cfg)
    cfg.routing_profiles:add { name = "New", description = "d", is_active = true, user_ids = { 7, 5 } }
  end, function(doc)
    table.insert(doc.routing_profiles,
      { id = 5, name = "New", description = "d", is_active = true, user_ids = { 5, 7 } })
  end, normalised = { 'routing_profiles["New"]' } },
  { "has keywords in the order of before", function(cfg)
    cfg.settings.keywords = { "agent", "speak to human", "Mensch 😀" }
  end, nothing, normalised = { "settings.keywords" } },
  { "has items in the order of before", function(cfg)
    local slots = cfg:plain().availability
    reverse(slots)
    cfg.availability = slots
  end, nothing, normalised = { "availability" } },

  { "drops a value", set("settings", nil, "timezone", "UTC"), nothing, dropped = { "settings.timezone" } },
  { "drops a truth value, and has neither", set("settings", nil, "is_active", false), function(doc)
    doc.settings.is_active = null
  end, dropped = { "settings.is_active" } },
  { "drops one of two", both(set("settings", nil, "timezone", "UTC"), set("settings", nil, "is_active", false)),
    function(doc) doc.settings.timezone = "UTC" end, dropped = { "settings.is_active" } },
  { "drops a new name", set("custom_guidelines", 2, "name", "Law"), nothing,
    dropped = { 'custom_guidelines["Legal"].name' } },
  { "drops what was changed beside a new name", both(set("custom_guidelines", 2, "name", "Law"),
    set("custom_guidelines", 2, "is_active", true)), function(doc) doc.custom_guidelines[2].name = "Law" end,
    dropped = { 'custom_guidelines["Legal"].is_active' } },
  { "drops a slot's new time", set("availability", 1, "start_time", "08:00"), nothing,
    dropped = { "availability[monday-friday 09:00-17:30].start_time" } },
  { "drops a new keyword", function(cfg)
    cfg.settings.keywords:add "new"
    cfg.settings.keywords:add "newer"
  end, function(doc) table.insert(doc.settings.keywords, "newer") end, dropped = { 'settings.keywords["new"]' } },
  { "drops an operator", function(cfg) cfg.routing_profiles[1].user_ids:add(7) end, function(doc)
    table.insert(doc.routing_profiles[2].user_ids, 7)
  end, dropped = { 'routing_profiles["Billing"].user_ids[7]' } },
  { "drops all keywords", function(cfg) cfg.settings.keywords:add "new" end, function(doc)
    doc.settings.keywords = null
  end, dropped = { 'settings.keywords["new"]' } },
  { "drops a new item", add_refund, nothing, dropped = { 'custom_guidelines[" Big  refund "]' } },
  { "drops one of two new items", both(add_refund, function(cfg)
    cfg.custom_guidelines:add { name = "Other", description = "o", is_active = true }
  end), function(doc)
    table.insert(doc.custom_guidelines, { id = 5, name = "Other", description = "o", is_active = true })
  end, dropped = { 'custom_guidelines[" Big  refund "]' } },
  { "drops a field of a new item", add_refund, function(doc)
    table.insert(doc.custom_guidelines,
      { id = 5, name = " Big  refund ", description = "Wants\r\nmoney. ", is_active = false })
  end, dropped = { 'custom_guidelines[" Big  refund "]' } },
  { "drops a member of a new item", function(cfg)
    cfg.routing_profiles:add { name = "New", description = "d", is_active = true, user_ids = { 1, 2 } }
  end, function(doc)
    table.insert(doc.routing_profiles, { id = 5, name = "New", description = "d", is_active = true, user_ids = { 1 } })
  end, dropped = { 'routing_profiles["New"]' } },
  { "brings back a removed keyword", function(cfg) cfg.settings.keywords:remove "agent" end, nothing,
    dropped = { 'settings.keywords["agent"]' } },
  { "brings back a removed item", function(cfg) cfg.custom_guidelines:remove(1) end, nothing,
    dropped = { 'custom_guidelines["Refund"]' } },
  { "brings back a removed item under another id", function(cfg) cfg.availability:remove(2) end, function(doc)
    doc.availability[2].id = 99
  end, dropped = { "availability[saturday 10:00-14:00]" } },
  { "brings back one of all removed", function(cfg) cfg.availability:clear() end, function(doc)
    table.remove(doc.availability)
    table.remove(doc.availability, 1)
  end, dropped = { "availability[saturday 10:00-14:00]" } },
  { "drops a change of an unknown part", function(cfg) cfg.voice.rate = 2 end, nothing, dropped = { "voice" } },
}

describe("an update, where the service", function()
  local server

  setup(function() server = nginx.start() end)
  teardown(function() server:stop() end)

  -- A token for each: its limits are its own.
  local tokens = 0
  local function new_client()
    tokens = tokens + 1
    return handoff.client { name = "shop", token = "verify-" .. tokens, base_url = server.http .. "/program/v1" }
  end

  local function update(edit, answer, opts)
    local doc = assert(handoff.json.decode(document.text()))
    answer(doc)
    server:program(("ngx.req.read_body() ngx.print(ngx.req.get_method() == 'GET' and %q or %q)"):format(document.text(),
      handoff.json.encode(doc)))
    return new_client():update(edit, opts)
  end

  local function paths(list)
    local all = {}
    for i, one in ipairs(list) do all[i] = one.path end
    return all
  end

  for _, row in ipairs(rows) do
    it(row[1], function()
      local outcome, err = update(row[2], row[3])
      if row.dropped then
        assert.is_nil(outcome)
        assert.same({ "unverified", 200, "shop", row.dropped[1] }, { err.kind, err.status, err.agent, err.path })
        assert.same(row.dropped, paths(err.dropped))
        assert.matches("^shop: [^\n]* did not keep " .. #row.dropped .. " of the changes[^\n]*; look at the dashboard$",
          tostring(err))
        assert.matches(row.dropped[1], err.message, 1, true)
        assert.equal("changed", assert(update(row[2], row[3], { verify = false })).status)
        return
      end
      assert.is_nil(err, tostring(err))
      assert.equal("changed", outcome.status)
      local normalised = {}
      for _, warning in ipairs(outcome.warnings) do
        if warning.rule == "normalised" then
          normalised[#normalised + 1] = warning
          assert.matches("^warning [^\n]*: the service keeps it otherwise than it was sent: [^\n]+$", tostring(warning))
        end
      end
      assert.same(row.normalised or {}, paths(normalised))
    end)
  end
end)
