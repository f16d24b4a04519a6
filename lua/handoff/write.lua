-- SPDX-License-Identifier: MIT
--- The guarded write: carries an edit over to what the service has at that moment, and does not take a PUT for written, or
-- for not written, before it was looked. What remains is the one round trip from the last GET to its PUT.
local core = require "handoff.core"
local call = require "handoff.call"
local change = require "handoff.change"
local config = require "handoff.config"
local loops = require "handoff.loop"
local request = require "handoff.request"
local verify = require "handoff.verify"

local failure = core.error.new

local write = {}

-- A job is what is to be carried over, and how:
--   call         see call.lua
--   base_text, base   what the edit was made on; the configuration is made of the text when it is needed
--   meant        what it was made into
--   lenient      the service may have trimmed texts of it already
--   known        what is there, just read: the first PUT leaves without another look
--   draft        what was last made of it, see write.draft, or nil
--   maybe        the draft of the first PUT that may have been written, as far as is known; nil where nothing was
--   resolve, on_put, verify, dry_run   see client.lua

-- ---- outcomes -------------------------------------------------------------------------------------------------------

-- before and after are texts until somebody asks for the configurations.
local Outcome = {}

function Outcome.__index(outcome, name)
  if name ~= "before" and name ~= "after" then return nil end
  local cfg
  if name == "after" and outcome.after_text == outcome.before_text then
    cfg = outcome.before
  else
    cfg = assert(config.new(outcome[name .. "_text"], true))
  end
  outcome[name] = cfg
  return cfg
end

local function outcome_of(job, draft, after_text)
  return setmetatable({
    status = #draft.changes > 0 and "changed" or "unchanged", changes = draft.changes, warnings = draft.warnings,
    merged = draft.merged, requests = job.call.requests, before_text = draft.before_text, after_text = after_text,
  }, Outcome)
end

-- ---- drafts ---------------------------------------------------------------------------------------------------------

local EDITED = { edited = true }

local function invalid(client, issues, maybe)
  local errors = {}
  for _, issue in ipairs(issues) do
    if issue.severity == "error" then errors[#errors + 1] = issue end
  end
  local more = #errors > 1 and (" (and %d more)"):format(#errors - 1) or ""
  return failure {
    kind = "invalid", agent = client.name, path = errors[1].path, rule = errors[1].rule, issues = errors,
    message = errors[1].message .. more .. (maybe and "" or "; nothing was written"),
  }
end

--- What would be sent: { before_text, cfg (with the edits), text, changes, warnings, merged (true or nil) }; without changes
-- there is no text. nil, err where the edits broke a rule.
-- @param merged true where somebody else's edits are in it
-- @param maybe see the job's
function write.draft(client, before_text, cfg, merged, maybe)
  local changes, issues = cfg:changes(), cfg:check(EDITED)
  for i = 1, #issues do
    if issues[i].severity == "error" then return nil, invalid(client, issues, maybe) end
  end
  local changed = #changes > 0 or nil
  return {
    before_text = before_text, cfg = cfg, text = changed and cfg:text(), changes = changes, warnings = issues,
    merged = changed and merged,
  }
end

-- A conflict prints with its path in front, and so does an error.
local function conflict(client, conflicts)
  local first = conflicts[1]
  local more = #conflicts > 1 and (" (and %d more)"):format(#conflicts - 1) or ""
  return failure {
    kind = "conflict", agent = client.name, path = first.path, conflicts = conflicts,
    message = ("somebody else has edited it, too: %s%s; run it again upon what is there now, or say whose edit stands: "
      .. 'on_conflict="mine", "theirs" or a function'):format(tostring(first):sub(#first.path + 3), more),
  }
end

-- What leads from the base to what was meant, carried over to what is there now.
local function merge(job, theirs_text)
  local client = job.call.client
  local theirs, err = request.parse(client, "GET", theirs_text)
  if not theirs then return nil, err end
  job.base = job.base or assert(config.new(job.base_text, true))
  local conflicts = config.merge(theirs, job.base, job.meant, { resolve = job.resolve, lenient = job.lenient })
  if #conflicts > 0 then return nil, conflict(client, conflicts) end
  -- Even where the base is what is there, what was meant may not be fit to send: it may have ids of items that are gone.
  return write.draft(client, theirs_text, theirs, theirs_text ~= job.base_text or nil, job.maybe)
end

-- What was seen to be there although nobody answered: others may have edited it since.
local function seen_to_be_there(job, draft, text)
  local outcome = outcome_of(job, draft, text)
  outcome.reconciled = true
  return outcome
end

-- The draft upon what is there now: the last one where that has not changed.
local function draft_upon(job, theirs_text)
  if job.draft and job.draft.before_text == theirs_text then return job.draft end
  local draft, err = merge(job, theirs_text)
  job.draft = draft
  return draft, err
end

-- ---- verifying ------------------------------------------------------------------------------------------------------

-- Holds a configuration of the service's against what was sent → { dropped = the changes that were, warnings = of what was
-- normalised, exact = whether nothing but blanks was, replaced = the first addition for which another one stands, or nil }.
local function compare(draft, answer)
  local found, differs, before = { dropped = {}, warnings = {}, exact = true }, {}, nil
  for _, name in ipairs(core.config.differing(draft.cfg, answer)) do differs[name] = true end
  for _, made in ipairs(draft.changes) do
    local part = made.part
    if differs[part] then
      differs[part] = nil
      before = before or assert(config.new(draft.before_text, true))
      local exact, replaced = verify.part(part, draft.changes, config.part(before, part), config.part(draft.cfg, part),
        config.part(answer, part), found.dropped, found.warnings)
      found.exact, found.replaced = found.exact and exact, found.replaced or replaced
    end
  end
  return found
end

local function unverified(client, dropped)
  return failure {
    kind = "unverified", agent = client.name, path = dropped[1].path, status = 200, dropped = dropped,
    message = ("the service answered 200 but did not keep %d of the changes, the first: %s; look at the dashboard")
      :format(#dropped, change.line(dropped[1])),
  }
end

local function add_all(list, more)
  for _, one in ipairs(more) do list[#list + 1] = one end
end

-- The answer to the verifying GET → its text; or nil, err.
local function read_back(job, draft)
  local client = job.call.client
  local text, err = call.insist(job.call, "GET")
  local cfg
  if text then cfg, err = request.parse(client, "GET", text) end
  if cfg then return text, cfg end
  err.message = "the service answered 200, but reading it back failed: " .. err.message
  return nil, request.doubt(err, draft.before_text)
end

-- The PUT was answered: by `answer`, a configuration, or nil where that is what was sent, byte for byte → outcome | nil, err.
local function finish(job, draft, text, answer)
  if job.verify == "read" then
    text, answer = read_back(job, draft)
    if not text then return nil, answer end
  end
  if job.verify and answer then
    local found = compare(draft, answer)
    if #found.dropped > 0 then
      job.maybe = nil
      return nil, unverified(job.call.client, found.dropped)
    end
    add_all(draft.warnings, found.warnings)
  end
  return outcome_of(job, draft, text)
end

-- ---- a PUT whose answer never came ----------------------------------------------------------------------------------

-- A doubt: { draft = what may have been written, err = why that is not known, final = whether it is not tried again,
--   earlier = what the job's `maybe` was before }

-- What is raised meanwhile, by a function of the script's, reaches the caller as an error that says so.
local function in_doubt(job, fn, ...)
  local maybe = job.maybe
  if not maybe then return fn(job, ...) end
  local ok, first, outcome, err = loops.call(fn, job, ...)
  if ok then return first, outcome, err end
  core.error.again(request.doubt(first, maybe.before_text))
end

-- It could not be looked whether it was written.
local function not_seen(doubt, err)
  if err.kind == "cancelled" then
    err.message = err.message .. "; whether the PUT before was written is not known"
    return err
  end
  doubt.err.message = ("%s; looking whether it was written failed too (%s)"):format(doubt.err.message, err.kind)
  return doubt.err
end

-- It was looked, and it is not tried again.
local function given_up(job, doubt)
  if not job.maybe then doubt.err.message = doubt.err.message .. "; it was not written, as a look afterwards showed" end
  return doubt.err
end

-- What is there may be what was added, as the service keeps it, or somebody else's: to add it again might double it.
local function not_told_apart(doubt, added)
  doubt.err.message = ("%s; a look afterwards showed what may be this, as the service keeps it, or somebody else's: %s")
    :format(doubt.err.message, change.line(added))
  return doubt.err
end

-- Looks whether what was meant is there → its outcome; nil where it is not, and the job is then what remains to be done; or
-- nil, err.
local function look(job, doubt, theirs_text)
  local draft = doubt.draft
  if theirs_text == draft.text then return seen_to_be_there(job, draft, theirs_text) end
  if theirs_text == draft.before_text then
    if not request.may_come_late(doubt.err) then job.maybe = doubt.earlier end
    return nil
  end
  local theirs, err = request.parse(job.call.client, "GET", theirs_text)
  if not theirs then return nil, not_seen(doubt, err) end
  local found = compare(draft, theirs)
  if #found.dropped == 0 and found.exact then
    add_all(draft.warnings, found.warnings)
    return seen_to_be_there(job, draft, theirs_text)
  end
  if found.replaced then return nil, not_told_apart(doubt, found.replaced) end
  job.base_text, job.base, job.meant = draft.before_text, nil, draft.cfg
  job.lenient = true
end

-- Waits where the draft's PUT, which failed, is tried again → what round returns.
local function after_failure(job, draft, err, earlier)
  local doubt = { draft = draft, err = err, earlier = earlier }
  if not request.may_have_written(err) then doubt, job.maybe = nil, earlier end
  local again, why = call.again(job.call, "PUT", job.tried, err)
  if again then
    job.doubt = doubt
  elseif not doubt then
    return true, nil, why
  elseif why.kind == "cancelled" then
    return true, nil, why == err and err or not_seen(doubt, why)
  else
    doubt.final, job.doubt = true, doubt
  end
end

-- ---- the loop -------------------------------------------------------------------------------------------------------

-- What is there, read when a PUT may follow at once → its text; or nil, err.
local function read(job)
  local text
  local is_last = job.doubt and job.doubt.final or job.dry_run
  local ok, err = is_last, nil
  if not is_last then ok, err = call.await(job.call, "PUT") end
  if ok then text, err = call.insist(job.call, "GET") end
  if text then return text end
  return nil, job.doubt and not_seen(job.doubt, err) or err
end

local function announce(job, draft)
  if not job.on_put then return true end
  local ok, err = job.on_put(draft.before_text, draft.text)
  if ok == true then return true end
  if ok or err == nil then
    core.error.raise { path = "on_put", rule = "returned",
      message = ("it returned %s; true expected, or nil and an error"):format(ok and "a " .. type(ok) or "nothing") }
  end
  if core.error.is(err) then return nil, err end
  return nil, failure { kind = "invalid", rule = "on_put", agent = job.call.client.name, message = tostring(err) }
end

-- Sends the draft → what round returns.
local function send(job, draft, earlier)
  local self, sent, answer = job.call, job.call.requests, nil
  local text, err = call.try(self, "PUT", draft.text)
  if self.requests == sent then
    job.maybe = earlier
    if not err then return end -- not its turn: what is there may change until then
    err.attempts = job.tried
    return true, nil, err
  end
  job.doubt, job.tried = nil, job.tried + 1
  if text and text ~= draft.text then answer, err = request.parse(self.client, "PUT", text) end
  if not err then return true, finish(job, draft, text, answer) end
  return after_failure(job, draft, err, earlier)
end

local function put(job, draft)
  local ok, err = announce(job, draft)
  if not ok then return true, nil, err end
  local earlier = job.maybe
  job.maybe = earlier or draft
  return in_doubt(job, send, draft, earlier)
end

-- One round, upon what is there → true and what carry returns; or nothing where another one is needed.
local function round(job, theirs_text)
  local doubt = job.doubt
  if doubt then
    local outcome, err = look(job, doubt, theirs_text)
    if outcome or err then return true, outcome, err end
  end
  local draft, err = draft_upon(job, theirs_text)
  if not draft then return true, nil, err end
  if #draft.changes == 0 then
    return true, job.maybe and seen_to_be_there(job, job.maybe, theirs_text) or outcome_of(job, draft, theirs_text)
  end
  if job.dry_run then
    local outcome = outcome_of(job, draft, draft.text)
    outcome.dry_run = true
    return true, outcome
  end
  if doubt and doubt.final then return true, nil, given_up(job, doubt) end
  return put(job, draft)
end

local function look_again(job)
  local theirs_text, err = read(job)
  if not theirs_text then return true, nil, err end
  return round(job, theirs_text)
end

--- Does the job.
-- @return an Outcome (see client.lua), whose changes are relative to what was there just before the PUT, and whose `after` may
--   hold others' edits where it is reconciled; or nil, err
function write.carry(job)
  local done, outcome, err
  job.tried = 0
  if job.known then done, outcome, err = round(job, job.known) end
  while not done do done, outcome, err = in_doubt(job, look_again) end
  if err and job.maybe then request.doubt(err, job.maybe.before_text) end
  return outcome, err
end

return write
