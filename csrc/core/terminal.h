/* SPDX-License-Identifier: MIT */
/* What is at the other end of a descriptor. */
#ifndef HO_TERMINAL_H
#define HO_TERMINAL_H

#include "ho.h"

bool ho_is_terminal(int fd);

/* How many columns the terminal has; 0: it is none, or does not say. */
unsigned ho_terminal_columns(int fd);

/* The longest line that a terminal hands over, its end included. */
enum { HO_ANSWER_SIZE = 4096 };

/* Writes the question to standard error and reads one line from the terminal that controls the process, whatever its standard
 * streams are; what was typed before the question was there is no answer to it. *len: without the end of the line; 0 also where
 * the input ended. HO_CLOSED: a signal came since the question. HO_FAILED: errno says why, ENXIO: no terminal controls the
 * process. */
ho_code ho_terminal_ask(const char *question, char answer[HO_ANSWER_SIZE], size_t *len);

#endif
