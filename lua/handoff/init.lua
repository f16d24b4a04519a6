-- SPDX-License-Identifier: MIT
--- The public face of the library: `local handoff = require "handoff"`.
local core = require "handoff.core"
local client = require "handoff.client"
local config = require "handoff.config"
local fleet = require "handoff.fleet"

local handoff = {
  --- The value JSON's null comes as: cjson.null.
  null = core.json.null,
  --- decode(text) → value | nil, err; encode(value[, {indent=}]) → text; array, number, null: see csrc/binding/l_json.c.
  json = core.json,
  --- config(text or table) → a configuration | nil, err of kind "protocol".
  config = function(value) return config.new(value) end,
  --- each(a configuration, or a part of one) iterates on every VM.
  each = config.each,
  --- week(text or list of slots) → the hours of a week, as a set of minutes; see csrc/binding/l_week.c.
  week = core.week.new,
  --- rules() → the rules that cfg:check holds a configuration against: a list of {id, severity, doc}.
  rules = core.check.rules,
  --- client{ token=, name=, … } → the client of one agent.
  client = client.new,
  --- fleet(inventory[, opts]) → many agents as one, see handoff.fleet.
  fleet = fleet.new,
  --- policy(scripts or folders) → the tests in them, to hold configurations against, see handoff.policy | nil, err.
  policy = function(paths) return require("handoff.policy").load(paths) end,
  --- history([path]) → the history of runs | nil, err: what was done, when, and every document before and after.
  history = function(path) return require("handoff.history").open(path) end,
  --- simulate(cfg, event) → what the service would do, step by step, see handoff.simulate | nil, err.
  simulate = function(cfg, event) return require("handoff.simulate").run(cfg, event) end,
}

return handoff
