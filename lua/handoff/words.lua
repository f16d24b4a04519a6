-- SPDX-License-Identifier: MIT
--- A document's values and places in words for people. All of it is on one line and of bounded length, and nothing in it can
-- command a terminal.
local core = require "handoff.core"
local harmless = require "handoff.plain"
local shape = require "handoff.shape"

local null = core.json.null
local is_list, is_object, id_of, label_text = shape.is_list, shape.is_object, shape.id_of, shape.label_text

local words = {}

local getmetatable, next, tostring, tonumber, type, ipairs = getmetatable, next, tostring, tonumber, type, ipairs
local concat, sort = table.concat, table.sort

-- Values --------------------------------------------------------------------------------------------------------------

-- As it can stand between quotes.
local function plain(text) return harmless(text:gsub('["\\]', "\\%0")) end

local function quote(text)
  return '"' .. plain(text) .. '"'
end

local function by_text(a, b)
  return tostring(a) < tostring(b)
end

local function number_text(value)
  if type(value) ~= "number" or tostring(value):find "^-?%d+$" then return tostring(value) end
  local text = ("%.14g"):format(value)
  return tonumber(text) == value and text or ("%.17g"):format(value)
end

local SHOWN, SHOWN_MEMBERS = 72, 12

-- The last characters of a text that has as many; a pattern that ends in $ would be tried at every place.
local function last_characters(text, count)
  local at = #text + 1
  while count > 0 do
    at = at - 1
    if text:byte(at) < 0x80 or text:byte(at) >= 0xC0 then count = count - 1 end
  end
  return text:sub(at)
end

-- A text of at most SHOWN characters: the middle of a longer one is left out.
local function shorten(text)
  local count = core.schema.utf8_length(text)
  if not count or count <= SHOWN then return text end
  local half = ("[^\128-\191][\128-\191]*"):rep(SHOWN / 2)
  return text:match("^" .. half) .. "..." .. last_characters(text, SHOWN / 2)
end

-- The names of an object's fields, those of the schema in its order, then the others sorted.
local function names_of(object, row)
  local names, others = {}, {}
  for _, field in ipairs(row and row.fields or {}) do
    if object[field.name] ~= nil then names[#names + 1] = field.name end
  end
  for name in next, object do
    if not (row and row.known and row.known[name]) then others[#others + 1] = name end
  end
  sort(others, by_text)
  for _, name in ipairs(others) do names[#names + 1] = name end
  return names
end

-- A label as it stands in a path: a name in quotes.
local function shown_label(row, label)
  return row.named and quote(label) or plain(label)
end

-- JSON on one line, long texts and lists cut short. `row` is the schema's, for the order of fields, or nil.
local function show(value, row)
  if value == null then return "null" end
  if type(value) == "string" then return quote(shorten(value)) end
  if type(value) == "number" then return number_text(value) end
  if type(value) ~= "table" then return tostring(value) end
  local shown = {}
  if is_list(value) and (value[1] ~= nil or getmetatable(value) or row and row.kind == "list") then
    for i = 1, #value > SHOWN_MEMBERS + 1 and SHOWN_MEMBERS or #value do shown[i] = show(value[i], row and row.item) end
    if #value > #shown then shown[#shown + 1] = ("... %d more"):format(#value - #shown) end
    return "[" .. concat(shown, ", ") .. "]"
  end
  for i, name in ipairs(names_of(value, row)) do
    shown[i] = quote(tostring(name)) .. ": " .. show(value[name], row and row.known and row.known[name])
  end
  return "{" .. concat(shown, ", ") .. "}"
end

-- The schema's row of what a change, or a conflict, holds, or nil.
function words.row_of(c)
  local row = shape.document.known[c.part]
  if not row or c.path == c.part then return row end
  if row.item then row = row.item end
  if c.field then row = row.known[c.field] end
  return row
end

-- Long texts that changed ---------------------------------------------------------------------------------------------
-- Shown as git's word diff does: [-removed-]{+added+}, and a little of what stayed around it.

local LONG_WORD, DISTANCE, HUNKS, AROUND = 36, 80, 4, 24

-- The text in pieces: blanks, words, and the characters of what is too long for a word, such as texts without blanks.
local function pieces_of(text)
  local pieces = {}
  for blanks, word in text:gmatch "(%s*)(%S*)" do
    if blanks ~= "" then pieces[#pieces + 1] = blanks end
    local of = #word > LONG_WORD and "[^\128-\191][\128-\191]*" or ".+"
    for piece in word:gmatch(of) do pieces[#pieces + 1] = piece end
  end
  return pieces
end

-- Notes in `kept` the pieces of before that the way back from its end and after's keeps: before's place → after's.
local function trace_back(trace, edits, x, y, kept, first)
  for d = edits, 0, -1 do
    local far, k = trace[d], x - y
    local is_down = k == -d or k ~= d and far[k - 1] < far[k + 1]
    local from_k = is_down and k + 1 or k - 1
    local from_x = d > 0 and far[from_k] or 0
    local from_y = d > 0 and from_x - from_k or 0
    while x > from_x and y > from_y do
      kept[first + x] = first + y
      x, y = x - 1, y - 1
    end
    x, y = from_x, from_y
  end
end

-- Adds to `kept` what the shortest way from some pieces to others keeps (Myers: how far it comes on each diagonal, for each
-- number of edits); nothing where it takes more than DISTANCE edits. Of each list those from first + 1 to its last.
local function keep_between(before, after, first, before_last, after_last, kept)
  local n, m, far, trace = before_last - first, after_last - first, { [1] = 0 }, {}
  for d = 0, DISTANCE do
    trace[d] = {}
    for k, x in next, far do trace[d][k] = x end
    for k = -d, d, 2 do
      local is_down = k == -d or k ~= d and far[k - 1] < far[k + 1]
      local x = is_down and far[k + 1] or far[k - 1] + 1
      while x < n and x - k < m and before[first + x + 1] == after[first + x - k + 1] do x = x + 1 end
      far[k] = x
      if x >= n and x - k >= m then return trace_back(trace, d, x, x - k, kept, first) end
    end
  end
end

-- How many pieces, and how many bytes of them, the two have in common at most, wherever they stand: of each of those from
-- first + 1 to its last.
local function common_pieces(before, after, first, before_last, after_last)
  local left, count, bytes = {}, 0, 0
  for i = first + 1, before_last do left[before[i]] = (left[before[i]] or 0) + 1 end
  for i = first + 1, after_last do
    local piece = after[i]
    if (left[piece] or 0) > 0 then left[piece], count, bytes = left[piece] - 1, count + 1, bytes + #piece end
  end
  return count, bytes
end

-- Which pieces stay: before's place → after's. Most texts that are others altogether are known as such before the long search.
local function kept_pieces(before, after, least_bytes)
  local kept, first, b, a = {}, 0, #before, #after
  while first < b and first < a and before[first + 1] == after[first + 1] do
    first = first + 1
    kept[first] = first
  end
  while b > first and a > first and before[b] == after[a] do
    kept[b] = a
    b, a = b - 1, a - 1
  end
  local count, bytes = common_pieces(before, after, first, b, a)
  local outside = #concat(before, "", 1, first) + #concat(before, "", b + 1)
  local edits = b + a - 2 * (first + count)
  if edits <= DISTANCE and outside + bytes >= least_bytes then keep_between(before, after, first, b, a, kept) end
  return kept
end

-- The text as runs of pieces, in turn what `stayed`, and what was `removed` and `added` between.
local function runs_of(before, after, kept)
  local runs, b, a = {}, 1, 1
  while b <= #before or a <= #after do
    local run = kept[b] == a and { stayed = {} } or { removed = {}, added = {} }
    while run.stayed and kept[b] == a do
      run.stayed[#run.stayed + 1], b, a = before[b], b + 1, a + 1
    end
    while run.removed and b <= #before and not kept[b] do run.removed[#run.removed + 1], b = before[b], b + 1 end
    while run.added and a < (kept[b] or #after + 1) do run.added[#run.added + 1], a = after[a], a + 1 end
    runs[#runs + 1] = run
  end
  return runs
end

local function append(list, more)
  for _, one in ipairs(more) do list[#list + 1] = one end
end

-- The runs, where a blank or a few characters that stayed between two changes belong to them.
local function join(runs)
  local joined = {}
  for i, run in ipairs(runs) do
    local last = joined[#joined]
    if run.stayed and i > 1 and i < #runs and #concat(run.stayed) <= 3 then
      append(last.removed, run.stayed)
      append(last.added, run.stayed)
    elseif run.removed and last and last.removed then
      append(last.removed, run.removed)
      append(last.added, run.added)
    else
      joined[#joined + 1] = run
    end
  end
  return joined
end

-- The pieces from one place on, forward or back, that fit into AROUND bytes.
local function some(pieces, at, step)
  local text = ""
  while pieces[at] and #text + #pieces[at] <= AROUND do
    text = step > 0 and text .. pieces[at] or pieces[at] .. text
    at = at + step
  end
  return text
end

local function stayed_text(pieces, is_first, is_last)
  local text = concat(pieces)
  local head, tail = is_first and "" or some(pieces, 1, 1), is_last and "" or some(pieces, #pieces, -1)
  return plain(#text <= #head + #tail + 3 and text or head .. "..." .. tail)
end

local function hunk_text(hunk)
  local removed, added = concat(hunk.removed), concat(hunk.added)
  return (removed ~= "" and "[-" .. plain(shorten(removed)) .. "-]" or "")
    .. (added ~= "" and "{+" .. plain(shorten(added)) .. "+}" or "")
end

local function is_long(text)
  return type(text) == "string" and (core.schema.utf8_length(text) or 0) > SHOWN
end

-- With fewer bytes in common two texts are others altogether, each better shown for itself where they can be told apart then.
local function least_in_common(before, after)
  return shorten(before) ~= shorten(after) and math.max(#before, #after) / 3 or 0
end

local function bytes_of(kept, pieces)
  local bytes = 0
  for at in next, kept do bytes = bytes + #pieces[at] end
  return bytes
end

-- Two texts, one of them long, as one; nil where they are others altogether.
local function word_diff(before, after)
  local pieces, others = pieces_of(before), pieces_of(after)
  local least = least_in_common(before, after)
  local kept = kept_pieces(pieces, others, least)
  if bytes_of(kept, pieces) < least then return nil end
  local runs, shown, hunks = join(runs_of(pieces, others, kept)), {}, 0
  for i, run in ipairs(runs) do
    if run.removed then hunks = hunks + 1 end
    if hunks <= HUNKS then
      shown[i] = run.removed and hunk_text(run) or stayed_text(run.stayed, i == 1, i == #runs or hunks == HUNKS)
    end
  end
  return '"' .. concat(shown) .. '"' .. (hunks > HUNKS and (" and %d more"):format(hunks - HUNKS) or "")
end

--- A value before and after: both, or, of a long text, its changes.
function words.transition(before, after, row)
  local is_text = type(before) == "string" and type(after) == "string"
  return is_text and (is_long(before) or is_long(after)) and word_diff(before, after)
    or show(before, row) .. " → " .. show(after, row)
end

-- Places --------------------------------------------------------------------------------------------------------------

-- How a name stands behind the path of what has it. The schema's names are few and come again and again.
local function step_to(name)
  return tostring(name):find "^[%a_][%w_]*$" and "." .. name or "[" .. quote(tostring(name)) .. "]"
end

local step = {}

local function add_steps(row)
  if row.item then add_steps(row.item) end
  for _, field in ipairs(row.fields or {}) do
    step[field.name] = step_to(field.name)
    add_steps(field)
  end
end

add_steps(shape.document)

local function child_path(path, name)
  return path .. (step[name] or step_to(name))
end

-- How many items of the list have each label.
local function count_labels(row, list)
  local counts = {}
  for at = 1, #list do
    local label = is_object(list[at]) and label_text(row, list[at])
    if label then counts[label] = (counts[label] or 0) + 1 end
  end
  return counts
end

-- What the item is called in a path: its label; where others have the same, its id or its place as well.
local function item_label(row, list, at, counts)
  local item = list[at]
  local label, id
  if is_object(item) then label, id = label_text(row, item), id_of(row, item) end
  if not label then return id and "#" .. show(id) or tostring(at) end
  if counts[label] == 1 then return shown_label(row, label) end
  return shown_label(row, label) .. (id and " #" .. show(id) or " at " .. at)
end

-- A place is where in the document a comparison is: `path`, `part`, `id`, `name`. Of an item (`at` in `list`, below the
-- place `above`) those are filled in when its first change is reported, as most items have none.
local function locate(place)
  local row, item = place.row, place.list[place.at]
  place.counts = place.counts or count_labels(row, place.list)
  place.path = place.above.path .. "[" .. item_label(row, place.list, place.at, place.counts) .. "]"
  place.id, place.name = nil, nil
  if not is_object(item) then return end
  place.id = id_of(row, item)
  local name = row.named and item[row.named]
  place.name = type(name) == "string" and name or nil
end

words.plain, words.by_text, words.names_of, words.show = plain, by_text, names_of, show
words.child_path, words.count_labels, words.item_label, words.locate = child_path, count_labels, item_label, locate

return words
