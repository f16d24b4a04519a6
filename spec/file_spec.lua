-- SPDX-License-Identifier: MIT
local file = require "handoff.core".file
local lfs = require "lfs"
local program = require "support.program"

describe("core.file", function()
  local folder
  before_each(function() folder = program.folder() end)
  after_each(function() program.remove(folder) end)

  -- Mode in octal and size.
  local function stat(path) return (program.run("stat -c '%a %s' " .. path):gsub("\n", "")) end

  -- Calls core.file.NAME(PATH) in a process with that umask.
  local function under(umask, name, path)
    local output, status = program.run(([[umask %s; %s -e "assert(require('handoff.core').file.%s('%s'))"]]):format(
      umask, program.lua, name, path))
    assert.equal(0, status, output)
  end

  it("writes files that only their owner reads, those that were there too", function()
    local path = folder .. "/file"
    program.run("umask 0; echo 'what was longer before' >" .. path)
    assert.is_true(file.write_private(path, "new\0\n"))
    assert.equal("600 5", stat(path))
    program.run("ln -s file " .. folder .. "/link")
    assert.same({ nil, "it is there and no regular file" }, { file.write_private(folder .. "/link", "x") })
    assert.has_error(function() file.write_private(path .. "\0x", "x") end)
  end)

  it("makes files that only their owner reads, whatever the umask, and leaves alone what is there", function()
    under("0", "create_private", folder .. "/open")
    under("777", "create_private", folder .. "/closed")
    assert.same({ "600 0", "600 0" }, { stat(folder .. "/open"), stat(folder .. "/closed") })
    program.run(("cd %s && echo kept >old && chmod 644 old && ln -s old link && ln -s nowhere dangling"):format(folder))
    assert.is_true(file.create_private(folder .. "/old"))
    assert.equal("644 5", stat(folder .. "/old"))
    for _, name in ipairs { "link", "dangling", "." } do
      assert.same({ nil, "it is there and no regular file" }, { file.create_private(folder .. "/" .. name) }, name)
    end
    assert.same({ nil, "No such file or directory" }, { file.create_private(folder .. "/none/file") })
    assert.equal("", (program.run("cd " .. folder .. " && ls nowhere none 2>/dev/null")))
  end)

  it("makes folders that only their owner enters, and those above", function()
    under("0", "make_folder", folder .. "/a/b//c/")
    for _, name in ipairs { "a", "a/b", "a/b/c" } do assert.equal("700", stat(folder .. "/" .. name):match "%d+") end
    program.run("chmod 755 " .. folder .. "/a; touch " .. folder .. "/file")
    assert.is_true(file.make_folder(folder .. "/a"))
    assert.equal("755", stat(folder .. "/a"):match "%d+")
    assert.same({ nil, "Not a directory" }, { file.make_folder(folder .. "/file/x") })
    assert.same({ nil, "Not a directory" }, { file.make_folder(folder .. "/file") })
    for _, name in ipairs { "make_folder", "kind", "list" } do
      assert.same({ nil, "No such file or directory" }, { file[name] "" }, name)
    end
  end)

  it("tells files apart, by whatever name they go, and says where there is none", function()
    local one, other = folder .. "/one", folder .. "/other"
    assert.is_false(file.identity(one))
    assert(file.write_private(one, "") and file.write_private(other, ""))
    assert(lfs.link(one, folder .. "/link", true))
    assert.equal(file.identity(one), file.identity(folder .. "/link"))
    assert.not_equal(file.identity(one), file.identity(other))
    assert.same({ nil, "Not a directory" }, { file.identity(one .. "/below") })
  end)

  describe("locks", function()
    local path
    before_each(function() path = folder .. "/locks" end)

    it("keep others out, within a process too, one number apart from another", function()
      local a, b = assert(file.locks(path)), assert(file.locks(path))
      assert.is_true(a:take(7))
      assert.is_true(a:take(7))
      assert.same({ false, true }, { a:held(7), b:held(7) })
      assert.is_false(b:take(7))
      assert.is_true(b:take(8))
      a:free(7)
      assert.is_false(b:held(7))
      assert.is_true(b:take(7))
      b:close()
      b:close()
      assert.is_true(a:take(7))
      a:close()
      assert.has_error(function() a:held(7) end, "the locks are closed")
      assert.equal("600 0", stat(path))
    end)

    it("are shared with who takes their number, and held until both are closed", function()
      local one, stranger = assert(file.locks(path)), assert(file.locks(path))
      local other = assert(file.locks(assert(one:share())))
      assert.is_true(other:take(3))
      assert.is_false(one:held(3))
      assert.is_true(stranger:held(3))
      one:close()
      assert.is_true(stranger:held(3))
      other:close()
      assert.is_false(stranger:held(3))
      assert.has_error(function() one:share() end, "the locks are closed")
      assert.has_error(function() file.locks(-1) end,
        "bad argument #1 to 'locks' (a number from locks:share() expected)")
    end)

    it("end with a process that is killed, and live as long as it does", function()
      local own = assert(file.locks(path))
      local output = program.run(([[exec %s -e "
        local locks = require('handoff.core').file.locks('%s')
        print(locks:take(3), require('handoff.core').file.locks('%s'):held(3))
        io.stdout:flush()
        os.execute('kill -9 \$PPID')"]]):format(program.lua, path, path))
      assert.truthy(output:find "^true\ttrue\n", output)
      assert.is_false(own:held(3))
      own:take(3)
      output = program.run(([[%s -e "print(require('handoff.core').file.locks('%s'):held(3))"]]):format(
        program.lua, path))
      assert.equal("true\n", output)
      own:close()
    end)

    it("say why they cannot be had", function()
      assert.same({ nil, "No such file or directory" }, { file.locks(folder .. "/none/locks") })
      program.run("ln -s elsewhere " .. path)
      assert.same({ nil, "it is there and no regular file" }, { file.locks(path) })
    end)
  end)
end)
