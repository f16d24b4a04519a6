-- SPDX-License-Identifier: MIT
--- Messages of the library's in the words of the command line: what they call an option is a flag here, a method is a verb.
local wording = {}

local pairs_of_words = {
  { "wait=SECONDS", "--wait SECONDS" },
  { "allow_duplicates=true", "--allow-duplicates" },
  { 'on_conflict="mine", "theirs" or a function', "--on-conflict mine or theirs" },
  { "max_failures allows", "--max-failures allows" },
  { "max_(%l+)=(%d+)", "--max-%1=%2" },
  { "fleet:(%l+)%((%d+)[^)]*%)", "`handoff %1 %2`" },
  { "raise timeout or connect_timeout", "raise --timeout or --connect-timeout" },
  { "raise deadline", "raise --deadline" },
  { "insecure=true", "--insecure" },
  { "ca_file= names", "--ca-file names" },
  { "check base_url", "check --base-url" },
  { "look %(client:get%)", "look (`handoff get`)" },
  { "%f[%w]client:update: an edit", "an edit" },
  { ", or go without a history: history=false", "" },
  { "%(and (%d+) more in err%.issues[^)]*%)", "(and %1 more; `handoff doctor --offline` names all)" },
  { "set one, or name a file$", "set one, or give --history FILE" },
  { "in this fleet", "in the inventory" },
}

--- @return the text, of one message, as the command says it
function wording.in_flags(text)
  for _, pair in ipairs(pairs_of_words) do text = text:gsub(pair[1], pair[2]) end
  return text
end

--- An error of the library's as plain data for JSON.
function wording.record(err)
  return { kind = err.kind, path = err.path, rule = err.rule, message = wording.in_flags(tostring(err)) }
end

return wording
