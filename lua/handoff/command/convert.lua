-- SPDX-License-Identifier: MIT
--- Values on the command line: function(text) → value, or nil and what was expected.
local convert = {}

function convert.whole(text)
  local value = text:find "^%d+$" and tonumber(text)
  if value and value <= 2 ^ 31 then return value end
  return nil, "a whole number expected"
end

function convert.number(text)
  local value = (text:find "^%d+%.?%d*$" or text:find "^%.%d+$") and tonumber(text)
  if value then return value end
  return nil, "a number expected, such as 30 or 0.5"
end

-- A file that is written, never standard output: a file named - is not what was meant.
function convert.file(text)
  if text ~= "-" then return text end
  return nil, "the name of a file expected"
end

function convert.amount(text)
  if text:find "^%d+$" then return tonumber(text) end
  local percent = tonumber(text:match "^(%d+%.?%d*)%%$")
  if percent and percent <= 100 then return text end
  return nil, "a whole number or a share such as 10% expected"
end

-- Whether the second is less than the first; of a count and a share nobody knows before the agents are counted.
local function falls(first, second)
  if type(first) ~= type(second) then return false end
  return tonumber((tostring(second):gsub("%%", ""))) < tonumber((tostring(first):gsub("%%", "")))
end

function convert.waves(text)
  local list = {}
  for one in (text .. ","):gmatch "([^,]*)," do
    local value = convert.amount(one)
    if not value then return nil, "counts or shares with commas between expected, such as 1,10%,100%" end
    if list[1] and falls(list[#list], value) then
      return nil, "how many have been written by the end of each wave expected, none less than the one before"
    end
    list[#list + 1] = value
  end
  return list
end

function convert.shard(text)
  local i, n = text:match "^(%d+)/(%d+)$"
  i, n = tonumber(i), tonumber(n)
  if i and i >= 1 and i <= n and n <= 1000000 then return { i, n } end
  return nil, "a part of how many expected, such as 2/8"
end

local booleans = { ["true"] = true, ["false"] = false }

--- Of a variable that stands for a flag without a value.
function convert.switch(text)
  local value = booleans[text]
  if value ~= nil then return value end
  return nil, "true or false expected"
end

return convert
