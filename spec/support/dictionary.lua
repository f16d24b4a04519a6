-- SPDX-License-Identifier: MIT
--- Prints a dictionary for libFuzzer: the names and values that the schema knows, in quotes as JSON has them and bare, and those
-- of inventories and HTTP that the fuzzers' inputs are made of.
local core = require "handoff.core"

local seen = {}

local function print_word(word)
  if seen[word] then return end
  seen[word] = true
  io.write('"', (word:gsub('[%c"\\\128-\255]', function(c) return ("\\x%02X"):format(c:byte()) end)), '"\n')
end

local function print_row(row)
  if row.name then
    print_word(row.name)
    print_word(('"%s":'):format(row.name))
  end
  for _, choice in ipairs(row.choices or {}) do print_word(('"%s"'):format(choice)) end
  for _, field in ipairs(row.fields or {}) do print_row(field) end
  if row.item then print_row(row.item) end
end

print_row(core.schema.document())
for _, day in ipairs(core.schema.days()) do print_word(('"%s"'):format(day)) end
