-- SPDX-License-Identifier: MIT
--- What an undo had put back, under an id of its own, the undo of the run before it left there, and told it as changed.
local json = require("handoff.core").json
local program = require "support.program"
local sandbox = require "support.sandbox"

describe("two runs that are taken back, the later one first", function()
  local box, folder
  setup(function()
    box = sandbox.start { agents = 1, no_rate_limit = true }
    folder = program.folder()
  end)
  teardown(function()
    box:stop()
    program.remove(folder)
  end)

  -- What an agent has, whatever the service's ids.
  local function content()
    local document = json.decode(box:document "shop-uk")
    for _, part in ipairs { "availability", "custom_guidelines" } do
      for _, item in ipairs(document[part]) do item.id = nil end
    end
    return document
  end

  it("leave what was there before both", function()
    local fleet, before, ids = box:fleet(folder .. "/history.db"), content(), {}
    for round = 1, 2 do
      ids[round] = assert(fleet:update(function(cfg)
        cfg.custom_guidelines:remove { name = "Round 1" }
        cfg.custom_guidelines:add { name = ("Round %d"):format(round), description = "Once.", is_active = true }
        cfg.availability:remove { day_span = "sunday", start_time = "04:01" }
        cfg.availability:add { day_span = "sunday", start_time = ("04:0%d"):format(round), end_time = "05:00" }
      end)).id
    end
    for round = 2, 1, -1 do assert.same({ changed = 1 }, assert(fleet:undo(ids[round])).counts) end
    assert.same(before, content())
  end)
end)
