-- SPDX-License-Identifier: MIT
-- The README's code runs. For who writes there:
--   ```lua    runs by itself, in an empty folder that holds `agents.lua`, the inventory of a sandbox with 3 agents.
--             HANDOFF_TOKEN and HANDOFF_BASE_URL name its first one. `handoff`, a `client` and its `cfg` are there already.
--   ```sh run runs as a shell script at the top of the tree, with the same variables. Without `run` it is only shown.
--   ```text   right after a block that runs: exactly what that prints.
--   ```console  lines after `$ ` (and `> `) are commands, those below each are exactly what it prints, on either stream.
--             All such blocks are one tour: a folder of their own, empty at first but for a sandbox's agents.lua (25 agents),
--             with `handoff` on the PATH. A time, 2026-11-22 09:30:00, stands for any, so does the port; "…" at the end of a
--             line for the rest of it, alone on one for any lines.
-- Any other word after ``` is only shown. The blocks share one sandbox and run in their order.
local command = require "support.command"
local program = require "support.program"

local prelude = 'handoff = require "handoff"; client = handoff.client {}; cfg = assert(client:get())'

-- The blocks that run: { line=, kind=, code=, expected= }.
local function blocks(path)
  local list, open, previous = {}, nil, nil
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    if open and line:find "^```%s*$" then
      if open.kind == "lua" or open.kind == "sh run" or open.kind == "console" then list[#list + 1] = open end
      if open.kind == "text" and previous then previous.expected = table.concat(open, "\n") end
      previous = open.kind ~= "text" and open or nil
      open = nil
    elseif open then
      open[#open + 1] = line
    elseif line:find "^```" then
      open = { line = number, kind = line:match "^```%s*(.-)%s*$" }
    elseif line:find "%S" then
      previous = nil
    end
  end
  return list
end

-- ---- the tour -------------------------------------------------------------------------------------------------------------

-- The commands of a block: { line=, text=, output= }.
local function commands_of(block)
  local list = {}
  for i, line in ipairs(block) do
    local text, more = line:match "^%$ (.*)$", line:match "^> ?(.*)$"
    if more and #list[#list].output == 0 then
      list[#list].text = list[#list].text .. "\n" .. more
    elseif text then
      list[#list + 1] = { line = block.line + i, text = text, output = {} }
    else
      local output = list[#list].output
      output[#output + 1] = line
    end
  end
  return list
end

local function plain_line(line)
  return (line:gsub("%d%d%d%d%-%d%d%-%d%d %d%d:%d%d", "2026-11-22 09:30"):gsub("( 09:30):%d%d", "%1:00"))
end

-- Whether the lines are as the README has them; the first that is not, otherwise.
local function same_output(expected, output)
  local at, lines = 1, {}
  for line in (output:gsub("\n$", "") .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = plain_line(line) end
  if output == "" then lines = {} end
  for i, line in ipairs(expected) do
    line = plain_line(line)
    local start = line:match "^(.*)…$"
    if line == "…" then
      if i == #expected then return true end
      while lines[at] and lines[at] ~= plain_line(expected[i + 1]) do at = at + 1 end
    elseif lines[at] == line or start and lines[at] and lines[at]:sub(1, #start) == start then
      at = at + 1
    else
      return false, ("expected: %s\ngot: %s"):format(line, tostring(lines[at]))
    end
  end
  return lines[at] == nil, "more was printed: " .. tostring(lines[at])
end

-- Does what the blocks say, one command after the other, in one folder → nil, or what was not as the README has it.
local function follow(tour, box)
  program.run("mkdir " .. program.quote(box.folder .. "/bin"))
  program.run("chmod +x " .. program.quote(box:write("bin/handoff",
    ("#!/bin/sh\nexec %s \"$@\"\n"):format(command.words()))))
  local env = { PATH = box.folder .. "/bin:" ..  os.getenv "PATH", HANDOFF_BASE_URL = box.box.base_url,
    XDG_STATE_HOME = box.folder, HANDOFF_TOKEN = false, HANDOFF_BUILD = false, HANDOFF_GC = false }
  for _, block in ipairs(tour) do
    for _, one in ipairs(commands_of(block)) do
      local output = program.run(("cd %s; %s"):format(program.quote(box.folder), one.text), env)
      output = output:gsub("http://127%.0%.0%.1:%d+/", "http://127.0.0.1:8080/")
      local same, why = same_output(one.output, output)
      if not same then return ("README.md:%d: %s\n%s\nall of it:\n%s"):format(one.line, one.text, why, output) end
    end
  end
end

describe("README.md", function()
  local sandbox, script
  setup(function()
    sandbox = program.sandbox(3)
    script = sandbox.folder .. "/block"
  end)
  teardown(function() sandbox.stop() end)

  local list, tour = {}, {}
  for _, block in ipairs(blocks "README.md") do
    local into = block.kind == "console" and tour or list
    into[#into + 1] = block
  end
  it("has code", function() assert.is_true(#list > 0) end)

  it("has a tour that can be followed", function()
    local box = command.sandbox(25)
    local failed = follow(tour, box)
    box:stop()
    assert.is_nil(failed)
  end)

  for _, block in ipairs(list) do
    it("line " .. block.line, function()
      local file = assert(io.open(script, "w"))
      file:write(table.concat(block, "\n"), "\n")
      file:close()
      local line = block.kind == "sh run" and "sh -e " .. script
        or ("cd %s && exec %s -e %s %s"):format(sandbox.folder, program.lua, program.quote(prelude), script)
      local output, status = program.run(line, sandbox.env)
      assert.equal(0, status, output)
      if block.expected then assert.equal(block.expected, (output:gsub("\n$", ""))) end
    end)
  end
end)
