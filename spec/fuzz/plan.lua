-- SPDX-License-Identifier: MIT
--- A saved plan. Lines that begin with = are put together here, of what stands between their tabs: =agent, key, before, meant;
-- every other stands in the file as it is.
-- Held: it is read, or refused with what is wrong; what is read can be held against agents, shown and applied to the documents it
-- names, which gives a configuration that can be sent, or a reason; and applied a second time it changes nothing.
local core = require "handoff.core"
local config = require "handoff.config"
local plan = require "handoff.plan"
local fuzz = require "support.fuzz"

local hold = fuzz.hold
local kinds = { invalid = true, file = true, protocol = true, skipped = true }

local function written(line)
  local agent, key, before, meant = line:match "^=([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)$"
  if not agent then return line end
  for _, value in ipairs { agent, key, before, meant } do
    if not core.schema.utf8_length(value) then return line end
  end
  return core.json.encode { agent = agent, key = key, before = before, meant = meant, changes = core.json.array {} }
end

local function hold_applied(saved, name, entry)
  local cfg, err = config.new(entry.before, true)
  if not cfg then return fuzz.hold_error(err, kinds) end
  local edit, agent = plan.edit(saved), { name = name }
  local first, why = edit(cfg, agent)
  hold(first == nil, "an edit that returned something")
  if why then return fuzz.hold_error(why, kinds) end
  local text = cfg:text()
  hold(config.new(text, true), "not a document any more: %s", text)
  why = select(2, edit(cfg, agent))
  if why then return fuzz.hold_error(why, kinds) end
  hold(cfg:text() == text, "applied twice: %s and %s", text, cfg:text())
end

return function(input)
  local saved, err = fuzz.with_file("plan", input:gsub("[^\n]+", written), plan.read)
  if not saved then return fuzz.hold_error(err, kinds) end
  local identities = {}
  for i, name in ipairs(saved.names) do identities[i] = { name = name, key = saved.entries[name].key } end
  hold(plan.check(saved, identities), "held against its own agents")
  for _, name in ipairs(saved.names) do
    local entry = saved.entries[name]
    local cfg, why = plan.outcome(entry.before, entry.meant)
    if cfg then hold(config.new(cfg:text(), true), "no document: %s", cfg:text()) else fuzz.hold_error(why, kinds) end
    hold_applied(saved, name, entry)
  end
end
