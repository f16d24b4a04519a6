-- SPDX-License-Identifier: MIT
local faults = require "support.faults"
local handoff = require "handoff"
local transport = require "handoff.transport"

-- HANDOFF_OUTCOMES=1 prints what happened as a table.
describe("an update", function()
  faults.tests { update = function(box, place, method)
    return faults.update(place, method, handoff.client, transport.default(),
      { token = box.agents[faults.agent].token, base_url = box.base_url })
  end }
end)
