#!/bin/sh
# SPDX-License-Identifier: MIT
# Tells when somebody edited agents past `handoff`, in the dashboard, say. Cron mails what it prints, and it prints nothing when
# all is as it was left:
#
#     MAILTO=ops@example.com
#     30 5 * * *  cd /srv/handoff && drift_alarm.sh
#
# Its words are for `handoff drift`: --select region=eu, --history FILE. Exit status 0, 3 where something drifted, 1 or 5 where
# that could not be found out, 64 where its words are no flags.
set -u
status=0
report=$(handoff drift "$@" 2>&1) || status=$?
case $status:$report in
0:*"nothing was held against anything"*) status=1 ;; # another history, or none yet: that is no peace
0:*) exit 0 ;;
esac
case $status in
3) echo "Agents have been edited past handoff. To keep that: handoff pull, and look. To go back: handoff apply what you had." ;;
*) echo "It is not known whether agents have drifted." ;;
esac
printf '\n%s\n' "$report"
exit "$status"
