-- SPDX-License-Identifier: MIT
--- Policies: what is expected of agents' configurations, as tests. A policy is a Lua script, written as for busted:
--
--   describe("working hours", "region=eu", function()
--     it("are open on saturday", function(agent)
--       expect(agent):open_at "sat 11:00"
--       expect(agent).never:open_at "sun 11:00"
--     end)
--     pending "say when we are back"
--   end)
--
-- A script is run once, and each test once for every agent that the selections around it (see `handoff.select`) leave. `agent`
-- has name, tags, and config, a copy: what a test does to it nobody else sees. What can be expected: `Expectation`.
-- @module handoff.policy

--- Policies that were read.
-- @table Suite
-- @tfield table[] tests `{name, file, line, fn}`; without fn it is pending
local core = require "handoff.core"
local expectation = require "handoff.policy.expectation"
local files = require "handoff.file"
local options = require "handoff.options"
local script = require "handoff.script"
local select_ = require "handoff.select"
local shape = require "handoff.shape"

core.error.home(debug.getinfo(1, "S").source)

local failure = core.error.new

local policy = {}

-- ---- reading a policy -------------------------------------------------------------------------------------------------------

local function refuse(what, message)
  core.error.raise { path = what, rule = "policy", message = message }
end

-- The arguments of describe and it: a selection may stand between name and function.
local function arguments(what, name, selection, fn)
  if fn == nil then selection, fn = nil, selection end
  if type(name) ~= "string" or name == "" then refuse(what, "a name expected first, in quotes") end
  if type(fn) ~= "function" then
    refuse(what, ("a function expected last, got %s; write %s(%q, function() … end)"):format(type(fn), what, name))
  end
  return name, selection ~= nil and select_.parse(selection) or nil, fn
end

local function extended(list, one)
  local all = {}
  for i, value in ipairs(list) do all[i] = value end
  all[#all + 1] = one
  return all
end

local function refuse_exit()
  refuse("os.exit", "a policy does not end the program, which would pass for no failure; raise an error instead")
end

-- What a script has in reach beside Lua itself. `scope` is what surrounds the test that is being read: names, selections; nil
-- once the script is read.
local function environment(suite, path, scope)
  local env = { expect = expectation.of, os = setmetatable({ exit = refuse_exit }, { __index = os }) }
  local function add(what, name, selection, test)
    if not scope then refuse(what, "it stands in a test, where none can be added; put it beside the test") end
    test.name = table.concat(extended(scope.names, name), " ")
    test.file, test.selections = path, extended(scope.selections, selection)
    suite.tests[#suite.tests + 1] = test
  end
  function env.describe(...)
    local name, selection, fn = arguments("describe", ...)
    if not scope then refuse("describe", "it stands in a test; put it around tests") end
    local outer = scope
    scope = { names = extended(outer.names, name), selections = extended(outer.selections, selection) }
    fn()
    scope = outer
  end
  function env.it(...)
    local name, selection, fn = arguments("it", ...)
    add("it", name, selection, { fn = fn, line = debug.getinfo(fn, "S").linedefined })
  end
  function env.pending(name)
    if type(name) ~= "string" or name == "" then refuse("pending", "a name expected first, in quotes") end
    add("pending", name, nil, { line = debug.getinfo(2, "l").currentline })
  end
  return setmetatable(env, { __index = _G }), function() scope = nil end
end

-- Adds the tests of one script to the suite → true, or nil, err.
local function read_script(suite, path)
  local text, why = files.read_source(path)
  if not text then
    return nil, failure { kind = "file", path = path,
      message = ("the policy cannot be read: %s; name a Lua script, or a folder of them"):format(why) }
  end
  local env, close = environment(suite, path, { names = {}, selections = {} })
  local chunk
  chunk, why = script.compile(path, text, env)
  if not chunk then return nil, failure { kind = "invalid", rule = "policy", message = why } end
  local ok, raised = xpcall(chunk, script.handler "the policy")
  close()
  if ok then return true end
  if type(raised) == "string" then error(raised, 0) end -- an interrupt
  return nil, raised
end

-- The scripts of a folder, hidden ones left out → a list, or nil, err.
local function scripts_of(folder)
  local names, why = core.file.list(folder)
  local paths = {}
  for _, name in ipairs(names or {}) do
    if name:find "^[^%.].*%.lua$" then paths[#paths + 1] = ("%s/%s"):format((folder:gsub("(.)/+$", "%1")), name) end
  end
  table.sort(paths)
  if paths[1] then return paths end
  return nil, failure { kind = "file", path = folder,
    message = names and "no policy is in the folder; their names end in .lua"
      or ("the folder cannot be read: %s; name another"):format(why) }
end

-- ---- holding agents against it ----------------------------------------------------------------------------------------------

local Suite = {}
Suite.__index = Suite

local function fits(test, agent)
  for _, holds in ipairs(test.selections) do
    if not holds(agent) then return false end
  end
  return true
end

-- What a test raised → the place in the policy, what it says without that place, the lines that led there.
local function describe(test, err)
  local frames = err.frames or {}
  local place = frames[1] and frames[1]:match "^(.*:%d+): in " or ("%s:%d"):format(test.file, test.line)
  local message = tostring(err)
  if message:sub(1, #place + 2) == place .. ": " then message = message:sub(#place + 3) end
  return place, message, frames[2] and frames or {}
end

local PASSED, take_down_error = { status = "passed" }, script.handler "the test"

-- Of what is not met nobody looks at a traceback, and there may be thousands.
local function take_down(value)
  if not expectation.is_unmet(value) then return take_down_error(value) end
  return failure { kind = "invalid", rule = "unmet", value = value, message = value.message,
    frames = script.user_frames "the test" }
end

-- In a coroutine of its own: what a test yields would end the task that holds it, and leave the test untold.
local function call(test, subject)
  local function body() return xpcall(test.fn, take_down, subject) end
  local co = coroutine.create(body)
  local begun, ok, err = coroutine.resume(co)
  if not begun then return false, ok end -- no memory for it
  if coroutine.status(co) == "dead" then return ok, err end
  return false, failure { kind = "invalid", rule = "policy",
    message = "the test yields, and nobody goes on with it; run what yields in a coroutine of its own" }
end

local function hold(test, subject)
  local ok, err = call(test, subject)
  if ok then return PASSED end
  if type(err) == "string" then error(err, 0) end -- an interrupt
  local place, message, frames = describe(test, err)
  local status = expectation.is_unmet(err.value) and "failed" or "raised"
  return { status = status, place = place, message = message, frames = frames }
end

local rows = { at = { "string number" } }

--- Holds one agent's configuration against every test that is for it. What a test raises is that test's failure.
-- @tparam Config cfg stays as it is
-- @tparam Agent agent
-- @tparam[opt] table opts
-- @tparam[opt] integer|string opts.at when it is now, for times such as "sat 11:00", in the agent's own zone
-- @treturn table a list by the suite's tests: `{status, place, message, frames}`, status "passed", "failed" or "raised", or false
--   where the test is not for it
function Suite:hold(cfg, agent, opts)
  local o, findings = options.read(opts, rows, "policy"), {}
  for i, test in ipairs(self.tests) do
    findings[i] = test.fn and fits(test, agent) and hold(test, expectation.agent {
      name = agent.name, tags = shape.copy(agent.tags or {}), config = cfg:copy(), at = o.at,
    }) or false
  end
  return findings
end

--- What was found of many agents.
-- @treturn PolicyReport
function Suite:report() return require("handoff.policy.report").new(self) end

--- For agents that are about to be edited.
-- @tparam Agent[] agents
-- @treturn PolicyGate
function Suite:gate(agents) return require("handoff.policy.gate").new(self, agents) end

--- Reads policies. `handoff.policy` is this.
-- @tparam string|string[] paths of scripts, and of folders of them
-- @treturn ?Suite
-- @treturn ?Error err
function policy.load(paths)
  local suite = setmetatable({ tests = {} }, Suite)
  for _, path in ipairs(type(paths) == "table" and paths or { paths }) do
    local scripts, err = { path }, nil
    if core.file.kind(path) == "folder" then scripts, err = scripts_of(path) end
    if not scripts then return nil, err end
    for _, file in ipairs(scripts) do
      local ok, why = read_script(suite, file)
      if not ok then return nil, why end
    end
  end
  return suite
end

return policy
