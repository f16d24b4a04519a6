rockspec_format = "3.0"
package = "handoff"
version = "scm-1"
source = { url = "." }
description = {
  summary = "Edits AI agents' human handoff configuration over a remote API, safely",
  license = "MIT",
}
dependencies = { "lua >= 5.1, < 5.5", "lua-cjson >= 2.1", "argparse >= 0.7" }
-- The Makefile finds libcurl, libmicrohttpd for the sandbox, and GLib for time zones and typed text, and names the package that
-- brings what is missing.
build = {
  type = "make",
  build_target = "rock",
  install_target = "install-rock",
  variables = { CFLAGS = "$(CFLAGS)", LUA_INCDIR = "$(LUA_INCDIR)" },
  install_variables = { LUADIR = "$(LUADIR)", LIBDIR = "$(LIBDIR)", BINDIR = "$(BINDIR)", LUA = "$(LUA)" },
}
