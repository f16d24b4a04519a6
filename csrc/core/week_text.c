/* SPDX-License-Identifier: MIT */
/* Hours as people write them, read. */
#include "check.h"
#include "rule.h"
#include "week.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- a text being read --------------------------------------------------------------------------------------------- */

/* What is said of a day: a night's span is all of the day that it starts on, so that "sat 18:00-02:00, sun closed" keeps it. */
typedef struct said {
    ho_week open, twice;
} said;

typedef struct reader {
    const char *text;
    size_t len, at;
    said *days; /* seven */
    ho_week_problem *problem;
} reader;

__attribute__((format(printf, 3, 4))) static bool refuse(reader *r, size_t at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    r->problem->at = at;
    vsnprintf(r->problem->message, sizeof r->problem->message, format, args);
    va_end(args);
    return false;
}

/* The bytes of the sequence, if the text goes on with it. */
static size_t sequence(const reader *r, const char *bytes) {
    size_t size = strlen(bytes);
    return r->len - r->at >= size && memcmp(r->text + r->at, bytes, size) == 0 ? size : 0;
}

static size_t any_of(const reader *r, const char *const *sequences) {
    size_t size = 0;
    for (; *sequences != NULL && size == 0; sequences++) size = sequence(r, *sequences);
    return size;
}

/* Those that are pasted, too: no-break, narrow and typographic spaces. */
static void skip_blanks(reader *r) {
    static const char *const blanks[] = {
        " ",      "\t",     "\r",     "\u00A0", "\u2002", "\u2003", "\u2004", "\u2005",
        "\u2006", "\u2007", "\u2008", "\u2009", "\u200A", "\u202F", "\u3000", NULL,
    };
    for (size_t size; (size = any_of(r, blanks)) > 0;) r->at += size;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char peek(const reader *r, size_t ahead) {
    return ahead < r->len - r->at ? lower(r->text[r->at + ahead]) : '\0';
}

static bool is_letter(char c) {
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static size_t word_length(const reader *r) {
    size_t size = 0;
    while (is_letter(peek(r, size))) size++;
    return size;
}

/* Whether the next word is that one, in any case. */
static bool at_word(const reader *r, const char *word) {
    size_t len = strlen(word);
    for (size_t i = 0; i < len; i++)
        if (peek(r, i) != word[i]) return false;
    return !is_letter(peek(r, len));
}

static bool take_word(reader *r, const char *word) {
    if (!at_word(r, word)) return false;
    r->at += strlen(word);
    return true;
}

/* A dash of any kind, or "to", with blanks about it. */
static bool take_dash(reader *r) {
    static const char *const dashes[] = {"-", "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212", NULL};
    size_t before = r->at;
    skip_blanks(r);
    size_t size = any_of(r, dashes);
    r->at += size;
    if (size > 0 || take_word(r, "to")) {
        skip_blanks(r);
        return true;
    }
    r->at = before;
    return false;
}

/* --- days ---------------------------------------------------------------------------------------------------------- */

enum { ALL_DAYS = 0x7F, WEEKDAYS = 0x1F, WEEKEND = 0x60, QUOTED = 80 };

/* What may stand for hours, and for a time: slips are held against these. */
static const char *const item_words[] = {
    "monday", "tuesday",  "wednesday", "thursday", "friday", "saturday", "sunday",
    "daily",  "weekdays", "weekend",   "closed",   "noon",   "midnight", NULL,
};
static const char *const time_words[] = {"noon", "midnight", NULL};
static const char *const no_words[] = {NULL};

/* The day that the next word is, a prefix of two letters or more, or a plural; -1: it is none. */
static int at_day(const reader *r) {
    size_t size = word_length(r);
    for (int day = 0; day < 7; day++) {
        size_t whole = strlen(ho_days[day]), i = 0;
        while (i < size && i < whole && peek(r, i) == ho_days[day][i]) i++;
        if (size >= 2 && (i == size || (i == whole && size == whole + 1 && peek(r, i) == 's'))) return day;
    }
    return -1;
}

/* The days that the next word means by itself, or 0; a dot may end a day cut short. */
static unsigned take_days_word(reader *r) {
    static const struct {
        const char *word;
        unsigned days;
    } rows[] = {
        {"daily", ALL_DAYS},    {"everyday", ALL_DAYS}, {"weekday", WEEKDAYS},
        {"weekdays", WEEKDAYS}, {"weekend", WEEKEND},   {"weekends", WEEKEND},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++)
        if (take_word(r, rows[i].word)) return rows[i].days;
    int day = at_day(r);
    if (day < 0) return 0;
    r->at += word_length(r);
    if (peek(r, 0) == '.') r->at++;
    return 1u << day;
}

/* `words`: those that may stand here. */
static bool refuse_word(reader *r, const char *wanted, const char *const *words) {
    char word[QUOTED];
    size_t size = word_length(r);
    if (r->at == r->len) return refuse(r, r->at, "%s expected, and the text ends", wanted);
    if (size == 0) size = ho_utf8_size(r->text + r->at, r->len - r->at);
    ho_quote(r->text + r->at, size, word, sizeof word);
    int near = ho_nearest(r->text + r->at, size, words);
    if (near >= 0) return refuse(r, r->at, "%s is not understood; did you mean \"%s\"?", word, words[near]);
    return refuse(r, r->at, "%s is not understood; write %s", word, wanted);
}

static unsigned days_between(unsigned first, unsigned last) {
    unsigned days = first;
    for (unsigned day = first; day != last; days |= day) day = day == 1u << 6 ? 1 : day << 1;
    return days;
}

static bool is_one_day(unsigned days) {
    return (days & (days - 1)) == 0;
}

/* A day, a range of days, or a word for several. */
static bool take_days(reader *r, unsigned *days) {
    unsigned first = take_days_word(r);
    if (first == 0) return refuse_word(r, "a day, such as mon, or mon-fri", item_words);
    *days |= first;
    if (!is_one_day(first)) return true;
    size_t before = r->at;
    if (!take_dash(r)) return true;
    if (is_digit(peek(r, 0)) || at_word(r, "noon") || at_word(r, "midnight"))
        return refuse(r, before, "a day expected after the dash; write a colon or a blank before the hours");
    int last = at_day(r);
    if (last < 0) return refuse_word(r, "a day, such as fri", ho_days);
    *days |= days_between(first, take_days_word(r));
    return true;
}

/* Whether a word stands here that can only be a day, or a slip of one. */
static bool at_days(const reader *r) {
    static const char *const others[] = {"closed", "noon", "midnight", "to", "and"};
    if (word_length(r) == 0) return false;
    for (size_t i = 0; i < HO_COUNT(others); i++)
        if (at_word(r, others[i])) return false;
    return true;
}

static void skip_separator(reader *r) {
    skip_blanks(r);
    if (peek(r, 0) == ',' || peek(r, 0) == '&')
        r->at++;
    else if (!take_word(r, "and"))
        return;
    skip_blanks(r);
}

static bool take_day_list(reader *r, unsigned *days) {
    *days = 0;
    for (;;) {
        if (!take_days(r, days)) return false;
        size_t before = r->at;
        skip_separator(r);
        if (at_days(r)) continue;
        r->at = before;
        break;
    }
    skip_blanks(r);
    if (peek(r, 0) == ':') r->at++;
    skip_blanks(r);
    return true;
}

/* --- times --------------------------------------------------------------------------------------------------------- */

/* A time as it is written. `minute` is 0 to HO_DAY_MINUTES, of a bare or 12-hour time what it says by itself. */
typedef struct written {
    size_t at, end; /* bytes */
    int minute;
    bool half;    /* am or pm is said */
    bool is_word; /* noon, midnight */
    bool bare;    /* loose, and without minutes */
    bool loose;   /* it may be meant as either half of the day: of up to 12, not as 09:00 */
} written;

static bool take_half(reader *r, bool *pm) {
    size_t before = r->at;
    skip_blanks(r);
    char half = peek(r, 0);
    size_t size = peek(r, 1) == 'm' ? 2 : peek(r, 1) == '.' && peek(r, 2) == 'm' ? 3 : 0;
    if ((half == 'a' || half == 'p') && size > 0 && !is_letter(peek(r, size))) {
        r->at += size;
        if (size == 3 && peek(r, 0) == '.') r->at++;
        *pm = half == 'p';
        return true;
    }
    r->at = before;
    return false;
}

static int take_number(reader *r, size_t *digits) {
    int number = 0;
    for (*digits = 0; is_digit(peek(r, 0)); r->at++, ++*digits)
        if (number < 10000) number = number * 10 + (peek(r, 0) - '0');
    return number;
}

static bool take_word_time(reader *r, bool is_end, written *time) {
    if (take_word(r, "noon"))
        time->minute = HO_DAY_MINUTES / 2;
    else if (take_word(r, "midnight"))
        time->minute = is_end ? HO_DAY_MINUTES : 0;
    else
        return refuse_word(r, "a time, such as 09:00 or 9am", time_words);
    time->is_word = true;
    return true;
}

/* Minutes after the hour, if there are any: 0; -1 where they are wrong. */
static int take_minutes(reader *r, size_t *digits) {
    *digits = 0;
    bool dot = peek(r, 0) == '.' && is_digit(peek(r, 1));
    if (!dot && !(peek(r, 0) == ':' && is_digit(peek(r, 1)))) return 0;
    r->at++;
    int minutes = take_number(r, digits);
    return *digits == 2 && minutes < 60 ? minutes : -1;
}

static bool take_time(reader *r, bool is_end, written *time) {
    *time = (written){.at = r->at};
    size_t digits, after;
    if (!is_digit(peek(r, 0))) {
        bool ok = take_word_time(r, is_end, time);
        time->end = r->at;
        return ok;
    }
    int hour = take_number(r, &digits);
    if (digits > 2) return refuse(r, time->at, "more digits than an hour has; write HH:MM, such as 09:00 or 17:30");
    int minutes = take_minutes(r, &after);
    if (minutes < 0) return refuse(r, time->at, "minutes are two digits, 00 to 59; write 09:05");
    bool pm = false;
    time->half = take_half(r, &pm);
    time->end = r->at;
    if (time->half && (hour < 1 || hour > 12))
        return refuse(r, time->at, "with am and pm an hour is 1 to 12; write 9am, or 21:00 without pm");
    if (hour > 24 || (hour == 24 && minutes > 0))
        return refuse(r, time->at, "a day has the hours 0 to 24; write a time up to 24:00");
    if (time->half) hour = hour % 12 + (pm ? 12 : 0);
    time->minute = hour * 60 + minutes;
    bool half_open = !time->half && hour >= 1 && hour <= 12;
    time->bare = half_open && after == 0;
    time->loose = time->bare || (half_open && digits < 2);
    return true;
}

/* --- spans --------------------------------------------------------------------------------------------------------- */

enum { CLOCK = 16 };

static char *clock_text(int minute, char out[CLOCK]) {
    minute %= HO_DAY_MINUTES;
    snprintf(out, CLOCK, "%02d:%02d", minute / 60, minute % 60);
    return out;
}

static char *end_text(int minute, char out[CLOCK]) {
    if (minute % HO_DAY_MINUTES != 0) return clock_text(minute, out);
    snprintf(out, CLOCK, "24:00");
    return out;
}

static char *half_text(int minute, char out[CLOCK]) {
    int hour = minute / 60 % 24, twelve = hour % 12 == 0 ? 12 : hour % 12;
    const char *half = hour < 12 ? "am" : "pm";
    if (minute % 60 == 0)
        snprintf(out, CLOCK, "%d%s", twelve, half);
    else
        snprintf(out, CLOCK, "%d:%02d%s", twelve, minute % 60, half);
    return out;
}

/* Both readings of a span that has more than one: by day and by night. */
static bool refuse_ambiguous(reader *r, const written *from, const written *to, const char *shown) {
    enum { HALF = HO_DAY_MINUTES / 2 };
    char a[CLOCK], b[CLOCK], hint[160];
    int day = from->minute, end = to->minute;
    if (day > HALF || end > HALF || !from->loose || !to->loose) { /* only one of them may be either */
        const char *night = end < day ? " for a night" : "";
        snprintf(hint, sizeof hint, "%s-%s%s, or say am or pm", clock_text(day, a), end_text(end, b), night);
        return refuse(r, from->at, "%s may be meant in two ways; write %s", shown, hint);
    }
    bool night = end <= day;
    int afternoon = end + HALF, first = night ? day : day + HALF;
    size_t n = (size_t)snprintf(hint, sizeof hint, "%s-%s", half_text(first, a), half_text(afternoon, b));
    n += (size_t)snprintf(hint + n, sizeof hint - n, " or %s-%s, or ", clock_text(first, a), end_text(afternoon, b));
    snprintf(hint + n, sizeof hint - n, "%s-%s for a night", clock_text(night ? day + HALF : day, a),
             clock_text(end, b));
    return refuse(r, from->at, "%s may be meant in two ways; write %s", shown, hint);
}

/* Whether the span can only be meant as it is read. From one to six, or 1:30 to 5:30, is rather the afternoon, and what goes on to
 * midnight may begin in the evening. */
static bool is_clear(const written *from, const written *to) {
    if (from->minute >= to->minute) return !from->loose && !to->loose;
    if (!from->loose) return true;
    if (to->is_word) return to->minute < HO_DAY_MINUTES;
    return !to->loose || from->minute > 6 * 60;
}

static bool check_span(reader *r, const written *from, const written *to) {
    char shown[QUOTED];
    ho_quote(r->text + from->at, to->end - from->at, shown, sizeof shown);
    if (from->minute == HO_DAY_MINUTES) return refuse(r, from->at, "24:00 is an end; write 00:00 to start at midnight");
    if (from->minute == HO_DAY_LAST)
        return refuse(
            r, from->at,
            "a span cannot start at 23:59, which the API reads as midnight; write an earlier time, or 00:00 of the next day");
    if (from->half != to->half && !from->is_word && !to->is_word && (from->loose || to->loose)) {
        const written *loose = from->loose ? from : to;
        int other = (loose->minute + HO_DAY_MINUTES / 2) % HO_DAY_MINUTES;
        char hint[96], a[CLOCK], b[CLOCK];
        snprintf(hint, sizeof hint, "%s or %s", half_text(loose->minute, a), half_text(other, b));
        return refuse(r, loose->at, "%s says am or pm of one time only; write the other as %s", shown, hint);
    }
    if (from->minute == to->minute && !from->loose && !to->loose)
        return refuse(r, from->at, "%s ends when it starts; write 00:00-24:00 for a whole day", shown);
    return is_clear(from, to) || refuse_ambiguous(r, from, to, shown);
}

/* Adds to what is open; what of it was so before comes twice. */
static void add_week(said *to, const ho_week *open) {
    ho_week both = *open;
    ho_week_intersect(&both, &to->open);
    ho_week_add(&to->twice, &both);
    ho_week_add(&to->open, open);
}

/* From and to those minutes of each of the days; `to` may exceed a day. */
static void say(reader *r, unsigned days, int from, int to) {
    for (int day = 0; day < 7; day++) {
        if (!(days >> day & 1)) continue;
        ho_week open = {0};
        ho_week_open(&open, (ho_span){day * HO_DAY_MINUTES + from, day * HO_DAY_MINUTES + to});
        add_week(&r->days[day], &open);
    }
}

static bool take_span(reader *r, unsigned days) {
    written from, to;
    if (!take_time(r, false, &from)) return false;
    if (!take_dash(r)) {
        skip_blanks(r);
        return refuse(r, r->at, "a dash and the time when it ends expected; write 09:00-17:30");
    }
    if (!take_time(r, true, &to) || !check_span(r, &from, &to)) return false;
    int end = to.minute == HO_DAY_LAST ? HO_DAY_MINUTES : to.minute;
    if (end <= from.minute) end += HO_DAY_MINUTES;
    say(r, days, from.minute, end);
    return true;
}

/* --- hours --------------------------------------------------------------------------------------------------------- */

static void take_out(reader *r, unsigned days) {
    for (int day = 0; day < 7; day++)
        if (days >> day & 1) r->days[day] = (said){0};
}

static bool at_time(const reader *r) {
    return is_digit(peek(r, 0)) || at_word(r, "noon") || at_word(r, "midnight");
}

/* Commas, semicolons, ends of lines → whether one of those was there that end what is said of the days before. */
static bool skip_separators(reader *r) {
    bool ends = false;
    for (;;) {
        size_t before = r->at;
        skip_separator(r);
        if (peek(r, 0) == ';' || peek(r, 0) == '\n') {
            ends = true;
            r->at++;
        }
        if (r->at == before) return ends;
    }
}

/* Days, and the first that is said of them → whether more may be said of them. */
static bool take_item(reader *r, unsigned *days) {
    size_t from = r->at, end;
    if (!take_day_list(r, days)) return false;
    end = r->at;
    skip_separator(r); /* Mon-Fri, 9am-5pm: as it is pasted */
    if (take_word(r, "closed")) {
        take_out(r, *days);
        *days = 0;
        return true;
    }
    if (sequence(r, "24/7")) return refuse(r, r->at, "24/7 is all of a week; write 00:00-24:00 for all of a day");
    if (at_time(r)) return take_span(r, *days);
    if (r->at < r->len && !memchr(",;\n", r->text[r->at], 3))
        return refuse_word(r, "hours, such as 09:00-17:30, or closed", no_words);
    while (end > from && memchr(" :\t,", r->text[end - 1], 4)) end--;
    char shown[QUOTED];
    ho_quote(r->text + from, end - from, shown, sizeof shown);
    return refuse(r, from, "%s has no hours; write 00:00-24:00 after it for all day, or closed", shown);
}

static bool take_more(reader *r, unsigned *days) {
    if (take_word(r, "closed"))
        return refuse(r, r->at - strlen("closed"), "which days are closed? write sun closed, or closed alone");
    if (sequence(r, "24/7")) {
        r->at += strlen("24/7");
        *days = 0;
        say(r, ALL_DAYS, 0, HO_DAY_MINUTES);
        return true;
    }
    if (at_time(r) && *days != 0) return take_span(r, *days);
    if (at_time(r)) return refuse(r, r->at, "hours without their days; write mon-fri before them, or daily");
    if (word_length(r) > 0) return take_item(r, days);
    return refuse_word(r, "hours such as mon-fri 09:00-17:30, sat 10:00-14:00", no_words);
}

static bool take_hours(reader *r) {
    unsigned days = 0;
    skip_separators(r);
    if (r->at == r->len) return refuse(r, r->at, "no hours; write mon-fri 09:00-17:30, or closed");
    size_t first = r->at;
    if (take_word(r, "closed")) {
        skip_separators(r);
        if (r->at == r->len) return true;
        r->at = first;
    }
    while (r->at < r->len) {
        if (!take_more(r, &days)) return false;
        if (skip_separators(r)) days = 0;
    }
    return true;
}

/* What is held of any text before it is read. */
static bool check_text(reader *r, size_t most) {
    size_t bad = 0;
    if (r->len > most) return refuse(r, 0, "the text is longer than hours can be; shorten it");
    if (ho_utf8_length(r->text, r->len, &bad) == SIZE_MAX) return refuse(r, bad, "not UTF-8; write it as UTF-8");
    return true;
}

ho_code ho_week_parse(const char *text, size_t len, ho_week *week, ho_week *twice, ho_week_problem *problem) {
    said days[7] = {0}, all = {0};
    reader r = {.text = text, .len = len, .days = days, .problem = problem};
    if (!check_text(&r, HO_WEEK_TEXT) || !take_hours(&r)) return HO_INVALID;
    for (int day = 0; day < 7; day++) {
        add_week(&all, &days[day].open);
        ho_week_add(&all.twice, &days[day].twice);
    }
    *week = all.open;
    *twice = all.twice;
    return HO_OK;
}

static bool take_moment(reader *r, int *minute) {
    skip_blanks(r);
    int day = at_day(r);
    if (day < 0) return refuse_word(r, "a day and a time, such as fri 18:30", ho_days);
    take_days_word(r);
    skip_blanks(r);
    written time;
    if (!take_time(r, false, &time)) return false;
    if (time.bare) {
        char a[CLOCK], b[CLOCK], hint[64];
        int other = (time.minute + HO_DAY_MINUTES / 2) % HO_DAY_MINUTES;
        snprintf(hint, sizeof hint, "%s or %s", half_text(time.minute, a), half_text(other, b));
        return refuse(r, time.at, "morning or afternoon? write %s", hint);
    }
    skip_blanks(r);
    if (r->at < r->len) return refuse_word(r, "nothing after the time", no_words);
    *minute = (day * HO_DAY_MINUTES + time.minute) % HO_WEEK_MINUTES;
    return true;
}

ho_code ho_week_moment(const char *text, size_t len, int *minute, ho_week_problem *problem) {
    reader r = {.text = text, .len = len, .problem = problem};
    int found = 0;
    if (!check_text(&r, 256) || !take_moment(&r, &found)) return HO_INVALID;
    *minute = found;
    return HO_OK;
}

/* A number and its unit → false where it is none. */
static bool take_part(reader *r, const char *const *units, int factor, int *sum) {
    size_t before = r->at, digits;
    skip_blanks(r);
    int number = take_number(r, &digits);
    skip_blanks(r);
    for (; digits > 0 && digits < 5 && *units != NULL; units++) {
        if (!take_word(r, *units)) continue;
        *sum += number * factor;
        return true;
    }
    r->at = before;
    return false;
}

ho_code ho_week_length(const char *text, size_t len, int *minutes) {
    static const char *const hours[] = {"h", "hour", "hours", NULL};
    static const char *const parts[] = {"m", "min", "minute", "minutes", NULL};
    reader r = {.text = text, .len = len};
    int sum = 0;
    skip_blanks(&r);
    bool minus = peek(&r, 0) == '-';
    if (minus || peek(&r, 0) == '+') r.at++;
    bool any = take_part(&r, hours, 60, &sum);
    any = take_part(&r, parts, 1, &sum) || any;
    skip_blanks(&r);
    if (!any || r.at < len) return HO_INVALID;
    *minutes = minus ? -sum : sum;
    return HO_OK;
}
