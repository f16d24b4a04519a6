-- SPDX-License-Identifier: MIT
--- Files of the user's. What fails is told in the system's words, without the path, which every message has anyway.
local core = require "handoff.core"

local file = {}

local BLOCK = 64 * 1024 -- Lua takes a buffer of as many bytes as a read asks for, however few there are
local MOST_SOURCE = 8 * 1024 * 1024

--- What Lua says of a file, without the path in front.
function file.reason(path, why)
  return why:sub(1, #path + 2) == path .. ": " and why:sub(#path + 3) or why
end

--- As io.open → a handle; or nil and why.
function file.open(path, mode)
  local handle, why = io.open(path, mode)
  if handle then return handle end
  return nil, file.reason(path, why)
end

--- Whether it is one, links followed → true; or nil and why not. What is none may never end, or wait for somebody who writes.
function file.is_one(path)
  local kind, why = core.file.kind(path)
  if kind == "file" then return true end
  return nil, why or "it is no file, but a " .. (kind == "folder" and kind or "device")
end

--- The text of a script or of desired state, which nobody writes longer than 8 MiB → it; or nil and why
function file.read_source(path)
  local text, why = file.read(path, MOST_SOURCE)
  if not text then return nil, why end
  if #text > MOST_SOURCE then return nil, "it has more than 8 MiB" end
  return text
end

--- → the text of a file; or nil and why
-- @param most bytes that are wanted, by default all; what has more is told by its size, which is up to a block above
function file.read(path, most)
  local handle, why = file.open(path, "rb")
  if not handle then return nil, why end
  local blocks, size = {}, 0
  while size <= (most or math.huge) do
    local block
    block, why = handle:read(BLOCK)
    if not block then break end
    blocks[#blocks + 1], size = block, size + #block
  end
  handle:close()
  if why then return nil, why end
  return table.concat(blocks)
end

return file
