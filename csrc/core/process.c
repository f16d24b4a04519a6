/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

char *const *ho_environment(void) {
    return environ;
}

ho_code ho_ignore_broken_pipe(void) {
    return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? HO_FAILED : HO_OK;
}

/* A descriptor that is opened is the lowest that is free. */
ho_code ho_fill_standard(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        bool closed = fcntl(fd, F_GETFD) == -1 && errno == EBADF;
        if (closed && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) return HO_FAILED;
    }
    return HO_OK;
}
