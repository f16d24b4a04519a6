/* SPDX-License-Identifier: MIT */
/* Pure predicates of one scalar. Nothing here keeps memory, and only the questions about zones ask the system; lengths
 * are in bytes unless a name says otherwise. */
#ifndef HO_RULE_H
#define HO_RULE_H

#include "ho.h"

/* The bytes of the character that begins at `text`, of which `left` bytes (one or more) are there, or 0 where that is not UTF-8
 * as RFC 3629 has it: no overlong form, no surrogate, nothing above U+10FFFF. */
size_t ho_utf8_size(const char *text, size_t left);

/* The number of code points of `text`, or SIZE_MAX with `*bad` the offset of the first character that is not UTF-8.
 * `bad` may be NULL. */
size_t ho_utf8_length(const char *text, size_t len, size_t *bad);

/* The names of the days, monday first, then NULL. */
extern const char *const ho_days[];

/* Days are 0 (monday) to 6 (sunday). `monday` gives first = last; `saturday-monday` gives first 5, last 0. Lower case
 * only, as documented. HO_INVALID where it is no day or range of days. */
ho_code ho_day_span(const char *text, size_t len, int *first, int *last);

/* `HH:MM`, 00:00 to 23:59, two digits each → minutes since midnight. HO_INVALID otherwise. */
ho_code ho_time(const char *text, size_t len, int *minutes);

/* What is known of a zone's name. Names come from the system's zoneinfo folder, by default /usr/share/zoneinfo, or the
 * environment's TZDIR. */
typedef enum ho_zone_answer {
    HO_ZONE_KNOWN,
    HO_ZONE_UNKNOWN,    /* the system has zones, and this is none */
    HO_ZONE_UNCHECKABLE /* the system has no zoneinfo, and the name looks right: Area/City, UTC */
} ho_zone_answer;
ho_zone_answer ho_zone(const char *text, size_t len);

/* Whether the clocks of a zone that the system knows never change again, by its data; then `minutes` is how far they are ahead of
 * UTC, negative where behind. It reads a file. */
bool ho_zone_fixed(const char *text, size_t len, int *minutes);

/* Looks for a zone that is spelled like `text` (case, a blank for an underscore, a typo, a city without its area) in
 * the system's zone.tab and tzdata list → its name, NUL-terminated, in `out` (64 bytes hold any), or false. It reads
 * files: for messages only. */
bool ho_zone_nearest(const char *text, size_t len, char *out, size_t out_size);

/* What a careful person would accept as an e-mail address: one @, a local part of the usual characters without two dots
 * in a row or a dot at either end, at most 64 bytes; a domain of at least two labels of letters, digits and inner
 * hyphens, at most 253 bytes; non-ASCII letters (UTF-8) allowed in both. */
bool ho_email(const char *text, size_t len);

/* The index of the candidate nearest to `name`, or -1 where none is near enough to be a slip: at most a third of the
 * characters off, by Damerau and Levenshtein, letter case, `-` and `_` ignored, or one a prefix of the other from 3
 * characters on. `candidates` ends with NULL. */
int ho_nearest(const char *name, size_t len, const char *const *candidates);

#endif
