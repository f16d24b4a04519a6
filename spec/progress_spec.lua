-- SPDX-License-Identifier: MIT
--- How far a run is, Ctrl-C and the question, in real terminals.
local progress = require "handoff.command.progress"
local program = require "support.program"
local sandbox = require "support.sandbox"
local terminal = require "support.terminal"

local function plain(_, text) return text end

local function at_terminal(words)
  return ("%s %s %s"):format(program.quote(program.lua), "spec/support/at_terminal.lua", words)
end

-- Colours that can be read on a light and on a dark background alike, none that sets one.
local safe = { ["0"] = true, ["1"] = true, ["2"] = true, ["31"] = true, ["32"] = true, ["33"] = true, ["36"] = true }

local function assert_safe_colours(written)
  for codes in written:gmatch "\27%[([%d;]*)m" do
    for code in codes:gmatch "%d+" do assert.is_true(safe[code], codes) end
  end
end

describe("the line of progress", function()
  local state = { what = "planning", done = 212, total = 1000, failed = 3, rate = 35.2, left = 22.4 }

  it("says most where there is room, and what matters most where there is little", function()
    assert.equal("planning [======                         ] 212/1000  35/s  3 failed  ~25 s left",
      progress.line(state, 79, plain))
    assert.equal("planning 212/1000  3 failed  ~25 s left", progress.line(state, 39, plain))
    assert.equal("planning 212/1000  3 failed", progress.line(state, 30, plain))
    assert.equal("planning 212/1000", progress.line(state, 20, plain))
    assert.equal("planning 2", progress.line(state, 10, plain))
  end)

  it("is never wider than the terminal, whatever it says", function()
    for columns = 1, 200 do
      for done = 0, 10000, 2500 do
        local line = progress.line({ what = "writing", done = done, total = 10000, failed = done, rate = 0.01, left = 1e5,
          ending = done == 2500 }, columns, plain)
        assert.is_true(#line <= columns)
      end
    end
    assert.truthy(progress.line({ what = "reading", done = 0, total = 0, failed = 0 }, 79, plain):find "0/0")
  end)

  it("rounds what is left up, the coarser the longer it is", function()
    local words = {}
    for i, seconds in ipairs { 0, 4.2, 11, 55, 56, 61, 3540, 3541, 86400 } do words[i] = progress.left(seconds) end
    assert.same({ "~1 s left", "~5 s left", "~15 s left", "~55 s left", "~1 min left", "~2 min left", "~59 min left",
      "~1.0 h left", "~24.0 h left" }, words)
  end)
end)

describe("in a terminal", function()
  local box, folder, shown
  setup(function()
    folder = program.folder()
    box = sandbox.start { agents = 12, inventory = folder .. "/agents.lua" }
  end)
  teardown(function()
    box:stop()
    program.remove(folder)
  end)
  after_each(function()
    shown:close()
    box:faults {}
  end)

  local function open(words, opts)
    shown = terminal.open(at_terminal(words), opts)
    return shown
  end

  local function read(timeout) return ("read %s %s/agents.lua %s"):format(box.base_url, folder, timeout or "") end

  for _, columns in ipairs { 80, 40 } do
    it(("progress is one line of %d columns, which goes in the end"):format(columns), function()
      box:faults { { agent = "shop-de", fault = "status" }, { agent = "shop-us", fault = "hang" } }
      local t = open(read(3), { columns = columns })
      t:wait "11/12"
      t:wait "left"
      local screen = t:screen()
      assert.equal(1, #screen)
      assert.truthy(screen[1]:find(columns == 80 and "^reading %[=+ +%] 11/12  [%d.]+/s  1 failed  ~%d s left$"
        or "^reading 11/12  1 failed  ~%d s left$"), screen[1])
      assert.equal(0, t:ends())
      assert.truthy(table.concat(t:screen(), " "):find "^12 agents: 10 done, 2 failed %[exit 0%]")
      assert_safe_colours(t.read)
    end)
  end

  it("Ctrl-C is noticed while every request hangs, begins no further one, and ends at once when it comes again", function()
    box:faults { { fault = "hang", times = "always" } }
    box:reset()
    local t = open(read(60))
    t:wait "0/12"
    t:type "\3"
    t:wait "finishing what is in flight; Ctrl-C again ends at once"
    t:wait "finishing"
    t:type "\3"
    assert.equal(130, t:ends())
    assert.equal(4, box:ledger().total)
  end)

  it("Ctrl-C lets what is in flight come to its end", function()
    box:faults { { fault = "hang", times = "always" } }
    local t = open(read(1))
    t:wait "0/12"
    t:type "\3"
    assert.equal(130, t:ends())
    assert.truthy(table.concat(t:screen(), " "):find("4 failed, 8 untouched", 1, true))
  end)

  it("only the full word yes is a yes", function()
    for answer, said in pairs { ["yes\n"] = "true", ["y\n"] = "false", ["Yes\n"] = "false", ["\n"] = "false", ["\4"] = "false" } do
      local t = open "ask"
      t:wait "Write this to 2 agents?"
      t:wait "Type yes to go on: "
      t:type(answer)
      assert.equal(0, t:ends())
      assert.truthy(t.read:find("\n" .. said, 1, true), t.read)
      t:close()
    end
  end)

  it("Ctrl-C at the question is no answer, and ends", function()
    local t = open "ask"
    t:wait "go on: "
    t:type "\3"
    assert.equal(130, t:ends())
    assert.equal("interrupted before the answer; nothing was written", t:screen()[2])
  end)
end)
