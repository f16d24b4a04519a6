-- SPDX-License-Identifier: MIT
--- What no script should do, and what may not crash whatever it does: every metamethod and method with every wrong self, private
-- keys written over, errors, yields and finalizers in the middle of an edit.
local handoff = require "handoff"
local core = require "handoff.core"
local document = require "support.document"
local random = require "support.random"

local json = handoff.json
local tables = not rawget(_G, "jit")
local on_tables = tables and it or function() end
local newproxy = rawget(_G, "newproxy")

local function new() return assert(handoff.config(document.text())) end

-- Calls fn when its value is collected.
local function finalizer(fn)
  if not newproxy then return setmetatable({}, { __gc = fn }) end
  local proxy = newproxy(true)
  getmetatable(proxy).__gc = fn
  return proxy
end

-- An object of each kind there is.
local function objects(cfg)
  local list = { cfg, cfg.settings, cfg.settings.keywords, cfg.settings.beta_flags, cfg.settings.beta_flags.list }
  for _, name in ipairs { "availability", "generic_guidelines", "custom_guidelines", "routing_profiles" } do
    list[#list + 1] = cfg[name]
    list[#list + 1] = cfg[name][1]
  end
  list[#list + 1] = cfg.routing_profiles[1].user_ids
  list[#list + 1] = cfg.voice
  list[#list + 1] = cfg.voice.nested.list
  list[#list + 1] = json.number "123456789012345678901"
  return list
end

local function wrong_values(cfg)
  local fake = setmetatable({}, { __index = function(_, key) return key end })
  local list = {
    false, true, 0, 1, -1, 2 ^ 53, 1e300, 0 / 0, 1 / 0, "", "name", "\255", ("x"):rep(5000), {}, { 1 }, { name = "x" },
    fake, print,
    coroutine.create(print), io.stdout, handoff.null, json.array(), core, newproxy and newproxy(true) or {},
  }
  for _, object in ipairs(objects(cfg)) do list[#list + 1] = object end
  for _, object in ipairs(objects(new())) do list[#list + 1] = object end
  return list
end

-- The document can be written still, or says why not. What is written is a configuration, unless it was made something else
-- behind its back.
local function sane(cfg, spoilt)
  local ok, text = pcall(cfg.text, cfg)
  if ok and not spoilt then assert.truthy(handoff.config(text)) end
  assert.is_string(tostring(text))
  pcall(cfg.json, cfg)
  pcall(cfg.copy, cfg)
  pcall(cfg.plain, cfg)
  pcall(core.config.edited, cfg)
  pcall(cfg.check, cfg)
end

describe("a script that misuses", function()
  it("metamethods, with every wrong self and argument", function()
    local cfg = new()
    local metatables = {}
    for _, object in ipairs(objects(cfg)) do metatables[debug.getmetatable(object)] = true end
    for metatable in pairs(metatables) do
      for _, method in pairs(metatable) do
        if type(method) == "function" then
          pcall(method)
          for _, self in ipairs(wrong_values(new())) do
            pcall(method, self)
            for _, key in ipairs { 1, 2, 0, -1, 1.5, 1e300, 0 / 0, "name", "x", true, {} } do
              pcall(method, self, key)
              pcall(method, self, key, "x")
              pcall(method, self, key, {})
            end
          end
        end
      end
    end
    assert.equal(document.text(), cfg:text())
  end)

  it("metamethods of one kind of object on another changes nothing", function()
    local cfg = new()
    local list = objects(cfg)
    for _, a in ipairs(list) do
      for _, b in ipairs(list) do
        local theirs = debug.getmetatable(b)
        if debug.getmetatable(a) ~= theirs then
          for _, name in ipairs { "__index", "__newindex", "__len", "__pairs", "__call" } do
            if theirs[name] then
              for _, key in ipairs { 1, "name", "settings", "x" } do
                assert.is_false(pcall(theirs[name], a, key, { "x" }))
              end
            end
          end
        end
      end
    end
    assert.equal(document.text(), cfg:text())
    assert.same({}, core.config.edited(cfg))
  end)

  it("methods, with every wrong self and argument", function()
    local cfg = new()
    local methods = {}
    for _, name in ipairs { "plain", "json", "text", "copy", "check" } do methods[name] = cfg[name] end
    for _, name in ipairs { "add", "find", "upsert", "remove", "each", "clear" } do
      methods[name] = cfg.voice.models[name]
    end
    for name, fn in pairs { new = core.config.new, edited = core.config.edited, config_each = core.config.each } do
      methods[name] = fn
    end
    for name, fn in pairs(json) do if type(fn) == "function" then methods["json_" .. name] = fn end end
    for _, method in pairs(methods) do
      pcall(method)
      for _, self in ipairs(wrong_values(new())) do
        pcall(method, self)
        local ok, step = pcall(method, self, nil, nil)
        if ok and type(step) == "function" then pcall(step) pcall(step, 1, 2) end
      end
    end
    for _, object in ipairs(objects(cfg)) do
      for _, value in ipairs(wrong_values(cfg)) do
        local copy = new()
        for i, mine in ipairs(objects(copy)) do
          if i % 3 == 0 and type(mine) == type(object) then
            pcall(function() mine:add(value) end)
            pcall(function() mine:find(value) end)
            pcall(function() mine:upsert(value) end)
            pcall(function() mine:remove(value) end)
            pcall(function() mine[1] = value end)
            pcall(function() mine[value] = value end)
            pcall(function() mine.name = value end)
            pcall(function() mine.emails = value end)
          end
        end
        sane(copy)
      end
    end
    assert.equal(document.text(), cfg:text())
  end)

  it("every place of a document with every wrong value", function()
    local at = {
      function(c, v) c.settings = v end, function(c, v) c.availability = v end, function(c, v) c.voice = v end,
      function(c, v) c[v] = v end, function(c, v) c.settings[v] = v end, function(c, v) c.settings.timezone = v end,
      function(c, v) c.settings.keywords = v end, function(c, v) c.settings.keywords[1] = v end,
      function(c, v) c.settings.keywords[v] = "x" end, function(c, v) c.availability[1] = v end,
      function(c, v) c.availability[v] = v end, function(c, v) c.availability:add(v) end,
      function(c, v) c.availability:upsert(v) end, function(c, v) c.availability:remove(v) end,
      function(c, v) c.availability:find(v) end, function(c, v) c.custom_guidelines[1].name = v end,
      function(c, v) c.generic_guidelines[1] = v end, function(c, v) c.routing_profiles[1].user_ids[1] = v end,
      function(c, v) c.routing_profiles = { v } end, function(c, v) c.routing_profiles[1].user_ids = { v } end,
      function(c, v) c.voice.nested.list[1] = v end, function(c, v) c.voice.nested[v] = v end,
      function(c, v) c.voice.rate = v end, function(c, v) c.settings.beta_flags.deep = { v } end,
      function(c, v) handoff.config(v) c:text() end, function(c, v) handoff.each(v) c:text() end,
    }
    for _, edit in ipairs(at) do
      local cfg = new()
      for _, value in ipairs(wrong_values(cfg)) do
        local before = cfg:text()
        local ok, err = pcall(edit, cfg, value)
        if not ok then
          assert.is_nil(tostring(err):find "\n")
          assert.equal(before, cfg:text())
        end
      end
      assert.truthy(handoff.config(cfg:text()))
    end
  end)

  on_tables("rawset and next on every private key", function()
    for _, value in ipairs(wrong_values(new())) do
      local cfg = new()
      local own = { cfg.availability, cfg.availability[1], cfg.settings, cfg.settings.keywords, cfg.voice.nested.list }
      table.insert(cfg.availability, 1, { day_span = "monday", start_time = "08:00", end_time = "09:00" })
      cfg.availability[2] = cfg.availability[3] -- a shift that is open
      for _, object in ipairs(own) do
        for key in next, object do rawset(object, key, value) end
        pcall(function() return object[1], object.name, #object, tostring(object) end)
        pcall(function() object[1] = "x" end)
        pcall(function() object.timezone = "UTC" end)
        pcall(function() object:add { day_span = "monday", start_time = "08:00", end_time = "09:00" } end)
        pcall(function() table.insert(object, 1, "x") end)
        pcall(function() object:remove(1) end)
        pcall(function() for _ in pairs(object) do end end)
        sane(cfg, true)
      end
    end
  end)

  on_tables("private values that it swaps between objects", function()
    local cfg, other = new(), new()
    local list = { cfg.availability, cfg.settings.keywords, cfg.availability[1], cfg.settings, other.availability }
    cfg.availability[2] = cfg.availability[3]
    other.availability[2] = other.availability[3]
    local found = {}
    for _, object in ipairs(list) do
      for _, value in next, object do found[#found + 1] = value end
    end
    for _, object in ipairs(list) do
      for key in next, object do
        for _, value in ipairs(found) do
          rawset(object, key, value)
          pcall(function() object[1] = object[2] end)
          pcall(function() object.is_active = true end)
          pcall(table.insert, object, 1, "x")
          pcall(table.remove, object, 1)
          sane(cfg, true)
        end
      end
    end
  end)

  it("the data behind an object, made a cycle or mixed", function()
    for _, spoil in ipairs {
      function(data) data.self = data end, function(data) data[1], data.x = 1, print end,
      function(data) data[true] = 1 end, function(data) for key in pairs(data) do data[key] = nil end end,
      function(data) data[1] = data data[2] = data end, function(data) data["\255"] = coroutine.create(print) end,
    } do
      for _, name in ipairs { "settings", "availability", "voice" } do
        local cfg = new()
        cfg.settings.is_active, cfg.availability[1].day_span, cfg.voice.rate = false, "friday", 2
        local kept = tables and cfg[name] or debug.getfenv(cfg[name])
        for _, data in next, kept do
          if type(data) == "table" then pcall(spoil, data) end
        end
        pcall(function() return cfg[name].x end)
        pcall(function() cfg[name].x = { 1 } end)
        pcall(function() cfg[name][1] = "x" end)
        pcall(function() cfg[name]:add "x" end)
        pcall(function() cfg[name] = cfg[name] end)
        pcall(function() for _ in handoff.each(cfg[name]) do end end)
        pcall(tostring, cfg[name])
        sane(cfg, true)
        local copy = new()
        pcall(function() copy.voice = cfg.voice end)
        pcall(function() copy.availability = { cfg.availability[1] } end)
        sane(copy, true)
      end
    end
  end)
end)

describe("a document", function()
  it("lives as long as any of its objects", function()
    local item, list = new().availability[2], new().routing_profiles[1].user_ids
    collectgarbage()
    collectgarbage()
    item.start_time = "11:00"
    list:add(9)
    assert.equal('{"id":2,"day_span":"saturday","start_time":"11:00","end_time":"14:00","note":[]}', tostring(item))
    assert.equal("[5,6,9]", tostring(list))
    assert.is_false(pcall(function() item.start_time = "x" end))
  end)

  it("is collected when nothing holds it", function()
    local weak = setmetatable({}, { __mode = "v" })
    for i = 1, 20 do
      local cfg = new()
      cfg.settings.keywords:add(cfg.availability[1].day_span .. i)
      cfg.custom_guidelines = cfg.custom_guidelines:each() and { cfg.custom_guidelines[1] }
      weak[i] = cfg.availability
      local copy = cfg:copy()
      copy.availability = cfg.availability
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(weak))
  end)

  on_tables("survives yields and errors in the middle of a sort, an iteration, an edit", function()
    local cfg = new()
    local co = coroutine.wrap(function()
      for _, item in ipairs(cfg.availability) do
        coroutine.yield(item)
        item.start_time = "06:00"
      end
      for key in pairs(cfg.settings) do coroutine.yield(key) end
      for i in cfg.availability:each() do coroutine.yield(i) end
      table.sort(cfg.availability, function() return coroutine.yield "never" end)
    end)
    co()
    cfg.availability:clear()
    collectgarbage()
    for _ = 1, 12 do co() end
    assert.is_nil(cfg.availability[1])
    sane(cfg)
    cfg = new()
    local calls = 0
    pcall(table.sort, cfg.availability, function(a, b)
      calls = calls + 1
      if calls == 3 then error "enough" end
      return a.id > b.id
    end)
    local seen = {}
    for _, item in ipairs(cfg.availability) do seen[item.id] = true end
    assert.same({ true, true, true }, seen)
  end)

  it("is edited from many coroutines", function()
    local cfg = new()
    local all = {}
    for i = 1, 50 do
      all[i] = coroutine.create(function()
        for k = 1, 10 do
          cfg.settings.keywords:add(("word %d %d"):format(i, k))
          coroutine.yield()
          pcall(function() cfg.settings.keywords:add(k) end)
        end
      end)
    end
    for _ = 1, 10 do for _, co in ipairs(all) do coroutine.resume(co) end end
    collectgarbage()
    assert.equal(503, #cfg.settings.keywords)
    assert.truthy(handoff.config(cfg:text()))
  end)

  it("takes edits by finalizers while it is read, written and edited", function()
    local cfg = new()
    local edits = 0
    local busy
    local function spawn()
      local value = finalizer(function()
        if busy then return end
        busy = true
        edits = edits + 1
        pcall(function() cfg.settings.keywords:add("k" .. edits % 50) end)
        pcall(function() cfg.settings.keywords:remove(("k%d"):format((edits + 25) % 50)) end)
        pcall(function() cfg.voice.nested.list:add { edits } end)
        if #cfg.voice.nested.list > 30 then cfg.voice.nested.list:clear() end
        pcall(function() cfg.availability[1].day_span = edits % 2 == 0 and "friday" or "sunday" end)
        pcall(function() cfg.settings.beta_flags["f" .. edits % 7] = edits % 3 > 0 and edits or nil end)
        pcall(cfg.text, cfg)
        pcall(cfg.json, cfg)
        pcall(function() cfg.custom_guidelines = cfg:plain().custom_guidelines end)
        busy = false
      end)
      return type(value)
    end
    collectgarbage("setpause", 50)
    for i = 1, 300 do
      spawn()
      pcall(cfg.text, cfg)
      pcall(cfg.json, cfg, { indent = 2 })
      pcall(cfg.copy, cfg)
      pcall(function() cfg.settings.keywords:add("main" .. i % 20) end)
      pcall(function() for _, item in handoff.each(cfg.availability) do tostring(item) end end)
      pcall(cfg.plain, cfg)
      if i % 50 == 0 then collectgarbage() end
    end
    collectgarbage("setpause", 200)
    collectgarbage()
    assert.is_true(edits > 0)
    assert.truthy(handoff.config(cfg:text()))
  end)
end)

describe("random edits", function()
  local names = {
    "settings", "availability", "generic_guidelines", "custom_guidelines", "routing_profiles", "voice", "id", "name",
    "description", "is_active", "user_ids", "keywords", "emails", "day_span", "end_time", "beta_flags", "list",
    "nested",
  }
  local function key(r) return r:boolean() and 1 + r:below(4) or r:one(names) end

  -- Something to assign: good, bad, or an object that was read before (`pool`), of this document or another.
  local function value(r, pool, depth)
    local kind = r:below(depth > 2 and 8 or 12)
    if kind == 0 then return nil end
    if kind == 1 then return r:below(5) end
    if kind == 2 then return r:boolean() end
    if kind == 3 then return r:one { "monday", "09:00", "a@example.com", "media_message", "Refund", "\255" } end
    if kind == 4 then return r:one { handoff.null, json.array(), json.number "123456789012345678901" } end
    if kind <= 7 then return r:one(pool) end
    if kind == 8 then return { day_span = "monday", start_time = "08:00", end_time = r:one { "07:00", "09:00" } } end
    if kind == 9 then return { name = r:one { "Refund", "media_message" }, description = "", is_active = true } end
    local fresh = {}
    for i = 1, r:below(4) do fresh[kind == 10 and i or r:one(names)] = value(r, pool, depth + 1) end
    return fresh
  end

  local edits = {
    function(object, r, pool) object[key(r)] = value(r, pool, 0) end,
    function(object, r, pool) pool[#pool + 1] = object:add(value(r, pool, 0)) end,
    function(object, r, pool) object:remove(value(r, pool, 0)) end,
    function(object, r, pool) table.insert(object, 1 + r:below(#object + 1), (value(r, pool, 0))) end,
    function(object, r) table.remove(object, 1 + r:below(#object)) end,
  }
  -- One of several assignments of these may be refused, and those before it stay.
  local long_edits = {
    function(object, r, pool) object:upsert(value(r, pool, 0)) end,
    function(object) table.sort(object, function(a, b) return tostring(a) < tostring(b) end) end,
    function(object, r)
      local i, j = 1 + r:below(#object), 1 + r:below(#object)
      object[i], object[j] = object[j], object[i]
    end,
  }

  local function no_id_twice(cfg)
    local plain = cfg:plain()
    for _, name in ipairs { "availability", "custom_guidelines", "routing_profiles" } do
      local seen = {}
      for _, item in ipairs(plain[name]) do
        local id = type(item) == "table" and item.id and tostring(item.id) or {}
        assert.is_nil(seen[id])
        seen[id] = true
      end
    end
  end

  it("are refused without a trace or leave a configuration, with no id in it twice", function()
    for seed = 1, 80 do
      local r = random(seed)
      local cfg, other = new(), new()
      local pool = { cfg, other, cfg.settings, cfg.availability, cfg.custom_guidelines, other.routing_profiles }
      for _ = 1, 60 do
        local object = r:one(pool)
        local ok, child = pcall(function() return object[key(r)] end)
        if ok and (type(child) == "table" or type(child) == "userdata") then pool[#pool + 1] = child end
        local mine, theirs = cfg:text(), other:text()
        if r:below(4) > 0 then
          if not pcall(r:one(edits), object, r, pool) then
            assert.equal(mine, cfg:text())
            assert.equal(theirs, other:text())
          end
        else
          pcall(r:one(long_edits), object, r, pool)
        end
        local back = assert(handoff.config(cfg:text()))
        assert.equal(cfg:json(), back:json())
        no_id_twice(back)
      end
    end
  end)
end)
