/* SPDX-License-Identifier: MIT */
/* One strict pass over JSON text (RFC 8259): is all of it valid, and where does each member of the outermost object
 * lie. Nothing is decoded. Refused beyond the grammar: text that is not UTF-8, lone surrogates, a name twice in one
 * object, nesting or size over the limits. */
#ifndef HO_SCAN_H
#define HO_SCAN_H

#include "ho.h"

enum { HO_SCAN_DEPTH = 100, HO_SCAN_SIZE = 8 * 1024 * 1024 };

/* A member of the outermost object; offsets are into the text. */
typedef struct ho_member {
    size_t name, name_len; /* as written, without the quotes */
    size_t value, value_len;
    size_t marks;      /* how many values in it ho_scan_mark would mark */
    bool name_escaped; /* the name holds escapes: decode it before comparing */
    char kind;         /* the value's first byte: { [ " t f n, or 0 for any number */
} ho_member;

typedef struct ho_scan {
    /* in */
    size_t max_size;    /* bytes; HO_SCAN_SIZE is usual */
    ho_member *members; /* room for the first `room` members; NULL with room 0: members are only counted */
    size_t room;
    /* out */
    char kind;         /* of the whole value, as in ho_member */
    size_t count;      /* members of the outermost object, also those beyond `room` */
    size_t marks;      /* in the whole text */
    size_t bad;        /* HO_INVALID, HO_LIMIT: the offset of what is wrong */
    const char *wrong; /* and what it is, a constant phrase */
} ho_scan;

/* → HO_OK, HO_INVALID, HO_LIMIT (too deep, too large), HO_NOMEM. */
ho_code ho_scan_text(const char *text, size_t len, ho_scan *scan);

/* Where an offset lies: line and column from 1, the column in code points. */
void ho_scan_position(const char *text, size_t offset, size_t *line, size_t *column);

/* Whether valid JSON text is an array with nothing in it. */
bool ho_scan_is_empty(const char *text, size_t len);

/* Copies valid JSON text, with what lua-cjson would lose turned into strings that begin with byte 0xFF, which valid
 * text never holds: `[]` into "\xFF[]"; a number that has a decimal point, or whose value a double and 15 digits may not keep,
 * into "\xFF" and its text. `out` has room for len + HO_MARK_BYTES * marks bytes. → how many were written. */
enum { HO_MARK_BYTES = 3 };
size_t ho_scan_mark(const char *text, size_t len, char *out);

/* Whether two numbers of JSON's grammar have the same value, whatever their spelling: 1e2 and 100.0. */
bool ho_number_equal(ho_text a, ho_text b);

#endif
