-- SPDX-License-Identifier: MIT
return {
  summary = "write what lets a shell complete verbs and flags", group = "other",
  arguments = {
    { name = "shell", metavar = "SHELL", choices = { "bash", "zsh", "fish" }, help = "bash, zsh or fish" },
  },
  details = [[
Writes a script of that shell. `make install` puts it where the shell looks by itself; a rock does not, so source it, or
write it there yourself.]],
  examples = {
    { "source <(handoff completion bash)", "completes in this bash" },
    { "handoff completion fish > ~/.config/fish/completions/handoff.fish", "completes in every fish from now on" },
  },
  run = function(ctx)
    local shell = ctx.args.shell
    local script = require("handoff.command.description").completion(shell)
    if ctx.json then ctx:record { shell = shell, script = script } else ctx.out:write(script) end
  end,
}
