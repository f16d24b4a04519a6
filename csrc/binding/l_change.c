/* SPDX-License-Identifier: MIT */
/* What comparing two documents needs done fast: most of what two tables hold is equal. */
#include "l_node.h"

/* Whether two plain values are surely equal, at every depth; empty tables are only where both or neither are marked as arrays. */
static bool are_equal(lua_State *L, int a, int b);

/* Whether every member of the table at a has its equal in that at b. */
static bool has_equals(lua_State *L, int a, int b) {
    lua_pushnil(L);
    while (lua_next(L, a)) {
        lua_pushvalue(L, -2);
        lua_rawget(L, b);
        bool equal = are_equal(L, lua_gettop(L) - 1, lua_gettop(L));
        lua_pop(L, 2);
        if (equal) continue;
        lua_pop(L, 1);
        return false;
    }
    return true;
}

static bool same_mark(lua_State *L, int a, int b) {
    bool marked = lua_getmetatable(L, a), other = lua_getmetatable(L, b);
    lua_pop(L, marked + other);
    return marked == other;
}

static bool are_equal(lua_State *L, int a, int b) {
    if (lua_rawequal(L, a, b)) return true;
    int type = lua_type(L, a);
    if (type != lua_type(L, b)) return false;
    if (type == LUA_TUSERDATA) return lua_equal(L, a, b);
    if (type != LUA_TTABLE) return false;
    luaL_checkstack(L, 8, "nested too deep");
    size_t count = hol_count(L, a);
    if (count != hol_count(L, b)) return false;
    return count == 0 ? same_mark(L, a, b) : has_equals(L, a, b);
}

/* Adds the name on top to the set at `set`, made when it is the first; the name stays. */
static void add_name(lua_State *L, int set, lua_Integer *count) {
    if (++*count == 1) {
        lua_newtable(L);
        lua_replace(L, set);
    }
    lua_pushvalue(L, -1);
    lua_pushboolean(L, 1);
    lua_rawset(L, set);
}

/* change.differing(before, after) → a set of the names whose values in the two plain tables are not equal, and how many they are; nil where
 * there is none. */
static int l_differing(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lua_pushnil(L);
    lua_Integer count = 0;
    for (lua_pushnil(L); lua_next(L, 1);) {
        lua_pushvalue(L, 4);
        lua_rawget(L, 2);
        bool equal = are_equal(L, 5, 6);
        lua_settop(L, 4);
        if (!equal) add_name(L, 3, &count);
    }
    for (lua_pushnil(L); lua_next(L, 2);) {
        lua_pushvalue(L, 4);
        bool gone = lua_rawget(L, 1) == LUA_TNIL;
        lua_settop(L, 4);
        if (gone) add_name(L, 3, &count);
    }
    lua_settop(L, 3);
    if (count == 0) return 1;
    lua_pushinteger(L, count);
    return 2;
}

int hol_open_change(lua_State *L) {
    static const luaL_Reg functions[] = {{"differing", l_differing}, {NULL, NULL}};
    hol_newlib(L, functions);
    return 1;
}
