-- SPDX-License-Identifier: MIT
--- An inventory: L, J or C for its form (Lua, JSON, CSV), then the file. A secret is put in wherever a token is written.
-- Held: what comes back is a list of agents or a list of problems, a line each; nothing of the secret is in a message or in what
-- an agent shows; nothing is run, and no file is opened but the inventory.
local core = require "handoff.core"
local inventory = require "handoff.inventory"
local fuzz = require "support.fuzz"

local hold, hold_line = fuzz.hold, fuzz.hold_line

local SECRET = "eyJhbGciOiJIUzI1NiJ9.eyJzY2VuYXJpb19pZCI6N30.c2VjcmV0"
local forms = { L = "lua", J = "json", C = "csv" }

-- What tokens come from is not asked: an input is not to run commands, nor to wait for a device.
local open_file, reading = io.open, nil
io.popen = function() return nil, "nothing is run here" end -- luacheck: ignore 122
io.open = function(path, mode) -- luacheck: ignore 122
  if path ~= reading then return nil, path .. ": not here" end
  return open_file(path, mode)
end

-- What runs an inventory has a hook of its own for that while.
local set_hook = debug.sethook
debug.sethook = function(...) -- luacheck: ignore 122
  if select("#", ...) == 0 then return guide() end -- luacheck: ignore 113
  return set_hook(...)
end

local function cells_of(line) return (line:gsub("\r$", "") .. ","):gmatch "(.-)," end

-- Of a CSV without quotes, where cells are told apart easily.
local function with_secret_cells(text)
  local at, lines = nil, {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local cells = {}
    for cell in cells_of(line) do
      cells[#cells + 1] = cell
      if not at and #lines == 0 and cell == "token" then at = #cells end
    end
    if #lines > 0 and at and cells[at] and cells[at] ~= "" then cells[at] = SECRET .. cells[at] end
    lines[#lines + 1] = table.concat(cells, ",")
  end
  return table.concat(lines, "\n")
end

local function with_secret(form, text)
  if form == "csv" then return text:find('"', 1, true) and text or with_secret_cells(text) end
  if form == "json" then return (text:gsub('("token"%s*:%s*")', "%1" .. SECRET)) end
  return (text:gsub("(token%s*=%s*[\"'])", "%1" .. SECRET))
end

-- Whether the input says some of it by itself, as it may learn to from comparisons that it saw; a dot of the secret's may stand
-- before or behind that in a message ("tags." and a tag's name).
local function knows_secret(input)
  for i = 1, #SECRET - 6 do
    if input:find(SECRET:sub(i, i + 6), 1, true) then return true end
  end
end

-- What stands within a text of the file is a name like any other, if what comes before it is shown as well.
local function hold_no_secret(text, what)
  for i = 1, #SECRET - 7, 4 do
    local at = text:find(SECRET:sub(i, i + 7), 1, true)
    hold(not at or text:find('token["\\]*%s*[=:]%s*[\\"\']*' .. SECRET:sub(1, 8)), "%s shows a token: %s", what, text)
  end
end

local function hold_problems(err)
  hold(err.kind == "invalid" and #err.issues > 0, "problems without a list: %s", tostring(err))
  hold_no_secret(tostring(err), "an error")
  for _, issue in ipairs(err.issues) do
    hold_line(issue.path, "path")
    hold_no_secret(tostring(issue), "a problem")
    for _, value in pairs(issue) do hold_no_secret(tostring(value), "a problem's field") end
  end
end

local function hold_agents(agents)
  local names = {}
  for i, agent in ipairs(agents) do
    hold_line(agent.name, "name")
    hold(not names[agent.name], "two agents of one name")
    names[agent.name] = true
    hold(tostring(agent) == ("handoff.agent(%s)"):format(agent.name), "agent %d", i)
    for key, tag in pairs(agent.tags) do
      hold_line(key, "tag")
      hold(type(tag) == "string" and core.schema.utf8_length(tag) and not tag:find "%c", "tag %s", key)
    end
    hold(rawget(agent, "token") == nil, "an agent shows its token")
  end
  local resolved, err = inventory.resolve(agents, 1e9)
  if not resolved then
    fuzz.hold_error(err, { invalid = true })
    return hold_problems(err)
  end
  inventory.duplicates(agents)
  for _, agent in ipairs(agents) do
    hold(inventory.options(agent).token, "resolved, and no token")
    hold_no_secret(inventory.identity(agent, "https://host.example"), "an identity")
  end
end

return function(input)
  if knows_secret(input) then return end
  local form = forms[input:sub(1, 1)] or "lua"
  local ok, agents = fuzz.with_file(form, with_secret(form, input:sub(2)), function(path)
    reading = path
    return fuzz.try(inventory.load, path)
  end)
  if ok then hold_agents(agents) else hold_problems(agents) end
end
