-- SPDX-License-Identifier: MIT
--- The manual page: roff for man(7), from what the verbs say of themselves.
local description = require "handoff.command.description"
local flags = require "handoff.command.flags"
local status = require "handoff.command.status"

local manual = {}

-- ---- roff ---------------------------------------------------------------------------------------------------------

local glyphs = {
  ["\\"] = "\\e", ["-"] = "\\-", ["^"] = "\\(ha", ["~"] = "\\(ti", ["`"] = "\\(ga", ["'"] = "\\(aq", ['"'] = "\\(dq",
}

--- Words in which every character stands for itself, so that they can be copied: flags, commands, paths.
local function literal(text) return (text:gsub('[\\%-^~`\'"]', glyphs)) end

local function bold(text) return "\\fB" .. literal(text) .. "\\fP" end
local function italic(text) return "\\fI" .. literal(text) .. "\\fP" end

-- \% keeps paths and the like in one piece.
local function words(text)
  return (text:gsub('[\\^~"\']', glyphs):gsub("%f[%S]%-[%w-]+", literal):gsub("%S+[-/_]%S+", "\\%%%0"))
end

--- Prose: what stands in backquotes, or begins as a flag does, can be copied. No line begins as a request would.
local function prose(text)
  local escaped = (text .. "``"):gsub("([^`]*)`([^`]*)`", function(plain, typed)
    return words(plain) .. (typed ~= "" and bold(typed) or "")
  end)
  return (escaped:gsub("^%.", "\\&."))
end

local Page = {}
Page.__index = Page

function Page:put(...)
  for _, line in ipairs { ... } do self[#self + 1] = line end
end

function Page:heading(text) self:put(".SH " .. literal(text:upper())) end

--- A term and what it means.
function Page:item(term, text) self:put(".TP", term, prose(text)) end

--- Lines as they are: examples.
function Page:verbatim(lines)
  self:put(".PP", ".RS 4", ".EX")
  for _, line in ipairs(lines) do self:put("\\&" .. literal(line)) end
  self:put(".EE", ".RE")
end

--- @param texts see description.paragraphs
function Page:paragraphs(texts)
  for _, one in ipairs(texts) do
    if type(one) == "table" then self:verbatim(one) else self:put(".PP", prose(one)) end
  end
end

-- ---- the verbs ----------------------------------------------------------------------------------------------------

--- What is typed for a flag: `--select TERMS`.
local function flag_term(row)
  local term = bold("--" .. row.name) .. (row.short and ", " .. bold("-" .. row.short) or "")
  if row.switch then return term end
  return term .. " " .. (row.choices and bold(table.concat(row.choices, "|")) or italic(row.metavar))
end

local function put_flags(page, rows)
  for _, row in ipairs(rows) do page:item(flag_term(row), flags.help(row)) end
end

local function put_verb(page, name, verb)
  local term = { bold("handoff " .. name) }
  for _, row in ipairs(verb.arguments or {}) do term[#term + 1] = description.argument(row, italic) end
  local own, named = flags.sorted(verb.flags)
  if #own + #named > 0 then term[#term + 1] = "[" .. italic "options" .. "]" end
  local texts = description.paragraphs(verb.details or verb.summary:gsub("^%l", string.upper) .. ".")
  page:item(table.concat(term, " "), table.remove(texts, 1))
  page:put ".RS"
  page:paragraphs(texts)
  for _, row in ipairs(verb.arguments or {}) do page:item(description.argument(row, italic), row.help) end
  put_flags(page, flags.rows(own))
  if #named > 0 then
    page:put(".PP", ("And the options for %s, see below."):format(table.concat(named, ", ")))
  end
  for _, example in ipairs(verb.examples or {}) do
    page:put(".PP", prose((example[2]:gsub("^%l", string.upper)) .. ":"))
    page:verbatim { example[1] }
  end
  page:put ".RE"
end

local function put_verbs(page)
  local groups = {}
  for _, name in ipairs(description.names()) do
    local verb = description.verb(name)
    groups[verb.group] = groups[verb.group] or {}
    table.insert(groups[verb.group], { name, verb })
  end
  page:heading "Verbs"
  for _, group in ipairs(description.groups) do
    if groups[group[1]] then page:put(".SS " .. literal(group[2])) end
    for _, one in ipairs(groups[group[1]] or {}) do put_verb(page, one[1], one[2]) end
  end
end

-- ---- the page -----------------------------------------------------------------------------------------------------

local about = [[
Operators run AI chat agents, from one to thousands, each with its own API token and its own human handoff
configuration: settings, working hours, generic and custom guidelines, routing profiles. handoff shows what one of them
or all of them have, plans an edit over any number, writes it in waves and within limits, and takes it back.

An EDIT is a Lua script that returns a function of a configuration and an agent; a file of desired state, or a folder of
such files (shop-uk.lua, shop-uk.json); or pairs PATH=VALUE. In desired state a key left out keeps the live value, []
and {} empty it, and items of lists are matched by id, else by name.

Data go to standard output, all else to standard error.]]

-- Named as handoff.command.status has them.
local statuses = {
  { "done", "done; nothing is pending" },
  { "failed", "failed" },
  { "pending", "changes are pending: of diff, and of plan with --detailed-exitcode" },
  { "drift", "what is live differs from the last known state" },
  { "conflict", "somebody else changed the same" },
  { "partly", "done for some agents, not for others" },
  { "limit", "refused by a limit; the message names the option that lets it through" },
  { "misuse", "what was asked for cannot be: an unknown verb, option, path or agent" },
  { "interrupted", "interrupted; the message names the command that goes on" },
}

local variables = {
  { "HANDOFF_TOKEN", "the token of an agent that is given without one" },
  { "HANDOFF_*", "stands for an option that is not given: HANDOFF_JSON for --json. An unknown one is an error." },
  { "NO_COLOR", "no colours, where it is set and not empty" },
  { "XDG_STATE_HOME", "where the history is, in handoff/history.db below it (~/.local/state)" },
}

local files = {
  { "agents.lua", "the inventory: who the agents are, and where their tokens come from" },
  { "~/.local/state/handoff/history.db", "every run, and every document before and after; for its owner only" },
}

local function put_items(page, title, rows)
  page:heading(title)
  for _, row in ipairs(rows) do page:item(bold(row[1]), row[2]) end
end

--- @param version which handoff this is
-- @return the text of the page
function manual.page(version)
  local page = setmetatable({}, Page)
  page:put('.\\" Made of what the verbs say of themselves.', ('.TH HANDOFF 1 "" "handoff %s"'):format(literal(version)))
  page:put ".ad l"
  page:put(".SH NAME", "handoff \\- edit AI agents' human handoff configuration, one agent or all of them")
  page:put(".SH SYNOPSIS", ("%s %s [%s…] [%s…]"):format(bold "handoff", italic "verb", italic "argument",
    italic "option"))
  page:heading "Description"
  page:paragraphs(description.paragraphs(about))
  put_verbs(page)
  for _, name in ipairs { "agents", "requests", "writing" } do
    page:heading("Options for " .. name)
    put_flags(page, flags.rows { name })
  end
  page:heading "Options of every verb"
  put_flags(page, flags.of(nil))
  page:heading "Exit status"
  for _, row in ipairs(statuses) do page:item(bold(("%d"):format(status[row[1]])), row[2]) end
  put_items(page, "Environment", variables)
  put_items(page, "Files", files)
  local text = table.concat(page, "\n") .. "\n"
  return (text:gsub("(\n%.S[HS][^\n]*)\n%.PP", "%1"):gsub("\n%.RS\n%.RE", ""))
end

return manual
