-- SPDX-License-Identifier: MIT
--- How far a run is, Ctrl-C and the question, in real terminals.
local inventory = require "handoff.inventory"
local jwt = require "support.jwt"
local pace = require "handoff.pace"
local progress = require "handoff.command.progress"
local program = require "support.program"
local sandbox = require "support.sandbox"
local terminal = require "support.terminal"
local transport = require "handoff.transport"

local function plain(_, text) return text end

local function at_terminal(words)
  return ("%s %s %s"):format(program.quote(program.lua), "spec/support/at_terminal.lua", words)
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
        local line = progress.line({ what = "writing", done = done, total = 10000, failed = done, rate = 0.01,
          left = 1e5, ending = done == 2500 }, columns, plain)
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

describe("progress", function()
  local carrier, time, said, p = transport.default(), 0, {}, nil

  -- Time passes when the test says so: half a minute is too long to wait for.
  setup(function()
    function carrier.now() return time end
    function carrier.sleep() return carrier.loop:sleep(0) end
  end)
  teardown(function() carrier.now, carrier.sleep = nil, nil end)
  after_each(function()
    p:stop()
    p:stop()
  end)

  local function start(agents, is_live, what)
    time, said = 0, {}
    local err = { live = is_live, flush = function() end }
    function err.write(_, text) said[#said + 1] = text end
    function err.width() return 80 end
    function err.paint(_, _, text) return text end
    p = progress.start({ args = {}, err = err, note = function(_, line) said[#said + 1] = line end }, agents, what)
  end

  local function at(now)
    time = now
    carrier.loop:sleep(0)
    carrier.loop:sleep(0)
  end

  local function agents(count, budget)
    local list = {}
    for i = 1, count do
      list[i] = { name = "a" .. i, token = jwt(("{\"scenario_id\":\"s%d\"}"):format(i)), budget = budget }
    end
    list = inventory.load(list)
    assert(inventory.resolve(list))
    return list
  end

  it("is a plain line each half minute where there is no terminal, phase by phase", function()
    start(agents(3), false, "planning")
    p:result { agent = "a1", status = "planned" }
    p:result { agent = "a1", status = "planned" }
    p:result { agent = "a2", status = "failed" }
    at(29.9)
    assert.same({}, said)
    at(30)
    p:phase("writing", { results = { { agent = "a1", status = "planned" }, { agent = "a2", status = "failed" } } })
    at(59)
    at(60)
    p:hide()
    at(120)
    assert.same({ "planning: 2 of 3 agents, 1 failed", "writing: 0 of 1 agents" }, said)
  end)

  it("promises what the last minute allows to promise, and nothing before there is something to tell from", function()
    start(agents(200), true, "reading")
    local function last(pattern) return said[#said]:match(pattern) end
    for i = 1, 100 do p:result { agent = "a" .. i, status = "done" } end
    at(1)
    assert.is_nil(last "left")
    at(10)
    assert.equal("10/s  ~10 s left", last "[%d.]+/s.*left")
    at(50)
    assert.equal("2.0/s  ~50 s left", last "[%d.]+/s.*left")
    at(71)
    assert.is_nil(last "left") -- nothing came for a minute: who knows
  end)

  it("promises no less than the limits of the slowest token allow", function()
    local list = agents(2, "1%")
    start(list, true, "writing")
    assert.is_nil(pace.pacer(carrier.now, 1):take("GET", inventory.options(list[2]).token, 0))
    p:result { agent = "a1", status = "changed" }
    at(3)
    assert.truthy(said[#said]:find("~58 s left", 1, true) or said[#said]:find("~1 min left", 1, true), said[#said])
    p:result { agent = "a2", status = "changed" }
    at(4)
    assert.truthy(said[#said]:find("2/2", 1, true))
  end)

  it("makes room for what is said meanwhile", function()
    start(agents(2), true, "writing")
    at(0)
    p:note "wave 1 of 2"
    assert.equal("\r\27[K", said[#said - 1])
    at(1)
    assert.truthy(said[#said]:find "^\rwriting")
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

  local function read(timeout, retries)
    return ("read %s %s/agents.lua %d %d"):format(box.base_url, folder, timeout or 30, retries or 0)
  end

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
      assert.is_nil(terminal.unreadable(t.read))
    end)
  end

  it("the time left is what the service makes the slowest token wait", function()
    box:faults { { agent = "shop-us", fault = "status", status = 429, retry_after = 58 } }
    local t = open(read(30, 1))
    t:wait "11/12"
    t:wait "~1 min left"
    t:type "\3"
    t:wait "ends at once"
    t:type "\3"
    assert.equal(130, t:ends())
  end)

  it("nothing moves where no terminal is, or one that knows no cursor", function()
    local t = open(("%s 2>%s/log; cat %s/log"):format(read(), folder, folder))
    assert.equal(0, t:ends())
    assert.same({ "12 agents: 12 done", "[exit 0]" }, t:screen())
    t:close()
    t = open("ask 2>&1 | cat")
    t:wait "standard error is no terminal; give --yes"
    t:close()
    for _, before in ipairs { "TERM=dumb ", "env -u TERM " } do
      t = terminal.open(before .. at_terminal(read()))
      assert.equal(0, t:ends())
      assert.equal("12 agents: 12 done\r\n[exit 0]", t.read)
      t:close()
    end
  end)

  it("Ctrl-C is noticed while every request hangs, begins no other, and ends at once when it comes again", function()
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

  it("Ctrl-C lets what is in flight come to its end, and leaves nothing of the line", function()
    box:faults { { fault = "hang", times = "always" } }
    local t = open(read(1), { columns = 40 })
    t:wait "0/12"
    t:type "\3"
    assert.equal(130, t:ends())
    assert.truthy(table.concat(t:screen()):find "^finishing what is in flight; Ctrl%-C.*4 failed, 8 untouched")
  end)

  it("only the full word yes is a yes", function()
    local rows = {
      { "yes\n", "true" }, { "y\n", "false" }, { "Yes\n", "false" }, { "\n", "false" }, { "\4", "false" },
    }
    for _, row in ipairs(rows) do
      local answer, said = row[1], row[2]
      local t = open "ask"
      t:wait "Write this to 2 agents?"
      t:wait "Type yes to go on: "
      t:type(answer)
      assert.equal(0, t:ends())
      assert.truthy(t.read:find("\n" .. said, 1, true), t.read)
      t:close()
    end
  end)

  it("what was typed before the question was there is no answer to it", function()
    program.run("mkfifo " .. folder .. "/gate")
    shown = terminal.open(("read _ <%s/gate; %s"):format(folder, at_terminal "ask"))
    shown:type "yes\n"
    shown:wait "yes"
    assert(io.open(folder .. "/gate", "w")):close()
    shown:wait "go on: "
    shown:type "no\n"
    assert.equal(0, shown:ends())
    assert.truthy(shown.read:find("\nfalse", 1, true), shown.read)
  end)

  it("Ctrl-C at the question is no answer, and ends", function()
    local t = open "ask"
    t:wait "go on: "
    t:type "\3"
    assert.equal(130, t:ends())
    assert.equal("interrupted before the answer; nothing was written", t:screen()[2])
  end)
end)
