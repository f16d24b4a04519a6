-- SPDX-License-Identifier: MIT
--- What a server answers to client:get, put and update, over real sockets. The first byte says what is asked for; the rest are
-- the answers, see spec/fuzz/server.h.
-- Held: a configuration or an outcome, or nil and an error of a documented kind that holds nothing of the token; no more requests
-- than the tries allow; an update that says that it changed something did write what holds the edit.
local core = require "handoff.core"
local client = require "handoff.client"
local config = require "handoff.config"
local server = require "server"
local transport = require "handoff.transport"
local fuzz = require "support.fuzz"

local hold = fuzz.hold

local TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzY2VuYXJpb19pZCI6N30.c2VjcmV0"
local EMPTY = '{"settings":{},"availability":[],"generic_guidelines":[],"custom_guidelines":[],"routing_profiles":[]}'
local RETRIES, ROUNDS = 2, 12 -- looks and writes of one update, each tried again

local kinds = {}
for kind in ("invalid auth scope rejected rate_limit network timeout tls server protocol conflict unverified cancelled")
  :gmatch "%S+" do kinds[kind] = true end

-- Requests are made; what would be waited for between them passes at once.
local carrier, passed = transport.curl {}, 0
local hasty = {
  request = function(_, req) return carrier:request(req) end,
  sleep = function(_, seconds)
    passed = passed + seconds
    return true
  end,
  now = function() return carrier:now() + passed end,
}

local events
local agent = client.new {
  name = "fuzzed", token = TOKEN, base_url = ("http://127.0.0.1:%d/v1/api"):format(server.start()), transport = hasty,
  retries = RETRIES, timeout = 5, deadline = 600, on_event = function(event) events[#events + 1] = event end,
}

local function hold_secret(value, seen)
  if type(value) == "string" then hold(not value:find(TOKEN, 1, true), "it holds the token: %s", value) end
  if type(value) ~= "table" or seen[value] then return end
  seen[value] = true
  for key, inner in next, value do
    hold_secret(key, seen)
    hold_secret(inner, seen)
  end
end

local function edit(cfg)
  cfg.settings.is_active = true
  cfg.settings.confirmation_message = "One moment."
  cfg.custom_guidelines:upsert { name = "Refund", description = "It is asked for a refund.", is_active = true }
end

local function get() return agent:get() end
local function put() return agent:put(config.new(EMPTY)) end
local function update(opts) return function() return agent:update(edit, opts) end end

local asked = {
  g = get, p = put, u = update {}, m = update { on_conflict = "mine" }, t = update { on_conflict = "theirs" },
  r = update { verify = "read" }, d = update { dry_run = true }, n = update { merge = false, verify = false },
}

local function hold_outcome(outcome, method)
  if core.config.is(outcome) then return hold(config.new(outcome:text(), true), "no document: %s", outcome:text()) end
  hold(outcome.status == "changed" or outcome.status == "unchanged", "status %s", tostring(outcome.status))
  hold(outcome.requests <= server.requests(), "%d requests, %d came", outcome.requests, server.requests())
  for _, c in ipairs(outcome.changes) do fuzz.hold_line(tostring(c), "change") end
  for _, issue in ipairs(outcome.warnings) do fuzz.hold_line(tostring(issue), "warning") end
  if outcome.status == "unchanged" then hold(#outcome.changes == 0, "unchanged, with changes") end
  local after = config.new(outcome.after_text, true)
  if method == "t" or method == "n" then return end -- theirs came first; what was kept was not to be looked at
  hold(after.settings.is_active == true and after.settings.confirmation_message == "One moment.", "not edited: %s",
    outcome.after_text)
end

return function(input)
  if input == "" then return end
  local method = input:sub(1, 1)
  if not asked[method] then method = ("gputrdnm"):sub(input:byte() % 8 + 1):sub(1, 1) end
  events, passed = {}, passed + 3600 -- no input is held back by what the ones before it sent
  server.answers(input:sub(2))
  local ok, value, err = fuzz.try(asked[method])
  hold(server.requests() <= ROUNDS * (RETRIES + 1), "%d requests", server.requests())
  hold_secret(events, {})
  if ok and value ~= nil then return hold_outcome(value, method) end
  if not ok then err = value end
  fuzz.hold_error(err, kinds)
  hold(err.agent == nil or err.agent == "fuzzed", "another agent: %s", tostring(err.agent))
  if err.before then hold(core.config.is(err.before), "before is no configuration") end
  hold_secret(err, {})
end
