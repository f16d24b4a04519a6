-- SPDX-License-Identifier: MIT
--- Runs checks, three at a time, and adds them up: run.lua COMMAND… -- CHECK…, where `COMMAND CHECK` runs one. They are begun in
-- their order, and shown as they end: those that take longest come first.
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

-- Runs one check with a temporary folder of its own, where a server's workers may run as somebody else; what it prints
-- goes to a file beside that folder → a line STATUS SECONDS CHECK FOLDER.
local one = [[
temp=$(mktemp -d) && chmod 711 "$temp" && begun=$(date +%s)
TMPDIR=$temp timeout -k 10 LIMIT COMMAND "$0" >"$temp.log" 2>&1 </dev/null
echo "$? $(($(date +%s) - begun)) $0 $temp"]]

-- Starts them all, the first ones first, and three at a time → a pipe with a line for each, once it has ended.
local function start()
  local script = one:gsub("%u%u+", { LIMIT = tostring(limit), COMMAND = command })
  local names = "printf '%s\\n' " .. table.concat(checks, " ")
  return assert(io.popen(names .. " | xargs -n 1 -P 3 sh -c " .. quoted(script)))
end

-- What a check left; its folder must be empty → its lines, whether it ended well.
local function finish(check, status, temp)
  local lines, well = {}, status == "0"
  for line in io.lines(temp .. ".log") do
    lines[#lines + 1] = line
    if check:find "^test%-" then print("  " .. line) end
  end
  if status == "124" or status == "137" then print(("  ended after %d seconds"):format(limit)) end
  local left = read("ls -A " .. quoted(temp))
  os.execute(("rm -rf %s %s.log"):format(quoted(temp), quoted(temp)))
  if left ~= "" then
    print("  left in the temporary folder: " .. left:gsub("\n", " "))
    well = false
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

if #checks == 0 then error("run.lua: no check is named", 0) end
local all_passed, all_failed, ended = 0, 0, 0
for line in start():lines() do
  local status, seconds, name, temp = line:match "^(%d+) (%d+) (%S+) (.+)$"
  print("== " .. name)
  local count = name:find "^test%-" and counted or single
  local passed, failed = count(finish(name, status, temp))
  print(("== %s: %d passed, %d failed (%d s)"):format(name, passed, failed, seconds))
  io.flush()
  all_passed, all_failed, ended = all_passed + passed, all_failed + failed, ended + 1
end
all_failed = all_failed + #checks - ended
print(("%d passed, %d failed"):format(all_passed, all_failed))
os.exit(all_failed == 0)
