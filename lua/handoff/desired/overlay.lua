-- SPDX-License-Identifier: MIT
--- Desired state laid over what is live. Pure functions on plain tables.
local core = require "handoff.core"
local shape = require "handoff.shape"

local array = core.json.array

local overlay = {}

local lay

local function lay_fields(row, live, wanted)
  local laid = shape.copy(live)
  for name, value in next, wanted do laid[name] = lay(row.known[name], live[name], value, name) end
  return laid
end

local function refuse_new(row, path, item)
  local label = shape.label_text(row, item)
  core.error.raise { path = ('%s["%s"]'):format(path, label), rule = "fixed",
    message = ("the service has no such %s for this agent, and none can be added; leave it out"):format(row.object) }
end

-- Live order is kept, new items come last.
local function lay_items(row, live, wanted, path)
  wanted = shape.without_strange_ids(row.item, wanted, live)
  local matched, used = shape.match(row.item, live, wanted)
  local laid = array {}
  for at, item in ipairs(live) do
    local other = wanted[matched[at]]
    if other then item = lay_fields(row.item, item, other) end
    if other or row.fixed then laid[#laid + 1] = item end
  end
  for at, item in ipairs(wanted) do
    if not used[at] and row.fixed then refuse_new(row.item, path, item) end
    if not used[at] then laid[#laid + 1] = item end
  end
  return laid
end

local function lay_members(live, wanted)
  local matched, used = shape.match_members(live, wanted)
  local laid = array {}
  for at, value in ipairs(live) do
    if matched[at] then laid[#laid + 1] = value end
  end
  for at, value in ipairs(wanted) do
    if not used[at] then laid[#laid + 1] = value end
  end
  return laid
end

function lay(row, live, wanted, path)
  if type(wanted) ~= "table" then return wanted end
  if row.fields then return lay_fields(row, shape.is_object(live) and live or {}, wanted) end
  local list = shape.is_list(live) and live or {}
  if row.item.fields then return lay_items(row, list, wanted, path) end
  return lay_members(list, wanted)
end

--- Edits the configuration so that it has what `value` says. What value leaves out stays as it is live: a key, and in items too;
-- of a list that is given, items that it does not have go. Nothing is held against a rule here.
function overlay.edit(cfg, value)
  for _, row in ipairs(shape.document.fields) do
    local name = row.name
    if value[name] ~= nil then
      local live = core.config.part(cfg, name)
      local laid = lay(row, live, value[name], name)
      if not shape.same(laid, live) then core.config.replace(cfg, name, laid) end
    end
  end
end

return overlay
