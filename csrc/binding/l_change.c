/* SPDX-License-Identifier: MIT */
/* What comparing two documents needs done fast: most of what two tables hold is equal. */
#include "l_node.h"

enum { FEW = 4 }; /* names that differ, as a rule */

static bool is_equal(lua_State *L, int a, int b);

/* Whether every member of the table at a has its equal in that at b. */
static bool has_equals(lua_State *L, int a, int b) {
    lua_pushnil(L);
    while (lua_next(L, a)) {
        lua_pushvalue(L, -2);
        lua_rawget(L, b);
        bool equal = is_equal(L, lua_gettop(L) - 1, lua_gettop(L));
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

/* Two tables, each at its index. */
static bool equal_tables(lua_State *L, int a, int b) {
    size_t count = hol_count(L, a);
    if (count != hol_count(L, b)) return false;
    return count == 0 ? same_mark(L, a, b) : has_equals(L, a, b);
}

/* Whether two values are surely equal, at every depth; a node counts as its data. Empty tables are equal where both or neither are
 * marked as arrays. */
static bool is_equal(lua_State *L, int a, int b) {
    if (lua_rawequal(L, a, b)) return true;
    int type = lua_type(L, a), top = lua_gettop(L);
    if (type != LUA_TTABLE && type != LUA_TUSERDATA) return false;
    luaL_checkstack(L, 8, "nested too deep");
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    bool tables = hol_node_open(L);
    lua_insert(L, -2);
    tables = hol_node_open(L) && tables;
    bool equal = tables ? equal_tables(L, top + 1, top + 2) : lua_equal(L, top + 1, top + 2);
    lua_settop(L, top);
    return equal;
}

/* Adds the name on top to the set at `set`, made when it is the first; the name stays. */
static void add_name(lua_State *L, int set, lua_Integer *count) {
    if (++*count == 1) {
        lua_createtable(L, 0, FEW);
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
        bool equal = is_equal(L, 5, 6);
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

/* Sets the value on top, plain, as the field of that name (its index) of the table at `to`; pops it. */
static void set_plain(lua_State *L, int to, int name) {
    hol_plain(L, -1);
    lua_pushvalue(L, name);
    lua_insert(L, -2);
    lua_rawset(L, to);
    lua_pop(L, 1);
}

/* Of the two objects on top, before and after, pushes what differs in the fields that the first has: two tables, plain. */
static void push_differing(lua_State *L) {
    int before = lua_gettop(L) - 1, after = before + 1, name = after + 3;
    lua_createtable(L, 0, FEW);
    lua_createtable(L, 0, FEW);
    for (lua_pushnil(L); lua_next(L, before);) {
        lua_pushvalue(L, name);
        lua_rawget(L, after);
        if (is_equal(L, name + 1, name + 2)) {
            lua_pop(L, 2);
            continue;
        }
        set_plain(L, after + 2, name);
        if (hol_is_absent(L, name + 1))
            lua_pop(L, 1);
        else
            set_plain(L, after + 1, name);
    }
}

/* Puts the two tables on top in the place of the two objects below them. */
static void replace_both(lua_State *L) {
    lua_replace(L, -3);
    lua_replace(L, -3);
}

void hol_keep_differing(lua_State *L) {
    int before = lua_gettop(L) - 1, after = before + 1, name = after + 3;
    push_differing(L);
    for (lua_pushnil(L); lua_next(L, after);) {
        lua_pushvalue(L, name);
        if (lua_rawget(L, before) == LUA_TNIL) {
            lua_pop(L, 1);
            set_plain(L, after + 2, name);
        } else {
            lua_pop(L, 2);
        }
    }
    replace_both(L);
}

void hol_keep_differing_fields(lua_State *L) {
    push_differing(L);
    replace_both(L);
}

int hol_open_change(lua_State *L) {
    static const luaL_Reg functions[] = {{"differing", l_differing}, {NULL, NULL}};
    hol_newlib(L, functions);
    return 1;
}
