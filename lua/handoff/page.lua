-- SPDX-License-Identifier: MIT
--- A timetable as a file for people who have no terminal: a picture, a page, a calendar.
-- @module handoff.page
local core = require "handoff.core"

local page = {}

--- A picture.
-- @tparam Timetable t
-- @treturn string
function page.svg(t) return require("handoff.page.svg").of(t) end
--- A page.
-- @tparam Timetable t
-- @treturn string
function page.html(t) return require("handoff.page.html").of(t) end
--- A calendar.
-- @tparam Timetable t
-- @treturn string
function page.ics(t) return require("handoff.page.ics").of(t) end

--- Writes it, in the place of a file that is there.
-- @tparam "svg"|"html"|"ics" kind
-- @tparam Timetable t
-- @tparam string path
-- @treturn ?boolean true
-- @treturn ?Error err
function page.save(kind, t, path)
  local ok, why = core.file.replace(path, page[kind](t))
  if ok then return true end
  return nil, core.error.new { kind = "file", path = path,
    message = ("it cannot be written: %s; name another file"):format(why) }
end

return page
