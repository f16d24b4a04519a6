-- SPDX-License-Identifier: MIT
--- Who the agents are: read from a list, or a file of Lua, JSON or CSV, and held against what an inventory may hold, all at once,
-- before any request. Knows nothing of how one is made.
--
-- An entry has `name`; `token` (a text; in a file of Lua also what env, file and command give; in a list also a function that
-- returns a text), or one of `token_env`, `token_file`, `token_command`; `tags`, texts by name; and options of handoff.client.
--
-- An agent has `name`, `tags` and `line` (where it stands in its file, if that is known) for all to see; by name alone also those
-- options, and once inventory.resolve took it, `token`: neither pairs nor tostring shows them.
-- @module handoff.inventory
local core = require "handoff.core"
local csv = require "handoff.inventory.csv"
local files = require "handoff.file"
local hint = require "handoff.hint"
local lines = require "handoff.inventory.lines"
local script = require "handoff.inventory.script"
local secret = require "handoff.inventory.secret"
local text = require "handoff.inventory.text"

core.error.home(debug.getinfo(1, "S").source)

local inventory = {}

local MOST_BYTES = 64 * 1024 * 1024 -- of a file
local MOST_CHARACTERS = 200 -- of a name or a tag
local MOST_LINES = 10 -- that a message names
local MOST_KEYS = 1000 -- of an entry, and of its tags
local MOST_FOUND = 1000 -- problems, after which no more are looked for

local client_options = {
  "base_url", "budget", "ca_file", "connect_timeout", "deadline", "insecure", "proxy", "retries", "timeout",
}
local token_keys = { token_env = "env", token_file = "file", token_command = "command" }

local is_option = {}
for _, key in ipairs(client_options) do is_option[key] = true end

local known_keys = { "name", "token", "tags", "token_env", "token_file", "token_command" }
local is_known = {}
for _, key in ipairs(client_options) do known_keys[#known_keys + 1] = key end
for _, key in ipairs(known_keys) do is_known[key] = true end

-- ---- problems -----------------------------------------------------------------------------------------------------

-- What is being read: label (what places begin with), folder (what paths begin with), lines (of the entries, where known),
-- in_lua (a list of the caller's), found (problems, in the order they were found).
local function new_reading(label, folder)
  return { label = label, folder = folder, lines = {}, found = {} }
end

local function place(reading, i, line)
  line = line or reading.lines[i]
  if line then return ("%s:%d"):format(reading.label, line) end
  return i and ("%s[%d]"):format(reading.label, i) or reading.label
end

-- A problem of entry i (nil: of the whole), whose name begins the message where it has one that can be shown.
local function note(found, reading, i, name, rule, message, line)
  line = line or reading.lines[i]
  found[#found + 1] = core.error.issue {
    severity = "error", path = place(reading, i, line), line = line, rule = rule, agent = name,
    message = name and name .. ": " .. message or message,
  }
end

local function is_enough(found) return #found >= MOST_FOUND end

local function in_order(found)
  local at = {}
  for i, issue in ipairs(found) do at[issue] = i end
  table.sort(found, function(a, b)
    local i, j = a.line or math.huge, b.line or math.huge
    return i < j or i == j and at[a] < at[b]
  end)
end

-- How many more there are than the first, and the lines of some where they are known.
local function describe_more(found)
  if #found == 1 then return "" end
  local at, seen = {}, {}
  for i = 2, #found do
    local line = found[i].line
    if line and not seen[line] then at[#at + 1], seen[line] = ("%d"):format(line), true end
  end
  local where = #at > 0 and (", line%s %s%s"):format(#at == 1 and "" or "s", table.concat(at, ", ", 1,
    math.min(#at, MOST_LINES)), #at > MOST_LINES and " …" or "") or ""
  return (" (and %d more in err.issues%s)"):format(#found - 1, where)
end

local function summary(found)
  local first = found[1]
  return { kind = "invalid", path = first.path, line = first.line, rule = first.rule,
    message = first.message .. describe_more(found), issues = found }
end

-- ---- agents -------------------------------------------------------------------------------------------------------

-- An agent's metatable, which scripts do not get at, has for __index what is not for all to see: its options and token by name,
-- and by these keys the rest.
local READING, INDEX, SOURCE, SCENARIO = {}, {}, {}, {}

local function describe(agent) return ("handoff.agent(%s)"):format(agent.name) end

local function new_agent(reading, i, name, tags, hidden)
  hidden[READING], hidden[INDEX] = reading, i
  return setmetatable({ name = name, tags = tags, line = reading.lines[i] },
    { __index = hidden, __tostring = describe, __metatable = "handoff agent" })
end

local function hidden_of(agent)
  local meta = type(agent) == "table" and debug.getmetatable(agent)
  local hidden = meta and rawget(meta, "__index")
  if type(hidden) == "table" and rawget(hidden, READING) then return hidden end
  core.error.raise { path = "inventory", rule = "type", message = "an agent expected, as inventory.load gives them" }
end

-- ---- one entry ----------------------------------------------------------------------------------------------------

-- The keys of a table, as many as one may have and one more.
local function sorted_keys(entry)
  local keys = {}
  for key in next, entry do
    keys[#keys + 1] = key
    if #keys > MOST_KEYS then break end
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

local function check_name(name)
  if name == nil then return "required", 'no name; give the agent one: name = "shop-uk"' end
  if type(name) ~= "string" then return "type", ("name: a text expected, got %s"):format(text.kind(name)) end
  local flaw = text.flaw(name, MOST_CHARACTERS)
  if flaw then return "name", "name: a text of one line expected, got one with " .. flaw end
  if core.token.unverified_claims(name) then
    return "name", "name: a token; give the agent a name that all may see, and the token as token"
  end
  if name == "" or name:find "^%s" or name:find "%s$" then
    return "name", "name: a text expected that is not empty, and does not begin or end with a blank"
  end
end

-- A tag's name can be written in a selection, where `name` is the agent's.
local function check_tag(key, value)
  if type(key) ~= "string" or key == "" or key == "name" or text.flaw(key, MOST_CHARACTERS) or key:find '[%s=!~,"]' then
    return "tag", ('tags: %s cannot be the name of a tag; take one word other than "name", without = ! ~ , "')
      :format(text.shown(key))
  end
  if type(value) ~= "string" then
    return "type", ("tags.%s: a text expected, got %s; put it in quotes"):format(key, text.kind(value))
  end
  if core.token.unverified_claims(value) then
    return "tag", ("tags.%s: a token, which a tag would show; give it as token"):format(key)
  end
  local flaw = text.flaw(value, MOST_CHARACTERS)
  if flaw then return "tag", ("tags.%s: a text of one line expected, got one with %s"):format(key, flaw) end
end

local function read_tags(given, refuse)
  local tags = {}
  if given == nil then return tags end
  if type(given) ~= "table" or secret.is_source(given) then
    refuse("type", ('tags: a table expected, got %s; write tags = { region = "eu" }'):format(text.kind(given)))
    return tags
  end
  local keys = sorted_keys(given)
  if #keys > MOST_KEYS then
    refuse("tag", ("tags: more than %d of them; leave some out"):format(MOST_KEYS))
    return tags
  end
  for _, key in ipairs(keys) do
    local value = rawget(given, key)
    local rule, message = check_tag(key, value)
    if rule then refuse(rule, message) else tags[key] = value end
  end
  return tags
end

-- Where the token comes from: a text, a source or a function; nil where none is given, or what is given is refused.
local function read_source(reading, entry, refuse)
  local source, count = rawget(entry, "token"), 0
  if source ~= nil then count = 1 end
  for key, kind in next, token_keys do
    local what = rawget(entry, key)
    if what ~= nil then source, count = secret.source(kind, what), count + 1 end
  end
  if count > 1 then
    refuse("token", "more than one token; leave one of token, token_env, token_file, token_command")
  elseif secret.is_source(source) then
    local flaw = secret.flaw(source)
    if not flaw then return source end
    refuse("token", flaw, source.line)
  elseif source == nil or type(source) == "string" or reading.in_lua and type(source) == "function" then
    return source
  else
    refuse("type", ('token: a text expected, or env "X", file "path", command "…" in a file of Lua; got %s')
      :format(text.kind(source)))
  end
end

local function refuse_unknown(entry, refuse)
  for _, key in ipairs(sorted_keys(entry)) do
    if not is_known[key] then
      refuse("unknown", type(key) == "number" and "a value without a key; write name = …, token = …"
        or ("no key %s; %s"):format(text.shown(key), hint(key, known_keys)))
    end
  end
end

-- The entry's options, a fresh table.
local function read_options(entry, refuse)
  local options, unknown = {}, false
  for key, value in next, entry do
    if is_option[key] then options[key] = value elseif not is_known[key] then unknown = true end
  end
  if unknown then refuse_unknown(entry, refuse) end
  return options
end

local function read_entry(reading, i, entry)
  if type(entry) ~= "table" or secret.is_source(entry) then
    return note(reading.found, reading, i, nil, "type",
      ("an agent expected, { name = …, token = … }, got %s"):format(text.kind(entry)))
  end
  local name = rawget(entry, "name")
  local rule, message = check_name(name)
  if rule then
    note(reading.found, reading, i, nil, rule, message)
    name = nil
  end
  local function refuse(...) note(reading.found, reading, i, name, ...) end
  local hidden = read_options(entry, refuse)
  hidden[SOURCE] = read_source(reading, entry, refuse)
  return new_agent(reading, i, name, read_tags(rawget(entry, "tags"), refuse), hidden)
end

-- ---- all entries --------------------------------------------------------------------------------------------------

-- How many entries a list has; nil where the table is none.
local function length(list)
  local count, most = 0, 0
  for key in next, list do
    if type(key) ~= "number" or key < 1 or key % 1 ~= 0 then return nil end
    count, most = count + 1, math.max(most, key)
  end
  return count == most and count or nil
end

-- Two agents are told apart by what `key` gives for them (nil: nothing to go by) and by the service that they are with.
local function each_pair(agents, key, fn)
  local first = {}
  for i = 1, agents.n or #agents do
    local agent = agents[i]
    local value = agent and key(agent)
    if value then
      local service = tostring(agent.base_url or "")
      local of_service = first[service] or {}
      first[service] = of_service
      local before = of_service[value]
      if before and before ~= agent then fn(before, agent) end
      of_service[value] = before or agent
    end
  end
end

local function whereabouts(agent)
  local hidden = hidden_of(agent)
  return place(hidden[READING], hidden[INDEX])
end

local function note_agent(found, agent, rule, message, line)
  if is_enough(found) then return end
  local hidden = hidden_of(agent)
  note(found, hidden[READING], hidden[INDEX], agent.name, rule, message, line)
end

local function note_one_token(found, agents, key)
  each_pair(agents, key, function(first, second)
    note_agent(found, second, "token", ("its token is that of %s too (%s); give each agent its own"):format(
      first.name or "another agent", whereabouts(first)))
  end)
end

local function written_token(agent)
  local source = hidden_of(agent)[SOURCE]
  return type(source) == "string" and source ~= "" and source or nil
end

local function check_names(found, agents)
  local taken = {}
  for i = 1, agents.n do
    local name = agents[i] and agents[i].name
    if name and taken[name] then
      note_agent(found, agents[i], "duplicate", ("the name is taken (%s); give each agent its own"):format(
        whereabouts(taken[name])))
    elseif name then
      taken[name] = agents[i]
    end
  end
end

-- Raises where agents share what each is to have for itself. `agents.n` is how many there are, false those that are none.
local function check_agents(found, agents)
  check_names(found, agents)
  note_one_token(found, agents, written_token)
  if #found > 0 then
    in_order(found)
    core.error.raise(summary(found))
  end
  agents.n = nil
end

local function read_list(reading, list)
  local count = type(list) == "table" and not secret.is_source(list) and length(list)
  local agents = { n = count or 0 }
  if not count then
    note(reading.found, reading, nil, nil, "type", "a list of agents expected, { { name = …, token = … }, … }, got "
      .. (type(list) == "table" and "a table with other keys than 1, 2, 3 …" or text.kind(list)))
  end
  for i = 1, count or 0 do
    agents[i] = not is_enough(reading.found) and read_entry(reading, i, rawget(list, i)) or false
  end
  check_agents(reading.found, agents)
  return agents
end

-- ---- files --------------------------------------------------------------------------------------------------------

local function read_json(source)
  local value, err = core.json.decode(source, { max_bytes = MOST_BYTES })
  if err then
    return nil, nil, { { line = err.line, rule = "syntax", message = (err.message:gsub("^the text: ", "")) } }
  end
  return value, lines.json(source), {}
end

local formats = { lua = script.read, json = read_json, csv = csv.read }

local function read_bytes(path)
  local bytes, reason = files.read(path, MOST_BYTES)
  if bytes then return bytes end
  return nil, core.error.new { kind = "invalid", path = path, rule = "file",
    message = ("the inventory cannot be read: %s; check the path and who may read it"):format(reason) }
end

local function load_file(path)
  local format = formats[(path:match "%.(%a+)$" or ""):lower()]
  if not format then
    core.error.raise { path = path, rule = "format",
      message = "an inventory is a file whose name ends in .lua, .json or .csv" }
  end
  local bytes, err = read_bytes(path)
  if not bytes then return nil, err end
  local reading = new_reading(path, path:match "^.*/" or "")
  if #bytes > MOST_BYTES then
    core.error.raise { path = path, rule = "size",
      message = ("more than %d bytes, the most an inventory may have"):format(MOST_BYTES) }
  end
  local list, its_lines, problems = format(bytes)
  for _, problem in ipairs(problems) do
    note(reading.found, reading, nil, nil, problem.rule, problem.message, problem.line)
  end
  if list == nil and #problems > 0 then core.error.raise(summary(reading.found)) end
  reading.lines = its_lines or {}
  return read_list(reading, list)
end

-- The agents of all these files, which are to have names and tokens of their own.
local function load_files(paths)
  local all, found = {}, {}
  for i, path in ipairs(paths) do
    if type(path) ~= "string" then
      core.error.raise { path = ("inventory[%d]"):format(i), rule = "type",
        message = ("the path of a file expected, as before it, got %s; give paths or agents"):format(text.kind(path)) }
    end
    local agents, err = load_file(path)
    if not agents then return nil, err end
    for _, agent in ipairs(agents) do all[#all + 1] = agent end
  end
  all.n = #all
  check_agents(found, all)
  return all
end

--- Who the agents are. Raises what is wrong in the source: the error has `issues`, a list of `{path, rule, message}`.
-- @tparam string|table source a list of entries, the path of a file that ends in .lua, .json or .csv, or
--   a list of such paths
-- @treturn ?Agent[] nil where the file cannot be read
-- @treturn ?Error err
function inventory.load(source)
  if type(source) == "string" then return load_file(source) end
  if type(source) ~= "table" then
    core.error.raise { path = "inventory", rule = "type",
      message = ("a list of agents or the path of a file expected, got %s"):format(type(source)) }
  end
  if type(rawget(source, 1)) == "string" then return load_files(source) end
  local reading = new_reading("inventory", "")
  reading.in_lua = true
  return read_list(reading, source)
end

-- ---- tokens -------------------------------------------------------------------------------------------------------

local function date(seconds) return os.date("!%Y-%m-%d", math.max(0, math.floor(seconds))) end

local function check_token(token, words, now)
  local flaw = secret.token_flaw(token)
  if flaw then return nil, words .. " " .. flaw end
  local claims = core.token.unverified_claims(token) or {}
  if claims.exp and claims.exp <= now then
    return nil, ("the token expired %s; make a new one in the dashboard"):format(date(claims.exp))
  end
  return claims
end

-- → the agent's token as a text, and what it claims; or nil and what is wrong.
local function read_token(hidden, now)
  local source = hidden[SOURCE]
  if source == nil then
    return nil, 'no token; give it one: token = env "…", or token_env, token_file, token_command'
  end
  local token, words = hidden.token, "the token"
  if type(token) ~= "string" then token, words = secret.read(source, hidden[READING].folder) end
  if not token then return nil, words end
  local claims, message = check_token(token, words, now)
  if not claims then return nil, message end
  return token, claims
end

--- Reads the agents' tokens, each once however often this is called, and looks at them; a function given as token is called to be
-- looked at, and again for each request.
-- @tparam Agent[] agents what load gave, or some of it
-- @tparam[opt] integer now seconds since 1970; the clock's by default
-- @treturn ?boolean true
-- @treturn ?Error err of kind `invalid` with all `issues`, as load raises them
function inventory.resolve(agents, now)
  now = now or os.time()
  local found, texts = {}, {}
  for _, agent in ipairs(agents) do
    local hidden = hidden_of(agent)
    local token, claims = read_token(hidden, now)
    if token then
      local source = hidden[SOURCE]
      hidden.token, hidden[SCENARIO] = type(source) == "function" and source or token, claims.scenario_id
      texts[agent] = token
    else
      local source = hidden[SOURCE]
      note_agent(found, agent, "token", claims, secret.is_source(source) and source.line or nil)
    end
  end
  note_one_token(found, agents, function(agent) return texts[agent] end)
  if #found == 0 then return true end
  in_order(found)
  return nil, core.error.new(summary(found))
end

-- Which agent of the service it is by what its token says (inventory.resolve took it) → a text, or nil where it says nothing.
local function scenario_of(agent) return hidden_of(agent)[SCENARIO] end

--- Who the agent is at that address, whatever it is called: by its token where that says it, else by its name.
-- @tparam Agent agent
-- @tparam string url
-- @treturn string
function inventory.identity(agent, url)
  local scenario = scenario_of(agent)
  return ("%s at %s"):format(scenario and "scenario " .. scenario or agent.name, url)
end

--- Agents that are one and the same by what their tokens say (resolve took them): their edits would meet.
-- @tparam Agent[] agents
-- @treturn table[] `{names, scenario_id}`, the names in the order of the agents
function inventory.duplicates(agents)
  local list, by_first = {}, {}
  each_pair(agents, scenario_of, function(first, second)
    local one = by_first[first]
    if not one then
      one = { names = { first.name }, scenario_id = scenario_of(first) }
      by_first[first], list[#list + 1] = one, one
    end
    one.names[#one.names + 1] = second.name
  end)
  return list
end

--- What `handoff.client` takes of an agent.
-- @tparam Agent agent
-- @treturn ClientOptions a fresh table of name, token (once resolved) and options
function inventory.options(agent)
  local hidden = hidden_of(agent)
  local options = { name = agent.name, token = hidden.token }
  for key, value in next, hidden do
    if is_option[key] then options[key] = value end
  end
  return options
end

return inventory
