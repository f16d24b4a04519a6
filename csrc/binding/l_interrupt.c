/* SPDX-License-Identifier: MIT */
/* core.interrupt: whether somebody asked the process to end; for the program alone. */
#include "hol.h"

#include "../core/interrupt.h"

#include <errno.h>
#include <string.h>

#define WATCH_MT "handoff.watch"

/* watch() → a watch on Ctrl-C and its like. The first of them is noticed by whoever asks for it and ends nothing; the second ends
 * the process at once. One at a time: a second watch would see the first one's handlers as what was there before. */
static int l_watch(lua_State *L) {
    ho_watch *watch = lua_newuserdatauv(L, sizeof *watch, 0);
    *watch = (ho_watch){.seen = NULL};
    luaL_getmetatable(L, WATCH_MT);
    lua_setmetatable(L, -2);
    if (ho_watch_begin(watch) == HO_OK) return 1;
    char text[128];
    return luaL_error(L, "signals cannot be watched: %s", strerror_r(errno, text, sizeof text));
}

/* watch:seen() → "SIGINT", "SIGTERM", "SIGHUP" or nil; also once it is closed */
static int l_seen(lua_State *L) {
    ho_watch *watch = luaL_checkudata(L, 1, WATCH_MT);
    lua_pushstring(L, ho_watch_seen(watch));
    return 1;
}

/* watch:close(): idempotent. Where one was seen the next still ends the process at once. */
static int l_close(lua_State *L) {
    ho_watch_end(luaL_checkudata(L, 1, WATCH_MT));
    return 0;
}

int hol_open_interrupt(lua_State *L) {
    static const luaL_Reg functions[] = {{"watch", l_watch}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{"seen", l_seen}, {"close", l_close}, {NULL, NULL}};
    luaL_newmetatable(L, WATCH_MT);
    hol_newlib(L, methods);
    lua_getfield(L, -1, "close");
    lua_setfield(L, -3, "__gc");
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, WATCH_MT);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    hol_newlib(L, functions);
    return 1;
}
