-- SPDX-License-Identifier: MIT
--- A real terminal: a program in a pane of a private tmux.
--
--   local t = terminal.open("command of a shell", { columns = 80, rows = 24, env = { NAME = value } })
--   t:wait "text"           until the program has written that, since the last wait; what it wrote until then, escapes and all
--   t:type "yes\n"          as somebody at the keyboard would; "\3" is Ctrl-C
--   t:screen()              the lines that are to be seen, without blanks at their ends
--   t:ends()                waits until the program has ended → its exit status, which the pane shows as a last line [exit 0]
--   t:close()
--   terminal.unreadable(what was written) → a colour in it that a light or a dark background swallows, or nil
-- Nobody waits by the clock: what the pane shows also comes through a named pipe, which ends after a minute, whatever hangs.
local program = require "support.program"

local terminal = {}

local Terminal = {}
Terminal.__index = Terminal

local quote = program.quote

-- Sanitizers are for the program in the pane: tmux leaks of its own. What tests are told by variables, it is not told.
local preload = os.getenv "LD_PRELOAD" and ("export LD_PRELOAD=%s\n"):format(quote(os.getenv "LD_PRELOAD")) or ""
preload = "unset HANDOFF_BUILD HANDOFF_GC HANDOFF_OUTCOMES HANDOFF_BENCH\n" .. preload

local function tmux(self, words)
  local line = ("%s -u LD_PRELOAD tmux -S %s/socket -f /dev/null %s"):format(program.untold, quote(self.folder), words)
  local output, status = program.run(line, self.env)
  assert(status == 0, output)
  return output
end

function Terminal:wait(text)
  local got, at = {}, #self.read
  repeat
    local byte = self.pipe:read(1)
    if not byte then error(("%q was not written:\n%s"):format(text, self.read), 2) end
    got[#got + 1], self.read = byte, self.read .. byte
  until byte == text:sub(-1) and self.read:find(text, at + 1, true)
  return table.concat(got)
end

function Terminal:type(keys)
  local codes = keys:gsub(".", function(key) return ("%02x "):format(key:byte()) end):gsub("\n", "0d ")
  tmux(self, "send-keys -H " .. codes)
end

--- @param with "-e" for escape sequences, too
function Terminal:screen(with)
  local lines = {}
  for line in (tmux(self, "capture-pane -p " .. (with or "")):gsub("\n*$", "") .. "\n"):gmatch "(.-)%s*\n" do
    lines[#lines + 1] = line
  end
  return lines
end

function Terminal:ends()
  self:wait "[exit "
  return tonumber((self:wait "]":match "%d+"))
end

function Terminal:close()
  if not self.folder then return end
  tmux(self, "kill-server")
  if self.pipe then self.pipe:close() end
  program.remove(self.folder)
  self.folder = nil
end

-- Neither black nor white, none that is bright, no background: bold, dim, red, green, yellow, cyan.
local readable = {}
for code in ("0 1 2 31 32 33 36"):gmatch "%d+" do readable[code] = true end

function terminal.unreadable(written)
  for codes in written:gmatch "\27%[([%d;]*)m" do
    for code in codes:gmatch "%d+" do
      if not readable[code] then return codes end
    end
  end
end

--- The shell of the pane must outlive a Ctrl-C, and waits for the pipe before the program begins.
function terminal.open(command, opts)
  local folder, o = program.folder(), opts or {}
  local self = setmetatable({ folder = folder, env = o.env, read = "" }, Terminal)
  program.run(("mkfifo %s/begin %s/shown"):format(quote(folder), quote(folder)))
  local script = assert(io.open(folder .. "/script", "w"))
  script:write(("trap : INT HUP\nread _ <%s/begin\n%s%s\nprintf '[exit %%d]\\n' $?\nexec cat >/dev/null\n"):format(
    quote(folder), preload, command))
  script:close()
  tmux(self, ("new-session -d -x %d -y %d sh %s/script \\; set-option -g remain-on-exit on"):format(o.columns or 80,
    o.rows or 24, quote(folder)))
  tmux(self, ("pipe-pane 'exec timeout 60 cat >%s/shown'"):format(folder))
  self.pipe = assert(io.open(folder .. "/shown", "rb"))
  assert(io.open(folder .. "/begin", "w")):close()
  return self
end

return terminal
