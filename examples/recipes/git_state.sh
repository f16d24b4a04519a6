#!/bin/sh
# SPDX-License-Identifier: MIT
# All configurations in a git repository, a file an agent, so that there is a history, a review and one place to look.
#
#     git_state.sh record [FOLDER]     what is live becomes a commit, where it changed: from cron, and before you begin
#     git_state.sh review [FOLDER]     checks the files, and shows what they would change; exit status 2 where there is any
#     git_state.sh apply [FOLDER]      writes what has been committed; the ids that the service gave are committed, too
#
# Between record and apply: edit the files, commit, let somebody look. FOLDER is `config` by default, in a repository; words after
# it are for `handoff diff` and `handoff apply`: --select region=eu.
set -eu
do=${1-} folder=${2:-config}
shift $(($# > 2 ? 2 : $#))

record() {
  handoff pull "$folder"
  git add -- "$folder"
  git diff --cached --quiet -- "$folder" || git commit -q -m "$1" -- "$folder"
}

case $do in
record) record "As it is live" ;;
review)
  handoff validate "$folder"
  handoff diff "$folder" "$@"
  ;;
apply)
  if [ -n "$(git status --porcelain -- "$folder")" ]; then
    echo "$folder has edits that are not committed; commit them, so that what is written can be found again" >&2
    exit 1
  fi
  handoff apply "$folder" --yes "$@"
  record "As the service has it"
  ;;
*)
  echo "usage: git_state.sh record|review|apply [FOLDER]" >&2
  exit 64
  ;;
esac
