-- SPDX-License-Identifier: MIT
-- The README's code runs. For who writes there:
--   ```lua    runs by itself, in an empty folder that holds `agents.lua`, the inventory of a sandbox with 3 agents.
--             HANDOFF_TOKEN and HANDOFF_BASE_URL name its first one. `handoff`, a `client` and its `cfg` are there already.
--   ```sh run runs as a shell script at the top of the tree, with the same variables. Without `run` it is only shown.
--   ```text   right after a block that runs: exactly what that prints.
-- Any other word after ``` is only shown. The blocks share one sandbox and run in their order.
local program = require "support.program"

local prelude = 'handoff = require "handoff"; client = handoff.client {}; cfg = assert(client:get())'

-- The blocks that run: { line=, kind=, code=, expected= }.
local function blocks(path)
  local list, open, previous = {}, nil, nil
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    if open and line:find "^```%s*$" then
      if open.kind == "lua" or open.kind == "sh run" then list[#list + 1] = open end
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

describe("README.md", function()
  local sandbox, script
  setup(function()
    sandbox = program.sandbox(3)
    script = sandbox.folder .. "/block"
  end)
  teardown(function() sandbox.stop() end)

  local list = blocks "README.md"
  it("has code", function() assert.is_true(#list > 0) end)

  for _, block in ipairs(list) do
    it("line " .. block.line, function()
      local file = assert(io.open(script, "w"))
      file:write(table.concat(block, "\n"), "\n")
      file:close()
      local command = block.kind == "sh run" and "sh -e " .. script
        or ("cd %s && exec %s -e %s %s"):format(sandbox.folder, program.lua, program.quote(prelude), script)
      local output, status = program.run(command, sandbox.env)
      assert.equal(0, status, output)
      if block.expected then assert.equal(block.expected, (output:gsub("\n$", ""))) end
    end)
  end
end)
