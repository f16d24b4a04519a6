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

int main(void) {
    covers();
    overlaps();
    every_pair_of_spans();
    return test_summary();
}
