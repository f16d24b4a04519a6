-- SPDX-License-Identifier: MIT
-- Files that released versions left: they open, and what was done then can be taken back.
local DBI = require "DBI"
local history = require "handoff.history"
local program = require "support.program"
local sandbox = require "support.sandbox"

-- Format 1 as it was released. It stays as it is here, whatever handoff.history.schema says.
local format_1 = {
  "PRAGMA application_id = 1752065126", "PRAGMA user_version = 1", "PRAGMA journal_mode = WAL",
  [[CREATE TABLE runs (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, of INTEGER REFERENCES runs, edit TEXT,
      state TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER)]],
  [[CREATE TABLE entries (id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
      name TEXT NOT NULL, key TEXT NOT NULL, status TEXT NOT NULL, error TEXT, changes, at INTEGER NOT NULL,
      UNIQUE (run, name))]],
  [[CREATE TABLE documents (entry INTEGER PRIMARY KEY REFERENCES entries ON DELETE CASCADE, before TEXT NOT NULL,
      meant TEXT NOT NULL)]],
  "CREATE TABLE answers (entry INTEGER PRIMARY KEY REFERENCES documents ON DELETE CASCADE, after TEXT)",
  "INSERT INTO runs VALUES (1, 'update', NULL, 'opening', 'finished', 1767600000, 1767600001)",
  "INSERT INTO runs VALUES (2, 'update', NULL, 'halfway', 'running', 1767600002, NULL)",
}

describe("a history of format 1", function()
  local box, folder, path, before, connection
  before_each(function()
    box = sandbox.start { agents = 2, no_rate_limit = true }
    folder = program.folder()
    path, before = folder .. "/history.db", {}
    connection = assert(DBI.Connect("SQLite3", path))
    connection:autocommit(true)
  end)
  after_each(function()
    box:stop()
    program.remove(folder)
  end)

  local function sql(text, ...)
    local statement = assert(connection:prepare(text))
    assert(statement:execute(...))
    while statement:fetch(false) do end
    statement:close()
  end

  -- Run 1 wrote both agents; run 2 was killed before it had written the first.
  local function write()
    for _, text in ipairs(format_1) do sql(text) end
    local entry = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, NULL, 1, 1767600001)"
    for i, agent in ipairs(box.agents) do
      before[i] = box:document(agent.name)
      local meant = before[i]:gsub('"confirmation_message":"[^"]*"', '"confirmation_message":"Coming."')
      assert.not_equal(before[i], meant)
      box:store(agent.name, meant)
      local scenario = require("handoff.core").token.unverified_claims(agent.token).scenario_id
      local key = ("scenario %s at %shuman_handoff/configuration"):format(scenario, box.base_url)
      sql(entry, i, 1, agent.name, key, "changed")
      sql("INSERT INTO documents VALUES (?, ?, ?)", i, before[i], meant)
      sql("INSERT INTO answers VALUES (?, NULL)", i)
      sql(entry, i + 2, 2, agent.name, key, "pending")
    end
    connection:close()
  end

  it("opens, is gone on with, and what it holds is taken back", function()
    write()
    local looked = assert(history.look(path))
    local run = assert(looked:run(1))
    assert.same({ "finished", 2, before[1] }, { run.state, run.counts.changed, (run:documents(box.agents[1].name)) })
    looked:close()

    local fleet = box:fleet(path, {})
    local resumed = assert(fleet:resume(2, function(cfg) cfg.settings.question_message = "Shall I?" end))
    assert.equal(2, resumed.counts.changed, tostring(resumed))
    for _, id in ipairs { 2, 1 } do
      local undone = assert(fleet:undo(id))
      assert.equal(2, undone.counts.changed, tostring(undone))
    end
    local json = require("handoff.core").json
    for i, agent in ipairs(box.agents) do
      assert.same(json.decode(before[i]), json.decode(box:document(agent.name)))
    end
  end)
end)
