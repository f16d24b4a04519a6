/* SPDX-License-Identifier: MIT */
/* What is at the other end of a descriptor. */
#ifndef HO_TERMINAL_H
#define HO_TERMINAL_H

#include "ho.h"

bool ho_is_terminal(int fd);

/* How many columns the terminal has; 0: it is none, or does not say. */
unsigned ho_terminal_columns(int fd);

#endif
