-- SPDX-License-Identifier: MIT
local core = require "handoff.core"
local jwt = require "support.jwt"
local seed = require "handoff.sandbox.seed"

local claims = core.token.unverified_claims

describe("token.unverified_claims", function()
  it("says what a token of the sandbox says", function()
    local issued = 1767225600
    local said = claims(seed.agent(1, 1, "read_all", issued).token)
    assert.equal("read_all", said.scope)
    assert.equal(issued + 52 * 7 * 24 * 3600, said.exp)
    assert.matches("^%l+$", said.scenario_id)
  end)

  it("gives a scenario as a text that tells it apart, whatever it is in the token", function()
    for written, text in pairs {
      ['"shop"'] = "shop", ['"\\u0073hop \\"1\\""'] = 'shop "1"', ["17"] = "17", ["-4"] = "-4",
      ["9007199254740993"] = "9007199254740993", ["123456789012345678901234567890"] = "123456789012345678901234567890",
    } do
      assert.equal(text, claims(jwt(('{"scenario_id":%s}'):format(written))).scenario_id)
    end
  end)

  it("leaves out what is missing or of another type", function()
    for _, text in ipairs {
      "{}", '{"scenario_id":null,"scope":null,"exp":null}', '{"scenario_id":true,"scope":1,"exp":"1767225600"}',
      '{"scenario_id":{"a":1},"scope":["read_all"],"exp":[]}', '{"exp":1e400}',
    } do
      assert.same({}, claims(jwt(text)), text)
    end
  end)

  it("reads an expiry between two seconds", function()
    assert.equal(1767225600.5, claims(jwt '{"exp":1767225600.5}').exp)
    assert.equal(-1, claims(jwt '{"exp":-1}').exp)
  end)

  it("gives nil for what is no JWT", function()
    local token = jwt '{"exp":1}'
    for _, text in ipairs {
      "", "secret", "a.b.c", token .. "=", token .. ".x", "." .. token, "Bearer " .. token, jwt "[]", jwt "1",
      jwt '{"exp":1,"exp":2}', jwt '{"exp":', jwt '"\255"', token .. ("A"):rep(65536), ("."):rep(1e6),
    } do
      assert.is_nil(claims(text))
    end
  end)

  it("takes a text only, and says no more than that", function()
    for _, value in ipairs { 1, true, {}, print } do
      local ok, err = pcall(claims, value)
      assert.is_false(ok)
      assert.matches("string expected, got " .. type(value), err)
    end
  end)
end)
