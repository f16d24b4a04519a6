-- SPDX-License-Identifier: MIT
--- Whether the answer to a PUT holds what was edited. Pure functions on plain tables, as handoff.change takes them.
--
-- Before the edit, as sent, as answered: the changes from the first to the second are looked for among those from the first to
-- the third. What the service may do (see the README's assumptions) is never a failure: list things in another order, trim or
-- normalise texts, give ids, to items that had one, too. A text that is neither what was sent nor what was there before counts
-- as normalised. A truth value, a number, an item or a member that is not there is dropped.
local core = require "handoff.core"
local change = require "handoff.change"
local shape = require "handoff.shape"

local null, same, bare = core.json.null, shape.same, shape.bare

local verify = {}

-- Of two verdicts the later one stands. What is trimmed differs in blanks only, or in the order of a set's members; what is
-- replaced is an addition for which another one stands.
local KEPT, TRIMMED, NORMALISED, REPLACED, DROPPED = 0, 1, 2, 3, 4

-- The field of a part's items that has their id, or nil.
local function id_field(part)
  local row = shape.document.known[part]
  return row and row.item and row.item.key
end

-- ---- values ---------------------------------------------------------------------------------------------------------

local function is_nothing(value)
  return value == nil or value == null or value == "" or type(value) == "table" and next(value) == nil
end

local function is_list(value)
  return type(value) == "table" and value[1] ~= nil
end

-- Takes the first entry of the list that the function likes out of it.
local function take(list, likes)
  for i = 1, #list do
    if likes(list[i]) then return table.remove(list, i) end
  end
end

local function contains(list, value)
  for i = 1, #list do
    if same(list[i], value) then return true end
  end
  return false
end

-- A list is a set with an order: each member is there, or another stands for it.
local function judge_list(sent, got)
  local missing, extra = 0, 0
  for i = 1, #sent do
    if not contains(got, sent[i]) then missing = missing + 1 end
  end
  for i = 1, #got do
    if type(got[i]) == "string" and not contains(sent, got[i]) then extra = extra + 1 end
  end
  if missing > extra then return DROPPED end
  return missing == 0 and #sent == #got and TRIMMED or NORMALISED
end

-- A value that was sent, and what came instead.
local function judge_value(before, sent, got)
  if same(sent, got) then return KEPT end
  if type(sent) == "string" and bare(sent) == bare(got) or is_nothing(sent) and is_nothing(got) then
    return before ~= nil and same(before, got) and NORMALISED or TRIMMED -- all of the edit, or nothing of it, was trimmed
  end
  if same(before, got) then return DROPPED end
  if is_list(sent) and type(got) == "table" then return judge_list(sent, got) end
  local is_text = type(sent) == "string" and type(got) == "string"
  return (is_text or sent == nil or type(sent) == "table" and type(got) == "table") and NORMALISED or DROPPED
end

-- An item that was added, and the one that came for it.
local function judge_item(sent, got, id)
  if type(sent) ~= "table" or type(got) ~= "table" then return judge_value(nil, sent, got) end
  local worst = KEPT
  for name, value in pairs(sent) do
    if name ~= id then worst = math.max(worst, judge_value(nil, value, got[name])) end
  end
  return worst
end

-- ---- ids ------------------------------------------------------------------------------------------------------------

local function key_of(id)
  return id ~= nil and id ~= null and tostring(id) or nil
end

local function ids_of(list, id)
  local set = {}
  for _, item in ipairs(list) do
    local key = type(item) == "table" and key_of(item[id])
    if key then set[key] = true end
  end
  return set
end

-- The one of the items that is this one, by content or, where it has one, by name. It leaves the list.
local function take_same(list, item, id)
  local function equal(other) return judge_item(item, other, id) == KEPT end
  local function named(other) return type(other.name) == "string" and bare(other.name) == bare(item.name) end
  return take(list, equal) or take(list, named)
end

-- Gives items of the answer that have an id nobody knows the one that they were sent with, or none. `answer` is changed.
-- Where they were sent with none, and under another name, that is a change of its own.
local function restore_ids(part, before, sent, answer)
  local id = id_field(part)
  if not (id and is_list(sent) and is_list(answer)) then return end
  local known, answered, fresh = ids_of(is_list(before) and before or {}, id), ids_of(answer, id), {}
  for _, item in ipairs(answer) do
    if type(item) == "table" and not known[key_of(item[id]) or ""] then fresh[#fresh + 1] = item end
  end
  for _, item in ipairs(sent) do
    local is_lost = type(item) == "table" and not answered[key_of(item[id]) or ""]
    local got = is_lost and take_same(fresh, item, id)
    if got and (item[id] ~= nil or got.name == item.name) then got[id] = item[id] end
  end
end

-- ---- changes --------------------------------------------------------------------------------------------------------

-- Whether a change is one of a whole item, or of a member of the same list, as the other is.
local function is_alike(one, other)
  return one.kind == other.kind and one.field == other.field and one.member == other.member
    and (not one.member or key_of(one.id) == key_of(other.id) and one.name == other.name)
end

-- An item or member that was added and did not come as it was sent: the answer's own addition that stands for it, as a
-- service may have changed its texts.
local function judge_added(made, found, id)
  local function alike(d) return is_alike(made, d) end
  local function named(d) return alike(d) and made.name and bare(made.name) == bare(d.name) end
  local is_text = type(made.after) == "table" or type(made.after) == "string"
  local function trimmed(d) return alike(d) and judge_item(made.after, d.after, id) <= TRIMMED end
  local got = take(found, named) or is_text and take(found, trimmed)
  if got then return judge_item(made.after, got.after, id), got.after end
  got = is_text and take(found, alike)
  if not got then return DROPPED end
  return math.max(judge_item(made.after, got.after, id), REPLACED), got.after
end

-- An item or member that was removed: gone, and not back under another id.
local function judge_removed(made, found, id)
  local gone = take(found, function(d) return d.path == made.path and is_alike(made, d) end)
  if not gone then
    for _, d in ipairs(made.member and found or {}) do
      local is_list_of_it = not d.member and d.field == made.field and key_of(d.id) == key_of(made.id)
      if is_list_of_it and d.name == made.name and is_nothing(d.after) then return KEPT end
    end
    return DROPPED
  end
  local back = not made.member and take(found, function(d)
    return d.kind == "added" and d.field == nil and judge_item(made.before, d.after, id) == KEPT
  end)
  return back and DROPPED or KEPT
end

-- Whether the change is one of a whole item or of a member of a list.
local function is_whole(made)
  return made.member or made.field == nil and made.path ~= made.part
end

local function judge(made, found, id)
  if made.kind == "moved" then
    local moved = take(found, function(d) return d.path == made.path and d.kind == "moved" end)
    if moved and same(moved.after, made.after) then return KEPT end
    return NORMALISED, moved and moved.after or made.before
  end
  if is_whole(made) then return (made.kind == "added" and judge_added or judge_removed)(made, found, id) end
  local d = take(found, function(other)
    return other.path == made.path and not other.member and other.kind ~= "moved"
  end)
  local got = made.before
  if d then got = d.after end
  return judge_value(made.before, made.after, got), got
end

-- Those of the part that the answer does not plainly have: additions first, removals last, so that what is then left of the
-- answer's additions is what came back.
local function doubtful(changes, part, found, id)
  local list, last = {}, {}
  for _, made in ipairs(changes) do
    local is_addition = made.kind == "added" and is_whole(made)
    local function equal(d) return is_alike(made, d) and judge_item(made.after, d.after, id) == KEPT end
    if made.part == part and not (is_addition and take(found, equal)) then
      table.insert(made.kind == "removed" and last or list, made)
    end
  end
  for _, made in ipairs(last) do list[#list + 1] = made end
  return list
end

local function warning(made, got)
  local seen = { kind = "changed", path = made.path, part = made.part, field = made.field,
    before = made.after, after = got }
  if made.after == nil then seen.kind = "added" elseif got == nil then seen.kind = "removed" end
  if made.kind == "moved" then seen.kind = "moved" end
  return core.error.issue { severity = "warning", rule = "normalised", path = made.path,
    message = "the service keeps it otherwise than it was sent: " .. change.line(seen) }
end

--- Holds one part of the answer against what was made of it.
-- @param part its name
-- @param changes the changes that were made, of this part and others
-- @param before, sent, answer the part's values; those of the answer may get back the ids that were sent
-- @param dropped, warnings lists, to which changes that were dropped and issues of what was normalised are added
-- @return whether the answer has all of it, but for blanks; the first addition for which another one stands, or nil
function verify.part(part, changes, before, sent, answer, dropped, warnings)
  if same(sent, answer) then return true end
  restore_ids(part, before, sent, answer)
  local found, id, worst, replaced = change.part(part, before, answer), id_field(part), KEPT, nil
  for _, made in ipairs(doubtful(changes, part, found, id)) do
    local verdict, got = judge(made, found, id)
    worst = math.max(worst, verdict)
    if verdict == REPLACED then replaced = replaced or made end
    if verdict == DROPPED then
      dropped[#dropped + 1] = made
    elseif verdict ~= KEPT then
      warnings[#warnings + 1] = warning(made, got)
    end
  end
  return worst <= TRIMMED, replaced
end

return verify
