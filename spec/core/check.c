/* SPDX-License-Identifier: MIT */
#include "../../csrc/core/check.h"

#include "test.h"

/* The string against the field, from a block of exactly its size → its problem, without a rule where there is none. */
static ho_problem check(const ho_field *field, const char *text, size_t len, ho_code *code) {
    char *copy = test_copy(text, len);
    ho_problem problem;
    memset(&problem, 'x', sizeof problem);
    *code = ho_check_string(field, copy, len, &problem);
    free(copy);
    return problem;
}

static void rules(void) {
    bool warning = false;
    for (size_t i = 0; i < ho_rule_count; i++) {
        CHECK(ho_rules[i].warning || !warning, "%s: an error after warnings", ho_rules[i].id);
        warning = ho_rules[i].warning;
        CHECK(ho_rules[i].doc[0] != '\0', "%s has no doc", ho_rules[i].id);
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(ho_rules[i].id, ho_rules[j].id) != 0, "%s comes twice", ho_rules[i].id);
    }
}

static void strings(void) {
    static const char *const colours[] = {"red", "green", NULL};
    static const ho_field plain = {.kind = HO_STRING}, day = {.kind = HO_STRING, .format = HO_DAY_SPAN},
                          time = {.kind = HO_STRING, .format = HO_TIME}, zone = {.kind = HO_STRING, .format = HO_ZONE},
                          email = {.kind = HO_STRING, .format = HO_EMAIL},
                          choice = {.kind = HO_STRING, .choices = colours};
    static const struct {
        int line;
        const ho_field *field;
        const char *text, *rule, *message; /* NULL: no problem */
    } rows[] = {
        {__LINE__, &plain, "", NULL, NULL},
        {__LINE__, &plain, "\xC3\xA9", NULL, NULL},
        {__LINE__, &plain, "\xC3", "utf8", "the text is not UTF-8; save it as UTF-8"},
        {__LINE__, &day, "monday", NULL, NULL},
        {__LINE__, &day, "saturday-monday", NULL, NULL},
        {__LINE__, &day, "\xFF", "utf8", "the text is not UTF-8; save it as UTF-8"},
        {__LINE__, &day, "mon-sun", "day_span",
         "\"mon-sun\" is no day or range of days; did you mean \"monday-sunday\"?"},
        {__LINE__, &day, "monday-", "day_span",
         "\"monday-\" is no day or range of days; write a day or a range of days: monday, monday-friday"},
        {__LINE__, &day, "monday to friday", "day_span",
         "\"monday to friday\" is no day or range of days; write a day or a range of days: monday, monday-friday"},
        {__LINE__, &time, "00:00", NULL, NULL},
        {__LINE__, &time, "23:59", NULL, NULL},
        {__LINE__, &time, "24:00", "time", "\"24:00\" is no time; write HH:MM from 00:00 to 23:59, such as 09:00"},
        {__LINE__, &email, "a@example.com", NULL, NULL},
        {__LINE__, &email, "a@b@example.com", "email",
         "\"a@b@example.com\" is no e-mail address; write name@example.com"},
        {__LINE__, &choice, "green", NULL, NULL},
        {__LINE__, &choice, "gren", "choice", "\"gren\" is not allowed; did you mean \"green\"?"},
        {__LINE__, &choice, "", "choice", "\"\" is not allowed; one of: red green"},
        {__LINE__, &zone, "UTC", NULL, NULL},
        {__LINE__, &zone, "Europe/Londn", "zone", "\"Europe/Londn\" is no time zone; did you mean \"Europe/London\"?"},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        ho_code code;
        ho_problem problem = check(rows[i].field, rows[i].text, strlen(rows[i].text), &code);
        CHECK_AT(rows[i].line, code == (rows[i].rule ? HO_INVALID : HO_OK), "code %d", (int)code);
        const char *rule = problem.rule ? problem.rule : "none";
        CHECK_AT(rows[i].line, strcmp(rule, rows[i].rule ? rows[i].rule : "none") == 0, "rule %s", rule);
        if (!rows[i].rule || !problem.rule) continue;
        CHECK_AT(rows[i].line, strcmp(problem.message, rows[i].message) == 0, "%s", problem.message);
        CHECK_AT(rows[i].line, problem.limit == 0, "limit %zu", problem.limit);
    }
}

static void surprises(void) {
    static const struct {
        int line;
        const char *zone, *message; /* NULL: none */
    } rows[] = {
        {__LINE__, "Etc/GMT-14",
         "\"Etc/GMT-14\" is 14 hours ahead of UTC, as its sign is the other way round, without summer time; write "
         "Area/City, such as Europe/London"},
        {__LINE__, "Etc/GMT+1",
         "\"Etc/GMT+1\" is 1 hour behind UTC, as its sign is the other way round, without summer time; write Area/City, "
         "such as Europe/London"},
        {__LINE__, "Etc/GMT-0",
         "\"Etc/GMT-0\" is UTC all year, without summer time; write Europe/London, or, where that is meant, UTC"},
        {__LINE__, "MST",
         "\"MST\" is 7 hours behind UTC all year, without summer time; write America/Denver, or, where that is meant, "
         "America/Phoenix"},
        {__LINE__, "UTC", NULL},
        {__LINE__, "Etc/UTC", NULL},
        {__LINE__, "MST7MDT", NULL},
        {__LINE__, "Etc/Nowhere", NULL},
        {__LINE__, "Etc/", NULL},
        {__LINE__, "", NULL},
        {__LINE__, "Europe/London", NULL},
        {__LINE__, "Asia/Tokyo", NULL},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        size_t len = strlen(rows[i].zone);
        char *copy = test_copy(rows[i].zone, len);
        ho_problem problem = {.message = ""};
        bool surprise = ho_zone_surprise(copy, len, &problem);
        CHECK_AT(rows[i].line, surprise == !!rows[i].message, "%s", problem.message);
        CHECK_AT(rows[i].line, !surprise || strcmp(problem.message, rows[i].message) == 0, "%s", problem.message);
        free(copy);
    }
}

/* Characters, not bytes; the text of any length, and with any bytes in it, fits the message. */
static void lengths(void) {
    static const ho_field limited = {.kind = HO_STRING, .max = 500, .format = HO_EMAIL};
    static const char smile[] = "\xF0\x9F\x98\x80";
    char text[4 * 501];
    ho_code code;
    for (size_t i = 0; i < 501; i++) memcpy(text + 4 * i, smile, 4);
    ho_problem problem = check(&limited, text, 4 * 500, &code);
    CHECK(code == HO_INVALID && strcmp(problem.rule, "email") == 0, "500 characters: %s", problem.rule);
    problem = check(&limited, text, 4 * 501, &code);
    CHECK(code == HO_INVALID && strcmp(problem.rule, "max_length") == 0 && problem.limit == 500, "501 characters: %s",
          problem.rule);
    CHECK(strcmp(problem.message, "501 characters, at most 500 allowed") == 0, "%s", problem.message);
    memset(text, '\x01', sizeof text);
    problem = check(&limited, text, 500, &code);
    CHECK(code == HO_INVALID && strlen(problem.message) < sizeof problem.message, "%s", problem.message);
}

static bool is_utf8(const char *text) {
    static const ho_field plain = {.kind = HO_STRING};
    ho_problem problem;
    return ho_check_string(&plain, text, strlen(text), &problem) == HO_OK;
}

static void quotes(void) {
    static const struct {
        int line;
        const char *text;
        size_t len;
        const char *quoted;
    } rows[] = {
        {__LINE__, "", 0, "\"\""},
        {__LINE__, "a\0b", 3, "\"a\\u0000b\""},
        {__LINE__, "a\"\\\n\x7F", 5, "\"a\\\"\\\\\\u000a\\u007f\""},
        {__LINE__,
         "\xC2\x9B"
         "2J\xC2\xA0\xC2",
         7, "\"\\u009b2J\xC2\xA0\\xc2\""},
        {__LINE__, "0123456789012345678901234567890123456789", 40, "\"0123456789012345678901234567890123456789\""},
        {__LINE__, "0123456789012345678901234567890123456789x", 41, "\"0123456789012345678901234567890123456789…\""},
        {__LINE__, "012345678901234567890123456789012345678\xF0\x9F\x98\x80y", 44,
         "\"012345678901234567890123456789012345678\xF0\x9F\x98\x80…\""},
    };
    char out[80];
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        char *copy = test_copy(rows[i].text, rows[i].len);
        ho_quote(copy, rows[i].len, out, sizeof out);
        CHECK_AT(rows[i].line, strcmp(out, rows[i].quoted) == 0, "%s", out);
        free(copy);
    }
}

static void quotes_in(size_t room, const char *text) {
    char *out = malloc(room);
    if (!out) abort();
    ho_quote(text, strlen(text), out, room);
    bool ok = strlen(out) < room && is_utf8(out) && out[strlen(out) - 1] == '"' && !strchr(out, '\x01');
    if (!ok) CHECK(ok, "room %zu, %s: %s", room, text, out);
    free(out);
}

/* Whatever comes, and in whatever room: on one line, within the room, cut between characters. */
static void quotes_in_any_room(void) {
    static const char *const pieces[] = {"\x01", "\"",  "\xC2\x9B", "\xC3\xA9", "\xE6\x97\xA5", "\xF0\x9F\x98\x80",
                                         "x",    "\xFF"};
    for (size_t room = 24; room <= 96; room++)
        for (size_t first = 0; first < HO_COUNT(pieces); first++)
            for (size_t second = 0; second < HO_COUNT(pieces); second++)
                for (int count = 0; count < 20; count++) {
                    char text[256] = "";
                    for (int i = 0; i < count; i++) strcat(text, pieces[first]);
                    for (int i = 0; i < 40; i++) strcat(text, pieces[second]);
                    quotes_in(room, text);
                }
    char broken[256], out[80];
    memset(broken, '\x80', sizeof broken);
    CHECK(strlen(ho_quote(broken, sizeof broken, out, sizeof out)) < sizeof out, "%s", out);
    memset(broken, '\xC2', sizeof broken);
    CHECK(strlen(ho_quote(broken, sizeof broken, out, sizeof out)) < sizeof out, "%s", out);
}

int main(void) {
    rules();
    strings();
    surprises();
    lengths();
    quotes();
    quotes_in_any_room();
    return test_summary();
}
