-- SPDX-License-Identifier: MIT
--- A finalizer that closed the server while `next` copied a request left it to copy freed memory.
local gc = require "support.gc"
local serve = require "handoff.serve"

describe("a server that a finalizer closes", function()
  it("is closed for the next that is under way", function()
    local server = assert(serve.new())
    local client = io.popen(("env -u LD_PRELOAD curl -s -m 20 http://127.0.0.1:%d/ || true"):format(server:port()))
    while server:connections() == 0 do server:step(20) end
    for _ = 1, 100 do server:step(0.1) end -- each comes back at once when the request is there
    local function close() server:close() end
    -- next drops its second argument before it looks for a request, and nothing else holds this one.
    local ok, err = pcall(function(object)
      gc.restless()
      return server.next(server, object())
    end, function() return gc.finalizer(close) end)
    gc.restful()
    client:close()
    server:close()
    assert.is_false(ok)
    assert.matches("the server is closed", err)
  end)
end)
