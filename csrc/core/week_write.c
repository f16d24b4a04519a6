/* SPDX-License-Identifier: MIT */
/* A week as text that reads back as the same. */
#include "rule.h"
#include "week.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct writer {
    char *out;
    size_t room, len;
} writer;

__attribute__((format(printf, 2, 3))) static void add(writer *w, const char *format, ...) {
    va_list args;
    va_start(args, format);
    bool fits = w->len < w->room;
    int size = vsnprintf(fits ? w->out + w->len : NULL, fits ? w->room - w->len : 0, format, args);
    va_end(args);
    if (size > 0) w->len += (size_t)size;
}

/* The longest span over midnight that reads well as one, 13:30-07:30; of a longer one each day has its own part. */
enum { LONGEST_NIGHT = 18 * 60 };

/* A week, and which days begin in a night: an open span that goes on over that midnight, and is the day's that it starts on. */
typedef struct nights {
    const ho_week *week;
    bool before[7];
} nights;

static nights find_nights(const ho_week *week) {
    nights n = {.week = week};
    ho_span span;
    for (int at = 0; ho_week_next(week, &at, &span);) {
        int next = span.from / HO_DAY_MINUTES + 1;
        if (span.to - span.from <= LONGEST_NIGHT && span.to > next * HO_DAY_MINUTES) n.before[next % 7] = true;
    }
    return n;
}

/* The next span of a day as it is written, minutes of the day; a night's `to` exceeds it. `*at` is 0 at first. */
static bool next_span(const nights *n, int day, int *at, ho_span *span) {
    const ho_week *week = n->week;
    int begin = day * HO_DAY_MINUTES;
    if (*at == 0 && n->before[day]) *at = ho_week_run(week, begin);
    if (*at < HO_DAY_MINUTES && !ho_week_is_open(week, begin + *at)) *at += ho_week_run(week, begin + *at);
    if (*at >= HO_DAY_MINUTES) return false;
    int to = *at + ho_week_run(week, begin + *at);
    if (to > HO_DAY_MINUTES && !n->before[(day + 1) % 7]) to = HO_DAY_MINUTES;
    *span = (ho_span){*at, to};
    *at = to;
    return true;
}

static bool are_alike(const nights *n, int day, int other) {
    ho_span a = {0}, b = {0};
    for (int at = 0, there = 0;;) {
        bool more = next_span(n, day, &at, &a);
        if (more != next_span(n, other, &there, &b)) return false;
        if (!more) return true;
        if (a.from != b.from || a.to != b.to) return false;
    }
}

/* The days in ranges, by so many letters. */
static void add_days(writer *w, unsigned days, int letters, const char *separator) {
    const char *before = "";
    if (days == 0x7F) {
        add(w, "%.*s-%.*s", letters, ho_days[0], letters, ho_days[6]);
        return;
    }
    for (int day = 0; day < 7; day++) {
        int last = day;
        if (!(days >> day & 1) || days >> (day + 6) % 7 & 1) continue;
        while (days >> (last + 1) % 7 & 1) last = (last + 1) % 7;
        add(w, "%s%.*s", before, letters, ho_days[day]);
        if (last != day) add(w, "-%.*s", letters, ho_days[last]);
        before = separator;
    }
}

void ho_days_text(unsigned days, char out[HO_DAYS_TEXT]) {
    writer w = {.out = out, .room = HO_DAYS_TEXT};
    out[0] = '\0';
    add_days(&w, days, 9, ", ");
}

static void add_time(writer *w, int minute, bool is_end) {
    int hour = is_end && minute == HO_DAY_MINUTES ? 24 : minute / 60 % 24;
    add(w, "%02d:%02d", hour, minute % 60);
}

static void add_spans(writer *w, const nights *n, int day) {
    ho_span span;
    for (int at = 0; next_span(n, day, &at, &span);) {
        add(w, " ");
        add_time(w, span.from, false);
        add(w, "-");
        add_time(w, span.to, true);
    }
}

size_t ho_week_text(const ho_week *week, char *out, size_t room) {
    writer w = {.out = out, .room = room};
    nights n = find_nights(week);
    int open = ho_week_minutes(week);
    unsigned done = 0;
    if (open == 0 || open == HO_WEEK_MINUTES) {
        add(&w, open == 0 ? "closed" : "24/7");
        return w.len;
    }
    for (int day = 0; day < 7; day++) {
        unsigned days = 0;
        ho_span span;
        int at = 0;
        if (done >> day & 1 || !next_span(&n, day, &at, &span)) continue;
        for (int other = day; other < 7; other++)
            if (are_alike(&n, day, other)) days |= 1u << other;
        if (w.len > 0) add(&w, ", ");
        add_days(&w, days, 3, ",");
        add_spans(&w, &n, day);
        done |= days;
    }
    return w.len;
}

void ho_span_text(ho_span span, char out[HO_SPAN_TEXT]) {
    writer w = {.out = out, .room = HO_SPAN_TEXT};
    if (span.to - span.from >= HO_WEEK_MINUTES) {
        add(&w, "24/7");
        return;
    }
    int day = span.from / HO_DAY_MINUTES, last = (span.to - 1) / HO_DAY_MINUTES;
    add(&w, "%.3s ", ho_days[day]);
    add_time(&w, span.from % HO_DAY_MINUTES, false);
    add(&w, last == day ? "-" : "-%.3s ", ho_days[last % 7]);
    add_time(&w, span.to - last * HO_DAY_MINUTES, true);
}
