-- SPDX-License-Identifier: MIT
--- Somebody else who edits the same agents, other fields of them, while a run goes on: each edit at one stroke, inside the
-- service.
local json = require("handoff.core").json
local loops = require "handoff.loop"
local marks = require "endurance.marks"
local random = require "support.random"
local transports = require "handoff.transport"

local outside = {}

local Editor = {}
Editor.__index = Editor

local PAUSE = 0.1 -- seconds

local function patch(r)
  local number = r:below(1e6)
  return r:one {
    { settings = { question_message = ("Theirs, %d?"):format(number) } },
    { settings = { keywords = { "theirs", ("%d"):format(number) } } },
    { settings = { confirmation_message = marks.theirs } },
    { settings = { emails = json.array {}, is_active = r:boolean() } },
    { future = { number = number, list = json.array {}, text = r:text() } },
  }
end

local function edit_on(self)
  local carrier = transports.default()
  while not self.is_over do
    local url = ("%s/_sandbox/document/%s"):format(self.service, self.random:one(self.names))
    local answer, err = carrier:request { method = "PATCH", url = url, body = json.encode(patch(self.random)) }
    if not answer or answer.status ~= 200 then error(tostring(err or answer.body), 0) end
    self.count = self.count + 1
    carrier:sleep(PAUSE)
  end
end

--- Begins. It goes on whenever the loop does.
-- @param box a sandbox, see support.sandbox
function outside.start(box, names, seed)
  local self = setmetatable({
    service = box.base_url:match "^%w+://[^/]+", names = names, random = random(seed), count = 0,
  }, Editor)
  self.task = loops.default():spawn(edit_on, self)
  return self
end

--- Ends it → how many edits it made.
function Editor:stop()
  self.is_over = true
  local _, err = loops.default():join(self.task)
  if err then error(tostring(err), 0) end
  return self.count
end

return outside
