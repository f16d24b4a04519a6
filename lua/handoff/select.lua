-- SPDX-License-Identifier: MIT
--- Which agents are meant: `region=eu tier!=free name~shop-*`. Terms with blanks between, all of which must hold:
--
--   key=value   key!=value   is, or is not, this text
--   key~glob    key!~glob    is, or is not, such a text: `*` stands for any characters, `?` for one
--
-- The key is `name`, or a tag. A comma gives a choice, `region=eu,us`; a value with blanks, commas or quotes stands in quotes,
-- `team="night shift"`, where a backslash takes the character after it as it is. A tag that is missing equals nothing.
-- @module handoff.select
local core = require "handoff.core"
local hint = require "handoff.hint"
local text = require "handoff.inventory.text"

core.error.home(debug.getinfo(1, "S").source)

local select = {}

local function refuse(fields)
  fields.path = "select"
  core.error.raise(fields)
end

-- ---- reading ------------------------------------------------------------------------------------------------------

local function column(source, at) return core.schema.utf8_length(source:sub(1, at - 1)) + 1 end

local function refuse_at(source, at, message)
  local where = column(source, at)
  refuse { rule = "syntax", column = where, message = ("column %d: %s"):format(where, message) }
end

-- At a quote → the text within, the place after it.
local function read_quoted(source, at)
  local stop = source:find('["\\]', at + 1)
  while stop and source:sub(stop, stop) == "\\" do stop = source:find('["\\]', stop + 2) end
  if not stop then refuse_at(source, at, "a quote that is not closed") end
  return source:sub(at + 1, stop - 1):gsub("\\(.)", "%1"), stop + 1
end

local function read_value(source, at)
  if source:sub(at, at) == '"' then return read_quoted(source, at) end
  local value, after = source:match('^([^%s,"]+)()', at)
  if not value then refuse_at(source, at, 'a value expected, without a blank before it: region=eu, or region=""') end
  return value, after
end

local function read_values(source, at)
  local values = {}
  repeat
    values[#values + 1], at = read_value(source, at)
    local comma = source:sub(at, at) == ","
    if comma then at = at + 1 end
  until not comma
  if source:find("^%S", at) then refuse_at(source, at, "a blank or a comma expected after the value") end
  return values, at
end

-- ---- holding ------------------------------------------------------------------------------------------------------

-- A piece of a glob between two stars, as a pattern: `?` is one character of UTF-8.
local function pattern(piece)
  return (piece:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", function(c)
    return c == "?" and "[^\128-\191][\128-\191]*" or "%" .. c
  end))
end

-- Each piece where it first comes, in their order: never slow, as patterns with many stars are.
local function matcher(glob)
  local pieces = {}
  for piece in (glob .. "*"):gmatch "([^*]*)%*" do pieces[#pieces + 1] = pattern(piece) end
  pieces[1] = "^" .. pieces[1]
  pieces[#pieces] = pieces[#pieces] .. "$"
  return function(value)
    local at = 1
    for _, piece in ipairs(pieces) do
      local first, last = value:find(piece, at)
      if not first then return false end
      at = last + 1
    end
    return true
  end
end

local function any_match(globs)
  local matchers = {}
  for i, glob in ipairs(globs) do matchers[i] = matcher(glob) end
  return function(value)
    for _, matches in ipairs(matchers) do
      if matches(value) then return true end
    end
    return false
  end
end

local function any_equal(values)
  local set = {}
  for _, value in ipairs(values) do set[value] = true end
  return function(value) return set[value] == true end
end

local operators = {
  ["="] = { any_equal, true }, ["!="] = { any_equal, false },
  ["~"] = { any_match, true }, ["!~"] = { any_match, false },
}

local function value_of(agent, key)
  if key == "name" then return agent.name end
  return agent.tags and agent.tags[key]
end

-- A term that begins at `at` → { key=, at=, holds= }, the place after it.
local function read_term(source, at)
  local key, operator, after = source:match('^([^%s=!~,"]+)(!?[=~]?)()', at)
  if not key then refuse_at(source, at, "the name of a tag expected, or name") end
  if not operators[operator] then
    refuse_at(source, at + #key, "one of = != ~ !~ expected after the key, without a blank before it: region=eu")
  end
  local make, wanted = operators[operator][1], operators[operator][2]
  local values, stop = read_values(source, after)
  local test = make(values)
  return { key = key, at = at, holds = function(agent)
    local value = value_of(agent, key)
    return (value ~= nil and test(value)) == wanted
  end }, stop
end

local function read_terms(source)
  if type(source) ~= "string" then
    refuse { rule = "type", message = ('a text expected, such as "region=eu", got %s'):format(type(source)) }
  end
  if not core.schema.utf8_length(source) then refuse { rule = "syntax", message = "the text is not UTF-8" } end
  local terms, at = {}, source:find "%S"
  if not at then refuse { rule = "required", message = "an empty text selects nothing; name~* is every agent" } end
  while at do
    terms[#terms + 1], at = read_term(source, at)
    at = source:find("%S", at)
  end
  return terms
end

local function all_hold(terms)
  return function(agent)
    for _, term in ipairs(terms) do
      if not term.holds(agent) then return false end
    end
    return true
  end
end

--- What a selection means.
-- @tparam string source
-- @treturn fun(agent:Agent):boolean whether the agent is meant
function select.parse(source) return all_hold(read_terms(source)) end

-- ---- choosing -----------------------------------------------------------------------------------------------------

local function keys_of(agents)
  local keys, list = { name = true }, { "name" }
  for _, agent in ipairs(agents) do
    for key in next, agent.tags or {} do
      if not keys[key] then keys[key], list[#list + 1] = true, key end
    end
  end
  table.sort(list)
  return keys, list
end

local function check_keys(source, terms, agents)
  local keys, list = keys_of(agents)
  for _, term in ipairs(terms) do
    if not keys[term.key] then
      local where = column(source, term.at)
      refuse { rule = "unknown", column = where, message = ("column %d: no agent has a tag %s; %s"):format(where,
        text.shown(term.key), hint(term.key, list)) }
    end
  end
end

--- The agents that are meant, in their order. A key that no agent has raises: it is a slip.
-- @tparam Agent[] agents
-- @tparam string source
-- @treturn Agent[]
function select.apply(agents, source)
  local terms, chosen = read_terms(source), {}
  if #agents > 0 then check_keys(source, terms, agents) end
  local holds = all_hold(terms)
  for _, agent in ipairs(agents) do
    if holds(agent) then chosen[#chosen + 1] = agent end
  end
  return chosen
end

-- ---- sharding -----------------------------------------------------------------------------------------------------

local PRIME = 2147483647 -- products with what is below it stay exact in a double, so that every VM has the same shards

-- From 0 to PRIME - 1, by the name alone.
local function hash(name)
  local h = 1
  for i = 1, #name do h = (h * 65599 + name:byte(i) + 1) % PRIME end
  for _ = 1, 3 do h = h * 48271 % PRIME end
  return h
end

local function check_whole(value, what, least, most)
  if type(value) ~= "number" or value % 1 ~= 0 or value < least or value > most then
    refuse { rule = "range", message = ("shard: %s is to be a whole number from %d to %d"):format(what, least, most) }
  end
end

--- Part i of n of the agents, in their order, by their names: the parts have no agent in common and all of them together, and an
-- agent stays in its part when others come and go.
-- @tparam Agent[] agents
-- @tparam integer i
-- @tparam integer n
-- @treturn Agent[]
function select.shard(agents, i, n)
  check_whole(n, "how many parts there are", 1, 1000000)
  check_whole(i, "which part", 1, n)
  local part = {}
  for _, agent in ipairs(agents) do
    if math.floor(hash(agent.name) * n / PRIME) + 1 == i then part[#part + 1] = agent end
  end
  return part
end

return select
