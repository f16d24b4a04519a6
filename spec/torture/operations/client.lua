-- SPDX-License-Identifier: MIT
-- One agent: read, written, and what may come between.
local torture = torture -- luacheck: ignore
local list = {}
local function add(op) list[#list + 1] = op end

local sample = require "bench.sample"
local service = require "torture.service"
local tellings = require "torture.tellings"

local agents, afar, at_hand, answer_to = service.agents, service.afar, service.at_hand, service.answer_to
local base_url, transport, close, edit = service.base_url, service.transport, service.close, service.edit

local function handoff() return require "handoff" end
local function core() return require "handoff.core" end
local function cfg_of() return assert(handoff().config(sample)) end

-- ---- one agent -----------------------------------------------------------------------------------------------------------

local function one(name, run)
  add { name = "client " .. name, prepare = function()
    afar.store()
    return { transport = transport(), agent = agents()[1] }
  end, run = function(s)
    return run(handoff().client {
      name = s.agent.name, token = s.agent.token, base_url = base_url, transport = s.transport,
    })
  end, state = function() return afar.stored(1) end, finish = close, accepts = tellings.of_curl }
end

one("get", function(client)
  local cfg, err = client:get()
  return cfg and cfg:json(), err
end)
one("put", function(client)
  local cfg = cfg_of()
  edit(cfg)
  local after, err = client:put(cfg)
  return after and after:json(), err
end)
one("update", function(client)
  local outcome, err = client:update(edit, { verify = "read" })
  if not outcome then return nil, err end
  return { outcome.status, #outcome.changes, outcome.after:json() } -- not how many requests: one may have been tried again
end)
one("apply", function(client)
  local meant = cfg_of()
  edit(meant)
  local outcome, err = client:apply(cfg_of(), meant)
  if not outcome then return nil, err end
  return { outcome.status, outcome.after:json() }
end)
one("merge", function(client)
  local outcome, err = client:update(edit, { merge = true, verify = "answer" })
  if not outcome then return nil, err end
  return { outcome.status, outcome.after:json() }
end)
one("dry run", function(client)
  local outcome, err = client:update(edit, { dry_run = true })
  return outcome and { outcome.status, #outcome.changes }, err
end)

-- ---- one agent, and what may come between --------------------------------------------------------------------------------

local function lost() return core().error.new { kind = "network", message = "the connection broke", bytes_sent = 1 } end

-- Of an agent at hand: meet(s, request) gives what the client is answered, s.gets and s.puts say how many it has asked. Its clock
-- goes on where it waits, and only there.
local function met(name, meet, run)
  add { name = "client " .. name, kinds = { "lua" }, prepare = function()
    at_hand.store()
    local s = { agent = agents()[1], transport = transport(), gets = 0, puts = 0, now = 1e6, events = {} }
    function s.transport.now() return s.now end
    function s.transport:sleep(seconds)
      s.now = s.now + seconds
      return self.loop:sleep(0)
    end
    function s.transport:request(request) -- luacheck: ignore self
      return torture.pause(function()
        if request.body then s.puts = s.puts + 1 else s.gets = s.gets + 1 end
        return meet(s, request)
      end)
    end
    return s
  end, run = function(s)
    return run(handoff().client {
      name = s.agent.name, token = s.agent.token, base_url = base_url, transport = s.transport,
      on_event = function(event) s.events[#s.events + 1] = event.type end,
    }, s)
  end, state = function() return at_hand.stored(1) end, finish = close }
end

-- What was written, and is not known to have been, is told to be so, whatever fails meanwhile, where there is memory to say it.
met("put whose answer is lost", function(s, request)
  local answer = answer_to(request)
  if s.puts == 1 and request.body then return nil, lost() end
  return answer
end, function(client, s)
  local ok, outcome, err = pcall(client.update, client, edit)
  if ok and outcome then return { outcome.status, #outcome.changes, outcome.after:json() } end
  if not ok then err = outcome end
  local is_said = type(err) == "table" and err.unknown
  if s.puts > 0 and not is_said and pcall(string.rep, "x", 4096) then return "it may be written, and nobody says so" end
  return nil, err
end)
met("put that the service completes", function(_, request) return answer_to(request) end, function(client)
  local outcome, err = client:update(function(cfg)
    cfg.custom_guidelines:remove { name = "Guideline 3" }
    cfg.custom_guidelines:add { name = "Refund", description = "Over 500.", is_active = true }
    cfg.availability = handoff().week "mon-fri 09:00-17:30"
  end)
  if not outcome then return nil, err end
  return { outcome.status, #outcome.warnings, outcome.after:json() }
end)
met("put that is not kept", function() return { status = 200, headers = {}, body = sample, bytes_sent = 1 } end,
  function(client)
    local _, err = client:update(edit)
    return err.kind == "unverified" and tostring(err), err
  end)
met("conflict", function(s, request)
  if s.gets == 2 then
    local theirs = cfg_of()
    theirs.settings.question_message = "Theirs?"
    at_hand.texts[request.headers.Authorization] = theirs:text()
  end
  return answer_to(request)
end, function(client)
  local _, err = client:update(edit)
  return err.kind == "conflict" and { #err.conflicts, tostring(err) }, err
end)
met("told to wait", function(s, request)
  if s.gets == 1 then return { status = 429, headers = { ["retry-after"] = "2" }, body = "{}", bytes_sent = 1 } end
  return answer_to(request)
end, function(client, s)
  local cfg, err = client:get()
  return cfg and { cfg:json(), s.events }, err
end)
met("refused", function(_, request)
  local word = request.headers.Authorization:match "%S+$"
  return { status = 401, headers = {}, body = '{"errors":{"root":[{"message":"Bad ' .. word .. '"}]}}', bytes_sent = 1 }
end, function(client)
  local _, err = client:get()
  return err.kind == "auth" and tostring(err), err
end)

return list
