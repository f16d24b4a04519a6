-- SPDX-License-Identifier: MIT
local core = require "handoff.core"
local change = require "handoff.change"
local config = require "handoff.config"
local merge = require "handoff.merge"
local document = require "support.document"
local edits = require "support.edits"
local random = require "support.random"

local encode, null = core.json.encode, core.json.null

local function json(text) return core.json.decode((text:gsub("'", '"'))) end

local function raised(...)
  local ok, err = pcall(...)
  assert.is_false(ok, "nothing was raised")
  return err
end

local function lines(conflicts)
  local all = {}
  for i, conflict in ipairs(conflicts) do all[i] = tostring(conflict) end
  return table.concat(all, "\n")
end

-- Rows: what it shows, part, base, mine, theirs, what is merged, the conflicts' lines (none by default).
local function check_rows(rows, opts)
  for _, row in ipairs(rows) do
    it(row[1], function()
      local merged, conflicts = merge.part(row[2], json(row[3]), json(row[4]), json(row[5]), opts)
      assert.equal(row[7] or "", lines(conflicts))
      assert.equal(encode(json(row[6])), encode(merged))
    end)
  end
end

describe("merge.part of an object", function()
  check_rows {
    { "takes what each side changed", "settings", "{'timezone':'a','is_active':true}",
      "{'timezone':'b','is_active':true}",
      "{'timezone':'a','is_active':false}", "{'timezone':'b','is_active':false}" },
    { "takes what both changed alike once", "settings", "{'timezone':'a'}", "{'timezone':'b'}", "{'timezone':'b'}",
      "{'timezone':'b'}" },
    { "names both values of a field that was changed two ways, and keeps theirs", "settings", "{'timezone':'a'}",
      "{'timezone':'b'}", "{'timezone':'c'}",
      "{'timezone':'c'}", 'settings.timezone: mine "a" → "b"; theirs "a" → "c"' },
    { "tells null, false and absent apart", "settings", "{'a':null,'b':false,'c':1}", "{'a':false,'b':null}",
      "{'a':null,'b':false,'c':1}", "{'a':false,'b':null}" },
    { "says that one side removed a field", "settings", "{'a':1}", "{}", "{'a':null}", "{'a':null}",
      "settings.a: mine removed it; theirs 1 → null" },
    { "says that both added a field otherwise", "settings", "{}", "{'a':1}", "{'a':'x\\ny'}", "{'a':'x\\ny'}",
      'settings.a: mine 1; theirs "x\\ny"' },
    { "leaves to the server what it derives", "settings", "{'topic_based_routing_active':true}",
      "{'topic_based_routing_active':false}", "{'topic_based_routing_active':null}",
      "{'topic_based_routing_active':null}" },
    { "takes an unknown field as a whole", "settings", "{'new':{'a':1,'b':1}}", "{'new':{'a':2,'b':1}}",
      "{'new':{'a':1,'b':2}}", "{'new':{'a':1,'b':2}}",
      'settings.new: mine {"a": 1, "b": 1} → {"a": 2, "b": 1}; theirs {"a": 1, "b": 1} → {"a": 1, "b": 2}' },
    { "takes an unknown part as a whole", "future", "{'a':1}", "{'a':2}", "{'a':1}", "{'a':2}" },
    { "takes lists of scalars as sets", "settings", "{'keywords':['a','b','c']}", "{'keywords':['a','c','mine']}",
      "{'keywords':['theirs','a','b']}", "{'keywords':['theirs','a','mine']}" },
    { "doubles no member that both added", "settings", "{'emails':[]}", "{'emails':['x','y']}", "{'emails':['y','z']}",
      "{'emails':['x','y','z']}" },
    { "keeps a member that comes twice on one side", "settings", "{'keywords':['a']}", "{'keywords':['a','a']}",
      "{'keywords':['b','a']}", "{'keywords':['b','a','a']}" },
    { "takes mine's order where only mine moved, with what theirs added", "settings", "{'keywords':['a','b','c']}",
      "{'keywords':['c','b','a']}", "{'keywords':['a','x','b','c','y']}", "{'keywords':['c','y','b','a','x']}" },
    { "takes theirs' order where both moved, with what mine added", "settings", "{'keywords':['a','b','c']}",
      "{'keywords':['c','b','x','a']}", "{'keywords':['b','a','c']}", "{'keywords':['b','x','a','c']}" },
    { "puts what mine added to the end behind what theirs did", "settings", "{'keywords':['a']}",
      "{'keywords':['a','m']}", "{'keywords':['a','t']}", "{'keywords':['a','t','m']}" },
    { "merges sets that are new, and falls back to the whole where one side has none", "settings",
      "{'keywords':null,'emails':['a']}", "{'keywords':['a'],'emails':['a','b']}", "{'keywords':['b'],'emails':null}",
      "{'keywords':['b','a'],'emails':null}", 'settings.emails: mine ["a"] → ["a", "b"]; theirs ["a"] → null' },
  }
end)

describe("merge.part of a list", function()
  check_rows {
    { "matches items by id, whatever their order", "custom_guidelines", "[{'id':1,'name':'a'},{'id':2,'name':'b'}]",
      "[{'id':1,'name':'mine'},{'id':2,'name':'b'}]", "[{'id':2,'name':'b','x':[]},{'id':1,'name':'a','y':{}}]",
      "[{'id':2,'name':'b','x':[]},{'id':1,'name':'mine','y':{}}]" },
    { "matches what both added by name, and takes the server's id", "custom_guidelines", "[]",
      "[{'name':'a','is_active':true}]", "[{'id':7,'name':'a','is_active':true,'color':'red'}]",
      "[{'id':7,'name':'a','is_active':true,'color':'red'}]" },
    { "matches what both added even where mine has an id from before", "custom_guidelines", "[]",
      "[{'id':3,'name':'a'}]",
      "[{'id':7,'name':'a'}]", "[{'id':7,'name':'a'}]" },
    { "matches new slots by day and times", "availability", "[]",
      "[{'day_span':'monday','start_time':'09:00','end_time':'10:00'}]",
      "[{'id':4,'day_span':'monday','start_time':'09:00','end_time':'10:00'}]",
      "[{'id':4,'day_span':'monday','start_time':'09:00','end_time':'10:00'}]" },
    { "names the fields of what both added otherwise", "custom_guidelines", "[]", "[{'name':'a','is_active':true}]",
      "[{'id':7,'name':'a','is_active':false}]", "[{'id':7,'name':'a','is_active':false}]",
      'custom_guidelines["a"].is_active: mine true; theirs false' },
    { "adds an item of a name that others have", "custom_guidelines", "[{'id':1,'name':'a'}]",
      "[{'id':1,'name':'a'},{'name':'a','x':1}]", "[{'id':1,'name':'a','y':1}]",
      "[{'id':1,'name':'a','y':1},{'name':'a','x':1}]" },
    { "removes what one side or both removed", "custom_guidelines",
      "[{'id':1,'name':'a'},{'id':2,'name':'b'},{'id':3,'name':'c'}]", "[{'id':1,'name':'a'}]",
      "[{'id':3,'name':'c'}]", "[]" },
    { "says that mine removed what theirs edited", "custom_guidelines", "[{'id':1,'name':'a','x':1}]", "[]",
      "[{'id':1,'name':'A','x':2}]", "[{'id':1,'name':'A','x':2}]",
      'custom_guidelines["a"]: mine removed it; theirs changed name, x' },
    { "says that theirs removed what mine edited", "routing_profiles", "[{'id':1,'name':'a','user_ids':[1]}]",
      "[{'id':1,'name':'a','user_ids':[1,2]}]", "[]", "[]",
      'routing_profiles["a"]: mine changed user_ids; theirs removed it' },
    { "takes an id that only one side has for no edit", "custom_guidelines", "[{'id':1,'name':'a'}]", "[]",
      "[{'name':'a'}]",
      "[]" },
    { "merges the lists of an item", "routing_profiles", "[{'id':1,'name':'a','user_ids':[1,2]}]",
      "[{'id':1,'name':'a','user_ids':[2,3]}]", "[{'id':1,'name':'a','user_ids':[1,2,4]}]",
      "[{'id':1,'name':'a','user_ids':[2,4,3]}]" },
    { "keeps what is no item", "custom_guidelines", "[1,false,null,'x']", "[false,null,'x','new']",
      "[1,false,null,'x',[2]]", "[false,null,'x',[2],'new']" },
  }

  check_rows {
    { "takes what mine changed in items that were all given other ids since", "custom_guidelines",
      "[{'id':1,'name':'A','x':1},{'id':2,'name':'B','x':1},{'id':3,'name':'C','x':1}]",
      "[{'id':1,'name':'A','x':2},{'id':3,'name':'C','x':1}]",
      "[{'id':11,'name':'A','x':1},{'id':12,'name':'B','x':1},{'id':13,'name':'C','x':3}]",
      "[{'id':11,'name':'A','x':2},{'id':13,'name':'C','x':3}]" },
    { "takes one that was removed and added anew beside others for another one", "custom_guidelines",
      "[{'id':1,'name':'A','x':1},{'id':2,'name':'B','x':1}]", "[{'id':1,'name':'A','x':1}]",
      "[{'id':1,'name':'A','x':1},{'id':3,'name':'B','x':1}]",
      "[{'id':1,'name':'A','x':1},{'id':3,'name':'B','x':1}]" },
  }

  it("is not lenient with blanks where they are what mine changed", function()
    local base, mine, theirs = { keywords = { " a" }, question_message = "a b" }, { keywords = { "a" },
      question_message = "a\nb" }, { keywords = { " a" }, question_message = "a b", is_active = true }
    local merged = merge.part("settings", base, mine, theirs, { lenient = true })
    assert.same({ keywords = { "a" }, question_message = "a\nb", is_active = true }, merged)
  end)

  it("counts texts that differ in blanks alone as the same, where it is to be lenient", function()
    local base = json "[{'id':1,'name':'a','description':'d'}]"
    local mine = json "[{'id':1,'name':'a','description':' d  e'},{'name':'new ','description':'x\\n'}]"
    local theirs = json "[{'id':1,'name':'a','description':'d e'},{'id':2,'name':'new','description':'x'}]"
    local merged, conflicts = merge.part("custom_guidelines", base, mine, theirs, { lenient = true })
    assert.same({ {}, theirs }, { conflicts, merged })
    merged, conflicts = merge.part("custom_guidelines", base, mine, theirs)
    assert.equal(1, #conflicts)
    assert.equal(3, #merged)
    merged = merge.part("settings", json "{'keywords':[]}", json "{'keywords':[' a']}", json "{'keywords':['a']}",
      { lenient = true })
    assert.same({ "a" }, merged.keywords)
  end)
end)

describe("a conflict", function()
  local base = json("{'settings':{'timezone':'a'},"
    .. "'custom_guidelines':[{'id':1,'name':'g','x':1},{'id':2,'name':'h','x':1}]}")
  local mine = json "{'settings':{'timezone':'b'},'custom_guidelines':[{'id':1,'name':'g','x':2}]}"
  local theirs = json("{'settings':{'timezone':'c'},"
    .. "'custom_guidelines':[{'id':2,'name':'h','x':3},{'id':4,'name':'i'}]}")

  it("says where it is, and the three values", function()
    local _, conflicts = merge.document(base, mine, theirs)
    assert.same({
      { path = "settings.timezone", part = "settings", field = "timezone", base = "a", mine = "b", theirs = "c" },
      { path = 'custom_guidelines["g"]', part = "custom_guidelines", id = 1, name = "g",
        base = base.custom_guidelines[1], mine = mine.custom_guidelines[1] },
      { path = 'custom_guidelines["h"]', part = "custom_guidelines", id = 2, name = "h",
        base = base.custom_guidelines[2], theirs = theirs.custom_guidelines[1] },
    }, conflicts)
  end)

  it("is resolved to one side or the other", function()
    local merged, conflicts = merge.document(base, mine, theirs, { resolve = "theirs" })
    assert.same({ {}, theirs }, { conflicts, merged })
    merged, conflicts = merge.document(base, mine, theirs, { resolve = "mine" })
    assert.same({}, conflicts)
    assert.same({ settings = { timezone = "b" }, custom_guidelines = { theirs.custom_guidelines[2],
      mine.custom_guidelines[1] } }, merged)
  end)

  it("is resolved by a function, each for itself", function()
    local answers = { ["settings.timezone"] = { "value", null }, ['custom_guidelines["h"]'] = {},
      ['custom_guidelines["g"]'] = { "value", { name = "v" } } }
    local merged, conflicts = merge.document(base, mine, theirs, { resolve = function(c)
      return answers[c.path][1], answers[c.path][2]
    end })
    assert.equal('custom_guidelines["h"]: mine removed it; theirs changed x', lines(conflicts))
    assert.equal(null, merged.settings.timezone)
    assert.same({ theirs.custom_guidelines[1], theirs.custom_guidelines[2], { name = "v" } }, merged.custom_guidelines)
    merged = merge.document(base, mine, theirs, { resolve = function() return "value" end })
    assert.same({ settings = {}, custom_guidelines = { theirs.custom_guidelines[2] } }, merged)
  end)

  it("raises where what should resolve it is a mistake", function()
    assert.equal("merge.document: resolve", raised(merge.document, base, mine, theirs, { resolve = "ours" }).path)
    local err = raised(merge.document, base, mine, theirs, { resolve = function() return "ours" end })
    assert.same({ "invalid", "settings.timezone", "choice" }, { err.kind, err.path, err.rule })
    assert.equal("unknown", raised(merge.part, "settings", {}, {}, {}, { resolv = "mine" }).rule)
  end)
end)

-- As text, without what a merge leaves to the service: its own field, and ids.
local function content(doc)
  doc = edits.copy(doc)
  doc.settings.topic_based_routing_active = nil
  for _, part in ipairs(edits.lists) do
    for _, item in ipairs(doc[part]) do item.id = nil end
  end
  return encode(doc)
end

local function each_seed(count, fn)
  for seed = 1, count do
    local r = random(seed)
    local base = edits.document(r, seed % 2 == 0)
    local ok, err = pcall(fn, r, base, edits.edit(r, base, 6, "mine"), edits.edit(r, base, 6, "theirs"))
    if not ok then error(("seed %d: %s"):format(seed, tostring(type(err) == "table" and err.message or err)), 0) end
  end
end

-- The same, of documents as the service has them: in base and theirs every item has an id.
local function each_served(count, fn)
  each_seed(count, function(r, base)
    base = edits.answer(base, 100)
    fn(base, edits.edit(r, base, 6, "mine"), edits.answer(edits.edit(r, base, 6, "theirs"), 200))
  end)
end

describe("merge.document of documents made at random", function()
  it("is mine where theirs is base, theirs where mine is, and both where they are one", function()
    each_seed(400, function(_, base, mine, theirs)
      for _, row in ipairs { { mine, base, mine }, { base, theirs, theirs }, { mine, mine, mine } } do
        local merged, conflicts = merge.document(base, row[1], row[2])
        assert.equal("", lines(conflicts))
        assert.equal(content(row[3]), content(merged))
        assert.equal(row[2].settings.topic_based_routing_active, merged.settings.topic_based_routing_active)
      end
    end)
  end)

  it("changes nothing that it is given", function()
    each_seed(100, function(_, base, mine, theirs)
      local before = encode { base, mine, theirs }
      merge.document(base, mine, theirs, { resolve = "mine", lenient = true })
      assert.equal(before, encode { base, mine, theirs })
    end)
  end)

  it("is the same either way, but for the order of what both moved or added", function()
    each_served(400, function(base, mine, theirs)
      local one, conflicts = merge.document(base, mine, theirs)
      local other, others = merge.document(base, theirs, mine)
      assert.equal(#conflicts, #others)
      for _, difference in ipairs(#conflicts == 0 and change.diff(one, other) or {}) do
        assert.equal("moved", difference.kind, tostring(difference))
      end
    end)
  end)

  it("merged again into what came of it changes nothing, nor doubles an item", function()
    each_served(400, function(base, mine, theirs)
      local merged = edits.answer(merge.document(base, mine, theirs, { resolve = "mine" }), 300)
      local again, conflicts = merge.document(base, mine, merged, { resolve = "mine" })
      assert.equal("", lines(conflicts))
      assert.equal(encode(merged), encode(again))
    end)
  end)

  it("loses no edit: each of a field, and each removal, is there or in a conflict", function()
    each_served(400, function(base, mine, theirs)
      local merged, conflicts = merge.document(base, mine, theirs)
      local found = {}
      for _, c in ipairs(conflicts) do
        found[c.path], found[c.part .. tostring(c.field or c.id or c.name)] = true, true
      end
      for _, c in ipairs(change.diff(base, merged)) do found[tostring(c)] = true end
      for _, side in ipairs { mine, theirs } do
        for _, c in ipairs(change.diff(base, side)) do
          local is_one = not c.member and c.kind ~= "moved" and (c.field or c.kind == "removed")
          local is_found = found[tostring(c)] or found[c.path] or found[c.part .. tostring(c.id or c.name)]
          assert(not is_one or is_found, tostring(c))
        end
      end
    end)
  end)
end)

describe("a merge of long lists", function()
  -- How many steps the VM takes for it.
  local function count(fn)
    local steps = 0
    if jit then jit.off() end
    debug.sethook(function() steps = steps + 1 end, "", 100)
    fn()
    debug.sethook()
    if jit then jit.on() end
    return steps
  end

  local function long(size, edit)
    local list, keywords = {}, {}
    for i = 1, size do
      local at = edit == "moved" and size + 1 - i or i
      local id = json(i % 2 == 0 and "9007199254740993" .. 100000 + i or tostring(i))
      list[at] = { id = id, name = "g" .. i % 10, description = edit == "mine" and i % 3 == 0 and "new" or "d" }
      keywords[at] = "k" .. i
    end
    for i = 1, edit and size / 2 or 0 do
      list[size + i], keywords[size + i] = { name = edit .. i }, edit .. i
    end
    return { settings = { keywords = keywords }, custom_guidelines = list }
  end

  it("takes steps in proportion to their length", function()
    local function steps(size)
      local base, mine, theirs = long(size), long(size, "mine"), long(size, "moved")
      return count(function()
        local merged, conflicts = merge.document(base, mine, theirs)
        assert.equal(0, #conflicts)
        assert.equal(2 * size, #merged.custom_guidelines)
        assert.equal(2 * size, #merged.settings.keywords)
      end)
    end
    local few, many = steps(250), steps(1000)
    assert(many < 6 * few, ("%d steps for 250, %d for 1,000"):format(few, many))
  end)
end)

describe("config.merge", function()
  local function part(cfg, name) return encode(config.part(cfg, name)) end

  -- Three configurations of one text, edited.
  local function three(edit_mine, edit_theirs)
    local base, mine, theirs = document.new(), document.new(), document.new()
    edit_mine(mine)
    edit_theirs(theirs)
    return theirs, base, mine
  end

  it("does what mine did to theirs, and leaves every other part byte for byte", function()
    local theirs, base, mine = three(function(cfg)
      cfg.settings.is_active = false
      cfg.custom_guidelines:add { name = "New", description = "d", is_active = true }
      cfg.voice.rate = 2
    end, function(cfg)
      cfg.settings.timezone = "Europe/London"
      cfg.routing_profiles:remove(1)
    end)
    local profiles = part(theirs, "routing_profiles")
    assert.same({}, config.merge(theirs, base, mine))
    assert.same({ false, "Europe/London" }, { theirs.settings.is_active, theirs.settings.timezone })
    assert.equal(part(mine, "custom_guidelines"), part(theirs, "custom_guidelines"))
    assert.equal(part(mine, "voice"), part(theirs, "voice"))
    assert.equal(profiles, part(theirs, "routing_profiles"))
    for _, name in ipairs { "availability", "generic_guidelines" } do
      assert.truthy(theirs:text():find(document.part(name), 1, true))
    end
    assert.truthy(theirs:text():find('"beta_flags":{"big":12345678901234567890,"deep":[{"a":[null]}]', 1, true))
  end)

  it("edits nothing where there is nothing to do", function()
    local theirs, base = three(function() end, function() end)
    local mine = base:copy()
    mine.settings.is_active = false
    mine.settings.is_active = true
    assert.same({}, config.merge(theirs, base, mine))
    theirs.settings.timezone = "UTC"
    local text = theirs:text()
    assert.same({}, config.merge(theirs, base, mine))
    assert.same({}, config.merge(theirs, base, theirs:copy()))
    assert.equal(text, theirs:text())
    assert.same({}, core.config.edited(document.new()))
  end)

  it("puts back what breaks a rule, raw, without an id that theirs does not know", function()
    for _, edit in ipairs { function() end, function(cfg) cfg.custom_guidelines[1].is_active = false end } do
      local strange = '[{"id": 5, "name": "' .. ("x"):rep(200) .. '", "is_active": "no", "color": {}},'
        .. '{"id": 8, "name": "Legal", "description": "Speaks of a lawyer.", "is_active": false}]'
      local after = document.new()
      local before = document.new { custom_guidelines = strange }
      local now = document.new()
      edit(now)
      assert.same({}, config.merge(now, after, before, { resolve = "mine" }))
      local row = config.part(now, "custom_guidelines")
      assert.same({ 2, 8, false }, { #row, row[2].id, row[2].is_active })
      assert.same({ name = ("x"):rep(200), is_active = "no", color = {} }, row[1])
    end
  end)

  it("keeps theirs of what the server derives", function()
    local function with(value, timezone)
      return document.new { settings = (document.part "settings"
        :gsub('"topic_based_routing_active": true', '"topic_based_routing_active": ' .. value)
        :gsub("Europe/Berlin", timezone or "%0")) }
    end
    local base, mine, theirs = with "true", with("false", "UTC"), with "true"
    assert.same({}, config.merge(theirs, base, mine))
    assert.same({ true, "UTC" }, { theirs.settings.topic_based_routing_active, theirs.settings.timezone })
    theirs = with("null", "Europe/Berlin")
    assert.same({}, config.merge(theirs, base, mine))
    assert.same({ null, "UTC" }, { theirs.settings.topic_based_routing_active, theirs.settings.timezone })
  end)

  it("reports and resolves conflicts, in the order of the parts", function()
    local function sides()
      return three(function(cfg)
        cfg.routing_profiles[1].name = "Mine"
        cfg.settings.timezone = "UTC"
        cfg.voice = 1
      end, function(cfg)
        cfg.routing_profiles[1].name = "Theirs"
        cfg.settings.timezone = "Europe/London"
        cfg.voice = 2
      end)
    end
    local theirs, base, mine = sides()
    local text = theirs:text()
    local conflicts = config.merge(theirs, base, mine)
    assert.same({ "settings.timezone", 'routing_profiles["Billing"].name', "voice" },
      { conflicts[1].path, conflicts[2].path, conflicts[3].path })
    assert.equal(text, theirs:text())
    assert.same({}, config.merge(theirs, base, mine, { resolve = "theirs" }))
    assert.equal(text, theirs:text())
    assert.same({}, config.merge(theirs, base, mine, { resolve = "mine" }))
    assert.same({ "UTC", "Mine", 1 }, { theirs.settings.timezone, theirs.routing_profiles[1].name, theirs.voice })
  end)

  it("leaves parts that mine lacks, and reports edits of those that theirs lacks", function()
    local base, mine = document.new(nil, { { "later", "1" } }), document.new(nil, { { "later", "2" } })
    local theirs = document.new()
    for _, opts in ipairs { {}, { resolve = "mine" } } do
      assert.equal("later: mine 1 → 2; theirs removed it", lines(config.merge(theirs, base, mine, opts)))
    end
    assert.same({}, config.merge(theirs, base, mine, { resolve = "theirs" }))
    assert.same({}, config.merge(theirs, base, base:copy()))
    assert.equal(1, #config.merge(theirs, document.new(), mine))
    assert.equal(document.text(), theirs:text())
    assert.same({}, config.merge(mine, base, document.new()))
    assert.equal(2, mine.later)
  end)

  it("is merge.document, of configurations; and undoes an edit, with nothing left of it", function()
    local but = { unknown_part = true } -- which no configuration gains or loses
    for seed = 1, 200 do
      local r = random(seed)
      local base = edits.answer(edits.document(r), 100)
      local mine = edits.edit(r, base, 6, "mine", false, but)
      local theirs = edits.answer(edits.edit(r, base, 6, "theirs", false, but), 200)
      local before, after, now = config.new(base), config.new(mine), config.new(theirs)
      local conflicts = config.merge(now, before, after)
      local merged, expected = merge.document(base, mine, theirs)
      assert.equal(lines(expected), lines(conflicts), "seed " .. seed)
      assert.equal(content(merged), content(now:plain()), "seed " .. seed)
      now = after:copy()
      assert.equal("", lines(config.merge(now, after, before)), "seed " .. seed)
      assert.equal(content(base), content(now:plain()), "seed " .. seed)
    end
  end)
end)
