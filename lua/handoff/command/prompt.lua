-- SPDX-License-Identifier: MIT
--- The question before something is written: answered by somebody at a terminal, with the full word.
local core = require "handoff.core"
local failure = require "handoff.command.failure"
local status = require "handoff.command.status"

local prompt = {}

local function refuse(why)
  failure.raise(status.misuse, ("this asks before it writes, and %s; give --yes to write unasked"):format(why))
end

--- Ends the verb where nobody could be asked. To be called before anything takes long, too.
function prompt.check(ctx)
  if ctx.json then refuse "--json is for programs, which are not asked" end
  if not ctx.err.terminal then refuse "standard error is no terminal" end
end

--- Asks on standard error, whatever becomes of standard output and wherever standard input comes from.
-- @param question one line, without the way to answer it: "Write this to 12 agents?"
-- @return true where the answer is the full word yes, otherwise false. Ends the verb where nobody can be asked, or with status
--   130 at Ctrl-C
function prompt.ask(ctx, question)
  prompt.check(ctx)
  ctx.out:flush()
  ctx.err:flush()
  local answer, why, interrupted = core.terminal.ask(ctx.err:paint("bold", question) .. " Type yes to go on: ")
  if not answer or answer == "" then ctx.err:write "\n" end -- what was typed, if anything, did not end the line
  if interrupted then failure.raise(status.interrupted, "interrupted before the answer; nothing was written") end
  if not answer then refuse(("the terminal cannot be read (%s)"):format(why)) end
  answer = answer:match "^%s*(.-)%s*$"
  if answer:lower() == "y" or answer:lower() == "yes" and answer ~= "yes" then
    ctx:note(("%s is not the full word yes, in small letters"):format(answer))
  end
  return answer == "yes"
end

return prompt
