-- SPDX-License-Identifier: MIT
--- What tasks raise, as errors.
local core = require "handoff.core"

local raised = {}

-- What was raised in words: an address, which is another one each time, says nothing.
local function text_of(value)
  local kind, meta = type(value), debug.getmetatable(value)
  local is_scalar = kind == "string" or kind == "number" or kind == "boolean"
  if is_scalar or type(meta) == "table" and rawget(meta, "__tostring") then
    local ok, text = pcall(tostring, value)
    if ok then return text end
  end
  return value == nil and "an error that is nil" or ("an error that is a %s"):format(kind)
end

--- What was raised, as an error: one of ours stays itself, anything else becomes the message of one.
function raised.as_error(value, trace)
  if not core.error.is(value) then
    value = core.error.new { kind = "invalid", rule = "raised", value = value, message = text_of(value) }
  end
  value.traceback = value.traceback or trace
  return value
end

local function trace(value) return raised.as_error(value, debug.traceback("", 2)) end

-- Lua calls no handler where memory was short.
local function seen(ok, value, ...)
  if ok then return ok, value, ... end
  return ok, raised.as_error(value)
end

--- As pcall; what was raised comes as an error, with the traceback of where that was.
function raised.call(fn, ...) return seen(xpcall(fn, trace, ...)) end

return raised
