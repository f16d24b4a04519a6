/* SPDX-License-Identifier: MIT */
/* Weekly schedules as sets of minutes of the week: 0 is monday 00:00, HO_WEEK_MINUTES is one past sunday's last. */
#ifndef HO_WEEK_H
#define HO_WEEK_H

#include "ho.h"

enum {
    HO_DAY_MINUTES = 24 * 60,
    HO_WEEK_MINUTES = 7 * HO_DAY_MINUTES,
    /* The API has no 24:00: what ends in its last minute of a day lasts to midnight, and midnight is written as this. */
    HO_DAY_LAST = HO_DAY_MINUTES - 1,
    HO_WEEK_WORDS = (HO_WEEK_MINUTES + 63) / 64
};

/* One slot of the API: on each day from first to last (0 monday … 6 sunday; first > last wraps over sunday), from
 * `start` up to `end`, minutes of the day as the API has them, start < end <= HO_DAY_LAST. */
typedef struct ho_slot {
    int first, last, start, end;
} ho_slot;

/* What is wrong with a slot's times, in words that follow them; `order` is as strcmp's of start and end, and not negative. */
const char *ho_slot_order(int order);

/* Whether the slot is open at some time on that day, 0 monday … 6 sunday. */
bool ho_slot_covers(const ho_slot *slot, int day);

/* Whether some day has a minute that lies in both. Slots that only touch (one ends when the other starts) do not. */
bool ho_slot_overlap(const ho_slot *a, const ho_slot *b);

/* --- sets ---------------------------------------------------------------------------------------------------------- */

/* A bit a minute, set where it is open; those beyond the week's end are never set. All zero: closed. */
typedef struct ho_week {
    uint64_t bits[HO_WEEK_WORDS];
} ho_week;

/* Minutes of the week, 0 <= from < HO_WEEK_MINUTES, from < to <= from + HO_WEEK_MINUTES: what goes beyond the week's end
 * goes on at its begin. */
typedef struct ho_span {
    int from, to;
} ho_span;

void ho_week_open(ho_week *week, ho_span span);

/* What is done to the first is done in place. */
void ho_week_add(ho_week *week, const ho_week *other);
void ho_week_subtract(ho_week *week, const ho_week *other);
void ho_week_intersect(ho_week *week, const ho_week *other);
void ho_week_invert(ho_week *week);

/* Every span that many minutes later, or earlier where they are negative, around the week. */
void ho_week_shift(ho_week *week, int64_t minutes);

bool ho_week_equal(const ho_week *a, const ho_week *b);
int ho_week_minutes(const ho_week *week);
bool ho_week_is_open(const ho_week *week, int minute);

/* How many minutes from that one on, around the week, are as it is; HO_WEEK_MINUTES where all are. */
int ho_week_run(const ho_week *week, int minute);

/* The open spans one by one, rising, as long as they can be: one that goes over sunday's midnight comes last. `*at` is 0 at
 * first and the function's own. False: there is none any more. */
bool ho_week_next(const ho_week *week, int *at, ho_span *span);

/* --- slots --------------------------------------------------------------------------------------------------------- */

/* Opens what the slot covers; what of it was open before is added to `twice`, which may be NULL. */
void ho_week_add_slot(ho_week *week, ho_week *twice, const ho_slot *slot);

/* The fewest slots of which each is a whole open span of its days, by first day, then start. Writes at most `room` of them →
 * how many there are: HO_WEEK_SLOTS at most. HO_DAY_LAST is what the API cannot tell from midnight: see ho_week_odd_minute. */
enum { HO_WEEK_SLOTS = HO_WEEK_MINUTES / 2 };
size_t ho_week_slots(const ho_week *week, ho_slot *slots, size_t room);

/* The first minute of the week that no slots can say: the last one of a day where it is not as the one before it. Or -1. */
int ho_week_odd_minute(const ho_week *week);

/* Makes the last minute of each day as the one before it, so that there is none. */
void ho_week_even(ho_week *week);

/* --- text ---------------------------------------------------------------------------------------------------------- */

/* What is wrong with a text, and where: a byte's offset. */
typedef struct ho_week_problem {
    size_t at;
    char message[256]; /* one line: what is wrong, and what to write */
} ho_week_problem;

/* The longest text that is read; no week that ho_week_text writes is longer. */
enum { HO_WEEK_TEXT = 65536 };

/* Reads hours as people write them → HO_OK, or HO_INVALID with the problem:
 *     hours = "closed" | item { (","|";"|newline|"and"|blank) item }
 *     item  = "24/7" | days [":" | ","] (span { [","] span } | "closed")     closed: what stands before it of these days is taken
 *             out, and a night's span is of the day that it starts on
 *     days  = day-or-range { [","] day-or-range }, or daily, weekdays, weekend; days from two letters on; a range may wrap
 *     span  = time ("-"|"–"|"to") time, to the next day where it ends before it starts
 *     time  = 9, 09:00, 9.30, 9am, 9:30 pm, noon, midnight, 24:00 (an end)
 * in any case. What could mean two things is refused, and the message says how to write either. `twice` gets what is said more
 * than once. */
ho_code ho_week_parse(const char *text, size_t len, ho_week *week, ho_week *twice, ho_week_problem *problem);

/* A day and a time, `fri 18:30`, → the minute of the week. */
ho_code ho_week_moment(const char *text, size_t len, int *minute, ho_week_problem *problem);

/* A length of time, `1h 30m`, `-45m`, `2h` → minutes, or HO_INVALID. */
ho_code ho_week_length(const char *text, size_t len, int *minutes);

/* Writes the hours so that they read back as the same week, but for an odd minute (ho_week_odd_minute): `mon-fri 09:00-17:30, sat
 * 10:00-14:00`, `closed`, `24/7`; a span over midnight that is shorter than a day is one of the day that it starts on. Like
 * snprintf: NUL-terminated where there is room → the length that it has or would have. */
size_t ho_week_text(const ho_week *week, char *out, size_t room);

/* The days, a bit each, monday's the lowest: `monday-friday`, `wednesday, saturday-monday`. */
enum { HO_DAYS_TEXT = 96 };
void ho_days_text(unsigned days, char out[HO_DAYS_TEXT]);

/* The span, as `fri 22:00-sat 02:00`, `fri 09:00-17:30`. */
enum { HO_SPAN_TEXT = 24 };
void ho_span_text(ho_span span, char out[HO_SPAN_TEXT]);

#endif
