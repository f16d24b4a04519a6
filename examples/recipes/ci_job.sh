#!/bin/sh
# SPDX-License-Identifier: MIT
# Configurations are reviewed as code is. Of a change under review a job checks the files and saves what they would do, for
# people to read; once it is merged another job applies that very plan, and nothing else.
#
#     ci_job.sh plan config handoff.plan       for a merge request: keep handoff.plan as the job's artifact
#     ci_job.sh apply handoff.plan             on the main branch, by hand or on merge
#
# The tokens come from the job's environment, by the inventory: token = env "SHOP_UK_TOKEN". A plan holds no token, but it does
# hold documents: keep the artifact where not everybody looks. Exit status of plan: 6 where more than a fifth of the agents
# would change, unless MAX_CHANGES says how many may; of apply: 5 where agents were left as somebody edited them since, plan
# those again.
set -eu
case ${1-}/$# in
plan/3)
  handoff validate "$2"
  handoff plan "$2" -o "$3" --max-changes "${MAX_CHANGES:-20%}" # the share of all: of those in a plan all change
  ;;
apply/2)
  case $2 in
  *.plan) ;;
  *)
    echo "$2: this is no saved plan, and nobody has seen what it would do; give the file that ci_job.sh plan wrote" >&2
    exit 64
    ;;
  esac
  handoff apply "$2" --yes --waves 1,100%
  ;;
*)
  echo "usage: ci_job.sh plan FOLDER FILE.plan, ci_job.sh apply FILE.plan" >&2
  exit 64
  ;;
esac
