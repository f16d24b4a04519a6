-- SPDX-License-Identifier: MIT
--- What the tests ran of csrc and lua: report.lua BUILD LUAC, where BUILD was built and run for coverage (see `make coverage`).
-- Prints a row a room, then each line that never ran and that spec/coverage/never.md does not explain, and each explanation of a
-- line that did run. Ends with `N passed, N failed`: a line passes that ran or is explained.
local cjson = require "cjson"
local never = require "coverage.never"

local build, luac = arg[1], arg[2]

local function lines_of(command)
  local pipe, lines = assert(io.popen(command)), {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  return lines
end

-- file → line → how often it ran; a line that is not there holds nothing that can run.
local counts = {}
local function count(file, line, times)
  counts[file] = counts[file] or {}
  counts[file][line] = (counts[file][line] or 0) + times
end

for _, notes in ipairs(lines_of("find " .. build .. " -name '*.gcno'")) do
  for _, report in ipairs(lines_of("gcov --json-format --stdout " .. notes .. " 2>/dev/null")) do
    for _, file in ipairs(cjson.decode(report).files) do
      for _, line in ipairs(file.file:find "^csrc/" and file.lines or {}) do
        count(file.file, line.line_number, line.count)
      end
    end
  end
end

-- A line of nothing but the end of a block runs only when the block's end is reached, and shows nothing else.
local function is_end(text)
  return text:gsub("%f[%w]end%f[%W]", ""):gsub("%f[%w]else%f[%W]", ""):find "^[%s%)}%],;]*$"
end

for _, file in ipairs(lines_of "find lua -type f | sort") do
  local texts = never.lines(file)
  for _, listed in ipairs(lines_of(luac .. " -l -p " .. file)) do
    local line, what = listed:match "^\t%d+\t%[(%d+)%]\t(%u+)"
    line = what ~= "VARARGPREP" and tonumber(line) -- the head of a function, where no line begins
    if line and texts[line] and not is_end(texts[line]) then count(file, line, 0) end
  end
end
for _, record in ipairs(lines_of("sort -u " .. build .. "/ran/*")) do
  local file, line = record:match "(lua/[hb][^%s]*) (%d+)$"
  line = tonumber(line)
  if counts[file] and counts[file][line] then count(file, line, 1) end
end

-- csrc/core/week_text.c → csrc/core/week_text; lua/handoff/command/verb/x.lua → lua/handoff/command
local function room_of(file)
  return file:match "^csrc/.*%f[%.]" or file:match "^lua/handoff/[^/.]+" or file
end

local files, rooms, names = {}, {}, {}
for file in pairs(counts) do files[#files + 1] = file end
table.sort(files)
local passed, missing = 0, {}
for _, file in ipairs(files) do
  local name, texts, numbers = room_of(file), never.lines(file), {}
  local room = rooms[name] or { all = 0, ran = 0, explained = 0 }
  if not rooms[name] then rooms[name], names[#names + 1] = room, name end
  for line in pairs(counts[file]) do numbers[#numbers + 1] = line end
  table.sort(numbers)
  for _, line in ipairs(numbers) do
    local ran = counts[file][line] > 0
    local explained = not ran and never.explains(file, line)
    room.all, room.ran = room.all + 1, room.ran + (ran and 1 or 0)
    room.explained = room.explained + (explained and 1 or 0)
    if ran or explained then
      passed = passed + 1
    else
      missing[#missing + 1] = ("%s:%d: %s"):format(file, line, (texts[line] or ""):match "^%s*(.*)")
    end
  end
end

local total = { all = 0, ran = 0, explained = 0 }
local function row(name, room)
  print(("%-36s %6d %6d %6.1f %% %6d %6d"):format(name, room.all, room.ran, 100 * room.ran / room.all, room.explained,
    room.all - room.ran - room.explained))
end
print(("%-36s %6s %6s %8s %6s %6s"):format("room", "lines", "ran", "", "known", "never"))
for _, name in ipairs(names) do
  row(name, rooms[name])
  for key, value in pairs(rooms[name]) do total[key] = total[key] + value end
end
row("all", total)

local stale = never.stale()
if #missing > 0 then print "\nnever run, and not explained in spec/coverage/never.md:" end
for _, line in ipairs(missing) do print(line) end
if #stale > 0 then print "\nexplained in spec/coverage/never.md, but it ran, or is not there:" end
for _, line in ipairs(stale) do print(line) end
print(("%d passed, %d failed"):format(passed, #missing + #stale))
os.exit(#missing + #stale == 0)
