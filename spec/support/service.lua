-- SPDX-License-Identifier: MIT
--- The API in this process, over real HTTP, each of whose requests a test decides upon; and time that passes when it is waited.
--
--   local service = require "support.service".start()
--   service.text            what is stored; a test may set it at any time
--   service.on              function(method, count, request) → nil: as the API does; "drop": cut off before anything is done,
--                           "lose": done, then cut off; or status, body, headers. `count`: the how many-th of that method
--   service.order           whose requests are handled first: a list of tokens, the first taken away as its request is; a
--                           token that nobody uses any more is taken away by the test. nil: in the order in which they come
--   service.asked           "GET GET PUT": what was asked
--   service.sent            the bodies of the PUTs; service.request, the one that is being handled
--   service.waits           the seconds of each wait
--   service.time            what the clock says
--   service:client(opts)    a client with a token of its own, in that time
--   service:run(fn)         what fn returns, as a task that is served meanwhile; `service.task`
--   service:close()
local json = require("handoff.core").json
local api = require "handoff.sandbox.service"
local document = require "support.document"
local handoff = require "handoff"
local loops = require "handoff.loop"
local serve = require "handoff.serve"
local transports = require "handoff.transport"

local service = {}

local Service = {}
Service.__index = Service

local tokens = 0

-- ---- serving --------------------------------------------------------------------------------------------------------

local function new_id(self)
  return function()
    self.last_id = self.last_id + 1
    return self.last_id
  end
end

local function put(self, request)
  local text, found = api.put(self.text, request.body, new_id(self))
  if not text then return 400, json.encode { errors = { root = { { message = found[1].message } } } } end
  self.text = text
  return 200, text
end

local function handle(self, request)
  local method = request.method
  self.asked = self.asked and self.asked .. " " .. method or method
  self.counts[method] = (self.counts[method] or 0) + 1
  if method == "PUT" then self.sent[#self.sent + 1] = request.body end
  self.request = request
  local what, body, headers
  if self.on then what, body, headers = self.on(method, self.counts[method], request) end
  if what == "drop" then return request:drop() end
  local status, text = what, body
  if type(what) ~= "number" then
    if method == "PUT" then status, text = put(self, request) else status, text = 200, self.text end
  end
  if what == "lose" then return request:drop() end
  self.server:answer(request, status, headers, text)
end

-- The request that is to be handled next leaves the held ones.
local function next_held(self)
  if not self.order then return table.remove(self.held, 1) end
  for i, request in ipairs(self.held) do
    if request.headers.authorization == "Bearer " .. tostring(self.order[1]) then
      table.remove(self.order, 1)
      return table.remove(self.held, i)
    end
  end
end

local function serve_all(self)
  while self.serving do
    self.server:step(0.001)
    for request in function() return self.server:next() end do self.held[#self.held + 1] = request end
    for request in next_held, self do handle(self, request) end
    self.loop:sleep(0)
  end
end

-- ---- time -----------------------------------------------------------------------------------------------------------

-- Requests are real; waits are written down, and over at once unless the test's `on_wait` cancels the task.
local function transport(self)
  local curl = transports.curl { loop = self.loop }
  return {
    request = function(_, req)
      self.timeouts[#self.timeouts + 1] = req.timeout
      return curl:request(req)
    end,
    now = function() return self.time end,
    sleep = function(_, seconds)
      self.waits[#self.waits + 1] = seconds
      self.time = self.time + seconds
      if self.on_wait then self.on_wait(seconds) end
      return self.loop:sleep(0)
    end,
  }
end

-- ---- the face -------------------------------------------------------------------------------------------------------

function Service:client(opts)
  tokens = tokens + 1
  local all = {
    name = "shop", token = "service-" .. tokens, transport = self.transport,
    base_url = ("http://127.0.0.1:%d/v1/api/"):format(self.server:port()),
  }
  for name, value in pairs(opts or {}) do all[name] = value end
  return handoff.client(all)
end

function Service:run(fn)
  self.serving = true
  local failed
  self.task = self.loop:spawn(function()
    local results = { xpcall(fn, function(err) return { err } end) }
    self.serving, failed = false, not results[1] and results[2]
    return results[2], results[3]
  end)
  self.loop:spawn(serve_all, self)
  self.loop:run()
  if failed then error(failed[1], 0) end
  return self.task:join()
end

--- Does what a PUT asks for, whatever is answered then.
function Service:store(request) put(self, request) end

--- A configuration of what is stored.
function Service:config() return assert(handoff.config(self.text)) end

--- What is stored, edited by somebody else.
function Service:edit(fn)
  local cfg = self:config()
  fn(cfg)
  self.text = assert(api.put(self.text, cfg:text(), new_id(self)))
end

function Service:close()
  self.server:close()
  self.loop:close()
end

function service.start(text)
  local self = setmetatable({
    server = assert(serve.new()), loop = loops.new(), text = text or document.text(), last_id = 1000,
    counts = {}, held = {}, sent = {}, waits = {}, timeouts = {}, time = 1e6,
  }, Service)
  self.transport = transport(self)
  return self
end

return service
