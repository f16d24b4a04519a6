-- SPDX-License-Identifier: MIT
--- The public face of the library: `local handoff = require "handoff"`. A mistake in a script raises; a failure of the world
-- returns `nil, err`, see `Error`.
-- @module handoff
local core = require "handoff.core"
local client = require "handoff.client"
local config = require "handoff.config"
local fleet = require "handoff.fleet"

local handoff = {
  --- The value JSON's null comes as: cjson.null.
  -- @tfield userdata null
  null = core.json.null,
  --- JSON without loss, see `handoff.json`.
  -- @tfield handoff.json json
  json = core.json,
  --- A configuration from anywhere, a whole one.
  -- @function config
  -- @tparam string|table value JSON, or plain tables
  -- @treturn ?Config
  -- @treturn ?Error err of kind "protocol"
  config = function(value) return config.new(value) end,
  --- Iterates over a configuration or a part of one on every VM, as `pairs` and `ipairs` do on Lua 5.4.
  -- @function each
  -- @tparam any value
  -- @treturn fun():any,any of name or place, and value
  each = config.each,
  --- The hours of a week, as a set of minutes.
  -- @function week
  -- @tparam string|table|Week hours `"mon-fri 09:00-17:30, sat 10:00-14:00"`, or a list of slots
  -- @treturn Week what is wrong with a text raises
  week = core.week.new,
  --- The rules that `cfg:check` holds a configuration against.
  -- @function rules
  -- @treturn table[] `{id, severity, doc}`
  rules = core.check.rules,
  --- The client of one agent.
  -- @function client
  -- @tparam ClientOptions opts
  -- @treturn Client
  client = client.new,
  --- Many agents as one: all of an inventory. What is wrong in it raises.
  -- @function fleet
  -- @tparam string|table source a file's path (.lua, .json, .csv) or a list, see `handoff.inventory`
  -- @tparam[opt] FleetOptions opts
  -- @treturn ?Fleet nil where the inventory cannot be read
  -- @treturn ?Error err
  fleet = fleet.new,
  --- The tests in policies, to hold configurations against, see `handoff.policy`.
  -- @function policy
  -- @tparam string|string[] paths of scripts, and of folders of them
  -- @treturn ?Suite
  -- @treturn ?Error err
  policy = function(paths) return require("handoff.policy").load(paths) end,
  --- The history of runs: what was done, when, and every document before and after. It is to be closed.
  -- @function history
  -- @tparam[opt] string path by default the user's own
  -- @treturn ?History
  -- @treturn ?Error err
  history = function(path) return require("handoff.history").open(path) end,
  --- What the service would do, step by step.
  -- @function simulate
  -- @tparam Config cfg
  -- @tparam[opt] Event event
  -- @treturn ?Simulation
  -- @treturn ?Error err
  simulate = function(cfg, event) return require("handoff.simulate").run(cfg, event) end,
}

return handoff
