-- SPDX-License-Identifier: MIT
--- Answers as the remote API gives them: { status=, body=, headers= (beyond the type) }.
local core = require "handoff.core"

local answer = {}

--- The body of a refusal; `found` is a list of { path= (nil: the whole), message= }.
function answer.errors(code, found)
  local errors = {}
  for _, one in ipairs(found) do
    local key = one.path and one.path ~= "" and one.path or "root"
    errors[key] = errors[key] or {}
    table.insert(errors[key], { message = one.message, code = code })
  end
  return core.json.encode { errors = errors }
end

function answer.refuse(status, code, message, headers)
  return { status = status, body = answer.errors(code, { { message = message } }), headers = headers }
end

function answer.ok(text)
  return { status = 200, body = text }
end

answer.not_found = answer.refuse(404, "NOT_FOUND", "Not found.")
answer.no_permission = answer.refuse(401, "PERMISSION_DENIED", "Invalid or missing API token.")

function answer.wrong_method(allowed)
  return answer.refuse(405, "METHOD_NOT_ALLOWED", "Method not allowed.", { Allow = allowed })
end

--- All of an answer's headers, by name.
function answer.headers(one)
  local headers = { ["Content-Type"] = "application/json" }
  for name, value in pairs(one.headers or {}) do headers[name] = value end
  return headers
end

--- An answer as it goes over the wire, with a Content-Length that may be wrong.
function answer.text(one, length)
  local lines = { ("HTTP/1.1 %d "):format(one.status), ("Content-Length: %d"):format(length) }
  for name, value in pairs(answer.headers(one)) do lines[#lines + 1] = name .. ": " .. value end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. one.body
end

return answer
