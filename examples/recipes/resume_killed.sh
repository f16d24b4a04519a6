#!/bin/sh
# SPDX-License-Identifier: MIT
# Goes on with all runs that were killed: the machine went down, a job ran out of its time. Agents that are done stay as they are,
# one whose write was under way is looked at first, none is edited twice. From cron at boot, or by hand:
#
#     resume_killed.sh
#
# Its words are for `handoff resume`: --inventory, limits. Each run's own edit is read again. Runs that were stopped, by a limit
# or by Ctrl-C, are somebody's decision and stay.
set -u
status=0
runs=$(handoff history --limit 1000 --json) || exit
for run in $(printf '%s\n' "$runs" | sed -n 's/.*"run":\([0-9]*\).*"state":"interrupted".*/\1/p' | sort -n); do
  handoff resume "$run" --yes "$@" || status=$?
done
exit "$status"
