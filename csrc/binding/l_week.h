/* SPDX-License-Identifier: MIT */
/* What a week offers to the other bindings. */
#ifndef HOL_WEEK_H
#define HOL_WEEK_H

#include "hol.h"

#include "../core/week.h"

/* The minutes of the week at the index, or NULL where the value is none. */
const ho_week *hol_week_test(lua_State *L, int index);

/* Pushes the fewest slots of the week, a plain list of plain tables. Raises where no slots can say it. */
void hol_week_push_slots(lua_State *L, const ho_week *week);

/* Opens in the week what a list's data at the index says, where every slot is one → false, otherwise. */
bool hol_week_of_slots(lua_State *L, int data, ho_week *week);

#endif
