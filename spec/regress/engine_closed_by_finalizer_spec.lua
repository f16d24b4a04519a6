-- SPDX-License-Identifier: MIT
--- A finalizer that closed the engine while submit read the request left it to submit to freed memory.
local core = require "handoff.core"
local gc = require "support.gc"

describe("an engine that a finalizer closes", function()
  it("is closed for the submit that is under way", function()
    local engine, request = core.http.engine(), { method = "GET", url = "http://127.0.0.1:1/" }
    local function close() engine:close() end
    -- submit drops its fifth argument before it reads the request, and nothing else holds this one.
    local ok, err = pcall(function(object)
      gc.restless()
      return engine.submit(engine, request, {}, true, object())
    end, function() return gc.finalizer(close) end)
    gc.restful()
    assert.is_false(ok)
    assert.matches("the engine is closed", err)
  end)
end)
