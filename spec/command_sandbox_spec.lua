-- SPDX-License-Identifier: MIT
local command = require "support.command"
local json = require("handoff.core").json
local program = require "support.program"
local sandbox = require "support.sandbox"
local serve = require "handoff.serve"

describe("handoff sandbox", function()
  local folder
  before_each(function() folder = program.folder() end)
  after_each(function() program.remove(folder) end)

  local function run(words, more)
    local all = { folder = folder }
    for name, value in pairs(more or {}) do all[name] = value end
    return command.run("sandbox --until-eof " .. words, all)
  end

  local function write(name, text) return program.write(folder .. "/" .. name, text) end

  it("prints its base URL and an inventory that Lua reads, and stops at the end of its input", function()
    local ran = run "--agents 3 --seed 5"
    assert.same({ 0, "" }, { ran.status, ran.err })
    local url, inventory = ran.out:match "^(%C+)\n(.*)$"
    assert.truthy(url:match "^http://127%.0%.0%.1:%d+/v1/api/$")
    local agents = assert((loadstring or load)(inventory))()
    assert.equal(3, #agents)
    assert.same({ "shop-uk", "eu", url }, { agents[1].name, agents[1].tags.region, agents[1].base_url })
    local function tokens(text) return (text:gsub("127%.0%.0%.1:%d+", "")) end
    assert.equal(tokens(ran.out), tokens(run "--agents 3 --seed 5".out))
    assert.not_equal(tokens(ran.out), tokens(run "--agents 3 --seed 6".out))
  end)

  it("stops where its input cannot be read", function()
    local _, status = program.run(("timeout 60 %s sandbox --until-eof <&-"):format(program.handoff))
    assert.equal(0, status)
  end)

  it("says the same as JSON", function()
    local object = json.decode(run "--agents 2 --json".out)
    assert.same({ 1, 2, "shop-uk" }, { object.format_version, #object.agents, object.agents[1].name })
    assert.truthy(object.base_url:match "^http://127%.0%.0%.1:%d+/v1/api/$")
  end)

  it("writes the inventory to a file for its owner only, and prints only the base URL", function()
    local path = folder .. "/agents.lua"
    program.run("umask 0; touch " .. path)
    local ran = run "--agents 2 --inventory agents.lua"
    assert.same({ 0, "" }, { ran.status, ran.err })
    assert.truthy(ran.out:match "^http://127%.0%.0%.1:%d+/v1/api/\n$")
    assert.equal("600\n", (program.run("stat -c %a " .. path)))
    local agents = dofile(path)
    assert.same({ 2, ran.out:sub(1, -2) }, { #agents, agents[1].base_url })
    assert.equal(0, run("--agents 3", { env = { HANDOFF_INVENTORY = "agents.lua" } }).status)
    assert.equal(3, #dofile(path))
  end)

  it("refuses what it cannot do with one line that says why", function()
    write("mine.lua", "return {}\n")
    write("broken.json", "{")
    write("odd.json", '[{"fault": "earthquake"}]')
    local server = assert(serve.new())
    for words, expected in pairs {
      ["--agents 1.5"] = { 64, '--agents: a whole number expected, got "1.5"' },
      ["--agents 0"] = { 64, "--agents: 0 is out of range, 1 to 100000 allowed" },
      ["--port 70000"] = { 64, "--port: 70000 is out of range" },
      ["--port " .. server:port()] = { 1, "cannot listen on 127.0.0.1 port " },
      ["--inventory mine.lua"] = { 1, "mine.lua: it is there already and no sandbox wrote it; name a file" },
      ["--inventory none/agents.lua"] = { 1, "none/agents.lua: No such file or directory; name a file" },
      ["--inventory ."] = { 1, ".: it is there and no regular file; name a file" },
      ["--faults none.json"] = { 1, "none.json: No such file or directory; name a file" },
      ["--faults ."] = { 1, ".: Is a directory; name a file" },
      ["--faults broken.json"] = { 1, "broken.json: not JSON at line 1, column 2" },
      ["--faults odd.json"] = { 1, 'odd.json: faults[1]: no fault "earthquake"; known are: close, ' },
    } do
      local ran = run(words)
      assert.same({ expected[1], "" }, { ran.status, ran.out }, ran.err)
      assert.truthy(ran.err:find("handoff sandbox: " .. expected[2], 1, true), ran.err)
      assert.equal(1, select(2, ran.err:gsub("\n", "")))
    end
    server:close()
    assert.equal(0, #dofile(folder .. "/mine.lua"))
  end)

  it("makes go wrong what a file says", function()
    write("faults.json", '[{"method": "GET", "fault": "status", "status": 503}]')
    local box = sandbox.start { agents = 1, faults = folder .. "/faults.json" }
    assert.same({ 503, 200 }, { box:request("GET", "shop-uk").status, box:request("GET", "shop-uk").status })
    box:stop()
    assert.truthy(run "--help".out:find("reset_after  resets the connection", 1, true))
  end)

  it("stops at SIGTERM and SIGINT, with status 0", function()
    for _, signal in ipairs { "TERM", "INT" } do
      -- The fifo says when it listens; the shell that runs it stays behind to say how it ended.
      local script = ("mkfifo %s/out; %s >%s/out & read url <%s/out; kill -%s $!; wait $!; echo $?"):format(folder,
        sandbox.command { agents = 1 }, folder, folder, signal)
      -- An asynchronous command of a shell without job control ignores SIGINT, so job control is on.
      local output = program.run("bash -c " .. program.quote("set -m; " .. script))
      assert.equal("0", output:match "(%C+)\n$", output)
      program.run("rm " .. folder .. "/out")
    end
  end)
end)
