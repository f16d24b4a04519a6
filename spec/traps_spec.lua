-- SPDX-License-Identifier: MIT
--- Files that hold documents are their owner's alone from the first, and nothing that others put in their way is written through.
local command = require "support.command"
local config = require "handoff.config"
local core = require "handoff.core"
local desired = require "handoff.desired"
local document = require "support.document"
local history = require "handoff.history"
local lfs = require "lfs"
local program = require "support.program"

local is_root = program.run "id -u" == "0\n"

describe("a file", function()
  local folder
  before_each(function() folder = program.folder() end)
  after_each(function() program.remove(folder) end)

  local function sh(code, ...)
    local output, status = program.run(("cd %s && %s"):format(folder, code:format(...)))
    assert.equal(0, status, output)
    return output
  end

  local function read(name)
    local file = assert(io.open(folder .. "/" .. name, "rb"))
    local text = file:read "*a"
    file:close()
    return text
  end

  -- Every mode below the folder, as "600 name"; what was there before with its own.
  local function modes() return sh "find . -mindepth 1 -printf '%%m %%y %%P\\n' | sort -k3" end

  describe("is its owner's alone, whatever the umask:", function()
    local box
    before_each(function() box = command.sandbox(2) end)
    after_each(function() box:stop() end)

    for _, umask in ipairs { "0", "777" } do
      it("all that the command writes, umask " .. umask, function()
        program.write(box.folder .. "/policy.lua", 'it("is", function() end)')
        for _, words in ipairs {
          "set settings.question_message=Hm --yes --history h/er/e.db",
          "plan settings.is_active=true -o a.plan",
          "pull config", "pull json --format json", "init",
          "test " .. box.folder .. "/policy.lua --format junit -o junit.xml",
          "sandbox --agents 1 --inventory s.lua --writes written --until-eof",
          "hours --svg w.svg --html w.html --ics w.ics",
        } do
          local own = words:find "^init" or words:find "^sandbox"
          local ran = box:run(words, { before = ("umask %s; cd %s"):format(umask, folder),
            env = { HANDOFF_INVENTORY = not own and box.inventory } })
          assert.equal(0, ran.status, words .. ran.err)
        end
        local count = 0
        for mode, kind, name in modes():gmatch "(%d+) (%a) ([^\n]+)" do
          assert.equal(kind == "d" and "700" or "600", mode, name)
          count = count + 1
        end
        assert.is_true(count >= 16, modes())
      end)
    end

    it("what SQLite writes beside a history, while it is written", function()
      local path = folder .. "/h/h.db"
      local output = sh([[umask 0; %s -e "
        local h = assert(require('handoff.history').open('%s'))
        assert(h:start { kind = 'update', agents = { { name = 'a', key = 'k' } } })
        os.execute 'stat -c \"%%a %%n\" %s/h/*'"]], program.lua, path, folder)
      local seen = {}
      for mode, name in output:gmatch "(%d+) [^\n]*/([^\n/]+)" do
        assert.equal("600", mode, name)
        seen[#seen + 1] = name
      end
      assert.same({ "h.db", "h.db-runs", "h.db-shm", "h.db-wal" }, seen)
    end)
  end)

  -- What somebody may have put where a file is to be, and the words for it.
  local traps = {
    { "ln -s ../victim %s", "regular" }, { "ln -s nowhere %s", "regular" }, { "mkfifo %s", "regular" },
    { "mkdir %s", "regular" }, { "ln -s /dev/zero %s", "regular" },
  }

  local function set(n, place)
    sh("rm -rf trap victim && mkdir trap && echo precious >victim")
    sh(traps[n][1], "trap/" .. place)
    return folder .. "/trap/" .. place
  end

  local function unharmed(what)
    assert.equal("precious\n", read "victim", what)
    assert.is_nil(lfs.attributes(folder .. "/trap/nowhere"), what)
    assert.equal("1\n", sh "ls -A trap | wc -l", what)
  end

  it("is not written through what was planted in its place", function()
    local cfg = assert(config.new(document.text()))
    local writers = {
      private = function(path) return core.file.write_private(path, "x") end,
      replaced = function(path) return core.file.replace(path, "x") end,
      created = function(path) return core.file.create_private(path) end,
      locks = function(path) return core.file.locks(path) end,
      history = function(path) return history.open(path) end,
      plan = function(path) return require("handoff.plan").create(path, {}) end,
      ["a sandbox's inventory"] = function(path) return require("handoff.sandbox").write_inventory(path, {}) end,
    }
    for name, writer in pairs(writers) do
      for n, row in ipairs(traps) do
        local path = set(n, "file")
        local ok, why = writer(path)
        if name == "plan" and n <= 2 then ok = ok:discard() end -- a finished one would take the link's place
        assert.is_nil(ok, name .. ": " .. row[1])
        assert.is_nil(tostring(why):find("\n", 1, true))
        unharmed(name .. ": " .. row[1])
      end
    end
    for n, row in ipairs(traps) do
      for _, beside in ipairs { "file-wal", "file-shm", "file-journal" } do
        local path = set(n, beside)
        local ok, err = history.open(path:gsub("%-%l+$", ""), { timeout = 0.01 })
        assert.is_nil(ok)
        assert.matches("it is there and no regular file; name another file", tostring(err), 1, true)
        assert.equal("precious\n", read "victim")
      end
      local path = set(n, "file.part")
      assert.is_nil((require("handoff.plan").create(path:gsub("%.part$", ""), {})))
      unharmed(row[1])
      for _, ending in ipairs { "lua", "json" } do
        set(n, "shop." .. ending)
        local done, err = desired.save(cfg, folder .. "/trap", "shop", ending)
        assert.is_nil(done, row[1])
        assert.matches("^shop: ", tostring(err))
        unharmed(row[1])
      end
    end
  end)

  it("of a folder of files stays in it, whatever the agent is called", function()
    local cfg = assert(config.new(document.text()))
    sh "mkdir -p trap/sub"
    for _, name in ipairs {
      "../out", "sub/x", "/tmp/x", "..", ".", ".hidden", "a\0b", ("x"):rep(300), "", "a/../../out",
    } do
      local done, err = desired.save(cfg, folder .. "/trap", name, "lua")
      assert.is_nil(done, name)
      assert.equal("invalid", err.kind)
    end
    assert.equal("trap\ntrap/sub\n", sh "find * | sort")
    for _, name in ipairs { "~", "-rf", "a b", "$(id)", "Żółw", "a..b", "a\\b", "%s", "x.lua" } do
      assert.equal("new", assert(desired.save(cfg, folder .. "/trap", name, "lua")).status)
      assert.is_not_nil(lfs.attributes(folder .. "/trap/" .. name .. ".lua"))
    end
  end)

  if is_root then
    it("of another user is neither trusted as a history nor gives its mode to what takes its place", function()
      sh "chmod 711 . && mkdir -m 777 open && echo old >open/a && chmod 666 open/a && chown nobody open/a"
      assert(core.file.replace(folder .. "/open/a", "new"))
      assert.equal("600 root\n", sh "stat -c '%%a %%U' open/a")
      sh "touch open/h.db open/h2.db-wal && chmod 666 open/h*"
      for _, name in ipairs { "h.db", "h2.db" } do
        local output = program.run(([[cd %s && setpriv --reuid=65534 --regid=65534 --clear-groups %s -e "
          print(select(2, require('handoff.history').open('%s/open/%s')))"]]):format(folder, program.lua, folder, name))
        assert.matches("it is there and another user's; name another file", output, 1, true)
      end
      assert.equal("0\n", sh "stat -c %%s open/h2.db-wal")
    end)
  end
end)
