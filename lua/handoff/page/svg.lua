-- SPDX-License-Identifier: MIT
--- The week as a picture that stands alone: an agent a row, or, of one agent, a day a row. Light or dark as its reader has it.
local columns = require "handoff.columns"
local plain = require "handoff.plain"
local view = require "handoff.page.view"

local escape = view.escape

local svg = {}

local STYLE = [[
svg{color-scheme:light dark;--paper:#fff;--ink:#1b1f23;--soft:#59636e;--line:#d9dee3;--band:#f3f5f7;--open:#1a7f4b;
  --now:#c2255c;--none:#b35900}
@media (prefers-color-scheme:dark){svg{--paper:#15191d;--ink:#e8ebee;--soft:#9aa4ae;--line:#343b42;--band:#1d2328;
  --open:#43b97f;--now:#ff7aa8;--none:#f0a04b}}
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:var(--ink);
  font-variant-numeric:tabular-nums}
.h{font-size:20px;font-weight:650}.s{fill:var(--soft);font-size:12px}.c{text-anchor:middle}.b{font-weight:600}
.paper{fill:var(--paper)}.band{fill:var(--band)}.line{stroke:var(--line)}.open{fill:var(--open)}
  .now{stroke:var(--now);stroke-width:2}.halo{stroke:var(--paper);stroke-width:5}
.l1{fill-opacity:.3}.l2{fill-opacity:.45}.l3{fill-opacity:.6}.l4{fill-opacity:.8}.none{fill:var(--none)}
.on{fill:var(--open)}
.name{font-weight:600;clip-path:url(#names)}
.off{fill:none;stroke:var(--soft);stroke-width:1.5}
]]

local LEFT, TOP, ROW, BAR, MARGIN = 216, 112, 26, 14, 24
local WIDTH, RIGHT = 868, 200 -- of the drawing; of the words beside it

--- A path of bars: spans in minutes, `scale` pixels a minute.
local function bars(spans, x, y, scale, height)
  local list = {}
  for i, span in ipairs(spans) do
    local from, width = x + span.from * scale, (span.to - span.from) * scale
    list[i] = ("M%.2f %dh%.2fv%dh-%.2fz"):format(from, y, width, height, width)
  end
  return table.concat(list)
end

-- @param most columns, as a terminal counts them, that the words may take
local function text(x, y, class, words, most)
  words = escape(most and columns.fit(plain(words), most) or words)
  return ('<text x="%.4g" y="%d" class="%s">%s</text>'):format(x, y, class, words)
end

local function path(class, d) return d ~= "" and ('<path class="%s" d="%s"/>'):format(class, d) or "" end

-- Columns of equal width, each with words above it, or above the line that it begins with; lines down through all rows.
local function grid(out, labels, bottom, banded, on_line)
  local width = WIDTH / #labels
  for i, label in ipairs(labels) do
    local x = LEFT + (i - 1) * width
    if banded(i) then
      out[#out + 1] = ('<path class="band" d="M%.2f %dh%.2fV%dh-%.2fz"/>'):format(x, TOP, width, bottom, width)
    end
    out[#out + 1] = path("line", ("M%.2f %dV%d"):format(x, TOP - 6, bottom))
    out[#out + 1] = text(x + (on_line and 0 or width / 2), TOP - 12, "c s", label)
  end
  out[#out + 1] = path("line", ("M%d %dV%d"):format(LEFT + WIDTH, TOP - 6, bottom))
end

local function head(out, v, height)
  local width, title = LEFT + WIDTH + RIGHT, escape(v.heading .. ", " .. v.week)
  out[#out + 1] = ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="list" '
    .. 'aria-label="%s"><title>%s</title>'):format(width, height, width, height, title, title)
  out[#out + 1] = ('<style>%s</style><path class="paper" d="M0 0h%dv%dh-%dz"/>'):format(STYLE, width, height, width)
  out[#out + 1] = ('<clipPath id="names"><path d="M0 0h%dv%dh-%dz"/></clipPath>'):format(LEFT - 6, height, LEFT - 6)
  out[#out + 1] = text(MARGIN, 38, "h", v.heading, 80)
  local said = v.rows[2] and ("%s · as of %s · %s"):format(v.week, v.asof, v.summary)
    or ("%s · as of %s"):format(v.week, v.asof)
  out[#out + 1] = text(MARGIN, 60, "s", said)
end

local function item(out, words, parts)
  out[#out + 1] = ('<g role="listitem"><title>%s</title>%s</g>'):format(escape(words), table.concat(parts))
end

local function whole(row)
  local parts = { row.agent, row.zone or "no zone", row.status, row.text }
  for _, fact in ipairs(row.facts) do parts[#parts + 1] = fact end
  return table.concat(parts, "; ")
end

local function now_line(at, y, scale)
  if not at then return "" end
  local d = ("M%.2f %dv%d"):format(LEFT + at * scale, y, ROW)
  return path("halo", d) .. path("now", d)
end

local function dot(row, x, y)
  return ('<circle class="%s" cx="%d" cy="%d" r="4"/>'):format(row.class == "open" and "on" or "off", x, y)
end

local function draw_agent(out, row, y, scale)
  local name, x = text(MARGIN, y + 17, "name", row.agent, 22), LEFT + WIDTH + 18
  item(out, whole(row), {
    name, path("open", bars(row.spans, LEFT, y + (ROW - BAR) / 2, scale, BAR)), now_line(row.now, y, scale),
    dot(row, x, y + 13), text(x + 12, y + 17, "s", row.status, 28),
  })
end

-- How many agents are open: the more, the higher and the darker.
local function draw_coverage(out, v, y, scale)
  local parts, nobody, height = {}, {}, 2 * ROW - 10
  for _, step in ipairs(v.coverage.steps) do
    if step.level == 0 then
      nobody[#nobody + 1] = step
    else
      local tall = math.max(4, math.floor(height * step.count / v.coverage.most + 0.5))
      parts[#parts + 1] = path("open l" .. step.level, bars({ step }, LEFT, y + 4 + height - tall, scale, tall))
    end
  end
  parts[#parts + 1] = path("none", bars(nobody, LEFT, y + height, scale, 4))
  parts[#parts + 1] = text(MARGIN, y + 22, "b", "Agents open")
  parts[#parts + 1] = text(MARGIN, y + 39, "s", v.coverage.zone)
  parts[#parts + 1] = text(LEFT + WIDTH + 18, y + 22, "s", ("at most %d of %d"):format(v.coverage.most, #v.rows))
  item(out, ("Agents open: at most %d of %d; nobody: %s"):format(v.coverage.most, #v.rows, v.nobody),
    parts)
end

-- Words in lines of at most so many characters.
local function wrapped(words, most)
  local lines, line = {}, ""
  for word in words:gmatch "%S+" do
    if line ~= "" and #line + #word >= most then
      lines[#lines + 1], line = line, ""
    end
    line = line == "" and word or line .. " " .. word
  end
  lines[#lines + 1] = line
  return lines
end

local function footer(v)
  if #v.rows == 1 then return wrapped(whole(v.rows[1]), 170) end
  return wrapped(("Nobody: %s (%s)"):format(v.nobody, v.coverage.zone), 170)
end

local function finish(out, lines, y)
  for i, line in ipairs(lines) do out[#out + 1] = text(MARGIN, y + i * 18, "s", line) end
  out[#out + 1] = "</svg>\n"
  return table.concat(out, "\n")
end

local function of_many(v)
  local bottom, out, labels = TOP + #v.rows * ROW + 2 * ROW + 10, {}, {}
  local lines, scale = footer(v), WIDTH / 10080
  head(out, v, bottom + #lines * 18 + 24)
  for i, day in ipairs(v.days) do labels[i] = ("%s %d %s"):format(day.name, day.day, day.month) end
  grid(out, labels, bottom, function(i) return i > 5 end)
  for i, row in ipairs(v.rows) do draw_agent(out, row, TOP + (i - 1) * ROW, scale) end
  out[#out + 1] = path("line", ("M%d %dH%d"):format(MARGIN, bottom - 2 * ROW - 6, LEFT + WIDTH + RIGHT - MARGIN))
  draw_coverage(out, v, bottom - 2 * ROW, scale)
  return finish(out, lines, bottom + 6)
end

local function of_one(v)
  local row, out, labels, scale = v.rows[1], {}, {}, WIDTH / 1440
  local lines, bottom = footer(v), TOP + 7 * ROW
  head(out, v, bottom + #lines * 18 + 24)
  for hour = 0, 22, 2 do labels[#labels + 1] = ("%02d"):format(hour) end
  grid(out, labels, bottom, function(i) return i <= 4 or i > 9 end, true)
  for i, day in ipairs(v.days) do
    local y, x = TOP + (i - 1) * ROW, LEFT + WIDTH + 18
    local now = row.now and row.now >= (i - 1) * 1440 and row.now < i * 1440 and row.now % 1440 or nil
    local date = ("%s %d %s"):format(day.name, day.day, day.month)
    item(out, ("%s: %s"):format(date, row.day_texts[i]), {
      text(MARGIN, y + 17, "b", date),
      path("open", bars(row.days[i], LEFT, y + (ROW - BAR) / 2, scale, BAR)), now_line(now, y, scale),
      text(x, y + 17, "s", row.day_texts[i], 32),
    })
  end
  return finish(out, lines, bottom + 6)
end

--- @param t a timetable
-- @return an SVG document
function svg.of(t)
  local v = view.of(t)
  return #v.rows == 1 and of_one(v) or of_many(v)
end

return svg
