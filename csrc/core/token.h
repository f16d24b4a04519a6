/* SPDX-License-Identifier: MIT */
/* What an API token says of itself. A token is a JWT (RFC 7519): three pieces of base64url with dots between, a header, the
 * claims, a signature. No signature is verified here, nor could it be: what is read is a hint for messages, and decides
 * nothing that matters for security. */
#ifndef HO_TOKEN_H
#define HO_TOKEN_H

#include "scan.h"

/* The longest token that is read: several times what an HTTP header takes. */
enum { HO_TOKEN_SIZE = 64 * 1024 };

/* Whether the text can be a token at all: not empty, and nothing in it but printable ASCII without blanks. */
bool ho_token_plausible(const char *text, size_t len);

/* A number that stands for the token where only who has the same key can tell of another that it is the same, and nobody what it
 * is: SipHash-2-4 (Aumasson, Bernstein). */
enum { HO_TOKEN_KEY = 16 };
uint64_t ho_token_mark(const unsigned char key[HO_TOKEN_KEY], const char *text, size_t len);

/* Decodes base64url (RFC 4648, section 5) without padding into `out`, which has room for 3 bytes for every 4 characters, and
 * says how many bytes came out. HO_INVALID: a character that is none of its, a length that none has, bits left over that are not
 * 0. */
ho_code ho_base64url(const char *text, size_t len, char *out, size_t *out_len);

/* Decodes the claims of a token into `out`, which has room for `len` bytes; they are a JSON object, and `scan` is filled in from
 * them. HO_INVALID: it is no JWT; HO_LIMIT: too long; HO_NOMEM. `out` may be written to in any case. */
ho_code ho_token_unverified_claims(const char *token, size_t len, char *out, size_t *out_len, ho_scan *scan);

#endif
