-- SPDX-License-Identifier: MIT
-- The verbs pull and validate, as processes.
local command = require "support.command"
local json = require("handoff.core").json
local program = require "support.program"

local function records(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = assert(json.decode(line)) end
  return list
end

describe("handoff validate", function()
  local folder
  before_each(function() folder = program.folder() end)
  after_each(function() program.remove(folder) end)

  local function put(name, text)
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(text)
    file:close()
  end
  local function run(words) return command.run(words, { folder = folder }) end

  it("shows each problem where it is, with its line and rule", function()
    put("shop.lua", "return {\n\tsettings = { keywords = { 'Mensch 😀' }, timezone = 'Europe/Londn' },\n}\n")
    assert.same({ status = 1, err = "", out = [[
shop.lua:2:53: error: settings.timezone: "Europe/Londn" is no time zone; did you mean "Europe/London"? [zone]
   settings = { keywords = { 'Mensch 😀' }, timezone = 'Europe/Londn' },
                                                       ^
Checked: 1 file, 1 error, 0 warnings.
]] }, run "validate shop.lua")
    local long = ("ä"):rep(200)
    put("shop.lua", 'return { settings = { question_message = "' .. long .. "\\q" .. long .. '" } }')
    local _, line, mark = run("validate shop.lua").out:match "^([^\n]*)\n([^\n]*)\n([^\n]*)\n"
    line = line:gsub("ä", "a")
    assert.same({ 80, "\\" }, { #line, line:sub(#mark, #mark) })
    put("shop.lua", 'return { settings = { question_message = "' .. ("語"):rep(200) .. '\\q" } }')
    line, mark = run("validate shop.lua").out:match "^[^\n]*\n([^\n]*)\n([^\n]*)\n"
    assert.equal('  ' .. ("語"):rep(35) .. '\\q" } }', line)
    assert.equal(72, #mark - 1)
    put("shop.lua", "return {\n\r\n")
    assert.matches("\n  \n  ^\n", run("validate shop.lua").out, 1, true)
    for name, text in pairs { ["a.json"] = '[{"token": "SECRET"}]', ["a.lua"] = "return {{token='SECRET'}}" } do
      put(name, text)
      assert.matches("^" .. name .. ":1:%d: error: a list is no desired state, [^\n]+ %[type%]\nChecked:",
        run("validate " .. name).out)
    end
    for name, text in pairs {
      ["a.json"] = '{ "agents": [ { "name": "a", "token": "sesame", "tags": {} } ] }',
      ["b.lua"] = 'return { agents = { { name = "a", token_env = nothing, ["token"] = "sesame" } } }',
      ["c.lua"] = "local agents = { { token = 'sesame' } } return agents",
    } do
      put(name, text)
      local ran = run("validate " .. name)
      assert.equal(1, ran.status)
      assert.is_nil(ran.out:find "sesame", ran.out)
    end
    put("shop.lua", "\27[2J\194\133")
    assert.matches("\n  ?[2J?\n  ^\n", run("validate shop.lua").out, 1, true)
  end)

  it("takes files and folders, and tells errors from warnings by its exit status", function()
    program.run(("mkdir %s/agents"):format(folder))
    put("agents/a.json", '{"settings": {"send_email_notification": true, "emails": []}}')
    put("agents/b.lua", "return {}")
    local ran = run "validate agents --json"
    assert.same({ 0, "" }, { ran.status, ran.err })
    assert.same({ {
      format_version = 1, file = "agents/a.json", line = 1, column = 58, severity = "warning",
      rule = "email_without_addresses",
      message = "settings.emails: notification by e-mail is on, but there is no address",
    } }, records(ran.out))
    put("agents/b.lua", "return { f() }")
    ran = run "validate agents agents/a.json none.lua"
    assert.equal(1, ran.status)
    assert.matches("\nagents/b.lua:1:10: error: ", ran.out, 1, true)
    assert.matches("\nnone.lua: error: cannot be read: No such file or directory; name a file that can [file]\n"
      .. "Checked: 4 files, 2 errors, 2 warnings.\n", ran.out, 1, true)
  end)

  it("does not pass what it found no file in", function()
    program.run(("mkdir %s/empty"):format(folder))
    local ran = run "validate empty nowhere"
    assert.equal(1, ran.status)
    assert.equal("empty: error: it has no .lua or .json file; name another folder, or let `handoff pull` write them "
      .. "[file]\nnowhere: error: nothing is there; `handoff pull` writes files of desired state [file]\n"
      .. "Checked: 1 file, 2 errors, 0 warnings.\n", ran.out)
  end)
end)

describe("handoff pull", function()
  local box
  before_each(function() box = command.sandbox(3) end)
  after_each(function() box:stop() end)

  local function names()
    local list = {}
    for i = 1, 3 do list[i] = box.box.agents[i].name end
    table.sort(list)
    return list
  end

  it("writes a file an agent, once; afterwards only what changed", function()
    local ran = box:run "pull"
    assert.equal(0, ran.status, ran.err)
    assert.matches("\nPulled: 3 new, 0 changed, 0 unchanged, 0 failed.\n$", ran.out)
    assert.equal(0, box:run("validate agents").status)
    local name = names()[2]
    local path = "agents/" .. name .. ".lua"
    box:write(path, "-- ours\n" .. box:read(path))
    assert.equal("Pulled: 0 new, 0 changed, 3 unchanged, 0 failed.\n", box:run("pull agents").out)
    local text, count = box.box:document(name):gsub('"timezone": *"[^"]*"', '"timezone":"Asia/Tokyo"')
    assert.equal(1, count)
    box.box:store(name, text)
    assert.equal(("~ %s\nPulled: 0 new, 1 changed, 2 unchanged, 0 failed.\n"):format(path), box:run("pull").out)
    assert.matches('^%-%- ours\nreturn {.-timezone = "Asia/Tokyo",', box:read(path))
  end)

  it("says once what keeps all agents from a file, or from an answer", function()
    box:write("taken", "")
    local ran = box:run "pull taken/here"
    assert.matches("^3 agents: [^:]+: taken/here: the folder cannot be made: Not a directory; make it, or take "
      .. "another\n$", ran.err)
    for _, name in ipairs(names()) do box.box:revoke(name) end
    ran = box:run "pull"
    assert.matches("^3 agents: [^:]+: GET [^\n]+ answered 401, [^\n]+\n$", ran.err)
  end)

  it("goes on where an agent fails, says what is left out, and tells all of it as JSON", function()
    local all = names()
    box.box:revoke(all[1])
    box.box:store(all[2], (box.box:document(all[2]):gsub("^{", '{"voice":{},')))
    local ran = box:run "pull live --format json --json"
    assert.equal(5, ran.status)
    assert.matches("left out of 1 file: voice; desired state cannot have it, and it stays", ran.err, 1, true)
    assert.matches("\n" .. all[1]:gsub("%p", "%%%0") .. ": GET [^\n]+ answered 401, ", ran.err)
    local by_name = {}
    for _, one in ipairs(records(ran.out)) do by_name[one.agent] = one end
    assert.same({ "failed", "auth" }, { by_name[all[1]].status, by_name[all[1]].error.kind })
    local second = by_name[all[2]]
    assert.same({ "new", "live/" .. all[2] .. ".json", "voice" }, { second.status, second.file, second.left_out[1] })
    assert.equal("Checked: 2 files, 0 errors, 0 warnings.\n", box:run("validate live").out:match "[^\n]*\n$")
  end)
end)
