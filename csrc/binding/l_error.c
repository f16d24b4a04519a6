/* SPDX-License-Identifier: MIT */
/* Errors are tables: `kind`, `message`, and what is known. One metatable for those that are raised and those that are
 * returned. */
/*** What went wrong. A mistake in a script raises one, a failure of the world is returned: `nil, err`. It prints as one line
 * that says what to do next.
 * @classmod Error
 */
/*** What it holds, as far as it is known.
 * @table Error
 * @tfield string kind `invalid` (a broken rule, a bad argument), `auth` (401), `scope` (403), `rejected` (another 4xx),
 *  `rate_limit` (429), `server` (5xx), `network`, `timeout`, `tls`, `protocol` (not the API's answer), `conflict`,
 *  `unverified` (200, but an edit was not kept), `cancelled`, `limit` and `held` (of a fleet), `history`, `file` (a plan,
 *  a policy or a page that cannot be read or written), `skipped` (an edit left the agent as it is), `uncached` (of a cache in
 *  nginx)
 * @tfield string message
 * @tfield[opt] string path where in the configuration, or which option
 * @tfield[opt] string rule the id of the rule that was broken
 * @tfield[opt] any value what was refused; never a token
 * @tfield[opt] integer limit of the rule
 * @tfield[opt] integer status HTTP's
 * @tfield[opt] string code the service's own
 * @tfield[opt] string server_message the service's own words
 * @tfield[opt] string agent whose it is
 * @tfield[opt] integer attempts how often it was tried
 * @tfield[opt] number retry_after seconds that the service asks for
 * @tfield[opt] integer column of a text of hours, or of a selection: the character that is wrong
 * @tfield[opt] string reason of kind `history`: a word for what stops it
 * @tfield[opt] boolean unknown true where it is not known whether a PUT was written
 * @tfield[opt] Config before where that is so: what was there
 * @tfield[opt] Run|integer run of kind `limit`: the plan; of kind `held`: which run has the agent
 * @tfield[opt] table[] conflicts of kind `conflict`: `{path, base, mine, theirs}`
 * @tfield[opt] Issue[] issues of kind `invalid`: all that is wrong
 */
#include "hol.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERROR_MT "handoff.error"

static void add_field(lua_State *L, luaL_Buffer *b, const char *name, const char *after) {
    if (lua_getfield(L, 1, name) == LUA_TSTRING) {
        luaL_addvalue(b);
        luaL_addstring(b, after);
    } else {
        lua_pop(L, 1);
    }
}

/* How many bytes a control character has that begins here, as UTF-8 has them; 0: none does. */
static size_t control(const char *at, const char *end) {
    unsigned char first = (unsigned char)at[0], second = (unsigned char)(end - at > 1 ? at[1] : 0);
    if (first < ' ' || first == 0x7F) return 1;
    return first == 0xC2 && second >= 0x80 && second < 0xA0 ? 2 : 0;
}

/* Replaces the text on top by one of one line that does nothing to a terminal: a blank for each control character. */
static void to_line(lua_State *L) {
    size_t len;
    luaL_Buffer b;
    const char *at = lua_tolstring(L, -1, &len), *end = at + len;
    luaL_buffinit(L, &b);
    while (at < end) {
        size_t skipped = control(at, end);
        luaL_addchar(&b, skipped > 0 ? ' ' : *at);
        at += skipped > 0 ? skipped : 1;
    }
    luaL_pushresult(&b);
}

/* where ++ agent: ++ path: ++ message, on one line whatever the parts hold. */
static int l_tostring(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    add_field(L, &b, "where", "");
    add_field(L, &b, "agent", ": ");
    add_field(L, &b, "path", ": ");
    add_field(L, &b, "message", "");
    luaL_pushresult(&b);
    to_line(L);
    return 1;
}

static void new_class(lua_State *L) {
    luaL_newmetatable(L, ERROR_MT);
    lua_pushcfunction(L, l_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "handoff error");
    lua_setfield(L, -2, "__metatable");
    lua_pushstring(L, ERROR_MT);
    lua_setfield(L, -2, "__name");
    lua_pop(L, 1);
}

void hol_seterror(lua_State *L) {
    luaL_getmetatable(L, ERROR_MT);
    lua_setmetatable(L, -2);
}

/* Whether a chunk is a file of the library, whose folder is `home`: the place of a mistake is the script that called it. */
static bool is_own(const char *source, const char *home, size_t len) {
    return home && strncmp(source, home, len) == 0;
}

static void push_where(lua_State *L) {
    lua_Debug ar;
    size_t len;
    lua_rawgeti(L, hol_refs, HOL_REF_HOME);
    const char *home = lua_tolstring(L, -1, &len);
    lua_pop(L, 1); /* the references hold it */
    for (int level = 1; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline > 0 && !is_own(ar.source, home, len)) {
            lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
            return;
        }
    }
    lua_pushliteral(L, "");
}

static void set_string(lua_State *L, const char *name, const char *value) {
    if (value == NULL) return;
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

/* A path holds names as the document has them: what could break the line or command a terminal is escaped, as ho_quote does. */
static void set_path(lua_State *L, const char *path) {
    luaL_Buffer b;
    if (path == NULL) return;
    luaL_buffinit(L, &b);
    for (const unsigned char *c = (const unsigned char *)path; *c != '\0'; c++) {
        bool c1 = c[0] == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0;
        if (c1) c++;
        if (c1 || *c < 0x20 || *c == 0x7F) {
            char escape[8];
            snprintf(escape, sizeof escape, "\\u%04x", *c);
            luaL_addstring(&b, escape);
        } else {
            luaL_addchar(&b, (char)*c);
        }
    }
    luaL_pushresult(&b);
    lua_setfield(L, -2, "path");
}

/* Whether the running coroutine is in a call of one of these functions. */
static bool is_caught(lua_State *L, int catchers) {
    lua_Debug ar;
    for (int level = 1; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "f", &ar);
        lua_rawget(L, catchers);
        bool catches = lua_toboolean(L, -1);
        lua_pop(L, 1);
        if (catches) return true;
    }
    return false;
}

/* Raises the error on top of the stack; as its text where nobody would catch it and only texts are told. */
static int throw_error(lua_State *L) {
    luaL_checkstack(L, 4, "too many nested calls");
    bool is_table = lua_rawgeti(L, hol_refs, HOL_REF_CATCHERS) != LUA_TTABLE || is_caught(L, lua_gettop(L));
    lua_pop(L, 1);
    if (!is_table && lua_istable(L, -1)) luaL_callmeta(L, -1, "__tostring");
    return lua_error(L);
}

int hol_invalid(lua_State *L, const char *path, const char *rule, size_t limit, bool has_value, const char *format,
                ...) {
    int value = has_value ? lua_gettop(L) : 0;
    luaL_checkstack(L, 8, "too many nested calls");
    va_list args;
    va_start(args, format);
    lua_pushvfstring(L, format, args);
    va_end(args);
    lua_createtable(L, 0, 7);
    lua_insert(L, -2);
    lua_setfield(L, -2, "message");
    set_string(L, "kind", "invalid");
    set_path(L, path);
    set_string(L, "rule", rule);
    push_where(L);
    lua_setfield(L, -2, "where");
    if (limit > 0) {
        lua_pushinteger(L, (lua_Integer)limit);
        lua_setfield(L, -2, "limit");
    }
    if (value) {
        lua_pushvalue(L, value);
        lua_setfield(L, -2, "value");
    }
    hol_seterror(L);
    return throw_error(L);
}

int hol_fail(lua_State *L, const char *kind, const char *format, ...) {
    lua_pushnil(L);
    lua_createtable(L, 0, 4);
    va_list args;
    va_start(args, format);
    lua_pushvfstring(L, format, args);
    va_end(args);
    lua_setfield(L, -2, "message");
    set_string(L, "kind", kind);
    hol_seterror(L);
    return 2;
}

/* error.new(fields): the table as an error, to return or raise. It is the caller's own fresh table. */
static int l_new(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    hol_seterror(L);
    return 1;
}

int hol_raise(lua_State *L) {
    hol_seterror(L);
    set_string(L, "kind", "invalid");
    push_where(L);
    lua_setfield(L, -2, "where");
    return throw_error(L);
}

/* error.raise(fields): raises it as a mistake of the nearest script on the stack (`where` is filled in, `kind` is
 * "invalid"). */
static int l_raise(lua_State *L) {
    l_new(L);
    return hol_raise(L);
}

/* error.again(value): raises what was caught, whatever it is. */
static int l_again(lua_State *L) {
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    return throw_error(L);
}

/* error.home(source): the chunk name of a file of the library; chunks of its folder are not where a mistake is. */
static int l_home(lua_State *L) {
    const char *source = luaL_checkstring(L, 1), *slash = strrchr(source, '/');
    if (!slash) return 0;
    lua_pushlstring(L, source, (size_t)(slash + 1 - source));
    lua_rawseti(L, hol_refs, HOL_REF_HOME);
    return 0;
}

/* error.catchers(set): the functions that catch what is raised, pcall and its like, in an interpreter that tells of what nobody
 * catches only what is text. From now on a mistake is raised as its text where the coroutine is in a call of none of these. */
static int l_catchers(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_rawseti(L, hol_refs, HOL_REF_CATCHERS);
    return 0;
}

/* error.is(value): whether it is one of the library's errors. */
static int l_is(lua_State *L) {
    luaL_checkany(L, 1);
    bool is = lua_type(L, 1) == LUA_TTABLE && lua_getmetatable(L, 1);
    if (is) {
        luaL_getmetatable(L, ERROR_MT);
        is = lua_rawequal(L, -1, -2);
    }
    lua_pushboolean(L, is);
    return 1;
}

/* error.issue(fields): the table as an issue (see l_check.c), which prints as those of the checks do. It is the caller's own
 * fresh table. */
static int l_issue(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_getmetatable(L, "handoff.issue");
    lua_setmetatable(L, 1);
    return 1;
}

int hol_open_error(lua_State *L) {
    static const luaL_Reg functions[] = {{"new", l_new}, {"raise", l_raise}, {"again", l_again},       {"home", l_home},
                                         {"is", l_is},   {"issue", l_issue}, {"catchers", l_catchers}, {NULL, NULL}};
    new_class(L);
    hol_newlib(L, functions);
    return 1;
}
