-- SPDX-License-Identifier: MIT
--- Whether an agent hands over to humans now, as one word: for SSI, templates and those behind a proxy. Nothing here waits.
local answer = require "handoff.nginx.answer"
local core = require "handoff.core"
local opening = require "handoff.nginx.opening"
local plain = require "handoff.plain"

local variable = {}

local function state(read, keep)
  local name = read.agent()
  if not name then return nil end
  local cfg, info = read.cache:peek(name)
  return cfg and keep(name, cfg, info.version, ngx.time()).open
end

-- A function() → "open", "closed" or "unknown"; what is raised goes to the log.
local function word_of(read, what)
  local keep = opening.keeper()
  return function()
    local ok, open = pcall(state, read, keep)
    if not ok then answer.log(ngx.ERR, ("%s: %s; it is unknown"):format(what, tostring(open))) end
    if not ok or open == nil then return "unknown" end
    return open and "open" or "closed"
  end
end

local rows = { cache = { "table" }, agent = { "string function" } }

--- What hn.variable is; "unknown" are no such agent, no document yet, no zone for its hours. The function never raises.
function variable.new(opts) return word_of(opening.read(opts, rows, "hn.variable"), "hn.variable") end

local header_rows = { cache = { "table" }, agent = { "string function" }, name = { "string", default = "X-Handoff" } }

--- What hn.header is.
function variable.header(opts)
  local read = opening.read(opts, header_rows, "hn.header")
  if not read.name:find "^[%w!#$%%&'*+.^_`|~-]+$" then
    core.error.raise { path = "hn.header: name", rule = "name",
      message = ("the name of a header expected, as X-Handoff; got %q"):format(plain(read.name)) }
  end
  local word = word_of(read, "hn.header")
  return function() ngx.header[read.name] = word() end
end

return variable
