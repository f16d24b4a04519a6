/* SPDX-License-Identifier: MIT */
/* Whether somebody asked the process to end, by SIGINT, SIGTERM or SIGHUP, so that it can come to an orderly end. A handler could
 * only tell through a global; this one does nothing, and the system takes it away as it delivers the signal (SA_RESETHAND): a
 * signal that is back at its default has come, and when it comes again it ends the process. For the program alone: signals
 * belong to the whole process, so one watch at a time. */
#ifndef HO_INTERRUPT_H
#define HO_INTERRUPT_H

#include "ho.h"

#include <signal.h>

enum { HO_INTERRUPTS = 3 };

/* All zero: not begun, or ended. */
typedef struct ho_watch {
    struct sigaction before[HO_INTERRUPTS]; /* what the signals did */
    bool watched[HO_INTERRUPTS];
    const char *seen; /* the name of the first that was noticed */
} ho_watch;

/* Begins to watch. A signal that the process was started to ignore (nohup) stays ignored. HO_FAILED: errno says why, and nothing
 * is watched. */
ho_code ho_watch_begin(ho_watch *watch);

/* "SIGINT", "SIGTERM" or "SIGHUP", or NULL while none came. Once it has told of one, each of them ends the process at once. */
const char *ho_watch_seen(ho_watch *watch);

/* Idempotent. Gives the signals back as they were, unless one was seen: then the next still ends the process at once. */
void ho_watch_end(ho_watch *watch);

#endif
