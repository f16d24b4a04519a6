-- SPDX-License-Identifier: MIT

-- What is asked, as an event; no profile can be asked for by the name `none`.
local function event_of(args)
  local topic = args.topic
  if topic == "none" then topic = false end
  return { time = args.at, message = args.message, guideline = args.guideline, answer = args.answer, topic = topic }
end

local function write_record(ctx, agent, result)
  local array, time = require("handoff.core").json.array, require "handoff.time"
  local zone, notified = result.timezone and time.zone(result.timezone), result.notified
  ctx:record {
    agent = agent, outcome = result.outcome, steps = array(result.steps), reads = array(result.reads),
    notified = {
      user_ids = array(notified.user_ids), emails = array(notified.emails), undecided = notified.undecided == true,
    },
    summary = result.summary, at = time.iso(result.time, zone), timezone = result.timezone, open = result.open,
    reason = result.reason, next_change = result.next_change and time.iso(result.next_change, zone),
  }
end

return {
  summary = "what the service would do with a message, a guideline, an answer, step by step", group = "look",
  arguments = { { name = "agent", metavar = "AGENT", help = "its name in the inventory" } },
  flags = {
    { name = "message", metavar = "TEXT", help = "what the visitor typed" },
    { name = "guideline", metavar = "NAME", help = "the guideline that the AI finds to apply" },
    { name = "answer", choices = { "yes", "no" }, help = "what the visitor answers to the question" },
    { name = "topic", metavar = "NAME", help = "the routing profile that the AI finds to fit, or none" },
    { name = "at", metavar = "TIME", help = "'fri 18:30', 2026-11-27T18:30Z (now)" },
    "agents", "requests", "from",
  },
  details = "Goes through the documented decisions of the service and says what decided each, what the visitor reads, "
    .. "and who is notified. What the AI would decide is never guessed: it is given with --guideline and --topic. "
    .. "Without --message and --guideline a handoff is taken as asked for. What the documents leave open is marked as "
    .. "not documented.",
  examples = {
    { "handoff simulate shop-uk --message 'an agent, please' --answer yes --at 'fri 18:30'", "a keyword, after hours" },
    { "handoff simulate shop-uk --guideline user_frustration --answer yes --topic Billing", "who would be told" },
    { "handoff simulate shop-uk --from state --answer yes --json", "of a file, for a program" },
  },
  run = function(ctx)
    local documents, failure = require "handoff.command.documents", require "handoff.command.failure"
    ctx:time()
    local list, code = documents.look(ctx, function(cfg) return cfg end)
    documents.failures(ctx, list)
    local cfg = list[1].value
    if not cfg then return code end
    ctx:time(require("handoff.hours").zone(cfg))
    local result = failure.check(require("handoff.simulate").run(cfg, event_of(ctx.args)))
    if ctx.json then return write_record(ctx, list[1].agent, result) end
    ctx:say(("%s, %s"):format(list[1].agent, tostring(result)))
  end,
}
