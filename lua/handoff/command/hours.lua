-- SPDX-License-Identifier: MIT
--- A timetable (see handoff.timetable) for people: drawn in a terminal's characters, or in sentences. Nothing relies on colour.
local columns = require "handoff.columns"
local core = require "handoff.core"
local plain = require "handoff.plain"
local schedule = require "handoff.schedule"
local time = require "handoff.time"
local timetable = require "handoff.timetable"

local floor, max, min = math.floor, math.max, math.min

local hours = {}

local DAY_CELLS = 48
local MOST_ROWS = 24 -- of more agents, those that are drawn alike have one row

local OPEN, CLOSED, NOW_OPEN, NOW_CLOSED = "█", "·", "◆", "◇"
local LEGEND = "█ open, · closed, ◆ now and open, ◇ now and closed"

-- ---- words ----------------------------------------------------------------------------------------------------------------

-- An instant as the clock of the zone shows it, with its date.
local function moment(epoch, zone)
  local there = zone:local_time(epoch)
  return ("%s %s"):format(time.date(there), time.clock(there.hour * 60 + there.min))
end

-- The same, without the date where that is today's.
local function until_text(epoch, at, zone)
  local there, today = moment(epoch, zone), moment(at, zone)
  local is_today = epoch - at < 86400 and there:sub(1, -6) == today:sub(1, -6)
  return is_today and there:sub(-5) or there
end

-- Hours of an agent, with the zone that they are in where another one is drawn.
local function in_zone(row, text) return plain(timetable.zoned(row, text)) end

-- What an agent is now, and until when.
local function state_text(t, row)
  if row.state ~= "hours" then return row.note end
  local text = row.open and "open now" or "closed now"
  if not row.next then return text end
  return ("%s until %s"):format(text, until_text(row.next, t.at, time.zone(row.zone)))
end

-- "shop-uk, Europe/London: open now until 17:30"
local function heading(t, row)
  local zone = row.zone and ", " .. row.zone or ""
  return plain(("%s%s: %s"):format(row.agent, zone, state_text(t, row)))
end

-- Its hours are still of use to whoever is about to switch it on.
local function off_text(row) return "Were it on: " .. in_zone(row, row.text) end

-- Adds text in lines of at most `width` columns, all but the first behind a margin.
local function fill(lines, text, width, margin)
  local line, used
  for word in text:gmatch "%S+" do
    local length = columns.width(word)
    if not line then
      line, used = word, length
    elseif used + 1 + length <= width then
      line, used = line .. " " .. word, used + 1 + length
    else
      lines[#lines + 1] = line
      line, used = margin .. word, #margin + length
    end
  end
  lines[#lines + 1] = line
end

-- ---- half hours as characters ---------------------------------------------------------------------------------------------

-- A stretch of cells as characters, each as { text, colour }; a cell is open where most of it is.
-- @param each how many cells are in a character, 1 or 2
local function characters(row, first, each)
  local list = {}
  for i = first, first + DAY_CELLS - 1, each do
    local left, right = row.cells[i] >= 15, row.cells[i + each - 1] >= 15
    local text = left and (right and OPEN or "▌") or right and "▐" or CLOSED
    local one = { text, text == CLOSED and "dim" or "green" }
    if row.now and row.now >= i and row.now < i + each then one = { row.open and NOW_OPEN or NOW_CLOSED, "bold" } end
    list[#list + 1] = one
  end
  return list
end

-- The day of a half hour, or nil of nil.
local function day_of(cell) return cell and floor((cell - 1) / DAY_CELLS) + 1 end

-- Characters as a text, those of one colour painted as one.
local function painted(list, paint)
  local texts, from = {}, 1
  for i = 1, #list do
    if not list[i + 1] or list[i + 1][2] ~= list[i][2] then
      local run = {}
      for j = from, i do run[#run + 1] = list[j][1] end
      texts[#texts + 1], from = paint(list[i][2], table.concat(run)), i + 1
    end
  end
  return table.concat(texts)
end

-- The hours above a day, and where now is; an hour that would stand in its way is left out.
local function ticks(each, now)
  local wide, step = DAY_CELLS / each, each == 1 and 3 or 6
  local line, mark = "", now and floor((now - 1) % DAY_CELLS / each)
  for hour = 0, 23, step do
    local label, at = tostring(hour), hour * 2 / each
    if mark and mark >= at - 1 and mark <= at + #label then label = "" end
    line = line .. label .. (" "):rep(step * 2 / each - #label)
  end
  if not mark then return line end
  return line:sub(1, mark) .. "▼" .. line:sub(mark + 2, wide)
end

-- ---- many agents, a row each ----------------------------------------------------------------------------------------------

local words_in_row = { off = "handoff off", unknown = "hours unknown" }

-- Words in place of characters, in the first day of a band.
local function overlay(text, wide)
  local list = {}
  for i = 1, wide do list[i] = { text and text:sub(i, i) ~= "" and text:sub(i, i) or " ", "dim" } end
  return list
end

-- Puts words over characters, clear of the one that marks now.
local function put_over(list, text)
  local mark
  for i, one in ipairs(list) do mark = one[2] == "bold" and i or mark end
  local at = not mark and 2 or mark > #list / 2 and 1 or #list - #text
  for i = 1, #text do list[at + i] = { text:sub(i, i), "green" } end
  return list
end

local function day_characters(row, day, is_first)
  local words = words_in_row[row.state]
  if words then return overlay(is_first and words or nil, DAY_CELLS / 2) end
  local list = characters(row, (day - 1) * DAY_CELLS + 1, 2)
  return is_first and row.state == "always" and put_over(list, "always open") or list
end

local levels = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }

-- How many agents are open in a stretch of counts, of two half hours the fewer: as a digit, or as a height where there are more.
local function coverage_characters(t, day)
  local list, all = {}, #t.rows
  for i = (day - 1) * DAY_CELLS + 1, day * DAY_CELLS, 2 do
    local count = min(t.coverage[i], t.coverage[i + 1])
    local text = count == 0 and CLOSED or all < 10 and tostring(count) or levels[math.ceil(count * #levels / all)]
    list[#list + 1] = { text, count == 0 and "dim" or "green" }
  end
  return list
end

local function in_one_zone(t)
  for _, row in ipairs(t.rows) do
    if row.state == "hours" and row.zone ~= t.zone then return false end
  end
  return true
end

-- What is drawn of a row: those that it is the same of look alike.
local function key_of(row)
  if row.state == "off" then return "off" end
  local cells = table.concat(row.cells, ",")
  return table.concat({ row.state, row.zone or "", row.now or 0, tostring(row.open), cells }, " ")
end

-- The rows that are drawn: each of { row=, names= }, those that look alike as one where there are many.
local function groups_of(rows)
  local groups, by_key = {}, {}
  for i, row in ipairs(rows) do
    local key = #rows > MOST_ROWS and key_of(row) or i
    if not by_key[key] then
      by_key[key] = { row = row, names = {} }
      groups[#groups + 1] = by_key[key]
    end
    table.insert(by_key[key].names, plain(row.agent))
  end
  return groups
end

local LEAST_LABEL, MOST_LABEL, MOST_ZONED = 8, 20, 30

-- "shop-uk", "shop-uk +11", with the zone behind it where that is wanted and fits into so many columns; and whether it did not.
local function label(group, most, has_zone)
  local more = #group.names > 1 and (" +%d"):format(#group.names - 1) or ""
  local text = columns.fit(group.names[1], most - #more) .. more
  local row = group.row
  local zone = has_zone and row.state ~= "off" and row.zone and " " .. plain(row.zone) or ""
  local fits = columns.width(text .. zone) <= most
  return fits and text .. zone or text, not fits
end

-- What the rows are called: the labels, how many columns they take, how many days fit beside them, and whether
-- all zones are in them.
local function label_all(groups, has_zones, width)
  local most = min(has_zones and MOST_ZONED or MOST_LABEL, max(LEAST_LABEL, width - DAY_CELLS / 2 - 1))
  local labels, wide, zones = {}, #"coverage", has_zones
  for i, group in ipairs(groups) do
    local is_short
    labels[i], is_short = label(group, most, has_zones)
    zones, wide = zones and not is_short, max(wide, columns.width(labels[i]))
  end
  return { labels = labels, wide = wide, fit = max(1, floor((width - wide) / (DAY_CELLS / 2 + 1))), zones = zones }
end

-- Zones are in the labels where there are several and no day less fits for them. The bands are as long as each other.
local function lay_out(groups, has_zones, count, width)
  local plan = label_all(groups, false, width)
  local zoned = has_zones and label_all(groups, true, width)
  if zoned and zoned.fit >= min(plan.fit, count) then plan = zoned end
  plan.days = math.ceil(count / math.ceil(count / plan.fit))
  return plan
end

local function padded(text, wide) return text .. (" "):rep(wide - columns.width(text)) end

-- One band: some days side by side, all agents below each other.
local function draw_band(lines, t, groups, days, plan, paint)
  local here = in_one_zone(t) and day_of(t.now)
  local function line(head, make)
    local texts = {}
    for i, day in ipairs(days) do texts[i] = make(day, i == 1) end
    lines[#lines + 1] = (padded(head, plan.wide + 1) .. table.concat(texts, " ")):gsub(" +$", "")
  end
  line("", function(day) return padded(time.date(t.days[day]), DAY_CELLS / 2) end)
  line("", function(day) return ticks(2, day == here and t.now) end)
  for i, group in ipairs(groups) do
    line(plan.labels[i], function(day, is_first) return painted(day_characters(group.row, day, is_first), paint) end)
  end
  line("coverage", function(day) return painted(coverage_characters(t, day), paint) end)
end

-- Which agents are in which zone, a line each.
local function add_zones(lines, t, width)
  local zones, names = {}, {}
  for _, row in ipairs(t.rows) do
    local zone = row.zone and plain(row.zone) or "no zone"
    if not names[zone] then zones[#zones + 1], names[zone] = zone, {} end
    table.insert(names[zone], plain(row.agent))
  end
  for _, zone in ipairs(zones) do
    lines[#lines + 1] = ("%s: %s"):format(zone, require("handoff.digest").names(names[zone], width - #zone - 2))
  end
end

local function add_notes(lines, t, width)
  for _, row in ipairs(t.rows) do
    if row.note and not (row.state == "off" or row.state == "always") then
      fill(lines, ("%s: %s"):format(plain(row.agent), plain(row.note)), width, "  ")
    end
  end
end

-- Whoever it is not known of may be there.
local function nobody(t) return t.unknown > 0 and "Nobody whose hours are known" or "Nobody" end

-- When nobody is there, in the words of a week's text.
local function nobody_text(t)
  if not t.known then return "When somebody is there is not known of any agent" end
  if not t.nobody then return "Somebody is there at every minute of the week" end
  return ("%s is there (%s): %s"):format(nobody(t), t.zone, t.nobody == "24/7" and "the whole week" or t.nobody)
end

local function title(t, is_one_zone)
  local now = moment(t.at, time.zone(t.zone))
  local zone = is_one_zone and t.zone or "each agent in its own zone, coverage in " .. t.zone
  return ("The week of %s %d, %s; now %s%s"):format(time.date(t.days[1]), t.days[1].year, zone, now,
    is_one_zone and "" or " " .. t.zone)
end

local function draw_many(t, days, width, paint)
  local lines, groups, is_one_zone = {}, groups_of(t.rows), in_one_zone(t)
  local plan = lay_out(groups, not is_one_zone, #days, width)
  fill(lines, title(t, is_one_zone), width, "  ")
  for first = 1, #days, plan.days do
    local band = {}
    for i = first, min(first + plan.days - 1, #days) do band[#band + 1] = days[i] end
    lines[#lines + 1] = ""
    draw_band(lines, t, groups, band, plan, paint)
  end
  lines[#lines + 1] = ""
  fill(lines, nobody_text(t), width, "  ")
  if not (is_one_zone or plan.zones) then add_zones(lines, t, width) end
  add_notes(lines, t, width)
  local folded = #groups < #t.rows and "; +1: one more is drawn alike" or ""
  local counts = #t.rows < 10 and ", 1-9 how many agents" or (", ▁-█ how many of %d agents"):format(#t.rows)
  fill(lines, LEGEND .. counts .. folded, width, "  ")
  return lines
end

-- ---- one agent, a day a row -----------------------------------------------------------------------------------------------

local HEAD = #"Mon 23 "

-- The hours of one day as the clock shows them that week.
local function day_text(row, day)
  local text = schedule.day(row.wall, day)
  return text == "00:00-24:00" and "all day" or (text:gsub(",", ""))
end

-- When the clock changes is told as it would show that moment had it not.
local function shift_text(shift, zone)
  local there = assert(time.zone "UTC"):local_time(shift.at + zone:offset(shift.at - 1))
  return ("%s: the clock goes %s by %s at %s"):format(time.date(there), shift.by > 0 and "forward" or "back",
    time.length(math.abs(shift.by) / 60), time.clock(there.hour * 60 + there.min))
end

-- What is to be known of an agent's week beside its hours, a text each.
local function facts_of(row)
  local facts = {}
  local function add(text) facts[#facts + 1] = text end
  local most = time.length(timetable.GAP)
  if row.gaps then add(("Closed for less than %s: %s"):format(most, in_zone(row, row.gaps))) end
  if row.overlaps then add("In more than one slot: " .. in_zone(row, row.overlaps)) end
  local zone = row.shifts[1] and time.zone(row.zone)
  for _, shift in ipairs(row.shifts) do add(shift_text(shift, zone)) end
  if row.state == "hours" and row.note then add(plain(row.note)) end
  return facts
end

-- One day: its hours as characters, and in words beside them, or below where there is no room.
local function draw_day(lines, t, row, day, each, width, paint)
  local words, head = day_text(row, day), padded(("%s %d"):format(time.days[day - 1], t.days[day].day), HEAD)
  if day == day_of(row.now) then head = paint("bold", head) end
  local line = head .. painted(characters(row, (day - 1) * DAY_CELLS + 1, each), paint)
  if HEAD + DAY_CELLS / each + 2 + #words <= width then
    lines[#lines + 1] = line .. "  " .. words
    return
  end
  lines[#lines + 1] = line
  local below = {}
  fill(below, words, width - HEAD, "")
  for _, text in ipairs(below) do lines[#lines + 1] = (" "):rep(HEAD) .. text end
end

local function draw_one(t, days, width, paint)
  local row, lines, is_here = t.rows[1], {}, false
  local each = width >= HEAD + DAY_CELLS + 2 + #"00:00-00:00" and 1 or 2
  fill(lines, heading(t, row), width, "  ")
  if row.state == "hours" then
    fill(lines, ("%s; %s a week"):format(in_zone(row, row.text), time.length(row.minutes)), width, "  ")
  end
  if row.state == "off" then fill(lines, off_text(row), width, "  ") end
  if words_in_row[row.state] then return lines end
  for _, day in ipairs(days) do is_here = is_here or day == day_of(row.now) end
  lines[#lines + 1] = ""
  lines[#lines + 1] = (" "):rep(HEAD) .. ticks(each, is_here and row.now):gsub(" +$", "")
  for _, day in ipairs(days) do draw_day(lines, t, row, day, each, width, paint) end
  lines[#lines + 1] = ""
  for _, fact in ipairs(facts_of(row)) do fill(lines, fact, width, "  ") end
  fill(lines, LEGEND, width, "  ")
  return lines
end

--- The week drawn: one agent with a day a row, several with a row each.
-- @param t see handoff.timetable
-- @param opts { width= in columns; paint = function(colour, text) → text; days = list of the days to draw, 1 to 7 }
-- @return a list of lines, none wider than the width where that is at least 40
function hours.draw(t, opts)
  return (#t.rows == 1 and draw_one or draw_many)(t, opts.days, opts.width, opts.paint)
end

-- ---- in sentences ---------------------------------------------------------------------------------------------------------

local function spoken_days(span)
  if span == "monday-sunday" then return "Every day" end
  return (span:gsub("%l+", function(day) return day:gsub("^%l", string.upper) end):gsub("%-", " to "))
end

-- By the text of its hours, where midnight is 24:00; every day all day is 24/7 there.
local function spoken_times(slot)
  local from, to = tostring(core.week.new { slot }):match "(%d+:%d+)%-(%d+:%d+)$"
  if not from or from == "00:00" and to == "24:00" then return "all day" end
  return ("%s to %s"):format(from, to == "24:00" and "midnight" or to)
end

-- Of days on which nothing is open: all of a week, or those that are asked for.
local function spoken_closed(days)
  local spans = {}
  for i, slot in ipairs(days:slots()) do spans[i] = spoken_days(slot.day_span) end
  return #days:gaps() == 0 and "Closed." or table.concat(spans, " and ") .. " closed."
end

-- A week in sentences, those of some days only.
local function spoken(week, days)
  local sentences, wanted, last = {}, {}, nil
  for i, day in ipairs(days) do wanted[i] = time.days[day - 1] end
  wanted = core.week.new(table.concat(wanted, ",") .. " 00:00-24:00")
  for _, slot in ipairs(week:intersect(wanted):slots()) do
    if slot.day_span == last then
      sentences[#sentences] = ("%s and %s"):format(sentences[#sentences], spoken_times(slot))
    else
      sentences[#sentences + 1] = ("%s %s"):format(spoken_days(slot.day_span), spoken_times(slot))
    end
    last = slot.day_span
  end
  return sentences[1] and table.concat(sentences, ". ") .. "." or spoken_closed(wanted)
end

local function spoken_agent(t, row, days)
  local parts = { heading(t, row) .. "." }
  if row.state == "hours" then
    parts[2] = spoken(row.wall, days)
    for _, fact in ipairs(facts_of(row)) do parts[#parts + 1] = fact:gsub("^%l", string.upper) .. "." end
  end
  if row.state == "off" then parts[2] = off_text(row) .. "." end
  return table.concat(parts, " ")
end

local function spoken_nobody(t, days)
  if not t.nobody then return nobody_text(t) .. "." end
  local week, is_some = core.week.new(t.nobody), false
  for _, day in ipairs(days) do is_some = is_some or schedule.day(week, day) ~= "closed" end
  if not is_some then return "Somebody is there at every minute of these days." end
  return ("%s is there, %s: %s"):format(nobody(t), t.zone, spoken(week, days))
end

--- The same without a drawing, for a screen reader or a mail: a paragraph an agent, and one that says when nobody is there.
-- @param opts { width=, days= }, see draw
-- @return a list of lines
function hours.sentences(t, opts)
  local lines = {}
  for _, row in ipairs(t.rows) do fill(lines, spoken_agent(t, row, opts.days), opts.width, "  ") end
  if #t.rows == 1 then return lines end
  fill(lines, spoken_nobody(t, opts.days), opts.width, "  ")
  return lines
end

-- ---- for programs ---------------------------------------------------------------------------------------------------------

local function iso(epoch, name)
  local zone = time.zone(name)
  return time.iso(epoch, zone)
end

local function iso_spans(spans, name)
  local list = core.json.array {}
  for i, span in ipairs(spans) do list[i] = { from = iso(span.from, name), to = iso(span.to, name) } end
  return list
end

--- A row as plain data for JSON: times as ISO 8601 in its zone, no half hours.
function hours.row_record(t, row)
  local zone = row.state ~= "unknown" and row.zone or t.zone
  return {
    agent = row.agent, zone = row.zone, own_zone = row.own_zone, state = row.state, note = row.note, text = row.text,
    minutes = row.minutes, open = row.open, at = iso(t.at, zone), next_change = row.next and iso(row.next, zone),
    spans = row.state ~= "unknown" and iso_spans(row.spans, zone) or nil, gaps = row.gaps, overlaps = row.overlaps,
  }
end

--- What is true of all of them, likewise.
function hours.coverage_record(t)
  return {
    coverage = core.json.array(t.coverage), zone = t.zone, from = iso(t.from, t.zone), to = iso(t.to, t.zone),
    agents = #t.rows, unknown = t.unknown, nobody = t.nobody,
    uncovered = t.known and iso_spans(t.uncovered, t.zone) or nil,
  }
end

return hours
