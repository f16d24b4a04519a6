/* SPDX-License-Identifier: MIT */
#include "token.h"

#include <string.h>

bool ho_token_plausible(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~') return false;
    return len > 0;
}

/* The value of a character, or -1. Letters as ASCII has them, whatever the locale. */
static int sextet(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

ho_code ho_base64url(const char *text, size_t len, char *out, size_t *out_len) {
    uint32_t bits = 0;
    unsigned held = 0; /* how many of the lowest bits are not written yet */
    size_t written = 0;
    if (len % 4 == 1) return HO_INVALID;
    for (size_t i = 0; i < len; i++) {
        int value = sextet(text[i]);
        if (value < 0) return HO_INVALID;
        bits = (bits << 6 | (uint32_t)value) & 0xFFF;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        out[written++] = (char)(unsigned char)(bits >> held & 0xFF);
    }
    if ((bits & ((1u << held) - 1)) != 0) return HO_INVALID;
    *out_len = written;
    return HO_OK;
}

/* Decodes a piece, which is to be a JSON object. */
static ho_code decode_object(ho_text piece, char *out, size_t *out_len, ho_scan *scan) {
    size_t len = 0;
    *scan = (ho_scan){.max_size = HO_TOKEN_SIZE};
    ho_code code = ho_base64url(piece.at, piece.len, out, &len);
    if (code == HO_OK) code = ho_scan_text(out, len, scan);
    if (code != HO_OK) return code == HO_NOMEM ? code : HO_INVALID;
    if (scan->kind != '{') return HO_INVALID;
    *out_len = len;
    return HO_OK;
}

ho_code ho_token_unverified_claims(const char *token, size_t len, char *out, size_t *out_len, ho_scan *scan) {
    if (len > HO_TOKEN_SIZE) return HO_LIMIT;
    const char *end = token + len, *first = memchr(token, '.', len);
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
    if (second == NULL) return HO_INVALID;
    ho_text header = {token, (size_t)(first - token)};
    ho_text claims = {first + 1, (size_t)(second - first - 1)};
    size_t ignored;
    ho_code code = ho_base64url(second + 1, (size_t)(end - second - 1), out, &ignored);
    if (code == HO_OK) code = decode_object(header, out, &ignored, scan);
    return code == HO_OK ? decode_object(claims, out, out_len, scan) : code;
}
