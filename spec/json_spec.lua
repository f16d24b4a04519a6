-- SPDX-License-Identifier: MIT
local handoff = require "handoff"
local program = require "support.program"
local random = require "support.random"

local json = handoff.json
local decode, encode = json.decode, json.encode

local function refused(text, options)
  local value, err = decode(text, options)
  assert.is_nil(value)
  assert.equal("protocol", err.kind)
  return err
end

local function raised(...)
  local ok, err = pcall(...)
  assert.is_false(ok)
  return err
end

local function round(text)
  local value, err = decode(text)
  assert.is_nil(err)
  return encode(value)
end

local function nested(depth) return ("["):rep(depth) .. ("]"):rep(depth) end

-- UTF-8 of a code point; Lua 5.1 has no utf8.char.
local function utf8_of(c)
  if c < 0x80 then return string.char(c) end
  local tail, bytes = "", c < 0x800 and 2 or c < 0x10000 and 3 or 4
  for _ = 2, bytes do
    tail = string.char(0x80 + c % 64) .. tail
    c = math.floor(c / 64)
  end
  local lead = ({ [2] = 0xC0, [3] = 0xE0, [4] = 0xF0 })[bytes]
  return string.char(lead + c) .. tail
end

describe("json.decode", function()
  -- {text, line, column, part of the reason}
  local invalid = {
    { "", 1, 1, "a value expected" },
    { " \n ", 2, 2, "a value expected" },
    { "{", 1, 2, "ends in the middle" },
    { '{"a"', 1, 5, "ends in the middle" },
    { '{"a":', 1, 6, "ends in the middle" },
    { '{"a":1', 1, 7, "ends in the middle" },
    { '"a', 1, 3, "ends in the middle" },
    { "[1,]", 1, 4, "a value expected" },
    { "[,1]", 1, 2, "a value expected" },
    { "[1 2]", 1, 4, "comma or ]" },
    { "[1}", 1, 3, "comma or ]" },
    { '{"a":1,}', 1, 8, "a name in double quotes" },
    { "{a:1}", 1, 2, "a name in double quotes" },
    { "{'a':1}", 1, 2, "a name in double quotes" },
    { '{"a" 1}', 1, 6, "a colon" },
    { '{"a":1 "b":2}', 1, 8, "comma or }" },
    { "[1] x", 1, 5, "nothing may follow" },
    { "1 2", 1, 3, "nothing may follow" },
    { "tru", 1, 1, "a value expected" },
    { "True", 1, 1, "a value expected" },
    { "nul", 1, 1, "a value expected" },
    { "nulll", 1, 5, "nothing may follow" },
    { "NaN", 1, 1, "a value expected" },
    { "-NaN", 1, 1, "not a number" },
    { "Infinity", 1, 1, "a value expected" },
    { "0x10", 1, 2, "nothing may follow" },
    { "01", 1, 1, "not a number" },
    { "-", 1, 1, "not a number" },
    { "-01", 1, 1, "not a number" },
    { "+1", 1, 1, "a value expected" },
    { ".5", 1, 1, "a value expected" },
    { "1.", 1, 1, "not a number" },
    { "1.e5", 1, 1, "not a number" },
    { "1e", 1, 1, "not a number" },
    { "1e+", 1, 1, "not a number" },
    { "[1.5.5]", 1, 5, "comma or ]" },
    { "// c\n1", 1, 1, "a value expected" },
    { "\239\187\191{}", 1, 1, "a byte order mark; save the text without one" },
    { '"a\tb"', 1, 3, "control character" },
    { '"a\nb"', 1, 3, "control character" },
    { '"a\0b"', 1, 3, "control character" },
    { "{}\0", 1, 3, "nothing may follow" },
    { '"\\x41"', 1, 3, "no such escape" },
    { '"\\\0"', 1, 3, "no such escape" },
    { '"\\u12"', 1, 3, "four hexadecimal" },
    { '"\\u12g4"', 1, 3, "four hexadecimal" },
    { '"\\uD800"', 1, 3, "lone surrogate" },
    { '"\\uDC00"', 1, 3, "lone surrogate" },
    { '"\\uD800\\u0041"', 1, 3, "lone surrogate" },
    { '"\\uD800\\uD800"', 1, 3, "lone surrogate" },
    { '"\\uD83Dx"', 1, 3, "lone surrogate" },
    { '"\\uDE00\\uD83D"', 1, 3, "lone surrogate" },
    { '"\\uD83D\\n"', 1, 3, "lone surrogate" },
    { '"\128"', 1, 2, "not UTF-8" },
    { '"ab\192\175"', 1, 4, "not UTF-8" },
    { '"\195"', 1, 2, "not UTF-8" },
    { '"\224\128\128"', 1, 2, "not UTF-8" },
    { '"\237\160\128"', 1, 2, "not UTF-8" },
    { '"\244\144\128\128"', 1, 2, "not UTF-8" },
    { '"\255"', 1, 2, "not UTF-8" },
    { '{"\255[]":1}', 1, 3, "not UTF-8" },
    { '\255', 1, 1, "a value expected" },
    { '{"ä":"ü",\n "😀é":x}', 2, 7, "a value expected" },
    { '["ä","é"\n,\r\n\t"😀" x]', 3, 6, "comma or ]" },
    { '{"a":1,"a":2}', 1, 9, "a name for the second time" },
    { '{"a":1,"\\u0061":2}', 1, 9, "a name for the second time" },
    { '{"\\u00e9":1,\n"é":2}', 2, 2, "a name for the second time" },
    { '{"😀":1,"\\ud83d\\ude00":2}', 1, 9, "a name for the second time" },
    { '{"\\/":1,"/":2}', 1, 10, "a name for the second time" },
    { '{"":1,"":2}', 1, 8, "a name for the second time" },
    { '{"\\u0000":1,"\\u0000":2}', 1, 14, "a name for the second time" },
    { '[{"x":{"k":1,"k":2}}]', 1, 15, "a name for the second time" },
    { nested(101), 1, 101, "more than 100 deep" },
    { ('{"a":'):rep(101) .. "1" .. ("}"):rep(101), 1, 501, "more than 100 deep" },
  }
  for _, row in ipairs(invalid) do
    it(("refuses %q"):format(row[1]:sub(1, 40)), function()
      local err = refused(row[1])
      assert.same({ row[2], row[3] }, { err.line, err.column })
      assert.truthy(err.message:find(row[4], 1, true), err.message)
      assert.truthy(tostring(err):find(("line %d, column %d"):format(row[2], row[3]), 1, true))
      assert.is_nil(tostring(err):find "\n")
    end)
  end

  local function object(count, name)
    local members = {}
    for i = 1, count do members[i] = ('"%s":%d'):format(name(i), i) end
    return "{" .. table.concat(members, ",") .. "}"
  end

  for _, count in ipairs { 2, 16, 17, 65, 1000 } do
    it(("finds a name that comes twice among %d, at any place, also behind an escape"):format(count), function()
      local function plain(i) return "n" .. i end
      assert.truthy(decode(object(count, plain)))
      for _, at in ipairs { 1, math.floor(count / 2), count - 1 } do
        if at >= 1 and at < count then
          local twice = object(count, function(i) return i == count and plain(at) or plain(i) end)
          assert.truthy(refused(twice).message:find("second time", 1, true))
          local escaped = object(count, function(i) return i == count and "\\u006e" .. at or plain(i) end)
          local err = refused(escaped)
          assert.truthy(err.message:find("second time", 1, true))
          assert.equal(select(2, escaped:find('.*"\\u')) - 1, err.column)
        end
      end
    end)
  end

  it("keeps names apart that differ by a prefix, by case or by normalisation", function()
    for _, text in ipairs {
      '{"a":1,"aa":2,"A":3,"\\u0061\\u0000":4}', '{"é":1,"e\204\129":2}', '{"\\u0000":1,"":2,"\\u0000\\u0000":3}',
    } do
      assert.equal(select(2, text:gsub(":", "")), select(2, round(text):gsub(":", "")))
    end
  end)

  it("takes a depth of 100, and no more", function()
    assert.equal(nested(100), round(nested(100)))
    refused(nested(101))
    local objects = ('{"a":'):rep(100) .. "1" .. ("}"):rep(100)
    assert.equal(objects, round(objects))
    assert.truthy(refused(nested(4000000)).message:find("100 deep", 1, true))
  end)

  it("refuses what is larger than max_bytes, and says how", function()
    assert.equal(1, decode("[1]", { max_bytes = 3 })[1])
    local err = refused("[12]", { max_bytes = 3 })
    assert.equal("the text: refused at line 1, column 4: more bytes than the limit allows", err.message)
    assert.truthy(decode('"' .. ("x"):rep(8 * 1024 * 1024 - 2) .. '"'))
    refused('"' .. ("x"):rep(8 * 1024 * 1024 - 1) .. '"')
    assert.truthy(decode('"' .. ("x"):rep(8 * 1024 * 1024 - 1) .. '"', { max_bytes = 9e6 }))
  end)

  it("reads its options strictly", function()
    for _, options in ipairs {
      { max_byte = 3 }, { max_bytes = "3" }, { max_bytes = -1 }, { max_bytes = 0 / 0 }, { max_bytes = 1e300 }, { 3 },
    } do
      local err = raised(decode, "1", options)
      assert.equal("invalid", err.kind)
      assert.truthy(tostring(err):find("json_spec.lua:%d+:") or tostring(err):find "max_bytes")
    end
    assert.truthy(tostring(raised(decode, "1", 3)):find("table expected", 1, true))
    assert.truthy(tostring(raised(decode, {})):find("string expected", 1, true))
    assert.truthy(tostring(raised(decode)):find("string expected", 1, true))
  end)
end)

describe("json round trip", function()
  -- {text} comes back as it is; {text, other} comes back as the other
  local rows = {
    { "[]" }, { "{}" }, { "null" }, { "true" }, { "false" }, { '""' }, { "[[]]" }, { "[{}]" }, { '{"a":[]}' },
    { '{"a":{}}' },
    { "[null]" }, { "[null,null]" }, { '{"a":null}' }, { '[[[],{}],[],{"a":[null]}]' }, { " [ \n ] ", "[]" },
    { "[1,null,2,null]" },
    -- integers
    { "0" }, { "1" }, { "-1" }, { "123456789012345" }, { "-123456789012345" }, { "1234567890123456" },
    { "9007199254740991" }, { "9007199254740992" }, { "9007199254740993" }, { "-9007199254740993" },
    { "10000000000000000" }, { "100000000000000000" }, { "1234567890123456768" },
    { "9223372036854775807" }, { "-9223372036854775808" }, { "9223372036854775808" }, { "18446744073709551615" },
    { "18446744073709551616" }, { "123456789012345678901234567890" }, { "1" .. ("0"):rep(400) }, { "-0", "-0.0" },
    { "-0.0" },
    { "[9007199254740993,-9223372036854775809]" }, { '{"id":9007199254740993}' },
    -- decimals
    { "0.5" }, { "0.1" }, { "-0.1" }, { "3.14159265358979" }, { "0.30000000000000004" }, { "1.7976931348623157e+308" },
    { "0.3000000000000000" .. "1" }, { "0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827" },
    { "2.2250738585072014e-308" }, { "5e-324" }, { "4.9e-324" }, { "1e400" }, { "1e-400" }, { "-1e400" },
    { "0." .. ("0"):rep(320) .. "1" }, { "0." .. ("0"):rep(400) .. "1" },
    { "1.0", "1" }, { "100.00", "100" }, { "-5.0", "-5" }, { "0.10", "0.1" }, { "0.0", "0" }, { "0e5", "0" },
    { "0.0e-5", "0" },
    { "-0e5", "-0.0" },
    -- exponents
    { "1e2", "100" }, { "1E+2", "100" }, { "1e15", "1000000000000000" }, { "1e18", "1000000000000000000" },
    { "1e19", "1e+19" },
    { "1e22", "1e+22" }, { "1.5e300", "1.5e+300" }, { "1e-7", "1e-07" }, { "123e-2", "1.23" }, { "1e201", "1e+201" },
    { "1e0000000000000000000005", "100000" }, { "1e-5", "1e-05" }, { "0.0001" },
    -- strings
    { [["\"\\\/\b\f\n\r\t"]], [["\"\\/\b\f\n\r\t"]] }, { [["\u0000"]] }, { [["\u0001\u001f"]] }, { '"\127"' },
    { [["\u001F"]], [["\u001f"]] }, { [["\u0041\u00e9\u20ac"]], '"Aé€"' }, { [["\ud83d\ude00"]], '"😀"' },
    { [["\uD800\uDC00"]], '"\240\144\128\128"' }, { [["\uDBFF\uDFFF"]], '"\244\143\191\191"' },
    { [["\uFFFE\uFFFF\uFDD0"]], '"\239\191\190\239\191\191\239\183\144"' },
    { [["\u2028\u2029"]], '"\226\128\168\226\128\169"' },
    { [[{"a\u0000b":1}]], [[{"a\u0000b":1}]] }, { [[{"":1}]] }, { [[{"\u0000":"x\u0000y"}]] },
    { [["\u00ff[]"]], '"ÿ[]"' },
    { '"[]"' }, { '"\\"[]"' }, { '["[]","123456789012345678901234567890","\\\\",[]]' },
    { [=[["\\","\\\"",[ ],"[ ]"]]=], [=[["\\","\\\"",[],"[ ]"]]=] },
  }
  for _, row in ipairs(rows) do
    it(("of %q"):format(row[1]:sub(1, 50)), function()
      assert.equal(row[2] or row[1], round(row[1]))
      assert.equal(row[2] or row[1], round(round(row[1])))
      assert.equal("[" .. (row[2] or row[1]) .. "]", round("[" .. row[1] .. "]"))
    end)
  end

  it("of every boundary of the code points, raw and escaped", function()
    for _, c in ipairs {
      0x20, 0x21, 0x7E, 0x7F, 0x80, 0xFF, 0x7FF, 0x800, 0xFFF, 0x1000, 0xD7FF, 0xE000, 0xFFFD, 0xFFFF, 0x10000, 0x103FF,
      0x10400, 0xFFFFF, 0x100000, 0x10FFFF,
    } do
      local raw, escape = utf8_of(c), ("\\u%04x"):format(c)
      if c > 0xFFFF then
        local rest = c - 0x10000
        escape = ("\\u%04X\\u%04x"):format(0xD800 + math.floor(rest / 1024), 0xDC00 + rest % 1024)
      end
      assert.equal(raw, (decode('"' .. escape .. '"')))
      assert.equal(raw, (decode('"' .. raw .. '"')))
      assert.equal(1, decode(('{"%s":1}'):format(escape))[raw])
      assert.equal('"' .. raw .. '"', (encode(raw):gsub('\\"', '"')))
    end
    for c = 0, 0x1F do
      local char = string.char(c)
      assert.equal(char, (decode(encode(char))))
      assert.equal(char, (decode(('"\\u%04x"'):format(c))))
    end
  end)

  it("gives a number as the VM's own where that holds it, otherwise one that keeps the digits", function()
    assert.equal("number", type(decode "9007199254740992"))
    local big = decode "123456789012345678901234567890"
    assert.equal("userdata", type(big))
    assert.equal("123456789012345678901234567890", tostring(big))
    assert.equal(json.number "123456789012345678901234567890.0", big)
    assert.not_equal(json.number "123456789012345678901234567891", big)
    assert.not_equal(json.number "-123456789012345678901234567890", big)
    assert.equal(json.number "1e400", json.number "10e399")
    assert.not_equal(json.number "1e100000", json.number "1e100001")
    assert.not_equal(json.number "1e99999999999999999999", json.number "1e99999999999999999998")
    assert.equal(5, json.number "5.0")
    assert.equal("5", encode(json.number "5.0"))
    assert.equal("1", tostring(decode "1"))
    assert.equal("1", tostring(decode("[1.0]")[1]))
    for _, text in ipairs { "", " 1", "1 ", "x", "[1]", "0x1", "1,", "nan", "1\0" } do
      assert.truthy(tostring(raised(json.number, text)):find("a number as JSON writes it", 1, true))
    end
  end)

  it("of generated documents keeps every value", function()
    local function scalar(r)
      local kind = r:below(7)
      if kind == 0 then return json.null end
      if kind == 1 then return r:boolean() end
      if kind == 2 then return r:below(1000000) - 500000 end
      if kind == 3 then return (r:below(2000000) - 1000000) / 1024 end
      if kind == 4 then return r:below(2147483646) * 2 ^ (r:below(600) - 300) / 3 end
      return r:text()
    end
    local function value(r, depth)
      local kind = r:below(depth > 4 and 1 or 3)
      if kind == 0 then return scalar(r) end
      local fresh = kind == 1 and json.array() or {}
      for i = 1, r:below(6) do fresh[kind == 1 and i or r:text()] = value(r, depth + 1) end
      return fresh
    end
    for seed = 1, 300 do
      local r = random(seed)
      local made = value(r, 0)
      local text = encode(made)
      assert.same({ made }, { decode(text) })
      assert.equal(text, round(text))
      assert.equal(text, encode(decode(encode(made, { indent = 3 }))))
    end
  end)
end)

describe("json.encode", function()
  -- The same bytes on every VM: neither may change this text alone.
  local golden = [=[{
  "": "",
  "A": "after the empty name, before a",
  "a": [
    1,
    -1.5,
    1e+19,
    1000000000000000000,
    0.1,
    0.30000000000000004,
    9007199254740993,
    123456789012345678901234567890
  ],
  "aa": {
    "empty array": [],
    "empty object": {},
    "null": null
  },
  "b": true,
  "é": "\"\\/\u0000\u001f\t\n😀",
  "😀": [
    [
      []
    ]
  ]
}]=]

  it("writes the canonical text, sorted by bytes", function()
    local value = decode(golden)
    assert.equal(golden, encode(value, { indent = 2 }))
    local flat = encode(value)
    assert.is_nil(flat:find "\n")
    assert.equal(golden, encode(decode(flat), { indent = 2 }))
    local function keys(prefix)
      local t = {}
      for i = 1, 40 do t[prefix .. i % 40] = i % 40 end
      return encode(t)
    end
    assert.equal(keys "k", encode(decode(keys "k")))
    assert.truthy(keys("k"):find('"k0":0,"k1":1,"k10":10,"k11":11', 1, true))
  end)

  it("writes an empty table as {} and one marked by json.array as []", function()
    assert.equal("{}", encode {})
    assert.equal("[]", encode(json.array()))
    local list = {}
    assert.equal(list, json.array(list))
    assert.equal('{"a":[],"b":{}}', encode { a = list, b = {} })
    list[1] = json.null
    assert.equal("[null]", encode(list))
    assert.truthy(tostring(raised(json.array, 3)):find("table expected", 1, true))
  end)

  it("refuses what has no place in JSON, and names it", function()
    local cycle = { deep = {} }
    cycle.deep[1] = cycle
    -- {value, path, rule}
    local rows = {
      { print, "value", "type" },
      { { a = { 1, { b = print } } }, "value.a[2].b", "type" },
      { { a = coroutine.create(print) }, "value.a", "type" },
      { { a = io.stdout }, "value.a", "type" },
      { { 1, 2, x = 3 }, "value", "type" },
      { { 1, nil, 3 }, "value", "type" },
      { { a = { [2] = 1 } }, "value.a", "type" },
      { { [1.5] = 1 }, "value", "type" },
      { { [true] = 1 }, "value", "type" },
      { { a = 0 / 0 }, "value.a", "number" },
      { { 1, -1 / 0 }, "value[2]", "number" },
      { { a = "\255" }, "value.a", "utf8" },
      { { "ok", "\237\160\128" }, "value[2]", "utf8" },
      { { a = { ["\192"] = 1 } }, "value.a", "utf8" },
    }
    for _, row in ipairs(rows) do
      local err = raised(encode, row[1])
      assert.same({ "invalid", row[2], row[3] }, { err.kind, err.path, err.rule })
      assert.is_nil(tostring(err):find "\n")
    end
    local err = raised(encode, cycle)
    assert.equal("depth", err.rule)
    assert.truthy(err.path:find("value.deep[1].deep[1]", 1, true))
    assert.truthy(tostring(raised(encode)):find("value expected", 1, true))
    -- what follows a failure is not harmed by it
    assert.equal('{"a":1}', encode { a = 1 })
  end)

  it("says where the script is", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local ok, err = pcall(function() return #encode { x = print } end)
    assert.is_false(ok)
    assert.truthy(tostring(err):find("json_spec.lua:" .. line .. ": value.x: ", 1, true), tostring(err))
  end)

  it("reads its options strictly", function()
    for _, options in ipairs {
      { indent = "2" }, { indent = -1 }, { indent = 17 }, { indent = 1.5 }, { indent = 0 / 0 }, { ident = 2 }, { 2 },
    } do
      assert.equal("option", raised(encode, {}, options).rule)
    end
    assert.truthy(tostring(raised(encode, {}, 2)):find("table expected", 1, true))
    assert.equal("[\n" .. (" "):rep(16) .. "1\n]", encode({ 1 }, { indent = 16 }))
    assert.equal("[1]", encode({ 1 }, { indent = 0 }))
  end)

  it("writes texts far longer than its buffer, and forgets nothing after them", function()
    local long = ("é\n"):rep(700000)
    assert.equal(long, (decode(encode(long), { max_bytes = 1e7 })))
    assert.equal("[1]", encode { 1 })
  end)
end)

describe("json beside others", function()
  it("does not share lua-cjson's settings", function()
    local cjson = require "cjson"
    local depth, precision = cjson.decode_max_depth(), cjson.encode_number_precision()
    cjson.decode_max_depth(2)
    cjson.encode_number_precision(3)
    cjson.decode_invalid_numbers(false)
    assert.equal("[[[[0.123456789]]]]", round "[[[[0.123456789]]]]")
    cjson.decode_max_depth(depth)
    cjson.encode_number_precision(precision)
    cjson.decode_invalid_numbers(true)
    assert.equal(cjson.null, json.null)
  end)

  -- A locale whose decimal point is a comma, made for the test where the system can make one.
  local script = [=[
    local json, cjson
    local function load() cjson = require "cjson"; json = require "handoff.core".json end
    if arg[1] == "before" then load() end
    assert(os.setlocale(arg[3]), "no such locale")
    if arg[1] == "after" then load() end
    if arg[2] == "back" then os.setlocale "C" end
    local text = '[-1.5,0.1,1e+300,1.25e-07,12345678901234567,0.30000000000000004,100]'
    assert(json.encode(assert(json.decode(text))) == text, json.encode(json.decode(text)))
    assert(json.encode{ z = 1, A = 2, a = 3, B = 4 } == '{"A":2,"B":4,"a":3,"z":1}')
    print "fine"
  ]=]
  -- glibc never frees what LOCPATH says, which a sanitizer takes for a leak. Under ps_AF the point is a character of two bytes,
  -- and lua-cjson cannot be loaded.
  for source, orders in pairs {
    de_DE = { "before stay", "before back", "after stay", "after back" }, ps_AF = { "before stay" },
  } do
    it("reads and writes numbers under the locale " .. source .. ", set before or after loading", function()
      local folder = program.folder()
      local name = source .. ".utf8"
      local said, failed = program.run(("localedef -i %s -f UTF-8 %s/%s"):format(source, folder, name))
      assert(failed == 0 or failed == 1, "needs Debian's packages libc-bin and locales: " .. said)
      local file = assert(io.open(folder .. "/script.lua", "w"))
      file:write(script)
      file:close()
      for _, order in ipairs(orders) do
        local output, status = program.run(
          ("%s %s/script.lua %s %s"):format(program.lua, folder, order, name),
          { LOCPATH = folder, ASAN_OPTIONS = "detect_leaks=0" })
        assert.same({ "fine\n", 0 }, { output, status })
      end
      program.remove(folder)
    end)
  end
end)
