-- SPDX-License-Identifier: MIT
--- What the workers know together of the agents' documents, in a shared dictionary. A token is never among it.
--
-- Of an agent: its document ("d:"); when that was fetched ("m:"), small, as it is read at every get; how its last refresh failed
-- ("e:"); who is fetching it ("l:"). Of all: the worker that refreshes ("lead"), counts ("r:" of requests, "n:" of refreshes).
--
-- Times are seconds on the clock that never jumps: it is that of all processes since the machine started, which the dictionary
-- does not outlive.
local core = require "handoff.core"
local config = require "handoff.config"

local now = core.http.now

local Store = {}
Store.__index = Store

local OURS = "handoff:" -- each key begins with it: the dictionary may be that of others, too
local LEAD = OURS .. "lead"
local FAILURE = 60 -- seconds that a failure is known after its time to try again has come

--- The store in the dictionary of that name, which is there.
-- @param lasting seconds after which a document is of no use
local function new(name, lasting)
  return setmetatable({ dict = ngx.shared[name], lasting = lasting }, Store)
end

--- What is kept of an agent in this worker: its keys; what of it was read last, so that it is taken apart once.
-- @param identity who it is whatever it is called: what was fetched for another one under its name is not used
local function record_of(agent, identity)
  local name = agent.name
  return { name = name, agent = agent, identity = identity,
    meta_key = OURS .. "m:" .. name, text_key = OURS .. "d:" .. name, failure_key = OURS .. "e:" .. name,
    lock_key = OURS .. "l:" .. name }
end

--- The number of a document: the same for the same text, in every worker and after every restart.
local function version_of(text) return tonumber(ngx.md5(text):sub(1, 13), 16) end

-- ---- documents ----------------------------------------------------------------------------------------------------------

local function read_text(self, record)
  local value = self.dict:get(record.text_key)
  local version, text = (value or ""):match "^(%d+)\n(.*)$"
  return text, tonumber(version)
end

--- What says when the document was fetched, as it stands in the dictionary; it is another one after each fetch.
function Store:stamp(record) return self.dict:get(record.meta_key) end

-- Takes a stamp apart, once → { at=, fetched= when it was fetched (on the clock that never jumps, and since 1970), version= };
-- empty where it is another agent's.
local function take_apart(record, stamp)
  local told = record.told
  if told and told.stamp == stamp then return told end
  local at, fetched, version, identity = stamp:match "^(%S+) (%S+) (%S+) (.*)$"
  told = { stamp = stamp }
  if identity == record.identity then
    told.at, told.fetched, told.version = tonumber(at), tonumber(fetched), tonumber(version)
  end
  record.told = told
  return told
end

--- Seconds since the newest that is known was fetched, nil where nothing is that is still of use. Does not read it.
function Store:age(record)
  local stamp, kept = self:stamp(record), record.kept
  local at = stamp and take_apart(record, stamp).at or kept and kept.at
  local age = at and math.max(0, now() - at)
  return age and age <= self.lasting and age or nil
end

local function sealed(text)
  local cfg = config.new(text, true)
  if cfg then core.config.seal(cfg) end
  return cfg
end

--- Keeps the document in this worker.
local function keep(record, stamp, at, fetched, version, cfg)
  record.kept = { stamp = stamp, at = at, fetched = fetched, version = version, cfg = cfg }
end

-- Takes up what another worker, or this one, put into the dictionary.
local function take_up(self, record, stamp)
  local told, kept = take_apart(record, stamp), record.kept
  if not told.at then return end
  local version = told.version
  local cfg = kept and kept.version == version and kept.cfg
  if not cfg then
    local text
    text, version = read_text(self, record)
    cfg = text and sealed(text)
  end
  if cfg then keep(record, stamp, told.at, told.fetched, version, cfg) end
end

--- The newest that is known of the document → { at=, fetched=, version=, cfg= }, which is not to be changed; nil where nothing
-- is that is still of use. What has left the dictionary is still served by who read it.
function Store:newest(record)
  local stamp, kept = self.dict:get(record.meta_key), record.kept
  if stamp and not (kept and kept.stamp == stamp) then
    take_up(self, record, stamp)
    kept = record.kept
  end
  if kept and now() - kept.at <= self.lasting then return kept end
end

--- Puts a document in, for all workers.
-- @param age seconds since it was fetched; fetched = when that was, since 1970
-- @return true; or nil and the dictionary's reason, where it is kept in this worker alone
function Store:put(record, text, cfg, age, fetched)
  local version, at = version_of(text), now() - age
  local stamp = ("%.3f %.3f %.0f %s"):format(at, fetched, version, record.identity)
  local ok, why = self.dict:safe_set(record.text_key, ("%.0f\n%s"):format(version, text), self.lasting)
  if ok then ok, why = self.dict:safe_set(record.meta_key, stamp, self.lasting) end
  if not ok then
    self.dict:delete(record.meta_key)
    self.dict:delete(record.text_key)
  end
  if record.kept or not ok then
    core.config.seal(cfg)
    keep(record, ok and stamp or nil, at, fetched, version, cfg)
  end
  self.dict:delete(record.failure_key)
  record.failed = nil
  return ok, why
end

-- ---- failures -----------------------------------------------------------------------------------------------------------

--- How the last refresh failed → { count= in a row, next= when it may be tried again, kind=, message= }, or nil.
function Store:failure(record)
  local value, failed = self.dict:get(record.failure_key), record.failed
  if not value then return failed and not failed.value and now() < failed.next + FAILURE and failed or nil end
  if failed and failed.value == value then return failed end
  local count, at, kind, message = value:match "^(%d+) (%S+) (%S+) (.*)$"
  record.failed = { value = value, count = tonumber(count), next = tonumber(at), kind = kind, message = message }
  return record.failed
end

--- Notes a failure.
-- @param wait seconds until the next try
function Store:fail(record, count, wait, err)
  local failed = { count = count, next = now() + wait, kind = err.kind, message = err.message }
  local value = ("%d %.3f %s %s"):format(count, failed.next, err.kind, err.message)
  if self.dict:safe_set(record.failure_key, value, wait + FAILURE) then failed.value = value end
  record.failed = failed
end

--- Forgets that it failed: what was configured may be another now.
function Store:forgive(record) self.dict:delete(record.failure_key) end

-- ---- one worker of all ----------------------------------------------------------------------------------------------------

-- Asked each time: the store may have been made before the workers were.
local function own() return ("%d"):format(ngx.worker.pid()) end

--- Makes this worker the one that fetches the agent's document, for so many seconds at most → whether it is. A dictionary that
-- is too full to say who it is lets each fetch.
function Store:lock(record, seconds)
  local ok, why = self.dict:safe_add(record.lock_key, own(), seconds)
  return ok or why == "no memory"
end

function Store:unlock(record)
  if self.dict:get(record.lock_key) == own() then self.dict:delete(record.lock_key) end
end

--- Whether this worker is the one that refreshes; it stays that for so many seconds.
function Store:lead(seconds)
  local dict = self.dict
  if dict:get(LEAD) == own() and dict:expire(LEAD, seconds) then return true end
  local ok, why = dict:safe_add(LEAD, own(), seconds)
  return ok or why == "no memory"
end

function Store:stop_leading()
  if self.dict:get(LEAD) == own() then self.dict:delete(LEAD) end
end

-- ---- counts ---------------------------------------------------------------------------------------------------------------

local kinds = { "cancelled", "network", "protocol", "timeout", "tls" }

-- What is new is added only where there is room: incr would push out what others keep.
function Store:count(what)
  local dict, key = self.dict, OURS .. what
  return dict:incr(key, 1) or dict:safe_add(key, 1) or dict:incr(key, 1)
end

function Store:counted(what) return self.dict:get(OURS .. what) or 0 end

function Store:count_request(method, outcome) self:count(("r:%s %s"):format(method, outcome)) end

--- → a list of { method=, status= or error=, count= }, methods in the order of the alphabet, statuses before errors.
function Store:requests()
  local list = {}
  local function add(method, status, kind)
    local count = self.dict:get(("%sr:%s %s"):format(OURS, method, status or kind))
    if count then list[#list + 1] = { method = method, status = status, error = kind, count = count } end
  end
  for _, method in ipairs { "GET", "PUT" } do
    for status = 100, 599 do add(method, status) end
    for _, kind in ipairs(kinds) do add(method, nil, kind) end
  end
  return list
end

return { new = new, record = record_of, version = version_of }
