/* SPDX-License-Identifier: MIT */
/* The module `handoff.core`: one table a subject. */
#include "hol.h"

#include <string.h>

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
        {"error", hol_open_error},         {"json", hol_open_json},         {"config", hol_open_config},
        {"check", hol_open_check},         {"change", hol_open_change},     {"schema", hol_open_schema},
        {"http", hol_open_http},           {"file", hol_open_file},         {"token", hol_open_token},
        {"options", hol_open_options},     {"terminal", hol_open_terminal}, {"process", hol_open_process},
        {"interrupt", hol_open_interrupt}, {"week", hol_open_week},         {"bounded", hol_open_bounded},
    };
    lua_createtable(L, 0, (int)HO_COUNT(rooms));
    for (size_t i = 0; i < HO_COUNT(rooms); i++) {
        lua_pushvalue(L, hol_refs);
        lua_pushcclosure(L, rooms[i].open, 1);
        lua_call(L, 0, 1);
        lua_setfield(L, -2, rooms[i].name);
    }
    lua_pushliteral(L, HO_VERSION);
    lua_setfield(L, -2, "version");
    return 1;
}

HOL_EXPORT int luaopen_handoff_core(lua_State *L);

/* Whether the error on top is that there is no lua-cjson, rather than one that cannot be loaded, or an interrupt. */
static bool is_not_found(lua_State *L) {
    const char *why = lua_tostring(L, -1);
    return why != NULL && strstr(why, "module 'cjson' not found") != NULL;
}

/* Fills the references on top from an instance of lua-cjson of our own: no setting of another user reaches it. */
static void open_cjson(lua_State *L) {
    lua_getglobal(L, "require");
    lua_pushliteral(L, "cjson");
    bool found = lua_pcall(L, 1, 1, 0) == LUA_OK;
    if (!found && !is_not_found(L)) lua_error(L);
    if (!found || lua_type(L, -1) != LUA_TTABLE || lua_getfield(L, -1, "new") != LUA_TFUNCTION)
        luaL_error(L, "handoff needs lua-cjson (Debian: lua-cjson; LuaRocks: lua-cjson), which this Lua does not find");
    lua_call(L, 0, 1);
    lua_getfield(L, -1, "decode");
    lua_rawseti(L, -4, HOL_REF_DECODE);
    lua_getfield(L, -1, "null");
    lua_rawseti(L, -4, HOL_REF_NULL);
    if (lua_getfield(L, -1, "array_mt") != LUA_TTABLE) { /* OpenResty's: its encoder then knows the mark too */
        lua_pop(L, 1);
        lua_newtable(L);
    }
    lua_rawseti(L, -4, HOL_REF_ARRAY);
    lua_pop(L, 2);
}

int luaopen_handoff_core(lua_State *L) {
    /* opened once in a state, however often it is required: objects of one opening are none of another's */
    if (lua_getfield(L, LUA_REGISTRYINDEX, "handoff.core") == LUA_TTABLE) return 1;
    lua_createtable(L, HOL_REF_NODES + 16, 0);
    open_cjson(L);
    lua_newtable(L);
    lua_rawseti(L, -2, HOL_REF_ZONES);
    lua_pushcclosure(L, l_open, 1);
    lua_call(L, 0, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, "handoff.core");
    return 1;
}
