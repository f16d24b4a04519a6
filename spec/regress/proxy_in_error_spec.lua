-- SPDX-License-Identifier: MIT
--- The error for a transport's proxy of a wrong type held what was given, password and all.
local transports = require "handoff.transport"

describe("a transport's proxy of a wrong type", function()
  it("is not in the error", function()
    local ok, err = pcall(transports.curl, { proxy = { "http://user:secret@127.0.0.1:3128" } })
    assert.is_false(ok)
    assert.equal("handoff.transport.curl: proxy", err.path)
    assert.is_nil(err.value)
  end)
end)
