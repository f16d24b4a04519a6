#!/bin/sh
# SPDX-License-Identifier: MIT
# One agent's routing for others: they get its routing profiles, with ids of their own, in place of theirs.
#
#     clone_routing.sh shop-uk --select 'region=eu name!=shop-uk'
#
# The words after the agent's name are for `handoff apply`, which shows what would change and asks: --yes, --max-deletions 10, …
# PART=custom_guidelines in the environment clones another part.
set -eu
if [ -z "${1-}" ]; then
  echo "usage: clone_routing.sh AGENT --select TERMS…" >&2
  exit 64
fi
from=$1
shift
part=${PART:-routing_profiles}

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
trap 'exit 130' HUP INT TERM
value=$(handoff get "$from" "$part")
# Desired state: only what is named is touched. Items are matched by name, as other agents have other ids.
printf '{"%s": %s}\n' "$part" "$value" >"$folder/clone.json"
# The run knows its edit by this name: what was not done can be gone on with for as long as the file is there.
end() {
  case $? in
    0 | 64) rm -r "$folder" ;; # done; or misused, and there is no run
    *) echo "$folder/clone.json stays, as \`handoff resume\` reads it again; remove it once nothing is left to do" >&2 ;;
  esac
}
trap end EXIT
handoff apply "$folder/clone.json" "$@"
