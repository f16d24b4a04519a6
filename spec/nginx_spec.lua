-- SPDX-License-Identifier: MIT
-- handoff.nginx inside a real nginx, against a real sandbox.
if not rawget(_G, "jit") then return end -- nginx has its own VM, the same whichever runs the tests

local openresty = require "support.openresty"
local sandbox = require "support.sandbox"

describe("a client inside nginx", function()
  local box, server

  setup(function()
    box = sandbox.start { agents = 3, latency = 5, no_rate_limit = true }
    server = openresty.start {
      env = { HANDOFF_BASE_URL = box.base_url, HANDOFF_TOKEN = box.agents[1].token },
      secrets = { box.agents[1].token },
      server = [[
        location /get { content_by_lua_block {
          local cfg, err = require("handoff.nginx").client{}:get()
          ngx.say(cfg and cfg.settings.timezone or tostring(err))
        } }
      ]],
    }
  end)
  teardown(function()
    server:stop()
    box:stop()
  end)

  it("reads a configuration in content code", function()
    assert.equal("Europe/London\n", server:get "/get".body)
  end)
end)
