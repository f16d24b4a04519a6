-- SPDX-License-Identifier: MIT
-- Replaces a phrase in every text that visitors or the AI read: messages, and the descriptions of guidelines and profiles.
--
--     OLD='Acme Ltd' NEW='Acme Group' handoff plan examples/recipes/replace_phrase.lua      where it stands, nothing is written
--     OLD='Acme Ltd' NEW='Acme Group' handoff apply examples/recipes/replace_phrase.lua     shows that, and asks
--
-- The case counts. Names stay, as items are told apart by them.

local handoff = require "handoff"

local old, new = os.getenv "OLD" or "", os.getenv "NEW"
if old == "" or not new then error("set both: OLD='what is there' NEW='what is to be there'", 0) end
local pattern, by = old:gsub("%p", "%%%0"), new:gsub("%%", "%%%%")

local function replace(object)
  for field, value in handoff.each(object) do
    local is_text = type(value) == "string" and (field == "description" or field:find "_message$")
    if is_text then object[field] = value:gsub(pattern, by) end
  end
end

return function(cfg)
  replace(cfg.settings)
  for _, list in ipairs { cfg.generic_guidelines, cfg.custom_guidelines, cfg.routing_profiles } do
    for _, item in handoff.each(list) do replace(item) end
  end
end
