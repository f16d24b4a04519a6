-- SPDX-License-Identifier: MIT
--- An internal console: the fleet at a glance, its week drawn, handoff switched on or off for an agent, a tag or all, with the
-- change shown before it is written.
--
--   local handle = require("console").new{ cache=, secret=, history= }     in init_by_lua or init_worker_by_lua
--   location /console/ { content_by_lua_block { … handle() } }
-- cache is one of handoff.nginx; secret a text of 16 characters or more, without which the console is off and says so; history a
-- file's path, so that what was switched can be taken back; patience = 20 the seconds in which agents are begun, see desk.lua:
-- those that are left when the API hangs are told. A lua_shared_dict handoff_console holds who is logged in.
--
-- Serve it over TLS, or on loopback: the secret is typed into it.
local core = require "handoff.core"
local desk = require "console.desk"
local guard = require "console.guard"
local options = require "handoff.options"

local json = core.json

local console = {}

local MOST = 4096 -- bytes of a request's body

-- ---- answers --------------------------------------------------------------------------------------------------------------

-- Nothing but our own files, no markup made of texts by a script, and in nobody's frame.
local POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
  .. "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
  .. "trusted-types 'none'"
-- A picture has a style of its own in it, and runs nothing.
local PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"

local function answer(status, kind, body)
  local header = ngx.header
  ngx.status = status
  header["Content-Type"], header["Content-Length"] = kind, #body
  header["Content-Security-Policy"] = kind == "image/svg+xml" and PICTURE_POLICY or POLICY
  header["Cache-Control"], header["X-Content-Type-Options"] = "no-store", "nosniff"
  header["X-Frame-Options"] = "DENY"
  header["Referrer-Policy"] = "same-origin" -- with no-referrer a browser would not say where a POST comes from
  header["Cross-Origin-Opener-Policy"], header["Cross-Origin-Resource-Policy"] = "same-origin", "same-origin"
  ngx.print(body)
end

local function reply(status, value) answer(status, "application/json", json.encode(value)) end
local function refuse(status, why) reply(status, { error = why }) end

local function go(where)
  ngx.header.Location = where
  answer(303, "text/plain", "")
end

-- A line in nginx's log, which adds the address that it came from.
local function audit(level, ...) ngx.log(level, "console: ", ...) end

-- ---- pages ----------------------------------------------------------------------------------------------------------------

local function show(self, status, name, values)
  answer(status, "text/html; charset=utf-8", (self.files[name]:gsub("@(%u+)@", values)))
end

-- @param said what is wrong with the secret, or ""
local function show_door(self, status, said) show(self, status, "login.html", { SAID = said }) end

local function page(self, session)
  if not session then return show_door(self, 200, "") end
  show(self, 200, "index.html", { CSRF = self.guard:csrf(session), HISTORY = self.desk.history and "yes" or "no" })
end

local function file(name, kind)
  return function(self) answer(200, kind, self.files[name]) end
end

-- ---- the door -------------------------------------------------------------------------------------------------------------

-- The request's body; or nil where it is too large, or of no size: then it is not read.
local function body()
  local length = tonumber(ngx.var.http_content_length)
  if not length or length > MOST then return nil end
  ngx.req.read_body()
  return ngx.req.get_body_data() or ""
end

-- Whoever loads the page of a wrong secret again, or has kept its address, is shown the door.
local function to_door() return go "/console/" end

local function lock_out(self, seconds)
  local minutes = math.ceil(seconds / 60)
  audit(ngx.WARN, "a login was refused: too many tries")
  ngx.header["Retry-After"] = seconds
  show_door(self, 429, ("Too many wrong secrets from your address: wait %d minute%s."):format(minutes,
    minutes == 1 and "" or "s"))
end

local function log_in(self)
  if not body() then return refuse(413, "too large") end
  local secret = ngx.req.get_post_args(4).secret
  local right, wait = self.guard:try(type(secret) == "string" and secret or "")
  if wait then return lock_out(self, wait) end
  if not right then
    audit(ngx.WARN, "a wrong secret")
    return show_door(self, 403, "That is not the secret.")
  end
  audit(ngx.NOTICE, "logged in")
  self.guard:log_in()
  go "/console/"
end

local function log_out(self, session)
  self.guard:log_out(session)
  audit(ngx.NOTICE, "logged out")
  reply(200, {})
end

-- ---- the desk -------------------------------------------------------------------------------------------------------------

local function fleet(self) answer(200, "application/json", self.desk:fleet()) end

local function picture(self)
  local args = ngx.req.get_uri_args(4)
  local drawn, err = self.desk:picture(args)
  if not drawn then return refuse(404, err) end
  answer(200, "image/svg+xml", drawn)
end

local function runs(self)
  local list, err = self.desk:runs()
  if not list then return refuse(502, err) end
  reply(200, { runs = list })
end

-- What is asked for: the body, as JSON; or nil, and the request is answered.
local function wanted()
  local text = body()
  if not text then return nil, refuse(413, "too large") end
  local value = json.decode(text)
  if type(value) ~= "table" then return nil, refuse(400, "JSON expected") end
  local order, why = desk.read(value)
  if not order then return nil, refuse(400, why) end
  return order
end

local function preview(self)
  local order = wanted()
  if not order then return end
  local plan, why = self.desk:preview(order)
  if not plan then return refuse(502, why) end
  reply(200, plan)
end

local function apply(self)
  local order = wanted()
  if not order then return end
  if not order.plan then return refuse(400, "the plan that was shown expected") end
  local done, why, plan = self.desk:apply(order)
  if plan then return reply(409, { error = why, preview = plan }) end
  audit(ngx.NOTICE, desk.describe(order), ": ", done and done.summary or why)
  if not done then return refuse(502, why) end
  reply(200, done)
end

-- ---- routing --------------------------------------------------------------------------------------------------------------

-- open: to whoever has no session, too.
local routes = {
  ["/console/"] = { GET = page, open = true },
  ["/console/console.css"] = { GET = file("console.css", "text/css"), open = true },
  ["/console/console.js"] = { GET = file("console.js", "text/javascript"), open = true },
  ["/console/login"] = { GET = to_door, POST = log_in, open = true },
  ["/console/logout"] = { POST = log_out },
  ["/console/api/fleet"] = { GET = fleet },
  ["/console/api/runs"] = { GET = runs },
  ["/console/api/preview"] = { POST = preview },
  ["/console/api/apply"] = { POST = apply },
  ["/console/week.svg"] = { GET = picture },
}

local function route(self)
  local found, method = routes[ngx.var.uri], ngx.req.get_method()
  if not found then return refuse(404, "no such page") end
  local work = found[method == "HEAD" and "GET" or method]
  if not work then
    ngx.header.Allow = found.GET and "GET, HEAD" or "POST"
    return refuse(405, "no such method")
  end
  local session = self.guard:session()
  local is_page = found.GET == page -- a link to it may stand anywhere
  if not is_page and not self.guard.is_ours(work == found.GET) then
    audit(ngx.WARN, "refused: the request comes from another site")
    return refuse(403, "the request comes from another site")
  end
  if found.open then return work(self, session) end
  if not session then return refuse(401, "log in first") end
  if work == found.POST and not self.guard:has_csrf(session) then
    audit(ngx.WARN, "refused: the request has no token of the page")
    return refuse(403, "the page's token is missing or not of this session; load the page again")
  end
  work(self, session)
end

local function handle(self)
  if self.off then return answer(503, "text/plain; charset=utf-8", "The console is off: " .. self.off .. "\n") end
  local ok, err = pcall(route, self)
  if ok then return end
  audit(ngx.ERR, tostring(err))
  if not ngx.headers_sent then refuse(500, "something went wrong here; the log has it") end
end

-- ---- making one -----------------------------------------------------------------------------------------------------------

local function read_files()
  local folder = debug.getinfo(1, "S").source:match "^@(.*/)" or "./"
  local files = {}
  for _, name in ipairs { "index.html", "login.html", "console.css", "console.js" } do
    local opened = assert(io.open(folder .. "html/console/" .. name, "rb"))
    files[name] = opened:read "*a"
    opened:close()
  end
  return files
end

local rows = {
  cache = { "table" }, secret = { "string", secret = true }, history = { "string" },
  patience = { "number", min = 0.1, max = 3600, default = 20 },
}

--- @return a function that answers the request it is called in
function console.new(opts)
  local o = options.read(opts, rows, "console.new")
  local self = {}
  self.guard, self.off = guard.new(o.secret, ngx.shared.handoff_console)
  if not self.off then self.files, self.desk = read_files(), desk.new(o.cache, o.history, o.patience) end
  return function() return handle(self) end
end

return console
