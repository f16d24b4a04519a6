/* SPDX-License-Identifier: MIT */
#include "../../csrc/core/week.h"

#include "test.h"

static void covers(void) {
    static const struct {
        int line, first, last;
        const char *open; /* monday to sunday */
    } rows[] = {
        {__LINE__, 0, 0, "x......"}, {__LINE__, 6, 6, "......x"}, {__LINE__, 3, 3, "...x..."},
        {__LINE__, 0, 4, "xxxxx.."}, {__LINE__, 0, 6, "xxxxxxx"}, {__LINE__, 5, 0, "x....xx"},
        {__LINE__, 6, 0, "x.....x"}, {__LINE__, 6, 5, "xxxxxxx"}, {__LINE__, 4, 2, "xxx.xxx"},
        {__LINE__, 5, 6, ".....xx"},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        ho_slot slot = {rows[i].first, rows[i].last, 0, 60};
        for (int day = 0; day < 7; day++)
            CHECK_AT(rows[i].line, ho_slot_covers(&slot, day) == (rows[i].open[day] == 'x'), "day %d", day);
    }
}

static void overlaps(void) {
    static const struct {
        int line;
        ho_slot a, b;
        bool overlap;
    } rows[] = {
        {__LINE__, {0, 0, 540, 1020}, {0, 0, 540, 1020}, true},
        {__LINE__, {0, 0, 540, 1020}, {0, 0, 1020, 1080}, false}, /* they only touch */
        {__LINE__, {0, 0, 540, 1020}, {0, 0, 1019, 1080}, true},
        {__LINE__, {0, 0, 540, 1020}, {0, 0, 600, 660}, true}, /* one within the other */
        {__LINE__, {0, 0, 540, 1020}, {1, 1, 540, 1020}, false},
        {__LINE__, {0, 4, 540, 1020}, {4, 6, 540, 1020}, true},
        {__LINE__, {0, 4, 540, 1020}, {5, 6, 540, 1020}, false},
        {__LINE__, {5, 0, 540, 1020}, {0, 0, 600, 660}, true}, /* over sunday */
        {__LINE__, {5, 0, 540, 1020}, {1, 4, 540, 1020}, false},
        {__LINE__, {5, 0, 540, 1020}, {6, 6, 0, 541}, true},
        {__LINE__, {5, 0, 540, 1020}, {4, 1, 1020, 1439}, false},
        {__LINE__, {6, 0, 0, 1}, {0, 6, 0, 1439}, true},
        {__LINE__, {0, 0, 0, 1}, {0, 0, 1, 2}, false},
        {__LINE__, {0, 6, 1438, 1439}, {3, 3, 0, 1439}, true},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        CHECK_AT(rows[i].line, ho_slot_overlap(&rows[i].a, &rows[i].b) == rows[i].overlap, "a and b");
        CHECK_AT(rows[i].line, ho_slot_overlap(&rows[i].b, &rows[i].a) == rows[i].overlap, "b and a");
    }
}

/* Every pair of spans of days, against the days counted one by one. */
static void every_pair_of_spans(void) {
    for (int n = 0; n < 7 * 7 * 7 * 7; n++) {
        ho_slot a = {n % 7, n / 7 % 7, 0, 10}, b = {n / 49 % 7, n / 343, 5, 15};
        bool common = false;
        for (int day = a.first;; day = (day + 1) % 7) {
            for (int other = b.first;; other = (other + 1) % 7) {
                common = common || day == other;
                if (other == b.last) break;
            }
            if (day == a.last) break;
        }
        CHECK(ho_slot_overlap(&a, &b) == common, "%d-%d and %d-%d", a.first, a.last, b.first, b.last);
    }
}

/* --- sets ---------------------------------------------------------------------------------------------------------- */

static ho_week week_of(const char *text) {
    ho_week week = {0}, twice;
    ho_week_problem problem;
    CHECK(ho_week_parse(text, strlen(text), &week, &twice, &problem) == HO_OK, "%s", text);
    return week;
}

static void runs(void) {
    static const struct {
        int line;
        const char *text;
        int minute, run;
    } rows[] = {
        {__LINE__, "mon 00:00-01:00", 0, 60},      {__LINE__, "mon 00:00-01:00", 59, 1},
        {__LINE__, "mon 00:00-01:00", 60, 10020},  {__LINE__, "mon 00:00-01:00", 10079, 1},
        {__LINE__, "sun 23:00-01:00", 10020, 120}, {__LINE__, "sun 23:00-01:00", 10079, 61},
        {__LINE__, "24/7", 5000, HO_WEEK_MINUTES}, {__LINE__, "closed", 10079, HO_WEEK_MINUTES},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        ho_week week = week_of(rows[i].text);
        int run = ho_week_run(&week, rows[i].minute);
        CHECK_AT(rows[i].line, run == rows[i].run, "%s from %d: %d", rows[i].text, rows[i].minute, run);
    }
}

/* The last minute of a day is midnight to the API, whether slots or a text say it. */
static void last_minute(void) {
    ho_week slots = {0}, text = week_of("mon 22:00-24:00"), odd = {0};
    ho_slot slot = {0, 0, 22 * 60, HO_DAY_LAST}, made;
    ho_week_add_slot(&slots, NULL, &slot);
    CHECK(ho_week_equal(&slots, &text) && ho_week_minutes(&slots) == 120, "23:59 lasts to midnight");
    CHECK(ho_week_slots(&slots, &made, 1) == 1 && made.end == HO_DAY_LAST, "midnight is written as 23:59");
    CHECK(ho_week_odd_minute(&slots) == -1, "a day's end");
    ho_week_open(&odd, (ho_span){HO_DAY_LAST, HO_DAY_MINUTES + 60});
    CHECK(ho_week_odd_minute(&odd) == HO_DAY_LAST, "a minute that no slot says");
    ho_week_even(&odd);
    CHECK(ho_week_odd_minute(&odd) == -1 && ho_week_minutes(&odd) == 60 && ho_week_is_open(&odd, HO_DAY_MINUTES),
          "as the minute before it");
}

/* Every other minute, one less on each day so that no two are alike: the longest text there is, and the most slots. */
static void longest(void) {
    static char text[HO_WEEK_TEXT];
    ho_week week = {0}, again = {0}, twice;
    ho_week_problem problem;
    for (int minute = 0; minute < HO_WEEK_MINUTES; minute += 2)
        if (minute % HO_DAY_MINUTES < HO_DAY_LAST - 1 && minute % HO_DAY_MINUTES != 2 * (minute / HO_DAY_MINUTES))
            ho_week_open(&week, (ho_span){minute, minute + 1});
    size_t len = ho_week_text(&week, text, sizeof text);
    CHECK(len > 60000 && len < sizeof text, "%zu bytes", len);
    CHECK(ho_week_parse(text, len, &again, &twice, &problem) == HO_OK && ho_week_equal(&week, &again), "read again");
    CHECK(ho_week_slots(&week, NULL, 0) <= HO_WEEK_SLOTS, "slots");
    CHECK(ho_week_text(&week, text, 10) == len && strlen(text) == 9, "cut where there is no room");
}

static void lengths(void) {
    static const struct {
        int line;
        const char *text;
        int minutes; /* -1: refused */
    } rows[] = {
        {__LINE__, "1h 30m", 90}, {__LINE__, "45m", 45},      {__LINE__, "+2 hours", 120}, {__LINE__, " 1h30min ", 90},
        {__LINE__, "", -1},       {__LINE__, "-", -1},        {__LINE__, "90", -1},        {__LINE__, "30m 1h", -1},
        {__LINE__, "99999h", -1}, {__LINE__, "1h 30m x", -1}, {__LINE__, "1.5h", -1},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        int minutes = -1;
        ho_code code = ho_week_length(rows[i].text, strlen(rows[i].text), &minutes);
        CHECK_AT(rows[i].line, minutes == rows[i].minutes && (code == HO_OK) == (minutes >= 0), "%d", minutes);
    }
}

int main(void) {
    runs();
    last_minute();
    longest();
    lengths();
    covers();
    overlaps();
    every_pair_of_spans();
    return test_summary();
}
