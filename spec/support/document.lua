-- SPDX-License-Identifier: MIT
--- A whole document as the service might send it, spaced so that a part written anew differs from how it came; and its parts.
local handoff = require "handoff"
local assert = require "luassert"

local document = {}

document.parts = { "settings", "availability", "generic_guidelines", "custom_guidelines", "routing_profiles", "voice" }

local text = {
  settings = [==[{
    "is_active": true, "keywords": ["speak to human", "agent", "Mensch 😀"],
    "ai_summary_active": false, "topic_based_routing_active": true,
    "question_message": "Shall I connect you?", "confirmation_message": "Somebody will be with you.",
    "confirmation_outside_working_hours_message": "We are back at nine.",
    "working_hours_active": true, "timezone": "Europe/Berlin",
    "send_email_notification": true, "emails": ["zoë@example.com", "b@example.org"],
    "beta_flags": {"list": [], "object": {}, "big": 12345678901234567890, "deep": [{"a": [null]}]} }]==],
  availability = [==[[ {"id": 1, "day_span": "monday-friday", "start_time": "09:00", "end_time": "17:30"},
    {"id": 2, "day_span": "saturday", "start_time": "10:00", "end_time": "14:00", "note": []},
    {"id": 3, "day_span": "sunday", "start_time": "10:00", "end_time": "12:00"} ]]==],
  generic_guidelines = [==[[ {"name": "user_frustration", "description": "angry", "is_active": true},
    {"name": "media_message", "description": "a picture", "is_active": false},
    {"name": "brand_new_one", "description": "from the future", "is_active": false} ]]==],
  custom_guidelines = [==[[ {"id": 9007199254740993, "name": "Refund", "description": "Asks for money.",
      "is_active": true,
      "color": "red", "tags": []},
    {"id": 8, "name": "Legal", "description": "Speaks of a lawyer.", "is_active": false} ]]==],
  routing_profiles = [==[[ {"id": 21, "name": "Billing", "description": "Invoices.", "is_active": true,
      "user_ids": [5, 6]},
    {"id": 22, "name": "Tech", "description": "Errors.", "is_active": true, "user_ids": []} ]]==],
  voice = [==[{"models": [], "rate": 1.50, "nested": {"list": [1, [2, {}]]}, "none": null}]==],
}

--- The text of a document; `other` replaces parts' texts, or adds some (a list of {name, text}).
function document.text(other, more)
  local members = {}
  for i, name in ipairs(document.parts) do
    members[i] = ('  "%s" : %s'):format(name, other and other[name] or text[name])
  end
  for _, pair in ipairs(more or {}) do members[#members + 1] = ('"%s":%s'):format(pair[1], pair[2]) end
  return "{\n" .. table.concat(members, " ,\n") .. "\n}\n"
end

--- The text of a part, as `text` has it.
function document.part(name) return text[name] end

--- A configuration of such a text.
function document.new(other, more) return assert(handoff.config(document.text(other, more))) end

--- What the call raises.
function document.raised(...)
  local ok, err = pcall(...)
  assert.is_false(ok, "nothing was raised")
  return err
end

--- The edit is refused at the spec's own place, and changes nothing → the error.
function document.refused(cfg, edit, path, rule)
  local before, canonical = cfg:text(), cfg:json()
  local err = document.raised(edit, cfg)
  assert.same({ "invalid", path, rule }, { err.kind, err.path, err.rule })
  assert.is_string(err.message)
  assert.truthy(tostring(err):find "^[^\n]*_spec%.lua:%d+: [^\n]+$", tostring(err))
  assert.equal(before, cfg:text())
  assert.equal(canonical, cfg:json())
  return err
end

return document
