/* SPDX-License-Identifier: MIT */
#include "../../csrc/core/scan.h"

#include "test.h"

static ho_code scan_copy(const char *text, size_t len, ho_scan *scan) {
    char *copy = test_copy(text, len);
    ho_code code = ho_scan_text(copy, len, scan);
    free(copy);
    return code;
}

static ho_code scan_text(const char *text, ho_scan *scan) {
    *scan = (ho_scan){.max_size = HO_SCAN_SIZE};
    return scan_copy(text, strlen(text), scan);
}

static void accepts(void) {
    static const struct {
        int line;
        const char *text;
        char kind;
        size_t count, marks;
    } rows[] = {
        {__LINE__, "{}", '{', 0, 0},
        {__LINE__, " {\t\"a\" : 1 , \"b\":[]\r\n}\n", '{', 2, 1},
        {__LINE__, "[]", '[', 0, 1},
        {__LINE__, "[ \n]", '[', 0, 1},
        {__LINE__, "[[],[[]],{}]", '[', 0, 2},
        {__LINE__, "[{\"a\":1},{\"a\":1}]", '[', 0, 0},
        {__LINE__, "true", 't', 0, 0},
        {__LINE__, "false", 'f', 0, 0},
        {__LINE__, "null", 'n', 0, 0},
        {__LINE__, "\"[]\"", '"', 0, 0},
        {__LINE__, "-1", '0', 0, 0},
        {__LINE__, "123456789012345", '0', 0, 0},
        {__LINE__, "1234567890123456", '0', 0, 1},
        {__LINE__, "0.5", '0', 0, 1},
        {__LINE__, "-0", '0', 0, 1},
        {__LINE__, "1e200", '0', 0, 0},
        {__LINE__, "1e201", '0', 0, 1},
        {__LINE__, "1e-201", '0', 0, 1},
        {__LINE__, "{\"a\":{\"b\":{\"c\":[]}}}", '{', 1, 1},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        ho_scan scan = {0};
        ho_code code = scan_text(rows[i].text, &scan);
        CHECK_AT(rows[i].line, code == HO_OK, "%s: %s", rows[i].text, scan.wrong);
        CHECK_AT(rows[i].line, scan.kind == rows[i].kind, "kind %c", scan.kind);
        CHECK_AT(rows[i].line, scan.count == rows[i].count, "count %zu", scan.count);
        CHECK_AT(rows[i].line, scan.marks == rows[i].marks, "marks %zu", scan.marks);
    }
}

/* Every text cut short is refused, without a read beyond its end. */
static void refuses_what_is_cut(void) {
    static const char text[] =
        "{\"a\":[1.5e+3,true,null,{\"\\u00e9\\ud83d\\ude00\\n\xC3\xA9\":\"xxxxxxxxxxxx\"}],\"b\":false}";
    for (size_t len = 0; len < sizeof text - 1; len++) {
        ho_scan scan = {.max_size = HO_SCAN_SIZE};
        CHECK(scan_copy(text, len, &scan) == HO_INVALID, "%zu bytes", len);
        CHECK(scan.bad <= len && scan.wrong != NULL, "%zu bytes: at %zu", len, scan.bad);
    }
    ho_scan scan;
    CHECK(scan_text(text, &scan) == HO_OK, "the whole: %s", scan.wrong);
}

/* The text inside of strings is walked eight bytes at a time: each byte at each place of such a block. */
static void finds_bytes_in_strings(void) {
    for (size_t at = 0; at < 20; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[22];
            memset(text, 'x', sizeof text);
            text[0] = text[21] = '"';
            text[1 + at] = (char)byte;
            ho_scan scan = {.max_size = HO_SCAN_SIZE};
            ho_code code = scan_copy(text, sizeof text, &scan);
            bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
            CHECK((code == HO_OK) == plain, "byte %d at %zu: %d", byte, at, (int)code);
        }
    }
}

static void limits(void) {
    ho_scan scan = {.max_size = 2};
    CHECK(scan_copy("[]", 2, &scan) == HO_OK, "two bytes of two");
    CHECK(scan_copy("[ ]", 3, &scan) == HO_LIMIT && scan.bad == 2, "three bytes of two: at %zu", scan.bad);
    char deep[2 * (HO_SCAN_DEPTH + 1)];
    for (int depth = HO_SCAN_DEPTH; depth <= HO_SCAN_DEPTH + 1; depth++) {
        memset(deep, '[', (size_t)depth);
        memset(deep + depth, ']', (size_t)depth);
        scan = (ho_scan){.max_size = HO_SCAN_SIZE};
        ho_code code = scan_copy(deep, 2 * (size_t)depth, &scan);
        CHECK(code == (depth > HO_SCAN_DEPTH ? HO_LIMIT : HO_OK), "depth %d: %d", depth, (int)code);
    }
    CHECK(scan.bad == HO_SCAN_DEPTH, "too deep at %zu", scan.bad);
}

static bool is(const char *text, size_t at, size_t len, const char *want) {
    return strlen(want) == len && memcmp(text + at, want, len) == 0;
}

static void gives_extents(void) {
    static const char text[] =
        " { \"a\" : [1, [] , 0.5] ,\"\\u0062\":{\"x\":{}},\n\"\": \"s\" ,\"n\":-12 , \"t\":true,\"f\" :false,\"z\": null } ";
    static const struct {
        const char *name, *value;
        bool escaped;
        char kind;
        size_t marks;
    } rows[] = {
        {"a", "[1, [] , 0.5]", false, '[', 2}, {"\\u0062", "{\"x\":{}}", true, '{', 0},
        {"", "\"s\"", false, '"', 0},          {"n", "-12", false, '0', 0},
        {"t", "true", false, 't', 0},          {"f", "false", false, 'f', 0},
        {"z", "null", false, 'n', 0},
    };
    for (size_t room = 0; room <= HO_COUNT(rows); room++) {
        ho_member *members = calloc(room + 1, sizeof *members);
        if (members == NULL) abort();
        members[room].kind = '?'; /* must stay */
        ho_scan scan = {.max_size = HO_SCAN_SIZE, .members = members, .room = room};
        CHECK(ho_scan_text(text, sizeof text - 1, &scan) == HO_OK, "%s", scan.wrong);
        CHECK(scan.count == HO_COUNT(rows), "room %zu: count %zu", room, scan.count);
        CHECK(members[room].kind == '?', "room %zu: written beyond it", room);
        for (size_t i = 0; i < room; i++) {
            const ho_member *m = &members[i];
            CHECK(is(text, m->name, m->name_len, rows[i].name), "name %zu", i);
            CHECK(m->name_escaped == rows[i].escaped, "name %zu escaped", i);
            CHECK(is(text, m->value, m->value_len, rows[i].value), "value %zu", i);
            CHECK(m->kind == rows[i].kind, "kind %zu: %c", i, m->kind);
            CHECK(m->marks == rows[i].marks, "marks %zu: %zu", i, m->marks);
        }
        free(members);
    }
}

/* An object of that many members, whose last has the name of member `twice`, or a name of its own where it has none. The caller frees
 * it. */
static char *object_of(size_t count, size_t twice, bool escaped) {
    char *text = malloc(count * 32 + 3), *at = text;
    if (text == NULL) abort();
    *at++ = '{';
    for (size_t i = 0; i < count; i++) {
        size_t name = i == count - 1 && twice < count ? twice : i;
        at += sprintf(at, "%s\"%s%zu\":%zu", i ? "," : "", escaped && i == count - 1 ? "\\u006e" : "n", name, i);
    }
    strcpy(at, "}");
    return text;
}

static void finds_names_that_come_twice(void) {
    static const size_t counts[] = {2, 3, 16, 17, 63, 64, 65, 1000};
    for (size_t c = 0; c < HO_COUNT(counts); c++) {
        for (int escaped = 0; escaped < 2; escaped++) {
            size_t count = counts[c];
            ho_scan scan;
            char *text = object_of(count, count, escaped);
            CHECK(scan_text(text, &scan) == HO_OK && scan.count == count, "%zu: %s", count, scan.wrong);
            free(text);
            for (size_t twice = 0; twice<count - 1; twice += count> 100 ? 99 : 1) {
                text = object_of(count, twice, escaped);
                CHECK(scan_text(text, &scan) == HO_INVALID, "%zu, twice %zu", count, twice);
                const char *last = strrchr(text, ',') + 2;
                CHECK(scan.bad == (size_t)(last - text), "%zu, twice %zu: at %zu", count, twice, scan.bad);
                free(text);
            }
        }
    }
}

static void says_where(void) {
    static const char text[] = "ab\n\xC3\xA9\xF0\x9F\x98\x80x\r\n\n!";
    static const struct {
        int row; /* of the source */
        size_t offset, line, column;
    } rows[] = {
        {__LINE__, 0, 1, 1}, {__LINE__, 2, 1, 3},  {__LINE__, 3, 2, 1},  {__LINE__, 5, 2, 2},
        {__LINE__, 9, 2, 3}, {__LINE__, 10, 2, 4}, {__LINE__, 12, 3, 1}, {__LINE__, 13, 4, 1},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        size_t line, column;
        ho_scan_position(text, rows[i].offset, &line, &column);
        CHECK_AT(rows[i].row, line == rows[i].line && column == rows[i].column, "%zu: %zu, %zu", rows[i].offset, line,
                 column);
    }
}

static void marks(void) {
    static const struct {
        int line;
        const char *text, *marked;
    } rows[] = {
        {__LINE__, "[]", "\"\xFF[]\""},
        {__LINE__, "[ \t\r\n]", "\"\xFF[]\""},
        {__LINE__, "[[ ],[]]", "[\"\xFF[]\",\"\xFF[]\"]"},
        {__LINE__, "[ [1] ]", "[ [1] ]"},
        {__LINE__, "{ }", "{ }"},
        {__LINE__, "\"[]\"", "\"[]\""},
        {__LINE__, "\"\\\"[]\"", "\"\\\"[]\""},
        {__LINE__, "[\"\\\\\",[]]", "[\"\\\\\",\"\xFF[]\"]"},
        {__LINE__, "{\"0.5\":0.5}",
         "{\"0.5\":\"\xFF"
         "0.5\"}"},
        {__LINE__, "-0", "\"\xFF-0\""},
        {__LINE__, "[-1,2e5,-3E-7]", "[-1,2e5,-3E-7]"},
        {__LINE__, "[1234567890123456 ,1]",
         "[\"\xFF"
         "1234567890123456\" ,1]"},
        {__LINE__, "1e400",
         "\"\xFF"
         "1e400\""},
        {__LINE__, "[true,false,null]", "[true,false,null]"},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        ho_scan scan = {0};
        CHECK_AT(rows[i].line, scan_text(rows[i].text, &scan) == HO_OK, "%s", scan.wrong);
        size_t len = strlen(rows[i].text), room = len + HO_MARK_BYTES * scan.marks;
        char *text = test_copy(rows[i].text, len), *out = malloc(room);
        if (out == NULL) abort();
        size_t written = ho_scan_mark(text, len, out);
        CHECK_AT(rows[i].line, is(out, 0, written, rows[i].marked), "%.*s", (int)written, out);
        free(out);
        free(text);
    }
}

static void compares_numbers(void) {
    static const struct {
        int line;
        const char *a, *b;
        bool equal;
    } rows[] = {
        {__LINE__, "0", "0.0", true},
        {__LINE__, "0", "0e99", true},
        {__LINE__, "0", "-0", false},
        {__LINE__, "0", "1e-99", false},
        {__LINE__, "1", "-1", false},
        {__LINE__, "1e2", "100.0", true},
        {__LINE__, "1e2", "1000", false},
        {__LINE__, "123.456", "0.123456e3", true},
        {__LINE__, "123.456", "123456E-3", true},
        {__LINE__, "123.456", "123.457", false},
        {__LINE__, "0.00120", "12e-4", true},
        {__LINE__, "10", "1", false},
        {__LINE__, "1e400", "10e399", true},
        {__LINE__, "1e100000", "1e100001", false},
        {__LINE__, "1e-100000", "1e-100001", false},
        {__LINE__, "1e99999999999999999999", "1e99999999999999999998", false},
        {__LINE__, "1e99999999999999999999", "1e99999999999999999999", true},
        {__LINE__, "1e-99999999999999999999", "1e99999999999999999999", false},
        {__LINE__, "12345678901234567890", "12345678901234567890.000", true},
        {__LINE__, "12345678901234567890", "12345678901234567891", false},
        {__LINE__, "1", "", false},
        {__LINE__, "x", "x", false},
        {__LINE__, "-", "-", false},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        size_t a_len = strlen(rows[i].a), b_len = strlen(rows[i].b);
        char *a = test_copy(rows[i].a, a_len), *b = test_copy(rows[i].b, b_len);
        ho_text x = {a, a_len}, y = {b, b_len};
        CHECK_AT(rows[i].line, ho_number_equal(x, y) == rows[i].equal, "%s, %s", rows[i].a, rows[i].b);
        CHECK_AT(rows[i].line, ho_number_equal(y, x) == rows[i].equal, "%s, %s", rows[i].b, rows[i].a);
        free(a);
        free(b);
    }
}

int main(void) {
    accepts();
    refuses_what_is_cut();
    finds_bytes_in_strings();
    limits();
    gives_extents();
    finds_names_that_come_twice();
    says_where();
    marks();
    compares_numbers();
    return test_summary();
}
