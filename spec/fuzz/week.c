/* SPDX-License-Identifier: MIT */
/* For libFuzzer, see `make fuzz`. Two texts, with a | between them, and what stands after a second | as spans in bytes.
 * Held: nothing beyond the text is read; what is refused is so at a character, on one line; what is read is written and read
 * again as the same; the fewest slots are as few as a search finds; the laws of sets. */
#include "../../csrc/core/week.h"
#include "../../csrc/core/rule.h"

#include <stdlib.h>
#include <string.h>

static void hold(bool ok) {
    if (!ok) abort();
}

/* --- the fewest slots, found another way --------------------------------------------------------------------------- */

static unsigned days_of(int first, int last) {
    unsigned days = 0;
    for (int day = first;; day = (day + 1) % 7) {
        days |= 1u << day;
        if (day == last) return days;
    }
}

/* For every set of days, how many ranges of days it takes at least to make it: of all unions, tried until none is less. */
static void search_ranges(int fewest[128]) {
    fewest[0] = 0;
    for (int i = 1; i < 128; i++) fewest[i] = 8;
    for (bool better = true; better;) {
        better = false;
        for (unsigned days = 0; days < 128; days++)
            for (int range = 0; range < 49; range++) {
                unsigned made = days | days_of(range / 7, range % 7);
                if (fewest[made] <= fewest[days] + 1) continue;
                fewest[made] = fewest[days] + 1;
                better = true;
            }
    }
}

static bool begins(const ho_week *week, int day, int minute) {
    int at = day * HO_DAY_MINUTES + minute;
    return ho_week_is_open(week, at) && (minute == 0 || !ho_week_is_open(week, at - 1));
}

static int end_of(const ho_week *week, int day, int minute) {
    int end = minute + ho_week_run(week, day * HO_DAY_MINUTES + minute);
    return end < HO_DAY_MINUTES ? end : HO_DAY_MINUTES;
}

static size_t count_slots(const ho_week *week) {
    static int fewest[128];
    if (fewest[127] == 0) search_ranges(fewest);
    size_t count = 0;
    for (int day = 0; day < 7; day++)
        for (int from = 0; from < HO_DAY_MINUTES; from++) {
            if (!begins(week, day, from)) {
                from += ho_week_run(week, day * HO_DAY_MINUTES + from) - 1;
                continue;
            }
            unsigned days = 0;
            for (int other = 0; other < 7; other++)
                if (begins(week, other, from) && end_of(week, other, from) == end_of(week, day, from))
                    days |= 1u << other;
            if ((days & ((1u << day) - 1)) == 0) count += (size_t)fewest[days];
        }
    return count;
}

/* --- what is held of a week ---------------------------------------------------------------------------------------- */

static void hold_slots(const ho_week *week) {
    static ho_slot slots[HO_WEEK_SLOTS];
    ho_week made = {0}, twice = {0}, none = {0};
    size_t count = ho_week_slots(week, slots, HO_WEEK_SLOTS);
    hold(count <= HO_WEEK_SLOTS && count == ho_week_slots(week, NULL, 0) && count == count_slots(week));
    for (size_t i = 0; i < count; i++) {
        if (ho_week_odd_minute(week) < 0) hold(slots[i].start < slots[i].end);
        ho_week_add_slot(&made, &twice, &slots[i]);
        if (i > 0)
            hold(slots[i - 1].first < slots[i].first ||
                 (slots[i - 1].first == slots[i].first && slots[i - 1].start < slots[i].start));
    }
    if (ho_week_odd_minute(week) < 0) hold(ho_week_equal(&made, week) && ho_week_equal(&twice, &none));
    ho_week even = *week;
    ho_week_even(&even);
    hold(ho_week_odd_minute(&even) < 0 && ho_week_equal(&even, week) == (ho_week_odd_minute(week) < 0));
}

static void hold_text(const ho_week *week) {
    static char text[HO_WEEK_TEXT + 1], again[HO_WEEK_TEXT + 1];
    ho_week read, twice;
    ho_week_problem problem;
    size_t len = ho_week_text(week, text, sizeof text);
    hold(len <= HO_WEEK_TEXT && strlen(text) == len && ho_week_text(week, NULL, 0) == len);
    if (ho_week_odd_minute(week) >= 0) return;
    hold(ho_week_parse(text, len, &read, &twice, &problem) == HO_OK && ho_week_equal(&read, week));
    hold(ho_week_minutes(&twice) == 0);
    hold(ho_week_text(&read, again, sizeof again) == len && memcmp(text, again, len) == 0);
}

static void hold_spans(const ho_week *week) {
    ho_span span;
    int sum = 0, last = -1;
    for (int at = 0; ho_week_next(week, &at, &span);) {
        char text[HO_SPAN_TEXT];
        hold(span.from > last && span.from < HO_WEEK_MINUTES && span.to > span.from);
        hold(ho_week_run(week, span.from) == span.to - span.from);
        ho_span_text(span, text);
        hold(strlen(text) > 2);
        sum += span.to - span.from;
        last = span.to;
    }
    hold(sum == ho_week_minutes(week));
}

static void hold_week(const ho_week *week, int by) {
    ho_week other = *week;
    ho_week_invert(&other);
    hold(ho_week_minutes(&other) + ho_week_minutes(week) == HO_WEEK_MINUTES);
    ho_week_invert(&other);
    hold(ho_week_equal(&other, week));
    ho_week_shift(&other, by);
    hold(ho_week_minutes(&other) == ho_week_minutes(week));
    hold(ho_week_is_open(&other, (by % HO_WEEK_MINUTES + HO_WEEK_MINUTES) % HO_WEEK_MINUTES) ==
         ho_week_is_open(week, 0));
    hold_text(&other);
    hold_slots(&other);
    hold_spans(&other);
    ho_week_shift(&other, -(int64_t)by);
    hold(ho_week_equal(&other, week));
    hold_text(week);
    hold_slots(week);
    hold_spans(week);
}

static void hold_sets(const ho_week *a, const ho_week *b) {
    ho_week without = *a, both = *a, either = *a, none = *a, all;
    ho_week_subtract(&without, b);
    ho_week_intersect(&both, b);
    ho_week_add(&either, b);
    ho_week_intersect(&none, b);
    ho_week_subtract(&none, b);
    hold(ho_week_minutes(&none) == 0);
    hold(ho_week_minutes(a) + ho_week_minutes(b) == ho_week_minutes(&either) + ho_week_minutes(&both));
    all = without;
    ho_week_intersect(&all, b);
    hold(ho_week_minutes(&all) == 0);
    all = without;
    ho_week_add(&all, &both);
    hold(ho_week_equal(&all, a));
    ho_week_invert(&either); /* neither: a and b inverted, both */
    ho_week not_a = *a, not_b = *b;
    ho_week_invert(&not_a);
    ho_week_invert(&not_b);
    ho_week_intersect(&not_a, &not_b);
    hold(ho_week_equal(&either, &not_a));
}

/* --- what is held of a text ---------------------------------------------------------------------------------------- */

static void hold_problem(const char *text, size_t len, const ho_week_problem *problem) {
    size_t size = strlen(problem->message);
    hold(problem->at <= len && size > 0 && size + 1 < sizeof problem->message);
    hold(ho_utf8_length(text, problem->at, NULL) != SIZE_MAX);
    hold(ho_utf8_length(problem->message, size, NULL) != SIZE_MAX);
    for (size_t i = 0; i < size; i++) hold((unsigned char)problem->message[i] >= 0x20);
}

/* The text's week, in a block of the text's size; closed where it is refused. */
static ho_week read(const uint8_t *data, size_t len) {
    ho_week week = {0}, twice = {0}, both;
    ho_week_problem problem;
    int minute = 0;
    char *text = malloc(len > 0 ? len : 1);
    if (text == NULL) abort();
    if (len > 0) memcpy(text, data, len);
    if (ho_week_parse(text, len, &week, &twice, &problem) != HO_OK) hold_problem(text, len, &problem);
    both = twice;
    ho_week_subtract(&both, &week);
    hold(ho_week_minutes(&both) == 0 && ho_week_odd_minute(&week) < 0);
    if (ho_week_moment(text, len, &minute, &problem) != HO_OK) hold_problem(text, len, &problem);
    hold(minute >= 0 && minute < HO_WEEK_MINUTES);
    ho_week_length(text, len, &minute);
    free(text);
    return week;
}

static size_t part(const uint8_t *data, size_t len) {
    const uint8_t *bar = len > 0 ? memchr(data, '|', len) : NULL;
    return bar != NULL ? (size_t)(bar - data) : len;
}

/* Spans of four bytes each, added. */
static ho_week of_bytes(const uint8_t *data, size_t len) {
    ho_week week = {0};
    for (size_t i = 0; i + 4 <= len; i += 4) {
        int from = (data[i] << 8 | data[i + 1]) % HO_WEEK_MINUTES;
        int count = (data[i + 2] << 8 | data[i + 3]) % HO_WEEK_MINUTES + 1;
        ho_week_open(&week, (ho_span){from, from + count});
    }
    return week;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    size_t first = part(data, len), rest = first < len ? first + 1 : len;
    size_t second = part(data + rest, len - rest), raw = rest + second < len ? rest + second + 1 : len;
    ho_week a = read(data, first), b = read(data + rest, second), c = of_bytes(data + raw, len - raw);
    int by = len > 1 ? (data[len - 1] << 8 | data[len - 2]) - 0x8000 : 0;
    hold_week(&a, by);
    hold_week(&c, 7 * by);
    hold_sets(&a, &b);
    hold_sets(&c, &a);
    return 0;
}
