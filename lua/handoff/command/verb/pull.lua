-- SPDX-License-Identifier: MIT
local plain = require "handoff.plain"
local status = require "handoff.command.status"

local signs = { new = { "green", "+" }, changed = { "yellow", "~" } }

local function record(ctx, result)
  local done, err = result.value, result.error
  ctx:record {
    agent = result.agent, status = done and done.status or result.status, file = done and done.path,
    left_out = done and require("handoff.core").json.array(done.left_out),
    error = err and require("handoff.command.wording").record(err),
  }
end

-- What cannot be written is often the same for many agents, and is said once, when files are written.
local function note_left_out(ctx, results)
  local order, counts = {}, {}
  for _, result in ipairs(results) do
    local done = result.value
    for _, path in ipairs(done and done.status ~= "unchanged" and done.left_out or {}) do
      if not counts[path] then order[#order + 1], counts[path] = path, 0 end
      counts[path] = counts[path] + 1
    end
  end
  for _, path in ipairs(order) do
    ctx:note(("left out of %s: %s; desired state cannot have it, and it stays as it is live"):format(
      ctx:plural(counts[path], "file"), path))
  end
end

local function tell(ctx, results)
  local counts = { new = 0, changed = 0, unchanged = 0, failed = 0, untouched = 0 }
  for _, result in ipairs(results) do
    local what = result.value and result.value.status or result.status
    counts[what] = counts[what] + 1
    if ctx.json then
      record(ctx, result)
    elseif signs[what] then
      ctx:say(ctx.out:paint(signs[what][1], signs[what][2]) .. " " .. plain(result.value.path))
    end
  end
  note_left_out(ctx, results)
  require("handoff.command.documents").failures(ctx, results)
  if counts.untouched > 0 then
    ctx:note(("interrupted: %s not asked; pull again for the rest"):format(ctx:plural(counts.untouched, "agent")))
  end
  if ctx.json then return end
  ctx:say(("Pulled: %d new, %d changed, %d unchanged, %d failed."):format(counts.new, counts.changed, counts.unchanged,
    counts.failed))
end

return {
  summary = "write every agent's configuration into a file, to be kept in git", group = "files",
  arguments = {
    { name = "folder", metavar = "DIR", args = "?", help = "where the files are (agents)" },
  },
  flags = {
    "agents", "requests",
    { name = "format", choices = { "lua", "json" }, default = "lua", help = "of new files (lua); others keep theirs" },
  },
  details = "Writes a file an agent, named after it, with all that can be edited, ids included; what the service\n"
    .. "derives and fields that this version does not know are left out, and stay as they are live. In a file\n"
    .. "of Lua comments, order and layout stay where nothing changed. A new file can be read by its owner only:\n"
    .. "it holds e-mail addresses.",
  examples = {
    { "handoff pull", "a file an agent into the folder agents" },
    { "handoff pull live --select region=eu --format json", "some agents, as JSON, into the folder live" },
  },
  run = function(ctx)
    local desired = require "handoff.desired"
    local folder, format = ctx.args.folder or "agents", ctx.args.format
    local function save(one, agent)
      local cfg, err = one:get()
      if not cfg then return nil, err end
      return desired.save(cfg, folder, agent.name, format)
    end
    local fleet = ctx:fleet()
    local run, err = require("handoff.command.progress").during(ctx, fleet, "reading", function(opts)
      return fleet:each(save, opts)
    end)
    require("handoff.command.failure").check(run, err)
    tell(ctx, run.results)
    if run.counts.untouched then return status.interrupted end
    return status.of_run(run)
  end,
}
