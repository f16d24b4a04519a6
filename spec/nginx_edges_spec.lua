-- SPDX-License-Identifier: MIT
-- What handoff.nginx says to code that calls it as it is not meant.
if not rawget(_G, "jit") then return end -- nginx has its own VM, the same whichever runs the tests

local openresty = require "support.openresty"

describe("handoff.nginx", function()
  local server
  setup(function()
    server = openresty.start { http = [[
      init_by_lua_block {
        hn = require "handoff.nginx"
        cache = assert(hn.cache { { name = "one", token = "t" } })
        too_early = select(2, pcall(cache.start, cache))
      } ]] }
  end)
  teardown(function() server:stop() end)

  local refusals = {
    ['hn.transport { carrier = "pigeon" }'] =
      'handoff.nginx.transport: carrier: one of "threads", "resty-http" expected',
    ["hn.transport { loop = {} }"] = "handoff.nginx.transport: it has a loop of its own; leave loop out",
    ['hn.fleet({}, "threads")'] = "handoff.nginx.fleet: a table of options expected, got string",
    ['hn.cache({}, { dict = "none" })'] = 'handoff.nginx.cache: dict: nginx has no shared dictionary "none"; '
      .. "add the line `lua_shared_dict none 16m;` within http",
    ['cache:put("one", {})'] = "cache:put: a configuration expected, got table",
    ["error(too_early)"] = "cache:start: it belongs in init_worker_by_lua_block: there are no timers before",
    ['hn.status { cache = cache, agent = "one", origins = {} }'] = "hn.status: origins: "
      .. 'a list of origins expected, { "https://www.example.com" }, or "*" for all',
  }
  for code, message in pairs(refusals) do
    it("refuses " .. code, function()
      local told = server:run("local _, err = pcall(function() " .. code .. " end) return tostring(err)")
      assert.equal(message, (told:gsub("^%S+:%d+: ", "")))
    end)
  end

  it("has no cache of an inventory that cannot be read", function()
    assert.matches("^/nowhere/agents.lua: the inventory cannot be read: ",
      server:run 'return select(2, hn.cache "/nowhere/agents.lua")')
  end)
end)
