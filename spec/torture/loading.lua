-- SPDX-License-Identifier: MIT
-- Loads the library in a state of its own while memory fails, then once more, and uses it: loading.lua KIND MODE N → a text,
-- FAILED ASKED well|RAISED, and what the library then gave.
local torture = torture -- luacheck: ignore
local kind, mode, n = ...
local sample = require "bench.sample"

-- Lua 5.4 makes the class of its large buffers when it needs the first, and keeps it half made where memory fails it there.
local _ = ("x"):rep(100000):gsub("x", "y")

local function load_and_use()
  local core = require "handoff.core"
  local ok, err = pcall(core.error.raise, { path = "here", message = "so" })
  assert(not ok and type(err) == "table", err)
  local cfg = assert(core.config.new(sample))
  local engine = core.http.engine()
  engine:close()
  local locks = core.file.identity and core.file.kind "."
  cfg.settings.keywords:add "person"
  local zone = assert(require("handoff.zone").open "Europe/Warsaw")
  local server = assert(require("handoff.serve").new())
  server:close()
  local number = core.json.decode "123456789012345678901234567890"
  return table.concat({ tostring(err), cfg:json(), tostring(core.week.new "mon 9:00-10:00"), tostring(cfg:check()[1]),
    tostring(locks), zone:offset(0), tostring(number), core.json.encode(number), tostring(engine),
    tostring(require("handoff.fold").contains("Ü", "ü")) }, "\n"):gsub("0x%x+", "")
end

local was_there = {}
for name in pairs(package.loaded) do was_there[name] = true end

local failed, asked, ok, first = torture.try(kind, mode, tonumber(n), load_and_use)
-- LuaJIT's require does not try a module again that raised anything while it was loaded, unless it is told to.
for name in pairs(package.loaded) do
  if not was_there[name] then package.loaded[name] = nil end
end
local again, use = pcall(load_and_use)
local outcome = ok and "well" or tostring(first):gsub("\n", " ")
local second = again and use or "once more: " .. tostring(use)
return ("%d %d %s\n%s\n--\n%s"):format(failed, asked, outcome, ok and first or "", second)
