-- SPDX-License-Identifier: MIT
local handoff = require "handoff"
local core = require "handoff.core"
local document = require "support.document"
local random = require "support.random"

local json, null = handoff.json, handoff.null
-- Whether objects are tables that the table library works on.
local tables = not rawget(_G, "jit")
local on_tables = tables and it or function() end

local new, raised, refused = document.new, document.raised, document.refused
local function part(cfg, name) return (json.encode(json.decode(cfg:text())[name])) end
local function ids(list)
  local found = {}
  for i, item in handoff.each(list) do found[i] = item.id or "new" end
  return found
end

local slot = { day_span = "monday", start_time = "08:00", end_time = "09:00" }
local function custom(name) return { name = name, description = "when", is_active = true } end

describe("a list", function()
  it("keeps an item's id and unknown fields where it is written over by one of its name", function()
    local cfg = new()
    cfg.custom_guidelines[1] = { name = "Refund", description = "Asks for a refund.", is_active = false }
    local item = json.decode(cfg:text()).custom_guidelines[1]
    assert.same({ "9007199254740993", "red", 0 }, { tostring(item.id), item.color, #item.tags })
    local paths = {}
    for i, change in ipairs(cfg:changes()) do paths[i] = change.path end
    assert.same({ 'custom_guidelines["Refund"].description', 'custom_guidelines["Refund"].is_active' }, paths)
    cfg.custom_guidelines[1] = { name = "Another", description = "x", is_active = false }
    assert.is_nil(cfg.custom_guidelines[1].id)
    cfg = new()
    cfg.availability = { { day_span = "saturday", start_time = "10:00", end_time = "14:00" } }
    local same = json.decode(cfg:text()).availability[1]
    assert.same({ 2, 0 }, { same.id, #same.note })
  end)

  it("says what was meant where a predefined name is looked for that there is none of", function()
    local cfg = new()
    local err = refused(cfg, function() cfg.generic_guidelines:find { name = "user_frustation" } end,
      "generic_guidelines:find{name}", "choice")
    assert.equal('"user_frustation" is not allowed; did you mean "user_frustration"?', err.message)
    assert.is_nil((cfg.generic_guidelines:find { name = "irrelevant_advice" }))
    assert.equal("from the future", cfg.generic_guidelines:find { name = "brand_new_one" }.description)
    assert.is_nil((cfg.custom_guidelines:find { name = "user_frustation" }))
  end)

  it("adds, finds, upserts, removes, clears and iterates", function()
    local cfg = new()
    local list = cfg.custom_guidelines
    local added = list:add(custom "Third")
    assert.equal(added, list[3])
    assert.is_nil(added.id)
    assert.equal(added, (list:find { name = "Third" }))
    assert.equal(3, select(2, list:find { name = "Third", is_active = true }))
    assert.is_nil((list:find { name = "Third", is_active = false }))
    assert.is_nil((list:find { name = "third" }))
    assert.equal(list[1], list:upsert { name = "Refund", description = "changed" })
    assert.equal("changed", list[1].description)
    assert.equal("red", list[1].color)
    assert.equal(list[2], list:upsert { id = 8, name = "Law" })
    assert.equal("Law", list[2].name)
    assert.equal(list[1], (list:find { id = json.number "9007199254740993" }))
    assert.equal(0, list:remove { name = "nobody" })
    assert.equal(1, list:remove(added))
    assert.equal(0, list:remove(added))
    assert.equal(0, list:remove(17))
    assert.equal(1, list:remove(1))
    assert.equal(8, list[1].id)
    assert.equal(2, #cfg.routing_profiles)
    local seen = {}
    for i, profile in cfg.routing_profiles:each() do
      seen[i] = profile.id
      cfg.routing_profiles:remove(profile)
    end
    assert.same({ 21, 22 }, seen)
    assert.equal("[]", part(cfg, "routing_profiles"))
    assert.equal(3, cfg.availability:clear())
    assert.equal(0, cfg.availability:clear())
    assert.equal("[]", part(cfg, "availability"))
    assert.equal(0, #cfg.availability)
    assert.is_nil(cfg.availability[1])
  end)

  it("of scalars adds once, and removes by value", function()
    local cfg = new()
    local words = cfg.settings.keywords
    assert.equal("agent", words:add "agent")
    assert.same({}, core.config.edited(cfg))
    words:add "new"
    assert.equal(4, #words)
    assert.equal(1, words:remove "agent")
    assert.equal('["speak to human","Mensch 😀","new"]', tostring(words))
    assert.equal(2, select(2, words:find "Mensch 😀"))
    local users = cfg.routing_profiles[1].user_ids
    assert.equal(1, users:remove(5))
    assert.equal(0, users:remove(1))
    users:add(json.number "18446744073709551616")
    users:add(json.number "18446744073709551616")
    assert.equal(1, users:remove(json.number "18446744073709551616"))
    assert.equal("[6]", tostring(users))
  end)

  it("assigned whole keeps the ids of what stays", function()
    local cfg = new()
    cfg.custom_guidelines = { custom "New", custom "Refund", custom "Refund" }
    assert.same({ "new", "9007199254740993", "new" },
      { ids(cfg.custom_guidelines)[1], tostring(ids(cfg.custom_guidelines)[2]), ids(cfg.custom_guidelines)[3] })
    cfg.availability = { { day_span = "saturday", start_time = "10:00", end_time = "14:00" }, slot }
    assert.same({ 2, "new" }, ids(cfg.availability))
    cfg = new()
    local plain = cfg:plain()
    plain.availability[2], plain.availability[3] = plain.availability[3], nil
    plain.availability[2].end_time = "13:00"
    cfg.availability = plain.availability
    assert.same({ 1, 3 }, ids(cfg.availability))
    plain.availability[2].id = 2
    refused(cfg, function(c) c.availability = plain.availability end, "availability[2].id", "read_only")
    cfg.availability = { cfg.availability[2], cfg.availability[2], cfg.availability[1] }
    assert.same({ 3, "new", 1 }, ids(cfg.availability))
    cfg.generic_guidelines = { cfg.generic_guidelines[3], cfg.generic_guidelines[1], cfg.generic_guidelines[2] }
    assert.equal("brand_new_one", cfg.generic_guidelines[1].name)
  end)

  it("takes another document's items without their ids, touched or not", function()
    for _, touch in ipairs { false, true } do
      local cfg, other = new(), new {
        custom_guidelines = '[{"id":8,"name":"Refund","description":"theirs","is_active":true,"extra":[]},'
          .. '{"id":5,"name":"Theirs","description":"d","is_active":true}]',
        availability = '[{"id":1,"day_span":"monday","start_time":"00:00","end_time":"01:00"}]',
        settings = document.part "settings":gsub('("topic_based_routing_active": )true', "%1false"),
      }
      if touch then for _, g in handoff.each(other.custom_guidelines) do tostring(g) end end
      -- by name, not by an id that means another item here
      assert.equal(cfg.custom_guidelines[1], cfg.custom_guidelines:upsert(other.custom_guidelines[1]))
      assert.equal("theirs", cfg.custom_guidelines[1].description)
      assert.equal("Legal", cfg.custom_guidelines[2].name)
      assert.is_nil(cfg.custom_guidelines:upsert(other.custom_guidelines[2]).id)
      assert.is_nil(cfg.custom_guidelines:add(other.custom_guidelines[1]).id)
      assert.equal("[]", tostring(cfg.custom_guidelines[4].extra))
      other.custom_guidelines[1].description = "later"
      assert.equal("theirs", cfg.custom_guidelines[4].description)
      cfg.availability = other.availability
      assert.same({ "new" }, ids(cfg.availability))
      cfg.custom_guidelines = other.custom_guidelines
      assert.same({ "9007199254740993", "new" },
        { tostring(ids(cfg.custom_guidelines)[1]), ids(cfg.custom_guidelines)[2] })
      other.settings.question_message = "theirs?"
      cfg.settings = other.settings
      assert.equal("theirs?", cfg.settings.question_message)
      assert.is_true(cfg.settings.topic_based_routing_active)
      refused(cfg, function(c) c.custom_guidelines:add(c.routing_profiles[1]) end, "custom_guidelines[3].id",
        "read_only")
    end
  end)

  it("takes an item back with its id, unless another has it by now", function()
    local cfg = new()
    local first = cfg.custom_guidelines[2]
    cfg.custom_guidelines:remove(first)
    first.description = "edited while it was out"
    assert.equal(first, cfg.custom_guidelines:add(first))
    assert.equal(8, cfg.custom_guidelines[2].id)
    cfg.custom_guidelines = { custom "Legal" }
    assert.same({ 8 }, ids(cfg.custom_guidelines))
    cfg.custom_guidelines:add(first)
    assert.same({ 8, "new" }, ids(cfg.custom_guidelines))
  end)

  it("leaves what the service sent where it is given again", function()
    local cfg = new { custom_guidelines = '[{"id":123456789012345678901,"name":"a","is_active":true,'
      .. '"description":"' .. ("d"):rep(2001) .. '"}]' }
    local item = cfg.custom_guidelines[1]
    item.description, item.id = item.description, item.id
    cfg.generic_guidelines[3].name = "brand_new_one"
    assert.same({}, core.config.edited(cfg))
    cfg.generic_guidelines:upsert { name = "brand_new_one", is_active = true }
    cfg.generic_guidelines = cfg:plain().generic_guidelines
    assert.is_true(cfg.generic_guidelines[3].is_active)
    cfg.custom_guidelines:upsert {
      id = json.number "123456789012345678901", description = item.description, name = "b",
    }
    assert.equal("b", item.name)
    assert.equal(1, #cfg.custom_guidelines)
    refused(cfg, function(c) c.generic_guidelines[1].name = "brand_new_two" end, "generic_guidelines[1].name", "choice")
  end)

  it("does not alter what the service sent when an item moves", function()
    local long = ("d"):rep(2001)
    local cfg = new { custom_guidelines = ('[{"id":1,"name":"a","description":"%s","is_active":null},'
      .. '{"id":2,"name":"b","description":"","is_active":true}]'):format(long) }
    local list = cfg.custom_guidelines
    cfg.custom_guidelines = { list[2], list[1] }
    assert.same({ 2, 1 }, ids(cfg.custom_guidelines))
    assert.equal(long, cfg.custom_guidelines[2].description)
    assert.equal(null, cfg.custom_guidelines[2].is_active)
  end)

  it("has items that go on living when they are out of it", function()
    local cfg = new()
    local gone = cfg.availability[1]
    cfg.availability:remove(1)
    local text = cfg:text()
    gone.start_time = "08:00"
    local err = raised(function() gone.start_time = "8" end)
    assert.equal("availability (an item that is no longer in it).start_time", err.path)
    assert.equal(text, cfg:text())
  end)

  it("has an item written twice once, and a copy of it without its id, however long that is", function()
    for _, id in ipairs { "8", "9007199254740993", "12345678901234567890" } do
      local cfg = new { custom_guidelines = ('[{"id": %s, "name": "A", "description": "a"}]'):format(id) }
      local item = cfg.custom_guidelines[1]
      cfg.custom_guidelines = { item, item }
      assert.equal(('[{"description":"a","id":%s,"name":"A"},{"description":"a","name":"A"}]'):format(id),
        part(cfg, "custom_guidelines"))
    end
  end)

  it("of a thousand items works", function()
    local items = {}
    for i = 1, 1000 do items[i] = ('{"id":%d,"name":"n%d","description":"","is_active":true}'):format(i, i) end
    local cfg = new { custom_guidelines = "[" .. table.concat(items, ",") .. "]" }
    assert.equal(1000, #cfg.custom_guidelines)
    cfg.custom_guidelines:upsert { name = "n777", is_active = false }
    assert.is_false(cfg.custom_guidelines[777].is_active)
    cfg.custom_guidelines = cfg:plain().custom_guidelines
    assert.equal(1, cfg.custom_guidelines:remove(1))
    assert.equal(500, cfg.custom_guidelines[499].id)
  end)
end)

describe("the table library", function()
  it("is not helped by lua-cjson, which fails loudly on an object", function()
    local encode = require "cjson".encode
    for _, object in ipairs { new(), new().settings, new().availability, new().settings.keywords } do
      assert.is_false(pcall(encode, object))
    end
  end)

  on_tables("sees tables", function()
    local cfg = new()
    assert.equal("table", type(cfg.settings))
    assert.equal("table", type(cfg.availability))
    local keys = {}
    for key in pairs(cfg.settings) do keys[#keys + 1] = key end
    assert.same({ "is_active", "keywords", "ai_summary_active" }, { keys[1], keys[2], keys[3] })
    assert.equal("beta_flags", keys[12])
    local n = 0
    for i, item in ipairs(cfg.availability) do n = n + (cfg.availability[i] == item and 1 or 0) end
    for i, item in pairs(cfg.availability) do n = n + (cfg.availability[i] == item and 1 or 0) end
    assert.equal(6, n)
    assert.equal("speak to human|agent|Mensch 😀", table.concat(cfg.settings.keywords, "|"))
    assert.same({ "speak to human", "agent", "Mensch 😀" }, { table.unpack(cfg.settings.keywords) })
    assert.equal(5, select("#", table.unpack(cfg.availability, 1, 5)))
  end)

  on_tables("inserts and removes, and refuses without a trace", function()
    local cfg = new()
    local list = cfg.availability
    local a, b, c = list[1], list[2], list[3]
    table.insert(list, slot)
    table.insert(list, 1, slot)
    table.insert(list, 3, slot)
    assert.same({ "new", 1, "new", 2, 3, "new" }, ids(list))
    assert.same({ true, true, true }, { list[2] == a, list[4] == b, list[5] == c })
    assert.equal(a, table.remove(list, 2))
    assert.equal(slot.day_span, table.remove(list).day_span)
    assert.same({ "new", "new", 2, 3 }, ids(list))
    table.insert(list, 2, a)
    assert.same({ "new", 1, "new", 2, 3 }, ids(list))
    assert.equal(a, list[2])
    for place = 1, 6 do
      for _, bad in ipairs { 5, { day_span = "noday" },
        { day_span = "monday", start_time = "10:00", end_time = "09:00" } } do
        local text = cfg:text()
        raised(table.insert, list, place, bad)
        assert.equal(text, cfg:text())
      end
    end
    for place = 1, 5 do
      local text = cfg:text()
      raised(table.insert, list, place, nil)
      assert.equal(text, cfg:text())
    end
    assert.same({ true, true, true }, { list[2] == a, list[4] == b, list[5] == c })
  end)

  on_tables("leaves an untouched part as it came when it is refused", function()
    for place = 1, 3 do
      local cfg = new()
      raised(table.insert, cfg.availability, place, { day_span = "noday" })
      raised(table.insert, cfg.settings.keywords, place, 5)
      raised(table.insert, cfg.voice.nested.list, 1, print)
      raised(table.remove, cfg.generic_guidelines, place)
      raised(table.insert, cfg.generic_guidelines, place, slot)
      raised(table.insert, cfg.availability, place, cfg.availability)
      raised(table.insert, cfg.availability, place, { cfg.availability })
      assert.equal(document.text(), cfg:text())
      assert.same({}, core.config.edited(cfg))
    end
    -- among equal words, too, and what the script assigned before is its own
    local words = new()
    words.settings.keywords = { "a", "a", "a", "b" }
    for place = 1, 4 do raised(table.insert, words.settings.keywords, place, 5) end
    assert.equal('["a","a","a","b"]', tostring(words.settings.keywords))
    words.settings.keywords[5] = words.settings.keywords[4]
    raised(function() words.settings.keywords[4] = 5 end)
    assert.equal('["a","a","a","b","b"]', tostring(words.settings.keywords))
    -- an edit in between is not taken back
    local cfg = new()
    cfg.availability[4] = cfg.availability[3]
    cfg.availability[1].day_span = "friday"
    raised(function() cfg.availability[3] = 5 end)
    assert.truthy(part(cfg, "availability"):find('"friday"', 1, true))
  end)

  on_tables("sorts, moves and swaps items without losing their identity", function()
    local cfg = new()
    local list = cfg.availability
    local a, b, c = list[1], list[2], list[3]
    table.sort(list, function(x, y) return x.id > y.id end)
    assert.same({ 3, 2, 1 }, ids(list))
    assert.same({ true, true, true }, { list[1] == c, list[2] == b, list[3] == a })
    list[1], list[2] = list[2], list[1]
    assert.same({ 2, 3, 1 }, ids(list))
    assert.equal(b, list[1])
    list[1] = list[3]
    assert.same({ "new", 3, 1 }, ids(list))
    assert.equal(a, list[3])
    list[1].day_span = "tuesday"
    assert.not_equal("tuesday", a.day_span)
    local other = new()
    table.move(other.availability, 1, 3, 4, list)
    assert.same({ "new", 3, 1, "new", "new", "new" }, ids(list))
    raised(table.sort, list, function() error "no" end)
    raised(table.sort, cfg.generic_guidelines, function(x, y) return x.name < y.name end)
    assert.equal("user_frustration", cfg.generic_guidelines[1].name)
  end)

  -- What the table library does to the list and to a plain table with the same contents, step by step.
  on_tables("does to a list what it does to a plain table", function()
    for seed = 1, 60 do
      local r = random(seed)
      local cfg = new { availability = "[]" }
      local list, mirror = cfg.availability, {}
      local function made()
        local time = ("%02d:%02d"):format(1 + r:below(22), r:below(60))
        return { day_span = "monday", start_time = "00:00", end_time = time }
      end
      for _ = 1, 60 do
        local n, kind = #mirror, r:below(8)
        local at = 1 + r:below(n + 1)
        if kind <= 2 then
          local item = made()
          table.insert(list, at, item)
          table.insert(mirror, at, item.end_time)
        elseif kind == 3 and n > 0 then
          at = 1 + r:below(n)
          local gone = table.remove(list, at)
          assert.equal(table.remove(mirror, at), gone.end_time)
          if r:boolean() then
            local back = 1 + r:below(n)
            table.insert(list, back, gone)
            table.insert(mirror, back, gone.end_time)
            assert.equal(gone, list[back])
          end
        elseif kind == 4 then
          table.sort(list, function(x, y) return x.end_time < y.end_time end)
          table.sort(mirror)
        elseif kind == 5 and n > 1 then
          local i, j = 1 + r:below(n), 1 + r:below(n)
          list[i], list[j] = list[j], list[i]
          mirror[i], mirror[j] = mirror[j], mirror[i]
        elseif kind == 6 and n > 0 then
          local from = 1 + r:below(n)
          local to = 1 + r:below(from + 1)
          table.move(list, from, n, to)
          table.move(mirror, from, n, to)
        elseif kind == 7 then
          pcall(table.insert, list, at, { day_span = "x" })
        end
        assert.equal(#mirror, #list)
        local found, seen = {}, {}
        if r:below(3) == 0 then
          for i, item in ipairs(list) do
            found[i] = item.end_time
            assert.is_nil(seen[item])
            seen[item] = true
          end
          assert.same(mirror, found)
        end
      end
    end
  end)

  if not tables then
    it("fails loudly, and handoff.each works", function()
      local cfg = new()
      assert.equal("userdata", type(cfg.settings))
      assert.equal(3, #cfg.availability)
      for _, use in ipairs { ipairs, next, table.concat, table.sort, table.remove, unpack } do
        assert.is_false(pcall(use, cfg.availability))
        assert.is_false(pcall(use, cfg.settings))
      end
      assert.is_false(pcall(require "cjson".encode, cfg.settings))
    end)

    it("is iterated by pairs, as by handoff.each, where pairs honours __pairs; elsewhere pairs fails loudly", function()
      local honoured = #setmetatable({}, { __len = function() return 1 end }) == 1 -- LuaJIT built as OpenResty's own is
      local cfg = new()
      for _, object in ipairs { cfg, cfg.settings, cfg.availability, cfg.settings.keywords } do
        local seen, expected = {}, {}
        for key, value in handoff.each(object) do expected[key] = value end
        local ok = pcall(function()
          for key, value in pairs(object) do seen[key] = value end
        end)
        assert.same({ honoured, honoured and expected or {} }, { ok, seen })
      end
    end)
  end

  it("is matched by handoff.each on every VM", function()
    local cfg = new()
    local keys = {}
    for key, value in handoff.each(cfg.settings) do
      keys[#keys + 1] = key
      assert.equal(value, cfg.settings[key])
    end
    assert.equal(12, #keys)
    assert.same({ 1, 2, 3 }, ids(cfg.availability))
    local n = 0
    for i, word in handoff.each { "a", "b" } do n = n + i + #word end
    assert.equal(5, n)
    for _, bad in ipairs { 5, "x", print } do assert.equal("type", raised(handoff.each, bad).rule) end
    assert.is_false(pcall(handoff.each))
    assert.is_false(pcall(handoff.each, null))
  end)
end)
