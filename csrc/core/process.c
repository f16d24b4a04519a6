/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

char *const *ho_environment(void) {
    return environ;
}

static void do_nothing(int number) {
    (void)number;
}

/* What is ignored stays so in every program that this one starts, what is handled does not. */
ho_code ho_survive_broken_pipe(void) {
    struct sigaction action = {.sa_handler = do_nothing, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    return sigaction(SIGPIPE, &action, NULL) == 0 ? HO_OK : HO_FAILED;
}

ho_code ho_end_at_interrupt(void) {
    return signal(SIGINT, SIG_DFL) == SIG_ERR ? HO_FAILED : HO_OK;
}

/* A descriptor that is opened is the lowest that is free. */
ho_code ho_fill_standard(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        bool closed = fcntl(fd, F_GETFD) == -1 && errno == EBADF;
        if (closed && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) return HO_FAILED;
    }
    return HO_OK;
}
