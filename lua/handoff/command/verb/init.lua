-- SPDX-License-Identifier: MIT

local inventory = [[
-- Who the agents are: their names, where their tokens come from, and tags of your own.
--
-- A token is made in the vendor's dashboard, for one agent. It need not stand here:
--   env "SHOP_UK_TOKEN"         a variable
--   file "tokens/shop-uk"       the first line of a file, its path from here
--   command "pass show shop-uk" the first line that a command prints
--
-- `handoff agents` lists them, by tags too: handoff agents --select 'region=eu tier!=free'
-- `handoff doctor` tells what is wrong with the tokens.
return {
  { name = "shop-uk", token = env "SHOP_UK_TOKEN", tags = { region = "eu", tier = "gold" } },
  { name = "shop-de", token = env "SHOP_DE_TOKEN", tags = { region = "eu", tier = "free" } },
}
]]

local edit = [[
-- A first edit: it is called for every agent, with the agent's configuration and its entry of the inventory.
--
--   handoff plan first-edit.lua                     shows what it would change; nothing is written
--   handoff apply first-edit.lua --select tier=gold shows that of some agents, asks, and writes
--   handoff undo 1                                  takes run 1 back
--
-- Every value is checked where it is set. `handoff explain` tells what there is, and what it means.
local handoff = require "handoff"

return function(cfg, agent)
  cfg.settings.is_active = true

  -- When people answer, in the agent's own time zone. `handoff hours` draws it.
  cfg.settings.working_hours_active = true
  cfg.availability = handoff.week "mon-fri 09:00-17:30"

  -- The guideline of this name is set, or added where there is none.
  cfg.custom_guidelines:upsert {
    name = "Refund over 500",
    description = "The visitor asks for a refund of more than 500 EUR.",
    is_active = true,
  }

  -- Tags tell agents apart.
  if agent.tags.tier == "gold" then cfg.settings.ai_summary_active = true end
end
]]

local policy = [[
-- A first policy: what is expected of your agents, as tests. Each runs once for every agent.
--
--   handoff test first-policy.lua                         holds what agents have now against it
--   handoff apply first-edit.lua --test first-policy.lua  writes only where what would be written passes
--
-- `handoff test --help` tells what can be expected. For some agents only, put a selection before the function:
-- describe("in Europe", "region=eu", function() … end)
describe("where handoff is on", function()
  it("somebody is there on weekdays", function(agent)
    if not agent.config.settings.is_active then return end
    expect(agent):open_at "mon 11:00" -- in the agent's own time zone
    expect(agent):open_at "fri 16:00"
  end)

  it("a visitor is told what happens", function(agent)
    local settings = agent.config.settings
    if not settings.is_active then return end
    expect(agent):says "confirmation"
    if settings.working_hours_active then expect(agent):says "outside" end
  end)
end)
]]

local files = {
  { path = "agents.lua", text = inventory, what = "who the agents are: put in yours" },
  { path = "first-edit.lua", text = edit, what = "an edit to begin with" },
  { path = "first-policy.lua", text = policy, what = "a policy to begin with: tests that edits must pass" },
}

--- Writes it for its owner only; what is there is never written over.
-- @return whether it was written
local function write(file)
  local core, failure = require "handoff.core", require "handoff.command.failure"
  if core.file.kind(file.path) then return false end
  local written, why = core.file.write_private(file.path, file.text)
  if written then return true end
  failure.raise(require("handoff.command.status").failed, ("%s: %s; go to a folder that can be written to"):format(
    file.path, why))
end

return {
  summary = "write an inventory, a first edit and a first policy to begin with", group = "start",
  details = [[
Writes agents.lua, who the agents are, first-edit.lua, and first-policy.lua, tests that an edit
must pass, into this folder, for you alone to read. A file that is there stays as it is. To try it
without an agent of your own, let `handoff sandbox --inventory agents.lua` write the inventory
first, and keep it running.]],
  run = function(ctx)
    for _, file in ipairs(files) do
      local written = write(file)
      if ctx.json then
        ctx:record { path = file.path, written = written }
      elseif written then
        ctx:say(("%s: %s"):format(file.path, file.what))
      else
        ctx:say(file.path .. ": is there already, and stays as it is")
      end
    end
    ctx:note "next: `handoff doctor`, then `handoff plan first-edit.lua`, which writes nothing"
  end,
}
