-- SPDX-License-Identifier: MIT
-- What a package gets from `make install`, and what is left of it.
local program = require "support.program"

local script = [[
  local handoff = require "handoff"
  local cfg = handoff.config '{"settings":{"is_active":false},"availability":[],"generic_guidelines":[],]] ..
  [["custom_guidelines":[],"routing_profiles":[]}'
  cfg.settings.is_active = true
  print(cfg.settings.is_active, #cfg:changes())
]]

-- Runs the script from the root folder, with the trees of that prefix as its only place for handoff.
local function try(prefix)
  local share = ("%s/share/lua/%s"):format(prefix, program.abi)
  return program.run_fresh(("cd / && %s -e %s"):format(program.lua, program.quote(script)), {
    LUA_PATH = ("%s/?.lua;%s/?/init.lua;;"):format(share, share),
    LUA_CPATH = ("%s/lib/lua/%s/?.so;;"):format(prefix, program.abi),
  })
end

describe("make install", function()
  local folder
  before_each(function() folder = program.folder() end)
  after_each(function() program.remove(folder) end)

  local function make(words, umask)
    local output, status = program.run_fresh(("umask %s; make -s %s"):format(umask or "022", words))
    assert.equal(0, status, output)
  end
  local function listed(words) return (program.run(("find %s %s"):format(folder, words))) end

  it("lays out what a script elsewhere can require, and uninstall takes it away", function()
    local where = ("DESTDIR=%s PREFIX=/opt/x"):format(folder)
    make("install " .. where)
    assert.equal("true\t1\n", (try(folder .. "/opt/x")))
    make("uninstall " .. where)
    assert.equal("", listed "-type f")
    assert.equal("", listed "-name handoff")
  end)

  -- The command is there once, whichever VM the tests run on; so is all that follows.
  if program.vm ~= "lua54" then return end

  it("brings a command that runs from anywhere, its manual, its completions and the examples", function()
    make("install PREFIX=" .. folder)
    local environment = { PATH = folder .. "/bin:" .. os.getenv "PATH" }
    local output, status = program.run_fresh("cd / && handoff version", environment)
    assert.equal(0, status, output)
    assert.matches("^handoff %S+ %(Lua 5.4, libcurl %S+%)\n$", output)
    local completes = ("cd / && . %s/share/bash-completion/completions/handoff && complete -p handoff"):format(folder)
    assert.matches("_handoff handoff\n$", (program.run_fresh("bash -c " .. program.quote(completes))))
    local pages = { "man/man1/handoff.1", "zsh/site-functions/_handoff", "fish/vendor_completions.d/handoff.fish",
      "handoff/luals/handoff.lua" }
    for _, page in ipairs(pages) do
      assert.equal(0, select(2, program.run(("grep -q version %s/share/%s"):format(folder, page))), page)
    end
    local examples = ("diff -r examples %s/share/doc/handoff/examples"):format(folder)
    assert.equal("", (program.run(examples)))
  end)

  -- As a package is built: more than once, many jobs, whatever the umask.
  it("fills a distribution's folders with files of its modes that name no place of the machine", function()
    local where = ("DESTDIR=%s PREFIX=/usr LIBDIR=/usr/lib/of-this-machine/lua/%% "
      .. "ZSHDIR=/usr/share/zsh/vendor-completions"):format(folder)
    make("-j4 install " .. where)
    make("-j4 install " .. where, "077")
    assert.equal("", listed "-mindepth 1 -type d -not -perm 755 -o -type f -not -perm 644 -not -perm 755")
    assert.equal("", (program.run(("grep -rlaF -e %s -e %s %s"):format(program.quote(program.here), folder, folder))))
    local at = "find %s/usr/lib/of-this-machine/lua/%s/handoff -name '*.so' -printf '%%f\n' | sort"
    for _, abi in ipairs { "5.1", "5.4" } do
      assert.equal("core.so\nfold.so\nserve.so\nzone.so\n", (program.run(at:format(folder, abi))))
    end
    assert.equal(folder .. "/usr/share/zsh/vendor-completions/_handoff\n", listed "-name _handoff")
    local begins = program.run(("head -n 5 %s/usr/bin/handoff"):format(folder))
    assert.truthy(begins:find('"/usr/share/lua/5.4", "/usr/lib/of-this-machine/lua/5.4"', 1, true), begins)
  end)

  it("takes away what the version before had and this one has not", function()
    local prefix = folder .. "/it"
    local function list(name) program.run(("cd %s && find . -type f | sort >%s/%s"):format(prefix, folder, name)) end
    make("install PREFIX=" .. prefix)
    list "before"
    for _, path in ipairs { "share/lua/5.4/handoff/gone.lua", "lib/lua/5.1/handoff/gone.so",
      "share/doc/handoff/examples/gone.lua", "share/lua/5.4/else.lua" } do
      program.write(prefix .. "/" .. path, "")
    end
    make("install PREFIX=" .. prefix)
    list "after"
    local differ = program.run(("cd %s && diff before after"):format(folder))
    assert.matches("^%d+a%d+\n> ./share/lua/5.4/else.lua\n$", differ)
  end)

  it("does not put the modules of two VMs into one folder", function()
    local output, status = program.run_fresh(("make -s install DESTDIR=%s LIBDIR=/usr/lib/lua/5.4"):format(folder))
    assert.equal(2, status)
    assert.matches("^handoff: LIBDIR=/usr/lib/lua/5.4 is one folder for lua54 luajit: write %% [^\n]+\n", output)
    assert.equal("", listed "-type f")
    make(("install VMS=lua54 DESTDIR=%s PREFIX=/usr LIBDIR=/usr/lib/lua/5.4"):format(folder))
    assert.equal(folder .. "/usr/lib/lua/5.4/handoff/core.so\n", listed "-name core.so")
  end)
end)
