-- SPDX-License-Identifier: MIT
-- What the command answers to misuse, a row each: exit status and the line that says what to do. Whatever else is said
-- before that line names places in files; nothing holds a traceback or a token.
local command = require "support.command"
local core = require "handoff.core"
local description = require "handoff.command.description"

local DONE, FAILED, LIMIT, MISUSE = 0, 1, 6, 64

-- Files of the folder in which the command runs, beside agents.lua.
local files = {
  ["edit.lua"] = "return function(cfg) cfg.settings.is_active = not cfg.settings.is_active end\n", -- never without a change
  ["raises.lua"] = "return function(cfg)\n  error 'not today'\nend\n",
  ["deep.lua"] = "local function set(cfg)\n  cfg.settings.timezone = 5\nend\nreturn function(cfg)\n  set(cfg)\nend\n",
  ["syntax.lua"] = "return function(cfg)\n  cfg.settings. = 1\nend\n",
  ["number.lua"] = "return 5\n",
  ["broken.lua"] = "return {\n  settings = ,\n}\n",
  ["broken.json"] = '{\n  "settings": ,\n}\n',
  ["calls.lua"] = "return { settings = os.exit() }\n",
  ["policy.lua"] = "it('is there', function() end)\n",
  ["broken.plan"] = "nonsense\n",
  ["notes.txt"] = "notes\n",
}

-- A name for whatever opens and cannot be read, and folders where files should be.
local links = [[
  mkdir folder.lua folder.json folder.plan empty
  for end in lua json plan db; do ln -s /proc/self/mem unreadable.$end; done]]

-- By verb: `good` is a command line of it that would do; rows are { words, status, the line's telling part, how else it is run },
-- with AGENT for an agent's name. Run 1 is done, run 2 failed.
local verbs = {
  agents = { good = "agents", rows = {
    { "agents more", MISUSE, "too many arguments" },
  } },
  apply = { good = "apply edit.lua --yes", rows = {
    { "apply", MISUSE, "missing argument 'edit'" },
    { "apply edit.lua", MISUSE, "standard error is no terminal; give --yes" },
    { "apply edit.lua --json", MISUSE, "--json is for programs, which are not asked; give --yes" },
    { "apply missing.lua --yes", FAILED, "missing.lua: it cannot be read: No such file or directory; name" },
    { "apply policy.lua --yes", FAILED, "is this a policy? `handoff test` and --test take those" },
    { "apply missing.plan --yes", FAILED, "missing.plan: the plan cannot be read: No such file or directory; name" },
    { "apply unreadable.plan --yes", FAILED, "unreadable.plan: the plan cannot be read: Input/output error; name" },
    { "apply folder.plan --yes", FAILED, "folder.plan: " },
    { "apply broken.plan --yes", FAILED, "broken.plan:1: this is no saved plan" },
    { "apply broken.lua --yes", FAILED, "broken.lua: 1 problem; `handoff validate broken.lua` shows" },
    { "apply edit.lua --yes --max-changes 0", LIMIT, "--max-changes=3 lets exactly that through" },
    { "apply edit.lua --yes --max-changes=-1", MISUSE, "--max-changes: a whole number or a share" },
    { "apply edit.lua --yes --waves 1,x", MISUSE, "--waves: counts or shares with commas between expected" },
    { "apply edit.lua --yes --waves 10%,5%", MISUSE, "none less than the one before" },
    { "apply edit.lua --yes --wave 1", MISUSE, "unknown option '--wave'; did you mean '--waves'?" },
    { "apply edit.lua --dry-run", MISUSE, "--dry-run: there is no such flag; `handoff plan EDIT` shows" },
    { "apply edit.lua --yes --on-conflict ours", MISUSE, "must be one of 'mine', 'theirs'" },
    { "apply edit.lua --yes --test missing.lua", FAILED, "missing.lua: the policy cannot be read: No such file" },
    { "apply edit.lua --yes --history folder.lua", FAILED, "folder.lua: the history cannot be made: it is there" },
    { "apply edit.lua --yes --history notes.txt", FAILED, "notes.txt: it is no history but some other file" },
    { "apply edit.lua --yes --history /dev/full/x", FAILED, "/dev/full: the folder cannot be made: Not a directory" },
  } },
  completion = { good = "completion bash", rows = {
    { "completion", MISUSE, "missing argument 'shell'" },
    { "completion tcsh", MISUSE, "must be one of 'bash', 'zsh', 'fish'" },
  } },
  diff = { good = "diff state", rows = {
    { "diff", FAILED, "agents: " },
    { "diff ''", MISUSE, "DIR: a value expected, got none" },
    { "diff missing", FAILED, "`handoff pull missing` writes" },
    { "diff empty", FAILED, "`handoff pull empty` writes" },
    { "diff broken.json", FAILED, "broken.json: 1 problem; `handoff validate broken.json` shows" },
    { "diff unreadable.json", FAILED, "unreadable.json: 1 problem" },
  } },
  doctor = { good = "doctor", rows = {
    { "doctor --days soon", MISUSE, "--days: a whole number expected" },
  } },
  drift = { good = "drift", rows = {
    { "drift --history folder.lua", FAILED, "folder.lua: the history cannot be made: it is there" },
    { "drift --history unreadable.db", FAILED, "unreadable.db: " },
  } },
  explain = { good = "explain", rows = {
    { "explain settings.timezon", MISUSE, 'no field "timezon" in settings; did you mean "timezone"?' },
    { "explain setings", MISUSE, 'did you mean "settings"?' },
  } },
  get = { good = "get AGENT", rows = {
    { "get", MISUSE, "missing argument 'agent'" },
    { "get AGENTx", MISUSE, 'no agent of agents.lua has this name; did you mean "AGENT"?' },
    { "get AGENT --select name!=AGENT", MISUSE, "no agent of agents.lua that is selected has this name; " },
    { "get zzzzzz", MISUSE, "no agent of agents.lua has this name; `handoff agents` lists them" },
    { "get AGENT settings.timezon", MISUSE, 'no field "timezon" in settings; did you mean "timezone"?' },
    { "get AGENT ''", MISUSE, "PATH: a value expected, got none" },
    { "get AGENT settings..timezone", MISUSE, "a field's name expected after the dot" },
    { "get AGENT 'custom_guidelines[nope'", MISUSE, "custom_guidelines[nope" },
    { "get AGENT settings.timezone more", MISUSE, "too many arguments" },
  } },
  history = { good = "history", rows = {
    { "history --limit 0", MISUSE, "--limit: a whole number from 1 on expected" },
    { "history --history notes.txt", FAILED, "notes.txt: it is no history but some other file" },
    { "history --history folder.lua", FAILED, "folder.lua: " },
  } },
  hours = { good = "hours", rows = {
    { "hours AGENTx", MISUSE, 'no agent of agents.lua has this name; did you mean "AGENT"?' },
    { "hours --zone Europe/Londn", MISUSE, '--zone: "Europe/Londn" is no time zone; did you mean "Europe/London"?' },
    { "hours --at 2026-13-01", MISUSE, '--at: "2026-13-01": there is no such date or time' },
    { "hours --at 9999999999", MISUSE, "--at: 9999999999 is out of range" },
    { "hours --day someday", MISUSE, '--day: days expected, such as mon, mon-wed or weekend, got "someday"' },
    { "hours --day 'mon 9-12'", MISUSE, "--day: days expected" },
    { "hours --svg -", MISUSE, '--svg: the name of a file expected, got "-"' },
    { "hours --from missing", FAILED, "missing" },
    { "hours AGENTx --from state", MISUSE, 'state has nothing of this agent; did you mean "AGENT"?' },
  } },
  init = { good = "init", rows = {
    { "init more", MISUSE, "too many arguments" },
    { "init", FAILED, "go to a folder that can be written to", { folder = "/proc" } },
  } },
  plan = { good = "plan edit.lua", rows = {
    { "plan", MISUSE, "missing argument 'edit'" },
    { "plan missing.lua", FAILED, "missing.lua: it cannot be read: No such file or directory; name" },
    { "plan unreadable.lua", FAILED, "unreadable.lua: it cannot be read: Input/output error; name" },
    { "plan syntax.lua", FAILED, "expected near '='; mend the script" },
    { "plan number.lua", FAILED, "number.lua: it returns a number, a function expected" },
    { "plan broken.lua", FAILED, "broken.lua: 1 problem; `handoff validate broken.lua` shows" },
    { "plan broken.json", FAILED, "broken.json: 1 problem; `handoff validate broken.json` shows" },
    { "plan calls.lua", FAILED, "calls.lua: 1 problem; `handoff validate calls.lua` shows" },
    { "plan empty", FAILED, "`handoff pull empty` writes" },
    { "plan settings.timezon=UTC", MISUSE, 'did you mean "timezone"?' },
    { "plan settings.timezone=5", MISUSE, "write Area/City, such as Europe/London" },
    { "plan settings.is_active=yes", MISUSE, "write true or false" },
    { "plan edit.lua -o x", MISUSE, "--output: a saved plan is known by its name; end it in .plan: x.plan" },
    { "plan edit.lua -o folder.plan", FAILED, "folder.plan: " },
    { "plan edit.lua -o missing/x.plan", FAILED, "missing/x.plan: " },
    { "plan edit.lua --max-changes 200%", MISUSE, "--max-changes: a whole number or a share such as 10% expected" },
  } },
  pull = { good = "pull new", rows = {
    { "pull --format yaml", MISUSE, "must be one of 'lua', 'json'" },
  } },
  query = { good = "query settings.timezone", rows = {
    { "query", MISUSE, "missing argument 'path'" },
    { "query settings.timezon", MISUSE, 'no field "timezon" in settings; did you mean "timezone"?' },
  } },
  resume = { good = "resume 2 --yes", rows = {
    { "resume", MISUSE, "missing argument 'run'" },
    { "resume last", MISUSE, "RUN: the number of a run expected, such as `handoff history` lists" },
    { "resume 99", FAILED, "there is no run 99" },
    { "resume 2", MISUSE, "standard error is no terminal; give --yes" },
  } },
  sandbox = { good = "sandbox --until-eof", rows = {
    { "sandbox --agents 0", MISUSE, "--agents: 0 is out of range, 1 to 100000 allowed" },
    { "sandbox --port x", MISUSE, "--port: a whole number expected" },
    { "sandbox --faults missing.json", FAILED, "missing.json: No such file or directory; name" },
    { "sandbox --faults folder.json", FAILED, "folder.json: Is a directory; name" },
    { "sandbox --faults broken.json", FAILED, "broken.json: not JSON at line 2, column 15: a value expected" },
    { "sandbox --inventory folder.lua", FAILED, "folder.lua: it is there and no regular file; name" },
    { "sandbox --inventory edit.lua", FAILED, "edit.lua: it is there already and no sandbox wrote it; name" },
  } },
  schema = { good = "schema", rows = {
    { "schema more", MISUSE, "too many arguments" },
    { "schema --format luals --desired", MISUSE, "no types of desired state" },
  } },
  set = { good = "set settings.timezone=Europe/Rome --yes", rows = {
    { "set", MISUSE, "missing argument 'values'" },
    { "set settings.timezone", MISUSE, "settings.timezone: = and a value expected" },
    { "set settings.timezon=UTC", MISUSE, 'did you mean "timezone"?' },
    { "set settings.is_active=perhaps", MISUSE, "write true or false" },
    { "set settings.timezone=Europe/Rome", MISUSE, "standard error is no terminal; give --yes" },
  } },
  show = { good = "show 1", rows = {
    { "show", MISUSE, "missing argument 'run'" },
    { "show x", MISUSE, "RUN: the number of a run expected, such as `handoff history` lists" },
    { "show 99", FAILED, "there is no run 99" },
    { "show 1 zzzzzz", MISUSE, "no agent of run 1 has this name; `handoff show 1` names them" },
  } },
  simulate = { good = "simulate AGENT", rows = {
    { "simulate", MISUSE, "missing argument 'agent'" },
    { "simulate AGENTx", MISUSE, 'did you mean "AGENT"?' },
    { "simulate AGENT --at never", MISUSE, '--at: "never"' },
    { "simulate AGENT --answer maybe", MISUSE, "must be one of 'yes', 'no'" },
    { "simulate AGENT --guideline user_frustation", MISUSE, 'no guideline "user_frustation"; did you mean' },
    { "simulate AGENT --topic zzzzzz", MISUSE, '--topic: no routing profile "zzzzzz"; known are: ' },
    { "simulate AGENT --from missing", FAILED, "missing: " },
    { "simulate AGENT --from empty", FAILED, "empty: " },
    { "simulate AGENTx --from state", MISUSE, 'state has nothing of this agent; did you mean "AGENT"?' },
  } },
  test = { good = "test policy.lua", rows = {
    { "test", MISUSE, "missing argument 'policies'" },
    { "test policy.lua --format tap -o -", MISUSE, '--output: the name of a file expected, got "-"' },
    { "test missing.lua", FAILED, "missing.lua: the policy cannot be read: No such file or directory; name" },
    { "test unreadable.lua", FAILED, "unreadable.lua: the policy cannot be read: Input/output error; name" },
    { "test syntax.lua", FAILED, "expected near '='; mend the script" },
    { "test empty", FAILED, "empty: no policy is in the folder; their names end in .lua" },
    { "test policy.lua --at saturn", MISUSE, '--at: "saturn"' },
    { "test policy.lua --format xml", MISUSE, "must be one of 'text', 'tap', 'junit'" },
    { "test policy.lua -o x.tap", MISUSE, "--output: it takes a report; give --format tap or --format junit, too" },
    { "test policy.lua --json --format tap", MISUSE, "--format: --json is a form of its own; leave one out" },
    { "test policy.lua --format tap -o folder.lua", FAILED, "folder.lua: the report cannot be written: it is there" },
    { "test policy.lua --from missing", FAILED, "missing: nothing is there" },
  } },
  undo = { good = "undo 1 --yes", rows = {
    { "undo", MISUSE, "missing argument 'run'" },
    { "undo x", MISUSE, "RUN: the number of a run expected" },
    { "undo 99", FAILED, "there is no run 99" },
    { "undo 1", MISUSE, "standard error is no terminal; give --yes" },
  } },
  validate = { good = "validate state", rows = { -- what is wrong in files, and with them, is what it tells on standard output
    { "validate", MISUSE, "missing argument 'files'" },
  } },
  version = { good = "version", rows = {
    { "version more", MISUSE, "too many arguments" },
  } },
  when = { good = "when AGENT", rows = {
    { "when", MISUSE, "missing argument 'agent'" },
    { "when AGENT now", MISUSE, "too many arguments" },
    { "when AGENT --at soon", MISUSE, '--at: "soon" is no time; write 2026-11-27T18:30, fri 18:30' },
    { "when AGENT --at 2027-02-29", MISUSE, '--at: "2027-02-29": there is no such date or time' },
    { "when AGENT --at 'fri 25:00'", MISUSE, '--at: "fri 25:00": character 5: ' },
    { "when AGENT --from missing", FAILED, "missing: " },
  } },
}

-- Of every verb that reads an inventory: flags after its good command line.
local inventory_rows = {
  { "--inventory missing.lua", FAILED, "missing.lua: there is no such inventory; name one with --inventory" },
  { "--inventory broken.lua", FAILED, "broken.lua:2: unexpected symbol" },
  { "--inventory folder.lua", FAILED, "folder.lua: the inventory cannot be read: Is a directory; check" },
  { "--inventory unreadable.lua", FAILED, "unreadable.lua: the inventory cannot be read: Input/output error; check" },
  { "--inventory notes.txt", MISUSE, "an inventory is a file whose name ends in .lua, .json or .csv" },
  { "--select region=nowhere", MISUSE, '"region=nowhere" fits none of 3 agents' },
  { "--select region=eu --select tier=gold", MISUSE, "--select: it is there twice; put all terms into one" },
  { "--select region", MISUSE, "--select: column 7: one of = != ~ !~ expected" },
  { "--shard 3/2", MISUSE, "--shard: a part of how many expected, such as 2/8, got" },
}

-- Of every verb.
local common_rows = {
  { "--jsn", MISUSE, "did you mean '--json'?" },
  { "--color", MISUSE, "option '--color' requires an argument" },
  { "--color blue", MISUSE, "must be one of 'auto', 'always', 'never'" },
}

local box, name
setup(function()
  box = command.sandbox(3)
  name = box.box.agents[1].name
  for file, text in pairs(files) do box:write(file, text) end
  local program = require "support.program"
  program.run(("cd %s && %s"):format(program.quote(box.folder), links))
  assert.equal(DONE, box:run("pull state").status)
  assert.equal(DONE, box:run("set settings.timezone=Europe/Madrid --yes").status)
  assert.equal(FAILED, box:run("apply raises.lua --yes").status)
end)
teardown(function() box:stop() end)

local function run(words, more) return box:run((words:gsub("AGENT", name)), more) end

-- The last line is the command's own, with its verb; what comes before names places in files, or the run that is meant.
local function check(row, ran, verb)
  local said = ("`handoff %s` ended with %s and said: %s%s"):format(row[1], ran.status, ran.out, ran.err)
  assert.equal(row[2], ran.status, said)
  local before, line = ran.err:match "^(.-)([^\n]*)\n$"
  assert.equal(1, (line:find(verb and ("handoff %s: "):format(verb) or "handoff: ", 1, true)), said)
  assert.truthy(line:find(row[3]:gsub("AGENT", name), 1, true), said)
  for one in before:gmatch "[^\n]+" do assert.truthy(one:find "^[^:]+:[%d:]* error: " or one:find "run %d+: ", said) end
  assert.is_nil(said:find("traceback", 1, true) or said:find("a fault of this program", 1, true), said)
  for _, agent in ipairs(box.box.agents) do assert.is_nil(said:find(agent.token, 1, true), said) end
end

local function check_all(verb, rows, before)
  for _, row in ipairs(rows) do
    local words = (before and before .. " " or "") .. row[1]
    check({ words, row[2], row[3] }, run(words, row[4]), verb)
  end
end

describe("misuse", function()
  it("has rows for every verb", function()
    for _, verb in ipairs(description.names()) do assert.is_table(verbs[verb], verb) end
  end)

  it("of the command itself is refused", function()
    check({ "versoin", MISUSE, "versoin: no such verb; did you mean version?" }, run "versoin")
    check({ "xyzzy", MISUSE, "xyzzy: no such verb; `handoff --help` lists them" }, run "xyzzy")
    check({ "--json", MISUSE, "--json: flags come after the verb" }, run "--json version")
    check({ "''", MISUSE, "no such verb" }, run "''")
    assert.equal(MISUSE, run("").status)
    check({ "version", MISUSE, "HANDOFF_INVENTROY: no such variable; did you mean HANDOFF_INVENTORY?" },
      run("version", { env = { HANDOFF_INVENTROY = "x" } }), "version")
    check({ "version", MISUSE, 'HANDOFF_JSON: true or false expected, got "1"' },
      run("version", { env = { HANDOFF_JSON = "1" } }), "version")
  end)

  for _, verb in ipairs(description.names()) do
    local about = verbs[verb]
    if about then
      it("of " .. verb .. " is refused", function()
        check_all(verb, about.rows)
        check_all(verb, common_rows, about.good)
        if description.verb(verb).arguments then check_all(verb, { { verb .. " ''", MISUSE, "" } }) end
        for _, flag in ipairs(description.verb(verb).flags or {}) do
          if flag == "agents" or flag == "inventory" then check_all(verb, inventory_rows, about.good) end
        end
      end)

      it("nothing but objects, one a line, is what " .. verb .. " --json says", function()
        local ran = run(about.good .. " --json")
        assert.is_true(ran.status < MISUSE, ran.err)
        for line in ran.out:gmatch "[^\n]+" do
          local object, err = core.json.decode(line)
          assert.is_table(object, tostring(err))
          assert.equal(1, object.format_version)
        end
      end)

      it("a full disk and a closed pipe end " .. verb .. " with a line and without one", function()
        local full = run(about.good, { after = ">/dev/full" })
        check({ about.good, FAILED, "standard output: it cannot be written: No space left on device" }, full, verb)
        local closed = run(about.good, { after = "| true" })
        -- A plan that nobody read is not written; nothing else is worth a line.
        local is_quiet = not closed.err:find("handoff " .. verb .. ":", 1, true)
        assert.is_true(is_quiet or closed.err:find("nothing was written", 1, true) ~= nil, closed.err)
        assert.is_true(closed.status < MISUSE, closed.status)
      end)
    end
  end

  it("of a field by a script shows the script's own lines, and none of the program's", function()
    local ran = run "plan deep.lua"
    assert.equal(FAILED, ran.status, ran.err)
    assert.truthy(ran.out:find("deep.lua:2: settings.timezone: a string expected, got the number", 1, true), ran.out)
    assert.truthy(ran.out:find("deep.lua:5:", 1, true), ran.out)
    assert.is_nil(ran.out:find("handoff/", 1, true) or ran.out:find("[C]", 1, true), ran.out)
  end)

  it("a closed standard output is no file of its own", function()
    check({ "pull closed >&-", FAILED, "standard output: it cannot be written: Bad file descriptor" },
      run("pull closed", { after = ">&-" }), "pull")
  end)

  -- As a full disk does, a limit lets a file begin and not end.
  it("where a file does not fit is told of, and leaves nothing half written", function()
    local function run_full(words, folder)
      return run(words, { before = "trap '' XFSZ && ulimit -f 2", folder = folder })
    end
    local rows = {
      { "plan edit.lua -o x.plan", FAILED, "x.plan: the plan cannot be written: File too large; name" },
      { "apply edit.lua --yes --history x.db", FAILED, "x.db: the disk fails or is full; make room" },
      { "sandbox --until-eof --inventory x.lua", FAILED, "x.lua: File too large; name" },
      { "init", FAILED, "first-edit.lua: File too large; go to", box.folder .. "/empty" },
    }
    for _, row in ipairs(rows) do check(row, run_full(row[1], row[4]), row[1]:match "%l+") end
    local pulled = run_full "pull x"
    assert.equal(FAILED, pulled.status, pulled.err)
    assert.truthy(pulled.err:find(name .. ".lua: cannot be written: File too large;", 1, true), pulled.err)
    for _, file in ipairs { "x.plan", "x/" .. name .. ".lua", "empty/first-edit.lua" } do
      assert.is_nil(io.open(box.folder .. "/" .. file), file)
    end
  end)
end)
