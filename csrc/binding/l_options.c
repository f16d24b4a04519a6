/* SPDX-License-Identifier: MIT */
/* handoff.core.options: tables of named values that a script gives, held against what they may be. Metamethods are not asked. */
#include "hol.h"

#include <string.h>

/* Pushes the first name in the table at `given` that the table at `types` does not have, or whose value is of no type that it allows →
 * whether there is one. No type's name is a part of another's. */
static bool push_wrong(lua_State *L, int given, int types) {
    for (lua_pushnil(L); lua_next(L, given); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        bool right = lua_rawget(L, types) == LUA_TSTRING && strstr(lua_tostring(L, -1), luaL_typename(L, -2)) != NULL;
        lua_pop(L, 1);
        if (right) continue;
        lua_pop(L, 1);
        return true;
    }
    return false;
}

/* Copies the members of the table at `from` into that at `to`. */
static void copy(lua_State *L, int from, int to) {
    for (lua_pushnil(L); lua_next(L, from);) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, to);
    }
}

/* options.wrong(given, types) → the name of one that is unknown or of a wrong type, nil: all are right. `types`: name → the names of its
 * types, as `type` has them, with blanks between. */
static int l_wrong(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    return push_wrong(L, 1, 2);
}

/* options.take(given or nil, types, defaults) → a fresh table: what was given, and the defaults of what was not; or nil and a name, as
 * wrong has it. */
static int l_take(lua_State *L) {
    enum { GIVEN = 1, TYPES, DEFAULTS, TAKEN };
    lua_settop(L, 3);
    bool given = !lua_isnil(L, GIVEN);
    if (given) luaL_checktype(L, GIVEN, LUA_TTABLE);
    luaL_checktype(L, TYPES, LUA_TTABLE);
    luaL_checktype(L, DEFAULTS, LUA_TTABLE);
    if (given && push_wrong(L, GIVEN, TYPES)) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    lua_createtable(L, 0, 8);
    copy(L, DEFAULTS, TAKEN);
    if (given) copy(L, GIVEN, TAKEN);
    return 1;
}

int hol_open_options(lua_State *L) {
    static const luaL_Reg functions[] = {{"wrong", l_wrong}, {"take", l_take}, {NULL, NULL}};
    hol_newlib(L, functions);
    return 1;
}
