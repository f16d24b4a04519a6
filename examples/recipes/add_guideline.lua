-- SPDX-License-Identifier: MIT
-- One more reason for a handoff, for many agents: each that is selected gets the custom guideline "Refund over 500", or has it
-- brought up to date where it is there already.
--
--     handoff apply examples/recipes/add_guideline.lua --select tier=gold

return function(cfg)
  -- `upsert` finds the guideline by its name. Found, its fields are set and its id stays; not found, it is added and the
  -- server gives it an id. So running this twice adds nothing twice. The other guidelines go back exactly as they came.
  cfg.custom_guidelines:upsert {
    name = "Refund over 500",
    description = "The visitor asks for a refund of more than 500 EUR, or says that a promised refund has not arrived.",
    is_active = true,
  }
end
