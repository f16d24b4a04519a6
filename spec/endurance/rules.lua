-- SPDX-License-Identifier: MIT
--- Every fault of handoff.sandbox.faults, as rules that act by chance.
local marks = require "endurance.marks"

local rules = {}

local function status(code, more)
  local rule = more or {}
  rule.fault, rule.status = "status", code
  return rule
end

local function dropped(path, more)
  local rule = more or {}
  rule.fault, rule.method, rule.path = "drop_field", "PUT", path
  return rule
end

local all = {
  status(429, { retry_after = 1 }), status(429, { retry_date = 1 }), status(429), status(500), status(502),
  status(503, { retry_after = 1 }), status(504), status(400), status(401), status(403),
  status(500, { handled = true }), status(503, { handled = true }),
  { fault = "html" }, { fault = "html", status = 200, handled = true }, { fault = "not_json" },
  { fault = "not_json", handled = true }, { fault = "redirect" },
  { fault = "reset" }, { fault = "reset_after" }, { fault = "close" }, { fault = "close", handled = true },
  { fault = "hang" }, { fault = "hang", handled = true }, { fault = "truncate" }, { fault = "truncate", bytes = 0 },
  { fault = "length" }, { fault = "length", by = 7 }, { fault = "garbage" }, { fault = "huge" },
  { fault = "drip", bytes = 400, every = 2 }, { fault = "drip", bytes = 1, every = 50 },
  { fault = "edit", path = "settings.keywords", value = { "before", "it" } },
  { fault = "edit", path = "settings.confirmation_message", value = marks.theirs },
  { fault = "edit", when = "after", merge = { settings = { question_message = "After?" }, later = { 1 } } },
  dropped "availability", dropped "custom_guidelines", dropped "settings.confirmation_message",
}
-- An answer that says what was not done: only who reads once more can know.
local lies = { dropped("availability", { echo = true }), dropped("custom_guidelines", { echo = true }) }

--- Rules that act on that part of all requests.
-- @param with_lies whether an answer to a PUT may say what was not done, too
function rules.at_random(part, with_lies)
  local list = {}
  for _, rule in ipairs(all) do list[#list + 1] = rule end
  for _, rule in ipairs(with_lies and lies or {}) do list[#list + 1] = rule end
  for _, rule in ipairs(list) do rule.chance = part / #list end
  return list
end

return rules
