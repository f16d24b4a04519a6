-- SPDX-License-Identifier: MIT
-- What the command's description of itself becomes: help, the manual, completion in three shells.
local command = require "support.command"
local description = require "handoff.command.description"
local flags = require "handoff.command.flags"
local manual = require "handoff.command.manual"
local program = require "support.program"

local folder
before_each(function() folder = program.folder() end)
after_each(function() program.remove(folder) end)

local function write(name, text) return program.quote(program.write(folder .. "/" .. name, text)) end

describe("--help", function()
  -- After a change that is meant: `make golden`.
  it("says of every verb what spec/golden/help.txt has", function()
    local golden = assert(io.open "spec/golden/help.txt")
    local expected = golden:read "*a"
    golden:close()
    assert.equal(expected, require "support.golden"())
  end)

  it("fits 80 columns, begins with what is to be typed, and has a verb's own flags before those of many", function()
    for _, name in ipairs(description.names()) do
      local said = description.parser(name, description.verb(name)):get_help()
      for line in said:gmatch "[^\n]+" do
        assert.is_true(#line:gsub("[\128-\191]", "") <= 80, line)
      end
    end
    local said = description.parser("plan", description.verb "plan"):get_help()
    assert.equal("Usage: handoff plan [options] EDIT…", said:match "^[^\n]*")
    assert.is_true(said:find("--output", 1, true) < said:find("--inventory", 1, true))
  end)
end)

describe("the manual", function()
  local shown
  before_each(function()
    local page = write("handoff.1", manual.page "1.2")
    local said = program.run("mandoc -T lint -W warning " .. page)
    assert.equal("", (said:gsub('mandoc: [^\n]* WARNING: missing date, using "": TH\n', "")))
    shown = program.run("mandoc -T utf8 -O width=100 " .. page .. " | col -bx")
  end)

  local function count(flag) return select(2, shown:gsub("\n +%-%-" .. flag:gsub("%-", "%%-") .. "%f[%s,]", "")) end

  it("has every verb and every flag, those that many verbs share once", function()
    for _, name in ipairs(description.names()) do
      assert.truthy(shown:find("\n +handoff " .. name .. "%f[%s]"), name)
      for _, row in ipairs(flags.of(description.verb(name).flags)) do assert.is_true(count(row.name) > 0, row.name) end
    end
    for _, shared in ipairs { "concurrency", "waves", "json" } do assert.equal(1, count(shared), shared) end
  end)

  it("keeps what is to be typed as it is", function()
    assert.truthy(shown:find("source <(handoff completion bash)", 1, true))
    assert.truthy(shown:find("'region=eu tier!=free name~shop-*'", 1, true))
    assert.truthy(shown:find("\n +64 +what was asked for cannot be"))
  end)
end)

describe("completion", function()
  -- What the shell's script prints, which is given the completion's file and some words.
  local function complete_with(shell, script, words)
    local path = write("completion", description.completion(shell))
    local output, status = program.run(("timeout 60 env HOME=%s %s -c %s %s %s"):format(folder, shell,
      program.quote(script), path, words))
    assert.equal(0, status, output)
    return output
  end

  it("completes verbs, flags and what a flag takes in bash", function()
    local function completed(...)
      return complete_with("bash", '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _handoff; echo ${COMPREPLY[*]}',
        "handoff " .. table.concat({ ... }, " "))
    end
    assert.equal("version\n", completed "vers")
    assert.equal("--json\n", completed("version", "--js"))
    assert.equal("auto always\n", completed("version", "--color", "a"))
  end)

  it("completes them in fish", function()
    local function completed(words)
      return complete_with("fish", "source $argv[1]; complete -C $argv[2]", program.quote("handoff " .. words))
    end
    assert.matches("^version\tsay which version", completed "vers")
    assert.matches("^%-%-json\tJSON on", completed "version --js")
    assert.matches("^always\t", completed "version --color al")
  end)

  -- zsh completes in a terminal only: one of its own module's. It answers when it is done, so nobody waits by the clock.
  it("completes them in zsh", function()
    local script = [==[
      zmodload zsh/zpty && zpty z zsh -f -i
      zpty -w z "PS1=; fpath=($1 \$fpath); autoload -U compinit; compinit -D -u; print rea\dy"
      zpty -r -m z answer "*ready*"
      for line in "version" "version --json" "version --color always"; do
        zpty -w -n z "handoff ${line[1,-4]}"$'\t'
        zpty -r -m z answer "*handoff $line*" && print -r -- $line
        zpty -w -n z $'\x15'
      done
      zpty -d z]==]
    write("_handoff", description.completion "zsh")
    local output = program.run(("timeout 60 zsh -f %s %s"):format(write("script", script), folder))
    assert.equal("version\nversion --json\nversion --color always\n", output)
  end)

  it("is the verb's", function()
    local ran = command.run "completion fish"
    assert.same({ 0, "", description.completion "fish" }, { ran.status, ran.err, ran.out })
  end)
end)
