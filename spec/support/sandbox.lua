-- SPDX-License-Identifier: MIT
--- A sandbox as a process of its own, on a free port of loopback.
--
--   local box = sandbox.start { agents = 5, latency = 20 }
--   box.base_url, box.agents ({ name=, token=, tags= }, also by name: box.agents["shop-uk"]), box.pid
--   box:document(name) → the stored text; box:documents() → all of them by name; box:restore(those)
--   box:store(name, text), unchecked; box:revoke(name); box:issue(name) → one more token
--   box:ledger() → what was asked of it, as handoff.sandbox has it; box:reset() → that from zero
--   box:faults(rules): what goes wrong from now on, see handoff.sandbox.faults; box:fired() → those, with `seen` and `fired`
--   box:request(method, agent or nil, more) → an answer to a request to the API, see sandbox.request
--   box:fleet(history, opts, agents) → handoff.fleet of its agents
--   box:stop()
local json = require("handoff.core").json
local program = require "support.program"

local sandbox = {}

-- ---- requests, by a client that shares nothing with the library -----------------------------------------------

--- Splits what `curl -i` prints; interim answers (100 Continue) are left out.
local function parse(output)
  local head, body = output, nil
  repeat
    head, body = (body or head):match "^(HTTP/.-\r\n)\r\n(.*)$"
    if not head then error("no answer but: " .. output, 0) end
  until not head:find "^HTTP/%S+ 1"
  local headers = {}
  for name, value in head:gmatch "([%w-]+): *([^\r]*)\r\n" do headers[name:lower()] = value end
  return { status = tonumber(head:match "^HTTP/%S+ (%d+)"), headers = headers, body = body }
end

--- Runs a shell command that is a client of the sandbox → its output, its exit status. A sanitizer that this process was started
-- with is not for it.
function sandbox.run_client(command) return program.run(command, { LD_PRELOAD = false }) end

--- Makes a request with the command `curl`.
-- @param more { token=, body=, type= (Content-Type; application/json with a body), args= (more of curl's, as shell words),
--   input= (a shell command whose output is the body) }
-- @return { status=, headers= (lower-case names), body=, json= (the body decoded, where it is JSON) }
function sandbox.request(method, url, more)
  more = more or {}
  local words = { "curl -sS -i -m 60 -X", method, more.args or "" }
  local function header(text) words[#words + 1] = "-H " .. program.quote(text) end
  if more.token then header("Authorization: Bearer " .. more.token) end
  if more.body or more.input then header("Content-Type: " .. (more.type or "application/json")) end
  if more.body then words[#words + 1] = "--data-binary " .. program.quote(more.body) end
  if more.input then words[#words + 1] = "--data-binary @-" end
  words[#words + 1] = program.quote(url)
  local output = sandbox.run_client((more.input and more.input .. " | " or "") .. table.concat(words, " "))
  local answer = parse(output)
  answer.json = json.decode(answer.body)
  return answer
end

-- ---- the process ----------------------------------------------------------------------------------------------

local Box = {}
Box.__index = Box

local function flags(options)
  local words = {}
  for name, value in pairs(options or {}) do
    local flag = "--" .. name:gsub("_", "-")
    words[#words + 1] = value == true and flag or flag .. " " .. program.quote(tostring(value))
  end
  table.sort(words)
  return table.concat(words, " ")
end

--- The command that starts it with this VM and these modules, whatever the environment says.
function sandbox.command(options)
  local path, cpath = program.quote(package.path), program.quote(package.cpath)
  return ("env -u LUA_PATH_5_3 -u LUA_CPATH_5_3 -u LUA_PATH_5_4 -u LUA_CPATH_5_4 LUA_PATH=%s LUA_CPATH=%s"):format(path,
    cpath) .. (" %s sandbox %s"):format(program.handoff, flags(options))
end

local function load_inventory(text)
  local chunk = assert((loadstring or load)(text))
  local agents = chunk()
  for _, agent in ipairs(agents) do agents[agent.name], agent.base_url = agent, nil end
  return agents
end

--- Starts one; the options are the program's flags: { agents=25, latency=50, no_rate_limit=true, … }.
-- Its standard input is a pipe that we hold, so that it ends when we do, however we end; what it prints comes through a named
-- pipe, so that nobody waits by the clock.
function sandbox.start(options)
  local folder = program.folder()
  local fifo = folder .. "/out"
  program.run("mkfifo -m 600 " .. program.quote(fifo))
  local all = { until_eof = true }
  for name, value in pairs(options or {}) do all[name] = value end
  local input = assert(io.popen(("exec >%s; echo $$; exec %s"):format(program.quote(fifo), sandbox.command(all)), "w"))
  local output = assert(io.open(fifo))
  local pid, base_url, lines = output:read "*l", output:read "*l", {}
  if base_url and not all.inventory then
    repeat
      lines[#lines + 1] = output:read "*l"
    until lines[#lines] == "}" or not lines[#lines]
  end
  output:close()
  program.remove(folder)
  if not base_url then
    input:close()
    error("the sandbox did not start", 2)
  end
  local agents = not all.inventory and load_inventory(table.concat(lines, "\n"))
  return setmetatable({ input = input, pid = pid, base_url = base_url, agents = agents }, Box)
end

--- Stops it and waits until it is gone. A second call does nothing.
function Box:stop()
  if not self.input then return end
  program.run("kill " .. self.pid)
  self.input:close()
  self.input = nil
end

function Box:url()
  return self.base_url .. "human_handoff/configuration"
end

--- @param agent one of box.agents, a name, or nil for a request without a token
function Box:request(method, agent, more)
  local all = {}
  for name, value in pairs(more or {}) do all[name] = value end
  if type(agent) == "string" then agent = assert(self.agents[agent], agent) end
  all.token = agent and agent.token
  return sandbox.request(method, self:url(), all)
end

local function backstage_url(self, path) return self.base_url:match "^%w+://[^/]+" .. "/_sandbox/" .. path end

local function backstage(self, method, path, body)
  local answer = sandbox.request(method, backstage_url(self, path), { body = body })
  assert(answer.status == 200, answer.body)
  return answer
end

function Box:document(name) return backstage(self, "GET", "document/" .. name).body end

--- The stored texts, by name, read by one client.
-- @param names of whom; or nil: of all its agents
function Box:documents(names)
  if not names then
    names = {}
    for i, agent in ipairs(self.agents) do names[i] = agent.name end
  end
  local url = backstage_url(self, "document/{" .. table.concat(names, ",") .. "}")
  local texts, place = {}, 0
  -- After each a record separator (RFC 7464), which stands in no JSON.
  for text in sandbox.run_client("curl -sSf -w '\30' " .. program.quote(url)):gmatch "([^\30]*)\30" do
    place = place + 1
    texts[names[place]] = text
  end
  assert(place == #names, "not every document is there")
  return texts
end

--- Stores these texts where another is stored, by one client, which is told of them in a file (curl(1), --config).
-- @param texts what documents() gave
function Box:restore(texts)
  local puts = {}
  for name, text in pairs(self:documents()) do
    if text ~= texts[name] then
      local url, quoted = backstage_url(self, "document/" .. name), texts[name]:gsub('[\\"]', "\\%0")
      puts[#puts + 1] = ('fail\nrequest = PUT\nurl = "%s"\ndata-binary = "%s"\n'):format(url, quoted)
    end
  end
  if #puts == 0 then return end
  local folder = program.folder()
  local file = program.write(folder .. "/puts", table.concat(puts, "next\n"))
  local output, status = sandbox.run_client("curl -sS --config " .. program.quote(file))
  program.remove(folder)
  assert(status == 0, output)
end

function Box:store(name, text) backstage(self, "PUT", "document/" .. name, text) end
function Box:revoke(name) backstage(self, "POST", "revoke/" .. name) end
function Box:faults(rules) backstage(self, "PUT", "faults", json.encode(json.array(rules))) end
function Box:no_faults() backstage(self, "DELETE", "faults") end
function Box:fired() return backstage(self, "GET", "faults").json end
function Box:issue(name) return backstage(self, "POST", "token/" .. name).json.token end
function Box:ledger() return backstage(self, "GET", "ledger").json end
function Box:reset() backstage(self, "DELETE", "ledger") end

--- A fleet of its agents, or of others, that tries nothing twice.
-- @param history the file of its history
-- @param opts options of handoff.fleet, before these; or nil
function Box:fleet(history, opts, agents)
  local all = { base_url = self.base_url, history = history, retries = 0 }
  for name, value in pairs(opts or {}) do all[name] = value end
  return assert(require("handoff").fleet(agents or { (table.unpack or unpack)(self.agents) }, all))
end

return sandbox
