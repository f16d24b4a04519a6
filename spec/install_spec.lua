-- SPDX-License-Identifier: MIT
-- What a package, a rock and a half-equipped machine get from the Makefile.
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

  local function install(where)
    local output, status = program.run_fresh("make -s install " .. where)
    assert.equal(0, status, output)
  end

  it("lays out what a script elsewhere can require, and uninstall takes it away", function()
    local where = ("DESTDIR=%s PREFIX=/opt/x"):format(folder)
    install(where)
    assert.equal("true\t1\n", (try(folder .. "/opt/x")))
    local staged = program.run(("grep -rIl %s %s/opt"):format(folder, folder))
    assert.equal("", staged)
    local output, status = program.run_fresh("make -s uninstall " .. where)
    assert.equal(0, status, output)
    assert.equal("", (program.run(("find %s -type f"):format(folder))))
  end)

  -- The command is there once, whichever VM the tests run on.
  it("brings a command that runs from anywhere, its manual and its completions", function()
    install("PREFIX=" .. folder)
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
  end)

  it("installs a rock", function()
    -- Trees for 5.1 are filled for LuaJIT, whose headers LuaRocks does not look for by itself.
    local headers = program.vm == "luajit" and program.run("pkg-config --variable=includedir luajit"):gsub("\n", "")
    local command = ("luarocks --lua-version=%s --tree=%s/tree make --deps-mode=none %s"):format(program.abi, folder,
      headers and "LUA_INCDIR=" .. headers or "")
    local config = assert(io.open(folder .. "/config.lua", "w"))
    config:write(("lua_interpreter = %q\n"):format(program.lua:match "[^/]+$"))
    config:close()
    local output, status = program.run_fresh(command,
      { HOME = folder, BUILD = folder .. "/build", LUAROCKS_CONFIG = folder .. "/config.lua" })
    assert.equal(0, status, output)
    assert.equal("true\t1\n", (try(folder .. "/tree")))
    output, status = program.run_fresh(("cd / && %s/tree/bin/handoff version"):format(folder))
    assert.equal(0, status, output)
    assert.matches("^handoff %S+ %(", output)
  end)
end)

describe("the program of a checkout", function()
  it("runs from any folder, however it is called", function()
    local calls = { "lua/bin/handoff", "cd lua/bin && ./handoff", "cd lua && bin/handoff", "cd lua/bin && handoff" }
    for _, where in ipairs(calls) do
      local before, called = where:match "^(.-)(%S+)$"
      local output, status = program.run_fresh(("%s%s %s version"):format(before, program.lua, called))
      assert.equal(0, status, where .. ": " .. output)
    end
  end)

  it("names the package of a module that Lua lacks", function()
    local output, status = program.run_fresh(program.lua .. " lua/bin/handoff version",
      { LUA_PATH = "/nowhere/?.lua", LUA_PATH_5_4 = "/nowhere/?.lua" })
    assert.equal(1, status)
    assert.matches("^handoff: the module argparse is not found by [^\n]*; install it %(Debian: lua%-argparse%)\n$",
      output)
    output, status = program.run_fresh(program.lua .. " lua/bin/handoff version",
      { LUA_CPATH = "/nowhere/?.so", LUA_CPATH_5_4 = "/nowhere/?.so" })
    assert.equal(1, status)
    assert.matches("^handoff: [^\n]*lua%-cjson[^\n]*\n$", output)
  end)
end)

describe("make where something is missing", function()
  local folder
  before_each(function() folder = program.folder() end)
  after_each(function() program.remove(folder) end)

  -- A pkg-config that does not find one of the packages.
  local function make_without(package)
    local shim = assert(io.open(folder .. "/pkg-config", "w"))
    shim:write(('#!/bin/sh\ncase "$*" in *%s*) exit 1;; esac\nexec %s "$@"\n'):format(package,
      (program.run "command -v pkg-config":gsub("\n", ""))))
    shim:close()
    program.run("chmod +x " .. folder .. "/pkg-config")
    local output, status = program.run_fresh("make -s -j2 CFLAGS=-O0",
      { PATH = folder .. ":" .. os.getenv "PATH", BUILD = folder .. "/build" })
    local built = program.run(("cd %s && find build -name '*.so' | sort"):format(folder))
    return output, status, built
  end

  -- What find prints of these modules, as the words name them, for both VMs or one.
  local function modules(names, vm)
    local lines = {}
    for _, of in ipairs { "lua54", "luajit" } do
      for name in names:gmatch "%a+" do
        if not vm or of == vm then lines[#lines + 1] = ("build/%s/handoff/%s.so\n"):format(of, name) end
      end
    end
    return table.concat(lines)
  end

  it("names LuaJIT's package and builds for Lua 5.4", function()
    local output, status, built = make_without "luajit"
    assert.equal(0, status, output)
    assert.equal("handoff: not found: LuaJIT. Debian has it in: libluajit2-5.1-dev or libluajit-5.1-dev\n", output)
    assert.equal(modules("core fold serve zone", "lua54"), built)
  end)

  it("names libmicrohttpd's package and builds the library without the sandbox", function()
    local output, status, built = make_without "libmicrohttpd"
    assert.equal(0, status, output)
    assert.equal("handoff: not found: libmicrohttpd (for the sandbox). Debian has it in: libmicrohttpd-dev\n", output)
    assert.equal(modules "core fold zone", built)
  end)

  it("names GLib's package and builds the library without zones and typed texts", function()
    local output, status, built = make_without "glib-2.0"
    assert.equal(0, status, output)
    for line in output:gmatch "[^\n]+" do
      assert.matches("^handoff: not found: GLib %(.+%)%. Debian has it in: libglib2%.0%-dev$", line)
    end
    assert.not_equal("", output)
    assert.equal(modules "core serve", built)
  end)

  it("names libcurl's package, builds the rest and fails", function()
    local output, status, built = make_without "libcurl"
    assert.equal(2, status, output)
    assert.truthy(output:find("handoff: not found: libcurl. Debian has it in: libcurl4-openssl-dev\n", 1, true), output)
    assert.equal(modules "fold serve zone", built)
  end)

  it("names both VMs' packages where there is none, and fails", function()
    local output, status = make_without "lua"
    assert.equal(2, status, output)
    assert.truthy(output:find("liblua5.4-dev", 1, true), output)
    assert.truthy(output:find("libluajit2-5.1-dev", 1, true), output)
  end)
end)
