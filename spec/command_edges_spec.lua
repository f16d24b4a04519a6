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

  it("says that a variable is none of those that its flag takes", function()
    local ran = box:run("set settings.is_active=true --yes", { env = { HANDOFF_VERIFY = "twice" } })
    assert.same({ status = 64, out = "",
      err = 'handoff set: HANDOFF_VERIFY: one of answer, read, none expected, got "twice"\n' }, ran)
  end)

  it("asks for the edit of a run whose edit it cannot read", function()
    local handoff = require "handoff"
    box.box:faults { { fault = "status", status = 500, times = "always", method = "PUT" } }
    local fleet = assert(handoff.fleet(box.inventory, { base_url = box.box.base_url, retries = 0,
      history = box.folder .. "/handoff/history.db" }))
    for run, name in ipairs { "what it's for", "incident everywhere" } do
      fleet:update(function(cfg) cfg.settings.is_active = not cfg.settings.is_active end, { edit = name })
      refused(64, ("handoff resume: %s: this is no edit that can be read again, but a script's name for it, perhaps; "
        .. "call that script, or give the edit on the command line (the edit of run %d; `handoff resume %d EDIT` takes "
        .. "another)"):format(name, run, run), ("resume %d --yes"):format(run))
    end
  end)

  it("tells a program what an edit would bring that is to be looked at", function()
    local ran = box:run "plan settings.timezone=EST settings.working_hours_active=true --json"
    assert.matches('"warnings":%[{[^]]*"path":"settings.timezone"', ran.out .. ran.err)
  end)

  it("tells a program of a plan that changes nothing", function()
    assert.equal(0, box:run("set settings.is_active=true --yes").status)
    assert.equal(0, box:run("plan settings.is_active=true --output it.plan").status)
    local out = '{"counts":{},"format_version":1,"summary":true}\n'
    assert.same({ status = 0, out = out, err = "" }, box:run "apply it.plan --yes --json")
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
