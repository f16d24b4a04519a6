-- SPDX-License-Identifier: MIT
-- Lets every request for memory of one operation fail, one after another (see host.c, which runs this):
--     driver.lua OPERATION MOST CHANCE [MODE]
-- MOST: how many requests fail in a sweep, evenly among them all, 0: each (but see `most` in operations.lua); CHANCE, from 0 to
-- below 1, says which. MODE: one of those below, or jit: with LuaJIT's compiler.
-- Held each time: what comes is the whole result, or an error that says that there was not enough memory; a state that the
-- operation edits is the one before or the one after; nothing is held that was not held before; and the operation gives what it
-- gave when it is called once more. Prints a line for each sweep, `KIND MODE asked for, failed`, and one for each finding.
local torture = torture -- luacheck: ignore
local name, most, chance, only = ...
most, chance = tonumber(most), tonumber(chance)

local jit_module = rawget(_G, "jit")
if jit_module and only ~= "jit" then jit_module.off() end

local MAX_FINDINGS = 5 -- of one sweep: more of them say the same
-- KiB that a state may hold more after a sweep: tables of strings, stacks; and a buffer of LuaJIT's own, which it makes as large
-- as what a file may be asked for and keeps.
local GROWTH = rawget(_G, "jit") and 32768 or 256

local operations = require "torture.operations"
local op = assert(operations[name], name)
if op.most and (most == 0 or most > op.most) then most = op.most end

local base_threads = select(4, torture.holdings())

-- ---- what is looked at ------------------------------------------------------------------------------------------------

local attempt_fresh

local function show(value)
  if type(value) ~= "table" then return tostring(value) end
  local meta = getmetatable(value)
  if type(meta) == "string" or type(meta) == "table" and meta.__tostring then return tostring(value) end
  local keys, parts = {}, {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for i, key in ipairs(keys) do parts[i] = tostring(key) .. "=" .. show(value[key]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function is_memory(err)
  local text = tostring(type(err) == "table" and err.message or err)
  return text:find "not enough memory" ~= nil or text:find "Cannot allocate memory" ~= nil -- the system's words
end

local function settle()
  operations.settle()
  collectgarbage()
end

-- A thread of libcurl that looks up a name ends by itself, a moment later.
local function count()
  local own, curl, descriptors, threads = torture.holdings()
  for _ = 1, 1000 do
    if threads == base_threads then break end
    torture.rest()
    own, curl, descriptors, threads = torture.holdings()
  end
  return ("%d own, %d curl, %d descriptors, %d threads"):format(own, curl, descriptors, threads)
end

-- What is held where that is `held`, or else when all garbage is gone: what is closed by the collector may let go of more.
local function holdings(held)
  settle()
  local now = count()
  if now == held then return now end
  settle()
  return count()
end

-- Short texts that are garbage and not collected yet cost no memory when they are made again: they go before a call. Not with
-- LuaJIT (2.1, 2022), whose string.sub and its like crash the VM where they get no memory for a text, in the unwinding of its
-- own error: there the clean call before leaves them.
local function forget()
  if not jit_module then collectgarbage() end
end

-- One call, with what it is called with → { failed, asked, ok, shown, err, state }
local function attempt(kind, mode, n)
  if op.fresh then return attempt_fresh(kind, mode, n) end
  local subject = op.prepare and op.prepare()
  forget()
  local failed, asked, ok, first, second = torture.try(kind, mode, n, op.run, subject)
  local seen = { failed = failed, asked = asked, ok = ok and first ~= nil, err = first }
  if ok and first == nil then seen.err = second end
  seen.shown = seen.ok and show(first) or show(seen.err)
  seen.state = op.state and op.state(subject) or ""
  if op.finish then op.finish(subject) end
  return seen
end

-- In a state of its own, see loading.lua.
function attempt_fresh(kind, mode, n)
  local text = torture.fresh("spec/torture/loading.lua", kind, mode, tostring(n))
  local failed, asked, outcome, shown, again = text:match "^(%d+) (%d+) ([^\n]*)\n(.*)\n%-%-\n(.*)$"
  local ok = outcome == "well"
  return { failed = tonumber(failed), asked = tonumber(asked), ok = ok, err = outcome, shown = ok and shown or outcome,
    state = "", again = { ok = true, shown = again, state = "" } }
end

-- ---- a sweep ----------------------------------------------------------------------------------------------------------

local function cut(text) return #text > 300 and text:sub(1, 300) .. "…" or text end

local function wrong_with(kind, seen, clean, before)
  local is_told = seen.ok or is_memory(seen.err) or op.accepts and op.accepts(tostring(seen.err), kind)
  if not is_told then return "it failed by another name: " .. seen.shown end
  if seen.ok and seen.shown ~= clean.shown then return "another result: " .. seen.shown end
  if seen.ok and seen.state ~= clean.state then return "done, and the state is another: " .. seen.state end
  if not seen.ok and not op.partial and seen.state ~= before and seen.state ~= clean.state then
    return "failed, and half done: " .. seen.state
  end
end

local function sweep(kind, mode)
  local function clean_run() return attempt(kind, "once", 0) end
  -- Twice: what is made at the first use and kept is there then.
  clean_run()
  local clean = clean_run()
  assert(clean.ok, clean.shown)
  local subject = op.prepare and op.prepare()
  local before = op.state and op.state(subject)
  if op.finish then op.finish(subject) end
  subject = nil -- luacheck: ignore
  local held, size, failed, found = holdings(), collectgarbage "count", 0, 0
  if clean.asked == 0 and most > 0 then return end
  local step = most == 0 and 1 or math.max(1, math.ceil(clean.asked / most))
  local n, seen = 1 + math.floor(chance * step), { failed = 1 }
  if jit_module then clean_run() end
  while seen.failed > 0 and found < MAX_FINDINGS do
    seen = attempt(kind, mode, n)
    local now = holdings(held)
    local again = seen.again or clean_run()
    local wrong = wrong_with(kind, seen, clean, before)
      or now ~= held and ("left behind: %s, not %s"):format(now, held)
      or not again.ok and "once more, it failed: " .. again.shown
      or (again.shown ~= clean.shown or again.state ~= clean.state) and "once more, another result: " .. again.shown
    if wrong then
      print(("found: %s, %s %s %d: %s"):format(name, kind, mode, n, cut(wrong:gsub("\n", " "))))
      found, held = found + 1, holdings()
    end
    failed = failed + (seen.failed > 0 and 1 or 0)
    n = n + step
  end
  settle()
  local growth = collectgarbage "count" - size
  if growth > GROWTH then print(("found: %s, %s %s: %.0f KiB more"):format(name, kind, mode, growth)) end
  print(("%s %s %d %d"):format(kind, mode, clean.asked, failed))
end

local modes = {
  own = { "once", "all" }, curl = { "once", "all" }, lua = { "once", "all", not jit_module and "gives" or nil },
}
for _, kind in ipairs(op.kinds or { "lua", "own", "curl" }) do
  local wanted = only == "gives" and kind ~= "lua" and "once" or only -- only Lua asks again
  for _, mode in ipairs(modes[kind]) do
    if not only or wanted == mode or only == "jit" then sweep(kind, mode) end
  end
end
