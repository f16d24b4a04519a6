/* SPDX-License-Identifier: MIT */
/* What belongs to the whole process: its environment and its signals. For the program alone; a library leaves both to whoever
 * owns the process. */
#ifndef HO_PROCESS_H
#define HO_PROCESS_H

#include "ho.h"

/* NAME=VALUE texts, NULL-terminated; the system's own. */
char *const *ho_environment(void);

/* From now on a write to a pipe that nobody reads fails with EPIPE, and ends neither this process nor spares those that it starts. */
ho_code ho_survive_broken_pipe(void);

/* From now on Ctrl-C ends the process at once, though an interpreter made an error of it that a script can run into anywhere. */
ho_code ho_end_at_interrupt(void);

/* Opens what is closed of standard input, output and error so that its use fails as before, and no file or connection that is
 * opened later comes to stand in its place. */
ho_code ho_fill_standard(void);

#endif
