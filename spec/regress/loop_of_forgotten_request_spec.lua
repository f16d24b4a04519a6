-- SPDX-License-Identifier: MIT
--- Where the stack could not grow for a wait, its request was under way and nobody's: the loop could not be closed any more. Here
-- pcall cannot be called, as it is with too little memory (`make torture` tries that).
local loops = require "handoff.loop"
local nginx = require "support.nginx"

local function fails_to_wait(loop, request)
  local jit_module = rawget(_G, "jit")
  if jit_module then jit_module.off() end
  local ok, err = pcall(function()
    debug.sethook(function()
      if debug.getinfo(2, "f").func ~= pcall then return end
      debug.sethook()
      error("no stack", 0)
    end, "c")
    loop:request(request, {}, true)
  end)
  debug.sethook()
  if jit_module then jit_module.on() end
  return not ok and err
end

describe("a loop with a request for which nobody waits", function()
  local server
  setup(function() server = nginx.start() end)
  teardown(function() server:stop() end)

  it("can be closed, and used on", function()
    local loop = loops.new()
    local request = { method = "GET", url = server.http .. "/count?of=this" }
    assert.equal("no stack", fails_to_wait(loop, request))
    assert.equal(1, loop.transfers)
    loop:close()
    assert.equal(200, loop:request(request, {}, true).status)
    loop:close()
  end)
end)
