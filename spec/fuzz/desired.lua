-- SPDX-License-Identifier: MIT
--- A file of desired state: L or J for its form (Lua, JSON), then the file.
-- Held: it is read, or refused with a list of what is wrong where; what is read can be laid over a configuration; that written as
-- desired state, anew or into the file, is read as what it was, and written once more stays as it is.
local core = require "handoff.core"
local config = require "handoff.config"
local desired = require "handoff.desired"
local fuzz = require "support.fuzz"

local hold = fuzz.hold
local kinds = { invalid = true }

local EMPTY = '{"settings":{},"availability":[],"generic_guidelines":[],"custom_guidelines":[],"routing_profiles":[]}'

local function read(form, text) return fuzz.with_file(form, text, desired.read) end

local function hold_problems(err)
  fuzz.hold_error(err, kinds)
  hold(#err.issues > 0, "an error without issues: %s", tostring(err))
end

-- What was written is read as the same: laid over nothing it makes the same configuration.
local function hold_written(form, text, value)
  local file, err = read(form, text)
  hold(file, "written, and not read: %s\n%s", tostring(err), text)
  local one, other = core.json.encode(value), core.json.encode(file.value)
  hold(require("handoff.change").same(value, file.value), "written as another:\n%s\n%s\n%s", one, other, text)
end

return function(input)
  local form, text = input:sub(1, 1) == "J" and "json" or "lua", input:sub(2)
  local file, err = read(form, text)
  if form == "lua" then desired.is_data(text) end
  if not file then return hold_problems(err) end
  local cfg = assert(config.new(EMPTY, true))
  local ok = fuzz.try(desired.edit(file.value), cfg)
  if not ok then return end
  hold(config.new(cfg:text(), true), "no document: %s", cfg:text())
  local fresh = desired.write(cfg, form)
  local value = read(form, fresh)
  hold(value, "written, and not read: %s", fresh)
  local over = desired.write(cfg, form, form == "lua" and text or nil)
  hold_written(form, over, value.value)
  hold(desired.write(cfg, form, form == "lua" and over or nil) == over, "written twice:\n%s", over)
end
