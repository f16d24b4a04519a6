/* SPDX-License-Identifier: MIT */
/* Weekly schedules in minutes of the week: 0 is monday 00:00, HO_WEEK_MINUTES is one past sunday's last. */
#ifndef HO_WEEK_H
#define HO_WEEK_H

#include "ho.h"

enum { HO_DAY_MINUTES = 24 * 60, HO_WEEK_MINUTES = 7 * HO_DAY_MINUTES };

/* One slot of the API: on each day from first to last (0 monday … 6 sunday; first > last wraps over sunday), from
 * `start` up to `end`, minutes of the day, start < end. */
typedef struct ho_slot {
    int first, last, start, end;
} ho_slot;

/* Whether the slot is open at some time on that day, 0 monday … 6 sunday. */
bool ho_slot_covers(const ho_slot *slot, int day);

/* Whether some day has a minute that lies in both. Slots that only touch (one ends when the other starts) do not. */
bool ho_slot_overlap(const ho_slot *a, const ho_slot *b);

#endif
