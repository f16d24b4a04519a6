/* SPDX-License-Identifier: MIT */
/* The module `handoff.core`: one table a subject. */
#include "hol.h"

void hol_setfuncs(lua_State *L, const luaL_Reg *functions) {
    lua_pushvalue(L, hol_refs);
    luaL_setfuncs(L, functions, 1);
}

void hol_newlib(lua_State *L, const luaL_Reg *functions) {
    lua_newtable(L);
    hol_setfuncs(L, functions);
}

static int l_open(lua_State *L) {
    static const struct {
        const char *name;
        lua_CFunction open;
    } rooms[] = {
        {"error", hol_open_error},
        {"http", hol_open_http},
    };
    lua_createtable(L, 0, (int)HO_COUNT(rooms));
    for (size_t i = 0; i < HO_COUNT(rooms); i++) {
        lua_pushvalue(L, hol_refs);
        lua_pushcclosure(L, rooms[i].open, 1);
        lua_call(L, 0, 1);
        lua_setfield(L, -2, rooms[i].name);
    }
    return 1;
}

HOL_EXPORT int luaopen_handoff_core(lua_State *L);

int luaopen_handoff_core(lua_State *L) {
    lua_createtable(L, HOL_REF_NODES + 16, 0);
    lua_pushcclosure(L, l_open, 1);
    lua_call(L, 0, 1);
    return 1;
}
