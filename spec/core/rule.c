/* SPDX-License-Identifier: MIT */
#include "../../csrc/core/rule.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

/* --- text
 * ---------------------------------------------------------------------------------------------------------------- */

enum { BAD = -1 };

static void utf8(void) {
    static const struct {
        int line;
        const char *text;
        size_t len;
        int count; /* or BAD, at: */
        size_t at;
    } rows[] = {
        {__LINE__, "", 0, 0, 0},
        {__LINE__, "a", 1, 1, 0},
        {__LINE__, "\0", 1, 1, 0},
        {__LINE__, "1234567", 7, 7, 0},
        {__LINE__, "12345678", 8, 8, 0},
        {__LINE__, "123456789", 9, 9, 0},
        {__LINE__, "\x7F", 1, 1, 0},
        {__LINE__, "\xC2\x80", 2, 1, 0},
        {__LINE__, "\xDF\xBF", 2, 1, 0},
        {__LINE__, "\xE0\xA0\x80", 3, 1, 0},
        {__LINE__, "\xED\x9F\xBF", 3, 1, 0},
        {__LINE__, "\xEE\x80\x80", 3, 1, 0},
        {__LINE__, "\xEF\xBF\xBF", 3, 1, 0},
        {__LINE__, "\xF0\x90\x80\x80", 4, 1, 0},
        {__LINE__, "\xF4\x8F\xBF\xBF", 4, 1, 0},
        {__LINE__, "\xEF\xBB\xBFx", 4, 2, 0},   /* a byte order mark is a character */
        {__LINE__, "e\xCC\x81", 3, 2, 0},       /* code points, not what one sees */
        {__LINE__, "1234567\xC3\xA9", 9, 8, 0}, /* across blocks */
        {__LINE__,
         "123456\xF0\x9F\x98\x80"
         "12345678",
         18, 15, 0},
        {__LINE__, "\x80", 1, BAD, 0}, /* stray continuation */
        {__LINE__, "ab\xBF", 3, BAD, 2},
        {__LINE__, "\xC3\xA9\xA9", 3, BAD, 2},
        {__LINE__, "\xC0\x80", 2, BAD, 0}, /* overlong */
        {__LINE__, "\xC1\xBF", 2, BAD, 0},
        {__LINE__, "\xE0\x9F\xBF", 3, BAD, 0},
        {__LINE__, "\xF0\x8F\xBF\xBF", 4, BAD, 0},
        {__LINE__, "\xED\xA0\x80", 3, BAD, 0}, /* surrogates */
        {__LINE__, "\xED\xBF\xBF", 3, BAD, 0},
        {__LINE__, "\xF4\x90\x80\x80", 4, BAD, 0}, /* above U+10FFFF */
        {__LINE__, "\xF5\x80\x80\x80", 4, BAD, 0},
        {__LINE__, "\xFF", 1, BAD, 0},
        {__LINE__, "\xFE", 1, BAD, 0},
        {__LINE__, "\xC3", 1, BAD, 0}, /* cut off at the end */
        {__LINE__, "12345678\xC3", 9, BAD, 8},
        {__LINE__, "1234567\xE2\x82", 9, BAD, 7},
        {__LINE__, "\xF0\x9F\x98", 3, BAD, 0},
        {__LINE__,
         "\xC3"
         "a",
         2, BAD, 0}, /* cut off within */
        {__LINE__,
         "\xE2\x82"
         "a",
         3, BAD, 0},
        {__LINE__,
         "\xE2"
         "a\x82",
         3, BAD, 0},
        {__LINE__,
         "\xF0\x9F\x98"
         "a",
         4, BAD, 0},
        {__LINE__,
         "12345678\xED\xA0\x80"
         "12345678",
         19, BAD, 8},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        char *text = test_copy(rows[i].text, rows[i].len);
        size_t bad = 999, count = ho_utf8_length(text, rows[i].len, &bad);
        size_t expected = rows[i].count == BAD ? SIZE_MAX : (size_t)rows[i].count;
        CHECK_AT(rows[i].line, count == expected, "%zu characters", count);
        CHECK_AT(rows[i].line, bad == (rows[i].count == BAD ? rows[i].at : 999), "bad at %zu", bad);
        CHECK_AT(rows[i].line, ho_utf8_length(text, rows[i].len, NULL) == expected, "without an offset");
        free(text);
    }
}

/* Writes the code point, surrogates and what lies beyond Unicode included, as the bits say → its bytes. */
static size_t put(char *out, uint32_t c) {
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = size; i-- > 1; c >>= 6) out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(leads[size] | c);
    return size;
}

static void every_code_point(void) {
    char text[4];
    int wrong = 0;
    for (uint32_t c = 0; c < 0x200000; c++) {
        bool valid = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
        wrong += (ho_utf8_length(text, put(text, c), NULL) == 1) != valid;
    }
    CHECK(wrong == 0, "%d code points are judged wrongly", wrong);
}

/* One odd character at every place of texts of every length around the blocks. */
static void every_place(void) {
    for (size_t len = 1; len < 40; len++) {
        for (size_t at = 0; at < len; at++) {
            char *text = malloc(len + 1);
            if (text == NULL) abort();
            memset(text, 'a', len + 1);
            size_t bad = 0;
            text[at] = '\xC3', text[at + 1] = '\xA9';
            CHECK(ho_utf8_length(text, len + 1, &bad) == len, "length %zu at %zu", len, at);
            text[at + 1] = '\xFF';
            CHECK(ho_utf8_length(text, len + 1, &bad) == SIZE_MAX && bad == at, "length %zu bad at %zu", len, at);
            free(text);
        }
    }
}

/* --- days and times
 * ------------------------------------------------------------------------------------------------------ */

static const char *const days[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

static void day_spans(void) {
    static const struct {
        int line;
        const char *text;
    } refused[] = {
        {__LINE__, ""},
        {__LINE__, "-"},
        {__LINE__, "monday-"},
        {__LINE__, "-monday"},
        {__LINE__, "Monday"},
        {__LINE__, "MONDAY"},
        {__LINE__, "mon"},
        {__LINE__, "mondays"},
        {__LINE__, " monday"},
        {__LINE__, "monday "},
        {__LINE__, "monday - friday"},
        {__LINE__, "monday--friday"},
        {__LINE__, "weekdays"},
        {__LINE__, "mon-fri"},
        {__LINE__, "monday-friday-"},
        {__LINE__, "monday,friday"},
        {__LINE__, "0"},
        {__LINE__, "monday-frida"},
        {__LINE__, "monday\xE2\x80\x93"
                   "friday"},
    };
    for (size_t i = 0; i < HO_COUNT(refused); i++) {
        int first = -7, last = -7;
        size_t len = strlen(refused[i].text);
        char *text = test_copy(refused[i].text, len);
        CHECK_AT(refused[i].line, ho_day_span(text, len, &first, &last) == HO_INVALID, "%s", refused[i].text);
        CHECK_AT(refused[i].line, first == -7 && last == -7, "the outputs are untouched");
        free(text);
    }
    int first = -7, last = -7;
    CHECK(ho_day_span("monday\0", 7, &first, &last) == HO_INVALID, "a NUL after a day");
    for (int from = 0; from < 7; from++) {
        CHECK(ho_day_span(days[from], strlen(days[from]), &first, &last) == HO_OK && first == from && last == from,
              "a day");
        for (int to = 0; to < 7; to++) {
            char text[32];
            size_t len = (size_t)snprintf(text, sizeof text, "%s-%s", days[from], days[to]);
            CHECK(ho_day_span(text, len, &first, &last) == HO_OK && first == from && last == to, "%s", text);
        }
    }
}

static void times(void) {
    static const struct {
        int line;
        const char *text;
        int minutes; /* or BAD */
    } rows[] = {
        {__LINE__, "00:00", 0},     {__LINE__, "00:01", 1},      {__LINE__, "09:00", 540}, {__LINE__, "12:30", 750},
        {__LINE__, "19:59", 1199},  {__LINE__, "23:59", 1439},   {__LINE__, "24:00", BAD}, {__LINE__, "23:60", BAD},
        {__LINE__, "9:00", BAD},    {__LINE__, "09:0", BAD},     {__LINE__, "", BAD},      {__LINE__, "0900", BAD},
        {__LINE__, "09.00", BAD},   {__LINE__, "09:00:00", BAD}, {__LINE__, " 9:00", BAD}, {__LINE__, "09:00 ", BAD},
        {__LINE__, "-1:00", BAD},   {__LINE__, "0a:00", BAD},    {__LINE__, "09:a0", BAD}, {__LINE__, "09:0a", BAD},
        {__LINE__, "09:00am", BAD}, {__LINE__, "99:99", BAD},    {__LINE__, "+9:00", BAD}, {__LINE__, ":::::", BAD},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        int minutes = -7;
        size_t len = strlen(rows[i].text);
        char *text = test_copy(rows[i].text, len);
        ho_code code = ho_time(text, len, &minutes);
        CHECK_AT(rows[i].line, code == (rows[i].minutes == BAD ? HO_INVALID : HO_OK), "%s: code %d", text, (int)code);
        CHECK_AT(rows[i].line, minutes == (rows[i].minutes == BAD ? -7 : rows[i].minutes), "%d minutes", minutes);
        free(text);
    }
}

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

/* --- zones, in a zoneinfo folder of our own, so that the system's release of tzdata does not matter
 * ------------------------ */

static char folder[] = "/tmp/handoff-zones-XXXXXX";

static void write_file(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *f = fopen(path, "w");
    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) abort();
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at) {
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static void make_zones(void) {
    static const char *const zones[] = {
        "UTC",           "Etc/GMT-1",        "Etc/GMT+1",           "Europe/London",
        "Europe/Zurich", "America/New_York", "America/Sao_Paulo",   "America/Argentina/Buenos_Aires",
        "Asia/Kolkata",  "Asia/Calcutta",    "US/Pacific",          "Zulu",
        "GMT-0",         "Asia/Kyiv",        "posixrules",          "localtime",
        "leapseconds",   "right/UTC",        "posix/Europe/London", "iso3166.tab",
        "tzdata.zi",     "zone.tab",
    };
    if (mkdtemp(folder) == NULL) abort();
    for (size_t i = 0; i < HO_COUNT(zones); i++) write_file(zones[i], "TZif2");
    write_file("zone.tab", "# comment\tEurope/Zurich\tAsia/Calcutta\nGB\t+513030-0000731\tEurope/London\n"
                           "CH\t+4723+00832\tEurope/Zurich\nBR\t-2332-04637\tAmerica/Sao_Paulo\tBrazil\n"
                           "IN\t+2232+08822\tAsia/Kolkata\nUS\t+404251-0740023\tAmerica/New_York\tEastern\nXX\n\nYY\t\n"
                           "AR\t-3436-05827\tAmerica/Argentina/Buenos_Aires\nZZ\t+0+0\tEurope/Not_Installed\n");
    write_file("tzdata.zi",
               "# version 1\nR d 1916 o - Jun 14 23s 1 S\nZ Asia/Kolkata 5:53:28 - LMT 1854 Jun 28\n5:53:20 - HMT\n"
               "Z UTC 0 - UTC\nZ Etc/GMT-1 -1 - +01\nL Asia/Kolkata Asia/Calcutta\nL America/Los_Angeles US/Pacific\n"
               "L UTC Zulu\nL UTC GMT-0\nL\nZ\nL UTC\nL Europe/London Europe/Belfast\nZ");
}

static void zones(void) {
    static const struct {
        int line;
        const char *text;
        ho_zone_answer answer;
        const char *nearest; /* NULL: none; "": not asked */
    } rows[] = {
        {__LINE__, "UTC", HO_ZONE_KNOWN, ""},
        {__LINE__, "Europe/London", HO_ZONE_KNOWN, ""},
        {__LINE__, "America/Argentina/Buenos_Aires", HO_ZONE_KNOWN, ""},
        {__LINE__, "Etc/GMT-1", HO_ZONE_KNOWN, ""},
        {__LINE__, "europe/london", HO_ZONE_UNKNOWN, "Europe/London"},
        {__LINE__, "EUROPE/LONDON", HO_ZONE_UNKNOWN, "Europe/London"},
        {__LINE__, "London", HO_ZONE_UNKNOWN, "Europe/London"},
        {__LINE__, "Europe/Londn", HO_ZONE_UNKNOWN, "Europe/London"},
        {__LINE__, "Europe London", HO_ZONE_UNKNOWN, "Europe/London"},
        {__LINE__, "Asia/London", HO_ZONE_UNKNOWN, "Europe/London"},
        {__LINE__, " Europe/London ", HO_ZONE_UNKNOWN, "Europe/London"},
        {__LINE__, "America/New York", HO_ZONE_UNKNOWN, "America/New_York"},
        {__LINE__, "America/Nwe_York", HO_ZONE_UNKNOWN, "America/New_York"},
        {__LINE__, "sao paulo", HO_ZONE_UNKNOWN, "America/Sao_Paulo"},
        {__LINE__, "Buenos Aires", HO_ZONE_UNKNOWN, "America/Argentina/Buenos_Aires"},
        {__LINE__, "Calcuta", HO_ZONE_UNKNOWN, "Asia/Calcutta"},
        {__LINE__, "US Pacific", HO_ZONE_UNKNOWN, "US/Pacific"},
        {__LINE__, "utc", HO_ZONE_UNKNOWN, "UTC"},
        {__LINE__, "Etc/GMT 1", HO_ZONE_UNKNOWN, "Etc/GMT-1"},
        {__LINE__, "GMT-1", HO_ZONE_UNKNOWN, NULL}, /* Etc/GMT-1 is on the other side of Greenwich */
        {__LINE__, "UTC+1", HO_ZONE_UNKNOWN, NULL},
        {__LINE__, "Europe/Belfast", HO_ZONE_UNKNOWN, NULL}, /* listed, not installed */
        {__LINE__, "Europe/Not Installed", HO_ZONE_UNKNOWN, NULL},
        {__LINE__, "Europe/Munich", HO_ZONE_UNKNOWN, NULL}, /* two letters off Zurich, and no slip of it */
        {__LINE__, "", HO_ZONE_UNKNOWN, NULL},
        {__LINE__, "/", HO_ZONE_UNKNOWN, NULL},
        {__LINE__, "Europe", HO_ZONE_UNKNOWN, NULL},
        {__LINE__, "Europe/", HO_ZONE_UNKNOWN, NULL},
        {__LINE__, "America/Argentina", HO_ZONE_UNKNOWN, ""},
        {__LINE__, "Europe//London", HO_ZONE_UNKNOWN, "Europe/London"},
        {__LINE__, "/Europe/London", HO_ZONE_UNKNOWN, "Europe/London"},
        {__LINE__, "Europe/London/", HO_ZONE_UNKNOWN, ""},
        {__LINE__, "Europe/../UTC", HO_ZONE_UNKNOWN, ""},
        {__LINE__, "../UTC", HO_ZONE_UNKNOWN, ""},
        {__LINE__, "./UTC", HO_ZONE_UNKNOWN, ""},
        {__LINE__, "posixrules", HO_ZONE_UNKNOWN, NULL},
        {__LINE__, "localtime", HO_ZONE_UNKNOWN, NULL},
        {__LINE__, "leapseconds", HO_ZONE_UNKNOWN, NULL},
        {__LINE__, "right/UTC", HO_ZONE_UNKNOWN, "UTC"},
        {__LINE__, "posix/Europe/London", HO_ZONE_UNKNOWN, "Europe/London"},
        {__LINE__, "zone.tab", HO_ZONE_UNKNOWN, NULL},
        {__LINE__, "iso3166.tab", HO_ZONE_UNKNOWN, NULL},
        {__LINE__, "tzdata.zi", HO_ZONE_UNKNOWN, NULL},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        char name[64] = "untouched";
        size_t len = strlen(rows[i].text);
        char *text = test_copy(rows[i].text, len);
        CHECK_AT(rows[i].line, ho_zone(text, len) == rows[i].answer, "%s: %d", rows[i].text, (int)ho_zone(text, len));
        bool found = ho_zone_nearest(text, len, name, sizeof name);
        free(text);
        const char *nearest = rows[i].nearest != NULL ? rows[i].nearest : "untouched";
        if (*nearest == '\0') continue;
        CHECK_AT(rows[i].line, found == (rows[i].nearest != NULL) && strcmp(name, nearest) == 0, "nearest is %s", name);
    }
    char small[4] = "-", name[64];
    CHECK(!ho_zone_nearest("london", 6, small, sizeof small) && strcmp(small, "-") == 0, "no room for the name");
    CHECK(ho_zone_nearest("utc", 3, small, sizeof small) && strcmp(small, "UTC") == 0, "just room for the name");
    CHECK(ho_zone("UTC\0", 4) == HO_ZONE_UNKNOWN, "a NUL in a name");
    char endless[5000];
    memset(endless, 'A', sizeof endless);
    CHECK(ho_zone(endless, sizeof endless) == HO_ZONE_UNKNOWN, "an endless name");
    CHECK(!ho_zone_nearest(endless, sizeof endless, name, sizeof name), "nothing is near an endless name");
}

/* By the last line of its file alone, whatever its name says. */
static void fixed_zones(void) {
    static const struct {
        int line;
        const char *file;
        bool fixed;
        int minutes;
    } rows[] = {
        {__LINE__, "TZif2\nEST5\n", true, -300},
        {__LINE__, "TZif2\n\nUTC0\n", true, 0},
        {__LINE__, "\n<+03>-3\n", true, 180},
        {__LINE__, "\n<-12>12\n", true, -720},
        {__LINE__, "\nIST-5:30\n", true, 330},
        {__LINE__, "\n<-0330>+3:30\n", true, -210},
        {__LINE__, "\nEST5EDT,M3.2.0,M11.1.0\n", false, 0},
        {__LINE__, "\nIST-2IDT,M3.4.4/26,M10.5.0\n", false, 0},
        {__LINE__, "\nEST\n", false, 0},
        {__LINE__, "\n<EST5\n", false, 0},
        {__LINE__, "\nEST5:\n", false, 0},
        {__LINE__, "\nEST5:99\n", false, 0},
        {__LINE__, "\nEST99999999999999999999\n", false, 0},
        {__LINE__, "\n\n", false, 0},
        {__LINE__, "\n", false, 0},
        {__LINE__, "EST5\n", false, 0}, /* the first line is none */
        {__LINE__, "\nEST5", false, 0},
        {__LINE__, "", false, 0},
        {__LINE__, "\n" SIXTY SIXTY SIXTY "\nEST5\n", true, -300},
        {__LINE__, "\n" SIXTY TEN "5\n", false, 0},
        {__LINE__, "\n" SIXTY SIXTY SIXTY "5\n", false, 0},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        int minutes = 0;
        write_file("Etc/Test", rows[i].file);
        bool fixed = ho_zone_fixed("Etc/Test", strlen("Etc/Test"), &minutes);
        CHECK_AT(rows[i].line, fixed == rows[i].fixed && minutes == rows[i].minutes, "%d, %d minutes", fixed, minutes);
    }
    int minutes = 0;
    CHECK(!ho_zone_fixed("Etc", 3, &minutes) && !ho_zone_fixed("Etc/None", 8, &minutes) && minutes == 0, "no zone");
}

static void no_zones(void) {
    static const struct {
        int line;
        const char *text;
        ho_zone_answer answer;
    } rows[] = {
        {__LINE__, "UTC", HO_ZONE_UNCHECKABLE},
        {__LINE__, "Europe/London", HO_ZONE_UNCHECKABLE},
        {__LINE__, "Etc/GMT+1", HO_ZONE_UNCHECKABLE},
        {__LINE__, "America/Port-au-Prince", HO_ZONE_UNCHECKABLE},
        {__LINE__, "Europe London", HO_ZONE_UNKNOWN},
        {__LINE__, "europe/london", HO_ZONE_UNKNOWN},
        {__LINE__, "", HO_ZONE_UNKNOWN},
        {__LINE__, "../../etc/passwd", HO_ZONE_UNKNOWN},
    };
    char name[64];
    for (size_t i = 0; i < HO_COUNT(rows); i++)
        CHECK_AT(rows[i].line, ho_zone(rows[i].text, strlen(rows[i].text)) == rows[i].answer, "%s", rows[i].text);
    CHECK(!ho_zone_nearest("london", 6, name, sizeof name), "there is no list to look in");
}

static void all_about_zones(void) {
    static char endless[3000];
    make_zones();
    setenv("TZDIR", folder, 1);
    zones();
    fixed_zones();
    if (nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0) abort();
    no_zones();
    memset(endless, '/', sizeof endless - 1);
    setenv("TZDIR", endless, 1);
    no_zones();
    unsetenv("TZDIR");
}

/* --- e-mail
 * -------------------------------------------------------------------------------------------------------------- */

static void emails(void) {
    static const struct {
        int line;
        const char *text;
        bool valid;
    } rows[] = {
        {__LINE__, "a@b.co", true},
        {__LINE__, "first.last+tag@mail.example.com", true},
        {__LINE__, "o'neil_x-1@example.co.uk", true},
        {__LINE__, "1@1.example", true},
        {__LINE__,
         "J\xC3\xBCrgen@b\xC3\xBC"
         "cher.example",
         true},
        {__LINE__, "\xE7\x94\xA8\xE6\x88\xB7@\xE4\xBE\x8B\xE5\xAD\x90.\xE6\xB5\x8B\xE8\xAF\x95", true},
        {__LINE__, "a@xn--bcher-kva.example", true},
        {__LINE__, SIXTY "abcd@b.co", true},
        {__LINE__, SIXTY "abcde@b.co", false},
        {__LINE__, "a@" SIXTY "abc.co", true},
        {__LINE__, "a@" SIXTY "abcd.co", false},
        {__LINE__, "a@" SIXTY "." SIXTY "." SIXTY "." SIXTY ".abcdefghi", true}, /* 253 */
        {__LINE__, "a@" SIXTY "." SIXTY "." SIXTY "." SIXTY ".abcdefghij", false},
        {__LINE__, "", false},
        {__LINE__, "@", false},
        {__LINE__, "a", false},
        {__LINE__, "a@", false},
        {__LINE__, "@b.co", false},
        {__LINE__, "a@b", false},
        {__LINE__, "a@@b.co", false},
        {__LINE__, "a@b@c.co", false},
        {__LINE__, ".a@b.co", false},
        {__LINE__, "a.@b.co", false},
        {__LINE__, "a..b@c.co", false},
        {__LINE__, "a@.b.co", false},
        {__LINE__, "a@b..co", false},
        {__LINE__, "a@b.co.", false},
        {__LINE__, "a@-b.co", false},
        {__LINE__, "a@b-.co", false},
        {__LINE__, "a@b_c.co", false},
        {__LINE__, " a@b.co", false},
        {__LINE__, "a@b.co ", false},
        {__LINE__, "a b@c.co", false},
        {__LINE__, "a@b.co\n", false},
        {__LINE__, "a@b.co,c@d.co", false},
        {__LINE__, "a@b.co;c@d.co", false},
        {__LINE__, "A <a@b.co>", false},
        {__LINE__, "\"a b\"@c.co", false},
        {__LINE__, "mailto:a@b.co", false},
        {__LINE__, "a@[127.0.0.1]", false},
        {__LINE__, "a@b.co\xC2\xA0", false}, /* what a paste brings along: a hard space, */
        {__LINE__,
         "\xE2\x80\x8B"
         "a@b.co",
         false},                                 /* a space of no width, */
        {__LINE__, "a@b.co\xE2\x80\xA8", false}, /* a line separator */
        {__LINE__,
         "\xEF\xBB\xBF"
         "a@b.co",
         false}, /* a byte order mark */
        {__LINE__,
         "a\xEF\xBC\xA0"
         "b.co",
         false}, /* a wide @ */
        {__LINE__,
         "a@b\xE3\x80\x82"
         "co",
         false}, /* an ideographic full stop */
        {__LINE__, "\xF0\x9F\x98\x80@b.co", false},
        {__LINE__, "a\xFF@b.co", false},
        {__LINE__, "a@b.co\xC3", false},
        {__LINE__, "a\x01@b.co", false},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        size_t len = strlen(rows[i].text);
        char *text = test_copy(rows[i].text, len);
        CHECK_AT(rows[i].line, ho_email(text, len) == rows[i].valid, "%s", rows[i].text);
        free(text);
    }
    CHECK(!ho_email("a@b.co\0", 7) && !ho_email("a\0@b.co", 7), "a NUL in an address");
}

/* --- near misses
 * --------------------------------------------------------------------------------------------------------- */

static void near_misses(void) {
    static const char *const fields[] = {"is_active",
                                         "keywords",
                                         "timezone",
                                         "emails",
                                         "confirmation_message",
                                         "confirmation_outside_working_hours_message",
                                         "id",
                                         NULL};
    static const struct {
        int line;
        const char *name;
        const char *nearest; /* NULL: none */
    } rows[] = {
        {__LINE__, "keyword", "keywords"},
        {__LINE__, "keywords", "keywords"},
        {__LINE__, "Keywords", "keywords"},
        {__LINE__, "kyewords", "keywords"},
        {__LINE__, "key_words", "keywords"},
        {__LINE__, "time-zone", "timezone"},
        {__LINE__, "TimeZone", "timezone"},
        {__LINE__, "timezon", "timezone"},
        {__LINE__, "timzoe", "timezone"},
        {__LINE__, "isactive", "is_active"},
        {__LINE__, "active", "is_active"}, /* two of eight */
        {__LINE__, "act", NULL},           /* within a name is not its beginning */
        {__LINE__, "email", "emails"},
        {__LINE__, "ema", "emails"}, /* a beginning, from three on */
        {__LINE__, "em", NULL},
        {__LINE__, "emails_of_the_operators", "emails"},
        {__LINE__, "confirmation", "confirmation_message"},
        {__LINE__, "confirmation_outside", "confirmation_outside_working_hours_message"},
        {__LINE__, "is", NULL}, /* one of two is more than a third */
        {__LINE__, "ID", "id"},
        {__LINE__, "", NULL},
        {__LINE__, "-_-", NULL},
        {__LINE__, "something else", NULL},
        {__LINE__, "confirmation_outside_working_hours_message_and_more_of_it_up_to_and_beyond_the_limit_there_is",
         NULL},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        size_t len = strlen(rows[i].name);
        char *name = test_copy(rows[i].name, len);
        int at = ho_nearest(name, len, fields);
        free(name);
        const char *nearest = at >= 0 ? fields[at] : NULL;
        bool same = nearest == rows[i].nearest ||
                    (nearest != NULL && rows[i].nearest != NULL && strcmp(nearest, rows[i].nearest) == 0);
        CHECK_AT(rows[i].line, same, "%s: %s", rows[i].name, nearest != NULL ? nearest : "none");
    }
    static const char *const none[] = {NULL}, *const empty[] = {"", "-", NULL};
    CHECK(ho_nearest("keywords", 8, none) == -1, "no candidates");
    CHECK(ho_nearest("a", 1, empty) == -1 && ho_nearest("", 0, empty) == -1, "empty candidates");
    CHECK(ho_nearest("keywords\0", 9, fields) == 1, "a NUL is one character off");
}

int main(void) {
    utf8();
    every_code_point();
    every_place();
    day_spans();
    times();
    all_about_zones();
    emails();
    near_misses();
    return test_summary();
}
