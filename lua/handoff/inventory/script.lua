-- SPDX-License-Identifier: MIT
--- An inventory written in Lua, run with `env`, `file` and `command` in reach and nothing else, in a state of its own. What they
-- give says where a token is to come from; nothing is read here.
local core = require "handoff.core"
local lines = require "handoff.inventory.lines"
local secret = require "handoff.inventory.secret"
local texts = require "handoff.inventory.text"

local script = {}

local CHUNK = "=inventory" -- how messages of the chunk begin; short, so that none is cut

-- How much an inventory may do and give back: several times what 100,000 agents take. Of time that is the processor's, for what
-- takes long in few instructions.
local limits = { bytes = 256 * 1024 * 1024, steps = 1e7, values = 3e6, seconds = 10 }

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

-- A name that is not there is shown where it can be no token that stands without its quotes.
local function missing(name)
  local is_shown = name:find "^[%l_]+$" and #name <= 16 or name == "_G"
  return ("there is no %s here; an inventory has env, file and command in reach, and nothing else, and its texts stand "
    .. "in quotes"):format(is_shown and name or "such thing")
end

-- Lua's own words quote what they stumble over, which may be a token: such quotations are left out, and names that are long or
-- have a digit.
local function problem(message)
  local line, rest = message:match "^inventory:(%d+): (.*)$"
  if not rest then rest = message:gsub("^.-:%d+: ", ""):gsub("^inventory: ", "") end
  if rest:find "^attempt to index" and rest:find "string value" then rest = "texts have no methods here" end
  rest = rest:gsub(" near .*$", ""):gsub(" %(constant .*$", ""):gsub("'[^']*'", function(quoted)
    if #quoted > 40 or quoted:find "%d" then return "'…'" end
  end):gsub("^there is no (.*) here$", missing)
  if texts.flaw(rest) then rest = rest:gsub("[%c\128-\255]", "?") end
  return { line = tonumber(line), rule = "syntax", message = with_step(rest) }
end

--- → what the chunk returned, and the lines of its items where they are known; or nil, nil and a list of one problem.
function script.read(text)
  local value, why = core.bounded.run((text:gsub("^\239\187\191", "")), CHUNK, limits, secret.usage, secret.source)
  if why then return nil, nil, { problem(why) } end
  return value, lines.lua(text), {}
end

return script
