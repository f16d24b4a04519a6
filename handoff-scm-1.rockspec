rockspec_format = "3.0"
package = "handoff"
version = "scm-1"
-- No server has it: `make rocks` puts the archive of a commit beside this file, into a rock.
source = { url = "handoff-scm-1.tar.gz" }
description = {
  summary = "Edits AI agents' human handoff configuration over a remote API, safely",
  detailed = [[
A library and a command. A script, or a file of the state that is wanted, edits the handoff configuration of one agent or
of thousands as if it were a Lua table: each value is checked as it is assigned, what would change is shown first, edits
made elsewhere meanwhile are merged, what was written is verified, and every run is recorded and can be taken back.]],
  license = "MIT",
}
dependencies = { "lua >= 5.1, ~= 5.2, < 5.5", "lua-cjson >= 2.1", "argparse >= 0.7" }
-- The Makefile finds libcurl, libmicrohttpd for the sandbox, and GLib for time zones and typed text, and names the package that
-- brings what is missing.
build = {
  type = "make",
  build_target = "rock",
  install_target = "install-rock",
  variables = { CFLAGS = "$(CFLAGS)", LUA_INCDIR = "$(LUA_INCDIR)" },
  install_variables = { LUADIR = "$(LUADIR)", LIBDIR = "$(LIBDIR)", BINDIR = "$(BINDIR)", LUA = "$(LUA)" },
}
-- With what LuaRocks does not bring: nginx, compilers, analysers.
test = { type = "command", command = "make test DEPS=no" }
