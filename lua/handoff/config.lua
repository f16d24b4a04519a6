-- SPDX-License-Identifier: MIT
--- Configurations: the core's objects, and what is said about them in Lua.
-- @classmod Config
local core = require "handoff.core"
local change = require "handoff.change"
local merge = require "handoff.merge"
local shape = require "handoff.shape"

local config = { new = core.config.new, each = core.config.each, part = core.config.part }

-- The schema's parts have their order, unknown ones come after.
local place = {}
for i, part in ipairs(shape.document.fields) do place[part.name] = i end

local function by_place(a, b)
  local i, j = place[a.name] or math.huge, place[b.name] or math.huge
  return i < j or i == j and a.name < b.name
end

--- What was edited since the configuration was fetched or made; empty where every value is what it was, even if it was
-- assigned.
-- @function changes
-- @treturn Change[]
function core.config.methods.changes(cfg)
  local edited = core.config.edited(cfg)
  if #edited == 1 then return change.part(edited[1].name, edited[1].before, edited[1].after) end
  table.sort(edited, by_place)
  local all = {}
  for _, part in ipairs(edited) do
    for _, one in ipairs(change.part(part.name, part.before, part.after)) do all[#all + 1] = one end
  end
  return all
end

--- Whether a visitor who asks is handed over to a human at that time.
-- @function is_open
-- @tparam[opt] integer|string time seconds since 1970, or a text such as `"2026-11-27T18:30Z"`, `"2026-11-27T18:30"` (in the
--   configuration's zone, as all that follow), `"fri 18:30"`, `"18:30"` (the next one), `"tomorrow 9am"`; now by default
-- @treturn ?boolean nil where working hours are on and the zone is none
-- @treturn string|Error `"open"`, `"closed"`, `"off"` (handoff is off), `"always"` (working hours are off); or err

--- When that changes.
-- @function next_change
-- @tparam[opt] integer|string time as of `is_open`
-- @treturn ?integer seconds since 1970; nil where it never does
-- @treturn ?Error err where working hours are on and the zone is none

-- loaded by the first that asks
for _, name in ipairs { "is_open", "next_change" } do
  core.config.methods[name] = function(cfg, at) return require("handoff.hours")[name](cfg, at) end
end

-- The part as theirs can take it: what the server derives and gives is theirs.
local function adopt(name, part, theirs)
  local row = shape.document.known[name]
  if row and row.item and row.item.key then return shape.without_strange_ids(row.item, part, theirs) end
  for _, field in ipairs(row and row.fields or {}) do
    if field.read_only then part[field.name] = theirs[field.name] end
  end
  return part
end

-- A part that theirs lacks cannot be put there: what mine changed of it is a conflict, even where that was to be mine.
local function merge_lacking(name, base, mine, _, opts)
  if base == nil then base = core.json.null end
  local merged, conflicts = merge.part(name, base, mine, nil, opts)
  if merged ~= nil then conflicts = select(2, merge.part(name, base, mine, nil)) end
  return nil, conflicts
end

-- Edits the configuration `theirs` so that what leads from `base` to `mine` is done to it, too. What is put there is held
-- against no rule: what the service once sent is never refused. Parts that mine lacks stay as they are.
-- @param opts as of handoff.merge's part
-- @return a list of the conflicts that are left, in the order of mine's parts
function config.merge(theirs, base, mine, opts)
  local all = {}
  for _, name in ipairs(core.config.differing(mine, base)) do
    local my_part, their_part = core.config.part(mine, name), core.config.part(theirs, name)
    local merged, conflicts = nil, {}
    if my_part ~= nil then
      local merge_part = their_part == nil and merge_lacking or merge.part
      merged, conflicts = merge_part(name, core.config.part(base, name), my_part, their_part, opts)
    end
    if merged ~= nil then
      merged = adopt(name, merged, their_part)
      if not shape.same(merged, their_part) then core.config.replace(theirs, name, merged) end
    end
    for _, conflict in ipairs(conflicts) do all[#all + 1] = conflict end
  end
  return all
end

return config
