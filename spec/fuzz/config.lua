-- SPDX-License-Identifier: MIT
--- A document and edits of it. What begins with { is the document's text up to a byte 0, and edits after it; of any other the
-- document is made, too: the schema's fields, with values that fit them and some that do not.
-- Held: a document is taken or refused as no document; an edit does what it says or raises and does nothing; what was not edited
-- goes back byte for byte; the text is valid all the while, and read again it is the same configuration; changes and merges keep
-- their laws.
local core = require "handoff.core"
local config = require "handoff.config"
local change = require "handoff.change"
local fuzz = require "support.fuzz"

local hold, try = fuzz.hold, fuzz.try
local json, null = core.json, core.json.null
local document = core.schema.document()
local MOST_EDITS = 24

-- ---- documents, as text -------------------------------------------------------------------------------------------------

local texts = { "", "a", "b", "Refund", "Zoë", "\240\159\152\128", "a b ", "\t\"\\/\n", "\127", "1", "UTC",
  "Europe/London", "monday", "monday-friday", "sunday", "09:00", "17:00", "23:59", "a@b.example" }
local numbers = { "1", "2", "3", "0", "-1", "9007199254740993", "12345678901234567890123", "1.0", "1e2", "-0", "0.1",
  "3.14159265358979323846", "1e400", "9223372036854775808" }
local odd = { "null", "[]", "{}", "false", "0.5", '""', "[1,[],{}]", '{"list":[null,{}],"n":1e400}',
  '"\\u00e9\\ud83d\\ude00"', '"\\u0000"' }
local blanks = { "", "", "", " ", "\n  ", "\r\n\t" }

local function blank(r) return r:one(blanks) end

local function text_value(r, row)
  if row.choices and r:below(4) > 0 then return r:one(row.choices) end
  if row.max and r:below(12) == 0 then return ("é"):rep(row.max + r:below(2)) end
  return r:one(texts)
end

local written

local function written_members(r, row)
  local members = {}
  for _, field in ipairs(row.fields) do
    if r:below(8) > 0 then members[#members + 1] = { field.name, written(r, field) } end
  end
  if r:below(6) == 0 then members[#members + 1] = { "future", r:one(odd) } end
  return members
end

local function written_object(r, members)
  local all = {}
  for i, member in ipairs(members) do
    member.text = json.encode(member[1]) .. blank(r) .. ":" .. blank(r) .. member[2]
    all[i] = blank(r) .. member.text .. blank(r)
  end
  return "{" .. table.concat(all, ",") .. "}"
end

local function written_list(r, row)
  local all = {}
  for i = 1, r:below(5) do all[i] = blank(r) .. written(r, row.item) .. blank(r) end
  return "[" .. table.concat(all, ",") .. "]"
end

function written(r, row)
  if r:below(16) == 0 then return r:one(odd) end
  if row.fields then return written_object(r, written_members(r, row)) end
  if row.item then return written_list(r, row) end
  if row.kind == "boolean" then return r:boolean() and "true" or "false" end
  return row.kind == "integer" and r:one(numbers) or json.encode(text_value(r, row))
end

-- → its text, and its parts' by name, as they stand in it.
local function written_document(r)
  local members, parts = {}, {}
  for i, field in ipairs(document.fields) do
    members[i] = { field.name, field.fields and written_object(r, written_members(r, field)) or written_list(r, field) }
  end
  for i = 1, r:below(3) do members[#members + 1] = { "later " .. i, r:one(odd) } end
  local text = written_object(r, members)
  for _, member in ipairs(members) do parts[member[1]] = member.text end
  return text, parts
end

-- ---- edits --------------------------------------------------------------------------------------------------------------

local circle = {}
circle.self = circle

local values = {
  null, true, false, 0, 1, -1, 2 ^ 53, 0.5, 0 / 0, 1 / 0, json.decode "12345678901234567890", "x",
  "\255", ("y"):rep(600), "mon-fri 9-17", print, circle, {}, json.array {}, { 1, 2 }, { 1, nil, 3 }, { "a", "b" },
  { { name = "a" } }, { id = 1 }, { id = 1, name = "a" }, { name = "Refund" },
  { name = "New", description = "d", is_active = true },
  { name = "R", description = "d", is_active = true, user_ids = { 1, 2 } },
  { day_span = "monday", start_time = "09:00", end_time = "17:00" },
}

-- A Lua value for the row, which often fits it.
local function value_for(r, row)
  if not row or r:below(4) == 0 then return r:one(values) end
  if row.fields or row.item then return (json.decode(written(r, row))) end
  if row.kind == "boolean" then return r:boolean() end
  if row.kind == "integer" then return r:below(5) end
  return text_value(r, row)
end

-- Whether it is an object or a list; a userdata can be null or a number with many digits, too.
local function is_node(value)
  return type(value) == "table" or type(value) == "userdata" and value ~= null and not tostring(value):find "^%-?%d"
end

-- A list or an object of the configuration, or what the service sent in its place; and its row.
local function pick(r, cfg)
  local row = r:one(document.fields)
  local node = cfg[row.name]
  while is_node(node) and r:left() and r:below(3) > 0 do
    local below, inner = nil, nil
    if row.item then
      below, inner = node[r:below(4) + 1], row.item
    elseif row.fields then
      inner = r:one(row.fields)
      below = node[inner.name]
    end
    if not inner or not (inner.fields or inner.item) or not is_node(below) then break end
    node, row = below, inner
  end
  return node, row
end

local edits = {}

function edits.set(r, cfg)
  local node, row = pick(r, cfg)
  if not is_node(node) then return end
  local key, inner
  if row.item then
    key, inner = r:below(5) + 1, row.item
  else
    local field = r:one(row.fields or document.fields)
    key, inner = field.name, field
  end
  if r:below(16) == 0 then key = r:one { "keyword", 0, -1, 1.5, true, "future", 100 } end
  local value = value_for(r, inner)
  if r:below(8) == 0 then value = nil end
  node[key] = value
  local now = node[key]
  if is_node(value) or row.item then return end
  hold(change.same(now, value), "%s was set to %s and is %s", tostring(key), tostring(value), tostring(now))
end

function edits.part(r, cfg)
  local row = r:one(document.fields)
  cfg[row.name] = value_for(r, row)
end

-- What a method makes of how many there were: now.
local held = {
  add = function(was, now, row) return now == was + 1 or now == was and not row.item.fields end, -- scalars are a set
  upsert = function(was, now) return now == was or now == was + 1 end,
  remove = function(was, now, _, result) return now == was - (result or 0) end,
  clear = function(_, now) return now == 0 end,
  find = function(was, now) return now == was end,
}

local function of_list(name)
  return function(r, cfg)
    local node, row = pick(r, cfg)
    local method = is_node(node) and row.item and node[name]
    if not method then return end -- or the service sent an object there
    local value = value_for(r, row.item)
    if name == "remove" and r:boolean() then value = r:one { 1, 2, { is_active = true }, node[r:below(5) + 1] } end
    if name == "upsert" and type(value) == "table" and r:boolean() then value.id = nil end
    local was = #node
    local result = method(node, value)
    hold(held[name](was, #node, row, result), "%s of %d: %d, and it returned %s", name, was, #node, tostring(result))
  end
end
for _, name in ipairs { "add", "upsert", "remove", "clear", "find" } do edits[name] = of_list(name) end

local function in_order(a, b)
  if type(a) == "table" then a = a.name or a.id or "" end
  if type(b) == "table" then b = b.name or b.id or "" end
  return tostring(a) < tostring(b)
end

function edits.table(r, cfg)
  local node, row = pick(r, cfg)
  if not row.item or type(node) ~= "table" then return end
  local how = r:below(4)
  if how == 0 then table.insert(node, r:below(#node + 1) + 1, value_for(r, row.item)) end
  if how == 1 then table.remove(node, r:below(#node + 1) + 1) end
  if how == 2 then table.sort(node, in_order) end
  if how == 3 then node[#node + 1] = node[1] end
end

function edits.each(r, cfg)
  local node = pick(r, cfg)
  if not is_node(node) then return end
  for key, value in config.each(node) do hold(node[key] == value, "each is not what is there") end
end

local names = { "set", "set", "set", "set", "part", "add", "upsert", "upsert", "remove", "remove", "clear", "find",
  "table", "each" }

-- What goes wrong in the middle of these leaves what came before it done, as it does to any table.
local in_steps = { table = true }

-- One edit, which leaves the configuration as it was where it raises.
local function edit(r, cfg)
  local name, before = r:one(names), cfg:text()
  local ok, err = try(edits[name], r, cfg)
  local text = cfg:text()
  hold(json.decode(text) ~= nil, "no JSON after %s: %s", name, text)
  if ok then return end
  hold(in_steps[name] or text == before, "%s raised %s, and did something:\n%s\n%s", name, tostring(err), before, text)
end

local function edit_all(r, cfg)
  for _ = 1, MOST_EDITS do
    if not r:left() or r:below(12) == 0 then return end
    edit(r, cfg)
  end
end

-- ---- laws ---------------------------------------------------------------------------------------------------------------

local function lines(list)
  local all = {}
  for i, one in ipairs(list) do
    all[i] = tostring(one)
    fuzz.hold_line(all[i], "change")
  end
  return table.concat(all, "\n")
end

local function hold_untouched(cfg, parts)
  local text, edited = cfg:text(), {}
  for _, part in ipairs(core.config.edited(cfg)) do edited[part.name] = true end
  for name, its_text in pairs(parts) do
    hold(edited[name] or text:find(its_text, 1, true), "%s, not edited, was %s and is in\n%s", name, its_text, text)
  end
end

local function hold_text(cfg)
  local again = assert(config.new(cfg:text(), true))
  hold(again:text() == cfg:text(), "read and not edited, and another text: %s", cfg:text())
  hold(cfg:json() == cfg:json() and again:json() == cfg:json(), "two of\n%s\n%s", cfg:json(), again:json())
  local canonical = assert(config.new(cfg:json(), true))
  hold(canonical:json() == cfg:json(), "canonical twice:\n%s\n%s", cfg:json(), canonical:json())
  hold(#canonical:changes() == 0 and #again:changes() == 0, "changes of what nobody edited")
  local copy = cfg:copy()
  hold(copy:text() == cfg:text(), "a copy is another:\n%s\n%s", copy:text(), cfg:text())
  local copied, changes = lines(copy:changes()), lines(cfg:changes())
  hold(copied == changes, "a copy has other changes:\n%s\n%s", copied, changes)
  hold(json.encode(again:plain()) == json.encode(cfg:plain()), "plain is another:\n%s", json.encode(cfg:plain()))
  for _, issue in ipairs(cfg:check()) do fuzz.hold_line(tostring(issue), "issue") end
end

-- Whether two items of the list have the same value in the field.
local function has_twice(list, field)
  local seen = {}
  for _, item in ipairs(type(list) == "table" and list or {}) do
    local value = type(item) == "table" and item[field]
    if value then
      if seen[tostring(value)] then return true end
      seen[tostring(value)] = true
    end
  end
end

-- Which of two items of one id is whose cannot be known, nor of two of one name where one has an id and the other has none: those
-- may pass for moved.
local function is_in_doubt(c, mine, merged)
  return has_twice(mine[c.part], "id") or has_twice(merged[c.part], "id")
    or c.kind == "moved" and has_twice(c.after, "name")
end

-- What leads from base to mine, done to base, is mine: nothing is left to change, and nothing was in the way.
local function hold_merged(base, mine)
  local merged = base:copy()
  local conflicts = lines(config.merge(merged, base, mine))
  hold(conflicts == "", "a merge into its own base: %s", conflicts)
  local my_plain, merged_plain, certain = mine:plain(), merged:plain(), {}
  for _, c in ipairs(change.diff(my_plain, merged_plain)) do
    certain[#certain + 1] = not is_in_doubt(c, my_plain, merged_plain) and c or nil
  end
  local left = lines(certain)
  hold(left == "", "merged into its own base, and it lacks\n%s\nbase\n%s\nmine\n%s", left, base:text(), mine:text())
end

local function hold_three(base, mine, theirs)
  local merged = theirs:copy()
  lines(config.merge(merged, base, mine))
  hold(config.new(merged:text(), true), "no document: %s", merged:text())
  merged = theirs:copy()
  hold(lines(config.merge(merged, base, mine, { resolve = "theirs" })) == "", "resolved, and conflicts left")
end

return function(input)
  local stop = input:sub(1, 1) == "{" and (input:find("\0", 1, true) or #input + 1) or 0
  local r, text, parts = fuzz.reader(input:sub(stop + 1)), input:sub(1, stop - 1), {}
  if stop == 0 then text, parts = written_document(r) end
  local base, err = config.new(text, true)
  if not base then return fuzz.hold_error(err, { protocol = true }) end
  hold(base:text() == text, "read, and another text")
  local mine, theirs = base:copy(), base:copy()
  edit_all(r, mine)
  hold(base:text() == text, "an edit of a copy did something to what it is of")
  hold_untouched(mine, parts)
  hold_text(mine)
  hold_merged(base, mine)
  edit_all(r, theirs)
  hold_three(base, mine, theirs)
end
