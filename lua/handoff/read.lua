-- SPDX-License-Identifier: MIT
--- Reads a file of bounded size, in blocks: Lua takes a buffer of as many bytes as a read asks for, however few there are.
local BLOCK = 64 * 1024

--- @param file open for reading
-- @param most bytes that are wanted; what has more is told by its size, which is up to a block above
-- @return a text, or nil and why
return function(file, most)
  local blocks, size = {}, 0
  while size <= most do
    local block, why = file:read(BLOCK)
    if why then return nil, why end
    if not block then break end
    blocks[#blocks + 1], size = block, size + #block
  end
  return table.concat(blocks)
end
