-- SPDX-License-Identifier: MIT
--- Edits that show when they were lost, done twice or done by half, and what a document has of them.
--
-- Each edit has a number. It counts one up in the text of a guideline, puts a slot of that number in the place of the one
-- before, and so with an item by its name and with a message, which others edit, too. A state is what is there: { count=,
-- slot=, item=, message= }, texts; "" where there is none.
local marks = {}

local COUNTER, ITEM, SLOT = "Endurance", "^Round (%d+)$", "^04:%d%d$"

--- The part that each is in.
marks.parts = {
  slot = "availability", count = "custom_guidelines", item = "custom_guidelines", message = "settings",
}

--- The message as others leave it.
marks.theirs = "Theirs."

--- Whether a mark is one of two texts; the message may be others', too.
function marks.is(mark, text, one, other)
  return text == one or text == other or mark == "message" and text == marks.theirs
end

local function minute(number) return ("04:%02d"):format(number % 59) end
local function is_slot(slot) return slot.day_span == "sunday" and tostring(slot.start_time):find(SLOT) ~= nil end
local function name_of(number) return ("Round %d"):format(number) end

--- The edit of that number, for client:update.
function marks.edit(number)
  return function(cfg)
    local counter = cfg.custom_guidelines:find { name = COUNTER }
      or cfg.custom_guidelines:add { name = COUNTER, description = "0 edits", is_active = false }
    counter.description = ("%d edits"):format(counter.description:match "%d+" + 1)
    for _, slot in cfg.availability:each() do
      if is_slot(slot) then cfg.availability:remove(slot) end
    end
    cfg.availability:add { day_span = "sunday", start_time = minute(number), end_time = "05:00" }
    for _, guideline in cfg.custom_guidelines:each() do
      if guideline.name:find(ITEM) then cfg.custom_guidelines:remove(guideline) end
    end
    cfg.custom_guidelines:add { name = name_of(number), description = "Once.", is_active = true }
    cfg.settings.confirmation_message = name_of(number)
  end
end

--- The state after the edit of that number, made once.
function marks.after(state, number)
  return { count = ("%d"):format((tonumber(state.count) or 0) + 1), slot = minute(number), item = name_of(number),
    message = name_of(number) }
end

--- The state of a document (plain tables), and takes it out of the document.
function marks.take(document)
  local found = { count = {}, slot = {}, item = {} }
  local function sort_out(part, what)
    local rest = {}
    for _, one in ipairs(document[part]) do
      local which, text = what(one)
      table.insert(which and found[which] or rest, text or one)
    end
    document[part] = rest
  end
  sort_out("availability", function(slot) return is_slot(slot) and "slot", slot.start_time end)
  sort_out("custom_guidelines", function(one)
    if one.name == COUNTER then return "count", one.description:match "%d+" end
    return one.name:find(ITEM) and "item", one.name
  end)
  local state = { message = document.settings.confirmation_message }
  document.settings.confirmation_message = nil
  for mark, list in pairs(found) do
    table.sort(list)
    state[mark] = table.concat(list, "+")
  end
  return state
end

function marks.describe(state)
  return ("count %s, slot %s, item %s, message %s"):format(state.count, state.slot, state.item, state.message)
end

return marks
