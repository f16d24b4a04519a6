/* SPDX-License-Identifier: MIT */
/* What a week offers to the other bindings. */
#ifndef HOL_WEEK_H
#define HOL_WEEK_H

#include "l_node.h"

#include "../core/week.h"

/* The minutes of the week at the index, or NULL where the value is none. */
const ho_week *hol_week_test(lua_State *L, int index);

/* --- slots (l_week_slots.c) -------------------------------------------------------------------------------------------- */

/* Whether the field is the list of slots, which a week may be given to. */
bool hol_is_hours(const ho_field *field);

/* What is wrong with a slot; `field` is NULL where it is all of it. */
typedef struct hol_slot_problem {
    const ho_field *field;
    ho_problem problem;
} hol_slot_problem;

/* Reads the slot on top, a table or a node, which stays there → whether it is one. What is not valid is -1 in it, and `wrong` is the
 * first of that. */
bool hol_slot_read(lua_State *L, ho_slot *slot, hol_slot_problem *wrong);

/* Reads the list's data at the index into the week → true where every item is a slot; the week is left as it is otherwise. */
bool hol_week_of_slots(lua_State *L, int data, ho_week *week);

/* Pushes the fewest slots of the week, a list of plain tables. Raises where no slots can say it. */
void hol_week_push_slots(lua_State *L, const ho_week *week);

/* The same, made of the slots of the list's data at the index: those that stay what they were, then those of the same days, then
 * of the same times keep their place, id and all that only the service understands; new ones come last. */
void hol_week_push_onto(lua_State *L, const ho_week *week, int data);

#endif
