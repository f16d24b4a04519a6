-- SPDX-License-Identifier: MIT
-- The history on real files: what is kept, who may have an agent, and what fails before a PUT leaves.
local DBI = require "DBI"
local core = require "handoff.core"
local history = require "handoff.history"
local lfs = require "lfs"
local loops = require "handoff.loop"
local program = require "support.program"

local unpack = table.unpack or unpack

local folder, path
local opened

before_each(function()
  folder = program.folder()
  path, opened = folder .. "/history.db", {}
end)
after_each(function()
  for _, h in ipairs(opened) do h:close() end
  program.remove(folder)
end)

local function open(opts, where)
  local h = assert(history.open(where or path, opts))
  opened[#opened + 1] = h
  return h
end

local function agents(...)
  local list = {}
  for i, name in ipairs { ... } do list[i] = { name = name, key = "key of " .. name } end
  return list
end

local function start(h, ...) return assert(h:start { kind = "update", agents = agents(...) }) end

local function statuses(run)
  local list = {}
  for name, entry in assert(run:entries()) do list[#list + 1] = name .. " " .. entry.status end
  return table.concat(list, ", ")
end

-- A failure of the world, on one line that matches.
local function failed(pattern, kind, result, err)
  assert.is_nil(result)
  assert.is_true(core.error.is(err), tostring(err))
  assert.equal(kind, err.kind)
  local line = tostring(err)
  assert.truthy(line:find(pattern), line)
  assert.is_nil(line:find "\n")
  return err
end

local function raised(pattern, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.truthy(tostring(err):find(pattern), tostring(err))
  assert.truthy(tostring(err):find "^spec/history_spec.lua:%d+: ", tostring(err))
end

-- Runs a Lua program, whose `...` are the words, and which finds `history` and `path` → what it printed, its exit status.
local function child(text, prefix, env)
  local file = folder .. "/child.lua"
  local script = assert(io.open(file, "w"))
  script:write("local history, path = require 'handoff.history', os.getenv 'HISTORY'\n", text)
  script:close()
  env = env or {}
  env.HISTORY = path
  return program.run(("%s %s %s"):format(prefix or "", program.lua, file), env)
end

-- Runs statements past the history → the first value that the last one gives.
local function sql(...)
  local connection = assert(DBI.Connect("SQLite3", path))
  connection:autocommit(true)
  local row
  for _, text in ipairs { ... } do
    local statement = assert(connection:prepare(text))
    assert(statement:execute())
    row = statement:fetch(false)
    while row and statement:fetch(false) do end
    statement:close()
  end
  connection:close()
  return row and row[1]
end

describe("a history", function()
  it("is made with its folder, its owner's alone", function()
    path = folder .. "/new/deep/history.db"
    start(open(), "a")
    for _, name in ipairs { "", "-wal", "-shm", "-runs" } do
      assert.equal("rw-------", lfs.attributes(path .. name, "permissions"), name)
    end
    assert.equal("rwx------", lfs.attributes(folder .. "/new", "permissions"))
    assert.equal("rwx------", lfs.attributes(folder .. "/new/deep", "permissions"))
  end)

  it("stands where programs keep their state", function()
    local text = "print((history.open() or error()).path)"
    assert.equal(folder .. "/state/handoff/history.db\n", (child(text, "", { XDG_STATE_HOME = folder .. "/state" })))
    local home = folder .. "/home/.local/state/handoff/history.db\n"
    assert.equal(home, (child(text, "", { XDG_STATE_HOME = false, HOME = folder .. "/home" })))
    assert.equal(home, (child(text, "", { XDG_STATE_HOME = "relative", HOME = folder .. "/home" })))
    local output = child("print(select(2, history.open()))", "", { XDG_STATE_HOME = false, HOME = false })
    assert.truthy(output:find("neither XDG_STATE_HOME nor HOME is set; set one, or name a file", 1, true), output)
  end)

  it("takes every name for a file's", function()
    local output = child("print(history.open(':memory:').path, history.open('file:x?mode=memory').path)",
      "cd " .. folder .. ";")
    assert.equal("./:memory:\t./file:x?mode=memory\n", output)
    assert.equal("file", lfs.attributes(folder .. "/:memory:", "mode"))
    assert.equal("file", lfs.attributes(folder .. "/file:x?mode=memory", "mode"))
  end)

  it("keeps every document of a run, and how each agent ended", function()
    local before, meant = '{"a":"Żółć 👋"}\n', '{"a":"' .. ("é'\""):rep(1e5) .. '"}'
    local h = open()
    local run = assert(h:start { kind = "update", edit = "hours\nof may", agents = agents("b", "a", "c", "d") })
    assert.is_true(run:plan("a", before, meant, 3))
    assert.equal("b pending, a planned, c pending, d pending", statuses(run))
    assert.is_true(run:writing("a", before, meant))
    assert.same({ before, meant }, { run:documents "a" })
    assert.is_true(run:done("a", "changed", { after = meant }))
    assert.is_true(run:writing("b", before, meant))
    assert.is_true(run:done("b", "unverified", { after = "other", changes = "2 of 3",
      error = core.error.new { kind = "unverified", message = "one was dropped" } }))
    assert.is_true(run:done("c", "unchanged"))
    h:close()

    local one = assert(open():run(run.id))
    assert.same({ before, meant, meant }, { one:documents "a" })
    assert.same({ before, meant, "other" }, { one:documents "b" })
    assert.same({}, { one:documents "c" })
    local list = {}
    for name, entry in one:entries() do
      assert.truthy(math.abs(os.time() - entry.at) < 60)
      entry.at = nil
      list[#list + 1], list[name] = name, entry
    end
    assert.equal("b a c d", table.concat(list, " "))
    assert.same({ name = "a", key = "key of a", status = "changed", changes = 3 }, list.a)
    assert.same({ name = "b", key = "key of b", status = "unverified", changes = "2 of 3", error = "one was dropped" },
      list.b)
    assert.same({ "update", "hours\nof may", "interrupted" }, { one.kind, one.edit, one.state })
    assert.same({ changed = 1, unverified = 1, unchanged = 1, pending = 1 }, one.counts)
  end)

  it("forgets the answer to a document that is written anew", function()
    local run = start(open(), "a")
    run:writing("a", "1", "2")
    run:done("a", "failed", { after = "1", error = "lost" })
    run:writing("a", "3", "4")
    assert.same({ "3", "4" }, { run:documents "a" })
    local _, entry = run:entries()()
    assert.same({ "writing" }, { entry.status, entry.error })
  end)

  it("knows of which runs nothing is left to do", function()
    local h = open()
    for i, case in ipairs {
      { "changed", "unchanged", "finished", true }, { "skipped", "unchanged", "finished", true },
      { "changed", "unchanged", "stopped", false }, { "changed", "failed", "finished", false },
      { "changed", "unknown", "finished", false }, { "changed", nil, "finished", false },
    } do
      local run = start(h, "a", "b")
      run:done("a", case[1])
      if case[2] then run:done("b", case[2]) end
      assert.is_false(h:run(run.id):complete())
      run:finish(case[3])
      assert.equal(case[4], h:run(run.id):complete(), i)
    end
  end)

  it("knows what of a run nobody has taken back", function()
    local h = open()
    local run = start(h, "a", "b", "c", "d", "e")
    local wrote = { a = "changed", b = "writing", c = "unverified", d = "failed" }
    for name, status in pairs(wrote) do run:done(name, status) end
    run:finish "finished"
    local function left()
      local told = {}
      for i, part in ipairs(assert(h:run(run.id):remaining())) do
        local names = {}
        for name, entry in pairs(part.agents) do names[#names + 1] = name .. " " .. entry.status end
        table.sort(names)
        told[i] = ("%s by %s"):format(table.concat(names, ", "), part.undo or "none")
      end
      return told
    end
    local function take_back(became)
      local names = {}
      for name in pairs(became) do names[#names + 1] = name end
      local undo = assert(h:start { kind = "undo", of = run.id, agents = agents(unpack(names)) })
      for name, status in pairs(became) do undo:done(name, status) end
      undo:finish "finished"
      return undo.id
    end
    assert.same({ "a changed, b writing, c unverified by none" }, left())
    local second = take_back { a = "failed", b = "changed" }
    assert.same({ ("a changed by %d"):format(second), "c unverified by none" }, left())
    local third = take_back { a = "unchanged", c = "unknown" }
    assert.same({ ("c unverified by %d"):format(third) }, left())
    take_back { c = "skipped" }
    assert.same({}, left())
  end)

  it("lists its runs, newest first", function()
    local h, other = open(), open()
    assert.same({}, h:runs())
    local first = assert(h:start { kind = "update", edit = "hours", agents = agents("a", "b") })
    first:done("a", "changed")
    first:finish "finished"
    local second = start(h, "a")
    second:finish "stopped"
    local third = assert(other:start { kind = "undo", of = first.id, agents = agents "a" })
    local seen = {}
    for i, one in ipairs(h:runs()) do
      local ended = one.ended ~= nil and one.ended >= one.started
      seen[i] = { one.id, one.kind, one.of or false, one.state, ended, one.counts }
    end
    assert.same({
      { third.id, "undo", first.id, "running", false, { pending = 1 } },
      { second.id, "update", false, "stopped", true, { pending = 1 } },
      { first.id, "update", false, "finished", true, { changed = 1, pending = 1 } },
    }, seen)
    assert.equal(third.id, h:runs { limit = 1 }[1].id)
    assert.is_nil(h:runs { limit = 1 }[2])
    local function ids(wanted)
      local list = {}
      for i, one in ipairs(h:runs(wanted)) do list[i] = one.id end
      return table.concat(list, " ")
    end
    assert.same({ "2 1", "3", "2", "1", "" }, { ids { kind = "update" }, ids { of = 1 },
      ids { kind = "update", limit = 1 }, ids { edit = "hours" }, ids { kind = "undo", edit = "hours" } })
    raised('history:runs: kind: one of "update", "undo" expected', h.runs, h, { kind = "redo" })
    raised("history:runs: of: the number of a run expected", h.runs, h, { of = 0.5 })
    failed("there is no run 99; the last ones are 3, 2, 1$", "history", h:run(99))
    failed("there is no run 99; ", "history", h:reopen(99))
    failed("there is no run 99; ", "history", h:start { kind = "undo", of = 99, agents = {} })
  end)

  it("forgets a run that was declined, but none that may have written", function()
    local h = open()
    local declined = start(h, "a", "b")
    declined:plan("a", "1", "2", 1)
    declined:done("b", "failed", { error = "unreachable" })
    assert.is_true(declined:drop())
    assert.same({}, h:runs())
    assert.equal(0, sql "SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM documents)")
    raised("run:plan: run 1 has ended", declined.plan, declined, "a", "1", "2")

    local run = start(h, "a")
    assert.is_true(run:writing("a", "1", "2"))
    run:done("a", "failed", { error = "refused" })
    assert.is_true(run:drop())
    assert.same({ "stopped", { failed = 1 } }, { h:run(run.id).state, h:run(run.id).counts })
    assert.is_true(assert(h:reopen(run.id)):drop())
    assert.equal("stopped", h:run(run.id).state)
  end)

  it("tells the time after 2038 too", function()
    local h, time = open(), os.time
    os.time = function() return 5000000000 end -- luacheck: ignore
    local run = start(h, "a")
    os.time = time -- luacheck: ignore
    assert.equal("5000000000", ("%d"):format(h:run(run.id).started))
    local _, entry = run:entries()()
    assert.equal("5000000000", ("%d"):format(entry.at))
  end)

  it("refuses what a script gets wrong", function()
    local h = open()
    local run = start(h, "a")
    raised("run:writing: run 1 has no agent \"b\"", run.writing, run, "b", "", "")
    raised("run:writing: before: a text expected, got table", run.writing, run, "a", {}, "")
    raised("run:plan: meant: a text expected, got one with a NUL", run.plan, run, "a", "", "x\0")
    raised("run:plan: changes: a whole number", run.plan, run, "a", "", "", 1.5)
    raised("run:done: no option \"afer\"", run.done, run, "a", "changed", { afer = "" })
    raised("run:finish: one of", run.finish, run, "done")
    raised("history:start: kind", h.start, h, { kind = "x", agents = {} })
    raised("history:start: agents: a list", h.start, h, { kind = "undo" })
    raised("agents%[2%].name: \"x\" is there twice", h.start, h, { kind = "undo", agents = agents("x", "x") })
    raised("agents%[1%].key: a text expected", h.start, h, { kind = "undo", agents = { { name = "x" } } })
    raised("history:start: wait: .*sleep=", h.start, h, { kind = "undo", agents = {}, wait = 1 })
    raised("history.open: path", history.open, "")
    run:finish "finished"
    assert.is_true(run:finish "stopped")
    assert.equal("finished", h:run(1).state)
    raised("run:done: run 1 has ended; history:reopen%(1%)", run.done, run, "a", "changed")
    h:close()
    h:close()
    raised("history:runs: the history is closed", h.runs, h)
    raised("run:entries: the history is closed", run.entries, run)
  end)
end)

describe("an agent", function()
  local function held(pattern, id, ...)
    local err = failed(pattern .. "; wait for its end, or give wait=SECONDS$", "held", ...)
    assert.equal(id, err.run)
    return err
  end

  it("is in one run at a time", function()
    local h, other = open(), open()
    local run = start(h, "a", "b", "c")
    local err = held("^run 1 %(update, since %d+%-%d+%-%d+ %d+:%d+:%d+ UTC%) is at work on y and 1 more", 1,
      other:start { kind = "undo", agents = { { name = "x", key = "x" }, { name = "z", key = "key of c" },
        { name = "y", key = "key of b" } } })
    assert.same({ "y", "z" }, err.agents)
    held("is at work on a", 1, h:start { kind = "update", agents = agents "a" })
    start(other, "d")
    run:finish "finished"
    start(other, "a")
  end)

  it("can be waited for", function()
    local loop = loops.new()
    local h = open { sleep = function(seconds) return loop:sleep(seconds) end }
    local run = start(h, "a")
    held("at work on a", 1, h:start { kind = "update", agents = agents "a", wait = 0.01 })
    local second
    loop:spawn(function() second = assert(h:start { kind = "update", agents = agents "a", wait = 60 }) end)
    loop:spawn(function()
      assert.is_nil(second)
      run:finish "stopped"
    end)
    loop:run()
    assert.equal("running", h:run(second.id).state)
    local waiting = loop:spawn(h.reopen, h, second.id, { wait = 60 })
    loop:spawn(function() waiting:cancel() end)
    loop:run()
    failed("cancelled", "cancelled", waiting:join())
    loop:close()
  end)

  it("is free when its run is killed, and the run can be gone on with", function()
    local output = child [[
      local run = history.open(path):start { kind = "update", agents = {
        { name = "a", key = "a" }, { name = "b", key = "b" }, { name = "c", key = "c" } } }
      run:writing("a", "{1}", "{2}")
      run:done("a", "changed", { after = "{2}" })
      run:writing("b", "{3}", "{4}")
      print(history.open(path):runs()[1].state)
      io.stdout:flush()
      os.execute "kill -9 $PPID"]]
    assert.truthy(output:find "^running\n", output)
    local h = open()
    assert.equal("interrupted", h:run(1).state)
    start(h, "a"):finish "stopped"
    local run = assert(h:reopen(1))
    assert.equal("a changed, b writing, c pending", statuses(run))
    assert.same({ "{1}", "{2}", "{2}" }, { run:documents "a" })
    assert.same({ "{3}", "{4}" }, { run:documents "b" })
    held("^run 1 %(update, since .* is under way", 1, h:reopen(1))
    held("^run 1 %(update, since .* is under way", 1, open():reopen(1))
    assert.equal("nil\trun 1 ", child("print(history.open(path):reopen(1))"):match "^nil\trun 1 ")
    run:done("b", "changed")
    run:done("c", "unchanged")
    run:finish "finished"
    assert.same({ "finished", { changed = 2, unchanged = 1 } }, { h:run(1).state, h:run(1).counts })
  end)

  it("keeps a run from being gone on with while another has it", function()
    local h = open()
    local run = start(h, "a", "b")
    run:finish "stopped"
    local other = start(h, "b")
    held("^run 2 .* is at work on b", 2, h:reopen(1))
    assert.equal("stopped", h:run(1).state)
    other:finish "finished"
    assert.equal("a pending, b pending", statuses(assert(h:reopen(1))))
  end)
end)

describe("programs on one history at once", function()
  it("lose nothing, from its making on", function()
    local output = child([[
      local id = arg[1]
      local h = assert(history.open(path, { timeout = 60 }))
      for round = 1, 2 do
        local run = assert(h:start { kind = "update", edit = id, agents = { { name = "a", key = id } } })
        for i = 1, 5 do
          assert(run:writing("a", id .. " before " .. i, id .. " meant " .. i))
          assert(run:done("a", "changed", { after = id .. " after " .. i }))
        end
        assert(run:finish "finished")
      end
      print "done"]], [[each() { for i in 1 2 3 4 5 6 7 8 9 10 11 12; do "$@" $i & done; wait; }; each ]])
    assert.equal("", (output:gsub("done\n", "")))
    local h = open()
    local count = {}
    for _, one in ipairs(h:runs()) do
      assert.equal("finished", one.state)
      assert.same({ one.edit .. " before 5", one.edit .. " meant 5", one.edit .. " after 5" }, { one:documents "a" })
      count[one.edit] = (count[one.edit] or 0) + 1
    end
    for i = 1, 12 do assert.equal(2, count[tostring(i)]) end
  end)
end)

describe("writers that come together", function()
  -- Writers that wait in the history's sleep until they are resumed; a second handle looks on.
  local h, other, run
  before_each(function()
    h = open { sleep = function() return coroutine.yield "sleeps" end }
    other, run = open(), start(h, "a", "b", "c")
  end)

  local function writer(name, meant)
    return coroutine.wrap(function() return run:writing(name, "before " .. name, meant or "meant " .. name) end)
  end

  it("share a commit, which the first to wake makes", function()
    local a, b, c = writer "a", writer "b", writer "c"
    assert.same({ "sleeps", "sleeps", "sleeps" }, { a(), b(), c() })
    local seen = other:run(run.id)
    assert.equal("a pending, b pending, c pending", statuses(seen))
    assert.is_true(b())
    assert.equal("a writing, b writing, c writing", statuses(seen))
    assert.same({ "before a", "meant a" }, { seen:documents "a" })
    assert.same({ true, true }, { a(), c() })
  end)

  it("share a failure, which leaves nothing behind", function()
    local a, b, c = writer "a", writer("b", ("x"):rep(1e6)), writer "c"
    assert.same({ "sleeps", "sleeps", "sleeps" }, { a(), b(), c() })
    h.database:all "PRAGMA max_page_count = 20"
    local errors = {}
    for i, one in ipairs { a, b, c } do errors[i] = failed("the disk is full; make room", "history", one()) end
    errors[1].agent = "a"
    assert.same({ "a" }, { errors[1].agent, errors[2].agent, errors[3].agent })
    assert.equal("a pending, b pending, c pending", statuses(run))
    assert.is_nil(run:documents "a")
    start(other, "d")
    a, c = writer "a", writer "c"
    assert.same({ "sleeps", "sleeps" }, { a(), c() })
    assert.same({ true, true }, { c(), a() })
    assert.equal("a writing, b pending, c writing", statuses(other:run(run.id)))
  end)

  it("share what is raised, so that none waits for ever", function()
    local a, b = writer "a", writer "b"
    assert.same({ "sleeps", "sleeps" }, { a(), b() })
    h.place.call = function() error("interrupted!", 0) end -- as when nginx cannot run the step
    local ok, why = pcall(a)
    assert.same({ false, "interrupted!" }, { ok, why })
    failed("nothing was written: interrupted!", "history", b())
    h.place.call = nil
  end)

  it("are written by the end of the run, and by the end of the history", function()
    local a, b = writer "a", writer "b"
    a()
    run:finish "stopped"
    assert.equal("a writing, b pending, c pending", statuses(other:run(run.id)))
    assert.is_true(a())
    run = assert(h:reopen(run.id))
    b()
    h:close()
    assert.equal("a writing, b writing, c pending", statuses(other:run(run.id)))
    assert.is_true(b())
  end)

  it("let others go on while another program keeps the database", function()
    local loop = loops.new()
    local mine = open { sleep = function(seconds) return loop:sleep(seconds) end }
    local second = assert(mine:start { kind = "update", agents = agents("x", "y") })
    assert(other.database:run "BEGIN IMMEDIATE")
    local order = {}
    local function write(name)
      assert(second:writing(name, "", ""))
      order[#order + 1] = name
    end
    loop:spawn(write, "x")
    loop:spawn(write, "y")
    local cancelled = loop:spawn(second.done, second, "y", "changed")
    loop:spawn(function()
      for _ = 1, 3 do loop:sleep(0.001) end
      cancelled:cancel()
      failed("cancelled", "cancelled", cancelled:join())
      order[#order + 1] = "freed"
      assert(other.database:run "COMMIT")
    end)
    loop:run()
    assert.equal("freed", order[1])
    assert.equal("x writing, y changed", statuses(other:run(second.id)))
    loop:close()
  end)

  it("that are cancelled wait for nothing, and what they brought is written", function()
    local loop = loops.new()
    local mine = open { sleep = function(seconds) return loop:sleep(seconds) end }
    local second = assert(mine:start { kind = "update", agents = agents("x", "y") })
    local task = loop:spawn(second.done, second, "x", "changed")
    loop:spawn(function() task:cancel() end)
    loop:run()
    assert.is_true(task:join())
    assert.equal("x changed, y pending", statuses(other:run(second.id)))
    loop:close()
  end)
end)

describe("before anything is written, it is told", function()
  local function refused(pattern, opts) return failed(pattern, "history", history.open(path, opts)) end

  local function write(text)
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
  end

  -- The same as another user, whom permissions bind: those who run as root are not.
  local nobody = program.run "id -u" == "0\n" and "setpriv --reuid=65534 --regid=65534 --clear-groups" or ""

  it("that LuaDBI or its driver is missing", function()
    local output = program.run(([[%s -e "
      require 'handoff.core'
      local path = package.path
      package.path, package.cpath = '%s/lua/?.lua', ''
      print(select(2, require('handoff.history').open '%s'))
      package.path = path
      print(select(2, require('handoff.history').open '%s'))"]]):format(program.lua, lfs.currentdir(), path, path))
    local line = "the history needs LuaDBI and its driver for SQLite, which this Lua does not find; install them "
      .. "(Debian: lua-dbi-sqlite3; LuaRocks: luadbi-sqlite3), or go without a history: history=false\n"
    assert.equal(line .. line, output)
    assert.is_nil(lfs.attributes(path))
  end)

  it("that the file is no history", function()
    write(("not a database "):rep(100))
    assert.equal("foreign", refused "history%.db: it is no history but some other file; name another file$".reason)
    os.remove(path)
    sql("CREATE TABLE theirs (x)", "PRAGMA user_version = 1")
    refused "it is a database of some other program; name another file$"
    assert.equal("delete", sql "PRAGMA journal_mode")
    os.remove(path)
    lfs.mkdir(path)
    refused "history%.db: the history cannot be made: it is there and no regular file; name another file$"
    lfs.rmdir(path)
    lfs.link("elsewhere", path, true)
    refused "it is there and no regular file"
    assert.is_nil(lfs.attributes(folder .. "/elsewhere"))
    assert.is_nil(lfs.attributes(path .. "-runs"))
  end)

  it("that a newer version wrote it", function()
    open():close()
    sql "PRAGMA user_version = 7"
    refused "a newer version of handoff wrote it %(format 7, this one knows 1%); install that one, or name"
  end)

  it("that it is damaged", function()
    local run = start(open(), "a")
    run:writing("a", ("x"):rep(1e5), ("y"):rep(1e5))
    opened[1]:close()
    local file = assert(io.open(path, "r+"))
    file:seek("set", 16384)
    file:write(("\255"):rep(10 * 16384))
    file:close()
    local h = open()
    failed("it is damaged; move it and its %-wal away", "history", h:runs())
    failed("it is damaged", "history", h:start { kind = "update", agents = agents "a" })
  end)

  it("that the folder, the file or its locks cannot be written", function()
    local text = "print(select(2, history.open(path)))"
    program.run("chmod 755 " .. folder)
    local output = child(text, nobody)
    assert.truthy(output:find(": the history cannot be made: Permission denied; name another file", 1, true), output)
    path = folder .. "/new/history.db"
    output = child(text, nobody)
    assert.truthy(output:find("/new: the folder cannot be made: Permission denied; make it, or name", 1, true), output)
    path = folder .. "/history.db"
    program.run("chmod 777 " .. folder)
    child(text, nobody)
    program.run(("chmod 755 %s; chmod 444 %s %s-runs"):format(folder, path, path))
    output = child(text, nobody)
    assert.truthy(output:find("/history.db: it or its folder cannot be written; let this user", 1, true), output)
    program.run(("chmod 777 %s; chmod 644 %s"):format(folder, path))
    output = child(text, nobody)
    assert.truthy(output:find(": the locks of the runs cannot be had: Permission denied; let", 1, true), output)
  end)

  it("that another program keeps it locked", function()
    local other = open()
    local h = open { timeout = 0.05 }
    assert(other.database:run "BEGIN IMMEDIATE")
    local line = "/history.db: another program keeps it locked for longer than 0.05 s; wait until that one is done"
    assert.equal("locked", failed(line, "history", h:start { kind = "update", agents = agents "a" }).reason)
    refused(line, { timeout = 0.05 })
    local naps = 0
    refused(line, { timeout = 0.05, sleep = function()
      naps = naps + 1
      return true
    end })
    assert.truthy(naps > 0)
    assert(other.database:run "COMMIT")
    start(h, "a")
  end)

  it("unless that is done in time, while the file is made too", function()
    local other = assert(DBI.Connect("SQLite3", path))
    other:autocommit(true)
    local statement = assert(other:prepare "BEGIN EXCLUSIVE")
    assert(statement:execute())
    statement:close()
    open { sleep = function() return other:close() end }
  end)

  it("that the disk is full, or fails", function()
    start(open(), "a")
    local text = [[
      local h, err = history.open(path)
      if h then
        local list = {}
        for i = 1, 20000 do list[i] = { name = "agent " .. i, key = "key " .. i } end
        h, err = h:start { kind = "update", agents = list }
      end
      print(h, err)]]
    local limits = "trap '' XFSZ; ulimit -f %d;"
    for _, blocks in ipairs { 1, 1000 } do
      local output = child(text, limits:format(blocks))
      assert.truthy(output:find "^nil\t%S+/history.db: the disk fails or is full; make room, or name [^\n]+\n$", output)
    end
    local h = open()
    h.database:all "PRAGMA max_page_count = 10"
    local list = {}
    for i = 1, 5000 do list[i] = { name = "agent " .. i, key = "key " .. i } end
    local err = failed("/history.db: the disk is full; make room, or name a history in another place$", "history",
      h:start { kind = "update", agents = list })
    assert.equal("full", err.reason)
    assert.equal(2, start(h, "b").id)
    assert.is_nil(h:runs()[3])
  end)
end)
