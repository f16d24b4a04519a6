-- SPDX-License-Identifier: MIT
--- The agents of the operations, and who answers for them: the sandbox over HTTP (`afar`), or the same service in this state
-- (`at_hand`), each with store(), which puts the sample there, and stored(count) → what the first so many agents have.
local torture = torture -- luacheck: ignore
local sample = require "bench.sample"
local folder = require("torture.folder").path

local function handoff() return require "handoff" end
local function core() return require "handoff.core" end

local base_url = os.getenv "TORTURE_URL"
local AGENTS = 2

local entries
local function agents()
  entries = entries or dofile(folder .. "/agents.lua")
  local some = {}
  for i = 1, AGENTS do
    some[i] = { name = entries[i].name, token = entries[i].token, tags = { region = "eu" }, base_url = base_url }
  end
  return some
end

-- ---- the service ---------------------------------------------------------------------------------------------------------

-- What the service allows in a minute is told apart by the clock, and each call gets one of its own.
local function transport()
  local t = require("handoff.transport").curl { loop = require("handoff.loop").new() }
  function t:now() return core().http.now() + 0 * #tostring(self) end -- luacheck: ignore
  return t
end

-- The sandbox, behind the library's back.
local backstage_transport
local function backstage(method, what, body)
  backstage_transport = backstage_transport or transport()
  local url = base_url:match "^%w+://[^/]+" .. "/_sandbox/" .. what
  local answer = assert(backstage_transport:request { method = method, url = url, body = body })
  assert(answer.status == 200, answer.body)
  return answer.body
end

-- What was under way when memory failed comes to its end first.
local function close(s)
  pcall(s.transport.loop.run, s.transport.loop)
  s.transport:close()
  if backstage_transport then backstage_transport:close() end
end

local afar = { transport = transport }
function afar.store()
  for _, agent in ipairs(agents()) do backstage("PUT", "document/" .. agent.name, sample) end
end
function afar.stored(count)
  local texts = {}
  for i, agent in ipairs(agents()) do
    if i <= count then texts[i] = handoff().config(backstage("GET", "document/" .. agent.name)):json() end
  end
  return table.concat(texts, "\n")
end

-- The same service in this state, without a connection: a request waits as its task does, and takes a tenth of the processor's
-- time of one that is sent. A run over a fleet asks for memory thousands of times, and each fails in a run of its own.
local at_hand = { texts = {} }
local answers = {} -- by what was there and what was sent: the service gives the same each time
local function answer_to(request)
  local texts, sent = at_hand.texts, request.body
  local who = request.headers.Authorization
  if sent then
    local key = texts[who] .. "\0" .. sent
    local id = 9000
    answers[key] = answers[key] or assert(require("handoff.sandbox.service").put(texts[who], sent, function()
      id = id + 1
      return id
    end))
    texts[who] = answers[key]
  end
  return { status = 200, headers = {}, body = texts[who], bytes_sent = 1 }
end
local function wait_for_answer(self, request)
  local slept, err = self.loop:sleep(0)
  if not slept then return nil, err end
  return torture.pause(answer_to, request)
end
function at_hand.transport()
  local t = transport()
  t.request = wait_for_answer
  return t
end
function at_hand.store()
  for _, agent in ipairs(agents()) do at_hand.texts["Bearer " .. agent.token] = sample end
end
function at_hand.stored(count)
  local texts = {}
  for i, agent in ipairs(agents()) do
    if i <= count then texts[i] = at_hand.texts["Bearer " .. agent.token] end
  end
  return table.concat(texts, "\n")
end

local function edit(cfg)
  cfg.settings.question_message = "Shall we get a colleague?"
  cfg.custom_guidelines:upsert { name = "Guideline 2", description = "Otherwise.", is_active = false }
end

return {
  AGENTS = AGENTS, base_url = base_url, agents = agents, transport = transport, close = close, edit = edit,
  afar = afar, at_hand = at_hand, answer_to = answer_to,
}
