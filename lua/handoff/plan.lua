-- SPDX-License-Identifier: MIT
--- Saved plans: what an edit would make of each agent, in a file that can be looked at and applied later. JSON lines, their
-- owner's alone: a header; an agent a line, with its document before and as it is meant; an end, so that half a plan is told
-- from a whole one. It holds documents and whose they are, and nothing of a token.
-- @module handoff.plan
local core = require "handoff.core"
local change = require "handoff.change"
local config = require "handoff.config"
local files = require "handoff.file"
local plain = require "handoff.plain"

core.error.home(debug.getinfo(1, "S").source)

local failure, json = core.error.new, core.json

local plan = {}

local KIND, FORMAT_VERSION = "handoff plan", 1

-- ---- writing --------------------------------------------------------------------------------------------------------------

local function unwritable(path, why)
  return failure { kind = "file", path = path,
    message = ("the plan cannot be written: %s; name another file"):format(why) }
end

local Writer = {}
Writer.__index = Writer

-- What goes wrong is told by `finish`: until then the file is another one.
local function write(self, object)
  if self.failed then return end
  local ok, why = self.file:write(json.encode(object), "\n")
  if not ok then self.failed = why end
end

--- Begins a plan. The file is there, and replaces another one, only once it is whole.
-- @tparam string path
-- @tparam {[string]:string} header `edit`, what it is called, `inventory`, `select`, …: texts for whoever looks at it
-- @treturn ?Writer
-- @treturn ?Error err
function plan.create(path, header)
  local kind, part = core.file.kind(path), path .. ".part"
  if kind and kind ~= "file" then return nil, unwritable(path, "it is there, and no file") end
  local ok, why = core.file.write_private(part, "")
  local file
  if ok then file, why = files.open(part, "ab") end
  if not file then return nil, unwritable(path, why) end
  local self = setmetatable({ path = path, part = part, file = file, count = 0 }, Writer)
  local first = { kind = KIND, format_version = FORMAT_VERSION, made_by = "handoff " .. core.version,
    made = os.date "!%Y-%m-%dT%H:%M:%SZ" }
  for name, value in pairs(header) do first[name] = value end
  write(self, first)
  return self
end

--- The changes as plain data.
-- @tparam Change[] changes
-- @treturn table[] `{kind, path, before, after}`
function plan.changes(changes)
  local list = json.array {}
  for i, c in ipairs(changes or {}) do
    list[i] = { kind = c.kind, path = c.path, before = c.before, after = c.after }
  end
  return list
end

--- Adds an agent that would be changed.
-- @tparam string name
-- @tparam string key who it is, see `fleet:identities`
-- @tparam Outcome outcome of its update, a dry run
function Writer:add(name, key, outcome)
  self.count = self.count + 1
  write(self, { agent = name, key = key, before = outcome.before_text, meant = outcome.after_text,
    changes = plan.changes(outcome.changes) })
end

--- Puts the plan in its place.
-- @treturn ?boolean true
-- @treturn ?Error err
function Writer:finish()
  write(self, { ["end"] = true, agents = self.count })
  local ok, why = self.file:close()
  self.failed = self.failed or not ok and why
  if not self.failed then ok, why = os.rename(self.part, self.path) end
  if ok and not self.failed then return true end
  os.remove(self.part)
  return nil, unwritable(self.path, files.reason(self.part, self.failed or why))
end

--- Leaves nothing of it.
function Writer:discard()
  self.file:close()
  os.remove(self.part)
end

-- ---- reading --------------------------------------------------------------------------------------------------------------

local function broken(path, line, message)
  return failure { kind = "invalid", rule = "plan", path = line and ("%s:%d"):format(path, line) or path,
    message = message .. "; make the plan again" }
end

local function check_header(path, header)
  if type(header) ~= "table" or header.kind ~= KIND then
    return nil, broken(path, 1, "this is no saved plan, as `handoff plan EDIT -o FILE` writes it")
  end
  if header.format_version == FORMAT_VERSION then return true end
  return nil, broken(path, 1, ("it was made by %s, in a form that this version does not read"):format(
    type(header.made_by) == "string" and plain(header.made_by) or "another version"))
end

local function is_entry(row)
  return type(row) == "table" and type(row.agent) == "string" and type(row.key) == "string"
    and type(row.before) == "string" and type(row.meant) == "string"
end

-- Reads the lines after the header → true, or nil, err.
local function read_entries(path, file, saved)
  local number = 1
  for line in file:lines() do
    number = number + 1
    local row = json.decode(line)
    if type(row) == "table" and row["end"] == true then
      if row.agents == #saved.names then return true end
      return nil, broken(path, number, "agents of it are missing")
    end
    if not is_entry(row) or saved.entries[row.agent] then
      return nil, broken(path, number, "this is no line of a plan")
    end
    saved.names[#saved.names + 1] = row.agent
    saved.entries[row.agent] = { key = row.key, before = row.before, meant = row.meant }
  end
  return nil, broken(path, nil, "its end is missing")
end

--- Reads a saved plan.
-- @tparam string path
-- @treturn ?table `header`; `names`, a list; `entries`, of `{key, before, meant}` by name
-- @treturn ?Error err
function plan.read(path)
  local file, first
  local ok, why = files.is_one(path)
  if ok then file, why = files.open(path, "rb") end
  if file then first, why = file:read "*l" end
  if not first then
    if file then file:close() end
    if file and not why then return nil, broken(path, nil, "the file is empty") end
    return nil, failure { kind = "file", path = path,
      message = ("the plan cannot be read: %s; name another file"):format(why) }
  end
  local saved = { header = json.decode(first), names = {}, entries = {} }
  local err
  ok, err = check_header(path, saved.header)
  if ok then ok, err = read_entries(path, file, saved) end
  file:close()
  if not ok then return nil, err end
  return saved
end

-- ---- applying -------------------------------------------------------------------------------------------------------------

--- Holds the plan against who the agents are now: a name may have come to stand for another one.
-- @tparam table saved what read gave
-- @tparam table[] identities `{name, key}`, see `fleet:identities`
-- @treturn ?boolean true
-- @treturn ?Error err
function plan.check(saved, identities)
  for _, now in ipairs(identities) do
    local entry = saved.entries[now.name]
    if entry and entry.key ~= now.key then
      return nil, failure { kind = "invalid", rule = "identity", agent = now.name,
        message = ("it was %s when the plan was made and is %s now, nothing was written; make the plan again"):format(
          plain(entry.key), now.key) }
    end
  end
  return true
end

-- The first thing that is otherwise there, or nil. What the service derives does not count, nor does an id that it gave.
local function moved(before, cfg)
  for _, name in ipairs(core.config.differing(cfg, before)) do
    local changes = change.part(name, config.part(before, name), config.part(cfg, name))
    if changes[1] then return changes[1] end
  end
end

-- What no edit does, and only a hand that wrote in the plan: a field removed, or set to null. A change, or nil.
local function impossible(before, meant)
  for _, name in ipairs(core.config.differing(before, meant)) do
    for _, c in ipairs(change.part(name, config.part(before, name), config.part(meant, name))) do
      if c.after == json.null or c.kind == "removed" and c.field and not c.member then return c end
    end
  end
end

local function apply(entry, cfg)
  local before, err = config.new(entry.before, true)
  local meant
  if before then meant, err = config.new(entry.meant, true) end
  if not meant then return nil, err end
  local odd = impossible(before, meant)
  if odd then
    return nil, failure { kind = "invalid", rule = "plan", path = odd.path,
      message = "the plan takes this away, as no edit can; make the plan again instead of writing in it" }
  end
  local found = moved(before, cfg)
  if found and not moved(meant, cfg) then return end -- it is there already
  if found then
    return nil, failure { kind = "skipped", rule = "moved", path = found.path,
      message = "somebody changed this since the plan was made, the agent is left as it is; plan it again" }
  end
  config.merge(cfg, before, meant, { resolve = "mine" })
end

--- What would be written, as an edited configuration: what the service derives (whether topics decide who is notified) it has
-- not derived yet.
-- @tparam string before
-- @tparam string meant
-- @treturn ?Config
-- @treturn ?Error err
function plan.outcome(before, meant)
  local cfg, err = config.new(before, true)
  local was, made = cfg and config.new(before, true), nil
  if cfg then made, err = config.new(meant, true) end
  if not made then return nil, err end
  config.merge(cfg, was, made, { resolve = "mine" })
  return cfg
end

--- The plan as an edit: agents whose document is another one by now are skipped.
-- @tparam table saved what read gave
-- @treturn fun(cfg:Config,agent:Agent) for `fleet:update`
function plan.edit(saved)
  return function(cfg, agent) return apply(saved.entries[agent.name], cfg) end
end

return plan
