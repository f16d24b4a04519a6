-- SPDX-License-Identifier: MIT
-- The verbs that look back at runs, go on with them and take them back: history, show, resume, undo, drift.
local command = require "support.command"
local json = require("handoff.core").json
local lfs = require "lfs"

describe("handoff", function()
  local box, names
  before_each(function()
    box = command.sandbox(4, { no_rate_limit = true })
    names = {}
    for i, agent in ipairs(box.box.agents) do names[i] = agent.name end
  end)
  after_each(function() box:stop() end)

  local function history() return box.folder .. "/handoff/history.db" end
  local function fleet(terms)
    local all = box.box:fleet(history())
    return terms and all:select(terms) or all
  end
  local function set_question(cfg) cfg.settings.question_message = "Shall I get somebody?" end
  local function document(name) return json.decode(box.box:document(name)) end
  local function elsewhere(name, edit)
    local now = document(name)
    edit(now)
    box.box:store(name, json.encode(now))
  end
  local function fails(name)
    return { agent = name, method = "GET", fault = "status", status = 503, times = "always" }
  end

  local function escaped(text) return (text:gsub("%p", "%%%0")) end
  local function masked(text)
    local day = "%d%d%d%d%-%d%d%-%d%d"
    text = text:gsub(day .. " %d%d:%d%d:%d%d", "DATE TIME"):gsub(day .. " %d%d:%d%d", "DATE-AND-TIME---")
    return (text:gsub(escaped(box.folder), "FOLDER"))
  end
  -- Both streams as they are, but for what is another every time.
  local function prints(words, status, out, err)
    local ran = box:run(words)
    assert.equal(out, masked(ran.out))
    assert.equal(err or "", masked(ran.err))
    assert.equal(status, ran.status)
  end
  local function records(words, status)
    local ran, list = box:run(words .. " --json"), {}
    assert.same({ "", status or 0 }, { ran.err, ran.status })
    for line in ran.out:gmatch "[^\n]+" do
      list[#list + 1] = assert(json.decode(line))
      assert.equal(1, list[#list].format_version)
    end
    return list
  end

  -- Run 1: two are changed, one fails, and one is left.
  local function stopped_run()
    box:write("edit.lua", 'return function(cfg) cfg.settings.question_message = "Shall I get somebody?" end\n')
    box.box:faults { fails(names[3]) }
    local run = assert(fleet():update(set_question, { edit = "edit.lua", concurrency = 1, max_failures = 0 }))
    box.box:faults {}
    assert.same({ changed = 2, failed = 1, untouched = 1 }, run.counts)
  end

  describe("history", function()
    it("says which flag names one where there is no place for it", function()
      local ran = box:run("history", { env = { HOME = false, XDG_STATE_HOME = false } })
      assert.equal(1, ran.status)
      assert.matches("neither XDG_STATE_HOME nor HOME is set; set one, or give %-%-history FILE\n$", ran.err)
    end)

    it("says that nothing has run, and makes no history by looking", function()
      local nothing = "nothing has run yet; `handoff apply` and `handoff set` record what they do\n"
      prints("history", 0, "", nothing)
      prints("history --history other.db", 0, "", "other.db: " .. nothing)
      assert.same({}, records "history")
      assert.is_nil(lfs.attributes(box.folder .. "/handoff"))
    end)

    it("lists the runs, newest first, on a line each whatever an edit is called", function()
      stopped_run()
      assert(fleet("name=" .. names[1]):undo(1, { edit = "two\nlines \27[2J" }))
      prints("history", 0, [[
run  started (UTC)     what       state     changed                   edit
  2  DATE-AND-TIME---  undo of 1  finished  1 of 1                    two lines  [2J
  1  DATE-AND-TIME---  update     stopped   2 of 4, 1 failed, 1 left  edit.lua
]])
      local listed = records "history --limit 1"
      assert.equal(1, #listed)
      local one = listed[1]
      assert.same({ 2, "undo", 1, "finished", "two\nlines \27[2J", { changed = 1 } },
        { one.run, one.kind, one.of, one.state, one.edit, one.counts })
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", one.started)
      assert.matches("Z$", one.ended)
    end)
  end)

  describe("show", function()
    it("tells what a run did, what failed, what was left, and what can be done about it", function()
      stopped_run()
      for i = 1, 2 do elsewhere(names[i], function(now) now.settings.question_message = "One?" end) end
      assert(fleet("name=" .. names[1] .. "," .. names[2]):update(set_question, { edit = "again.lua" }))
      prints("show 2", 0, ([[
2 agents: %s, %s
  ~ settings.question_message: "One?" → "Shall I get somebody?"

run 2: update "again.lua", DATE TIME UTC, finished: 2 changed
]]):format(names[1], names[2]), "`handoff undo 2` takes it back\n")
      local ran = box:run "show 1"
      assert.matches(("\n\nfailed %s\n  GET %%S+ answered 503, [^\n]+\n\n1 agent left as it was: %s\n\nrun 1: ")
        :format(escaped(names[3]), escaped(names[4])), ran.out)
      assert.equal("`handoff resume 1` goes on with it; `handoff undo 1` takes it back\n", ran.err)
      local all = records "show 1"
      assert.same({ names[1], "changed", "settings.question_message", "Shall I get somebody?" },
        { all[1].agent, all[1].status, all[1].changes[1].path, all[1].changes[1].after })
      assert.same({ "failed", {} }, { all[3].status, all[3].changes })
      assert.matches("answered 503", all[3].error)
    end)

    it("names an agent of which nobody knows whether it was written", function()
      box.box:faults {
        { agent = names[2], method = "PUT", fault = "reset_after", times = "always" },
        { agent = names[2], method = "GET", at = 3, fault = "status", status = 503, times = "always" },
      }
      assert(fleet():update(set_question, { edit = "edit.lua" }))
      local ran = box:run "show 1"
      assert.matches("\nfailed " .. escaped(names[2]) .. "\n  [^\n]+looking whether it was written failed", ran.out)
      assert.equal("unknown", records("show 1 " .. names[2])[1].status)
    end)

    it("cuts nothing of one agent's change, and sends no command to a terminal", function()
      local before = ("before "):rep(30):sub(1, -2)
      local after = ("after \194\155"):rep(30)
      elsewhere(names[1], function(now) now.settings.question_message = before end)
      assert(fleet("name=" .. names[1]):update(function(cfg)
        cfg.settings.question_message, cfg.settings.timezone = after, "Asia/Tokyo"
        cfg.custom_guidelines:clear()
        cfg.custom_guidelines:add { name = "Refund", description = "Money back.", is_active = true }
      end))
      local out = box:run("show 1 " .. names[1]).out
      assert.truthy(out:find(('~ settings.question_message\n  - "%s"\n  + "%s"\n'):format(before,
        after:gsub("\194\155", "\\u009b")), 1, true), out)
      assert.matches('~ settings.timezone: "[^"]+" → "Asia/Tokyo"\n', out)
      assert.matches('\n%+ custom_guidelines%["Refund"%]\n  %+ {\n  %+   "description": "Money back%.",\n', out)
      assert.matches(escaped(names[1]) .. ": changed, %d+%-%d+%-%d+ %d+:%d+:%d+ UTC\n$", out)
    end)

    it("names the runs and the agents that there are", function()
      stopped_run()
      prints("show 7", 1, "", "handoff show: FOLDER/handoff/history.db: there is no run 7; the last ones are 1\n")
      prints("show 1 " .. names[1] .. "x", 64, "",
        ("handoff show: %sx: no agent of run 1 has this name; did you mean %q?\n"):format(names[1], names[1]))
      prints("show last", 64, "", "handoff show: RUN: the number of a run expected, such as `handoff history` "
        .. 'lists, got "last"; `handoff show --help` tells what it takes\n')
    end)
  end)

  describe("resume", function()
    it("goes on with the run's own edit where it was stopped, and leaves alone what is done", function()
      stopped_run()
      box.box:reset()
      local ran = box:run "resume 1 --yes"
      assert.equal(0, ran.status, ran.err)
      assert.matches('^going on with run 1: update "edit.lua", [^\n]+, stopped: ', ran.err)
      for i, name in ipairs(names) do
        assert.equal("Shall I get somebody?", document(name).settings.question_message)
        assert.equal(i > 2 and 1 or nil, box.box:ledger().writes[name])
      end
      ran = box:run "resume 1 --yes"
      assert.same({ 0, "" }, { ran.status, ran.out })
      assert.matches('^run 1: update "edit.lua", [^\n]+, finished: 4 changed; nothing of it is left to do\n$', ran.err)
      assert.matches('^{"counts":{"changed":0,', box:run("resume 1 --json").out)
    end)

    it("ends a run that was killed after its last agent", function()
      assert(fleet():update(set_question, { edit = "edit.lua" }))
      local kept = assert(require("handoff.history").open(history()))
      assert(kept:reopen(1))
      kept:close() -- as one that was killed leaves it
      assert.matches("interrupted", box:run("history").out)
      local ran = box:run "resume 1 --yes"
      assert.same({ 0, "" }, { ran.status, ran.out })
      assert.matches("nothing of it is left to do\n$", ran.err)
      assert.matches("finished  4 of 4", box:run("history").out)
    end)

    it("takes another edit where one is given, and only those that are selected", function()
      stopped_run()
      box:write("mended.lua", 'return function(cfg) cfg.settings.question_message = "Mended?" end\n')
      local ran = box:run("resume 1 mended.lua --yes --select name=" .. names[3])
      assert.equal(0, ran.status, ran.err)
      assert.matches("\nthe edit is now mended.lua\n", ran.err)
      assert.matches("\n1 more agent of run 1 is not selected\n$", ran.err)
      assert.equal("Mended?", document(names[3]).settings.question_message)
      assert.not_equal("Mended?", document(names[4]).settings.question_message)
    end)

    it("goes on with an undo, which needs no edit", function()
      stopped_run()
      box.box:faults { fails(names[2]) }
      assert.same({ changed = 1, failed = 1 }, assert(fleet():undo(1)).counts)
      box.box:faults {}
      prints("resume 2 edit.lua --yes", 64, "",
        "handoff resume: edit.lua: run 2 takes run 1 back, and needs no edit; leave it out\n")
      assert.equal(0, box:run("resume 2 --yes").status)
      assert.not_equal("Shall I get somebody?", document(names[2]).settings.question_message)
    end)

    it("asks for the edit of a run that a script recorded without one, and goes on with that", function()
      local own = assert(require("handoff.history").open(history()))
      assert(own:start { kind = "update", agents = assert(fleet():identities()) })
      own:close()
      prints("resume 1 --yes", 64, "",
        "handoff resume: run 1: its edit is not known; give it: handoff resume 1 EDIT\n")
      assert.equal(0, box.box:ledger().total)
      assert.equal(0, box:run("resume 1 settings.timezone=UTC --yes").status)
      for _, name in ipairs(names) do assert.equal("UTC", document(name).settings.timezone) end
    end)

    it("says where the run's edit cannot be read again, and asks the service nothing", function()
      stopped_run()
      os.remove(box.folder .. "/edit.lua")
      box.box:reset()
      local ran = box:run "resume 1 --yes"
      assert.equal(1, ran.status)
      assert.matches("^handoff resume: edit.lua: [^\n]+ %(the edit of run 1; `handoff resume 1 EDIT` takes another%)\n",
        ran.err)
      assert.equal(0, box.box:ledger().total)
    end)
  end)

  describe("undo", function()
    it("takes back what a run wrote, and can be taken back", function()
      stopped_run()
      local was = document(names[1]).settings.question_message
      local before = assert(require("handoff.history").look(history()))
      local first = json.decode((assert(before:run(1)):documents(names[1])))
      before:close()
      local ran = box:run "undo 1 --yes"
      assert.equal(0, ran.status, ran.err)
      assert.matches('^taking back run 1: update "edit.lua", ', ran.err)
      assert.equal(first.settings.question_message, document(names[1]).settings.question_message)
      assert.equal(0, box:run("undo 2 --yes").status)
      assert.equal(was, document(names[1]).settings.question_message)
    end)

    it("takes back only what is selected, and is done then", function()
      stopped_run()
      local ran = box:run("undo 1 --yes --select name=" .. names[2])
      assert.equal(0, ran.status, ran.out)
      assert.matches("\n1 more agent of run 1 is not selected\n$", ran.err)
      assert.equal("Shall I get somebody?", document(names[1]).settings.question_message)
      assert.not_equal("Shall I get somebody?", document(names[2]).settings.question_message)
    end)

    it("leaves alone what somebody edited since to the same place", function()
      assert(fleet("name=" .. names[1]):update(set_question))
      elsewhere(names[1], function(now) now.settings.question_message = "Theirs." end)
      local ran = box:run "undo 1 --yes"
      assert.equal(4, ran.status, ran.out .. ran.err)
      assert.matches("settings.question_message", ran.out, 1, true)
      assert.equal("Theirs.", document(names[1]).settings.question_message)
    end)

    it("has nothing to do for a run that wrote nothing", function()
      assert(fleet():update(function() end, { edit = "nothing.lua" }))
      local ran = box:run "undo 1 --yes"
      assert.same({ 0, "" }, { ran.status, ran.out })
      assert.matches("4 unchanged; it wrote nothing that could be taken back\n$", ran.err)
    end)

    it("needs somebody to ask, or --yes", function()
      stopped_run()
      local was = box.box:document(names[1])
      assert.equal(64, box:run("undo 1").status)
      assert.equal(was, (box.box:document(names[1])))
    end)
  end)

  describe("at a terminal", function()
    local shown
    after_each(function() shown:close() end)
    local function open(words)
      local line = "cd %s && HANDOFF_BASE_URL=%s XDG_STATE_HOME=%s %s %s"
      shown = require("support.terminal").open(line:format(box.folder, box.box.base_url, box.folder, command.words(),
        words), { columns = 80 })
      return shown
    end

    it("history cuts an edit to the line", function()
      assert(fleet():update(set_question, { edit = "settings.question_message=" .. ("wörter "):rep(10) }))
      local t = open "history"
      assert.equal(0, t:ends())
      local row = t:screen()[2]
      assert.equal(80, (require("handoff.core").schema.utf8_length(row)))
      assert.matches(" 4 of 4 +settings%.question_message=w[^\n]*…$", row)
    end)

    it("an undo that is declined leaves no trace", function()
      stopped_run()
      local was = box.box:document(names[1])
      local t = open "undo 1"
      t:wait "Take this back on 2 agents?"
      t:type "no\n"
      assert.equal(1, t:ends())
      assert.equal(was, (box.box:document(names[1])))
      assert.equal(1, #records "history")
    end)
  end)

  describe("drift", function()
    it("tells of what was edited past it, names whom it does not know, and writes nothing", function()
      assert(fleet("name!=" .. names[4]):update(set_question))
      prints("drift", 0, ([[
1 agent that no run in the history has written: %s
Drift: 0 agents drifted, 3 as they were left, 0 failed, 1 unknown.
]]):format(names[4]))
      for i = 1, 2 do elsewhere(names[i], function(now) now.settings.question_message = "Theirs." end) end
      box.box:faults { fails(names[3]) }
      box.box:reset()
      local ran = box:run "drift --retries 0"
      assert.equal(3, ran.status)
      assert.matches(([[
^2 agents: %s, %s
  ~ settings.question_message: "Shall I get somebody%%?" → "Theirs."

failed %s
  GET [^
]+

1 agent that no run in the history has written: %s
Drift: 2 agents drifted, 0 as they were left, 1 failed, 1 unknown.
$]]):format(escaped(names[1]), escaped(names[2]), escaped(names[3]), escaped(names[4])), ran.out)
      for _, asked in pairs(box.box:ledger().agents) do assert.same({ GET = 1 }, asked) end

      local all = records("drift --retries 0", 3)
      assert.same({ "drifted", "drifted", "failed", "unknown" },
        { all[1].status, all[2].status, all[3].status, all[4].status })
      assert.same({ 1, "Theirs.", "server" }, { all[1].run, all[1].changes[1].after, all[3].error.kind })
    end)

    it("says that it held nothing against anything where the history has none of the agents", function()
      local ran = box:run "drift"
      assert.equal(0, ran.status)
      assert.matches("^nothing was held against anything: [^\n]+ %-%-history names where\n$", ran.err)
    end)

    it("tells by its status who could not be looked at", function()
      assert(fleet():update(set_question))
      box.box:faults { fails(names[3]) }
      assert.equal(5, box:run("drift --retries 0").status)
      box.box:faults { fails() }
      assert.equal(1, box:run("drift --retries 0").status)
    end)
  end)
end)
