-- SPDX-License-Identifier: MIT
--- A timetable (see handoff.timetable) as a file for people who have no terminal: a picture, a page, a calendar.
--   page.svg(t), page.html(t), page.ics(t) → a text
--   page.save(kind, t, path) → true | nil, err: writes it, "svg", "html" or "ics", in the place of a file that is there
local core = require "handoff.core"

local page = {}

function page.svg(t) return require("handoff.page.svg").of(t) end
function page.html(t) return require("handoff.page.html").of(t) end
function page.ics(t) return require("handoff.page.ics").of(t) end

function page.save(kind, t, path)
  local ok, why = core.file.replace(path, page[kind](t))
  if ok then return true end
  return nil, core.error.new { kind = "file", path = path,
    message = ("it cannot be written: %s; name another file"):format(why) }
end

return page
