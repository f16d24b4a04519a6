/* SPDX-License-Identifier: MIT */
/* The configuration document as constant data: the only place where a field's name, type or limit stands. Checks, edits,
 * canonical order, documentation, JSON Schema and the sandbox are fed from these rows; a new API field is one row. */
#ifndef HO_SCHEMA_H
#define HO_SCHEMA_H

#include "ho.h"

typedef enum ho_kind { HO_ANY, HO_BOOLEAN, HO_INTEGER, HO_STRING, HO_OBJECT, HO_LIST } ho_kind;

/* What a string must be beyond text, besides its length and its choices. */
typedef enum ho_format { HO_PLAIN, HO_DAY_SPAN, HO_TIME, HO_ZONE, HO_EMAIL } ho_format;

enum {
    HO_READ_ONLY = 1, /* the server derives it; an edit of it is refused */
    HO_ID = 2,        /* the server gives it; absent means the item is new */
    HO_NAME = 4,      /* matches items of a list where there is no id */
    HO_FIXED = 8,     /* a list whose members are neither added nor removed */
    HO_REQUIRED = 16  /* an item without it is incomplete */
};

typedef struct ho_object ho_object;

typedef struct ho_field {
    const char *name;
    ho_kind kind;
    unsigned flags;
    size_t max; /* characters at most, Unicode code points; 0: no limit is documented */
    ho_format format;
    const char *const *choices;  /* NULL-terminated; NULL: any */
    const struct ho_field *item; /* of a list: what one member is */
    const ho_object *object;     /* of an object: its fields */
    const char *doc;             /* one line, for people */
    const char *why;             /* read-only: where the value comes from; otherwise NULL */
} ho_field;

struct ho_object {
    const char *name; /* what one is called: "slot", "guideline" */
    size_t count;
    const ho_field *fields; /* in canonical order */
};

/* The whole document; its fields are the five parts. */
extern const ho_object ho_document;

/* The field of that name, or NULL. */
const ho_field *ho_schema_field(const ho_object *object, const char *name, size_t len);

/* The object's field that carries the flag (HO_ID, HO_NAME), or NULL. */
const ho_field *ho_schema_flagged(const ho_object *object, unsigned flag);

#endif
