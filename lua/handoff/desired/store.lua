-- SPDX-License-Identifier: MIT
--- A configuration put into an agent's file of desired state.
local core = require "handoff.core"

local store = {}

local function refuse(agent, path, message)
  return nil, core.error.new { kind = "invalid", agent = agent, path = path, rule = "file", message = message }
end

-- What keeps a name from being that of a file in the folder, or nil: what it has.
local function flaw_of(name)
  if name == "" then return "no character in it" end
  if name:find("/", 1, true) then return 'a "/" in it' end
  if name:sub(1, 1) == "." then return "a dot at its beginning" end
  if name:find("\0", 1, true) then return "a byte 0 in it" end
end

-- The file that is there → its path, format and text; or the path and format of the new one; or nil and an error.
local function find(desired, base, agent, format)
  local there = {}
  for _, ending in ipairs { "lua", "json" } do
    if core.file.kind(base .. "." .. ending) then there[#there + 1] = ending end
  end
  if #there > 1 then
    return refuse(agent, base .. ".lua", base .. ".json is this agent's desired state, too; keep one of the two")
  end
  local path = base .. "." .. (there[1] or format)
  if not there[1] then return path, format end
  local text, why = desired.read_text(path)
  if not text then return refuse(agent, path, ("cannot be read: %s; remove it and pull again"):format(why)) end
  return path, there[1], text
end

--- Writes the configuration into the agent's file in the folder, which is made where it is missing.
-- @param desired the module handoff.desired
-- @param format of a new file; that of a file that is there stays
-- @return { path=, status= "new", "changed" or "unchanged", left_out= paths }, or nil, err
function store.put(desired, cfg, folder, agent, format)
  local flaw = flaw_of(agent)
  if flaw then
    return refuse(agent, folder, ("no file can have the agent's name, which has %s; name it otherwise in the inventory")
      :format(flaw))
  end
  local path, old, fresh, left, made, why
  path, format, old = find(desired, folder:gsub("/*$", "/") .. agent, agent, format)
  if not path then return nil, format end
  fresh, left = desired.write(cfg, format, format == "lua" and old or nil)
  if not fresh then
    return refuse(agent, path, ("%s; repair it, or remove it and pull again"):format(left.message))
  end
  local done = { path = path, status = old and (old == fresh and "unchanged" or "changed") or "new", left_out = left }
  if done.status == "unchanged" then return done end
  made, why = core.file.make_folder(folder)
  if not made then
    return refuse(agent, folder, ("the folder cannot be made: %s; make it, or take another"):format(why))
  end
  made, why = core.file.replace(path, fresh)
  if not made then
    return refuse(agent, path, ("cannot be written: %s; remove what is in the way, or take another folder"):format(why))
  end
  return done
end

return store
