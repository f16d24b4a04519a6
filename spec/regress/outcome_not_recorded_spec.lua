-- SPDX-License-Identifier: MIT
--- Where an agent was written and the history could not keep that, the command ended with status 0 if it was the last one.
local DBI = require "DBI"
local command = require "support.command"

describe("a run whose outcome cannot be recorded", function()
  it("does not end as done", function()
    local box = command.sandbox(1)
    finally(function() box:stop() end)
    local history = box.folder .. "/history.db"
    local function set(value)
      return box:run(("set settings.ai_summary_active=%s --yes --history %s"):format(value, history))
    end
    assert.equal(0, set("true").status)
    local database = assert(DBI.Connect("SQLite3", history))
    database:autocommit(true)
    local statement = assert(database:prepare [[
      CREATE TRIGGER refuse BEFORE INSERT ON answers BEGIN SELECT RAISE(ABORT, 'not today'); END]])
    assert(statement:execute())
    statement:close()
    database:close()
    local ran = set "false"
    assert.equal(1, ran.status, ran.out)
    assert.truthy(ran.out:find("1 changed, 0 unchanged, 0 failed; " .. history .. ": SQLite refused", 1, true), ran.out)
  end)
end)
