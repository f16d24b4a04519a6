/* SPDX-License-Identifier: MIT */
#include "rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- text --------------------------------------------------------------------------------------------------------- */

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

static char lower(char c) {
    return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

static bool is_letter(char c) {
    c = lower(c);
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool in(unsigned char byte, unsigned char least, unsigned char most) {
    return byte >= least && byte <= most;
}

/* Table 3-7 of the Unicode standard. */
size_t ho_utf8_size(const char *text, size_t left) {
    const unsigned char *s = (const unsigned char *)text;
    unsigned char lead = s[0];
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (left < size) return 0;
    unsigned char least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (!in(s[1], least, most)) return 0;
    for (size_t i = 2; i < size; i++)
        if (!in(s[i], 0x80, 0xBF)) return 0;
    return size;
}

static bool is_ascii_block(const char *text) {
    uint64_t block;
    memcpy(&block, text, sizeof block);
    return (block & UINT64_C(0x8080808080808080)) == 0;
}

size_t ho_utf8_length(const char *text, size_t len, size_t *bad) {
    size_t count = 0, i = 0;
    while (i < len) {
        if (len - i >= 8 && is_ascii_block(text + i)) {
            i += 8;
            count += 8;
            continue;
        }
        /* A block with something else in it is walked as a whole, so that accents do not cost a test of a block each.
         */
        for (size_t end = len - i < 8 ? len : i + 8; i < end; count++) {
            size_t size = ho_utf8_size(text + i, len - i);
            if (size == 0) {
                if (bad != NULL) *bad = i;
                return SIZE_MAX;
            }
            i += size;
        }
    }
    return count;
}

/* --- days and times ----------------------------------------------------------------------------------------------- */

const char *const ho_days[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", NULL};

static int find_day(const char *text, size_t len) {
    for (int day = 0; ho_days[day]; day++)
        if (strlen(ho_days[day]) == len && memcmp(ho_days[day], text, len) == 0) return day;
    return -1;
}

ho_code ho_day_span(const char *text, size_t len, int *first, int *last) {
    const char *dash = len > 0 ? memchr(text, '-', len) : NULL;
    size_t left = dash != NULL ? (size_t)(dash - text) : len;
    int from = find_day(text, left);
    int to = dash != NULL ? find_day(dash + 1, len - left - 1) : from;
    if (from < 0 || to < 0) return HO_INVALID;
    *first = from;
    *last = to;
    return HO_OK;
}

ho_code ho_time(const char *text, size_t len, int *minutes) {
    if (len != 5 || text[2] != ':') return HO_INVALID;
    if (!is_digit(text[0]) || !is_digit(text[1]) || !is_digit(text[3]) || !is_digit(text[4])) return HO_INVALID;
    int hour = (text[0] - '0') * 10 + (text[1] - '0');
    int minute = (text[3] - '0') * 10 + (text[4] - '0');
    if (hour > 23 || minute > 59) return HO_INVALID;
    *minutes = hour * 60 + minute;
    return HO_OK;
}

/* --- near misses -------------------------------------------------------------------------------------------------- */

enum { NEAR_MAX = 64 }; /* longer names are compared with nothing: they are no slip of a known one */

typedef struct folded {
    size_t len;
    char at[NEAR_MAX];
} folded;

/* Lower case, and without the characters to ignore. False where it is empty or too long. */
static bool fold(folded *f, const char *text, size_t len, const char *ignored) {
    f->len = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\0' && strchr(ignored, text[i]) != NULL) continue;
        if (f->len == NEAR_MAX) return false;
        f->at[f->len++] = lower(text[i]);
    }
    return f->len > 0;
}

static size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t longer(const folded *a, const folded *b) {
    return a->len > b->len ? a->len : b->len;
}

/* Damerau and Levenshtein's distance, in its form of optimal string alignment. */
static size_t distance(const folded *a, const folded *b) {
    size_t rows[3][NEAR_MAX + 1];
    size_t *older = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b->len; j++) above[j] = j;
    for (size_t i = 1; i <= a->len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b->len; j++) {
            bool same = a->at[i - 1] == b->at[j - 1];
            row[j] = least_of(above[j - 1] + !same, least_of(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a->at[i - 1] == b->at[j - 2] && a->at[i - 2] == b->at[j - 1])
                row[j] = least_of(row[j], older[j - 2] + 1);
        }
        size_t *free_row = older;
        older = above;
        above = row;
        row = free_row;
    }
    return above[b->len];
}

static bool is_prefix(const folded *a, const folded *b) {
    size_t len = least_of(a->len, b->len);
    return len >= 3 && memcmp(a->at, b->at, len) == 0;
}

int ho_nearest(const char *name, size_t len, const char *const *candidates) {
    folded wanted, candidate;
    if (!fold(&wanted, name, len, "-_")) return -1;
    int nearest = -1;
    size_t best = SIZE_MAX;
    for (int i = 0; candidates[i] != NULL; i++) {
        if (!fold(&candidate, candidates[i], strlen(candidates[i]), "-_")) continue;
        size_t off = distance(&wanted, &candidate);
        if (is_prefix(&wanted, &candidate))
            off = least_of(off, 2); /* to cut a name short is as likely as to slip twice */
        else if (off * 3 > longer(&wanted, &candidate))
            continue;
        if (off < best) {
            best = off;
            nearest = i;
        }
    }
    return nearest;
}

/* --- zones -------------------------------------------------------------------------------------------------------- */

enum { ZONE_MAX = 63, FOLDER_MAX = 1024 };

/* `file` below the zoneinfo folder, in `path`. False where the path would not fit. */
static bool zone_path(char *path, size_t size, const char *file, size_t len) {
    const char *folder = getenv("TZDIR"); /* NOLINT(concurrency-mt-unsafe): nothing here sets variables */
    if (folder == NULL || *folder == '\0') folder = "/usr/share/zoneinfo";
    int written = snprintf(path, size, "%s/%.*s", folder, (int)len, file);
    return written > 0 && (size_t)written < size;
}

static bool is_file(const char *file, size_t len) {
    char path[FOLDER_MAX];
    struct stat st;
    return zone_path(path, sizeof path, file, len) && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Every component of a zone's name begins with a capital, which nothing else in the folder does: posixrules, posix/,
 * right/, leapseconds, zone.tab. So no path leaves the folder, and a file system that ignores case cannot accept
 * europe/london. */
static bool looks_like_zone(const char *text, size_t len) {
    if (len == 0 || len > ZONE_MAX || text[len - 1] == '/') return false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool begins = i == 0 || text[i - 1] == '/';
        if (begins ? !is_upper(c) : !is_letter(c) && !is_digit(c) && (c == '\0' || strchr("/_+-", c) == NULL))
            return false;
    }
    return true;
}

/* A folder with a few zones copied into it, as slim images have, cannot tell which others there are. */
static bool system_has_zones(void) {
    return is_file("UTC", 3) && (is_file("zone.tab", 8) || is_file("tzdata.zi", 9) || is_file("Europe/London", 13));
}

ho_zone_answer ho_zone(const char *text, size_t len) {
    if (!looks_like_zone(text, len)) return HO_ZONE_UNKNOWN;
    if (is_file(text, len)) return HO_ZONE_KNOWN;
    return system_has_zones() ? HO_ZONE_UNKNOWN : HO_ZONE_UNCHECKABLE;
}

/* The last line of a zone's file, which is POSIX's TZ for the time after all that is listed in it: EST5EDT,M3.2.0,M11.1.0. */
static bool read_footer(const char *zone, size_t len, char *out, size_t size) {
    char path[FOLDER_MAX], end[128];
    if (!zone_path(path, sizeof path, zone, len)) return false;
    FILE *f = fopen(path, "re");
    if (f == NULL) return false;
    if (fseek(f, -(long)sizeof end, SEEK_END) != 0) rewind(f); /* a fixed zone's is shorter */
    size_t n = fread(end, 1, sizeof end, f);
    fclose(f);
    if (n < 2 || end[--n] != '\n') return false;
    size_t at = n;
    while (at > 0 && end[at - 1] != '\n') at--;
    if (at == 0 || n - at >= size) return false;
    memcpy(out, end + at, n - at);
    out[n - at] = '\0';
    return true;
}

bool ho_zone_fixed(const char *text, size_t len, int *minutes) {
    char footer[64], *rest;
    if (ho_zone(text, len) != HO_ZONE_KNOWN || !read_footer(text, len, footer, sizeof footer)) return false;
    const char *at = footer; /* its name, and the offset, which POSIX counts to the west: EST5, <+03>-3, IST-5:30 */
    if (*at == '<')
        at += strcspn(at, ">") + (strchr(at, '>') != NULL);
    else
        while (is_letter(*at)) at++;
    bool east = *at == '-';
    if (*at == '-' || *at == '+') at++;
    if (!is_digit(*at)) return false;
    long hours = strtol(at, &rest, 10), past = 0;
    if (*rest == ':' && is_digit(rest[1])) past = strtol(rest + 1, &rest, 10);
    if (*rest != '\0' || hours > 24 || past > 59) return false;
    *minutes = (int)(hours * 60 + past) * (east ? 1 : -1);
    return true;
}

typedef struct zone_search {
    folded whole, city; /* what is looked for, and what follows its last slash */
    bool exact;         /* it has a digit: GMT+2 is no slip of GMT+1 */
    size_t best;
    char name[ZONE_MAX + 1];
} zone_search;

static const char zone_ignored[] = " _-/.";

static ho_text last_component(const char *text, size_t len) {
    size_t at = len;
    while (at > 0 && text[at - 1] != '/') at--;
    return (ho_text){text + at, len - at};
}

/* How far off the zone is, or SIZE_MAX where it is too far: the city counts, as most slips are in the area or its
 * absence. */
static size_t zone_distance(const zone_search *search, const char *zone, size_t len) {
    folded whole, city;
    ho_text last = last_component(zone, len);
    if (!fold(&whole, zone, len, zone_ignored) || !fold(&city, last.at, last.len, zone_ignored)) return SIZE_MAX;
    size_t off = distance(&search->whole, &whole);
    size_t factor = search->exact ? NEAR_MAX : 1;
    if (off * 8 * factor <= longer(&search->whole, &whole)) return 2 * off;
    /* Etc/GMT-1 is an hour ahead of UTC, so that it must not be offered for a GMT-1. */
    if (strncmp(zone, "Etc/", 4) == 0) return SIZE_MAX;
    off = distance(&search->city, &city);
    return off * 4 * factor <= longer(&search->city, &city) ? 2 * off + 1 : SIZE_MAX;
}

static void consider(zone_search *search, const char *zone, size_t len) {
    if (len > ZONE_MAX) return;
    size_t off = zone_distance(search, zone, len);
    if (off >= search->best || ho_zone(zone, len) != HO_ZONE_KNOWN) return;
    search->best = off;
    memcpy(search->name, zone, len);
    search->name[len] = '\0';
}

/* The zone that a line names: the third column of a .tab, the name after Z or the second after L of tzdata.zi. */
static ho_text zone_of_line(const char *line, bool is_tab) {
    size_t skip = is_tab ? 2 : line[0] == 'Z' ? 1 : line[0] == 'L' ? 2 : 0;
    if (line[0] == '#' || skip == 0) return (ho_text){line, 0};
    const char *separators = is_tab ? "\t\n" : " \n";
    for (; skip > 0; skip--) {
        line += strcspn(line, separators);
        line += strspn(line, separators);
    }
    return (ho_text){line, strcspn(line, separators)};
}

static void search_file(zone_search *search, const char *file, bool is_tab) {
    char path[FOLDER_MAX], line[512];
    if (!zone_path(path, sizeof path, file, strlen(file))) return;
    FILE *f = fopen(path, "re");
    if (f == NULL) return;
    for (int lines = 0; lines < 20000 && fgets(line, sizeof line, f) != NULL; lines++) {
        ho_text zone = zone_of_line(line, is_tab);
        if (zone.len > 0) consider(search, zone.at, zone.len);
    }
    fclose(f);
}

bool ho_zone_nearest(const char *text, size_t len, char *out, size_t out_size) {
    zone_search search = {.best = SIZE_MAX};
    ho_text city = last_component(text, len);
    if (!fold(&search.whole, text, len, zone_ignored) || !fold(&search.city, city.at, city.len, zone_ignored))
        return false;
    for (size_t i = 0; i < len; i++) search.exact = search.exact || is_digit(text[i]);
    /* The table of today's zones comes first, so that among equals it wins over tzdata's old names. */
    search_file(&search, "zone.tab", true);
    search_file(&search, "zone1970.tab", true);
    search_file(&search, "tzdata.zi", false);
    size_t size = strlen(search.name) + 1;
    if (search.best == SIZE_MAX || size > out_size) return false;
    memcpy(out, search.name, size);
    return true;
}

/* --- e-mail ------------------------------------------------------------------------------------------------------- */

/* Not letters, though beyond ASCII: the spaces, invisible marks, punctuation and symbols that a paste brings along. */
static bool is_foreign_letter(uint32_t c) {
    static const struct {
        uint32_t first, last;
    } others[] = {
        {0x80, 0xA9},     {0xAB, 0xB4},     {0xB6, 0xB9},     {0xBB, 0xBF},       {0xD7, 0xD7},        {0xF7, 0xF7},
        {0x1680, 0x1680}, {0x180E, 0x180E}, {0x2000, 0x2BFF}, {0x2E00, 0x2E7F},   {0x3000, 0x3004},    {0x3008, 0x3020},
        {0xE000, 0xF8FF}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFF0F}, {0x1F000, 0x1FAFF}, {0xE0000, 0x10FFFF},
    };
    for (size_t i = 0; i < HO_COUNT(others); i++)
        if (c >= others[i].first && c <= others[i].last) return false;
    return true;
}

static bool has_foreign_others(const char *text, size_t len) {
    for (size_t i = 0, size; i < len; i += size) {
        const unsigned char *s = (const unsigned char *)text + i;
        size = ho_utf8_size(text + i, len - i);
        if (size == 0) return true;
        if (size == 1) continue;
        uint32_t c = s[0] & (0x7Fu >> size);
        for (size_t k = 1; k < size; k++) c = c << 6 | (s[k] & 0x3Fu);
        if (!is_foreign_letter(c)) return true;
    }
    return false;
}

static bool is_letter_or_digit(char c) {
    return is_letter(c) || is_digit(c) || (unsigned char)c >= 0x80;
}

static bool is_local_part(const char *text, size_t len) {
    if (len == 0 || len > 64 || text[0] == '.' || text[len - 1] == '.') return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' && text[i - 1] == '.') return false;
        if (!is_letter_or_digit(text[i]) && (text[i] == '\0' || strchr(".!#$%&'*+/=?^_`{|}~-", text[i]) == NULL))
            return false;
    }
    return true;
}

static bool is_label(const char *text, size_t len) {
    if (len == 0 || len > 63 || text[0] == '-' || text[len - 1] == '-') return false;
    for (size_t i = 0; i < len; i++)
        if (!is_letter_or_digit(text[i]) && text[i] != '-') return false;
    return true;
}

static bool is_domain(const char *text, size_t len) {
    if (len > 253) return false;
    int labels = 0;
    for (size_t at = 0; at <= len; labels++) {
        const char *dot = at < len ? memchr(text + at, '.', len - at) : NULL;
        size_t end = dot != NULL ? (size_t)(dot - text) : len;
        if (!is_label(text + at, end - at)) return false;
        at = end + 1;
    }
    return labels >= 2;
}

bool ho_email(const char *text, size_t len) {
    const char *at = len > 0 ? memchr(text, '@', len) : NULL;
    if (at == NULL || has_foreign_others(text, len)) return false;
    size_t local = (size_t)(at - text);
    return is_local_part(text, local) && is_domain(at + 1, len - local - 1);
}
