/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include "rule.h"

#include <stdlib.h>
#include <string.h>

/* --- the cursor --------------------------------------------------------------------------------------------------- */

typedef struct key {
    const char *at;
    size_t len;
    bool escaped;
} key;

typedef struct cursor {
    const char *start, *at, *end;
    ho_scan *scan;
    ho_code code;
    size_t depth;
    /* the names of all objects that are open, innermost last */
    key *keys, inline_keys[64];
    size_t key_count, key_room;
} cursor;

static bool fail_at(cursor *c, ho_code code, const char *at, const char *wrong) {
    c->code = code;
    c->scan->bad = (size_t)(at - c->start);
    c->scan->wrong = wrong;
    return false;
}

static bool fail(cursor *c, const char *wrong) {
    return fail_at(c, HO_INVALID, c->at, c->at < c->end ? wrong : "the text ends in the middle of a value");
}

static bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static inline void skip_space(cursor *c) {
    const char *at = c->at;
    while (at < c->end && is_space(*at)) at++;
    c->at = at;
}

static bool is_digit(const char *at, const char *end) {
    return at < end && *at >= '0' && *at <= '9';
}

/* --- strings ------------------------------------------------------------------------------------------------------ */

/* Past the plain bytes: ASCII from 0x20 on, no quote, no backslash. Eight at a time; in a word the lowest mark is exact, as a borrow
 * reaches only the bytes above. May stop before a plain byte where the text ends, or the lowest byte of a word does not come first. */
static const char *skip_plain(const char *at, const char *end) {
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;
    for (; end - at >= 8; at += 8) {
        uint64_t w;
        memcpy(&w, at, sizeof w);
        uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');
        uint64_t marks = ((w - ones * 0x20) | (quote - ones) | (slash - ones) | w) & high;
        if (marks == 0) continue;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        at += __builtin_ctzll(marks) / 8;
#endif
        break;
    }
    return at;
}

static int hex4(const char *at, const char *end) {
    int value = 0;
    if (end - at < 4) return -1;
    for (int i = 0; i < 4; i++) {
        int c = (unsigned char)at[i], lower = c | 0x20;
        int digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* At the `u` of an escape; a high surrogate must be followed by the escape of a low one. */
static bool scan_unicode(cursor *c) {
    int unit = hex4(c->at + 1, c->end);
    if (unit < 0) return fail(c, "four hexadecimal digits expected after \\u");
    if (unit >= 0xDC00 && unit <= 0xDFFF) return fail(c, "a lone surrogate");
    c->at += 5;
    if (unit < 0xD800 || unit > 0xDBFF) return true;
    int low = c->end - c->at >= 6 && c->at[0] == '\\' && c->at[1] == 'u' ? hex4(c->at + 2, c->end) : -1;
    if (low < 0xDC00 || low > 0xDFFF) return fail_at(c, HO_INVALID, c->at - 5, "a lone surrogate");
    c->at += 6;
    return true;
}

static bool scan_escape(cursor *c) {
    c->at++;
    if (c->at < c->end && *c->at == 'u') return scan_unicode(c);
    if (c->at >= c->end || *c->at == '\0' || !strchr("\"\\/bfnrt", *c->at)) return fail(c, "no such escape");
    c->at++;
    return true;
}

/* At a byte of a string that is not plain → past it, and what belongs to it. */
static bool scan_special(cursor *c, bool *escaped) {
    unsigned char b = (unsigned char)*c->at;
    if (b == '\\') {
        *escaped = true;
        return scan_escape(c);
    }
    if (b < 0x20) return fail(c, "a control character in a string; write it as an escape");
    size_t size = ho_utf8_size(c->at, (size_t)(c->end - c->at));
    c->at += size;
    return size > 0 || fail(c, "not UTF-8");
}

/* At the opening quote → past the closing one. `escaped` says whether the string holds escapes. */
static bool scan_string(cursor *c, bool *escaped) {
    *escaped = false;
    for (c->at++;;) {
        c->at = skip_plain(c->at, c->end);
        if (c->at >= c->end) return fail(c, "");
        if (*c->at == '"') break;
        if (!scan_special(c, escaped)) return false;
    }
    c->at++;
    return true;
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */

/* A number of the grammar, taken apart. */
typedef struct number {
    bool negative, integer;
    const char *digits, *digits_end; /* of the mantissa, from the first that is not 0, may hold a point; empty: zero */
    const char *point;               /* the decimal point, or NULL */
    size_t significant;              /* digits among them */
    int64_t exponent;                /* as written, or cut at ±EXPONENT_MAX */
} number;

/* Far beyond what the length of any text can make up for. */
#define EXPONENT_MAX INT64_C(1000000000000000)

static const char *take_exponent(const char *at, const char *end, number *n) {
    if (at >= end || (*at | 0x20) != 'e') return at;
    const char *digits = at + 1;
    bool negative = digits < end && *digits == '-';
    if (digits < end && (*digits == '-' || *digits == '+')) digits++;
    if (!is_digit(digits, end)) return NULL;
    n->integer = false;
    for (; is_digit(digits, end); digits++)
        if (n->exponent < EXPONENT_MAX) n->exponent = n->exponent * 10 + (*digits - '0');
    if (n->exponent > EXPONENT_MAX) n->exponent = EXPONENT_MAX;
    if (negative) n->exponent = -n->exponent;
    return digits;
}

/* → past the number, or NULL where the grammar has none. */
static const char *take_number(const char *at, const char *end, number *n) {
    *n = (number){.integer = true, .negative = *at == '-'};
    if (n->negative) at++;
    if (!is_digit(at, end)) return NULL;
    if (*at == '0' && is_digit(at + 1, end)) return NULL;
    const char *from = at;
    while (is_digit(at, end)) at++;
    if (at < end && *at == '.') {
        n->integer = false;
        n->point = at++;
        if (!is_digit(at, end)) return NULL;
        while (is_digit(at, end)) at++;
    }
    n->digits_end = at;
    while (from < at && (*from == '0' || *from == '.')) from++;
    n->digits = from;
    for (; from < at; from++) n->significant += *from != '.';
    return take_exponent(at, end, n);
}

/* 15 digits survive a double both ways; powers of ten to ±200 keep them far from its ends. A decimal point is read by
 * lua-cjson as the locale had it when lua-cjson was loaded, so that it gets none to read. */
static bool is_long(const number *n) {
    bool negative_zero = n->negative && n->significant == 0;
    return n->significant > 15 || n->point || n->exponent > 200 || n->exponent < -200 || negative_zero;
}

static bool scan_number(cursor *c) {
    number n;
    const char *after = take_number(c->at, c->end, &n);
    if (after == NULL) return fail(c, "not a number of JSON");
    c->at = after;
    c->scan->marks += is_long(&n);
    return true;
}

/* The power of ten of the first significant digit: 2 for 123.4, -3 for 0.00123. */
static int64_t leading_power(const number *n) {
    const char *point = n->point ? n->point : n->digits_end;
    return n->exponent + (n->digits > point ? point - n->digits : point - n->digits - 1);
}

/* The next digit, the point passed over; zeros without end follow the last. */
static char next_digit(const char **at, const char *end) {
    if (*at < end && **at == '.') (*at)++;
    return *at < end ? *(*at)++ : '0';
}

bool ho_number_equal(ho_text a, ho_text b) {
    number x, y;
    if (!a.len || !b.len || !take_number(a.at, a.at + a.len, &x) || !take_number(b.at, b.at + b.len, &y)) return false;
    if (x.negative != y.negative) return false;
    if (x.significant == 0 || y.significant == 0) return x.significant == y.significant;
    if (llabs(x.exponent) == EXPONENT_MAX || llabs(y.exponent) == EXPONENT_MAX)
        return a.len == b.len && memcmp(a.at, b.at, a.len) == 0; /* only the same spelling is surely the same */
    if (leading_power(&x) != leading_power(&y)) return false;
    while (x.digits < x.digits_end || y.digits < y.digits_end)
        if (next_digit(&x.digits, x.digits_end) != next_digit(&y.digits, y.digits_end)) return false;
    return true;
}

/* --- names: none twice in one object ------------------------------------------------------------------------------ */

static bool push_key(cursor *c, key k) {
    if (c->key_count == c->key_room) {
        size_t room = c->key_room * 2;
        bool heap = c->keys != c->inline_keys;
        key *keys = realloc(heap ? c->keys : NULL, room * sizeof *keys);
        if (keys == NULL) return fail_at(c, HO_NOMEM, c->at, "out of memory");
        if (!heap) memcpy(keys, c->inline_keys, sizeof c->inline_keys);
        c->keys = keys;
        c->key_room = room;
    }
    c->keys[c->key_count++] = k;
    return true;
}

/* A name's bytes one by one, escapes undone. */
typedef struct reader {
    const char *at, *end;
    unsigned char pending[4];
    int pending_len, pending_at;
} reader;

static void queue_code_point(reader *r, uint32_t cp) {
    r->pending_at = 0;
    r->pending_len = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (int i = r->pending_len - 1; i > 0; i--, cp >>= 6) r->pending[i] = (unsigned char)(0x80 | (cp & 0x3F));
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    r->pending[0] = (unsigned char)(lead[r->pending_len] | cp);
}

/* At a `\`; the escape is valid. */
static void read_escape(reader *r) {
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char c = r->at[1];
    if (c != 'u') {
        const char *at = strchr(from, c);
        queue_code_point(r, (uint32_t)(at ? to[at - from] : c));
        r->at += 2;
        return;
    }
    uint32_t unit = (uint32_t)hex4(r->at + 2, r->end);
    r->at += 6;
    if (unit >= 0xD800 && unit <= 0xDBFF) {
        unit = 0x10000 + ((unit - 0xD800) << 10) + ((uint32_t)hex4(r->at + 2, r->end) - 0xDC00);
        r->at += 6;
    }
    queue_code_point(r, unit);
}

static int read_byte(reader *r) {
    if (r->pending_at == r->pending_len && r->at < r->end && *r->at == '\\') read_escape(r);
    if (r->pending_at < r->pending_len) return r->pending[r->pending_at++];
    return r->at < r->end ? (unsigned char)*r->at++ : -1;
}

static int compare_escaped(const key *a, const key *b) {
    reader x = {.at = a->at, .end = a->at + a->len}, y = {.at = b->at, .end = b->at + b->len};
    for (;;) {
        int p = read_byte(&x), q = read_byte(&y);
        if (p != q || p < 0) return p - q;
    }
}

/* 0: the same name. */
static inline int compare_keys(const void *left, const void *right) {
    const key *a = left, *b = right;
    if (a->escaped || b->escaped) return compare_escaped(a, b);
    if (a->len != b->len) return a->len < b->len ? -1 : 1;
    return memcmp(a->at, b->at, a->len);
}

/* The same total order for all names, as qsort needs: by bytes where one of the object's names is escaped. */
static void make_uniform(key *keys, size_t count) {
    bool escaped = false;
    for (size_t i = 0; i < count; i++) escaped |= keys[i].escaped;
    for (size_t i = 0; i < count; i++) keys[i].escaped = escaped;
}

static bool fail_twice(cursor *c, const key *a, const key *b) {
    return fail_at(c, HO_INVALID, a->at > b->at ? a->at : b->at, "a name for the second time in one object");
}

/* At the end of an object whose names begin at `first`. Few are compared in pairs, many are sorted. */
static bool check_keys(cursor *c, size_t first) {
    key *keys = c->keys + first;
    size_t count = c->key_count - first;
    c->key_count = first;
    if (count <= 16) {
        for (size_t i = 1; i < count; i++)
            for (size_t j = 0; j < i; j++)
                if (compare_keys(&keys[i], &keys[j]) == 0) return fail_twice(c, &keys[i], &keys[j]);
        return true;
    }
    make_uniform(keys, count);
    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 1; i < count; i++)
        if (compare_keys(&keys[i], &keys[i - 1]) == 0) return fail_twice(c, &keys[i], &keys[i - 1]);
    return true;
}

/* --- values ------------------------------------------------------------------------------------------------------- */

static bool scan_value(cursor *c);

static bool scan_word(cursor *c, const char *word, size_t len) {
    if ((size_t)(c->end - c->at) < len || memcmp(c->at, word, len) != 0) return fail(c, "a value expected");
    c->at += len;
    return true;
}

/* After a member or an element: a comma and more of them (`*more`), or the end. */
static bool scan_next(cursor *c, char close, bool *more) {
    skip_space(c);
    if (c->at < c->end && (*c->at == ',' || *c->at == close)) {
        *more = *c->at++ == ',';
        return true;
    }
    return fail(c, close == ']' ? "a comma or ] expected" : "a comma or } expected");
}

static char kind_of(char first) {
    return first == '-' || (first >= '0' && first <= '9') ? '0' : first;
}

static bool scan_name(cursor *c, key *k) {
    skip_space(c);
    if (c->at >= c->end || *c->at != '"') return fail(c, "a name in double quotes expected");
    k->at = c->at + 1;
    if (!scan_string(c, &k->escaped)) return false;
    k->len = (size_t)(c->at - 1 - k->at);
    if (!push_key(c, *k)) return false;
    skip_space(c);
    if (c->at >= c->end || *c->at != ':') return fail(c, "a colon expected");
    c->at++;
    skip_space(c);
    return true;
}

static bool scan_member(cursor *c) {
    key k;
    if (!scan_name(c, &k)) return false;
    const char *from = c->at;
    size_t marks = c->scan->marks;
    if (!scan_value(c)) return false;
    if (c->depth > 1) return true;
    size_t n = c->scan->count++;
    if (n >= c->scan->room) return true;
    c->scan->members[n] = (ho_member){
        .name = (size_t)(k.at - c->start),
        .name_len = k.len,
        .name_escaped = k.escaped,
        .value = (size_t)(from - c->start),
        .value_len = (size_t)(c->at - from),
        .kind = kind_of(*from),
        .marks = c->scan->marks - marks,
    };
    return true;
}

static bool scan_object(cursor *c) {
    size_t first = c->key_count;
    c->at++;
    skip_space(c);
    if (c->at < c->end && *c->at == '}') return c->at++, true;
    for (bool more = true; more;)
        if (!scan_member(c) || !scan_next(c, '}', &more)) return false;
    return check_keys(c, first);
}

static bool scan_array(cursor *c) {
    c->at++;
    skip_space(c);
    if (c->at < c->end && *c->at == ']') {
        c->scan->marks++;
        return c->at++, true;
    }
    for (bool more = true; more;) {
        skip_space(c);
        if (!scan_value(c) || !scan_next(c, ']', &more)) return false;
    }
    return true;
}

static bool scan_nested(cursor *c) {
    if (c->depth >= HO_SCAN_DEPTH) return fail_at(c, HO_LIMIT, c->at, "nested more than 100 deep");
    c->depth++;
    bool ok = *c->at == '{' ? scan_object(c) : scan_array(c);
    c->depth--;
    return ok;
}

static bool scan_value(cursor *c) {
    bool escaped;
    if (c->at >= c->end) return fail(c, "");
    switch (*c->at) {
    case '{':
    case '[': return scan_nested(c);
    case '"': return scan_string(c, &escaped);
    case 't': return scan_word(c, "true", 4);
    case 'f': return scan_word(c, "false", 5);
    case 'n': return scan_word(c, "null", 4);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return scan_number(c);
    default: return fail(c, "a value expected");
    }
}

static bool scan_whole(cursor *c) {
    if (c->scan->max_size < (size_t)(c->end - c->start))
        return fail_at(c, HO_LIMIT, c->start + c->scan->max_size, "more bytes than the limit allows");
    if (c->end - c->at >= 3 && memcmp(c->at, "\xEF\xBB\xBF", 3) == 0)
        return fail(c, "a byte order mark; save the text without one");
    skip_space(c);
    if (c->at >= c->end) return fail_at(c, HO_INVALID, c->at, "empty: a value expected");
    c->scan->kind = kind_of(*c->at);
    if (!scan_value(c)) return false;
    skip_space(c);
    return c->at == c->end || fail(c, "nothing may follow the value");
}

ho_code ho_scan_text(const char *text, size_t len, ho_scan *scan) {
    cursor c = {.start = text, .at = text, .end = text + len, .scan = scan, .code = HO_OK};
    c.keys = c.inline_keys;
    c.key_room = HO_COUNT(c.inline_keys);
    scan->count = scan->marks = scan->bad = 0;
    scan->wrong = NULL;
    scan_whole(&c);
    if (c.keys != c.inline_keys) free(c.keys);
    return c.code;
}

void ho_scan_position(const char *text, size_t offset, size_t *line, size_t *column) {
    *line = *column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)text[i] & 0xC0) != 0x80) {
            ++*column;
        }
    }
}

/* --- marking: the text is valid ----------------------------------------------------------------------------------- */

static const char *after_string(const char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\') at++;
    return at + 1;
}

/* At a `[` → past the `]` where nothing but white space lies between, otherwise NULL. */
static const char *after_empty(const char *at, const char *end) {
    for (at++; at < end && is_space(*at);) at++;
    return at < end && *at == ']' ? at + 1 : NULL;
}

bool ho_scan_is_empty(const char *text, size_t len) {
    return len > 0 && *text == '[' && after_empty(text, text + len) != NULL;
}

static char *put(char *out, const char *from, size_t len) {
    memcpy(out, from, len);
    return out + len;
}

static char *put_mark(char *out, const char *from, size_t len) {
    out = put(out, "\"\xFF", 2);
    out = put(out, from, len);
    *out++ = '"';
    return out;
}

size_t ho_scan_mark(const char *text, size_t len, char *out) {
    const char *end = text + len, *start = out;
    for (const char *at = text, *after; at < end; at = after) {
        number n;
        if (*at == '"') {
            after = after_string(at, end);
            out = put(out, at, (size_t)(after - at));
        } else if (*at == '[' && (after = after_empty(at, end)) != NULL) {
            out = put_mark(out, "[]", 2);
        } else if (*at == '-' || is_digit(at, end)) {
            after = take_number(at, end, &n);
            out = is_long(&n) ? put_mark(out, at, (size_t)(after - at)) : put(out, at, (size_t)(after - at));
        } else {
            after = at + 1;
            *out++ = *at;
        }
    }
    return (size_t)(out - start);
}
