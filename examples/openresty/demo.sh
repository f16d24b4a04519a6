#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make demo-nginx` runs: the shop and the console of this folder on this machine, with a sandbox for the API, until Ctrl-C.
# An nginx of its own, whose files are all in one folder that goes with it. NGINX names another one: NGINX=openresty.
set -eu
umask 022
here=$(dirname "$0")
tree=$here/../..
lua=${LUA:-luajit}
nginx=${NGINX:-nginx}
handoff=$tree/lua/bin/handoff
children=
dir=$(mktemp -d)

finish() {
  trap '' INT TERM HUP
  # shellcheck disable=SC2086
  [ -z "$children" ] || kill $children 2>/dev/null || :
  wait
  rm -rf "$dir"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- the folder, as README.md has it; the library is copied there too, as nginx's workers may be nobody, who reads no home ----

mkdir -p "$dir/run/state" "$dir/lua" "$dir/lib/handoff"
cp -r "$here/." "$dir/"
cp -r "$tree/lua/handoff" "$dir/lua/"
cp "${BUILD:-$tree/build}/luajit/handoff/"*.so "$dir/lib/handoff/"
export LUA_PATH="$dir/lua/?.lua;$dir/lua/?/init.lua;;" LUA_CPATH="$dir/lib/?.so;;"
chmod 711 "$dir"
chmod -R a+rX "$dir/html" "$dir/lua" "$dir/lib"
[ ! -d /usr/lib/nginx/modules ] || ln -s /usr/lib/nginx/modules "$dir/modules"
[ "$(id -u)" != 0 ] || chown nobody "$dir/run/state"

# ---- the sandbox, which says where it is once its inventory is written; somebody is there for eight hours from now ----

mkfifo "$dir/says"
"$lua" "$handoff" sandbox --inventory "$dir/agents.lua" >"$dir/says" &
children=$!
read -r api <"$dir/says"
hour=$(TZ=Europe/London date +%H)
until=$(((1$hour - 100 + 8) % 24))
"$lua" "$handoff" set settings.is_active=true settings.working_hours_active=true \
  availability="daily $hour:00-$(printf %02d $until):00" --yes --select name=shop-uk --inventory "$dir/agents.lua" \
  --history "$dir/run/first.db" >"$dir/run/first" 2>&1 || { cat "$dir/run/first" >&2 && exit 1; }

# ---- nginx, on port 8080 or any that is free ----

port=$("$lua" -e 'local serve = require "handoff.serve" print((serve.new { port = 8080 } or serve.new {}):port())')
sed -i "s/127\.0\.0\.1:8080/127.0.0.1:$port/" "$dir/nginx.conf"
secret=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
SHOP_TTL=2 CONSOLE_SECRET=$secret "$nginx" -p "$dir" -e run/error.log -c nginx.conf -g 'daemon off;' &
server=$!
children="$children $server"
until [ -s "$dir/run/nginx.pid" ]; do
  kill -0 $server
  sleep 0.1
done

url=http://127.0.0.1:$port
cat <<SAYS
The shop      $url/
The console   $url/console/    its secret: $secret
As JSON       $url/handoff/status, …/handoff/metrics, …/handoff/healthz
The API       $api, with 25 agents

The shop's hours are those of the agent shop-uk: switch it off in the console, or in another terminal, and see:

  lua/bin/handoff set settings.is_active=false --select name=shop-uk --inventory $dir/agents.lua

nginx's files are in $dir. Ctrl-C ends all of it.
SAYS
wait $server
