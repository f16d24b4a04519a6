-- SPDX-License-Identifier: MIT
--- Where a token comes from: a variable, a file, a command. It is read when it is asked for, and no message holds a character of
-- it, nor what might be it by mistake.
local core = require "handoff.core"
local environment = require "handoff.environment"
local files = require "handoff.file"
local texts = require "handoff.inventory.text"

local secret = {}

local MOST = 64 * 1024 -- bytes that are read of a file or a command

secret.usage = {
  env = 'env takes the name of a variable: env "SHOP_UK_TOKEN"',
  file = 'file takes a path: file "tokens/shop-uk"',
  command = 'command takes a line for the shell: command "pass show shop-uk"',
}

local Source = { __metatable = "handoff token source" }

--- @param kind "env", "file" or "command"; line: where it stands, or nil
function secret.source(kind, what, line)
  return setmetatable({ kind = kind, what = what, line = line }, Source)
end

function secret.is_source(value) return type(value) == "table" and debug.getmetatable(value) == Source end

--- What is wrong with a source as it is written, or nil.
function secret.flaw(source)
  local kind, what = source.kind, source.what
  if type(what) ~= "string" or not what:find "%S" or what:find("\0", 1, true) then return secret.usage[kind] end
  if kind == "env" and not what:find "^[%a_][%w_]*$" or core.token.unverified_claims(what) then
    return secret.usage[kind] .. ", not the token itself"
  end
end

local readers = {}

function readers.env(name)
  local value = os.getenv(name)
  if not value then
    return nil, ("the variable %s is not set; export it%s"):format(name, environment.hint(name))
  end
  return value, "the variable " .. name
end

-- As a message of one line may hold it.
local function called(path)
  local flaw = texts.flaw(path)
  return flaw and "the file whose name has " .. flaw or "the file " .. path
end

function readers.file(path, folder)
  if path:sub(1, 1) ~= "/" then path = folder .. path end
  local text, reason = files.read(path, MOST)
  if text then return text, "what " .. called(path) .. " holds" end
  return nil, ("%s cannot be read: %s; check the path and who may read it"):format(called(path), reason)
end

-- The status is printed after all else: LuaJIT's close does not tell it.
function readers.command(command)
  local quoted = "'" .. command:gsub("'", "'\\''") .. "'"
  local pipe, reason = io.popen(("sh -c %s; printf '\\n%%d' \"$?\""):format(quoted))
  if not pipe then return nil, ("the command cannot be started: %s"):format(reason) end
  local output = pipe:read(MOST) or ""
  pipe:close()
  local text, status = output:match "^(.*)\n(%d+)$"
  if not text and #output < MOST then return nil, "the command was interrupted; try again" end
  if not text then return nil, "the command printed too much; the first line is to be the token" end
  if status ~= "0" then
    return nil, ("the command ended with status %s; run it by itself to see why"):format(status)
  end
  return text, "what the command printed"
end

-- Without the blanks around it; in two steps, as one would take the square of their number.
local function first_line(text)
  local line = text:match "^[^\n]*"
  return line:match("^.*%S", line:find "%S" or #line + 1) or ""
end

--- @param source a source, a text, or a function that returns one
-- @param folder what relative paths begin with
-- @return the token, and what it is in words; or nil and what is wrong
function secret.read(source, folder)
  if type(source) == "string" then return source, "the token" end
  if type(source) == "function" then
    local ok, token = pcall(source)
    if not ok then return nil, "the function token raised an error; call it by itself to see it" end
    if type(token) ~= "string" then return nil, ("the function token returned a %s"):format(type(token)) end
    return token, "what the function token returned"
  end
  local text, words = readers[source.kind](source.what, folder)
  if not text then return nil, words end
  return first_line(text), words
end

--- What is wrong with a token by its looks, to be said after what it is; or nil.
function secret.token_flaw(token)
  if not token:find "%S" then return "is empty; put the token there" end
  if token:find "^Bearer%s" then return "begins with the word Bearer; leave that out" end
  if not core.token.plausible(token) then
    return "has a blank or a character in it that no token has; copy it again from the dashboard"
  end
end

return secret
