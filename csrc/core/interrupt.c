/* SPDX-License-Identifier: MIT */
#include "interrupt.h"

#include <errno.h>

static const struct {
    int number;
    const char *name;
} signals[HO_INTERRUPTS] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}};

static void do_nothing(int number) {
    (void)number;
}

static bool is_default(int number) {
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL;
}

static bool is_ignored(const struct sigaction *action) {
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_IGN;
}

static void give_back(ho_watch *watch, bool to_default) {
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigemptyset(&usual.sa_mask);
    for (size_t i = 0; i < HO_COUNT(signals); i++) {
        if (watch->watched[i]) sigaction(signals[i].number, to_default ? &usual : &watch->before[i], NULL);
        watch->watched[i] = false;
    }
}

ho_code ho_watch_begin(ho_watch *watch) {
    struct sigaction action = {.sa_handler = do_nothing, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    *watch = (ho_watch){.seen = NULL};
    for (size_t i = 0; i < HO_COUNT(signals); i++) {
        bool known = sigaction(signals[i].number, NULL, &watch->before[i]) == 0;
        if (known && is_ignored(&watch->before[i])) continue;
        watch->watched[i] = known && sigaction(signals[i].number, &action, NULL) == 0;
        if (watch->watched[i]) continue;
        int failed = errno;
        give_back(watch, false);
        errno = failed;
        return HO_FAILED;
    }
    return HO_OK;
}

const char *ho_watch_seen(ho_watch *watch) {
    for (size_t i = 0; watch->seen == NULL && i < HO_COUNT(signals); i++) {
        if (!watch->watched[i] || !is_default(signals[i].number)) continue;
        watch->seen = signals[i].name;
        give_back(watch, true);
    }
    return watch->seen;
}

void ho_watch_end(ho_watch *watch) {
    if (ho_watch_seen(watch) == NULL) give_back(watch, false);
}
