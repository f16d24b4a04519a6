/* SPDX-License-Identifier: MIT */
/* core.process: the process's environment and signals, for the program alone. */
#include "hol.h"

#include "../core/process.h"

#include <string.h>

/* environment() → the variables' values by name; of those that are there twice, the first, as getenv has it. */
static int l_environment(lua_State *L) {
    lua_newtable(L);
    for (char *const *at = ho_environment(); at != NULL && *at != NULL; at++) {
        const char *equals = strchr(*at, '=');
        if (equals == NULL) continue;
        lua_pushlstring(L, *at, (size_t)(equals - *at));
        lua_pushvalue(L, -1);
        lua_rawget(L, 1);
        bool is_first = lua_isnil(L, -1);
        lua_pop(L, 1);
        if (is_first) {
            lua_pushstring(L, equals + 1);
            lua_rawset(L, 1);
        } else {
            lua_pop(L, 1);
        }
    }
    return 1;
}

/* survive_broken_pipe() → whether from now on a write to a pipe that nobody reads fails instead of ending the process */
static int l_survive_broken_pipe(lua_State *L) {
    lua_pushboolean(L, ho_survive_broken_pipe() == HO_OK);
    return 1;
}

/* end_at_interrupt() → whether from now on Ctrl-C ends the process at once: what lua and luajit make of it, an error at whatever
 * runs, can be caught by anybody, and LuaJIT does not always survive it */
static int l_end_at_interrupt(lua_State *L) {
    lua_pushboolean(L, ho_end_at_interrupt() == HO_OK);
    return 1;
}

/* fill_standard() → whether none of the three standard descriptors is left for a file or connection to stand in. */
static int l_fill_standard(lua_State *L) {
    lua_pushboolean(L, ho_fill_standard() == HO_OK);
    return 1;
}

int hol_open_process(lua_State *L) {
    static const luaL_Reg functions[] = {{"environment", l_environment},
                                         {"end_at_interrupt", l_end_at_interrupt},
                                         {"fill_standard", l_fill_standard},
                                         {"survive_broken_pipe", l_survive_broken_pipe},
                                         {NULL, NULL}};
    hol_newlib(L, functions);
    return 1;
}
