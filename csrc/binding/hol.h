/* SPDX-License-Identifier: MIT */
/* What the bindings share. A prefix says what a function may do: `ho_` never throws, `hol_` takes a lua_State and may
 * throw, `l_` is a lua_CFunction. Every lua_CFunction of the core module has the references below as its first upvalue.
 */
#ifndef HOL_H
#define HOL_H

#include "compat.h"

#include "../core/ho.h"

/* The table of references: per Lua state, so that nothing here is global. */
enum hol_ref {
    HOL_REF_DECODE = 1, /* the decode function of a lua-cjson instance of our own */
    HOL_REF_NULL,       /* cjson.null */
    HOL_REF_ARRAY,      /* the metatable that marks an empty table as an array */
    HOL_REF_SCRATCH,    /* a userdata of scratch bytes, see hol_buffer */
    HOL_REF_HOME,       /* the folder of the library's Lua files, as chunk names begin */
    HOL_REF_CATCHERS,   /* a set of functions that catch, see error.catchers; nothing where there is none */
    HOL_REF_METHODS,    /* the methods of a config */
    HOL_REF_LIST,       /* the methods of a list */
    HOL_REF_CONFIG,     /* the metatable of a config */
    HOL_REF_PART,       /* the metatable of a hol_part */
    HOL_REF_SHIFT,      /* the metatable of a list's shift, see l_list.c */
    HOL_REF_TYPES,      /* the userdata of node types */
    HOL_REF_ZONES,      /* a set of time zones that the system was found to know */
    HOL_REF_WEEK,       /* the metatable of a week */
    HOL_REF_MARKS,      /* a key of random bytes, a text, see token.mark */
    HOL_REF_NODES       /* the first of the metatables of a config's objects; keep last */
};
#define hol_refs lua_upvalueindex(1)

/* Sets the functions into the table on top; each gets the references (upvalue 1 of the caller) as its upvalue 1. */
void hol_setfuncs(lua_State *L, const luaL_Reg *functions);

/* Pushes a new module table that holds the functions. */
void hol_newlib(lua_State *L, const luaL_Reg *functions);

/* --- errors (l_error.c) ------------------------------------------------------------------------------------------- */

/* Gives the table on top the metatable of errors; its tostring is one line: where, agent, path, message. */
void hol_seterror(lua_State *L);

/* The world failed: pushes nil and an error of that kind with a formatted message (lua_pushfstring's formats) → 2. */
int hol_fail(lua_State *L, const char *kind, const char *format, ...);

/* A mistake in the script: raises {kind="invalid", path, rule, message} at the place of the nearest Lua function on the
 * stack that is not the library's own. The value that was refused, if any, is on top of the stack and goes into `value`
 * (`has_value`); `limit` 0 is left out. */
int hol_invalid(lua_State *L, const char *path, const char *rule, size_t limit, bool has_value, const char *format,
                ...);

/* The same with the fields of the table on top, which has none of `kind` and `where` yet. */
int hol_raise(lua_State *L);

/* --- the rooms' modules, each pushes one table -------------------------------------------------------------------- */
int hol_open_error(lua_State *L);
int hol_open_json(lua_State *L);
int hol_open_schema(lua_State *L);
int hol_open_config(lua_State *L);
int hol_open_check(lua_State *L);
int hol_open_change(lua_State *L);
int hol_open_http(lua_State *L);
int hol_open_options(lua_State *L);
int hol_open_file(lua_State *L);
int hol_open_token(lua_State *L);
int hol_open_terminal(lua_State *L);
int hol_open_process(lua_State *L);
int hol_open_interrupt(lua_State *L);
int hol_open_week(lua_State *L);
int hol_open_bounded(lua_State *L);

#endif
