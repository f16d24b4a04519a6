/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

bool ho_is_terminal(int fd) {
    return isatty(fd) == 1;
}

unsigned ho_terminal_columns(int fd) {
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* The system restarts a read after a signal that has SA_RESTART, but never a poll. A terminal is readable once a whole line is
 * there. */
static ho_code read_line(int fd, char *line, size_t *len) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, -1) < 0) return errno == EINTR ? HO_CLOSED : HO_FAILED;
    ssize_t count = read(fd, line, HO_ANSWER_SIZE);
    if (count < 0) return errno == EINTR ? HO_CLOSED : HO_FAILED;
    const char *end = memchr(line, '\n', (size_t)count);
    *len = end != NULL ? (size_t)(end - line) : (size_t)count;
    return HO_OK;
}

ho_code ho_terminal_ask(const char *question, char answer[HO_ANSWER_SIZE], size_t *len) {
    int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return HO_FAILED;
    bool asked = tcflush(fd, TCIFLUSH) == 0 && dprintf(STDERR_FILENO, "%s", question) >= 0;
    ho_code code = asked ? read_line(fd, answer, len) : HO_FAILED;
    int failed = errno;
    close(fd);
    errno = failed;
    return code;
}
