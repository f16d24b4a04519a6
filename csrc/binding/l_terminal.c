/* SPDX-License-Identifier: MIT */
/* core.terminal: what is at the other end of standard input (0), output (1) and error (2), and whoever sits there. */
#include "hol.h"

#include "../core/terminal.h"

#include <errno.h>
#include <string.h>

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

/* ask(question) → the line that was answered at the terminal, "" also where its input ended; | nil, why, and true where a signal
 * came meanwhile */
static int l_ask(lua_State *L) {
    size_t len = 0;
    const char *question = luaL_checkstring(L, 1);
    char answer[HO_ANSWER_SIZE], text[128];
    ho_code code = ho_terminal_ask(question, answer, &len);
    if (code == HO_OK) {
        lua_pushlstring(L, answer, len);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, code == HO_CLOSED ? "interrupted" : strerror_r(errno, text, sizeof text));
    lua_pushboolean(L, code == HO_CLOSED);
    return 3;
}

int hol_open_terminal(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"is_terminal", l_is_terminal}, {"columns", l_columns}, {"ask", l_ask}, {NULL, NULL}};
    hol_newlib(L, functions);
    return 1;
}
