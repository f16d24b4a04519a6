-- SPDX-License-Identifier: MIT
--- The week as a page of its own: one table, in which each agent (or, of one agent, each day) has its hours drawn and in words.
-- Nothing is fetched, and nothing needs the script but the filter, which is not there without it.
local view = require "handoff.page.view"

local escape = view.escape

local html = {}

-- Allowed by its digest alone, so that no name, however it got in, can be a script. Where a character of it changes, the
-- console of a browser says the new one.
local DIGEST = "AF5GPeJRuCv59xjs0sJSbvwh8uWdywyzCk3EQNt7wt8="
local SCRIPT = [[
"use strict";
const field = document.getElementById("filter"), told = document.getElementById("told");
const rows = [...document.querySelectorAll("tbody tr")].map(row => [row, row.textContent.toLowerCase()]);
function filter() {
  const words = field.value.toLowerCase().split(/\s+/);
  let shown = 0;
  for (const [row, text] of rows) {
    row.hidden = !words.every(word => text.includes(word));
    if (!row.hidden) shown++;
  }
  told.textContent = field.value.trim() ? shown + " of " + rows.length : "";
}
document.getElementById("find").hidden = false;
field.addEventListener("input", filter);
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && document.activeElement !== field) { event.preventDefault(); field.focus(); field.select(); }
  if (event.key === "Escape" && document.activeElement === field) { field.value = ""; filter(); field.blur(); }
});
filter();
]]

local STYLE = [[
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f23;--soft:#59636e;--line:#dfe3e8;--band:#f4f6f8;--open:#1a7f4b;
  --now:#c2255c;--none:#b35900;--focus:#0b62c4}
@media (prefers-color-scheme:dark){:root{--paper:#15191d;--ink:#e8ebee;--soft:#9aa4ae;--line:#2e353c;--band:#1d2328;
  --open:#43b97f;--now:#ff7aa8;--none:#f0a04b;--focus:#6cb2ff}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.75rem clamp(1rem,3vw,2.5rem) 2rem;max-width:112rem;background:var(--paper);
  color:var(--ink);font:.9375rem/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
  font-variant-numeric:tabular-nums}
h1{margin:0;font-size:1.6rem;line-height:1.2;letter-spacing:-.01em;overflow-wrap:anywhere}
header{display:flex;flex-wrap:wrap;gap:.75rem 2rem;align-items:end;justify-content:space-between;
  margin-bottom:1.25rem}
header p{margin:.35rem 0 0;color:var(--soft)}
#find{display:flex;flex-wrap:wrap;gap:.3rem .6rem;align-items:center}
#find[hidden]{display:none}
#filter{font:inherit;color:inherit;background:var(--band);border:1px solid var(--soft);border-radius:.5rem;
  padding:.4rem .7rem;width:16rem;max-width:60vw}
:focus-visible{outline:3px solid var(--focus);outline-offset:1px}
#told{min-width:6ch;color:var(--soft)}
kbd{font:inherit;font-size:.8em;border:1px solid var(--line);border-radius:.25rem;padding:0 .35em;color:var(--soft)}
table{width:100%;border-collapse:separate;border-spacing:0}
th,td{padding:.45rem .9rem .45rem 0;text-align:left;vertical-align:middle;border-bottom:1px solid var(--line)}
th{font-weight:600}
thead th{position:sticky;top:0;z-index:2;background:var(--paper);color:var(--soft);font-size:.82rem;
  vertical-align:bottom}
tfoot th,tfoot td{position:sticky;bottom:0;z-index:2;background:var(--paper);border-top:1px solid var(--soft);
  border-bottom:0}
tbody tr:hover>:not(.week){background:var(--band)}
.name{min-width:11.5rem;max-width:18rem;overflow-wrap:anywhere}
small{display:block;font-size:.82rem;font-weight:400;color:var(--soft)}
.said{white-space:nowrap}
tbody .said::before{content:"";display:inline-block;width:.6rem;height:.6rem;margin-right:.55rem;border-radius:50%;
  border:2px solid var(--soft)}
tbody .open .said::before{background:var(--open);border-color:var(--open)}
tbody .off .said::before,tbody .unknown .said::before{border-radius:0;border-width:0 0 2px;height:.35rem}
.hours{width:24%}
.hours span{white-space:nowrap}
td.hours,th.hours{padding:.45rem 0 .45rem 1.1rem}
.week{width:48%}
tbody .week,tfoot .week{padding:0;
  background:repeating-linear-gradient(90deg,var(--line) 0 1px,transparent 1px calc(100%/7)),linear-gradient(90deg,
  transparent calc(500%/7),var(--band) 0),var(--paper)}
.days tbody .week{background:repeating-linear-gradient(90deg,var(--line) 0 1px,transparent 1px calc(100%/12)),
  linear-gradient(90deg,var(--band) calc(400%/12),transparent 0 75%,var(--band) 0)}
thead th.week{padding-left:0;padding-right:0}
.scale{display:flex}
.scale span{flex:1;text-align:center;white-space:nowrap;overflow:hidden}
.days .scale span{text-align:left}
.scale i{font-style:normal;font-weight:400}
svg{display:block;width:100%;height:1.75rem;shape-rendering:crispEdges}
.days svg{height:2.25rem}
tfoot svg{height:2.75rem}
svg path{fill:var(--open)}
svg .now,svg .halo{fill:none;stroke:var(--now);stroke-width:2px;vector-effect:non-scaling-stroke}
svg .halo{stroke:var(--paper);stroke-width:6px}
svg .none{fill:var(--none)}
.l1{fill-opacity:.3}.l2{fill-opacity:.45}.l3{fill-opacity:.6}.l4{fill-opacity:.8}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.5rem;margin:1.5rem 0 0}
dt{color:var(--soft)}dd{margin:0;grid-column:2}
.aside{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media screen and (max-width:64rem){
thead{position:sticky;top:0;z-index:2;display:block;background:var(--paper);border-bottom:1px solid var(--line)}
thead th:not(.week),tfoot td.said{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,tbody,tfoot{display:block}
thead tr{display:block}
tbody tr,tfoot tr{display:grid;grid-template-columns:1fr auto;gap:.15rem .75rem;padding:.7rem 0;
  border-bottom:1px solid var(--line)}
tr[hidden]{display:none}
th,td,td.hours,th.hours,tfoot th,tfoot td{display:block;border:0;padding:0;position:static}
.week,.hours{grid-column:1/-1;width:auto;min-width:0;max-width:none}
.name{min-width:0;max-width:none}
thead th.week{position:static;padding:.3rem 0}
.hours{font-size:.9rem}
.days small{display:inline;margin-left:.4rem}
.days .hours{grid-area:1/2;text-align:right}
.days tbody tr{grid-template-columns:max-content 1fr;padding:.55rem 0}
tfoot{position:sticky;bottom:0;z-index:2;background:var(--paper);border-top:1px solid var(--soft)}
tfoot tr{border:0}
kbd{display:none}
}
@media screen and (max-width:34rem){
.many .scale i{display:none}
}
@media print{
html{font-size:10px}
:root{--paper:#fff;--ink:#000;--soft:#444;--line:#ccc;--band:#f1f1f1;--open:#1a7f4b;--now:#c2255c;--none:#b35900}
body{padding:0;print-color-adjust:exact;-webkit-print-color-adjust:exact}
#find{display:none!important}
thead th,tfoot th,tfoot td{position:static}
tfoot{display:table-row-group}
tr{break-inside:avoid}
}
]]

local POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-%s'; base-uri 'none'; "
  .. "form-action 'none'"

-- ---- drawing --------------------------------------------------------------------------------------------------------------

local function round(number) return ("%.1f"):format(number):gsub("%.0$", "") end

local function bars(spans, y, height)
  local list = {}
  for i, span in ipairs(spans) do
    local width = round(span.to - span.from)
    list[i] = ("M%s %dh%sv%dh-%sz"):format(round(span.from), y, width, height, width)
  end
  return table.concat(list)
end

local function path(class, d)
  if d == "" then return "" end
  return class and ('<path class="%s" d="%s"/>'):format(class, d) or ('<path d="%s"/>'):format(d)
end

-- Minutes across, 24 down; hidden from those to whom the words beside it are read.
local function drawing(width, paths, now)
  local at = now and ("M%s 0v24"):format(round(now)) or ""
  return ('<svg viewBox="0 0 %d 24" preserveAspectRatio="none" aria-hidden="true">%s%s%s</svg>'):format(width, paths,
    path("halo", at), path("now", at))
end

-- The more agents are open the higher and the darker; a line along the floor where nobody is.
local function coverage_drawing(coverage)
  local parts, nobody = {}, {}
  for _, step in ipairs(coverage.steps) do
    if step.level == 0 then
      nobody[#nobody + 1] = step
    else
      local tall = math.max(2, math.floor(24 * step.count / coverage.most + 0.5))
      parts[#parts + 1] = path("l" .. step.level, bars({ step }, 24 - tall, tall))
    end
  end
  parts[#parts + 1] = path("none", bars(nobody, 22, 2))
  return drawing(10080, table.concat(parts), coverage.now)
end

-- ---- the parts of the page ------------------------------------------------------------------------------------------------

local function head(out, v)
  out[#out + 1] = '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
  out[#out + 1] = ('<meta http-equiv="Content-Security-Policy" content="%s">'):format(POLICY:format(DIGEST))
  out[#out + 1] = '<meta name="viewport" content="width=device-width, initial-scale=1">'
  out[#out + 1] = '<meta name="color-scheme" content="light dark">'
  out[#out + 1] = ("<title>%s, %s</title>"):format(escape(v.heading), escape(v.week:gsub("^W", "w")))
  out[#out + 1] = ("<style>\n%s</style>\n</head>\n<body>"):format(STYLE)
end

local function zone_of(v) return v.zone and ", all in " .. v.zone or "" end

local function agents_in_words(v) return v.summary == "" and "no agents" or v.summary .. zone_of(v) end

local function top(out, v)
  local heading = #v.rows == 1 and ("Working hours of <bdi>%s</bdi>"):format(escape(v.rows[1].agent)) or v.heading
  out[#out + 1] = ("<header>\n<div><h1>%s</h1>\n<p>%s. As of %s%s.</p></div>"):format(heading, v.week, escape(v.asof),
    #v.rows ~= 1 and ": " .. escape(agents_in_words(v)) or "")
  if #v.rows > 1 then
    out[#out + 1] = '<div id="find" role="search" hidden><label for="filter">Filter</label>'
      .. '<input id="filter" type="search" autocomplete="off" spellcheck="false" aria-keyshortcuts="/" '
      .. 'aria-describedby="told"><kbd aria-hidden="true">/</kbd><output id="told" for="filter"></output></div>'
  end
  out[#out + 1] = "</header>\n<main>"
end

local function scale(labels) return ('<div class="scale" aria-hidden="true">%s</div>'):format(table.concat(labels)) end

local function table_head(out, class, caption, columns, labels)
  out[#out + 1] = ('<table class="%s">\n<caption class="aside">%s</caption>'):format(class, escape(caption))
  out[#out + 1] = ('<thead><tr><th scope="col">%s</th>'):format(table.concat(columns, '</th><th scope="col">'))
  out[#out + 1] = ('<th class="week">%s</th><th class="hours" scope="col">Hours</th></tr></thead>\n<tbody>'):format(
    scale(labels))
end

-- Hours as text, whose spans are not cut at the end of a line, nor the first one from its days.
local function hours(text)
  local joined = escape(text):gsub("(%l) (%d)", "%1\0%2") -- a no-break space would be one that nobody finds by typing
  return (joined:gsub("%S*%d%-%d%S*", "<span>%0</span>"):gsub("%z", " "))
end

local function agent_row(v, row)
  local zone = not v.zone and ("<small>%s</small>"):format(escape(row.zone or "no zone")) or ""
  local facts = row.facts[1] and ("<small>%s</small>"):format(escape(table.concat(row.facts, "; "))) or ""
  return ('<tr class="%s"><th class="name" scope="row"><bdi>%s</bdi>%s</th><td class="said">%s</td>'
    .. '<td class="week">%s</td><td class="hours">%s%s</td></tr>'):format(row.class, escape(row.agent), zone,
    escape(row.status), drawing(10080, path(nil, bars(row.spans, 4, 16)), row.now), hours(row.text), facts)
end

local function coverage_row(v)
  local coverage = v.coverage
  return ('</tbody>\n<tfoot><tr><th class="name" scope="row">Agents open<small>%s</small></th>'
    .. '<td class="said">%d now</td><td class="week">%s</td><td class="hours">at most %d of %d<small>nobody: %s</small>'
    .. '</td></tr></tfoot>'):format(escape(coverage.zone), v.counts.open, coverage_drawing(coverage), coverage.most,
    #v.rows, escape(v.nobody))
end

local function of_many(out, v)
  local labels = {}
  for i, day in ipairs(v.days) do labels[i] = ("<span>%s <i>%d</i></span>"):format(day.name, day.day) end
  table_head(out, "many", "Agents, whether each is open, and its hours", { "Agent", "Now" }, labels)
  for _, row in ipairs(v.rows) do out[#out + 1] = agent_row(v, row) end
  out[#out + 1] = coverage_row(v) .. "\n</table>"
end

local function fact(out, name, value)
  out[#out + 1] = ("<dt>%s</dt><dd>%s</dd>"):format(name, escape(value))
end

local function of_one(out, v)
  local row, labels = v.rows[1], {}
  for hour = 0, 22, 2 do labels[#labels + 1] = ("<span>%02d</span>"):format(hour) end
  table_head(out, "days", "Days, and the hours of each", { "Day" }, labels)
  for i, day in ipairs(v.days) do
    local is_today = row.now and row.now >= (i - 1) * 1440 and row.now < i * 1440
    local bar = drawing(1440, path(nil, bars(row.days[i], 4, 16)), is_today and row.now % 1440)
    out[#out + 1] = ('<tr%s><th class="name" scope="row">%s <small>%d %s</small></th><td class="week">%s</td>'
      .. '<td class="hours">%s</td></tr>'):format(is_today and ' aria-current="date"' or "", day.name, day.day,
      day.month, bar, hours(row.day_texts[i]))
  end
  out[#out + 1] = "</tbody>\n</table>\n<dl>"
  fact(out, "Now", row.status)
  fact(out, "Zone", row.zone or "none")
  fact(out, "Hours", row.text)
  for _, one in ipairs(row.facts) do out[#out + 1] = ("<dd>%s</dd>"):format(escape(one)) end
  out[#out + 1] = "</dl>"
end

--- @param t a timetable
-- @return an HTML document
function html.of(t)
  local v, out = view.of(t), {}
  head(out, v)
  top(out, v)
  if #v.rows == 1 then of_one(out, v) else of_many(out, v) end
  out[#out + 1] = "</main>"
  if #v.rows > 1 then out[#out + 1] = ("<script>%s</script>"):format(SCRIPT) end
  out[#out + 1] = "</body>\n</html>\n"
  return table.concat(out, "\n")
end

return html
