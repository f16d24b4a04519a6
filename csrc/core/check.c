/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const ho_rule ho_rules[] = {
    {"type", false, "the value has the field's type"},
    {"null", false, "null may come from the service and is never written in"},
    {"utf8", false, "text is valid UTF-8"},
    {"max_length", false, "a text has at most the documented number of characters"},
    {"choice", false, "the value is one of those the field allows"},
    {"day_span", false, "a day or a range of days: monday, monday-friday"},
    {"time", false, "a time of day, HH:MM from 00:00 to 23:59"},
    {"time_order", false, "a slot ends later than it starts"},
    {"zone", false, "a time zone this system knows"},
    {"email", false, "an e-mail address"},
    {"required", false, "an item has all the fields that make it one"},
    {"unknown", false, "the field is known"},
    {"read_only", false, "the service derives the field"},
    {"fixed", false, "the predefined guidelines are neither added nor removed"},
    {"hole", false, "a list has no holes"},
    {"depth", false, "values nest at most 100 deep"},
    {"duplicate_id", false, "no two items of a list have one id"},
    {"sent_unknown", true, "the service sent a field that this version does not know; it is kept as it is"},
    {"zone_unchecked", true, "this system has no zone data to check the time zone with"},
    {"hours_without_slots", true, "working hours are on, and no slot says when"},
    {"never_open", true, "handoff and working hours are on, and no slot opens a minute of the week"},
    {"overlapping_slots", true, "two slots cover the same time"},
    {"short_gap", true, "between two slots it is closed for less than an hour"},
    {"zone_offset", true,
     "the zone's clocks are others than its name leads people to think: Etc/GMT-3 is ahead of UTC"},
    {"email_without_addresses", true, "notification by e-mail is on, and there is no address"},
    {"profile_without_operators", true, "a routing profile is on, and nobody is notified by it"},
    {"duplicate_name", true, "two items of a list have one name"},
    {"empty_outside_message", true, "working hours are on, and outside them the visitor reads nothing"},
    {"nothing_triggers", true, "handoff is on, and no guideline and no keyword asks for one"},
};
const size_t ho_rule_count = HO_COUNT(ho_rules);

/* A control character of two bytes, U+0080 to U+009F: a terminal may obey it. */
static bool is_c1(const char *text, size_t len) {
    return len > 1 && (unsigned char)text[0] == 0xC2 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xA0;
}

int ho_clip(const char *text, int max) {
    int len = 0;
    while (len < max && text[len]) len++;
    if (text[len] == '\0') return len;
    while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) len--;
    return len;
}

/* The bytes of the character that the text begins with; 0 where those are none of UTF-8. */
static size_t character_size(const char *text, size_t len) {
    unsigned char c = (unsigned char)text[0];
    size_t size = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    return size <= len && ho_utf8_length(text, size, NULL) == 1 ? size : 0;
}

char *ho_quote(const char *text, size_t len, char *out, size_t room) {
    size_t shown = 0, n = 0;
    out[n++] = '"';
    while (shown < len && shown < 40 && n + 12 < room) {
        const char *at = text + shown;
        size_t size = character_size(at, len - shown);
        unsigned char c = (unsigned char)at[0];
        if (size == 0)
            n += (size_t)snprintf(out + n, room - n, "\\x%02x", c);
        else if (c == '"' || c == '\\')
            n += (size_t)snprintf(out + n, room - n, "\\%c", c);
        else if (c < 0x20 || c == 0x7F)
            n += (size_t)snprintf(out + n, room - n, "\\u%04x", c);
        else if (is_c1(at, size))
            n += (size_t)snprintf(out + n, room - n, "\\u%04x", (unsigned char)at[1]);
        else
            for (size_t i = 0; i < size; i++) out[n++] = at[i];
        shown += size > 0 ? size : 1;
    }
    snprintf(out + n, room - n, shown < len ? "…\"" : "\"");
    return out;
}

static ho_code refuse(ho_problem *problem, const char *rule, const char *format, const char *text, const char *hint) {
    problem->rule = rule;
    problem->limit = 0;
    snprintf(problem->message, sizeof problem->message, format, text, hint);
    return HO_INVALID;
}

static ho_code check_choice(const ho_field *field, const char *text, size_t len, ho_problem *problem) {
    char quoted[80], hint[160] = "one of:";
    for (const char *const *c = field->choices; *c; c++)
        if (strlen(*c) == len && memcmp(*c, text, len) == 0) return HO_OK;
    int near = ho_nearest(text, len, field->choices);
    if (near >= 0) {
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", field->choices[near]);
    } else {
        size_t n = strlen(hint);
        for (const char *const *c = field->choices; *c && n < sizeof hint; c++)
            n += (size_t)snprintf(hint + n, sizeof hint - n, " %s", *c);
    }
    return refuse(problem, "choice", "%s is not allowed; %s", ho_quote(text, len, quoted, sizeof quoted), hint);
}

static ho_code check_zone(const char *text, size_t len, ho_problem *problem) {
    char quoted[80], near[64], hint[96] = "write Area/City, such as Europe/London";
    ho_zone_answer answer = ho_zone(text, len);
    if (answer == HO_ZONE_UNCHECKABLE) {
        refuse(problem, "zone_unchecked", "%s cannot be checked: %s", ho_quote(text, len, quoted, sizeof quoted),
               "this system has no zone data; install tzdata");
        return HO_OK;
    }
    if (answer == HO_ZONE_KNOWN) return HO_OK;
    if (ho_zone_nearest(text, len, near, sizeof near)) snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
    return refuse(problem, "zone", "%s is no time zone; %s", ho_quote(text, len, quoted, sizeof quoted), hint);
}

/* Names that people write for the clocks of a region that has summer time, which they do not have. HST is none: where it is
 * written, in Hawaii, there is no summer time. */
static const struct {
    const char *name, *region, *fixed;
} standard_times[] = {
    {"EST", "America/New_York", "America/Panama"},
    {"MST", "America/Denver", "America/Phoenix"},
    {"GMT", "Europe/London", "UTC"},
    {"GMT0", "Europe/London", "UTC"},
    {"GMT+0", "Europe/London", "UTC"},
    {"GMT-0", "Europe/London", "UTC"},
    {"Greenwich", "Europe/London", "UTC"},
};

bool ho_zone_surprise(const char *text, size_t len, ho_problem *problem) {
    bool etc = len > 4 && memcmp(text, "Etc/", 4) == 0;
    const char *name = text + (etc ? 4 : 0);
    size_t left = len - (etc ? 4 : 0);
    int minutes;
    if (memchr(name, '/', left) || !ho_zone_fixed(text, len, &minutes)) return false; /* Area/City is what it says */
    problem->rule = "zone_offset";
    problem->limit = 0;
    char far[64] = "UTC";
    int hours = abs(minutes) / 60;
    if (hours > 0)
        snprintf(far, sizeof far, "%d hour%s %s UTC", hours, hours == 1 ? "" : "s",
                 minutes > 0 ? "ahead of" : "behind");
    if (etc && left > 4 && memcmp(name, "GMT", 3) == 0 && minutes != 0) {
        snprintf(problem->message, sizeof problem->message,
                 "\"%.*s\" is %s, as its sign is the other way round, without summer time; write Area/City, such as "
                 "Europe/London",
                 (int)len, text, far);
        return true;
    }
    for (size_t i = 0; i < HO_COUNT(standard_times); i++) {
        if (strlen(standard_times[i].name) != left || memcmp(standard_times[i].name, name, left) != 0) continue;
        snprintf(problem->message, sizeof problem->message,
                 "\"%.*s\" is %s all year, without summer time; write %s, or, where that is meant, %s", (int)len, text,
                 far, standard_times[i].region, standard_times[i].fixed);
        return true;
    }
    return false;
}

/* The nearest day span: each side of the hyphen by itself. */
static void near_days(const char *text, size_t len, char *hint, size_t room) {
    const char *hyphen = memchr(text, '-', len);
    int first = ho_nearest(text, hyphen ? (size_t)(hyphen - text) : len, ho_days);
    int last = hyphen ? ho_nearest(hyphen + 1, len - (size_t)(hyphen + 1 - text), ho_days) : first;
    if (first < 0 || last < 0) return;
    if (!hyphen && len > strlen("wednesday") + 2) return; /* more than a day: monday to friday */
    snprintf(hint, room, hyphen ? "did you mean \"%s-%s\"?" : "did you mean \"%s\"?", ho_days[first], ho_days[last]);
}

static ho_code check_format(const ho_field *field, const char *text, size_t len, ho_problem *problem) {
    char quoted[80], hint[96] = "write a day or a range of days: monday, monday-friday";
    int a, b;
    switch (field->format) {
    case HO_DAY_SPAN:
        if (ho_day_span(text, len, &a, &b) == HO_OK) return HO_OK;
        near_days(text, len, hint, sizeof hint);
        ho_quote(text, len, quoted, sizeof quoted);
        return refuse(problem, "day_span", "%s is no day or range of days; %s", quoted, hint);
    case HO_TIME:
        if (ho_time(text, len, &a) == HO_OK) return HO_OK;
        ho_quote(text, len, quoted, sizeof quoted);
        return refuse(problem, "time", "%s is no time; write %s", quoted, "HH:MM from 00:00 to 23:59, such as 09:00");
    case HO_EMAIL:
        if (ho_email(text, len)) return HO_OK;
        ho_quote(text, len, quoted, sizeof quoted);
        return refuse(problem, "email", "%s is no e-mail address; write %s", quoted, "name@example.com");
    case HO_ZONE: return check_zone(text, len, problem);
    case HO_PLAIN: break;
    }
    return HO_OK;
}

ho_code ho_check_string(const ho_field *field, const char *text, size_t len, ho_problem *problem) {
    problem->rule = NULL;
    size_t characters = ho_utf8_length(text, len, NULL);
    if (characters == SIZE_MAX) return refuse(problem, "utf8", "%s %s", "the text is not UTF-8;", "save it as UTF-8");
    if (field->max && characters > field->max) {
        char counts[96];
        snprintf(counts, sizeof counts, "%zu characters, at most %zu allowed", characters, field->max);
        refuse(problem, "max_length", "%s%s", counts, "");
        problem->limit = field->max;
        return HO_INVALID;
    }
    if (field->choices) return check_choice(field, text, len, problem);
    return field->format == HO_PLAIN ? HO_OK : check_format(field, text, len, problem);
}
