-- SPDX-License-Identifier: MIT
--- A name that the service had sent stood in an error's path as it came: a line break in it, or what commands a terminal.
local handoff = require "handoff"
local document = require "support.document"

local name, escaped = "a\n\27[31m\194\155b", "a\\u000a\\u001b[31m\\u009bb"

describe("a name with control characters", function()
  local function refused(path, fn)
    local ok, err = pcall(fn)
    assert.is_false(ok)
    assert.equal(path, err.path)
    assert.is_nil(tostring(err):find "[%c\194]")
  end

  it("is escaped in an error's path", function()
    local cfg = assert(handoff.config(document.text { voice = handoff.json.encode { [name] = { list = {} } } }))
    refused("voice." .. escaped .. ".list[1]", function() cfg.voice[name].list = { print } end)
    refused("voice." .. escaped, function() cfg.voice = { [name] = print } end)
    refused("value." .. escaped, function() handoff.json.encode { [name] = print } end)
  end)
end)
