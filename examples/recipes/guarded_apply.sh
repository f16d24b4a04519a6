#!/bin/sh
# SPDX-License-Identifier: MIT
# An edit that is only written where what it would write passes your policies, and that is held against them once more when it
# is live.
#
#     guarded_apply.sh examples/policy edit.lua --select region=eu
#
# The words after the policies are for `handoff apply`. For all that you type in a shell: export HANDOFF_TEST=examples/policy
set -eu
if [ -z "${2-}" ]; then
  echo "usage: guarded_apply.sh POLICY EDIT…" >&2
  exit 64
fi
policy=$1
shift
handoff apply "$@" --test "$policy"
handoff test "$policy" || {
  echo "what is live fails, see above: agents that the edit was not for, or edits of others; \`handoff history\` has the run" >&2
  exit 1
}
