-- SPDX-License-Identifier: MIT
--- Runs checks, three at a time, and adds them up: run.lua COMMAND… -- CHECK…, where `COMMAND CHECK` runs one.
-- A check named test-… prints lines `N passed, N failed`, one for each program that it runs, and these count; one that prints
-- none, or counts nothing, or fails in spite of them, counts as a failure. Every other check counts as one. Ends with such a
-- line itself.
-- A check that takes longer than CHECK_SECONDS is ended, and fails.
local limit = tonumber(os.getenv "CHECK_SECONDS") or 1200

local function quoted(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

local command, checks = {}, {}
local into = command
for _, word in ipairs(arg) do
  if word == "--" then into = checks else into[#into + 1] = quoted(word) end
end
command = table.concat(command, " ")

local function read(shell)
  local pipe = assert(io.popen(shell))
  local text = pipe:read "a"
  pipe:close()
  return text
end

-- Starts one check with a temporary folder of its own → what finish takes. What it prints goes to a file beside that folder.
local function start(check)
  local temp = read("mktemp -d"):gsub("\n", "")
  os.execute("chmod 711 " .. quoted(temp)) -- a server's workers may run as somebody else
  local shell = "TMPDIR=%s timeout -k 10 %d %s %s >%s.log 2>&1 </dev/null"
  return { temp = temp, pipe = assert(io.popen(shell:format(quoted(temp), limit, command, check, quoted(temp)))) }
end

-- Waits for a check's end; its folder must be empty then → its lines, whether it ended well.
local function finish(check, begun)
  local well, lines = begun.pipe:close(), {}
  for line in io.lines(begun.temp .. ".log") do
    lines[#lines + 1] = line
    if check:find "^'test%-" then print("  " .. line) end
  end
  local left = read("ls -A " .. quoted(begun.temp))
  os.execute(("rm -rf %s %s.log"):format(quoted(begun.temp), quoted(begun.temp)))
  if left ~= "" then
    print("  left in the temporary folder: " .. left:gsub("\n", " "))
    well = nil
  end
  return lines, well
end

local function counted(lines, well)
  local passed, failed, counts = 0, 0, 0
  for _, line in ipairs(lines) do
    local p, f = line:match "^(%d+) passed, (%d+) failed$"
    if p then passed, failed, counts = passed + tonumber(p), failed + tonumber(f), counts + 1 end
  end
  local wrong = counts == 0 and "ended without a count" or passed + failed == 0 and "nothing ran"
    or not well and failed == 0 and "failed, though each of its tests passed"
  if wrong then print("  " .. wrong) end
  return passed, failed + (wrong and 1 or 0)
end

local function single(lines, well)
  if not well then print("  " .. table.concat(lines, "\n  ")) end
  return well and 1 or 0, well and 0 or 1
end

local all_passed, all_failed, begun = 0, 0, {}
for i, check in ipairs(checks) do
  for next = i, math.min(i + 2, #checks) do begun[next] = begun[next] or start(checks[next]) end
  local name = check:match "^'(.*)'$"
  print("== " .. name)
  io.flush()
  local count = check:find "^'test%-" and counted or single
  local passed, failed = count(finish(check, begun[i]))
  print(("== %s: %d passed, %d failed"):format(name, passed, failed))
  all_passed, all_failed = all_passed + passed, all_failed + failed
end
if #checks == 0 then all_failed = 1 end
print(("%d passed, %d failed"):format(all_passed, all_failed))
os.exit(all_failed == 0)
