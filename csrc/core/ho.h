/* SPDX-License-Identifier: MIT */
/* What every room of the core shares. The core knows no lua_State, never throws, never prints and never exits: a
 * function says how it went by an ho_code, and leaves its outputs untouched unless it says HO_OK. */
#ifndef HO_H
#define HO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ho_code {
    HO_OK = 0,
    HO_NOMEM,   /* memory could not be had */
    HO_INVALID, /* the input breaks the rule the function checks */
    HO_LIMIT,   /* the input is larger than the caller allowed */
    HO_CLOSED,  /* the object was closed or cancelled before */
    HO_FOREIGN, /* it belongs to another user */
    HO_FAILED   /* the world failed: the object that failed holds the reason */
} ho_code;

/* A piece of text somebody else owns; not NUL-terminated. */
typedef struct ho_text {
    const char *at;
    size_t len;
} ho_text;

/* The User-Agent says it. */
#define HO_VERSION "scm"

#define HO_COUNT(array) (sizeof(array) / sizeof *(array))

#endif
