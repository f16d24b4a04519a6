/* SPDX-License-Identifier: MIT */
/* For libFuzzer, see `make fuzz`. The input as it stands; where it has a | in it, what stands before that as a token's header
 * and what comes after as its claims, encoded here.
 * Held: nothing beyond the text is read nor beyond the room written, what base64url decodes to encodes to the same, what is
 * accepted can be sent in a header, is of three pieces and claims a JSON object; and the claims of what is encoded here are read
 * where both pieces are objects and not otherwise. */
#include "../../csrc/core/token.h"

#include <stdlib.h>
#include <string.h>

static void hold(bool ok) {
    if (!ok) abort();
}

/* A block of exactly that size, so that a sanitizer sees what goes beyond it. */
static char *block(size_t size) {
    char *at = malloc(size > 0 ? size : 1);
    if (at == NULL) abort();
    return at;
}

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t encode(const uint8_t *data, size_t len, char *out) {
    uint32_t bits = 0;
    unsigned held = 0;
    size_t written = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | data[i];
        for (held += 8; held >= 6; held -= 6) out[written++] = letters[bits >> (held - 6) & 63];
    }
    if (held > 0) out[written++] = letters[bits << (6 - held) & 63];
    return written;
}

static void hold_base64url(const char *text, size_t len) {
    size_t room = len / 4 * 3 + (len % 4 > 0 ? len % 4 - 1 : 0), size = 0;
    char *out = block(room), *again = block(len);
    if (ho_base64url(text, len, out, &size) == HO_OK) {
        hold(size == room && encode((const uint8_t *)out, size, again) == len && memcmp(again, text, len) == 0);
    }
    free(again);
    free(out);
}

static bool is_object(const char *text, size_t len) {
    ho_scan scan = {.max_size = HO_TOKEN_SIZE};
    return ho_scan_text(text, len, &scan) == HO_OK && scan.kind == '{';
}

static ho_code hold_claims(const char *token, size_t len) {
    char *out = block(len);
    size_t size = 0;
    ho_scan scan;
    ho_code code = ho_token_unverified_claims(token, len, out, &size, &scan);
    hold(code == HO_OK || code == HO_INVALID || code == HO_LIMIT);
    hold((code == HO_LIMIT) == (len > HO_TOKEN_SIZE));
    if (code == HO_OK) {
        size_t dots = 0;
        for (size_t i = 0; i < len; i++) dots += token[i] == '.';
        hold(dots == 2 && size < len && is_object(out, size) && ho_token_plausible(token, len));
    }
    free(out);
    return code;
}

static void hold_made(const uint8_t *data, size_t header, const uint8_t *claims, size_t len) {
    char *token = block(header * 2 + len * 2 + 8);
    size_t size = encode(data, header, token);
    token[size++] = '.';
    size += encode(claims, len, token + size);
    memcpy(token + size, ".c2ln", 5);
    bool objects = is_object((const char *)data, header) && is_object((const char *)claims, len);
    if (size + 5 <= HO_TOKEN_SIZE) hold((hold_claims(token, size + 5) == HO_OK) == objects);
    free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    const uint8_t *bar = len > 0 ? memchr(data, '|', len) : NULL;
    char *text = block(len);
    if (len > 0) memcpy(text, data, len);
    hold_base64url(text, len);
    hold_claims(text, len);
    free(text);
    if (bar != NULL) hold_made(data, (size_t)(bar - data), bar + 1, len - (size_t)(bar + 1 - data));
    return 0;
}
