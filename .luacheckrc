-- Code that runs on both VMs uses what both have.
std = "min"
max_line_length = 120
max_comment_line_length = 130
exclude_files = { "build" }
read_globals = {
  "unpack", table = { fields = { "unpack" } }, coroutine = { fields = { "close" } }, package = { fields = { "searchpath" } },
}
files[".busted"] = { std = "max" }
-- os.tmpname ignores TMPDIR, where the audit looks.
files["spec"] = { std = "max+busted", not_globals = { "os.tmpname" } }
for _, place in ipairs { "lua/handoff/nginx.lua", "lua/handoff/nginx", "examples/openresty" } do
  files[place] = { globals = { "ngx" } }
end
files["examples/policy"] = { read_globals = { "describe", "expect", "it", "pending" } }
