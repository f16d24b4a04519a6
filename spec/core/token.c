/* SPDX-License-Identifier: MIT */
#include "../../csrc/core/token.h"

#include "test.h"

static ho_code decode(const char *text, char *out, size_t *len) {
    char *copy = test_copy(text, strlen(text));
    ho_code code = ho_base64url(copy, strlen(text), out, len);
    free(copy);
    return code;
}

static void decodes(void) {
    static const struct {
        int line;
        const char *text, *bytes;
        size_t len;
    } rows[] = {
        {__LINE__, "", "", 0},
        {__LINE__, "Zg", "f", 1}, /* RFC 4648, section 10 */
        {__LINE__, "Zm8", "fo", 2},
        {__LINE__, "Zm9v", "foo", 3},
        {__LINE__, "Zm9vYg", "foob", 4},
        {__LINE__, "Zm9vYmFy", "foobar", 6},
        {__LINE__, "AAAA", "\0\0\0", 3},
        {__LINE__, "____", "\xFF\xFF\xFF", 3},
        {__LINE__, "-_-_", "\xFB\xFF\xBF", 3},
        {__LINE__, "_w", "\xFF", 1},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        char out[16];
        size_t len = 99;
        CHECK_AT(rows[i].line, decode(rows[i].text, out, &len) == HO_OK, "%s", rows[i].text);
        CHECK_AT(rows[i].line, len == rows[i].len && memcmp(out, rows[i].bytes, len) == 0, "%zu bytes", len);
    }
}

static void knows_what_can_be_one(void) {
    for (int c = 0; c < 256; c++) {
        char text[] = {'a', (char)c, 'z'};
        CHECK(ho_token_plausible(text, sizeof text) == (c > ' ' && c <= '~'), "character %d", c);
    }
    CHECK(!ho_token_plausible("", 0), "nothing");
}

/* Each character where four stand: its place in the alphabet comes out, or it is none. */
static void knows_its_alphabet(void) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (int c = 0; c < 256; c++) {
        char text[] = {'A', 'A', 'A', (char)c}, out[3] = {0};
        size_t len = 0;
        const char *at = memchr(alphabet, c, sizeof alphabet - 1);
        ho_code code = ho_base64url(text, sizeof text, out, &len);
        CHECK(code == (at ? HO_OK : HO_INVALID), "character %d", c);
        if (at) CHECK(len == 3 && out[2] == at - alphabet, "character %d: %d", c, out[2]);
    }
}

static void refuses_what_no_encoder_writes(void) {
    static const char *const rows[] = {"A", "AAAAA", "Zg==", "Zm8=", "Zh", "Zm9", "Z g", "Zm9v\n", "Zm+v", "Zm/v"};
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        char out[16];
        size_t len = 99;
        CHECK(decode(rows[i], out, &len) == HO_INVALID, "%s", rows[i]);
        CHECK(len == 99, "%s: the length was touched", rows[i]);
    }
}

/* A JWT, its claims {"scenario_id":"a","exp":1}; then what is none. */
#define HEADER "eyJhbGciOiJIUzI1NiJ9"
#define CLAIMS "eyJzY2VuYXJpb19pZCI6ImEiLCJleHAiOjF9"

static ho_code claims_of(const char *token, char *out, size_t *len, ho_scan *scan) {
    char *copy = test_copy(token, strlen(token));
    ho_code code = ho_token_unverified_claims(copy, strlen(token), out, len, scan);
    free(copy);
    return code;
}

static void reads_claims(void) {
    static const char expected[] = "{\"scenario_id\":\"a\",\"exp\":1}";
    static const char *const tokens[] = {HEADER "." CLAIMS ".c2ln", HEADER "." CLAIMS "."};
    for (size_t i = 0; i < HO_COUNT(tokens); i++) {
        char out[128];
        size_t len = 0;
        ho_scan scan;
        CHECK(claims_of(tokens[i], out, &len, &scan) == HO_OK, "%s", tokens[i]);
        CHECK(len == strlen(expected) && memcmp(out, expected, len) == 0, "%.*s", (int)len, out);
        CHECK(scan.kind == '{' && scan.count == 2 && scan.marks == 0, "%zu members", scan.count);
    }
}

static void refuses_what_is_no_jwt(void) {
    static const struct {
        int line;
        const char *token;
    } rows[] = {
        {__LINE__, ""},
        {__LINE__, "."},
        {__LINE__, ".."},
        {__LINE__, "secret"},
        {__LINE__, HEADER "." CLAIMS},
        {__LINE__, HEADER "." CLAIMS ".c2ln.c2ln"},
        {__LINE__, "." CLAIMS ".c2ln"},
        {__LINE__, HEADER "..c2ln"},
        {__LINE__, HEADER "." CLAIMS ".c2l!"},
        {__LINE__, HEADER "." CLAIMS "=.c2ln"},
        {__LINE__, HEADER ".W10.c2ln"},                /* [] */
        {__LINE__, "W10." CLAIMS ".c2ln"},             /* [] for a header */
        {__LINE__, HEADER ".eyJhIjp9.c2ln"},           /* {"a":} */
        {__LINE__, HEADER ".eyJhIjoxLCJhIjoyfQ.c2ln"}, /* {"a":1,"a":2} */
        {__LINE__, HEADER ".eyJhIjoi_yJ9.c2ln"},       /* not UTF-8 */
        {__LINE__, HEADER "." CLAIMS ".c2ln\n"},
    };
    for (size_t i = 0; i < HO_COUNT(rows); i++) {
        char out[128];
        size_t len = 99;
        ho_scan scan;
        CHECK_AT(rows[i].line, claims_of(rows[i].token, out, &len, &scan) == HO_INVALID, "%s", rows[i].token);
        CHECK_AT(rows[i].line, len == 99, "the length was touched");
    }
}

/* Cut anywhere, it is no JWT, but for where the signature is cut to whole bytes; nothing beyond it is read. */
static void refuses_what_is_cut(void) {
    static const char token[] = HEADER "." CLAIMS ".AAAA";
    size_t signature = sizeof token - 5;
    for (size_t len = 0; len < sizeof token; len++) {
        char out[128];
        size_t claims = 0;
        ho_scan scan;
        char *copy = test_copy(token, len);
        bool whole = len >= signature && len != signature + 1;
        CHECK((ho_token_unverified_claims(copy, len, out, &claims, &scan) == HO_OK) == whole, "%zu bytes", len);
        free(copy);
    }
}

static void refuses_what_is_long(void) {
    size_t len = HO_TOKEN_SIZE + 1, claims = 0;
    char *token = malloc(len), *out = malloc(len);
    if (token == NULL || out == NULL) abort();
    ho_scan scan;
    memset(token, 'A', len);
    memcpy(token, HEADER "." CLAIMS ".", strlen(HEADER "." CLAIMS "."));
    CHECK(ho_token_unverified_claims(token, len, out, &claims, &scan) == HO_LIMIT, "one byte too many");
    size_t most = len - 1 - (len - 1 - strlen(HEADER "." CLAIMS ".")) % 4;
    CHECK(ho_token_unverified_claims(token, most, out, &claims, &scan) == HO_OK, "the most there may be");
    free(token);
    free(out);
}

/* The first and the last of the reference's own vectors for that key (SipHash-2-4, 64 bits), and one in between. */
static void marks(void) {
    unsigned char key[HO_TOKEN_KEY];
    char text[64];
    for (unsigned i = 0; i < sizeof key; i++) key[i] = (unsigned char)i;
    for (unsigned i = 0; i < sizeof text; i++) text[i] = (char)i;
    CHECK(ho_token_mark(key, text, 0) == 0x726fdb47dd0e0e31, "nothing");
    CHECK(ho_token_mark(key, text, 15) == 0xa129ca6149be45e5, "15 bytes");
    CHECK(ho_token_mark(key, text, 63) == 0x958a324ceb064572, "63 bytes");
}

int main(void) {
    marks();
    knows_what_can_be_one();
    decodes();
    knows_its_alphabet();
    refuses_what_no_encoder_writes();
    reads_claims();
    refuses_what_is_no_jwt();
    refuses_what_is_cut();
    refuses_what_is_long();
    return test_summary();
}
