/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <signal.h>
#include <unistd.h>

char *const *ho_environment(void) {
    return environ;
}

ho_code ho_ignore_broken_pipe(void) {
    return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? HO_FAILED : HO_OK;
}
