-- SPDX-License-Identifier: MIT
--- A finalizer that closed the engine while submit read the request left it to submit to freed memory.
local core = require "handoff.core"

local newproxy = rawget(_G, "newproxy")

local function finalizer(fn)
  if not newproxy then return setmetatable({}, { __gc = fn }) end
  local proxy = newproxy(true)
  getmetatable(proxy).__gc = fn
  return proxy
end

describe("an engine that a finalizer closes", function()
  it("is closed for the submit that is under way", function()
    local request = { method = "GET", url = "http://127.0.0.1:1/" }
    for _ = 1, 300 do
      local engine = core.http.engine()
      finalizer(function() engine:close() end)
      local ok, err
      repeat ok, err = pcall(engine.submit, engine, request, { timeout = 1, connect_timeout = 1 }, true) until not ok
      assert.matches("the engine is closed", err)
    end
  end)
end)
