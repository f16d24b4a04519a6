/* SPDX-License-Identifier: MIT */
/* core.terminal: what is at the other end of standard input (0), output (1) and error (2). */
#include "hol.h"

#include "../core/terminal.h"

static int check_descriptor(lua_State *L) {
    lua_Integer fd = luaL_checkinteger(L, 1);
    luaL_argcheck(L, fd >= 0 && fd <= 2, 1, "0, 1 or 2 expected");
    return (int)fd;
}

/* is_terminal(fd) → whether it is one */
static int l_is_terminal(lua_State *L) {
    lua_pushboolean(L, ho_is_terminal(check_descriptor(L)));
    return 1;
}

/* columns(fd) → how many it has, or nil where it is no terminal or does not say */
static int l_columns(lua_State *L) {
    unsigned columns = ho_terminal_columns(check_descriptor(L));
    if (columns == 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, (lua_Integer)columns);
    return 1;
}

int hol_open_terminal(lua_State *L) {
    static const luaL_Reg functions[] = {{"is_terminal", l_is_terminal}, {"columns", l_columns}, {NULL, NULL}};
    hol_newlib(L, functions);
    return 1;
}
