-- SPDX-License-Identifier: MIT
--- A verb that writes, as somebody at a terminal meets it: the question, Ctrl-C, and going on.
local command = require "support.command"
local terminal = require "support.terminal"

describe("apply at a terminal", function()
  local box, shown

  before_each(function()
    box = command.sandbox(6, { no_rate_limit = true })
    box:write("edit.lua", [[
      return function(cfg) cfg.settings.question_message = cfg.settings.question_message .. "|" end]])
  end)
  after_each(function()
    shown:close()
    box:stop()
  end)

  local function apply(flags)
    shown = terminal.open(("cd %s && %s apply edit.lua %s"):format(box.folder, command.words(), flags or ""), {
      env = { HANDOFF_BASE_URL = box.box.base_url, XDG_STATE_HOME = box.folder },
    })
    shown:wait "Plan: 6 agents to change, 0 unchanged, 0 failed."
    shown:wait "Write this to 6 agents?"
    shown:wait "go on: "
    return shown
  end

  -- How often the edit was done to each agent.
  local function marks()
    local list = {}
    for i, agent in ipairs(box.box.agents) do
      list[i] = select(2, box.box:document(agent.name):match '"question_message":%s*"(.-)"':gsub("|", ""))
    end
    return table.concat(list, " ")
  end

  it("writes after the full word yes", function()
    local t = apply()
    assert.equal("0 0 0 0 0 0", marks())
    t:type "yes\n"
    assert.equal(0, t:ends())
    assert.equal("1 1 1 1 1 1", marks())
    assert.is_nil(terminal.unreadable(t.read))
  end)

  it("writes nothing after another word or Ctrl-C, and leaves no trace in the history", function()
    for _, row in ipairs { { "no\n", 1 }, { "\3", 130 } } do
      local t = apply()
      t:type(row[1])
      assert.equal(row[2], t:ends())
      assert.truthy(t.read:find "nothing was written")
      t:close()
    end
    assert.equal("0 0 0 0 0 0", marks())
    assert.is_nil(box:run("history").out:find "edit.lua")
  end)

  it("interrupted while it writes, says how it is gone on with, and that edits each agent once", function()
    box.box:faults { { method = "PUT", fault = "hang", times = "always" } }
    local t = apply "--concurrency 2 --timeout 1 --retries 0"
    t:type "yes\n"
    t:wait "0/6"
    t:type "\3"
    t:wait "finishing what is in flight; Ctrl-C again ends at once"
    assert.equal(130, t:ends())
    local resume = t.read:match "`handoff (resume 1)[^`]*` goes on with it"
    box.box:faults {}
    assert.equal(0, box:run(resume .. " --yes").status)
    assert.equal("1 1 1 1 1 1", marks())
  end)
end)

describe("pull at a terminal", function()
  it("interrupted, finishes the file it is at, says how many are left, and pulls those the next time", function()
    local box = command.sandbox(3)
    local shown
    finally(function()
      shown:close()
      box:stop()
    end)
    box.box:faults { { agent = box.box.agents[2].name, method = "GET", fault = "drip" } }
    shown = terminal.open(("cd %s && %s pull --concurrency 1"):format(box.folder, command.words()), {
      env = { HANDOFF_BASE_URL = box.box.base_url },
    })
    shown:wait "1/3"
    shown:type "\3"
    shown:wait "finishing what is in flight; Ctrl-C again ends at once"
    shown:wait "interrupted: 1 agent not asked; pull again for the rest"
    shown:wait "Pulled: 2 new, 0 changed, 0 unchanged, 0 failed."
    assert.equal(130, shown:ends())
    assert.matches("\nPulled: 1 new, 0 changed, 2 unchanged, 0 failed.\n$", box:run("pull").out)
  end)
end)

describe("get at a terminal", function()
  it("shows texts and JSON that command it nothing", function()
    local box = command.sandbox(1)
    local name = box.box.agents[1].name
    local text = box.box:document(name):gsub('"question_message": *"[^"]*"',
      '"question_message":"a\\u001b[2J\194\155Jz"')
    box.box:store(name, text)
    local get = ("%s get %s"):format(command.words(), name)
    local shown = terminal.open(("cd %s && %s; %s settings; %s settings.question_message; %s --json"):format(box.folder,
      get, get, get, get), { env = { HANDOFF_BASE_URL = box.box.base_url } })
    for _ = 1, 4 do
      local part = shown:wait "Jz"
      assert.is_nil(part:find "\194\155" or part:find("\27[2J", 1, true))
    end
    shown:ends()
    shown:close()
    box:stop()
  end)
end)
