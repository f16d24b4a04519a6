-- SPDX-License-Identifier: MIT
-- Inside nginx, in one worker process, beside what cannot be had for less:
--   how late a plain `return 200` is while 50 configuration requests are in flight in the same worker, beside an idle one
--   how many answers a second `status` gives from the cache, beside a bare ngx.say
--   the memory of the worker over a million of those
-- The API is a sandbox that answers after 200 ms. What is compared takes turns, so that what else the machine does meets all
-- alike.
local measure = require "bench.measure"
local openresty = require "support.openresty"
local program = require "support.program"
local sandbox = require "support.sandbox"

local IN_FLIGHT, LATENCY, AGENTS = 50, 200, 400 -- no token may come too near to its 120 reads a minute
local TURNS, RATE, RESAMPLED = 20, 1000, 100 -- of a second each; requests a second; times
local ROUNDS = 9 -- of wrk, of a second each
local WARM, REQUESTS = 100000, 1000000

-- What nginx runs. While `load.on` is set, fifty are in flight: those of strangers, each of whom asks anew when it has its answer
-- and began at another instant of the 200 ms; or all in step, which begin together when the last of them has its answer.
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
  local function get(i)
    local cfg, err = load[i % #load + 1]:get()
    load.gets = load.gets + 1
    if not cfg then load.failed, load.error = load.failed + 1, tostring(err) end
  end
  local function ask(premature, i)
    load.running = load.running + 1
    while load.on and not premature do
      get(i)
      i = i + @IN_FLIGHT@
    end
    load.running = load.running - 1
  end
  local function ask_in_step(premature)
    load.running = load.running + @IN_FLIGHT@
    local i, threads = 0, {}
    while load.on and not premature do
      for k = 1, @IN_FLIGHT@ do threads[k] = ngx.thread.spawn(get, i + k) end
      for k = 1, @IN_FLIGHT@ do ngx.thread.wait(threads[k]) end
      i = i + @IN_FLIGHT@
    end
    load.running = load.running - @IN_FLIGHT@
  end
  if ngx.var.arg_how == "step" then
    assert(ngx.timer.at(0, ask_in_step))
  else
    for i = 1, @IN_FLIGHT@ do assert(ngx.timer.at(i * @LATENCY@ / 1000 / @IN_FLIGHT@, ask, i)) end
  end
  ngx.sleep(@LATENCY@ / 1000 + 0.1)
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

--- Asks for a path again and again, by 16 connections, for a second → { rate= a second, count= }. Any other answer than 200 is
-- an error.
local function wrk(url)
  local output, status = program.run(("wrk -t1 -c16 -d1 %s"):format(url))
  assert(status == 0 and not output:find "Non%-2xx" and not output:find "Socket errors", output)
  return {
    rate = tonumber(output:match "Requests/sec:%s+([%d.]+)"), count = tonumber(output:match "(%d+) requests in"),
  }
end

-- ---- what is measured ---------------------------------------------------------------------------------------------------

local function ask(nginx, path)
  local answer = nginx:get(path)
  assert(answer.status == 200, answer.body)
  return answer.body
end

--- Calls fn while the requests are in flight → what it returned, and how many there were.
-- @param how "spread" or "step"
local function under_load(nginx, how, fn)
  assert(tonumber(ask(nginx, "/start?how=" .. how)) == IN_FLIGHT)
  local result = fn()
  local count, failed, err = ask(nginx, "/stop"):match "^(%d+) (%d+) ([^\n]*)"
  assert(failed == "0", err)
  return result, tonumber(count)
end

-- ---- how late a plain answer is -----------------------------------------------------------------------------------------

--- One turn → how late each answer was, in µs, sorted.
local function probe(nginx)
  local port = nginx.url:match "%d+$"
  local output, status = program.run(("%s/probe %s /plain %d 1"):format(os.getenv "HANDOFF_BENCH", port, RATE))
  assert(status == 0, output)
  local list = {}
  for microseconds in output:gmatch "%S+" do list[#list + 1] = tonumber(microseconds) end
  table.sort(list)
  return list
end

local function quantile(sorted, share)
  return sorted[math.ceil(#sorted * share)]
end

--- All samples of the turns whose numbers are given, sorted.
local function pooled(turns, numbers)
  local all = {}
  for _, number in ipairs(numbers) do
    for _, sample in ipairs(turns[number]) do all[#all + 1] = sample end
  end
  table.sort(all)
  return all
end

--- The p99 of the turn in the middle, which whatever else the machine did in fewer than half of the turns leaves as it is.
local function late_in_a_turn(turns, numbers)
  local list = {}
  for i, number in ipairs(numbers) do list[i] = quantile(turns[number], 0.99) end
  return measure.median(list)
end

--- The 5 % and 95 % quantiles of the ratio of both, had other turns been taken: as many of these, drawn by chance, again and
-- again. Turns are drawn, and not samples, because those of one turn had the same trouble.
local function sureness(figure, busy, idle)
  local ratios = {}
  for i = 1, RESAMPLED do
    local numbers = {}
    for k = 1, #idle do numbers[k] = math.random(#idle) end
    ratios[i] = figure(busy, numbers) / figure(idle, numbers)
  end
  table.sort(ratios)
  return quantile(ratios, 0.05), quantile(ratios, 0.95)
end

local figures = {
  function(turns, numbers) return quantile(pooled(turns, numbers), 0.5) end,
  function(turns, numbers) return quantile(pooled(turns, numbers), 0.9) end,
  function(turns, numbers) return quantile(pooled(turns, numbers), 0.99) end,
  late_in_a_turn,
}

local function print_late(name, turns, idle)
  local line, numbers = { ("%-34s"):format(name) }, {}
  for i = 1, #turns do numbers[i] = i end
  for i, figure in ipairs(figures) do
    local microseconds = figure(turns, numbers)
    line[#line + 1] = ("%7.0f"):format(microseconds)
    if turns ~= idle then
      line[#line + 1] = (" %5.2f"):format(microseconds / figure(idle, numbers))
      if i > 2 then line[#line + 1] = ("  %5.2f to %5.2f"):format(sureness(figure, turns, idle)) end
    else
      line[#line + 1] = (" "):rep(i > 2 and 22 or 6)
    end
  end
  print(table.concat(line))
end

local function compare_latency(nginx)
  local function one() return probe(nginx) end
  local cases = {
    { "idle", one },
    { "spread over their 200 ms", function() return (under_load(nginx, "spread", one)) end },
    { "all in step", function() return (under_load(nginx, "step", one)) end },
  }
  local turns = { {}, {}, {} }
  for turn = 0, TURNS do -- the first ones, in which threads get their states and connections, do not count
    for i = 1, #cases do
      local case = (turn + i) % #cases + 1
      turns[case][turn] = cases[case][2]()
    end
  end
  print(("\n%-35s%7s%6s%7s%6s%7s%6s%16s%7s%6s%16s"):format(("return 200, %d GETs in flight, µs"):format(IN_FLIGHT),
    "p50", "ratio", "p90", "ratio", "p99", "ratio", "nine in ten", "a turn", "ratio", "nine in ten"))
  for i, case in ipairs(cases) do print_late(case[1], turns[i], turns[1]) end
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
    local _, gets = under_load(nginx, "spread", function() program.run "sleep 0.5" end)
    list[round] = (event_loop_time(nginx) - before) / gets
  end
  print(("%-34s%7.0f"):format("event loop, each GET, µs", measure.median(list)))
end

-- ---- from the cache -----------------------------------------------------------------------------------------------------

local function compare_rates(nginx)
  local rates, ratios = { {}, {} }, {}
  local paths = { "/say", "/status" }
  for round = 1, ROUNDS do
    for k = 1, 2 do
      local i = (round + k) % 2 + 1
      rates[i][round] = wrk(nginx.url .. paths[i]).rate
    end
    ratios[round] = rates[2][round] / rates[1][round]
  end
  local median = measure.median(ratios)
  print(("\n%-34s %9s %9s %7s   %s"):format("from the cache", "ngx.say", "status", "ratio", "least and most"))
  print(("%-34s %9.0f %9.0f %7.2f   %.2f to %.2f"):format("answers a second", measure.median(rates[1]),
    measure.median(rates[2]), median, ratios[1], ratios[#ratios]))
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
    while count < reached do count = count + wrk(nginx.url .. "/status").count end
    sizes[i] = { memory(nginx), count }
  end
  print "\nmemory of the worker, status"
  for _, size in ipairs(sizes) do print(("%26d requests %9.1f MiB"):format(size[2], size[1])) end
end

-- ---- all of it ----------------------------------------------------------------------------------------------------------

local folder = program.folder()
local values = { INVENTORY = folder .. "/agents.lua", IN_FLIGHT = tostring(IN_FLIGHT), LATENCY = tostring(LATENCY),
  CACHE = cache }
local box = sandbox.start { agents = AGENTS, no_rate_limit = true, latency = LATENCY, inventory = values.INVENTORY }
program.run("chmod -R a+rX " .. folder)
local nginx = openresty.start { http = fill(http, values), server = fill(locations, values), threads = 64, vms = 70 }
local ok, err = xpcall(function()
  compare_latency(nginx)
  measure_event_loop(nginx)
  compare_rates(nginx)
  measure_memory(nginx)
end, debug.traceback)
box:stop()
program.remove(folder)
nginx:stop()
if not ok then error(err, 0) end
