/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
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

/* A signal from the question on is noticed, even one just before the wait for an answer: until then it is held back. */
static void hold_back(sigset_t *before) {
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &held, before);
}

/* The system restarts a read after a signal that has SA_RESTART, but never a poll. A terminal is readable once a whole line is
 * there. */
static ho_code read_line(int fd, const sigset_t *mask, char *line, size_t *len) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (ppoll(&ready, 1, NULL, mask) < 0) return errno == EINTR ? HO_CLOSED : HO_FAILED;
    ssize_t count = read(fd, line, HO_ANSWER_SIZE);
    if (count < 0) return HO_FAILED;
    const char *end = memchr(line, '\n', (size_t)count);
    *len = end != NULL ? (size_t)(end - line) : (size_t)count;
    return HO_OK;
}

ho_code ho_terminal_ask(const char *question, char answer[HO_ANSWER_SIZE], size_t *len) {
    sigset_t before;
    int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return HO_FAILED;
    hold_back(&before);
    bool asked = tcflush(fd, TCIFLUSH) == 0 && dprintf(STDERR_FILENO, "%s", question) >= 0;
    ho_code code = asked ? read_line(fd, &before, answer, len) : HO_FAILED;
    int failed = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(fd);
    errno = failed;
    return code;
}
