-- SPDX-License-Identifier: MIT
--- The figures of a cache, of all workers, as Prometheus reads them (text format 0.0.4).
local answer = require "handoff.nginx.answer"

local metrics = {}

local MANY = 1000 -- lines, after which others of the worker have their turn: there may be thousands of agents

local escapes = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

-- A list of names and values, nil left out, in braces.
local function labels(...)
  local list = {}
  for i = 1, select("#", ...), 2 do
    local name, value = select(i, ...)
    if value ~= nil then list[#list + 1] = ('%s="%s"'):format(name, (tostring(value):gsub('[\\"\n]', escapes))) end
  end
  return "{" .. table.concat(list, ",") .. "}"
end

-- Adds a family: its head, and a line for each item of which sample(item) returns labels and a value.
local function add(lines, name, kind, help, items, sample)
  lines[#lines + 1] = ("# HELP %s %s"):format(name, help)
  lines[#lines + 1] = ("# TYPE %s %s"):format(name, kind)
  for _, item in ipairs(items) do
    local marks, value = sample(item)
    if value then
      lines[#lines + 1] = ("%s%s %.14g"):format(name, marks, value)
      if #lines % MANY == 0 then ngx.sleep(0.001) end -- 0 would fill the log where nginx has not OpenResty's patches
    end
  end
end

-- @param name_of function(agent) → the label that names it
local function text_of(figures, name_of)
  local lines, agents = {}, figures.agents
  add(lines, "handoff_requests_total", "counter", "Requests to the API, by the answer's status or the kind of failure.",
    figures.requests, function(r) return labels("method", r.method, "status", r.status, "error", r.error), r.count end)
  add(lines, "handoff_refreshes_total", "counter", "Documents that were to be fetched again, by what came of it.",
    { "ok", "failed" }, function(result) return labels("result", result), figures.refreshes[result] end)
  add(lines, "handoff_agents", "gauge", "Agents of the inventory.", { #agents }, function(count) return "", count end)
  add(lines, "handoff_document_age_seconds", "gauge", "Since it was fetched; an agent without a document has none.",
    agents, function(agent) return name_of(agent), agent.age end)
  add(lines, "handoff_document_stale", "gauge", "1 where the document should have been fetched again by now.",
    agents, function(agent) return name_of(agent), agent.age and (agent.stale and 1 or 0) end)
  add(lines, "handoff_document_error", "gauge", "1 where the last try to fetch it failed, by the kind of failure.",
    agents, function(agent) return labels("agent", agent.name, "error", agent.error), agent.error and 1 end)
  return table.concat(lines, "\n") .. "\n"
end

--- What hn.metrics is.
function metrics.new(opts)
  local cache, names = answer.cache_of(opts, "hn.metrics"), {}
  local function name_of(agent)
    local name = agent.name
    names[name] = names[name] or labels("agent", name)
    return names[name]
  end
  return answer.page("hn.metrics", function()
    return 200, "text/plain; version=0.0.4; charset=utf-8", text_of(cache:figures(), name_of)
  end)
end

return metrics
