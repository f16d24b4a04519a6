-- SPDX-License-Identifier: MIT
-- A new agent from a template: put it into agents.lua, with its tags, then
--
--     handoff apply examples/recipes/onboard_agent.lua --select name=shop-nl --test examples/policy
--
-- What differs from agent to agent follows from its tags and its name. Running it again changes nothing; what the template
-- does not name stays.

local handoff = require "handoff"

local REGIONS = {
  eu = { timezone = "Europe/Berlin", hours = "mon-fri 09:00-17:30" },
  us = { timezone = "America/New_York", hours = "mon-fri 09:00-18:00, sat 10:00-14:00" },
}

return function(cfg, agent)
  local region = REGIONS[agent.tags.region]
  -- What an edit returns as nil and a reason is that agent's failure; the others go ahead.
  if not region then return nil, "its tag region is none of the template's; give it one, or add that here" end

  local settings = cfg.settings
  settings.is_active = true
  settings.working_hours_active = true
  settings.timezone = region.timezone
  settings.question_message = "Would you like to talk to one of us?"
  settings.confirmation_message = "One moment, somebody will be with you."
  settings.confirmation_outside_working_hours_message = "We are not here right now. Leave a message, and we write back."
  settings.send_email_notification = true
  settings.emails = { "desk@" .. agent.name .. ".example", "lead@" .. agent.name .. ".example" }
  settings.keywords:add "speak to a human"
  cfg.availability = handoff.week(region.hours)
  cfg.custom_guidelines:upsert {
    name = "Refund over 500", description = "The visitor asks for a refund of more than 500 EUR.", is_active = true,
  }
  cfg.routing_profiles:upsert {
    name = "Billing", description = "Invoices, payments, refunds, a card that was declined.", is_active = true,
    user_ids = { 7, 8 },
  }
end
