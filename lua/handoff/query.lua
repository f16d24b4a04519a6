-- SPDX-License-Identifier: MIT
--- One place of many agents' configurations: which values there are, and whose.
-- @module handoff.query
local core = require "handoff.core"
local path = require "handoff.path"
local shape = require "handoff.shape"

local query = {}

-- Several values of one agent may be the same one: it is counted once. Items are the same whatever ids the service gave them.
local function add(values, place, value, agent)
  value = shape.without_ids(place.row, value)
  local key = value == nil and "" or core.json.encode(value)
  local row = place.by_key[key]
  if not row then
    row = { path = place.path, value = value, agents = {} }
    place.by_key[key], values[#values + 1] = row, row
  end
  if row.agents[#row.agents] ~= agent then row.agents[#row.agents + 1] = agent end
end

local function place_of(places, group, row)
  if not places[group] then
    places[group] = { path = group, row = row, by_key = {}, seen = {} }
    places[#places + 1] = places[group]
  end
  return places[group]
end

-- The values by place, those of most agents first, then as they came; nothing comes last.
local function sort(values, places)
  local order = {}
  for i, place in ipairs(places) do order[place.path] = i end
  for i, row in ipairs(values) do row.order, row.count = i, #row.agents end
  table.sort(values, function(a, b)
    if a.path ~= b.path then return order[a.path] < order[b.path] end
    if (a.value == nil) ~= (b.value == nil) then return b.value == nil end
    if a.count ~= b.count then return a.count > b.count end
    return a.order < b.order
  end)
  for _, row in ipairs(values) do row.order = nil end
end

-- What was found in each agent → the values.
local function tally(p, results)
  local values, places, done = {}, {}, {}
  for _, result in ipairs(results) do
    if result.status == "done" then
      done[#done + 1] = result.agent
      for _, one in ipairs(result.value) do
        local place = place_of(places, one.group, p:row())
        place.seen[result.agent] = true
        add(values, place, one.value, result.agent)
      end
    end
  end
  if #places == 0 and #done > 0 then place_of(places, p.text) end
  for _, place in ipairs(places) do
    for _, agent in ipairs(done) do
      if not place.seen[agent] then add(values, place, nil, agent) end
    end
  end
  sort(values, places)
  return values
end

--- Reads one place of every agent's configuration.
-- @tparam Fleet fleet
-- @tparam string|table p a path, as text or parsed
-- @tparam[opt] RunOptions opts as of `fleet:each`
-- @treturn ?table[] `{path, value, count, agents}`, of each place the commonest value first and last, with `value` nil,
--   those that have nothing there; `value` of a list is without the items' ids, `agents` are names, in the fleet's order
-- @treturn Run|Error the run, whose failed results tell what could not be read; or err
function query.values(fleet, p, opts)
  if type(p) == "string" then p = path.parse(p) end
  local run, err = fleet:each(function(client)
    local cfg, failed = client:get()
    if not cfg then return nil, failed end
    return path.values(p, cfg)
  end, opts)
  if not run then return nil, err end
  return tally(p, run.results), run
end

return query
