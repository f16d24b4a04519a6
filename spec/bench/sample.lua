-- SPDX-License-Identifier: MIT
--- A document of 4 KB with all parts filled.
local function document()
  local settings = {
    '"is_active": true, "keywords": ["speak to human", "agent", "köszönöm, emberrel beszélnék", "człowiek"]',
    '"ai_summary_active": true, "topic_based_routing_active": true',
    '"question_message": "Would you like me to connect you with one of our colleagues?"',
    '"confirmation_message": "One moment, a colleague will be with you shortly. 🙂"',
    '"confirmation_outside_working_hours_message": "Our team is away. We are here Monday to Friday, 9:00 to 17:30."',
    '"working_hours_active": true, "timezone": "Europe/Warsaw", "send_email_notification": true',
    '"emails": ["support@example.com", "night@example.com"]',
  }
  local slots, generic, custom, profiles = {}, {}, {}, {}
  for i, days in ipairs { "monday-thursday", "friday", "saturday" } do
    slots[i] = ('{"id": %d, "day_span": "%s", "start_time": "09:00", "end_time": "17:30"}'):format(4100 + i, days)
  end
  local names = {
    "user_frustration", "customer_support_suggestion", "lack_of_knowledge", "irrelevant_advice", "media_message",
  }
  for i, name in ipairs(names) do
    generic[i] = ('{"name": "%s", "description": "The usual reason number %d for a handoff.", "is_active": %s}'):format(
      name, i, i % 2 == 0)
  end
  for i = 1, 5 do
    custom[i] = ('{"id": %d, "name": "Guideline %d", "description": "%s", "is_active": true}'):format(880 + i, i,
      ("The visitor asks for a refund, or a café near them. "):rep(3))
  end
  for i = 1, 3 do
    profiles[i] = ('{"id": %d, "name": "Topic %d", "description": "%s", "is_active": true, "user_ids": [%d]}'):format(
      60 + i, i, ("Invoices, payments, a card that was declined. "):rep(3), 7 * i)
  end
  local text = ('{"settings": {%s}, "availability": [%s], "generic_guidelines": [%s], "custom_guidelines": [%s], ' ..
    '"routing_profiles": [%s]}'):format(table.concat(settings, ", "), table.concat(slots, ", "),
    table.concat(generic, ", "), table.concat(custom, ", "), table.concat(profiles, ", "))
  -- The last description makes up what is left of 4 KB.
  assert(#text <= 4096, #text)
  return (text:gsub('("description": "[^"]*)("[^{}]*%]}%]})$', function(before, after)
    return before .. ("."):rep(4096 - #text) .. after
  end))
end

local text = document()
assert(#text == 4096, #text)
return text
