-- SPDX-License-Identifier: MIT
--- A file of Lua brought to another value with as little of its text changed as can be: comments, order and layout stay.
local core = require "handoff.core"
local shape = require "handoff.shape"
local words = require "handoff.words"
local write = require "handoff.desired.write"

local rewrite = {}

-- ---- the text -----------------------------------------------------------------------------------------------------------

-- Notes that the bytes from one place to another become `fresh`, whose lines end as the file's do; nothing is replaced where `to`
-- is before `from`.
local function replace(w, from, to, fresh)
  w.edits[#w.edits + 1] = { from = from, to = to, fresh = fresh:gsub("\n", w.newline), order = #w.edits }
end

local function line_start(text, at)
  while at > 1 and text:byte(at - 1) ~= 10 do at = at - 1 end
  return at
end

local function line_end(text, at) return text:find("\n", at, true) or #text end

local function indent_at(text, at) return text:match("^[ \t]*", line_start(text, at)) end

local function is_first_on_line(text, at) return not text:sub(line_start(text, at), at - 1):find "%S" end

-- Whether an entry has its lines to itself, but for a comment after it.
local function is_alone(text, entry)
  local last = entry.separator or entry.to
  local rest = text:sub(last + 1, line_end(text, last))
  local comment = rest:find "^%s*%-%-[^\r\n]*[\r\n]*$" and not rest:find "^%s*%-%-%[=*%["
  return is_first_on_line(text, entry.from) and not text:sub(entry.to + 1, last):find "\n"
    and (comment or not rest:find "%S")
end

local function has_comment(w, from, to)
  for _, comment in ipairs(w.comments) do
    if comment.from > from and comment.to < to then return true end
  end
  return false
end

-- ---- entries that go ------------------------------------------------------------------------------------------------------

-- Bytes go, and the blanks after them or, at a line's end, before them.
local function cut_bytes(w, from, to)
  local _, stop = w.text:find("^[ \t]*", to + 1)
  while w.text:find("^\r?\n", stop + 1) and w.text:find("^[ \t]", from - 1) do from = from - 1 end
  replace(w, from, stop, "")
end

-- An entry goes and its comma; the comments around them stay.
local function cut_entry(w, entry)
  if not entry.separator then return cut_bytes(w, entry.from, entry.to) end
  if not has_comment(w, entry.to, entry.separator) then return cut_bytes(w, entry.from, entry.separator) end
  cut_bytes(w, entry.from, entry.to)
  cut_bytes(w, entry.separator, entry.separator)
end

-- Whether a comment that is in none of the entries i to j stands in those bytes.
local function has_comment_between(w, entries, i, j, from, to)
  for k = i, j do
    if has_comment(w, from - 1, entries[k].from) then return true end
    from = entries[k].to + 1
  end
  return has_comment(w, from - 1, to + 1)
end

-- Entries i to j go, i - 1 and j + 1 stay where they are there → whether a comma that stands before i still does.
local function cut_run(w, entries, i, j)
  local alone, from, to = true, entries[i].from, entries[j].separator or entries[j].to
  for k = i, j do alone = alone and is_alone(w.text, entries[k]) end
  if alone then
    for k = i, j do
      local stop = entries[k].separator or entries[k].to
      replace(w, line_start(w.text, entries[k].from), line_end(w.text, stop), "")
    end
    return true
  end
  if entries[j + 1] then
    to = entries[j + 1].from - 1
  elseif i > 1 then
    from, to = entries[i - 1].to + 1, entries[j].to
  end
  if has_comment_between(w, entries, i, j, from, to) then
    for k = i, j do cut_entry(w, entries[k]) end
    return true
  end
  replace(w, from, to, "")
  return entries[j + 1] ~= nil
end

-- → how many stay, and whether the last one that does is followed by a comma.
local function cut(w, entries, stays)
  local count, closed, from = 0, true, nil
  for at, entry in ipairs(entries) do
    if stays[at] then
      count, closed, from = count + 1, entry.separator ~= nil, nil
    else
      from = from or at
      if at == #entries or stays[at + 1] then
        local has_comma = cut_run(w, entries, from, at)
        if at == #entries then closed = has_comma or entry.separator ~= nil end
      end
    end
  end
  return count, closed
end

-- ---- entries that come ----------------------------------------------------------------------------------------------------

local function indent_of(w, node)
  for _, entry in ipairs(node.entries) do
    if is_first_on_line(w.text, entry.from) then return indent_at(w.text, entry.from) end
  end
  return indent_at(w.text, node.to) .. "  "
end

-- Adds entries at the table's end. Each is a function of its indent.
local function add(w, node, added, count, closed)
  local last, indent = node.entries[#node.entries], indent_of(w, node)
  local tall = is_first_on_line(w.text, node.to)
  local lines = {}
  for at, entry in ipairs(added) do lines[at] = entry(indent) end
  local comma = count > 0 and not closed and ","
  if tall then
    if comma then replace(w, last.to + 1, last.to, comma) end
    replace(w, line_start(w.text, node.to), line_start(w.text, node.to) - 1,
      indent .. table.concat(lines, ",\n" .. indent) .. ",\n")
  else
    local at = last and (last.separator or last.to) + 1 or node.from + 1
    replace(w, at, at - 1, (comma or "") .. " " .. table.concat(lines, ", ") .. (last and "" or " "))
  end
end

-- Takes the entries that do not stay out of a table and adds others. A table on one line, a list of scalars, and one of which
-- nothing stays, are written anew as `whole` where no comment is lost by it; what was noted within since `first` is void then.
local function patch(w, row, node, stays, added, whole, first)
  local all = true
  for at in ipairs(node.entries) do all = all and stays[at] end
  if all and #added == 0 then return end
  local anew = row.item and not row.item.fields or next(stays) == nil
    or not w.text:sub(node.from, node.to):find("\n", 1, true)
  if anew and not has_comment(w, node.from, node.to) then
    for at = #w.edits, first + 1, -1 do w.edits[at] = nil end
    replace(w, node.from, node.to, write.render(row, whole, indent_at(w.text, node.from)))
    return
  end
  local count, closed = cut(w, node.entries, stays)
  if #added > 0 then add(w, node, added, count, closed) end
end

-- ---- values -----------------------------------------------------------------------------------------------------------

local sync

local function plain(node)
  if not node.entries then return node.value end
  local value = node.kind == "list" and core.json.array {} or {}
  for at, entry in ipairs(node.entries) do
    local inner = plain(entry.node)
    if inner == nil then inner = core.json.null end
    value[entry.name or at] = inner
  end
  return value
end

local function sync_object(w, row, node, value)
  local stays, added, seen, first = {}, {}, {}, #w.edits
  for at, entry in ipairs(node.entries) do
    local fresh = value[entry.name]
    seen[entry.name] = true
    if fresh ~= nil then
      stays[at] = true
      sync(w, row.known[entry.name], entry.node, fresh)
    end
  end
  for _, name in ipairs(words.names_of(value, row)) do
    if not seen[name] then
      local field, fresh = row.known[name], value[name]
      added[#added + 1] = function(indent) return name .. " = " .. write.render(field, fresh, indent) end
    end
  end
  patch(w, row, node, stays, added, value, first)
end

-- Which of the list's old members is which of the new.
local function match(row, old, value)
  if row.fields then return shape.match(row, shape.without_strange_ids(row, old, value), value) end
  return shape.match_members(old, value)
end

-- Members that stay keep the file's order: the order of items means nothing.
local function sync_list(w, row, node, value)
  local stays, added, whole, first = {}, {}, core.json.array {}, #w.edits
  local matched, used = match(row.item, plain(node), value)
  for at, entry in ipairs(node.entries) do
    local fresh = value[matched[at]]
    if fresh ~= nil then
      stays[at], whole[#whole + 1] = true, fresh
      sync(w, row.item, entry.node, fresh)
    end
  end
  for at, member in ipairs(value) do
    if not used[at] then
      whole[#whole + 1] = member
      added[#added + 1] = function(indent) return write.render(row.item, member, indent) end
    end
  end
  patch(w, row, node, stays, added, whole, first)
end

function sync(w, row, node, value)
  local is_table = type(value) == "table"
  if is_table and row.fields and (node.kind == "object" or node.kind == "empty") then
    sync_object(w, row, node, value)
  elseif is_table and row.item and (node.kind == "list" or node.kind == "empty") then
    sync_list(w, row, node, value)
  elseif not shape.same(node.value, value) then
    replace(w, node.from, node.to, write.render(row, value, indent_at(w.text, node.from)))
  end
end

local function by_place(a, b)
  return a.from < b.from or a.from == b.from and a.order < b.order
end

--- @param text of a file
-- @param tree its own, as handoff.desired.lua reads it
-- @param value what it is to say, as handoff.desired.write gives it
-- @return the new text
function rewrite.lua(text, tree, value)
  local newline = text:find("\r\n", 1, true) and "\r\n" or "\n"
  local w = { text = text, comments = tree.comments, edits = {}, newline = newline }
  sync(w, shape.document, tree, value)
  table.sort(w.edits, by_place)
  local pieces, at = {}, 1
  for _, edit in ipairs(w.edits) do
    pieces[#pieces + 1] = text:sub(at, edit.from - 1)
    pieces[#pieces + 1], at = edit.fresh, math.max(edit.to + 1, at)
  end
  pieces[#pieces + 1] = text:sub(at)
  return table.concat(pieces)
end

return rewrite
