-- SPDX-License-Identifier: MIT
--- Documents in files, a folder of them, for a restart while the API is down. A file has one line of JSON, { agent=, identity=,
-- fetched= }, and then the document as it came. It holds no token.
local core = require "handoff.core"

local folder = {}

local ENDING = ".cached"
local LONGEST = 200 -- bytes of a file's name

--- The agent's file.
function folder.path(where, name)
  local file = ngx.escape_uri(name)
  if #file > LONGEST then file = ngx.md5(name) end
  return ("%s/%s%s"):format(where, file, ENDING)
end

--- What stands in such a file.
function folder.content(name, identity, fetched, text)
  return core.json.encode { agent = name, identity = identity, fetched = fetched } .. "\n" .. text
end

-- What such a file says of itself, and the document; nil where it is something else: that may be anybody's, and a pipe would
-- never be read.
local function take_apart(path)
  local file = core.file.kind(path) == "file" and io.open(path, "rb")
  if not file then return nil end
  local line, text = file:read "*l", file:read "*a"
  file:close()
  local head = line and core.json.decode(line)
  if type(head) == "table" and head.identity and type(head.fetched) == "number" then return head, text end
end

--- Reads a file → the time since 1970 when its document was fetched, and the text; nil where there is none of that agent.
function folder.read(path, identity)
  local head, text = take_apart(path)
  if head and head.identity == identity then return head.fetched, text end
end

--- Removes the files of agents that are no more, and what a worker that ended left half written; nothing that others put there.
-- @param names a set of those that are
function folder.tidy(where, names)
  local mine = {}
  for name in pairs(names) do mine[folder.path(where, name)] = true end
  for _, file in ipairs(core.file.list(where) or {}) do
    local path = where .. "/" .. file
    local is_left = file:sub(-#ENDING) == ENDING and not mine[path] and take_apart(path)
    if is_left or file:find "^%.handoff%.......$" then os.remove(path) end
  end
end

return folder
