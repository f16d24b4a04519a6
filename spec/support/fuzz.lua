-- SPDX-License-Identifier: MIT
--- What the fuzzers in Lua share: values made of an input's bytes, and what is held of errors.
local core = require "handoff.core"
local random = require "support.random"

local fuzz = {}

local unpack = table.unpack or unpack

--- An r of support.random whose choices are the bytes, in their order; 0 from their end on. r:left() → whether there are more.
function fuzz.reader(bytes)
  local r, at = random(0), 0
  function r:below(n) -- luacheck: ignore self
    if n < 2 then return 0 end
    at = at + 1
    local value = bytes:byte(at) or 0
    if n > 256 then
      at = at + 1
      value = value * 256 + (bytes:byte(at) or 0)
    end
    return value % n
  end
  function r:left() return at < #bytes end -- luacheck: ignore self
  return r
end

--- Raises where it is not so.
function fuzz.hold(ok, message, ...)
  if not ok then error((message or "not held"):format(...), 2) end
end
local hold = fuzz.hold
local open_file = io.open

-- The error of a handoff kind as it is; of any other the text with the place.
local function told(err)
  if core.error.is(err) then return err end
  return { finding = debug.traceback(tostring(err), 2) }
end

--- What is true of each message that the library gives: UTF-8, one line, nothing that commands a terminal.
function fuzz.hold_line(text, what)
  hold(type(text) == "string" and text ~= "", "%s: no text", what)
  hold(core.schema.utf8_length(text), "%s: not UTF-8: %q", what, text)
  hold(not text:find "%c", "%s: control characters: %q", what, text)
end

--- An error of one of these kinds (a set), whose message is a line, and whose issues are.
function fuzz.hold_error(err, kinds)
  hold(core.error.is(err), "no error of the library's: %s", tostring(err))
  hold(kinds[err.kind], "an error of kind %s: %s", tostring(err.kind), tostring(err))
  fuzz.hold_line(tostring(err), "error")
  fuzz.hold_line(err.message, "message")
  for _, issue in ipairs(err.issues or {}) do
    fuzz.hold_line(tostring(issue), "issue")
    fuzz.hold_line(issue.message, "message of an issue")
  end
end

local invalid = { invalid = true }

--- Calls fn(…) → true and what it returns; or false and the error that it raised, which is one for mistakes of scripts.
function fuzz.try(fn, ...)
  local args, count = { ... }, select("#", ...)
  local function call() return fn(unpack(args, 1, count)) end
  local results = { xpcall(call, told) }
  if results[1] then return unpack(results, 1, 6) end
  if results[2].finding then error(results[2].finding, 0) end
  fuzz.hold_error(results[2], invalid)
  return false, results[2]
end

local id

-- This process's own; a few fuzzers may run at once.
local function process()
  if id then return id end
  local file = assert(open_file "/proc/self/stat")
  id = file:read("*l"):match "^%d+"
  file:close()
  return id
end

--- Calls fn(path) with the path of a file of its own that holds the text, and leaves none behind → what fn returned.
-- @param form the end of its name
function fuzz.with_file(form, text, fn)
  local path = ("%s/handoff-fuzz-%s.%s"):format(os.getenv "TMPDIR" or "/tmp", process(), form)
  local file = assert(open_file(path, "wb"))
  assert(file:write(text))
  file:close()
  local results = { fn(path) }
  os.remove(path)
  return unpack(results, 1, 3)
end

return fuzz
