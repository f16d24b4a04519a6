-- SPDX-License-Identifier: MIT
local core = require "handoff.core"
local change = require "handoff.change"
local edits = require "support.edits"
local random = require "support.random"

local null = core.json.null

local function json(text) return core.json.decode((text:gsub("'", '"'))) end

local copy = edits.copy

local function lines(part, before, after) return change.text(change.part(part, json(before), json(after))) end

-- Rows: what it shows, part, before, after, the lines expected.
local function check_rows(rows)
  for _, row in ipairs(rows) do
    it(row[1], function() assert.equal(row[5], lines(row[2], row[3], row[4])) end)
  end
end

describe("change.part of an object", function()
  check_rows {
    { "says nothing of what is equal", "settings", "{'timezone':'UTC','keywords':['a']}",
      "{'keywords':['a'],'timezone':'UTC'}",
      "" },
    { "names a field", "settings", "{'timezone':'UTC'}", "{'timezone':'Europe/London'}",
      '~ settings.timezone: "UTC" → "Europe/London"' },
    { "tells a false from what is absent", "settings", "{}", "{'is_active':false}", "+ settings.is_active: false" },
    { "tells null from what is absent", "settings", "{'timezone':null}", "{}", "- settings.timezone: null" },
    { "tells null from a value", "settings", "{'timezone':null}", "{'timezone':'UTC'}",
      '~ settings.timezone: null → "UTC"' },
    { "tells false from null", "settings", "{'is_active':false}", "{'is_active':null}",
      "~ settings.is_active: false → null" },
    { "leaves out what the server derives", "settings", "{'topic_based_routing_active':true}",
      "{'topic_based_routing_active':false}", "" },
    { "takes keywords as a set with an order", "settings", "{'keywords':['a','b','c']}", "{'keywords':['c','a','d']}",
      '- settings.keywords["b"]\n+ settings.keywords["d"]\n'
      .. '~ settings.keywords: order ["a", "b", "c"] → ["c", "a", "d"]' },
    { "sees that only the order differs", "settings", "{'emails':['a@b.co','c@d.co']}",
      "{'emails':['c@d.co','a@b.co']}",
      '~ settings.emails: order ["a@b.co", "c@d.co"] → ["c@d.co", "a@b.co"]' },
    { "does not take a removal for a move", "settings", "{'keywords':['a','b','c']}", "{'keywords':['b','c','d']}",
      '- settings.keywords["a"]\n+ settings.keywords["d"]' },
    { "adds a false", "settings", "{'keywords':[]}", "{'keywords':[false]}", "+ settings.keywords[false]" },
    { "loses none of two equal members", "settings", "{'keywords':['a','a']}", "{'keywords':['a']}",
      '- settings.keywords["a"]' },
    { "takes members of any type", "settings", "{'keywords':[false,null,1,{'a':1}]}",
      "{'keywords':[null,false,1,{'a':2}]}",
      '- settings.keywords[{"a": 1}]\n+ settings.keywords[{"a": 2}]\n'
      .. '~ settings.keywords: order [false, null, 1, {"a": 1}] → [null, false, 1, {"a": 2}]' },
    { "takes a list that is none as a whole", "settings", "{'keywords':'a'}", "{'keywords':['a']}",
      '~ settings.keywords: "a" → ["a"]' },
    { "takes a list that was absent as a whole", "settings", "{}", "{'keywords':['a']}", '+ settings.keywords: ["a"]' },
    { "takes an unknown field as a whole", "settings", "{'new':{'a':[1,2],'b':1}}", "{'new':{'b':1,'a':[2,1]}}",
      '~ settings.new: {"a": [1, 2], "b": 1} → {"a": [2, 1], "b": 1}' },
    { "compares an unknown field deeply", "settings", "{'new':{'a':[1,{'b':null}]}}",
      "{'new':{'a':[1,{'b':null}]}}", "" },
    { "goes in the schema's order, then by name", "settings", "{'z y':1,'timezone':'a','is_active':true,'b':1}", "{}",
      '- settings.is_active: true\n- settings.timezone: "a"\n- settings.b: 1\n- settings["z y"]: 1' },
    { "takes a part that is no object as a whole", "settings", "[1]", "{'is_active':true}",
      '~ settings: [1] → {"is_active": true}' },
    { "takes an unknown part as a whole", "future", "{'a':1}", "{'a':2}", '~ future: {"a": 1} → {"a": 2}' },
  }

  it("tells an empty array from an empty object", function()
    assert.equal("~ settings.new: [] → {}", lines("settings", "{'new':[]}", "{'new':{}}"))
    assert.equal("~ settings.new: [{}] → [[]]", lines("settings", "{'new':[{}]}", "{'new':[[]]}"))
    assert.equal("", lines("settings", "{'new':[]}", "{'new':[]}"))
    assert.same({}, change.part("settings", json "{'keywords':[]}", { keywords = {} }))
  end)

  it("takes a part that one side lacks as a whole", function()
    assert.same({ { kind = "added", path = "availability", part = "availability", after = {} } },
      change.part("availability", nil, {}))
    assert.same({ { kind = "removed", path = "future", part = "future", before = 1 } }, change.part("future", 1, nil))
    assert.same({}, change.part("future", nil, nil))
  end)
end)

describe("change.part of a list", function()
  local monday = "'day_span':'monday','start_time':'09:00','end_time':'17:30'"
  local friday = "'day_span':'friday','start_time':'09:00','end_time':'16:00'"
  check_rows {
    { "matches items by id, and calls them what they were called", "custom_guidelines", "[{'id':1,'name':'a'}]",
      "[{'id':1,'name':'b'}]", '~ custom_guidelines["a"].name: "a" → "b"' },
    { "sees the order alone as one change", "custom_guidelines", "[{'id':1,'name':'a'},{'id':2,'name':'b'}]",
      "[{'id':2,'name':'b'},{'id':1,'name':'a'}]", '~ custom_guidelines: order "a", "b" → "b", "a"' },
    { "finds an edit under another order", "custom_guidelines", "[{'id':1,'name':'a'},{'id':2,'name':'b'}]",
      "[{'id':2,'name':'b','is_active':true},{'id':1,'name':'a'}]",
      '+ custom_guidelines["b"].is_active: true\n~ custom_guidelines: order "a", "b" → "b", "a"' },
    { "matches by name where one has no id yet, and says nothing of the id", "custom_guidelines",
      "[{'name':'a'},{'name':'b'}]",
      "[{'id':7,'name':'a'},{'id':8,'name':'b'}]", "" },
    { "says of two ids that they are two items", "custom_guidelines", "[{'id':1,'name':'a'}]", "[{'id':2,'name':'a'}]",
      '- custom_guidelines["a"]: {"id": 1, "name": "a"}\n+ custom_guidelines["a"]: {"id": 2, "name": "a"}' },
    { "takes an id of null for none", "custom_guidelines", "[{'id':null,'name':'a','x':1}]",
      "[{'id':3,'name':'a','x':2}]",
      '~ custom_guidelines["a"].id: null → 3\n~ custom_guidelines["a"].x: 1 → 2' },
    { "prefers the item without id for one without", "custom_guidelines", "[{'name':'a','x':1}]",
      "[{'id':1,'name':'a'},{'name':'a','x':1}]", '+ custom_guidelines["a" #1]: {"id": 1, "name": "a"}' },
    { "tells two of one name apart by id", "custom_guidelines", "[{'id':1,'name':'a','x':1},{'id':2,'name':'a','x':1}]",
      "[{'id':1,'name':'a','x':1},{'id':2,'name':'a','x':2}]", '~ custom_guidelines["a" #2].x: 1 → 2' },
    { "tells two of one name and no id apart by place", "custom_guidelines", "[{'name':'a','x':1},{'name':'a','x':1}]",
      "[{'name':'a','x':1},{'name':'a','x':2}]", '~ custom_guidelines["a" at 2].x: 1 → 2' },
    { "loses none of two items with one id", "custom_guidelines", "[{'id':1,'name':'a'},{'id':1,'name':'b'}]",
      "[{'id':1,'name':'b'}]",
      '~ custom_guidelines["a"].name: "a" → "b"\n- custom_guidelines["b"]: {"id": 1, "name": "b"}' },
    { "calls an item without a name by its id", "custom_guidelines", "[{'id':5,'x':1}]", "[{'id':5,'x':2}]",
      "~ custom_guidelines[#5].x: 1 → 2" },
    { "takes what is no item by its value", "custom_guidelines", "[1,'a',null,[2]]", "['a',null,[3],1]",
      '- custom_guidelines[4]: [2]\n+ custom_guidelines[3]: [3]\n~ custom_guidelines: order 1, 2, 3, 4 → 1, 2, 3, 4' },
    { "matches slots by id", "availability", "[{'id':1," .. monday .. "}]", "[{'id':1," .. friday .. "}]",
      '~ availability[monday 09:00-17:30].day_span: "monday" → "friday"\n'
      .. '~ availability[monday 09:00-17:30].end_time: "17:30" → "16:00"' },
    { "matches new slots by day and times", "availability", "[{" .. monday .. "},{" .. friday .. "}]",
      "[{'id':4," .. friday .. "},{'id':5," .. monday .. "}]",
      "~ availability: order monday 09:00-17:30, friday 09:00-16:00 → friday 09:00-16:00, monday 09:00-17:30" },
    { "shows a slot that went", "availability", "[{'id':1," .. monday .. "},{'id':2," .. friday .. "}]",
      "[{'id':1," .. monday .. "}]", '- availability[friday 09:00-16:00]: '
      .. '{"id": 2, "day_span": "friday", "start_time": "09:00", "end_time": "16:00"}' },
    { "matches generic guidelines by name", "generic_guidelines", "[{'name':'media_message','is_active':false}]",
      "[{'name':'new','is_active':true},{'name':'media_message','is_active':true}]",
      '~ generic_guidelines["media_message"].is_active: false → true\n'
      .. '+ generic_guidelines["new"]: {"name": "new", "is_active": true}' },
    { "goes into the lists of an item", "routing_profiles", "[{'id':1,'name':'a','user_ids':[1,2]}]",
      "[{'id':1,'name':'a','user_ids':[2,3]}]",
      '- routing_profiles["a"].user_ids[1]\n+ routing_profiles["a"].user_ids[3]' },
    { "takes items that are no list as a whole", "availability", "null", "[]", "~ availability: null → []" },
  }

  it("says what an apply needs to know", function()
    local before = json "[{'id':1,'name':'a','user_ids':[1]},{'name':'b','user_ids':[]}]"
    local after = json "[{'id':1,'name':'c','user_ids':[]},{'name':'b','user_ids':[2]}]"
    local place = 'routing_profiles["a"]'
    assert.same({
      { kind = "changed", part = "routing_profiles", id = 1, name = "a", field = "name", before = "a", after = "c",
        path = place .. ".name", at = 1, to = 1 },
      { kind = "removed", part = "routing_profiles", id = 1, name = "a", field = "user_ids", member = true, before = 1,
        path = place .. ".user_ids[1]", at = 1, to = 1, member_at = 1 },
      { kind = "added", part = "routing_profiles", name = "b", field = "user_ids", member = true, after = 2,
        path = 'routing_profiles["b"].user_ids[2]', at = 2, to = 2, member_to = 1 },
    }, change.part("routing_profiles", before, after))
  end)

  it("compares numbers that no Lua number holds by value", function()
    local one, other = "90071992547409931234567", "90071992547409931234568"
    local function profiles(id, name, user_ids)
      return json(("[{'id':%s,'name':'%s','user_ids':[%s]}]"):format(id, name, user_ids))
    end
    local changes = change.part("routing_profiles", profiles(one, "a", one), profiles(one, "b", one .. "," .. other))
    assert.equal('~ routing_profiles["a"].name: "a" → "b"\n+ routing_profiles["a"].user_ids[' .. other .. "]",
      change.text(changes))
    assert.equal(one, tostring(changes[1].id))
    changes = change.part("routing_profiles", profiles(one, "a", ""), profiles(other, "a", ""))
    assert.same({ "removed", "added" }, { changes[1].kind, changes[2].kind })
    assert.equal("~ settings.new: 0.1 → 0.30000000000000004123",
      lines("settings", "{'new':0.1}", "{'new':0.30000000000000004123}"))
    assert.equal("", lines("settings", "{'new':0.30000000000000004123}", "{'new':0.30000000000000004123}"))
  end)
end)

describe("change.diff", function()
  it("goes through the parts in the document's order, unknown ones last", function()
    local before = { routing_profiles = {}, settings = { is_active = true }, zeta = 1, alpha = 1 }
    local after = { routing_profiles = { { name = "a" } }, settings = { is_active = false }, alpha = 2, beta = null }
    local paths = {}
    for i, c in ipairs(change.diff(before, after)) do paths[i] = c.kind .. " " .. c.path end
    assert.same({ "changed settings.is_active", 'added routing_profiles["a"]', "changed alpha", "added beta",
      "removed zeta" }, paths)
  end)
end)

describe("change.line", function()
  local function line(value) return change.line { kind = "added", path = "p", part = "p", after = value } end

  it("keeps to one line, whatever a value holds", function()
    assert.equal(
      '+ p: "a\\nb\\r\\t\\"\\\\ \\u001b[31m \\u007f \\u009b \\u0000"', line "a\nb\r\t\"\\ \27[31m \127 \194\155 \0")
    assert.equal('+ p: {"a\\nb": 1}', line { ["a\nb"] = 1 })
    local changes = change.part("custom_guidelines", { { name = "a\nb", x = 1 } }, { { name = "a\nb", x = 2 } })
    assert.equal('~ custom_guidelines["a\\nb"].x: 1 → 2', change.text(changes))
  end)

  it("cuts a long text in the middle, between characters", function()
    assert.equal('+ p: "' .. ("ä"):rep(72) .. '"', line(("ä"):rep(72)))
    assert.equal('+ p: "' .. ("ä"):rep(36) .. "..." .. ("ü"):rep(36) .. '"', line(("ä"):rep(400) .. ("ü"):rep(400)))
  end)

  local long = "Somebody from our team will be with you shortly. Please keep this window open while we look for a free "
    .. "operator; it may take up to five minutes."

  -- What it shows of a text that changed.
  local function transition(before, after)
    local shown = change.line { kind = "changed", path = "p", part = "p", before = before, after = after }
    return (shown:gsub("^~ p: ", ""))
  end

  it("shows of a long text what changed, and some words around it", function()
    for _, row in ipairs {
      { (long:gsub("five", "ten")), '"... it may take up to [-five-]{+ten+} minutes."' },
      { (long:gsub("five", "ten"):gsub("Somebody", "Someone")),
        '"[-Somebody-]{+Someone+} from our team will be ... it may take up to [-five-]{+ten+} minutes."' },
      { "Hello. " .. long, '"{+Hello. +}Somebody from our team ..."' },
      { long .. " ", '"...take up to five minutes.{+ +}"' },
      { (long:gsub(" window", "")), '"... Please keep this [-window -]open while we look for a..."' },
      { (long:gsub("our team", "the crew")), '"Somebody from [-our team-]{+the crew+} will be with you ..."' },
      { (long:gsub("keep", "\27[31m\nkeep")),
        '"... you shortly. Please {+\\u001b[31m\\n+}keep this window open ..."' },
    } do assert.equal(row[2], transition(long, row[1])) end
    local kanji = ("日本語の文章です。"):rep(10)
    assert.equal('"...本語の文章です。[-日本-]{+英+}語の文章です。日..."', transition(kanji .. kanji,
      kanji .. (kanji:gsub("日本語", "英語", 1))))
    local often = (long .. " "):rep(7)
    assert.truthy(transition(often, (often:gsub("five", "ten"))):find '^"[^"]*%[%-five%-%][^"]*%.%.%." and 3 more$')
    local word = ("a"):rep(100)
    assert.equal('"...' .. ("a"):rep(24) .. "[-b-]{+c+}" .. ("a"):rep(24) .. '..."',
      transition(word .. "b" .. word, word .. "c" .. word))
  end)

  it("shows texts with little in common one after the other, and short ones whole", function()
    local other = ("x y z "):rep(30)
    assert.equal('"' .. long:sub(1, 36) .. "..." .. long:sub(-36) .. '" → "' .. other:sub(1, 36) .. "..."
      .. other:sub(-36) .. '"', transition(long, other))
    assert.equal('"' .. long:sub(1, 36) .. "..." .. long:sub(-36) .. '" → ""', transition(long, ""))
    assert.equal('"a b" → "a c"', transition("a b", "a c"))
    assert.equal('"a" → null', transition("a", null))
  end)

  it("shows on one line of bounded length that two texts are not the same, whatever they are", function()
    for seed = 1, 200 do
      local r = random(seed)
      local words = {}
      for i = 1, r:below(400) do words[i] = r:one { "Zoë", "a", "\n", "😀", ("ü"):rep(50), "\27[0m", "word", "" } end
      local before = table.concat(words, " ")
      for _ = 1, 1 + r:below(r:one { 3, 300 }) do
        local at = r:below(#words) + 1
        if r:boolean() then words[at] = "new" .. r:below(9) else table.remove(words, at) end
      end
      local after = table.concat(words, " ")
      local shown = transition(before, after)
      local length = core.schema.utf8_length(shown)
      assert(length and length < 1500 and not shown:find "%c", "seed " .. seed .. ": " .. shown)
      local old, new = shown:match '^"(.*)" → "(.*)"$'
      assert(before == after or old ~= new or shown:find("[-", 1, true) or shown:find("{+", 1, true),
        "seed " .. seed .. ": " .. shown)
    end
  end)

  it("writes numbers as they were", function()
    for text, value in pairs { ["3"] = 3.0, ["-7"] = -7, ["0.5"] = 0.5, ["0.30000000000000004"] = 0.1 + 0.2,
                               ["9007199254740991"] = 9007199254740991, ["1e+300"] = 1e300 } do
      assert.equal("+ p: " .. text, line(value))
    end
  end)

  it("shows the beginning of a long list", function()
    local list = {}
    for i = 1, 40 do list[i] = i end
    assert.equal("+ p: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, ... 28 more]", line(list))
  end)
end)

-- Documents made at random, the same at every run -----------------------------------------------------------------

local function guideline(r, id)
  return { id = id, name = "g" .. id, description = r:text(), is_active = r:boolean() }
end

local function make_document(r)
  local doc = {
    settings = {
      is_active = r:boolean(), keywords = r:set(), ai_summary_active = r:boolean(), timezone = r:text(),
      topic_based_routing_active = r:boolean(), confirmation_message = r:text(), emails = r:set(), future = { a = {} },
    },
    availability = {}, generic_guidelines = {}, custom_guidelines = {}, routing_profiles = {}, future = { r:text() },
  }
  for i = 1, r:below(4) do
    doc.availability[i] = { id = i, day_span = "monday", start_time = ("%02d:00"):format(i), end_time = "23:00" }
  end
  for i = 1, r:below(6) do
    doc.generic_guidelines[i] = { name = "generic" .. i, description = r:text(), is_active = r:boolean() }
  end
  for i = 1, r:below(6) do doc.custom_guidelines[i] = guideline(r, i) end
  for i = 1, r:below(4) do
    doc.routing_profiles[i] = guideline(r, i + 100)
    doc.routing_profiles[i].user_ids = r:set()
  end
  return doc
end

-- Edits of one leaf each → what must be reported.
local lists = { "availability", "generic_guidelines", "custom_guidelines", "routing_profiles" }

local function edit_setting(r, doc, done)
  local name = r:one { "is_active", "timezone", "confirmation_message", "new", "future" }
  if done[name] then return end
  done[name] = true
  local before = doc.settings[name]
  local after = r:one { null, false, "fresh " .. r:text(), 12, { deep = { 1, null } } }
  if before == after or r:boolean() and before ~= nil then after = nil end
  doc.settings[name] = after
  local kind = before == nil and "added" or after == nil and "removed" or "changed"
  return { kind = kind, part = "settings", field = name, before = before, after = after }
end

local function edit_item(r, doc, done)
  local part = r:one(lists)
  local at = r:below(#doc[part] + 1)
  local item = doc[part][at]
  if not item or done[item] then return end
  done[item] = true
  local name = r:one { part == "availability" and "end_time" or "is_active", "new" }
  local before = item[name]
  item[name] = "fresh " .. r:text()
  return { kind = before == nil and "added" or "changed", part = part, id = item.id, name = item.name, field = name,
    before = before, after = item[name] }
end

local function edit_members(r, doc, done)
  local name = r:one { "keywords", "emails" }
  if done[name] then return end
  done[name] = true
  local list = doc.settings[name]
  if #list > 0 and r:boolean() then
    return { kind = "removed", part = "settings", field = name, member = true,
      before = table.remove(list, r:below(#list) + 1) }
  end
  local member = "fresh " .. r:text()
  table.insert(list, r:below(#list + 1) + 1, member)
  return { kind = "added", part = "settings", field = name, member = true, after = member }
end

local function add_or_remove_item(r, doc, done)
  local part = r:one { "custom_guidelines", "routing_profiles" }
  local list = doc[part]
  local at = r:below(#list) + 1
  if list[at] and not done[list[at]] and r:boolean() then
    local item = table.remove(list, at)
    return { kind = "removed", part = part, id = item.id, name = item.name, before = item }
  end
  local item = { name = "new " .. #list .. r:text(), description = "", is_active = true }
  done[item] = true
  table.insert(list, r:below(#list + 1) + 1, item)
  return { kind = "added", part = part, name = item.name, after = item }
end

local single_edits = { edit_setting, edit_item, edit_members, add_or_remove_item }

local function is_reported(expected, changes)
  local found = 0
  for _, c in ipairs(changes) do
    local bare = copy(c)
    bare.path, bare.at, bare.to, bare.member_at, bare.member_to = nil, nil, nil, nil, nil
    if pcall(assert.same, expected, bare) then found = found + 1 end
  end
  return found == 1
end

describe("change.diff of documents made at random", function()
  it("is empty for a document and its copy", function()
    for seed = 1, 200 do
      local doc = make_document(random(seed))
      assert.same({}, change.diff(doc, doc))
      assert.same({}, change.diff(doc, copy(doc)))
    end
  end)

  it("reports every edit exactly once, and nothing else", function()
    for seed = 1, 400 do
      local r = random(seed)
      local before = make_document(r)
      local after, expected, done = copy(before), {}, {}
      for _ = 1, r:below(6) do
        expected[#expected + 1] = r:one(single_edits)(r, after, done)
      end
      local changes = change.diff(before, after)
      assert.equal(#expected, #changes, "seed " .. seed .. "\n" .. change.text(changes))
      for _, row in ipairs(expected) do
        assert(is_reported(row, changes), ("seed %d: %s %s is not among\n%s"):format(seed, row.part, row.field,
          change.text(changes)))
      end
    end
  end)

  it("reports another order as one move a list", function()
    for seed = 1, 200 do
      local r = random(seed)
      local before = make_document(r)
      local after, expected = copy(before), 0
      for _, part in ipairs(lists) do
        edits.shuffle(r, after[part])
        for at, item in ipairs(after[part]) do
          if (item.id or item.name) ~= (before[part][at].id or before[part][at].name) then
            expected = expected + 1
            break
          end
        end
      end
      local changes = change.diff(before, after)
      assert.equal(expected, #changes, "seed " .. seed)
      for _, c in ipairs(changes) do assert.equal("moved", c.kind) end
    end
  end)

  it("is empty for the server's answer with new ids and another read-only value", function()
    for seed = 1, 100 do
      local mine = make_document(random(seed))
      for _, part in ipairs { "availability", "custom_guidelines", "routing_profiles" } do
        for at = 2, #mine[part] do mine[part][at].id = nil end
      end
      local answer = copy(mine)
      answer.settings.topic_based_routing_active = not answer.settings.topic_based_routing_active
      for _, part in ipairs { "availability", "custom_guidelines", "routing_profiles" } do
        for at = 2, #answer[part] do answer[part][at].id = 1000 + at end
      end
      assert.same({}, change.diff(mine, answer))
    end
  end)

  it("neither raises nor sees nothing where the shape is not the documented one", function()
    local odd = { null, false, 1, "a", {}, { 1 }, { a = 1 },
      { { id = {} } }, { { name = {} } }, { { id = 1 }, { id = 1 } },
      { { name = "a" }, { name = "a" }, 2 }, { { day_span = "monday", start_time = 1 } } }
    for _, part in ipairs { "settings", "availability", "custom_guidelines", "future" } do
      for i, before in ipairs(odd) do
        for j, after in ipairs(odd) do
          local changes = change.part(part, before, copy(after))
          assert.equal(i == j, #changes == 0, ("%s %d %d: %s"):format(part, i, j, change.text(changes)))
        end
      end
    end
  end)
end)

describe("change.apply and change.reverse", function()
  -- As text, without what a difference leaves out.
  local function content(doc)
    doc = copy(doc)
    doc.settings.topic_based_routing_active = nil
    for _, part in ipairs(edits.lists) do
      for _, item in ipairs(doc[part]) do item.id = nil end
    end
    return core.json.encode(doc)
  end

  it("lead from one document made at random to another, and back, also from what was written down", function()
    for seed = 1, 400 do
      local r, what = random(seed), "seed " .. seed
      local a = edits.document(r, seed % 2 == 0)
      local b = edits.edit(r, a, 8, "edited")
      local given, changes = core.json.encode { a, b }, change.diff(a, b)
      local written = core.json.encode(changes)
      assert.equal(content(b), content(change.apply(a, changes)), what)
      assert.equal(content(b), content(change.apply(a, core.json.decode(written))), what)
      assert.same({}, change.diff(change.apply(a, changes), b), what)
      local reversed = change.reverse(changes)
      assert.equal(content(a), content(change.apply(b, reversed)), what)
      assert.same({}, change.diff(change.apply(b, reversed), a), what)
      assert.equal(written, core.json.encode(change.reverse(reversed)), what)
      assert.same({ given, written }, { core.json.encode { a, b }, core.json.encode(changes) }, what)
    end
  end)

  local before = json("{'settings':{'keywords':['a','b'],'timezone':'UTC'},'custom_guidelines':["
    .. "{'id':1,'name':'a'},{'id':2,'name':'b','x':1},{'name':'c','x':1}]}")
  local after = json("{'settings':{'keywords':['b','c'],'timezone':'UTC'},'custom_guidelines':["
    .. "{'id':2,'name':'B','x':2},{'name':'c','x':2},{'name':'d'}]}")

  it("make each change alone, too", function()
    for i, c in ipairs(change.diff(before, after)) do
      local expected, left = {}, {}
      for j, other in ipairs(change.diff(before, after)) do
        if i ~= j then expected[#expected + 1] = tostring(other) end
      end
      for _, other in ipairs(change.diff(change.apply(before, { c }), after)) do
        if other.kind ~= "moved" then left[#left + 1] = tostring(other):gsub('"B"%]', '"b"]') end
      end
      assert.same(expected, left)
    end
  end)

  it("find what they are about where it has moved on, and raise where it is gone", function()
    local moved = copy(before)
    table.insert(moved.custom_guidelines, 1, { id = 9, name = "other" })
    table.insert(moved.settings.keywords, 1, "other")
    local applied = change.apply(moved, change.diff(before, after))
    assert.same({ "other", "c", "b" }, applied.settings.keywords)
    assert.same({ { id = 9, name = "other" }, { id = 2, name = "B", x = 2 }, { name = "d" }, { name = "c", x = 2 } },
      applied.custom_guidelines)
    moved.custom_guidelines = { before.custom_guidelines[2] }
    local ok, err = pcall(change.apply, moved, change.diff(before, after))
    assert.is_false(ok)
    assert.same({ "invalid", "missing", 'custom_guidelines["a"]' }, { err.kind, err.rule, err.path })
    ok, err = pcall(change.apply, { settings = { keywords = null } }, change.diff(before, after))
    assert.same({ false, "missing", 'settings.keywords["a"]' }, { ok, err.rule, err.path })
  end)

  it("print what is taken back", function()
    assert.equal(table.concat({ '+ settings.keywords["a"]', '- settings.keywords["c"]',
      '~ custom_guidelines["b"].name: "B" → "b"', '~ custom_guidelines["b"].x: 2 → 1' }, "\n"),
      table.concat({ change.text(change.reverse(change.diff(before, after))):match(
        "^([^\n]+)\n([^\n]+)\n[^\n]+\n([^\n]+)\n([^\n]+)") }, "\n"))
  end)
end)
