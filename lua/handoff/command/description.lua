-- SPDX-License-Identifier: MIT
--- The verbs, and the parser of each: both from what the verbs' files say of themselves. Help, completion and the manual are made
-- of the same.
local argparse = require "argparse"
local core = require "handoff.core"
local convert = require "handoff.command.convert"
local flags = require "handoff.command.flags"

local description = {}

--- The groups of verbs, in the order in which help and manual show them, with their headings.
description.groups = {
  { "start", "To begin with" }, { "look", "To look" }, { "files", "Files" }, { "change", "To change" },
  { "runs", "Runs" }, { "other", "Beside these" },
}

--- The folder of the verbs' files, one a verb.
local folder = debug.getinfo(1, "S").source:match "^@(.*)description%.lua$" .. "verb"

--- The verbs' names, sorted.
function description.names()
  local names = {}
  for _, file in ipairs(assert(core.file.list(folder))) do
    names[#names + 1] = file:match "^(%l+)%.lua$"
  end
  return names
end

--- The verb of that name, or nil.
function description.verb(name)
  if not name:find "^%l+$" or not core.file.kind(("%s/%s.lua"):format(folder, name)) then return nil end
  return require("handoff.command.verb." .. name)
end

--- What argparse calls a flag's or argument's place in the result.
local function target(name) return (name:gsub("-", "_")) end

local function checked(row)
  if row.choices then
    return function(text)
      for _, choice in ipairs(row.choices) do
        if choice == text then return text end
      end
      return nil, ("one of %s expected"):format(table.concat(row.choices, ", "))
    end
  end
  return row.switch and convert.switch or row.convert or function(text) return text end
end

--- The value of a text; or nil and what is wrong: that it is empty, or what was expected.
function description.convert(row, text)
  if text == "" then return nil, "a value expected, got none" end
  local value, expected = checked(row)(text)
  if value == nil then return nil, ("%s, got %q"):format(expected, text) end
  return value
end

-- What argparse is to call with a text: it gives the value, or nil and a message that begins with the flag's or argument's name.
local function reader(row, shown)
  return function(text)
    local value, wrong = description.convert(row, text)
    if value == nil then return nil, ("%s: %s"):format(shown, wrong) end
    return value
  end
end

local function add_flag(parser, row)
  if row.switch then return parser:flag("--" .. row.name):description(row.help):target(target(row.name)) end
  local names = "--" .. row.name .. (row.short and " -" .. row.short or "")
  local option = parser:option(names):description(flags.help(row)):target(target(row.name))
  option:argname(row.metavar or row.choices and "{" .. table.concat(row.choices, ",") .. "}")
  if row.choices then option:choices(row.choices) end
  if row.once then option:overwrite(false) end
  if row.many then option:count "*" end
  return option:convert(reader(row, "--" .. row.name))
end

local function add_flags(parser, title, rows)
  for i, row in ipairs(rows) do rows[i] = add_flag(parser, row) end
  if rows[1] then parser:group(title, (table.unpack or unpack)(rows)) end
end

-- The verb's own first: those are why somebody asks.
local function add_all_flags(parser, verb)
  local own, named = flags.sorted(verb.flags)
  add_flags(parser, "Options", flags.rows(own))
  for _, name in ipairs(named) do add_flags(parser, "Options for " .. name, flags.rows { name }) end
  for _, row in ipairs(flags.of(nil)) do add_flag(parser, row) end
end

--- An argument as it stands in a synopsis: `[PATH]`, `FILE…`. @param mark function(word) → the word as it is shown
function description.argument(row, mark)
  local word, args = mark(row.metavar or row.name:upper()), tostring(row.args or 1)
  local many = args == "*" or args == "+" or args:find "%-"
  local optional = args == "*" or args == "?" or args:find "^0"
  return (optional and "[%s%s]" or "%s%s"):format(word, many and "…" or "")
end

local function add_argument(parser, row)
  local argument = parser:argument(row.name):description(row.help):argname(row.metavar):target(target(row.name))
  if row.args then argument:args(row.args) end
  if row.choices then argument:choices(row.choices) end
  argument:convert(reader(row, row.metavar or row.name))
end

local MOST_COLUMNS = 64 -- fits a terminal of 80 below the manual's margins, too

-- A line that stands as it is, broken where it is long: below the words after its first one, "  name   what it is".
local function hung(line)
  local list, margin = {}, #(line:match "^  +%S+  +" or line:match "^ +")
  for word in line:sub(margin + 1):gmatch "%S+" do
    local last = list[#list]
    if last and #last + 1 + #word <= MOST_COLUMNS then
      list[#list] = last .. " " .. word
    else
      list[#list + 1] = (last and (" "):rep(margin) or line:sub(1, margin)) .. word
    end
  end
  return table.concat(list, "\n")
end

--- The paragraphs of a verb's details, for help and manual to fill as wide as they are: a blank line ends one, and lines that
-- begin with two spaces stand as they are.
-- @return a list of texts and of lists of lines
function description.paragraphs(text)
  local list, words, shown = {}, {}, {}
  local function close(lines, as)
    if #lines > 0 then list[#list + 1] = as(lines) end
    return {}
  end
  local function joined(lines) return table.concat(lines, " ") end
  local function kept(lines)
    for i, line in ipairs(lines) do lines[i] = hung(line) end
    return lines
  end
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    if not line:find "^  " then shown = close(shown, kept) end
    if not line:find "^%S" then words = close(words, joined) end
    local into = line:find "^  +%S" and shown or line:find "%S" and words
    if into then into[#into + 1] = line end
  end
  close(shown, kept)
  close(words, joined)
  return list
end

local function filled(text)
  local list = description.paragraphs(text)
  for i, one in ipairs(list) do list[i] = type(one) == "table" and table.concat(one, "\n") or one end
  return table.concat(list, "\n\n")
end

--- Fills a parser of argparse's with what the verb takes.
function description.fill(parser, verb)
  for _, row in ipairs(verb.arguments or {}) do add_argument(parser, row) end
  add_all_flags(parser, verb)
  parser:description(verb.details and filled(verb.details) or verb.summary:gsub("^%l", string.upper) .. ".")
  if verb.examples then
    local lines = { "Examples:" }
    for _, one in ipairs(verb.examples) do lines[#lines + 1] = ("   %s\n      %s"):format(one[1], one[2]) end
    parser:epilog(table.concat(lines, "\n"))
  end
  return parser
end

-- On one line, without the options: they are told of one by one below.
local function usage(name, verb)
  local words = { "Usage: handoff", name, "[options]" }
  for _, row in ipairs(verb.arguments or {}) do words[#words + 1] = description.argument(row, tostring) end
  return table.concat(words, " ")
end

--- The parser of one verb.
function description.parser(name, verb)
  return description.fill(argparse("handoff " .. name), verb):help_max_width(80):usage(usage(name, verb))
end

--- A shell's script that completes verbs and flags. @param shell "bash", "zsh" or "fish"
function description.completion(shell)
  local parser = argparse "handoff"
  for _, name in ipairs(description.names()) do
    local verb = description.verb(name)
    description.fill(parser:command(name), verb):description(verb.summary)
  end
  parser:add_help_command()
  return parser[("get_%s_complete"):format(shell)](parser)
end

return description
