#!/bin/sh
# SPDX-License-Identifier: MIT
# Which agents have trouble, or soon will: tokens that are refused or run out, services that do not answer, configurations that
# cannot work: hours that never open, e-mail without addresses, profiles without operators, texts that say nothing.
#
#     find_trouble.sh [--select region=eu]
#
# Nothing is written. Exit status 1 where there is any.
set -u
status=0
handoff doctor --days 30 "$@" || status=1
handoff test "$(dirname "$0")/../policy/visitors.lua" "$@" || status=1
exit "$status"
