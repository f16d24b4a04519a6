#!/bin/sh
# SPDX-License-Identifier: MIT
# A backup of all configurations, a folder a time, a file an agent; those older than 90 days go. From cron:
#
#     backup.sh backups
#
# Restored is all of one, or some agents of it, with what would change shown before it is asked about:
#
#     handoff apply backups/2026-11-23T093000Z --select name~shop-*
#
# Items that were deleted since come back with new ids. Fields that only the service knows are not in a backup, and stay.
set -eu
if [ -z "${1-}" ]; then
  echo "usage: backup.sh FOLDER" >&2
  exit 64
fi
folder=$1
new=$folder/$(date -u +%Y-%m-%dT%H%M%SZ)

# Two of the same second would end up one inside the other; of two at once one makes the folder.
mkdir -p -m 700 "$folder"
if [ -e "$new" ] || ! mkdir -m 700 "$new.part"; then
  echo "$new: there is a backup of this second already, or no place for one; try again" >&2
  exit 1
fi
# A backup that lacks agents never looks like one.
handoff pull "$new.part" --format json
mv "$new.part" "$new"
find "$folder" -mindepth 1 -maxdepth 1 -type d -name '20??-??-??T??????Z*' -mtime +90 -exec rm -r {} +
