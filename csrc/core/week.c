/* SPDX-License-Identifier: MIT */
#include "week.h"

bool ho_slot_covers(const ho_slot *slot, int day) {
    if (slot->first <= slot->last) return slot->first <= day && day <= slot->last;
    return day >= slot->first || day <= slot->last;
}

bool ho_slot_overlap(const ho_slot *a, const ho_slot *b) {
    if (a->start >= b->end || b->start >= a->end) return false;
    for (int day = 0; day < 7; day++)
        if (ho_slot_covers(a, day) && ho_slot_covers(b, day)) return true;
    return false;
}
