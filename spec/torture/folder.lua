-- SPDX-License-Identifier: MIT
--- The folder of the operations' files.
local folder = { path = os.getenv "TORTURE_FOLDER" }

function folder.path_of(name) return folder.path .. "/" .. name end

--- Writes a file there → its path.
function folder.write(name, text)
  local path = folder.path_of(name)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

--- The text of a file, or a word where there is none.
function folder.read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a"
  if file then file:close() end
  return text or "nothing"
end

return folder
