-- SPDX-License-Identifier: MIT
--- An inventory written in Lua, run with `env`, `file` and `command` in reach and nothing else. What they give says where a token
-- is to come from; nothing is read here.
local lines = require "handoff.inventory.lines"
local secret = require "handoff.inventory.secret"
local texts = require "handoff.inventory.text"

local script = {}

local CHUNK = "=inventory" -- how messages and frames of the chunk begin; short, so that none is cut

-- How much an inventory may do: several times what 100,000 agents take.
local MOST_STEPS, EVERY = 1e7, 2
local MOST_MEMORY = 128 * 1024 -- KiB

local function make_source(kind)
  return function(what)
    if type(what) ~= "string" then error(secret.usage[kind], 2) end
    local caller = debug.getinfo(2, "Sl")
    return secret.source(kind, what, caller and caller.source == CHUNK and caller.currentline or nil)
  end
end

-- Names are shown that are plain words: others may be a token without its quotes, or nothing that a line can hold.
local function word(name)
  return type(name) == "string" and #name < 20 and name:find "^[%a_]+$" and name or "such thing"
end

local function environment()
  return setmetatable({ env = make_source "env", file = make_source "file", command = make_source "command" }, {
    __index = function(_, name)
      error(("there is no %s here; an inventory has env, file and command in reach, and nothing else")
        :format(word(name)), 2)
    end,
  })
end

-- The hook that ends an endless loop, and a text that is doubled again and again: memory is looked at often enough that it grows
-- to a few times the bound at most, unless one instruction alone asks for more. It raises in the chunk only, where it is caught.
local function bound()
  local steps, most = 0, collectgarbage "count" + MOST_MEMORY
  return function()
    steps = steps + EVERY
    local large = collectgarbage "count" > most
    if not large and steps <= MOST_STEPS or debug.getinfo(2, "S").source ~= CHUNK then return end
    error(large and "it takes too much memory" or "it does not come to an end", 2)
  end
end

-- Texts bring the whole string library with them, by the metatable that all share: while the chunk runs it is shut for the chunk,
-- and for nobody else (a finalizer, say, that happens to run meanwhile).
local function without_methods(fn)
  local meta = debug.getmetatable ""
  local methods = meta.__index
  meta.__index = function(value, key)
    if debug.getinfo(2, "S").source == CHUNK then error("texts have no methods here", 2) end
    if type(methods) == "function" then return methods(value, key) end
    return methods[key]
  end
  local ok, value = fn()
  meta.__index = methods
  return ok, value
end

local function run(chunk)
  local jit = rawget(_G, "jit")
  if jit then jit.off(chunk, true) end -- compiled loops call no hook
  local hook, mask, count = debug.gethook()
  debug.sethook(bound(), "", EVERY)
  local ok, value = pcall(chunk)
  if type(hook) == "function" then debug.sethook(hook, mask, count) else debug.sethook() end
  return ok, value
end

-- The next step that Lua's own words leave out.
local steps = {
  { " expected$", "; look for a comma, a quote or a bracket that is missing there or just before" },
  { "^unexpected symbol$", "; an inventory begins with return { …, and its texts stand in quotes" },
}

local function with_step(message)
  for _, step in ipairs(steps) do
    if message:find(step[1]) then return message .. step[2] end
  end
  return message
end

-- Lua's own words quote what they stumble over, which may be a token: such quotations are left out, and long names.
local function problem(message)
  message = type(message) == "string" and message or "it raised an error"
  local line, rest = message:match "^inventory:(%d+): (.*)$"
  if not rest then rest = message:gsub("^.-:%d+: ", ""):gsub("^inventory: ", "") end
  rest = rest:gsub(" near .*$", ""):gsub(" %(constant .*$", ""):gsub("'[^']*'", function(quoted)
    if #quoted > 40 then return "'…'" end
  end)
  if texts.flaw(rest) then rest = rest:gsub("[%c\128-\255]", "?") end
  return { line = tonumber(line), rule = "syntax", message = with_step(rest) }
end

--- → what the chunk returned, and the lines of its items where they are known; or nil, nil and a list of one problem.
function script.read(text)
  local chunk, message = load(text:gsub("^\239\187\191", ""), CHUNK, "t", environment())
  if not chunk then return nil, nil, { problem(message) } end
  local ok, value = without_methods(function() return run(chunk) end)
  if not ok then return nil, nil, { problem(value) } end
  return value, lines.lua(text), {}
end

return script
