-- SPDX-License-Identifier: MIT
--- Desired state: files that say what an agent's configuration is to be, or a part of it. A file is JSON, or Lua that is data
-- (comments, and `return { … }`); it is read, never run. A key that is left out keeps what is live; `[]` or `{}` empties.
-- @module handoff.desired

--- A file of desired state.
-- @table DesiredFile
-- @tfield string path
-- @tfield string agent the file's name without .lua or .json
-- @tfield "lua"|"json" format
-- @tfield table value plain tables
-- @tfield Issue[] warnings
local core = require "handoff.core"

core.error.home(debug.getinfo(1, "S").source)

local desired = {}

-- ---- places -------------------------------------------------------------------------------------------------------------

-- → a function of an offset that tells where it lies: line and column from 1, the column in characters; and the line. Offsets
-- come in their order.
local function locator(text)
  local line, start, newline, source = 1, 1, text:find("\n", 1, true), nil
  local column, counted = 1, 1 -- that of the offset `counted`
  return function(at)
    while newline and newline < at do
      line, start, source, column, counted = line + 1, newline + 1, nil, 1, newline + 1
      newline = text:find("\n", start, true)
    end
    local between = text:sub(counted, at - 1)
    column, counted = column + (core.schema.utf8_length(between) or #between), at
    source = source or text:sub(start, (newline or 0) - 1):gsub("\r$", "")
    return line, column, source
  end
end

-- Whether lines of the text may be shown: not of one that gives anything a token, which is an inventory, whatever its form.
local function may_show(text)
  return not (text .. " "):lower():find "%f[%w_]token[%w_]*[\"']?%]?%s*[=:]"
end

local function line_of(text, number)
  local at = 1
  for _ = 2, number do at = (text:find("\n", at, true) or #text) + 1 end
  return (text:match("^[^\n]*", at):gsub("\r$", ""))
end

-- The problem with its place in the file; it prints as handoff's issues do. `locate`: the text's, see above.
local function place_issue(path, found, locate)
  local line, column, source = found.line, found.column, found.source
  if found.at then line, column, source = locate(found.at) end
  if found.hidden then source = nil end
  return core.error.issue {
    severity = found.severity or "error", path = line and ("%s:%d:%d"):format(path, line, column) or path,
    file = path, line = line, column = column, source = source, rule = found.rule,
    message = (found.path or "") ~= "" and found.path .. ": " .. found.message or found.message,
  }
end

--- The error that stands for a list of problems, which it has as `issues`.
local function failure(issues)
  local first, more = issues[1], #issues - 1
  return core.error.new { kind = "invalid", path = first.path, rule = first.rule, issues = issues,
    message = first.message .. (more > 0 and ("; and %d more, handoff validate shows them"):format(more) or "") }
end

local function refuse_file(path, rule, message)
  return nil, failure { place_issue(path, { rule = rule, message = message }) }
end

-- ---- reading ------------------------------------------------------------------------------------------------------------

--- The text of a file, whatever it says; or nil and why.
-- @local
function desired.read_text(path)
  local files, text = require "handoff.file", nil
  local ok, why = files.is_one(path)
  if ok then text, why = files.read_source(path) end
  if not text then return nil, why end
  return (text:gsub("^\239\187\191", ""))
end

--- The agent's name and the format that a file's name tells, or nil.
local function split_name(path)
  local base, format = path:match "([^/]*)%.(%l+)$"
  if base and base ~= "" and (format == "lua" or format == "json") then return base, format end
end

--- text → tree | nil, error
local function parse(path, text, format)
  local tree, problem
  local valid, bad = core.schema.utf8_length(text)
  if valid then
    tree, problem = require("handoff.desired." .. format).read(text)
  else
    problem = { at = bad, rule = "utf8", message = "the text is not UTF-8; save it as UTF-8" }
  end
  if tree then return tree end
  problem.source, problem.hidden = problem.line and line_of(text, problem.line), not may_show(text)
  return nil, failure { place_issue(path, problem, locator(text)) }
end

local function is_error(issue) return issue.severity == "error" end

local function only(list, wanted)
  local chosen = {}
  for _, one in ipairs(list) do
    if wanted(one) then chosen[#chosen + 1] = one end
  end
  return chosen
end

--- Reads a file of desired state.
-- @tparam string path
-- @treturn ?DesiredFile
-- @treturn ?Error err of kind "invalid", whose `issues` are all that is wrong, in the order of the file, warnings among
--   them. Such an issue also has `file`, `line`, `column` (in characters, from 1) and `source` (the line, where it can be
--   shown); its path is `FILE:12:3`; one of the whole file has no line
function desired.read(path)
  local agent, format = split_name(path)
  if not agent and not core.file.kind(path) then
    return refuse_file(path, "file", "nothing is there; `handoff pull` writes files of desired state")
  end
  if not agent then
    return refuse_file(path, "file", "a file of desired state has a name that ends in .lua or .json; name it AGENT.lua")
  end
  local text, why = desired.read_text(path)
  if not text then return refuse_file(path, "file", ("cannot be read: %s; name a file that can"):format(why)) end
  local tree, err = parse(path, text, format)
  if not tree then return nil, err end
  local value, found = require("handoff.desired.check").tree(tree)
  local locate, hidden = locator(text), #found > 0 and not may_show(text)
  for i, one in ipairs(found) do
    one.hidden = one.hidden or hidden
    found[i] = place_issue(path, one, locate)
  end
  local errors = only(found, is_error)
  if #errors == 0 then return { path = path, agent = agent, format = format, value = value, warnings = found } end
  err = failure(errors)
  err.issues = found
  return nil, err
end

-- The names of the folder's files of desired state; hidden files are none.
local function names_of(folder)
  local names, why = core.file.list(folder)
  if not names then return nil, why end
  return only(names, function(name) return name:sub(1, 1) ~= "." and split_name(name) ~= nil end)
end

--- Reads all files of desired state of a folder. Other files there are passed over.
-- @tparam string folder
-- @treturn ?DesiredFile[] in the order of their names
-- @treturn ?Error err as of read, with the issues of all of them, and how many `files` there are
function desired.folder(folder)
  local names, why = names_of(folder)
  if not names then return refuse_file(folder, "file", ("cannot be read: %s; name a folder that can"):format(why)) end
  local files, issues, paths = {}, {}, {}
  for i, name in ipairs(names) do
    local path, agent = folder:gsub("/*$", "/") .. name, split_name(name)
    local file, err = desired.read(path)
    for _, issue in ipairs(file and file.warnings or err.issues) do issues[#issues + 1] = issue end
    if paths[agent] then
      issues[#issues + 1] = place_issue(path, { rule = "duplicate",
        message = ("%s is this agent's desired state, too; keep one of the two"):format(paths[agent]) })
    end
    files[i], paths[agent] = file, path
  end
  local errors = only(issues, is_error)
  if #errors == 0 then return files end
  local err = failure(errors)
  err.issues, err.files = issues, #names
  return nil, err
end

--- Whether the text of a Lua file is desired state, not an edit script: its first statement is `return {`.
-- @tparam string text
-- @treturn boolean
function desired.is_data(text) return require("handoff.desired.lua").is_data(text) end

-- ---- editing, writing -----------------------------------------------------------------------------------------------------

--- The edit that lays desired state over a configuration. Items of lists are matched by id, else by name (slots by day and
-- times). Values are put in as they are: `client:update` holds them against the rules afterwards.
-- @tparam table value as read gives it
-- @treturn fun(cfg:Config) for fleets and clients
function desired.edit(value)
  local overlay = require "handoff.desired.overlay"
  return function(cfg) overlay.edit(cfg, value) end
end

--- A configuration of nothing but desired state: what it leaves out is absent, and lists are empty.
-- @tparam table value as read gives it
-- @treturn Config
function desired.config(value)
  return require("handoff.config").new(require("handoff.desired.check").complete(value))
end

--- The configuration as a text of desired state.
-- @tparam Config cfg
-- @tparam "lua"|"json" format
-- @tparam[opt] string old the text of a file of Lua that the new one is to replace: its comments, its order and the layout of
--   what did not change stay
-- @treturn ?string the text
-- @treturn string[]|Error paths that are left out, as desired state cannot have them: fields that this version does not
--   know, values that break a rule, lists with an item that nothing tells apart; or err, of kind "invalid", where old cannot
--   be read
function desired.write(cfg, format, old)
  local write = require "handoff.desired.write"
  local value, left = write.value(cfg)
  if format == "json" then
    return require("handoff.canonical").json(value, require("handoff.shape").document, "") .. "\n", left
  end
  if not old then return write.lua(value), left end
  old = old:gsub("^\239\187\191", "")
  local tree, err = parse("the file", old, "lua")
  if not tree then return nil, err end
  return require("handoff.desired.rewrite").lua(old, tree, value), left
end

--- Writes the configuration into the agent's file in a folder: a new one is its owner's alone; one that is there keeps its
-- format, its mode and, of Lua, its comments and order. It is put in place at one stroke, and never through a link.
-- @tparam Config cfg
-- @tparam string folder
-- @tparam string agent its name
-- @tparam "lua"|"json" format of a new file
-- @treturn ?table `path`, `status` = "new", "changed" or "unchanged", `left_out` = paths as of write
-- @treturn ?Error err of kind "invalid"
function desired.save(cfg, folder, agent, format)
  return require("handoff.desired.store").put(desired, cfg, folder, agent, format)
end

return desired
