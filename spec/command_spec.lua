-- SPDX-License-Identifier: MIT
-- The frame of the command: finding verbs, flags and variables, streams, exit statuses.
local command = require "support.command"

local run = command.run

describe("the command", function()
  it("lists its verbs, and says what one takes", function()
    local all = run "--help"
    assert.equal(0, all.status)
    assert.matches("\n  version +say which version", all.out)
    local one = run "version --help"
    assert.equal(0, one.status)
    assert.matches("Usage: handoff version", one.out, 1, true)
    assert.equal(one.out, run("help version").out)
  end)

  it("refuses a verb and a flag that it does not know, with the nearest", function()
    local ran = run "versoin"
    assert.same({ 64, "handoff: versoin: no such verb; did you mean version?\n" }, { ran.status, ran.err })
    ran = run "version --jsn"
    assert.equal(64, ran.status)
    assert.matches("did you mean '--json'", ran.err, 1, true)
    assert.equal("", ran.out)
  end)

  it("takes flags from the environment, strictly", function()
    assert.matches('"format_version":1', run("version", { env = { HANDOFF_JSON = "true" } }).out, 1, true)
    local ran = run("version", { env = { HANDOFF_JSON = "yes" } })
    assert.same({ 64, 'handoff version: HANDOFF_JSON: true or false expected, got "yes"\n' }, { ran.status, ran.err })
    ran = run("version", { env = { HANDOFF_JSNO = "true" } })
    assert.same({ 64, "handoff version: HANDOFF_JSNO: no such variable; did you mean HANDOFF_JSON?\n" },
      { ran.status, ran.err })
  end)

  it("says that its output cannot be written, and goes quietly when nobody reads it", function()
    local ran = run("version", { after = ">/dev/full" })
    assert.equal(1, ran.status)
    assert.matches("standard output: it cannot be written: No space left on device", ran.err, 1, true)
    ran = run("version", { after = "| true" })
    assert.same({ 0, "" }, { ran.status, ran.err })
  end)
end)
