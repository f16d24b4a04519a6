-- SPDX-License-Identifier: MIT
--- Lua files of the user's own: compiled, and what they raise told with the lines of theirs that led there.
local loop = require "handoff.loop"

local script = {}

--- The file's text as a function.
-- @param path what messages call the file
-- @param env its globals; by default the program's own
-- @return the function; or nil, "FILE:LINE: why"
function script.compile(path, text, env)
  if text:sub(1, 1) == "\27" then
    return nil, path .. ": it is compiled code, which is not run; give the script's source"
  end
  local source = text:gsub("^\239\187\191", ""):gsub("^#[^\n]*", "")
  local chunk, why = load(source, "@" .. path, "t", env or _G)
  if not chunk then return nil, why .. "; mend the script" end
  return chunk
end

local library = debug.getinfo(1, "S").source:match "^(.*/)[^/]*$"

local function is_ours(info)
  return info.what == "C" or library ~= nil and info.source:sub(1, #library) == library
end

local MOST_FRAMES, MOST_LEVELS = 10, 100 -- a stack that overflowed has hundreds of thousands

--- The frames of the user's own code between the xpcall and what was raised in it, innermost first, in lines.
-- @param unnamed what a function without a name is called: "the edit"
function script.user_frames(unnamed)
  local frames = {}
  for level = 2, MOST_LEVELS do
    local info = debug.getinfo(level, "Slnf")
    if not info or info.func == xpcall then return frames end
    if #frames == MOST_FRAMES then break end
    if not is_ours(info) then
      local name = info.name and ("'%s'"):format(info.name) or info.what == "main" and "the file" or unnamed
      frames[#frames + 1] = ("%s:%d: in %s"):format(info.short_src, info.currentline, name)
    end
  end
  frames[#frames + 1] = "..."
  return frames
end

--- A message handler for xpcall: what was raised, as an error that has `frames`. An interrupt stays the text that it is.
function script.handler(unnamed)
  return function(value)
    if type(value) == "string" and value:find "interrupted!$" then return value end
    local err = loop.as_error(value, debug.traceback("", 2))
    err.frames = err.frames or script.user_frames(unnamed)
    return err
  end
end

--- Where in the user's own code it was that something was raised, in lines; none where the message has the only place.
function script.frames(err)
  local frames = type(err) == "table" and rawget(err, "frames") or {}
  local place = frames[1] and frames[1]:match "^.*:%d+:"
  return (frames[2] or place and not tostring(err):find(place, 1, true)) and frames or {}
end

--- What a script raised and where, on one line.
function script.told(err)
  local frames = script.frames(err)
  return frames[1] and ("%s (%s)"):format(tostring(err), table.concat(frames, ", ")) or tostring(err)
end

return script
