/* SPDX-License-Identifier: MIT */
#include "../../csrc/core/interrupt.h"

#include "test.h"

#include <sys/wait.h>
#include <unistd.h>

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
static const char *const names[] = {"SIGINT", "SIGTERM", "SIGHUP"};

/* What a child that runs `body` ends by: a signal's number, or minus its exit status. */
static int end_of(void (*body)(int), int number) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        body(number);
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void first_is_noticed(int number) {
    ho_watch watch;
    if (ho_watch_begin(&watch) != HO_OK || ho_watch_seen(&watch) != NULL) _exit(1);
    raise(number);
    const char *seen = ho_watch_seen(&watch);
    for (size_t i = 0; i < HO_COUNT(numbers); i++)
        if (numbers[i] == number && (seen == NULL || strcmp(seen, names[i]) != 0)) _exit(2);
}

static void second_ends_unseen(int number) {
    ho_watch watch;
    ho_watch_begin(&watch);
    raise(number);
    raise(number);
}

static void another_ends(int number) {
    ho_watch watch;
    ho_watch_begin(&watch);
    raise(number);
    ho_watch_seen(&watch);
    raise(number == SIGTERM ? SIGINT : SIGTERM);
}

/* Nobody looked before the end. */
static void ends_once_over(int number) {
    ho_watch watch;
    ho_watch_begin(&watch);
    raise(number);
    ho_watch_end(&watch);
    ho_watch_end(&watch);
    raise(number);
}

static void ignored_stays_ignored(int number) {
    ho_watch watch;
    signal(number, SIG_IGN);
    ho_watch_begin(&watch);
    raise(number);
    raise(number);
    if (ho_watch_seen(&watch) != NULL) _exit(1);
    ho_watch_end(&watch);
    raise(number);
}

static volatile sig_atomic_t handled;

static void count(int number) {
    (void)number;
    handled++;
}

static void given_back(int number) {
    ho_watch watch;
    signal(number, count);
    ho_watch_begin(&watch);
    ho_watch_end(&watch);
    raise(number);
    if (handled != 1) _exit(1);
}

int main(void) {
    for (size_t i = 0; i < HO_COUNT(numbers); i++) {
        int number = numbers[i];
        CHECK(end_of(first_is_noticed, number) == 0, "%s", names[i]);
        CHECK(end_of(second_ends_unseen, number) == number, "%s", names[i]);
        CHECK(end_of(another_ends, number) == (number == SIGTERM ? SIGINT : SIGTERM), "%s", names[i]);
        CHECK(end_of(ends_once_over, number) == number, "%s", names[i]);
        CHECK(end_of(ignored_stays_ignored, number) == 0, "%s", names[i]);
        CHECK(end_of(given_back, number) == 0, "%s", names[i]);
    }
    return test_summary();
}
