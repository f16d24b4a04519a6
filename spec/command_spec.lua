-- SPDX-License-Identifier: MIT
-- The frame of the command: finding verbs, flags and variables, streams, exit statuses.
local command = require "support.command"

local run = command.run

describe("the command", function()
  it("lists its verbs, and says what one takes", function()
    local all = run "--help"
    assert.equal(0, all.status)
    assert.matches("\n  version +say which version", all.out)
    local one = run "version --help"
    assert.equal(0, one.status)
    assert.matches("Usage: handoff version", one.out, 1, true)
    assert.equal(one.out, run("help version").out)
  end)

  it("refuses a verb and a flag that it does not know, with the nearest", function()
    local ran = run "versoin"
    assert.same({ 64, "handoff: versoin: no such verb; did you mean version?\n" }, { ran.status, ran.err })
    ran = run "version --jsn"
    assert.equal(64, ran.status)
    assert.matches("did you mean '--json'", ran.err, 1, true)
    assert.equal("", ran.out)
  end)

  it("takes flags from the environment, strictly", function()
    assert.matches('"format_version":1', run("version", { env = { HANDOFF_JSON = "true" } }).out, 1, true)
    local ran = run("version", { env = { HANDOFF_JSON = "yes" } })
    assert.same({ 64, 'handoff version: HANDOFF_JSON: true or false expected, got "yes"\n' }, { ran.status, ran.err })
    ran = run("version", { env = { HANDOFF_JSNO = "true" } })
    assert.same({ 64, "handoff version: HANDOFF_JSNO: no such variable; did you mean HANDOFF_JSON?\n" },
      { ran.status, ran.err })
  end)

  it("shows words of any kind on one line that commands no terminal", function()
    local rows = {
      [ [[$(printf 'a\nb')]] ] = "a\\nb: no such verb",
      [ [[$(printf '\033[2J\302\233')]] ] = "\\u001b[2J\\u009b: no such verb",
      [ "a\226\128\174b\226\129\169" ] = "a\\u202eb\\u2069: no such verb", -- what turns the direction
      [ [[$(printf '\377')]] ] = "\\xff: no such verb",
      [ "" ] = '"": no such verb',
      [ "\195\164" ] = "\195\164: no such verb",
    }
    for word, said in pairs(rows) do
      local ran = run('"' .. word .. '"')
      assert.same({ 64, ("handoff: %s; `handoff --help` lists them\n"):format(said) }, { ran.status, ran.err })
    end
    local ran = run [[agents --inventory "$(printf 'no\nsuch\033[2J')"]]
    assert.matches("^handoff agents: no\\nsuch\\u001b%[2J: there is no such inventory; %C+\n$", ran.err)
    ran = run [[validate "$(printf 'no\nsuch\033[2J')"]]
    assert.matches("^no\\nsuch\\u001b%[2J: error: %C+\nChecked: 1 file, 1 error, 0 warnings.\n$", ran.out)
  end)

  it("says that its output cannot be written, and goes quietly when nobody reads it", function()
    local ran = run("version", { after = ">/dev/full" })
    assert.equal(1, ran.status)
    assert.matches("standard output: it cannot be written: No space left on device", ran.err, 1, true)
    ran = run("version", { after = "| true" })
    assert.same({ 0, "" }, { ran.status, ran.err })
  end)

  it("says both what went wrong and that its output cannot be written", function()
    local box = command.sandbox(1)
    finally(function() box:stop() end)
    local ran = box:run("set settings.question_message=x --yes --max-changes 0", { after = ">/dev/full" })
    assert.equal(6, ran.status)
    assert.matches("handoff set: 1 agent would change, %C+\nhandoff set: standard output: it cannot be written: %C+\n$",
      ran.err)
  end)

  it("does what it is asked where nobody can be told of it", function()
    local box = command.sandbox(1)
    finally(function() box:stop() end)
    for i, after in ipairs { "2>&-", "2>/dev/full" } do
      local ran = box:run("set settings.question_message=" .. i .. " --yes", { after = after })
      assert.same({ 0, 1 }, { ran.status, select(2, ran.out:gsub("1 changed", "")) })
    end
  end)

  it("lets the programs that it starts end by a broken pipe", function()
    local box = command.sandbox(1)
    finally(function() box:stop() end)
    box:write("agents.lua", 'return { { name = "a", token = command "yes word | head -1" } }')
    local ran = box:run "doctor --offline"
    assert.same({ 0, "" }, { ran.status, ran.err })
  end)

  -- The interpreter makes Ctrl-C an error, wherever it is met, until the program runs.
  it("interrupted while it loads says so, and nothing else", function()
    local program = require "support.program"
    for _, at in ipairs { "handoff.command.status", "cjson" } do
      local early = ("package.preload[%q] = function() error('interrupted!', 0) end"):format(at)
      local said, status = program.run(("%s -e %s lua/bin/handoff version"):format(program.quote(program.lua),
        program.quote(early)), { HANDOFF_BUILD = false, HANDOFF_GC = false, HANDOFF_OUTCOMES = false,
        HANDOFF_BENCH = false })
      assert.same({ 130, "handoff: interrupted\n" }, { status, said })
    end
  end)

  it("names the package that brings what a verb lacks", function()
    local program = require "support.program"
    local without = ([[local list = package.searchers or package.loaders
      for i, search in ipairs(list) do
        list[i] = function(name) return name ~= %q and search(name) or "\n\tno file" end
      end]])
    for name, row in pairs {
      ["handoff.serve"] = { "sandbox", "libmicrohttpd-dev" }, DBI = { "history --history x.db", "lua-dbi-sqlite3" },
    } do
      local said, status = program.run(("%s -e %s lua/bin/handoff %s"):format(program.quote(program.lua),
        program.quote(without:format(name)), row[1]), { HANDOFF_BUILD = false, HANDOFF_GC = false,
        HANDOFF_OUTCOMES = false, HANDOFF_BENCH = false })
      assert.equal(1, status, said)
      assert.matches("^handoff %l+: %C*" .. row[2]:gsub("%-", "%%-") .. "%C*\n$", said)
      assert.is_nil(said:find "history=false" or said:find "a fault of this program", said)
    end
  end)

  it("calls memory that runs out no fault of its own", function()
    local program = require "support.program"
    local said, status = program.run(program.lua .. [[ -e 'package.preload["handoff.command.verb.version"] = function()
      return { summary = "x", group = "look", run = function() error("not enough memory", 0) end }
    end' lua/bin/handoff version]], { HANDOFF_BUILD = false, HANDOFF_GC = false, HANDOFF_OUTCOMES = false,
      HANDOFF_BENCH = false })
    assert.equal(1, status, said)
    assert.matches("^handoff version: not enough memory; raise its limit %(ulimit %-v%), or take [^\n]*\n$", said)
  end)
end)
