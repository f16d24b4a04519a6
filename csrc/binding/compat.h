/* SPDX-License-Identifier: MIT */
/* Lua 5.4's API for the VMs that lack parts of it (Lua 5.3; LuaJIT 2.1, which is Lua 5.1 with additions), always in 5.4's
 * convention, so that no other file asks for a version. */
#ifndef HOL_COMPAT_H
#define HOL_COMPAT_H

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>

#if LUA_VERSION_NUM < 502

#define LUA_OK 0
#define lua_rawlen(L, i) lua_objlen((L), (i))

static inline int lua_absindex(lua_State *L, int i) {
    return i > 0 || i <= LUA_REGISTRYINDEX ? i : lua_gettop(L) + i + 1;
}

static inline int hol_rawgetp(lua_State *L, int i, const void *key) {
    i = lua_absindex(L, i);
    lua_pushlightuserdata(L, (void *)(uintptr_t)key);
    lua_rawget(L, i);
    return lua_type(L, -1);
}
#define lua_rawgetp hol_rawgetp

static inline void hol_rawsetp(lua_State *L, int i, const void *key) {
    i = lua_absindex(L, i);
    lua_pushlightuserdata(L, (void *)(uintptr_t)key);
    lua_insert(L, -2);
    lua_rawset(L, i);
}
#define lua_rawsetp hol_rawsetp

static inline int hol_rawgeti(lua_State *L, int i, lua_Integer n) {
    (lua_rawgeti)(L, i, (int)n);
    return lua_type(L, -1);
}
#define lua_rawgeti hol_rawgeti

static inline int hol_rawget(lua_State *L, int i) {
    (lua_rawget)(L, i);
    return lua_type(L, -1);
}
#define lua_rawget hol_rawget

static inline int hol_getfield(lua_State *L, int i, const char *key) {
    (lua_getfield)(L, i, key);
    return lua_type(L, -1);
}
#define lua_getfield hol_getfield

/* A userdata's one uservalue is its environment there, always a table. */
#define lua_newuserdatauv(L, size, n) lua_newuserdata((L), (size))
#define lua_setiuservalue(L, i, n) lua_setfenv((L), (i))
static inline int hol_getiuservalue(lua_State *L, int i) {
    lua_getfenv(L, i);
    return lua_type(L, -1);
}
#define lua_getiuservalue(L, i, n) hol_getiuservalue((L), (i))

#define lua_load(L, reader, data, chunk, mode) lua_loadx((L), (reader), (data), (chunk), (mode))

/* Numbers have no integer subtype there. */
#define lua_isinteger(L, i) 0

#else

#define lua_lessthan(L, a, b) lua_compare((L), (a), (b), LUA_OPLT)
#define lua_equal(L, a, b) lua_compare((L), (a), (b), LUA_OPEQ)

#if LUA_VERSION_NUM == 503
/* A userdata has one uservalue there. */
#define lua_newuserdatauv(L, size, n) lua_newuserdata((L), (size))
#define lua_setiuservalue(L, i, n) lua_setuservalue((L), (i))
#define lua_getiuservalue(L, i, n) lua_getuservalue((L), (i))
#endif

/* As Lua 5.1 has it: fn runs with `data` as its one argument, and what it returns is dropped. Nothing is allocated outside. */
static inline int lua_cpcall(lua_State *L, lua_CFunction fn, void *data) {
    lua_pushcfunction(L, fn);
    lua_pushlightuserdata(L, data);
    return lua_pcall(L, 1, 0, 0);
}

#endif

/* The one kind of symbol that leaves a module: the build hides all others. */
#define HOL_EXPORT __attribute__((visibility("default")))

/* Whether `#`, `pairs` and the table library honour the metamethods of tables: then objects are carried by tables,
 * otherwise by userdata. LuaJIT built with 5.2 compatibility honours them in `#` and `pairs`, but its table.insert
 * still writes past them. */
#if LUA_VERSION_NUM >= 503
#define HOL_TABLE_CARRIERS 1
#else
#define HOL_TABLE_CARRIERS 0
#endif

#endif
