/* SPDX-License-Identifier: MIT */
/* A scalar held against its field of the schema; edits, checks and the sandbox ask here, so that they never differ. */
#ifndef HO_CHECK_H
#define HO_CHECK_H

#include "schema.h"

/* A broken rule. */
typedef struct ho_problem {
    const char *rule;  /* its id, see ho_rules */
    size_t limit;      /* 0: has none */
    char message[256]; /* one line, without the path */
} ho_problem;

/* Every rule there is, errors first. */
typedef struct ho_rule {
    const char *id;
    bool warning; /* legal, and surely not meant */
    const char *doc;
} ho_rule;
extern const ho_rule ho_rules[];
extern const size_t ho_rule_count;

/* A string against a field of kind HO_STRING (or a list's item of that kind) → HO_OK, or HO_INVALID with the problem
 * filled in. A zone that this system cannot check is no problem here. */
ho_code ho_check_string(const ho_field *field, const char *text, size_t len, ho_problem *problem);

/* Whether people who name that zone probably mean other clocks than it has, by the system's data, and then why. */
bool ho_zone_surprise(const char *text, size_t len, ho_problem *problem);

/* How many bytes of the text make at most `max` of them without half a character. */
int ho_clip(const char *text, int max);

/* Writes the text in double quotes, escaped to one line and cut after some forty characters, NUL-terminated → `out`. */
char *ho_quote(const char *text, size_t len, char *out, size_t room);

#endif
