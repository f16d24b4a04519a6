-- SPDX-License-Identifier: MIT
--- Looks for what is left of a secret, however it was written.
--   secrets.found(text, secret)    → a form of it that the text has, in words, or nil
--   secrets.assert_none(what, text, ...)   fails where the text, or any text within a table, has one of the secrets
--   secrets.texts(value)           → all texts within a value, one after the other: keys, values, what tostring says
--   secrets.reachable()            → the same of all that the modules and the registry of this Lua state lead to
local secrets = {}

local LEAST = 6 -- characters of base64 that are sure to be the secret's

local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(text)
  return (text:gsub("...", function(three)
    local a, b, c = three:byte(1, 3)
    local n, out = a * 65536 + b * 256 + c, ""
    for _, unit in ipairs { 262144, 4096, 64, 1 } do
      local at = math.floor(n / unit) % 64 + 1
      out = out .. digits:sub(at, at)
    end
    return out
  end))
end

local function percent(pattern, format)
  return function(text)
    return (text:gsub(pattern, function(c) return format:format(c:byte()) end))
  end
end

-- Without its first and last character; in base64 the whole groups of three, wherever in a text they begin.
local forms = {
  ["as it is"] = function(text) return text end,
  ["percent-encoded"] = percent("[^%w_.~-]", "%%%02X"),
  ["percent-encoded in small letters"] = percent("[^%w_.~-]", "%%%02x"),
  ["percent-encoded whole"] = percent(".", "%%%02X"),
  hexadecimal = percent(".", "%02x"),
  reversed = string.reverse,
}
for skip = 1, 3 do
  local function encode(text)
    local body = text:sub(skip)
    return base64(body:sub(1, #body - #body % 3))
  end
  forms["in base64, " .. skip] = encode
  forms["in base64url, " .. skip] = function(text) return (encode(text):gsub("+", "-"):gsub("/", "_")) end
end

function secrets.found(text, secret)
  local inner = secret:sub(2, -2)
  for words, form in pairs(forms) do
    local needle = form(inner)
    if #needle >= LEAST and text:find(needle, 1, true) then return words end
  end
end

local function each_text(value, seen, list)
  if type(value) == "string" then list[#list + 1] = value end
  if type(value) == "string" or seen[value] or value == nil then return end
  if type(value) == "table" or type(value) == "userdata" then
    seen[value] = true
    list[#list + 1] = tostring(value)
  end
  for key, item in next, type(value) == "table" and value or {} do
    each_text(key, seen, list)
    each_text(item, seen, list)
  end
end

function secrets.texts(value)
  local list = {}
  each_text(value, {}, list)
  return table.concat(list, "\n")
end

function secrets.assert_none(what, value, ...)
  local text = secrets.texts(value)
  for i = 1, select("#", ...) do
    local words = secrets.found(text, (select(i, ...)))
    if words then error(("%s has secret %d %s"):format(what, i, words), 2) end
  end
end

-- What a value leads to, each a function(add).
local leads = {
  table = function(value, add)
    for key, item in next, value do
      add(key)
      add(item)
    end
    add(debug.getmetatable(value))
  end,
  ["function"] = function(value, add)
    local i, name, item = 1, debug.getupvalue(value, 1)
    while name do
      add(item)
      i = i + 1
      name, item = debug.getupvalue(value, i)
    end
    add((debug.getfenv or function() end)(value))
  end,
  userdata = function(value, add)
    add(debug.getmetatable(value))
    add((debug.getuservalue or debug.getfenv)(value))
  end,
}

function secrets.reachable()
  local queue, seen, list = { package.loaded, debug.getregistry(), _G }, {}, {}
  local function add(value)
    if type(value) == "string" then list[#list + 1] = value end
    if leads[type(value)] and not seen[value] then
      seen[value] = true
      queue[#queue + 1] = value
    end
  end
  local at = 1
  while queue[at] do
    leads[type(queue[at])](queue[at], add)
    at = at + 1
  end
  return table.concat(list, "\n"), at
end

return secrets
