-- SPDX-License-Identifier: MIT
-- Looking at a history: what is known of the agents, and that looking makes and writes nothing.
local core = require "handoff.core"
local history = require "handoff.history"
local lfs = require "lfs"
local program = require "support.program"

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

local function keep(h)
  opened[#opened + 1] = h
  return h
end

local function open() return keep(assert(history.open(path))) end
local function look() return keep(assert(history.look(path))) end

local function start(h, ...)
  local list = {}
  for i, name in ipairs { ... } do list[i] = { name = name, key = "key of " .. name } end
  return assert(h:start { kind = "update", agents = list })
end

local function write(text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function failed(pattern, result, err)
  assert.is_nil(result)
  assert.is_true(core.error.is(err), tostring(err))
  assert.equal("history", err.kind)
  assert.truthy(tostring(err):find(pattern), tostring(err))
end

local function raised(pattern, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.truthy(tostring(err):find(pattern), tostring(err))
end

describe("a history", function()
  it("knows what each agent was left with, whatever it was called, and where that is in doubt", function()
    local h, time = open(), os.time
    assert.same({}, h:known())
    local now = time()
    local function run(names, at)
      os.time = function() return now + at end -- luacheck: ignore
      return assert(h:start { kind = "update", agents = names })
    end
    local first = run({ { name = "a", key = "A" }, { name = "b", key = "B" }, { name = "c", key = "C" } }, 1)
    first:writing("a", "a0", "a1")
    first:done("a", "changed", { after = "a1 as answered" })
    first:writing("b", "b0", "b1")
    first:done("b", "changed", { after = "b1" })
    first:plan("c", "c0", "c1")
    first:finish "stopped"
    local second = run({ { name = "renamed", key = "B" }, { name = "a", key = "A" } }, 2)
    second:writing("renamed", "b2", "b3")
    second:done("a", "unchanged")
    second:done("renamed", "unknown", { error = "no answer" })
    second:finish "finished"
    os.time = time -- luacheck: ignore

    local known = assert(h:known())
    assert.is_nil(known.C)
    local a, b = known.A, known.B
    assert.same({ first.id, "a", now + 1 }, { a.run, a.name, a.at })
    assert.is_nil(a.doubtful)
    assert.same({ "a0", "a1", "a1 as answered" }, { a:documents() })
    assert.same({ second.id, "renamed", true, "b2", "b3" }, { b.run, b.name, b.doubtful, b:documents() })
  end)
end)

describe("a history that is looked at", function()
  it("is empty, and is not made, where none is there", function()
    path = folder .. "/new/history.db"
    local h = look()
    assert.same({ {}, {} }, { h:runs(), h:known() })
    failed("/new/history%.db: there is no run 1; nothing has run yet$", h:run(1))
    assert.is_nil(lfs.attributes(folder .. "/new"))
    path = folder .. "/history.db"
    write ""
    assert.same({}, look():runs())
    assert.equal(0, lfs.attributes(path, "size"))
    assert.is_nil(lfs.attributes(path .. "-runs"))
  end)

  it("shows the runs of others, those that go on, too, and starts none", function()
    local run = start(open(), "a")
    run:writing("a", "1", "2")
    local h = look()
    assert.equal("running", h:run(run.id).state)
    run:done("a", "changed", { after = "2" })
    assert.same({ changed = 1 }, h:run(run.id).counts)
    assert.same({ "1", "2", "2" }, { h:run(run.id):documents "a" })
    opened[1]:close()
    assert.equal("interrupted", h:run(run.id).state)
    raised("history:start: the history was opened to look at it; open it with history.open", h.start, h,
      { kind = "update", agents = {} })
    raised("history:reopen: the history was opened to look", h.reopen, h, 1)
    assert.is_nil(h.database:run "DELETE FROM runs")
    assert.equal("interrupted", h:run(run.id).state)
  end)

  it("is not empty where it cannot be read", function()
    lfs.mkdir(path)
    failed("it is there and no regular file", history.look(path))
    path = folder .. "/other.db"
    write(("not a database "):rep(100))
    failed("it is no history but some other file", history.look(path))
  end)
end)
