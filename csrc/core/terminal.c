/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

bool ho_is_terminal(int fd) {
    return isatty(fd) == 1;
}

unsigned ho_terminal_columns(int fd) {
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
