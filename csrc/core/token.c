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

/* --- marks -------------------------------------------------------------------------------------------------------- */

static uint64_t rotate(uint64_t x, unsigned bits) {
    return x << bits | x >> (64 - bits);
}

static void stir(uint64_t v[4], int rounds) {
    while (rounds-- > 0) {
        v[0] += v[1], v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0], v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1], v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2], v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static uint64_t little_endian(const char *at, size_t len) {
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) value |= (uint64_t)(unsigned char)at[i] << 8 * i;
    return value;
}

static void take_in(uint64_t v[4], uint64_t block) {
    v[3] ^= block;
    stir(v, 2);
    v[0] ^= block;
}

uint64_t ho_token_mark(const unsigned char key[HO_TOKEN_KEY], const char *text, size_t len) {
    uint64_t k0 = little_endian((const char *)key, 8), k1 = little_endian((const char *)key + 8, 8);
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                     k1 ^ 0x7465646279746573};
    size_t left = len;
    for (; left >= 8; left -= 8, text += 8) take_in(v, little_endian(text, 8));
    take_in(v, little_endian(text, left) | (uint64_t)(len & 0xFF) << 56);
    v[2] ^= 0xFF;
    stir(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
