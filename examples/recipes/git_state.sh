#!/bin/sh
# SPDX-License-Identifier: MIT
# All configurations in a git repository, a file an agent, so that there is a history, a review and one place to look.
#
#     git_state.sh record [FOLDER]     what is live becomes a commit, where it changed: before you begin
#     git_state.sh review [FOLDER]     checks the files, and shows what they would change; exit status 2 where there is any
#     git_state.sh apply [FOLDER]      writes what has been committed; the ids that the service gave are committed, too
#
# Between record and apply: edit the files, commit, let somebody look. From cron record on a branch of its own: it would take back
# commits that wait for their apply. FOLDER is `config` by default, in a repository. Selections and limits come from the
# environment, as all three have to mean the same agents: HANDOFF_SELECT=region=eu, HANDOFF_MAX_CHANGES=20%. What git keeps of
# the files is as private as they are; a clone, and what git checks out, is as the umask of whoever makes it.
set -eu
umask 077
do=${1-} folder=${2:-config}

refuse_uncommitted() {
  edits=$(git status --porcelain -- "$folder") # where git cannot tell, this ends here
  [ -n "$edits" ] || return 0
  echo "$folder has edits that are not committed; commit them, so that they can be found again" >&2
  exit 1
}
# Of agents that cannot be read the others are recorded all the same.
record() {
  status=0
  handoff pull "$folder" || status=$?
  git add -- "$folder"
  git diff --cached --quiet -- "$folder" || git commit -q -m "$1" -- "$folder"
  return $status
}

case $do in
record)
  refuse_uncommitted
  record "As it is live"
  ;;
review)
  handoff validate "$folder"
  handoff diff "$folder"
  ;;
apply)
  refuse_uncommitted
  handoff apply "$folder" --yes
  record "As the service has it"
  ;;
*)
  echo "usage: git_state.sh record|review|apply [FOLDER]" >&2
  exit 64
  ;;
esac
