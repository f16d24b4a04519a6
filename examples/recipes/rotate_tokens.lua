-- SPDX-License-Identifier: MIT
-- New tokens for agents, without a minute in which none works. The inventory reads them from files, as token = file
-- "tokens/shop-uk" does; make the new ones in the vendor's dashboard and put them into another folder, tokens.new/shop-uk, for
-- all agents or for some, readable by you alone.
--
--     lua5.4 examples/recipes/rotate_tokens.lua agents.lua tokens tokens.new
--
-- Only where every new token is for the same agent as the old one, may write and is taken by the service, and there is another
-- one to replace, do all of them take the old ones' places. The old ones still work then: revoke them in the dashboard once
-- nothing uses them any more, but for those of agents that are named as keeping theirs.

local handoff = require "handoff"
local doctor = require "handoff.doctor"

local inventory, folder, fresh = arg[1], arg[2], arg[3]
if not fresh then
  io.stderr:write "usage: lua5.4 rotate_tokens.lua agents.lua tokens tokens.new\n"
  os.exit(64)
end
local function exists(path)
  local file = io.open(path)
  return file ~= nil and file:close()
end
local function token_in(path)
  local file = assert(io.open(path))
  local line = file:read "*l" -- nil of a folder
  file:close()
  return line and line:match "%S+"
end

local old, entries, kept = assert(handoff.fleet(inventory)), {}, {}
for _, agent in ipairs(old:agents()) do
  local path = fresh .. "/" .. agent.name
  if exists(path) then
    entries[#entries + 1] = { name = agent.name, token_file = path, base_url = agent.base_url, ca_file = agent.ca_file,
      proxy = agent.proxy }
  else
    kept[#kept + 1] = agent.name
  end
end

if #entries == 0 then
  io.stderr:write(fresh, ": no file in it has the name of an agent of ", inventory, "; name them so\n")
  os.exit(1)
end

local was, problems = {}, {}
for _, entry in ipairs(entries) do
  if not exists(folder .. "/" .. entry.name) then
    problems[#problems + 1] = ("%s: %s has no token of it, so the inventory does not read it there"):format(entry.name,
      folder)
  elseif token_in(folder .. "/" .. entry.name) == token_in(entry.token_file) then
    problems[#problems + 1] = ("%s: the new token is the old one; make a new one in the dashboard"):format(entry.name)
  end
end
for _, row in ipairs(doctor.examine(old, { offline = true }).agents) do was[row.agent] = row.scenario_id end
local new = doctor.examine(assert(handoff.fleet(entries)))
for _, row in ipairs(new.agents) do
  -- Of an old token that has expired nobody knows any more whose it was.
  if was[row.agent] and row.scenario_id ~= was[row.agent] then
    problems[#problems + 1] = row.agent .. (row.scenario_id and ": the new token is another agent's"
      or ": the new token does not say whose it is; copy the whole of it from the dashboard")
  end
end
for _, finding in ipairs(new.findings) do
  if finding.severity == "error" or finding.what == "scope" then
    problems[#problems + 1] = (finding.agent or finding.service) .. ": " .. finding.message
  end
end
if #problems > 0 then
  io.stderr:write(table.concat(problems, "\n"), "\nno token was replaced\n")
  os.exit(1)
end
for _, entry in ipairs(entries) do assert(os.rename(entry.token_file, folder .. "/" .. entry.name)) end
print(("%d of %d tokens replaced; revoke the old ones in the dashboard"):format(#entries, #old:agents()))
if kept[1] then print(("not replaced, as %s has none for them: %s"):format(fresh, table.concat(kept, ", "))) end
