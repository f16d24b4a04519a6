-- SPDX-License-Identifier: MIT
--- What `handoff --help` and that of each verb say, as spec/golden/help.txt keeps it; as a program it prints that.
local command = require "support.command"
local description = require "handoff.command.description"

local function text()
  local list = {}
  local function add(words)
    local ran = command.run(words)
    list[#list + 1] = ("$ handoff %s\n%s%s\n"):format(words, ran.out, ran.err)
  end
  add "--help"
  for _, name in ipairs(description.names()) do add(name .. " --help") end
  return table.concat(list)
end

if arg[0]:find "golden%.lua$" then io.write(text()) end

return text
