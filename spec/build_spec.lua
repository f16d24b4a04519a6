-- SPDX-License-Identifier: MIT
-- What the Makefile builds: of a half-equipped machine, of another version of Lua, and the same bytes each time.
local program = require "support.program"

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

-- What follows is the same whichever VM the tests run on.
if program.vm ~= "lua54" then return end

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

describe("a build", function()
  local folder
  before_each(function() folder = program.folder() end)
  after_each(function() program.remove(folder) end)

  -- Lua files, modules with what a debugger reads in them, the command, its manual and its completions.
  it("of the same sources installs the same bytes, wherever, whenever and however it is made", function()
    local install = "cd %s && umask %s && make -s -j%d install VMS=lua54 CFLAGS='-O0 -g' DESTDIR=%s/%s PREFIX=/usr"
    local places = { "tree", "of/another/name" }
    local env = { { TZ = "UTC", LC_ALL = "C" }, { TZ = "Asia/Tokyo", LC_ALL = "de_DE.UTF-8", LUA_INIT = "" } }
    for i, place in ipairs(places) do
      local tree = folder .. "/" .. place
      program.run(("mkdir -p %s && cp -R Makefile README.md csrc lua examples %s"):format(tree, tree))
      local output, status = program.run_fresh(install:format(tree, i == 1 and "022" or "077", i, folder, i), env[i])
      assert.equal(0, status, output)
    end
    assert.equal("", (program.run(("diff -r %s/1 %s/2"):format(folder, folder))))
    local sections = program.run(("readelf -S %s/1/usr/lib/lua/5.4/handoff/core.so"):format(folder))
    assert.truthy(sections:find(".debug_info", 1, true), sections)
  end)

  it("for Lua 5.3 is made when it is asked for", function()
    -- The tests are to try that build, not what lies in build/.
    local own = program.write(folder .. "/own_spec.lua", ([[
      it("x", function() assert.equal(%q, package.cpath:match "^[^;]+") end)
    ]]):format(folder .. "/lua53/?.so"))
    local output, status = program.run_fresh(
      ("make -s test-lua53 CFLAGS=-O0 SPEC='spec/list_spec.lua spec/parts_spec.lua %s'"):format(own),
      { BUILD = folder })
    assert.equal(0, status, output)
    assert.matches("\n%d+ passed, 0 failed\n$", output)
  end)
end)
