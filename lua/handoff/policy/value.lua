-- SPDX-License-Identifier: MIT
--- What can be expected of any value; parts of configurations are compared by what stands in them.
-- @classmod Expectation
local core = require "handoff.core"
local shape = require "handoff.shape"
local words = require "handoff.words"

local value = {}

-- The value with plain tables for parts of configurations, which some VMs have as userdata.
function value.plain(of)
  if type(of) ~= "table" and type(of) ~= "userdata" or of == core.json.null then return of end
  local ok, iterate, state, first = pcall(core.config.each, of)
  if not ok and not core.error.is(iterate) then error(iterate, 0) end -- memory was short
  if not ok and type(of) == "userdata" then return of end -- a long number
  local all = {}
  if not ok then iterate, state, first = next, of, nil end
  for name, member in iterate, state, first do all[name] = value.plain(member) end
  return all
end

local function compare(a, b) return shape.same(value.plain(a), value.plain(b)) end

-- Any value on one line; row is the schema's of it, or nil.
function value.show(of, row)
  if of == nil then return "nil" end
  return words.show(value.plain(of), row)
end

local function contains(of, one)
  if type(of) == "string" then return type(one) == "string" and of:find(one, 1, true) ~= nil end
  local list = value.plain(of)
  if type(list) ~= "table" then return nil end
  for _, member in ipairs(list) do
    if compare(member, one) then return true end
  end
  return false
end

local function check_numbers(name, of, limit)
  if type(limit) ~= "number" then
    core.error.raise { path = name, rule = "type", message = ("a number expected, got %s"):format(type(limit)) }
  end
  return type(of) == "number" or nil
end

local function is(of) return "it is " .. value.show(of) end

--- The same value, tables by their members.
-- @function equals
-- @tparam any other

--- A text has this text in it, a list this value.
-- @function contains
-- @tparam any one

--- A number is not less.
-- @function at_least
-- @tparam number n

--- A number is not more.
-- @function at_most
-- @tparam number n

-- what each of them is, see expectation.lua
value.matchers = {
  equals = function(of, other) return compare(of, other), "to equal " .. value.show(other), is(of) end,
  contains = function(of, one) return contains(of, one), "to contain " .. value.show(one), is(of) end,
  at_least = function(of, limit)
    return check_numbers("at_least", of, limit) and of >= limit, "at least " .. value.show(limit), is(of)
  end,
  at_most = function(of, limit)
    return check_numbers("at_most", of, limit) and of <= limit, "at most " .. value.show(limit), is(of)
  end,
}

return value
