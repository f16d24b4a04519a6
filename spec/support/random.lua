-- SPDX-License-Identifier: MIT
--- Random values that are the same at every run and on every VM: random(seed) → r.
local random = {}
random.__index = random

-- A number from 0 to n - 1; 0 for n = 0. Park and Miller's generator: exact in doubles.
function random:below(n)
  self.state = self.state * 16807 % 2147483647
  return n > 0 and self.state % n or 0
end

function random:boolean() return self:below(2) == 1 end

function random:one(list) return list[self:below(#list) + 1] end

function random:text()
  local words = {}
  for i = 1, self:below(5) do words[i] = self:one { "Zoë", "refund", "\"", "😀", "line\nline", "", "agent", "ß" } end
  return table.concat(words, " ") .. self:below(1000)
end

-- A list of different texts.
function random:set()
  local list = {}
  for i = 1, self:below(5) do list[i] = i .. self:text() end
  return list
end

return function(seed)
  return setmetatable({ state = seed * 7919 % 2147483646 + 1 }, random)
end
