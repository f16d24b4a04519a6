-- SPDX-License-Identifier: MIT
local failure = require "handoff.command.failure"
local status = require "handoff.command.status"

local function check_output(ctx)
  local format, path = ctx.args.format, ctx.args.output
  local is_form = format ~= nil and format ~= "text"
  if path and not is_form then
    failure.raise(status.misuse, "--output: it takes a report; give --format tap or --format junit, too")
  end
  if ctx.json and is_form and not path then
    failure.raise(status.misuse, "--format: --json is a form of its own; leave one out, or name a file with --output")
  end
  return is_form and format
end

local function write_file(path, text)
  local ok, why = require("handoff.core").file.replace(path, text)
  if not ok then
    failure.raise(status.failed, ("%s: the report cannot be written: %s; name another file"):format(path, why))
  end
end

local function tell(ctx, result, format)
  local policies, path = require "handoff.command.policies", ctx.args.output
  local text = format and require("handoff.policy." .. format)(result)
  if text and path then write_file(path, text) end
  if text and not path then return ctx.out:write(text) end
  if ctx.json then policies.record(ctx, result) else policies.show(ctx, result) end
end

return {
  summary = "hold agents against policies: what is expected of them, as tests", group = "look",
  arguments = {
    { name = "policies", metavar = "FILE", args = "+", help = "a Lua script with tests, or a folder of such" },
  },
  flags = {
    "agents", "requests", "from",
    { name = "at", metavar = "TIME", help = "when it is now, for times such as 'sat 11:00'" },
    { name = "format", choices = { "text", "tap", "junit" }, help = "of the report (text)" },
    {
      name = "output", short = "o", metavar = "FILE", convert = require("handoff.command.convert").file,
      help = "the report goes there, and a text for people here",
    },
  },
  details = "Each test of the scripts runs once for every agent that it is for, on a copy of its configuration. "
    .. "Failures are told once with the agents that they are the same for. An agent that cannot be read is a failure, "
    .. "and so is it that no test ran. Exit status: 0 where every test passed, else 1." .. [[


A test is written as for busted:

  describe("hours", "region=eu", function()
    it("are open on saturday", function(agent)
      expect(agent):open_at "sat 11:00"
    end)
  end)

What can be expected of an agent, with .never before it for the contrary:

  open_at        "sat 11:00": of its own zone; closed_at, too
  hands_over     { message = "agent please" }: to a human, see `handoff simulate`
  routes         ("Billing", {7}): to these operators, in any order
  notifies       { emails = {"ops@example.com"} }: or user_ids, or both
  says           ("outside", "Monday"): or "question", "confirmation"
  has            ("settings.timezone", "UTC"): any path; with [*] every item
  passes_check   { "sent_unknown" }: finds nothing, but for these rules

Of any value: equals, contains, at_least, at_most.
]],
  examples = {
    { "handoff test policy/ --select region=eu", "the scripts of a folder, over some agents as they are" },
    { "handoff test policy/ --from agents/ --format junit -o report.xml", "files of desired state, for a CI server" },
    { "handoff apply edit.lua --test policy/", "written only where what would be written passes" },
  },
  run = function(ctx)
    local format = check_output(ctx)
    ctx:time()
    local suite = require("handoff.command.policies").load(ctx.args.policies)
    local list = require("handoff.command.documents").look(ctx, function(cfg, agent)
      return suite:hold(cfg, agent, { at = ctx.args.at })
    end)
    local report = suite:report()
    for _, one in ipairs(list) do
      if one.value then report:add(one.agent, one.value) else report:add_unreadable(one.agent, one.error) end
    end
    local result = report:finish()
    tell(ctx, result, format)
    return result.ok and status.done or status.failed
  end,
}
