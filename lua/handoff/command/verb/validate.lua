-- SPDX-License-Identifier: MIT
local columns = require "handoff.columns"
local core = require "handoff.core"
local desired = require "handoff.desired"
local plain = require "handoff.plain"
local status = require "handoff.command.status"

local width_of = columns.of_character

local colours = { error = "red", warning = "yellow" }

-- A line of a file as a terminal may have it.
local function shown_line(line)
  if not core.schema.utf8_length(line) then line = line:gsub("[\128-\255]", "?") end
  return (line:gsub("\t", " "):gsub("%c", "?"):gsub("\194[\128-\159]", "?"))
end

local function characters(line)
  local list = {}
  for character in line:gmatch "[^\128-\191][\128-\191]*" do list[#list + 1] = character end
  return list
end

-- Which of the characters around the column fit into the width: the first and the last.
local function window(all, column, width)
  local first, last = column, column - 1
  local function grow_left(least)
    while first > 1 and width - width_of(all[first - 1]) >= least do
      first, width = first - 1, width - width_of(all[first - 1])
    end
  end
  grow_left(math.floor(width / 2))
  while last < #all and width >= width_of(all[last + 1]) do last, width = last + 1, width - width_of(all[last + 1]) end
  grow_left(0)
  return first, last
end

-- The line and a mark under the column; of a long line what is around it. What is missing is missing behind the line's end.
local function excerpt(all, column, width)
  column = math.min(column, #all + 1)
  local first, last = window(all, column, width)
  local before = 0
  for at = first, column - 1 do before = before + width_of(all[at]) end
  return table.concat(all, "", first, last), (" "):rep(before) .. "^"
end

-- `line` keeps the characters of the line that was shown last: there may be thousands of problems in it.
local function show(ctx, issue, line)
  ctx:say(("%s: %s %s [%s]"):format(plain(issue.path), ctx.out:paint(colours[issue.severity], issue.severity .. ":"),
    plain(issue.message), issue.rule))
  if not issue.source then return end
  if line.source ~= issue.source then line.source, line.all = issue.source, characters(shown_line(issue.source)) end
  local part, mark = excerpt(line.all, issue.column, ctx.out:width() - 2)
  ctx:say("  " .. part)
  ctx:say("  " .. ctx.out:paint(colours[issue.severity], mark))
end

local function record(ctx, issue)
  ctx:record {
    file = issue.file, line = issue.line, column = issue.column, severity = issue.severity, rule = issue.rule,
    message = issue.message,
  }
end

-- What passes has been looked at: a folder without a file is the wrong one.
local function empty(path)
  return { path = path, file = path, severity = "error", rule = "file",
    message = "it has no .lua or .json file; name another folder, or let `handoff pull` write them" }
end

-- The files of desired state at the path, a file or a folder → how many, and all that is wrong with them.
local function check(path)
  local is_folder = core.file.kind(path) == "folder"
  local read, err = (is_folder and desired.folder or desired.read)(path)
  if not read then return err.files or 1, err.issues end
  local files, issues = is_folder and read or { read }, {}
  for _, file in ipairs(files) do
    for _, issue in ipairs(file.warnings) do issues[#issues + 1] = issue end
  end
  if #files == 0 then issues[1] = empty(path) end
  return #files, issues
end

return {
  summary = "check files of desired state, offline", group = "files",
  arguments = { { name = "files", metavar = "FILE", args = "+", help = "files, or folders of them" } },
  flags = {},
  details = "Checks files of desired state, and asks the service nothing. Every problem is shown at its\n"
    .. "FILE:LINE:COLUMN, with the rule's id. A warning is legal, and surely not meant; errors alone make the\n"
    .. "exit status 1.",
  examples = {
    { "handoff validate agents", "all files of the folder agents" },
    { "handoff validate agents/shop-uk.lua", "one" },
  },
  run = function(ctx)
    local files, errors, warnings, line = 0, 0, 0, {}
    for _, path in ipairs(ctx.args.files) do
      local count, issues = check(path)
      files = files + count
      for _, issue in ipairs(issues) do
        (ctx.json and record or show)(ctx, issue, line)
        if issue.severity == "error" then errors = errors + 1 else warnings = warnings + 1 end
      end
    end
    if not ctx.json then
      ctx:say(("Checked: %s, %s, %s."):format(ctx:plural(files, "file"), ctx:plural(errors, "error"),
        ctx:plural(warnings, "warning")))
    end
    return errors > 0 and status.failed or status.done
  end,
}
