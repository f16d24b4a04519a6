-- SPDX-License-Identifier: MIT

local kinds = { boolean = "true or false", integer = "whole number", string = "text", object = "object" }
local formats = {
  day_span = "day or range of days: monday, monday-friday", time = "time of day, HH:MM", zone = "time zone: Area/City",
  email = "e-mail address",
}

-- What a value there is, in a few words.
local function type_of(row)
  if row.kind == "list" then
    local item = row.item
    return ("list of %ss"):format(item.object or kinds[item.kind])
  end
  if row.object then return row.object == row.name and "object" or row.object end
  local words = formats[row.format] or row.choices and "one of a few" or kinds[row.kind]
  return row.max and ("%s, at most %d characters"):format(words, row.max) or words
end

-- Who may write it, and when; nil where there is nothing to say.
local function rule_of(row)
  if row.read_only then return "read-only: " .. row.why end
  if row.id then return "the server gives it to a new item; it is never written" end
  if row.fixed then return "its items stay; what they have can be set" end
  if row.identity then return "it tells the items of the list apart; every item needs it" end
  return row.required and row.kind ~= "object" and not (row.item and row.item.fields) and "every item needs it" or nil
end

-- Calls visit(path, row, depth) for the row and all below it. A list's items stand for it, as its path says.
local function walk(row, path, depth, visit)
  if path ~= "" then visit(path, row, depth) end
  local inner = row.item or row
  if row.item and not inner.fields then return end
  local below = row.item and path .. "[*]" or path
  for _, field in ipairs(inner.fields or {}) do
    walk(field, (below == "" and "" or below .. ".") .. field.name, path == "" and depth or depth + 1, visit)
  end
end

local function write_tree(ctx, row, path)
  local widest, lines = 0, {}
  walk(row, path, 0, function(here, one, depth)
    local name = ("  "):rep(depth) .. (depth == 0 and here or one.name)
    widest = math.max(widest, #name)
    lines[#lines + 1] = { name, type_of(one) .. (one.read_only and ", read-only" or one.id and ", given" or "") }
  end)
  for _, line in ipairs(lines) do
    ctx:say(("%-" .. widest .. "s  %s"):format(line[1], ctx.out:paint("dim", line[2])))
  end
end

local function write_row(ctx, row, path)
  ctx:say(ctx.out:paint("bold", path))
  ctx:say("  " .. row.doc)
  ctx:say("")
  ctx:say("  type     " .. type_of(row))
  if row.item and not row.item.fields then
    ctx:say(("  of each  %s; %s"):format(type_of(row.item), row.item.doc:gsub("^%u", string.lower):gsub("%.$", "")))
  end
  for i, choice in ipairs(row.choices or {}) do ctx:say((i == 1 and "  choices  " or "           ") .. choice) end
  if row.item and row.item.is_slot then
    ctx:say("  written  as text, mon-fri 09:00-17:30, sat 10:00-14:00, closed, 24/7; or as JSON")
  end
  if rule_of(row) then ctx:say("  rule     " .. rule_of(row)) end
end

local function write_below(ctx, row)
  local inner = row.item or row
  for _, field in ipairs(inner.fields or {}) do
    ctx:say("")
    ctx:say(("  %s  %s"):format(field.name, ctx.out:paint("dim", type_of(field))))
    ctx:say("    " .. field.doc)
    if rule_of(field) then ctx:say("    " .. rule_of(field):gsub("^%l", string.upper) .. ".") end
  end
end

local function write_records(ctx, row, path)
  local array = require("handoff.core").json.array
  local function record(here, one)
    ctx:record {
      path = here, kind = one.kind, doc = one.doc, format = one.format, max = one.max, read_only = one.read_only,
      why = one.why, required = one.required, id = one.id, identity = one.identity, fixed = one.fixed,
      item = one.item and one.item.kind, choices = one.choices and array(one.choices),
    }
  end
  walk(row, path, 0, record)
end

return {
  summary = "what a field means, its type and limits", group = "look",
  arguments = { { name = "path", metavar = "PATH", args = "?", help = "a field; without it, all fields there are" } },
  details = "Says what there is to set: without PATH every field, as a tree; of one what it means, its type and "
    .. 'limits. An item of a list is written [2], its place; [#12], its id; ["NAME"]; or [*], every item: '
    .. 'custom_guidelines["Refund"].is_active.',
  examples = {
    { "handoff explain", "all fields, as a tree" },
    { "handoff explain settings.timezone", "one of them" },
    { "handoff explain 'availability[*]'", "an item of a list" },
  },
  run = function(ctx)
    local shape, p = require "handoff.shape", nil
    local row, text = shape.document, ""
    if ctx.args.path then
      p = require("handoff.path").parse(ctx.args.path)
      row, text = p:row(), p.text
    end
    if not row then
      local failure, status = require "handoff.command.failure", require "handoff.command.status"
      failure.raise(status.misuse, text .. ": only the service knows this field; `handoff explain` lists the others")
    end
    if ctx.json then return write_records(ctx, row, text) end
    if not p then return write_tree(ctx, row, text) end
    write_row(ctx, row, text)
    write_below(ctx, row)
  end,
}
