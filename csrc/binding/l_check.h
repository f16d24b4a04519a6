/* SPDX-License-Identifier: MIT */
/* What walks a configuration and finds issues, and the list of them (l_issue.c). */
#ifndef HOL_CHECK_H
#define HOL_CHECK_H

#include "l_config.h"

typedef struct checker {
    lua_State *L;
    hol_doc *doc;
    int config, values; /* indices */
    int issues;         /* index of the list */
    int orders; /* index of a list beside it: where each issue's place comes in the document; 0: it stays unsorted */
    int count;
    int ignore;   /* index of a set of rule ids, or 0 */
    bool lenient; /* the service sent it so: what it broke is a warning */
} checker;

/* Adds an issue whose message is on top, unless its rule is ignored; pops the message. */
void hol_issue_add(checker *c, const char *severity, const hol_place *place, const char *rule);

/* Adds an issue: an error, but a warning where the service sent it so; a warning. */
void hol_broken(checker *c, const hol_place *place, const char *rule, const char *message);
void hol_warn(checker *c, const hol_place *place, const char *rule, const char *message);

/* Replaces the list of issues by one in the document's order: by place, those of one place as they were found. */
void hol_issues_sort(checker *c);

/* Pushes what identifies the issue on top wherever its item stands: path, rule and message without places, and, in a list whose
 * items have ids, the item's. `data`: index of the data of its part. */
void hol_issue_identity(lua_State *L, int data, const ho_field *part);

/* Pushes the field of the item's data on top: a string or number as it is, digits of a long number as a string; nil for what is
 * neither. */
void hol_push_key(lua_State *L, const char *field);

/* Slots (l_check_slots.c): what the list on top, `place`, breaks as a whole or surely does not mean; whether one of the list on top
 * opens a minute of the week. */
void hol_check_slots(checker *c, const hol_place *place);
bool hol_slots_open(lua_State *L);

/* Makes the metatable of issues; called once when the module opens. */
void hol_issue_open(lua_State *L);

#endif
