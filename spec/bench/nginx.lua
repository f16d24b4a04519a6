-- SPDX-License-Identifier: MIT
-- Inside nginx, in one worker process, beside what cannot be had for less:
--   how late a plain `return 200` is while 50 configuration requests are in flight in the same worker, beside an idle one
--   how many answers a second `status` gives from the cache, beside a bare ngx.say
--   the memory of the worker over a million of those
-- The API is a sandbox that answers after 200 ms. Rounds alternate. The ratio is the median of those of the rounds; then come the
-- least and the most of these, and the ratio of the best rounds of either: what the machine does beside disturbs that least.
local measure = require "bench.measure"
local openresty = require "support.openresty"
local program = require "support.program"
local sandbox = require "support.sandbox"

local IN_FLIGHT, LATENCY, AGENTS = 50, 200, 400 -- no token may come too near to its 120 reads a minute
local ROUNDS, SECONDS = 15, 1
local WARM, REQUESTS = 100000, 1000000

-- What nginx runs. Fifty timers ask for one agent's configuration after the other's while `load.on` is set.
local http = [[
lua_max_running_timers 1024;
lua_max_pending_timers 1024;
init_by_lua_block { load = { running = 0, gets = 0, failed = 0 } }
init_worker_by_lua_block {
  local hn = require "handoff.nginx"
  local agents = dofile "@INVENTORY@"
  for i, agent in ipairs(agents) do
    load[i] = hn.client { name = agent.name, token = agent.token, base_url = agent.base_url, retries = 0 }
  end
  @CACHE@
}]]

local locations = [[
location = /plain { return 200 "ok\n"; }
location = /say { content_by_lua_block { ngx.say "ok" } }
location = /status { content_by_lua_block { status() } }
location = /start { content_by_lua_block {
  load.on = true
  local function ask(premature, first)
    load.running = load.running + 1
    local i = first
    while load.on and not premature do
      local cfg, err = load[i]:get()
      load.gets = load.gets + 1
      if not cfg then load.failed, load.error = load.failed + 1, tostring(err) end
      i = i + @IN_FLIGHT@
      if i > #load then i = first end
    end
    load.running = load.running - 1
  end
  for i = 1, @IN_FLIGHT@ do assert(ngx.timer.at(0, ask, i)) end
  ngx.sleep(1) -- each has its connection by then
  ngx.say(load.running)
} }
location = /stop { content_by_lua_block {
  load.on = false
  repeat ngx.sleep(0.01) until load.running == 0
  ngx.say(load.gets, " ", load.failed, " ", load.error)
  load.gets = 0
} }]]

-- The cache fetches each of 25 agents anew every ten seconds.
local cache = [[
  local cache = hn.cache({ unpack(agents, 1, 25) }, { ttl = 10 })
  cache:start()
  status = hn.status { cache = cache, agent = agents[1].name }]]

local function fill(text, values)
  return (text:gsub("@(%u[%u_]*)@", values))
end

-- ---- wrk ----------------------------------------------------------------------------------------------------------------

local units = { us = 1e-6, ms = 1e-3, s = 1 }

--- Asks for a path again and again → { rate= a second, p50=, p99= seconds, count= }. Any other answer than 200 is an error.
local function wrk(url, connections, seconds)
  local output, status = program.run(("wrk -t1 -c%d -d%d --latency %s"):format(connections, seconds, url))
  assert(status == 0 and not output:find "Non%-2xx" and not output:find "Socket errors", output)
  local function percentile(of)
    local number, unit = output:match(of .. "%%%s+([%d.]+)(%a+)")
    return tonumber(number) * units[unit]
  end
  return {
    rate = tonumber(output:match "Requests/sec:%s+([%d.]+)"), count = tonumber(output:match "(%d+) requests in"),
    p50 = percentile "50", p99 = percentile "99",
  }
end

-- ---- what is measured ---------------------------------------------------------------------------------------------------

local function ask(nginx, path)
  local answer = nginx:get(path)
  assert(answer.status == 200, answer.body)
  return answer.body
end

--- @param best math.min or math.max: of a list's numbers, which is the best one
local function print_ratio(what, first, second, best)
  local list, one, other = {}, first[1], second[1]
  for i = 1, #first do
    list[i], one, other = second[i] / first[i], best(one, first[i]), best(other, second[i])
  end
  local median = measure.median
  local ratio = median(list)
  print(("%-34s %9.0f %9.0f %7.2f   %.2f to %.2f, %.2f"):format(what, median(first), median(second), ratio, list[1],
    list[#list], other / one))
end

local function print_head(title, first, second)
  print(("\n%-34s %9s %9s %7s   %s"):format(title, first, second, "ratio", "rounds, best"))
end

--- Takes both in each round, the one first that was second before.
local function alternate(one, other)
  for round = 1, ROUNDS do
    if round % 2 == 1 then one(round) end
    other(round)
    if round % 2 == 0 then one(round) end
  end
end

--- Calls fn while the requests are in flight → how many there were.
local function under_load(nginx, fn)
  assert(tonumber(ask(nginx, "/start")) == IN_FLIGHT)
  fn()
  local count, failed, err = ask(nginx, "/stop"):match "^(%d+) (%d+) ([^\n]*)"
  assert(failed == "0", err)
  return tonumber(count)
end

local function compare_latency(nginx, connections)
  local idle, busy = { {}, {} }, { {}, {} }
  local function take(into, round)
    local took = wrk(nginx.url .. "/plain", connections, SECONDS)
    into[1][round], into[2][round] = took.p50 * 1e6, took.p99 * 1e6
  end
  alternate(function(round) take(idle, round) end, function(round)
    under_load(nginx, function() take(busy, round) end)
  end)
  print_ratio(("p50, %d at a time, µs"):format(connections), idle[1], busy[1], math.min)
  print_ratio(("p99, %d at a time, µs"):format(connections), idle[2], busy[2], math.min)
end

-- Processor time of the worker's event loop, in µs; that of its other threads is not in it.
local function event_loop_time(nginx)
  local pid = nginx:workers()[1]
  local file = assert(io.open(("/proc/%s/task/%s/schedstat"):format(pid, pid)))
  local nanoseconds = file:read "*n"
  file:close()
  return nanoseconds / 1000
end

-- What a GET takes of the event loop is told apart from all else that the machine does, as no latency is.
local function measure_event_loop(nginx)
  local list = {}
  for round = 1, ROUNDS do
    local before = event_loop_time(nginx)
    local gets = under_load(nginx, function() end)
    list[round] = (event_loop_time(nginx) - before) / gets
  end
  print(("%-34s %19.0f"):format("event loop, each GET, µs", measure.median(list)))
end

local function compare_rates(nginx)
  local say, status = {}, {}
  alternate(function(round) say[round] = wrk(nginx.url .. "/say", 16, SECONDS).rate end,
    function(round) status[round] = wrk(nginx.url .. "/status", 16, SECONDS).rate end)
  print_head("from the cache", "ngx.say", "status")
  print_ratio("answers a second", say, status, math.max)
end

local function memory(nginx)
  local file = assert(io.open(("/proc/%s/status"):format(nginx:workers()[1])))
  local size = file:read("*a"):match "VmRSS:%s+(%d+)"
  file:close()
  return size / 1024
end

local function measure_memory(nginx)
  local count, sizes = 0, {}
  for i, reached in ipairs { WARM, WARM + REQUESTS } do
    while count < reached do count = count + wrk(nginx.url .. "/status", 16, 1).count end
    sizes[i] = { memory(nginx), count }
  end
  print "\nmemory of the worker, status"
  for _, size in ipairs(sizes) do print(("%26d requests %9.1f MiB"):format(size[2], size[1])) end
end

-- ---- all of it ----------------------------------------------------------------------------------------------------------

local folder = program.folder()
local values = { INVENTORY = folder .. "/agents.lua", IN_FLIGHT = tostring(IN_FLIGHT), CACHE = cache }
local box = sandbox.start { agents = AGENTS, no_rate_limit = true, latency = LATENCY, inventory = values.INVENTORY }
program.run("chmod -R a+rX " .. folder)
local nginx = openresty.start { http = fill(http, values), server = fill(locations, values), threads = 64, vms = 70 }
local ok, err = xpcall(function()
  print_head(("return 200, %d GETs in flight"):format(IN_FLIGHT), "idle", "busy")
  for _, connections in ipairs { 1, 16 } do compare_latency(nginx, connections) end
  measure_event_loop(nginx)
  compare_rates(nginx)
  measure_memory(nginx)
end, debug.traceback)
box:stop()
program.remove(folder)
nginx:stop()
if not ok then error(err, 0) end
