/* SPDX-License-Identifier: MIT */
#include "week.h"

#include <string.h>

bool ho_slot_covers(const ho_slot *slot, int day) {
    if (slot->first <= slot->last) return slot->first <= day && day <= slot->last;
    return day >= slot->first || day <= slot->last;
}

const char *ho_slot_order(int order) {
    return order > 0 ? "ends before it starts; a night shift is two slots"
                     : "ends when it starts; a slot that lasts all day is 00:00 to 23:59";
}

bool ho_slot_overlap(const ho_slot *a, const ho_slot *b) {
    if (a->start >= b->end || b->start >= a->end) return false;
    for (int day = 0; day < 7; day++)
        if (ho_slot_covers(a, day) && ho_slot_covers(b, day)) return true;
    return false;
}

/* --- sets ---------------------------------------------------------------------------------------------------------- */

/* Sets or clears the bits from `from` up to `to`, of a week that ends there. */
static void set_bits(ho_week *week, int from, int to, bool open) {
    while (from < to) {
        int word = from / 64, left = 64 - from % 64;
        int count = left < to - from ? left : to - from;
        uint64_t mask = (count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1) << from % 64;
        if (open)
            week->bits[word] |= mask;
        else
            week->bits[word] &= ~mask;
        from += count;
    }
}

void ho_week_open(ho_week *week, ho_span span) {
    if (span.to <= HO_WEEK_MINUTES) {
        set_bits(week, span.from, span.to, true);
    } else {
        set_bits(week, span.from, HO_WEEK_MINUTES, true);
        set_bits(week, 0, span.to - HO_WEEK_MINUTES, true);
    }
}

void ho_week_add(ho_week *week, const ho_week *other) {
    for (int i = 0; i < HO_WEEK_WORDS; i++) week->bits[i] |= other->bits[i];
}

void ho_week_subtract(ho_week *week, const ho_week *other) {
    for (int i = 0; i < HO_WEEK_WORDS; i++) week->bits[i] &= ~other->bits[i];
}

void ho_week_intersect(ho_week *week, const ho_week *other) {
    for (int i = 0; i < HO_WEEK_WORDS; i++) week->bits[i] &= other->bits[i];
}

void ho_week_invert(ho_week *week) {
    ho_week all = {0};
    set_bits(&all, 0, HO_WEEK_MINUTES, true);
    ho_week_subtract(&all, week);
    *week = all;
}

void ho_week_shift(ho_week *week, int64_t minutes) {
    int by = (int)((minutes % HO_WEEK_MINUTES + HO_WEEK_MINUTES) % HO_WEEK_MINUTES);
    ho_week shifted = {0};
    ho_span span;
    for (int at = 0; ho_week_next(week, &at, &span);) {
        int from = (span.from + by) % HO_WEEK_MINUTES;
        ho_week_open(&shifted, (ho_span){from, from + span.to - span.from});
    }
    *week = shifted;
}

bool ho_week_equal(const ho_week *a, const ho_week *b) {
    return memcmp(a->bits, b->bits, sizeof a->bits) == 0;
}

int ho_week_minutes(const ho_week *week) {
    int count = 0;
    for (int i = 0; i < HO_WEEK_WORDS; i++) count += __builtin_popcountll(week->bits[i]);
    return count;
}

bool ho_week_is_open(const ho_week *week, int minute) {
    return week->bits[minute / 64] >> minute % 64 & 1;
}

/* The first minute from that one on, up to the week's end, that is open, or closed; HO_WEEK_MINUTES where none is. */
static int find(const ho_week *week, int minute, bool open) {
    for (int word = minute / 64; word < HO_WEEK_WORDS; word++) {
        uint64_t bits = open ? week->bits[word] : ~week->bits[word];
        if (word == minute / 64) bits &= UINT64_MAX << minute % 64;
        if (bits == 0) continue;
        int found = word * 64 + __builtin_ctzll(bits);
        return found < HO_WEEK_MINUTES ? found : HO_WEEK_MINUTES;
    }
    return HO_WEEK_MINUTES;
}

int ho_week_run(const ho_week *week, int minute) {
    bool open = ho_week_is_open(week, minute);
    int end = find(week, minute, !open);
    if (end == HO_WEEK_MINUTES) end += find(week, 0, !open);
    return end - minute < HO_WEEK_MINUTES ? end - minute : HO_WEEK_MINUTES;
}

/* `*at` is where to look from; a span at the week's begin that belongs to one at its end is left to that. */
bool ho_week_next(const ho_week *week, int *at, ho_span *span) {
    if (*at >= HO_WEEK_MINUTES) return false;
    bool wraps = ho_week_is_open(week, HO_WEEK_MINUTES - 1) && ho_week_is_open(week, 0);
    if (*at == 0 && wraps) {
        int closed = find(week, 0, false);
        if (closed == HO_WEEK_MINUTES) {
            *at = HO_WEEK_MINUTES;
            *span = (ho_span){0, HO_WEEK_MINUTES};
            return true;
        }
        *at = closed;
    }
    int from = find(week, *at, true);
    if (from == HO_WEEK_MINUTES) return false;
    *span = (ho_span){from, from + ho_week_run(week, from)};
    *at = span->to;
    return true;
}

/* --- slots --------------------------------------------------------------------------------------------------------- */

static bool is_daily_last(int minute) {
    return minute % HO_DAY_MINUTES == HO_DAY_LAST;
}

void ho_week_add_slot(ho_week *week, ho_week *twice, const ho_slot *slot) {
    ho_week added = {0};
    int end = is_daily_last(slot->end) ? HO_DAY_MINUTES : slot->end;
    for (int day = 0; day < 7; day++)
        if (ho_slot_covers(slot, day))
            ho_week_open(&added, (ho_span){day * HO_DAY_MINUTES + slot->start, day * HO_DAY_MINUTES + end});
    if (twice != NULL) {
        ho_week both = added;
        ho_week_intersect(&both, week);
        ho_week_add(twice, &both);
    }
    ho_week_add(week, &added);
}

/* The end of the span that is open at the minute, or its day's. */
static int end_in_day(const ho_week *week, int minute) {
    int midnight = (minute / HO_DAY_MINUTES + 1) * HO_DAY_MINUTES, closed = find(week, minute, false);
    return closed < midnight ? closed : midnight;
}

/* Whether a span of the day is from and to those minutes of it. */
static bool has_span(const ho_week *week, int day, int start, int end) {
    int from = day * HO_DAY_MINUTES + start;
    if (!ho_week_is_open(week, from) || (start > 0 && ho_week_is_open(week, from - 1))) return false;
    return end_in_day(week, from) == day * HO_DAY_MINUTES + end;
}

/* Of a span of the day, the slot that begins with it → false where a day before has it, whose slot it is. */
static bool slot_of(const ho_week *week, int day, int start, int end, ho_slot *slot) {
    int days = 1;
    while (days < 7 && has_span(week, (day + days) % 7, start, end)) days++;
    if (days == 7 ? day > 0 : has_span(week, (day + 6) % 7, start, end)) return false;
    *slot = (ho_slot){day, (day + days - 1) % 7, start, end == HO_DAY_MINUTES ? HO_DAY_LAST : end};
    return true;
}

size_t ho_week_slots(const ho_week *week, ho_slot *slots, size_t room) {
    size_t count = 0;
    for (int day = 0; day < 7; day++) {
        int begin = day * HO_DAY_MINUTES, midnight = begin + HO_DAY_MINUTES;
        for (int from = find(week, begin, true); from < midnight;) {
            int to = end_in_day(week, from);
            ho_slot slot;
            if (slot_of(week, day, from - begin, to - begin, &slot)) {
                if (count < room) slots[count] = slot;
                count++;
            }
            from = find(week, to, true);
        }
    }
    return count;
}

int ho_week_odd_minute(const ho_week *week) {
    for (int minute = HO_DAY_LAST; minute < HO_WEEK_MINUTES; minute += HO_DAY_MINUTES)
        if (ho_week_is_open(week, minute) != ho_week_is_open(week, minute - 1)) return minute;
    return -1;
}

void ho_week_even(ho_week *week) {
    for (int minute = HO_DAY_LAST; minute < HO_WEEK_MINUTES; minute += HO_DAY_MINUTES)
        set_bits(week, minute, minute + 1, ho_week_is_open(week, minute - 1));
}
