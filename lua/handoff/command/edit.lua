-- SPDX-License-Identifier: MIT
--- What a verb is told to do to agents: a Lua script that returns a function, desired state, a saved plan, or PATH=VALUE words.
local core = require "handoff.core"
local failure = require "handoff.command.failure"
local status = require "handoff.command.status"

local edit = {}

-- ---- names for the history --------------------------------------------------------------------------------------------

--- The words as one text that a shell, and edit.words, reads as these words again.
function edit.name_of(words)
  local quoted = {}
  for i, word in ipairs(words) do
    quoted[i] = word:find "^[%w%._/=,:@%%+-]+$" and word or "'" .. word:gsub("'", "'\\''") .. "'"
  end
  return table.concat(quoted, " ")
end

--- The words of such a text; nil where it is none, as an edit that a script named may be.
function edit.words(name)
  local words, word, at = {}, nil, 1
  while at <= #name do
    local blanks, plain, quoted = name:match("^ +()", at), name:match("^[^ '\\\"]+", at), name:match("^'([^']*)'", at)
    if blanks then
      words[#words + 1], word, at = word, nil, blanks
    elseif plain or quoted then
      word, at = (word or "") .. (plain or quoted), at + #(plain or quoted) + (quoted and 2 or 0)
    elseif name:find("^\\'", at) then
      word, at = (word or "") .. "'", at + 2
    else
      return nil
    end
  end
  words[#words + 1] = word
  return words
end

-- ---- scripts ------------------------------------------------------------------------------------------------------------

-- Scripts are loaded where a verb has one: the loop they need is not quick to load.
local function take_down(value) return require("handoff.script").handler "the edit"(value) end

local function pass_on(ok, ...)
  if ok then return ... end
  error((...), 0)
end

-- The edit function, with the frames of what it raises taken down.
local function guarded(fn)
  return function(cfg, agent) return pass_on(xpcall(fn, take_down, cfg, agent)) end
end

local function load_script(path, text)
  local chunk, why = require("handoff.script").compile(path, text)
  if not chunk then failure.raise(status.failed, why) end
  local ok, fn = xpcall(chunk, take_down)
  if not ok and type(fn) == "string" then error(fn, 0) end
  if not ok then
    local told = require("handoff.script").told(fn)
    local policy = told:find "global 'describe'" or told:find "global 'it'"
    failure.raise(status.failed, told .. (policy and "; is this a policy? `handoff test` and --test take those" or ""))
  end
  if type(fn) == "function" then return guarded(fn) end
  failure.raise(status.failed, ("%s: it returns %s, a function expected: return function(cfg, agent) … end; desired "
    .. "state is one table, return { … }, with nothing before it"):format(path, fn == nil and "nothing"
    or "a " .. type(fn)))
end

-- ---- files --------------------------------------------------------------------------------------------------------------

local function read(path)
  local text, why = require("handoff.file").read_source(path)
  if text then return text end
  failure.raise(status.failed, ("%s: it cannot be read: %s; name a script, a file or folder of desired state, a saved "
    .. "plan, or PATH=VALUE"):format(path, why))
end

-- ---- kinds of edits -----------------------------------------------------------------------------------------------------

--- Ends the verb: files of desired state have errors, which are said, a line each.
function edit.refuse_desired(ctx, path, err)
  local count = 0
  for _, issue in ipairs(err.issues or {}) do
    if issue.severity == "error" then
      count = count + 1
      ctx:note(("%s: error: %s [%s]"):format(issue.path, issue.message, issue.rule))
    end
  end
  if count == 0 then failure.raise(status.failed, tostring(err)) end
  failure.raise(status.failed, ("%s: %s; `handoff validate %s` shows the places"):format(path,
    ctx:plural(count, "problem"), edit.name_of { path }))
end

local function load_folder(ctx, path)
  local desired = require "handoff.desired"
  local files, err = desired.folder(path)
  if not files then edit.refuse_desired(ctx, path, err) end
  local edits, names = {}, {}
  for i, file in ipairs(files) do edits[file.agent], names[i] = desired.edit(file.value), file.agent end
  if #names == 0 then
    failure.raise(status.failed, ("%s: it has no .lua or .json file; `handoff pull %s` writes them"):format(path,
      edit.name_of { path }))
  end
  return { fn = function(cfg, agent) return edits[agent.name](cfg) end, agents = names, folder = path }
end

-- A file is for the agent of its name; with --select for those that are selected.
local function load_desired(ctx, path)
  local desired = require "handoff.desired"
  local file, err = desired.read(path)
  if not file then edit.refuse_desired(ctx, path, err) end
  return { fn = desired.edit(file.value), agents = not ctx.args.select and { file.agent } or nil,
    advice = "`handoff agents` lists them; with --select the file is for those that are selected" }
end

local function load_plan(path)
  local plan = require "handoff.plan"
  local saved, err = plan.read(path)
  if not saved then failure.raise(status.failed, tostring(err)) end
  return { fn = plan.edit(saved), agents = saved.names, plan = saved }
end

local function load_file(ctx, path)
  if path:find "%.plan$" then return load_plan(path) end
  if path:find "%.json$" then return load_desired(ctx, path) end
  local text = read(path)
  if require("handoff.desired").is_data(text) then return load_desired(ctx, path) end
  return { fn = load_script(path, text) }
end

local function is_assignment(word)
  return word:find "^[%a_][%w_]*[%.%[=]" ~= nil and word:find("=", 1, true) ~= nil
end

--- Words PATH=VALUE as an edit, see edit.load.
function edit.assignments(words)
  return { fn = guarded(require("handoff.path").edit(words)), name = edit.name_of(words) }
end

--- Reads an edit.
-- @param words of the command line: the path of one script, file or folder; or PATH=VALUE, one or more. Or the text that
--   edit.name_of made of such words
-- @return { fn = function(cfg, agent), as fleet:update takes it; name = a text that edit.load reads again; agents = whom it is
--   for, a list of names, nil where it is for all; advice = what to do where there is none of that name, or nil; plan = the
--   saved plan it is, or nil; folder = of desired state that it is, or nil }. What is wrong ends the verb.
function edit.load(ctx, words)
  if type(words) == "string" then
    local name = words
    words = edit.words(name) or {}
    if #words == 0 or words[2] and not is_assignment(words[1]) then
      failure.raise(status.misuse, ("%s: this is no edit that can be read again, but a script's name for it, perhaps; "
        .. "call that script, or give the edit on the command line"):format(name))
    end
  end
  local first = words[1]
  local kind = core.file.kind(first)
  if not kind and is_assignment(first) then return edit.assignments(words) end
  if words[2] then
    failure.raise(status.misuse, ("%s: one edit is taken at a time; put files of desired state into a folder, and name "
      .. "that"):format(words[2]))
  end
  local loaded = kind == "folder" and load_folder(ctx, first) or load_file(ctx, first)
  loaded.name = edit.name_of(words)
  return loaded
end

-- ---- whom it is for -----------------------------------------------------------------------------------------------------

local function narrow(fleet, names)
  local wanted = {}
  for _, name in ipairs(names) do wanted[name] = true end
  local part = fleet:select(function(agent) return wanted[agent.name] end)
  if #part:agents() == 0 and #names > 0 then
    failure.raise(status.misuse, ("--select: none of the agents that the edit is for is selected, the first of %d is "
      .. "%s; leave --select and --shard out"):format(#names, names[1]))
  end
  return part
end

local function fleet_of(ctx, loaded)
  local names = loaded.agents
  if not names then return ctx:fleet() end
  if ctx.args.select or ctx.args.shard then return narrow(ctx:fleet(), names) end
  return ctx:named(names, nil, loaded.advice)
end

--- The agents that a loaded edit is for, of those of the inventory that are selected. A name that the inventory does not have
-- ends the verb; so does one that a saved plan means another agent by.
-- @return a fleet
function edit.fleet(ctx, loaded)
  local fleet = fleet_of(ctx, loaded)
  if loaded.plan then
    local identities = failure.check(fleet:identities())
    failure.check(require("handoff.plan").check(loaded.plan, identities))
  end
  return fleet
end

return edit
