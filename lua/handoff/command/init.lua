-- SPDX-License-Identifier: MIT
--- The command line: `handoff VERB …`. Finds the verb, reads what it is given, runs it, and says what went wrong on one line.
local core = require "handoff.core"
local context = require "handoff.command.context"
local description = require "handoff.command.description"
local environment = require "handoff.command.environment"
local failure = require "handoff.command.failure"
local plain = require "handoff.plain"
local status = require "handoff.command.status"
local stream = require "handoff.command.stream"

local command = {}

local function overview()
  local lines = {
    "Usage: handoff VERB [options]", "",
    "Edits the human handoff configuration of AI chat agents, one or thousands.", "",
  }
  local names = description.names()
  for _, group in ipairs(description.groups) do
    lines[#lines + 1] = group[2] .. ":"
    for _, name in ipairs(names) do
      local verb = description.verb(name)
      if verb.group == group[1] then lines[#lines + 1] = ("  %-11s %s"):format(name, verb.summary) end
    end
    lines[#lines + 1] = ""
  end
  lines[#lines + 1] = "`handoff VERB --help` tells what a verb takes. Exit status: 0 done, 1 failed,"
  lines[#lines + 1] = "2 changes pending, 3 drift, 4 conflict, 5 partly done, 6 refused by a limit,"
  lines[#lines + 1] = "64 misused, 130 interrupted."
  return table.concat(lines, "\n")
end

local function refuse_verb(word)
  if word:find "^%-" then
    failure.raise(status.misuse, ("%s: flags come after the verb; `handoff --help` lists the verbs"):format(word))
  end
  local nearest = core.schema.nearest(word, description.names())
  failure.raise(status.misuse, ("%s: no such verb; %s"):format(word == "" and '""' or word,
    nearest and "did you mean " .. nearest .. "?" or "`handoff --help` lists them"))
end

local function asks_for_help(words)
  for _, word in ipairs(words) do
    if word == "--" then return false end
    if word == "--help" or word == "-h" then return true end
  end
  return false
end

-- Flags of other programs that people try here, and what there is instead.
local elsewhere = {
  ["--dry-run"] = "`handoff plan EDIT` shows what would change, and writes nothing",
  ["-y"] = "--yes goes on without a question",
  ["--force"] = "--yes goes on without a question, and no limit is skipped",
}

-- argparse says what is wrong in a few words → the same with the next step.
local function advise(name, said)
  local flag = said:match "^[Uu]nknown option '(.-)'"
  if elsewhere[flag] then return ("%s: there is no such flag; %s"):format(flag, elsewhere[flag]) end
  if said:find("'--select' must be used at most", 1, true) then
    return "--select: it is there twice; put all terms into one, with blanks between: 'region=eu tier=gold'"
  end
  local message = said:gsub("\n(%u)", function(c) return "; " .. c:lower() end):gsub("^%u%l", string.lower)
  if message:find "%?$" then return message end -- the nearest one that there is
  return ("%s; `handoff %s --help` tells what it takes"):format(message, name)
end

local function parse(name, verb, words)
  local ok, result = description.parser(name, verb):pparse(words)
  if not ok then failure.raise(status.misuse, advise(name, result)) end
  return result
end

local function run(io_, words)
  local name = table.remove(words, 1)
  if not name then
    io_.err:write(overview() .. "\n")
    failure.raise(status.misuse)
  end
  if name == "--help" or name == "-h" or name == "help" and not words[1] then
    return io_.out:write(overview() .. "\n")
  end
  if name == "help" then name, words = words[1], { "--help" } end
  if name == "--version" then name = "version" end
  local verb = description.verb(name)
  if not verb then refuse_verb(name) end
  io_.verb = name
  if asks_for_help(words) then return io_.out:write(description.parser(name, verb):get_help() .. "\n") end
  local args = parse(name, verb, words)
  environment.complete(args, verb, io_.variables)
  io_.open(args.color)
  return verb.run(context.new { args = args, out = io_.out, err = io_.err, verb = name, words = words })
end

-- A mistake that the library found, without the place in this program where it was made; an option is a flag here.
local function mistake(err)
  local path = err.path
  if not path then return err.message end
  local option = path:match "^handoff%.%a+: ([%l_]+)$" or path == "select" and path
  if option then path = "--" .. option:gsub("_", "-") end
  return ("%s: %s"):format(path == "" and '""' or path, require("handoff.command.wording").in_flags(err.message))
end

-- What went wrong, as a status and a line; the line is nil where all is said.
local function judge(raised)
  if failure.is(raised) then return raised.status, raised.message end
  if core.error.is(raised) then return status.misuse, mistake(raised) end
  if raised == "not enough memory" then -- the VM's own words
    return status.failed, raised .. "; raise its limit (ulimit -v), or take fewer agents or smaller files at a time"
  end
  return status.failed, ("a fault of this program: %s; please report it, with what you ran"):format(tostring(raised))
end

local function tell(io_, message)
  if not message then return end
  local whose = io_.verb and "handoff " .. io_.verb or "handoff"
  io_.err:write(("%s %s\n"):format(io_.err:paint("red", whose .. ":"), plain(message)))
end

-- Flushing is where a full disk shows: after the verb, before its status counts.
local function attempt(io_, fn, ...)
  local ok, result = pcall(fn, ...)
  if ok then return result or status.done end
  local code, message = judge(result)
  local flushed, lost = pcall(io_.out.flush, io_.out)
  tell(io_, message)
  if not flushed then tell(io_, select(2, judge(lost))) end
  return code
end

-- Statuses that stand for what was told on standard output, and not for it alone.
local told = { [status.done] = true, [status.pending] = true, [status.drift] = true }

-- What an edit or a policy prints is nothing that the verb has to say: readers of its output never meet it.
local function print_aside(io_)
  rawset(_G, "print", function(...)
    local texts = {}
    for i = 1, select("#", ...) do texts[i] = tostring((select(i, ...))) end
    io_.err:write(table.concat(texts, "\t") .. "\n")
  end)
end

--- Runs the command.
-- @param argv the words after the program's name
-- @return the exit status
function command.main(argv)
  core.process.end_at_interrupt()
  core.process.fill_standard()
  core.process.survive_broken_pipe()
  local words, variables = { (table.unpack or unpack)(argv) }, core.process.environment()
  local io_ = { variables = variables }
  function io_.open(colour)
    io_.out = stream.new(io.stdout, 1, "standard output", colour, variables)
    io_.err = stream.new(io.stderr, 2, "standard error", colour, variables)
  end
  io_.open "auto"
  print_aside(io_)
  local code = attempt(io_, run, io_, words)
  local flushed = attempt(io_, io_.out.flush, io_.out)
  return flushed ~= status.done and told[code] and flushed or code
end

return command
