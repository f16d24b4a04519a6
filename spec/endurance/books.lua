-- SPDX-License-Identifier: MIT
--- The books of both sides: what the sandbox stored, from its file of writes, and what the history says was written.
local handoff_history = require "handoff.history"
local json = require("handoff.core").json
local marks = require "endurance.marks"

local books = {}

local Books = {}
Books.__index = Books

--- @param writes the sandbox's file of them; history: the history's
-- @param wrong function(format, ...), called for each thing that is not as it must be
function books.new(writes, history, wrong)
  return setmetatable({
    file = assert(io.open(writes, "rb")), path = writes, history = history, wrong = wrong,
    texts = {}, -- what is stored now, by agent; nil where nothing was stored yet
    puts = 0, recorded = 0, superseded = 0, races = 0,
  }, Books)
end

-- ---- what was stored ----------------------------------------------------------------------------------------------------

--- What was stored since the last call → by agent, a list of { by=, text=, sent=, was = what was there before, nil: as it
-- began }.
function Books:read()
  local stored = {}
  for line in self.file:lines() do
    local one = assert(json.decode(line))
    local list = stored[one.agent] or {}
    stored[one.agent] = list
    one.sent, one.was = one.sent or one.text, self.texts[one.agent]
    self.texts[one.agent] = one.text
    list[#list + 1] = one
  end
  return stored
end

-- ---- one run --------------------------------------------------------------------------------------------------------------

local function without_marks(text)
  local document = assert(json.decode(text))
  marks.take(document)
  return json.encode(document)
end

--- Nothing but marks may differ between what was there and what was meant.
function Books:check_announced(name, before, meant)
  if without_marks(before) == without_marks(meant) then return end
  self.wrong("%s: a PUT was to change more than the edit:\n%s\n%s", name, before, meant)
end

local function last_put(list)
  for i = #list, 1, -1 do
    if list[i].by == "PUT" then return list[i] end
  end
end

-- Each PUT that was stored was announced with that text; one of them is the one that the history has.
local function check_puts(self, name, list, announced, meant)
  local is_recorded = false
  for _, one in ipairs(list) do
    if one.by == "PUT" then
      local before = announced and announced[one.sent]
      self.puts = self.puts + 1
      if one.sent == meant and not is_recorded then
        self.recorded, is_recorded = self.recorded + 1, true
      else
        self.superseded = self.superseded + 1
      end
      if not before then self.wrong("%s: the service stored a PUT that nobody announced:\n%s", name, one.sent) end
      if one.was and before ~= one.was then self.races = self.races + 1 end
    end
  end
end

local wrote = { changed = true, unverified = true }

-- What the history has of an agent is what was stored.
local function check_entry(self, recorded, name, status, list)
  local put = last_put(list)
  local before, meant, after = recorded:documents(name)
  if wrote[status] and not put then
    self.wrong("%s: %s by the history, and no PUT was stored", name, status)
  elseif wrote[status] and put and put.sent ~= meant then
    self.wrong("%s: the history has\n%s\nand the service was sent\n%s", name, meant, put.sent)
  elseif put and not before then
    self.wrong("%s: a PUT was stored, and no document is in the history", name)
  end
  local is_kept = not after
  for _, one in ipairs(list) do is_kept = is_kept or one.text == after end
  if not is_kept then self.wrong("%s: what the history has as the answer was never stored:\n%s", name, after) end
  return before, meant
end

--- Holds a run that has ended against what was stored since the last one.
-- @param id its number
-- @param announced by agent, { [text meant] = the text before }
-- @return its entries by agent, { status=, before=, meant= (texts, or nil) }
function Books:check(id, announced)
  local entries, stored = {}, self:read()
  local history = assert(handoff_history.look(self.history))
  local recorded = assert(history:run(id))
  for name, entry in recorded:entries() do
    local list = stored[name] or {}
    local before, meant = check_entry(self, recorded, name, entry.status, list)
    entries[name], stored[name] = { status = entry.status, before = before, meant = meant }, nil
    check_puts(self, name, list, announced[name], meant)
  end
  for name, list in pairs(stored) do
    if last_put(list) then self.wrong("%s: a PUT was stored, and run %d has no such agent", name, id) end
  end
  history:close()
  return entries
end

-- ---- all of it ------------------------------------------------------------------------------------------------------------

-- Where the texts of the PUTs stand in the file of writes: by agent, a list of places.
local function index(self)
  local places, at, count = {}, 0, 0
  self.file:seek("set", 0)
  for line in self.file:lines() do
    local one = assert(json.decode(line))
    if one.by == "PUT" then
      places[one.agent] = places[one.agent] or { next = 1 }
      table.insert(places[one.agent], at)
      count = count + 1
    end
    at = at + #line + 1
  end
  return places, count
end

-- The next of the agent's PUTs that sent that text → whether there is one.
local function find(self, list, meant)
  for place = list and list.next or 1, list and #list or 0 do
    self.file:seek("set", list[place])
    local one = assert(json.decode(self.file:read "*l"))
    if (one.sent or one.text) == meant then
      list.next = place + 1
      return true
    end
  end
  return false
end

--- Holds all of the history against all that was stored, in order.
-- @return { puts=, found = how many rows' texts were stored, bytes= of these, rows= with documents }
function Books:audit()
  local places, puts = index(self)
  local figures = { puts = puts, found = 0, bytes = 0, rows = 0 }
  local history = assert(handoff_history.look(self.history))
  local runs = assert(history:runs { limit = 2 ^ 31 })
  for i = #runs, 1, -1 do
    for name, entry in runs[i]:entries() do
      local before, meant = runs[i]:documents(name)
      figures.rows = figures.rows + (before and 1 or 0)
      if before and find(self, places[name], meant) then
        figures.found, figures.bytes = figures.found + 1, figures.bytes + #meant
      elseif wrote[entry.status] then
        self.wrong("run %d, %s: changed, and its text was never stored after those before it", runs[i].id, name)
      end
    end
  end
  history:close()
  return figures
end

function Books:close() self.file:close() end

return books
