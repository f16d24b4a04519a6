-- SPDX-License-Identifier: MIT
-- What verbs say where nobody is left to ask, and of a plan that is not what it was.
local command = require "support.command"
local program = require "support.program"

describe("with a sandbox, handoff", function()
  local box
  before_each(function() box = command.sandbox(3) end)
  after_each(function() box:stop() end)

  local function refused(status, message, words)
    local ran = box:run(words)
    assert.same({ status = status, out = "", err = message .. "\n" }, ran)
  end

  it("says when --select leaves none of those that documents or an edit are for", function()
    local names = {}
    for i, agent in ipairs(box.box.agents) do names[i] = agent.name end
    assert.equal(0, box:run("pull state --select name=" .. names[1]).status)
    refused(64, "handoff hours: --select: no agent of state is selected; leave --select and --shard out",
      "hours --from state --select name=" .. names[2])
    refused(64, ("handoff diff: --select: none of the agents that the edit is for is selected, the first of 1 is %s; "
      .. "leave --select and --shard out"):format(names[1]), "diff state --select name=" .. names[2])
  end)

  it("takes a number for seconds only", function()
    refused(64, 'handoff query: --timeout: a number expected, such as 30 or 0.5, got "1s"; `handoff query --help` '
      .. "tells what it takes", "query settings --timeout 1s")
  end)

  it("reads no inventory that is larger than any", function()
    program.run("truncate -s 65M " .. program.quote(box.folder .. "/large.json"))
    refused(64, "handoff agents: large.json: more than 67108864 bytes, the most an inventory may have",
      "agents --inventory large.json")
  end)

  it("shows what each item of a list of texts is", function()
    local ran = box:run "explain settings.keywords"
    assert.matches("\n  of each  text; ", ran.out, 1, true)
  end)

  it("takes no line for a part of a plan that is none", function()
    assert.equal(0, box:run("plan settings.is_active=false --output it.plan").status)
    local lines = {}
    for line in box:read("it.plan"):gmatch "[^\n]+" do lines[#lines + 1] = line end
    table.insert(lines, 3, "[]")
    box:write("it.plan", table.concat(lines, "\n") .. "\n")
    local ran = box:run("apply it.plan --yes")
    assert.equal(1, ran.status)
    assert.matches("it.plan:3: this is no line of a plan", ran.err, 1, true)
  end)
end)
