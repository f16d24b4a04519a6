-- SPDX-License-Identifier: MIT
--- The verb simulate: of what is live, of files, of a saved plan.
local command = require "support.command"
local json = require("handoff.core").json

local stored = [[{
  "settings": {"is_active": true, "keywords": ["agent"], "ai_summary_active": false,
    "topic_based_routing_active": false, "question_message": "Shall I?", "confirmation_message": "Wait.",
    "confirmation_outside_working_hours_message": "Later.", "working_hours_active": true, "timezone": "Europe/London",
    "send_email_notification": true, "emails": ["desk@example.com"]},
  "availability": [{"id": 1, "day_span": "monday-friday", "start_time": "09:00", "end_time": "17:00"}],
  "generic_guidelines": [{"name": "media_message", "description": "", "is_active": true}], "custom_guidelines": [],
  "routing_profiles": [{"id": 3, "name": "Billing", "description": "-", "is_active": false, "user_ids": [7, 9]}]}]]

describe("simulate", function()
  local box
  setup(function()
    box = command.sandbox(2)
    box.box:store("shop-uk", stored)
  end)
  teardown(function() box:stop() end)

  local function out(words, status)
    local ran = box:run(words)
    assert.same({ "", status or 0 }, { ran.err, ran.status }, words)
    return ran.out
  end

  it("tells what is live, step by step", function()
    assert.equal([[
shop-uk, Fri 27 Nov 2026 16:59 Europe/London: open until Fri 27 Nov 2026 17:00
 1. the message has the keyword "agent" in it, which asks for a handoff [step 1]
 2. the documents do not say whether a visitor who typed a keyword is asked, too; taken as asked [not documented]
 3. the visitor reads settings.question_message [step 2]
 4. the visitor says yes [step 2]
 5. it is inside working hours [step 3]
 6. the visitor reads settings.confirmation_message [step 3]
 7. the conversation goes to a human, without a summary: settings.ai_summary_active is not true [step 3]
 8. topic-based routing is not active, so the default holds [step 5]
 9. settings.emails is notified: desk@example.com [step 5]
Outcome: the conversation goes to a human
The visitor reads: "Shall I?", settings.question_message
The visitor reads: "Wait.", settings.confirmation_message
Notified: desk@example.com
]], out "simulate shop-uk --message 'An agent, please!' --answer yes --topic Billing --at 2026-11-27T16:59")
  end)

  it("tells it as JSON", function()
    local record = assert(json.decode(out "simulate shop-uk --guideline media_message --at 2026-11-27T17:00Z --json"))
    assert.same({
      format_version = 1, agent = "shop-uk", at = "2026-11-27T17:00:00+00:00", timezone = "Europe/London", open = false,
      reason = "closed", next_change = "2026-11-30T09:00:00+00:00", outcome = "unanswered", summary = false,
      reads = { { field = "settings.question_message", text = "Shall I?" } },
      notified = { user_ids = {}, emails = {}, undecided = false },
      steps = {
        { rule = "guideline", source = "step 1", text = 'the guideline "media_message" applies and is active' },
        { rule = "question", source = "step 2", text = "the visitor reads settings.question_message" },
        { rule = "unanswered", source = "step 2", text = "what the visitor answers is not said" },
      },
    }, record)
  end)

  it("tells the same of files, and requests nothing", function()
    local words = "simulate shop-uk --guideline media_message --answer yes --at 2026-11-29T12:00"
    local live = out(words)
    local ran = box:run "pull state"
    assert.equal(0, ran.status, ran.err)
    box.box:reset()
    assert.equal(live, out(words .. " --from state"))
    assert.equal(live, out(words .. " --from state/shop-uk.lua"))
    assert.equal(0, box.box:ledger().total)
  end)

  it("takes topics as they will be routed, of a plan", function()
    local edit = "'routing_profiles[\"Billing\"].is_active=true'"
    local words = "simulate shop-uk --answer yes --topic Billing --at 2026-11-27T10:00"
    assert.equal(0, box:run(("plan %s --select name=shop-uk -o new.plan"):format(edit)).status)
    assert.truthy(out(words):find("Notified: desk@example.com\n", 1, true))
    assert.truthy(out(words .. " --from new.plan"):find("Notified: operators 7, 9\n", 1, true))
    assert.equal(0, box:run(("set %s --select name=shop-uk --yes"):format(edit)).status)
    assert.truthy(out(words):find("Notified: operators 7, 9\n", 1, true))
  end)

  it("says why nothing can be told", function()
    box.box:store("shop-uk", (stored:gsub("Europe/London", "Nowhere")))
    local ran = box:run "simulate shop-uk"
    assert.same({ "", 1 }, { ran.out, ran.status })
    assert.truthy(ran.err:find "^handoff simulate: settings%.timezone: [^\n]+\n$", ran.err)
  end)
end)
