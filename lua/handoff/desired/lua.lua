-- SPDX-License-Identifier: MIT
--- Lua's syntax where it is data: comments, and `return { … }` of tables, texts, numbers, true and false. Nothing is run.
--
-- A tree of nodes, the same as handoff.desired.json gives. Places are offsets of bytes, from 1:
--   kind      "object" or "list"; "empty": {}, which can be either; "text", "number", "boolean", "null" (nil)
--   from, to  its first byte and its last
--   value     of a scalar
--   entries   of the others, in the order of the text: { name=, from=, node=, to=, separator= }: `name` of an object's;
--             from its key's first byte to its value's last; where the comma after it stands, if one does
--   comments  of the outermost: a list of { from=, to= }
local core = require "handoff.core"

local find, match, sub = string.find, string.match, string.sub
local number = core.json.number

local DEPTH = 100

local function fail(at, rule, message)
  error({ at = at, rule = rule, message = message }, 0)
end

-- A piece of the text as a message can have it; a key may be any bytes.
local function shown(text)
  text = text:gsub("[^\32-\126]", "?")
  return #text > 40 and text:sub(1, 40) .. "…" or text
end

-- ---- blanks and comments --------------------------------------------------------------------------------------------

-- At the first bracket of a long text → its level and the place after its second bracket, or nil.
local function long_bracket(text, at)
  local equals = match(text, "^%[(=*)%[", at)
  if equals then return "]" .. equals .. "]", at + #equals + 2 end
end

local function end_of_comment(text, at)
  local close, after = long_bracket(text, at + 2)
  if not close then return (find(text, "[\r\n]", at) or #text + 1) - 1 end
  local _, stop = find(text, close, after, true)
  return stop or fail(at, "syntax", "a comment that is not closed; end it with " .. shown(close))
end

-- The place of the next token; one past the end where there is none.
local function skip(r, at)
  at = find(r.text, "%S", at)
  while at and sub(r.text, at, at + 1) == "--" do
    local stop = end_of_comment(r.text, at)
    r.comments[#r.comments + 1] = { from = at, to = stop }
    at = find(r.text, "%S", stop + 1)
  end
  return at or #r.text + 1
end

-- ---- texts ----------------------------------------------------------------------------------------------------------

local function utf8_char(code)
  local char = string.char
  if code < 0x80 then return char(code) end
  local bytes, first = "", 0x40
  repeat
    bytes, code, first = char(0x80 + code % 64) .. bytes, math.floor(code / 64), first / 2
  until code < first
  return char(256 - 2 * first + code) .. bytes
end

local escapes = {
  a = "\a", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", v = "\v", ["\\"] = "\\", ['"'] = '"', ["'"] = "'",
}

-- At a line's end → its one or two bytes.
local function end_of_line(text, at)
  return match(text, "^\r\n", at) or match(text, "^\n\r", at) or sub(text, at, at)
end

-- At a backslash → what it stands for, the place after it.
local function escape(text, at)
  local c = sub(text, at + 1, at + 1)
  if escapes[c] then return escapes[c], at + 2 end
  if c == "\n" or c == "\r" then return "\n", at + 1 + #end_of_line(text, at + 1) end
  if c == "z" then return "", match(text, "^%s*()", at + 2) end
  local hex, after = match(text, "^x(%x%x)()", at + 1)
  if hex then return string.char(tonumber(hex, 16)), after end
  local digits
  digits, after = match(text, "^(%d%d?%d?)()", at + 1)
  if digits and tonumber(digits) < 256 then return string.char(tonumber(digits)), after end
  hex, after = match(text, "^u{(%x+)}()", at + 1)
  if hex and #hex < 9 and tonumber(hex, 16) <= 0x10FFFF then return utf8_char(tonumber(hex, 16)), after end
  fail(at, "syntax", [[no such escape; a backslash itself is written \\]])
end

-- At a quote → the text within, its last byte's place.
local function quoted(text, at)
  local quote, pieces, after = sub(text, at, at), {}, at + 1
  local stops = quote == '"' and '["\\\n\r]' or "['\\\n\r]"
  while true do
    local stop = find(text, stops, after)
    local c = stop and sub(text, stop, stop)
    if not stop or c == "\n" or c == "\r" then
      fail(at, "syntax", ([[a text that is not closed on its line; end it with %s, or write \n for a new line]])
        :format(quote))
    end
    pieces[#pieces + 1] = sub(text, after, stop - 1)
    if c == quote then return table.concat(pieces), stop end
    pieces[#pieces + 1], after = escape(text, stop)
  end
end

local function long_text(text, at)
  local close, after = long_bracket(text, at)
  local stop, last = find(text, close, after, true)
  if not stop then fail(at, "syntax", "a text that is not closed; end it with " .. shown(close)) end
  local lines = sub(text, after, stop - 1):gsub("\r\n", "\n"):gsub("\n\r", "\n"):gsub("\r", "\n")
  return lines:gsub("^\n", ""), last
end

-- ---- what is not data -----------------------------------------------------------------------------------------------

-- At something that is no value.
local function refuse_value(r, at)
  local word, after = match(r.text, "^([%a_][%w_.:]*)()", at)
  if word == "function" then fail(at, "data", "a function; this file is data: write the value itself") end
  if word then
    word = word:gsub("[.:]+$", "")
    local called = find(r.text, "^[(\"'{%[]", skip(r, after)) and sub(r.text, after - 1, after - 1) ~= ":"
    fail(at, "data", called and ('"%s" is called; this file is data: write the value itself'):format(shown(word))
      or ('"%s" is a name; this file is data: write the value itself, texts in quotes'):format(shown(word)))
  end
  if at > #r.text then fail(at, "syntax", "the file ends too early; look for a } or a quote that is missing") end
  if find(r.text, "^[%-#~(+]", at) then
    fail(at, "data", ('"%s" is an operator; this file is data: write the result itself'):format(sub(r.text, at, at)))
  end
  fail(at, "syntax", "a value expected: a text in quotes, a number, true, false or a table")
end

-- At something behind a value that neither separates it from the next nor ends the table.
local function refuse_rest(r, at)
  local operator = match(r.text, "^%.%.", at) or match(r.text, "^[=~<>]=", at) or match(r.text, "^//", at)
    or match(r.text, "^[-+*/%%^<>&|~.:(%[]", at) or match(r.text, "^%f[%w_]and%f[^%w_]", at)
    or match(r.text, "^%f[%w_]or%f[^%w_]", at)
  if operator then
    fail(at, "data", ('"%s" is an operator; this file is data: write the result itself'):format(operator))
  end
  if at > #r.text then fail(at, "syntax", "the file ends too early; look for a } that is missing") end
  fail(at, "syntax", "a comma or } expected; look for one that is missing just before")
end

-- ---- values ---------------------------------------------------------------------------------------------------------

local words = { ["true"] = { "boolean", true }, ["false"] = { "boolean", false }, ["nil"] = { "null" } }

local function read_number(r, at)
  local digits = match(r.text, "^%-?%.?%d[%w_.]*", at)
  if find(digits, "^[^xX]*[eE]$") then digits = digits .. match(r.text, "^[+-]?%d*", at + #digits) end
  local ok, value = pcall(number, digits)
  if not ok and not find(value, "bad argument", 1, true) then error(value, 0) end -- memory was short
  if not ok then fail(at, "syntax", "no number that can stand here; write it in digits, such as 7") end
  return { kind = "number", value = value, from = at, to = at + #digits - 1 }
end

local read_table

local function read_value(r, at, depth)
  local c = sub(r.text, at, at)
  if c == "{" then return read_table(r, at, depth) end
  if c == '"' or c == "'" or c == "[" and long_bracket(r.text, at) then
    local value, to = (c == "[" and long_text or quoted)(r.text, at)
    return { kind = "text", value = value, from = at, to = to }
  end
  if find(r.text, "^%-?%.?%d", at) then return read_number(r, at) end
  local word = match(r.text, "^[%a_][%w_]*", at)
  if not words[word] then refuse_value(r, at) end
  return { kind = words[word][1], value = words[word][2], from = at, to = at + #word - 1 }
end

-- At an entry → its name where it has one, the place of its value.
local function read_key(r, at)
  local name, after = match(r.text, "^([%a_][%w_]*)()", at)
  if name then
    after = skip(r, after)
    if not find(r.text, "^=[^=]", after) then return nil, at end
    return name, skip(r, after + 1)
  end
  if sub(r.text, at, at) ~= "[" or long_bracket(r.text, at) then return nil, at end
  local from = skip(r, at + 1)
  local key = sub(r.text, from, from) ~= "{" and read_value(r, from)
  if not key or key.kind ~= "text" then
    fail(from, "data", "a key is a text; items of a list are written one after the other, without keys")
  end
  after = skip(r, key.to + 1)
  if sub(r.text, after, after) ~= "]" then refuse_rest(r, after) end
  after = skip(r, after + 1)
  if sub(r.text, after, after) ~= "=" then fail(after, "syntax", "= expected after the key") end
  return key.value, skip(r, after + 1)
end

local function read_entry(r, at, node, seen, depth)
  local name, after = read_key(r, at)
  local value, kind = read_value(r, after, depth), name and "object" or "list"
  if node.kind ~= "empty" and node.kind ~= kind then
    fail(at, "syntax", "a list and named fields in one table; give each a table of its own")
  end
  if name and seen[name] then fail(at, "duplicate_key", ('"%s" is there twice; remove one'):format(shown(name))) end
  node.kind, seen[name or false] = kind, true
  return { name = name, from = at, node = value, to = value.to }
end

function read_table(r, at, depth)
  if depth >= DEPTH then fail(at, "depth", "tables nest more than 100 deep") end
  local node, seen = { kind = "empty", from = at, entries = {} }, {}
  at = skip(r, at + 1)
  while sub(r.text, at, at) ~= "}" do
    local entry = read_entry(r, at, node, seen, depth + 1)
    node.entries[#node.entries + 1] = entry
    at = skip(r, entry.to + 1)
    local c = sub(r.text, at, at)
    if c == "," or c == ";" then
      entry.separator, at = at, skip(r, at + 1)
    elseif c ~= "}" then
      refuse_rest(r, at)
    end
  end
  node.to = at
  return node
end

local function read(r)
  local at = skip(r, 1)
  if not find(r.text, "^return%f[^%w_]", at) then
    fail(at, "data", "this file is data: comments and return { … }, and nothing else")
  end
  at = skip(r, at + #"return")
  if sub(r.text, at, at) ~= "{" then
    fail(at, "data", "a table expected after return: return { … }")
  end
  local node = read_table(r, at, 0)
  at = skip(r, node.to + 1)
  if sub(r.text, at, at) == ";" then at = skip(r, at + 1) end
  if at <= #r.text then fail(at, "data", "this file is data: nothing may stand behind the table") end
  node.comments = r.comments
  return node
end

local lua = {}

--- → the tree, or nil, { at=, rule=, message= } of the first thing that is wrong.
function lua.read(text)
  local ok, node = pcall(read, { text = text, comments = {} })
  if ok then return node end
  if type(node) ~= "table" then error(node, 0) end
  node.at = math.max(1, math.min(node.at, #text)) -- what is missing is missing at the end
  return nil, node
end

--- Whether the text's first statement is `return {`: desired state, not an edit script.
function lua.is_data(text)
  local r = { text = text, comments = {} }
  local function first_value()
    local at = skip(r, match(text, "^\239?\187?\191?()"))
    return find(text, "^return%f[^%w_]", at) and skip(r, at + #"return")
  end
  local ok, at = pcall(first_value)
  if not ok and type(at) ~= "table" then error(at, 0) end -- no comment that never ends
  return ok and at ~= nil and sub(text, at, at) == "{"
end

return lua
