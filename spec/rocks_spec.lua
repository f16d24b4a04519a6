-- SPDX-License-Identifier: MIT
-- What LuaRocks makes of it, with LuaRocks itself, in empty trees, without a network.
local program = require "support.program"

local script = [[
  local handoff = require "handoff"
  local run = assert(handoff.fleet(...)):update(function(cfg) cfg.settings.confirmation_message = "Coming." end)
  print(run.counts.changed, debug.getinfo(handoff.fleet, "S").source)
]]

-- Trees for 5.1 are filled for LuaJIT, whose headers LuaRocks does not look for by itself.
local headers = program.run("pkg-config --cflags-only-I " .. (program.vm == "luajit" and "luajit" or "lua5.4"))
headers = headers:match "%-I(%S+)"

describe("LuaRocks", function()
  local folder, env
  before_each(function()
    folder = program.folder()
    local name = program.lua:match "[^/]+$"
    local config = ('lua_interpreter = %q\nvariables = { CFLAGS = "-O0 -g -fPIC" }\n'):format(name)
    env = { HOME = folder, TMPDIR = folder, LUAROCKS_CONFIG = program.write(folder .. "/config.lua", config) }
  end)
  after_each(function() program.remove(folder) end)

  local function run(command)
    local output, status = program.run_fresh(command, env)
    assert.equal(0, status, output)
    return output
  end
  local function luarocks(words)
    local command = "luarocks --lua-version=%s --tree=%s/tree %s LUA_INCDIR=%s"
    return run(command:format(program.abi, folder, words, headers))
  end

  -- The library, the command and the sandbox of the tree, from the root folder, with nothing of the checkout in reach.
  local function try_tree()
    local tree = folder .. "/tree"
    local share = ("%s/share/lua/%s"):format(tree, program.abi)
    local handoff = tree .. "/bin/handoff"
    local box = program.sandbox(2, handoff)
    local edit = program.write(folder .. "/edit.lua", script)
    local edited = program.run_fresh(("cd / && %s %s %s"):format(program.lua, edit, box.inventory), {
      LUA_PATH = ("%s/?.lua;%s/?/init.lua;;"):format(share, share),
      LUA_CPATH = ("%s/lib/lua/%s/?.so;;"):format(tree, program.abi),
      XDG_STATE_HOME = folder,
    })
    local read = program.run_fresh(("cd / && %s get --inventory %s %s settings.confirmation_message"):format(handoff,
      box.inventory, box.agents[2].name))
    box.stop()
    assert.equal(("2\t@%s/handoff/fleet.lua\nComing.\n"):format(share), edited .. read)
  end

  it("makes a tree of the checkout", function()
    env.BUILD = folder .. "/build"
    luarocks "make --deps-mode=none"
    try_tree()
  end)

  it("packs HEAD into rocks, the same bytes at any time and place, and installs them", function()
    local pack = "umask %s; .ci/rocks %s %s:%s:%s"
    local first, second = folder .. "/rocks", folder .. "/a/longer/place"
    run(pack:format("022", first, program.abi, program.lua, headers))
    luarocks(("install --deps-mode=none %s/%s/handoff-scm-1.*.rock"):format(first, program.abi))
    try_tree()
    if program.vm ~= "lua54" then return end -- once is enough: the rest is the same for both
    env.TMPDIR, env.TZ, env.LC_ALL = folder .. "/a", "Asia/Tokyo", "de_DE.UTF-8"
    run(pack:format("077", second, program.abi, program.lua, headers))
    assert.equal("", run(("diff -r %s %s"):format(first, second)))
  end)
end)
