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
  run = function(ctx) ctx.out:write(require("handoff.command.description").completion(ctx.args.shell)) end,
}
