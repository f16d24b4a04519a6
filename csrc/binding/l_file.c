/* SPDX-License-Identifier: MIT */
/* core.file: what Lua's io library cannot do with files. Each function returns true, or nil and the system's reason. */
#include "hol.h"

#include "../core/file.h"

#include <errno.h>
#include <string.h>

static int push_done(lua_State *L, ho_code code) {
    char text[128];
    int failed = errno;
    if (code == HO_OK) {
        lua_pushboolean(L, true);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, strerror_r(failed, text, sizeof text));
    return 2;
}

/* A path as C has it: one with a NUL in it would name another file. */
static const char *check_path(lua_State *L) {
    size_t len;
    const char *path = luaL_checklstring(L, 1, &len);
    luaL_argcheck(L, len > 0 && strlen(path) == len, 1, "a path expected");
    return path;
}

/* write_private(path, text): a file that only its owner can read, whatever the umask, and whatever mode it had before. io.open
 * cannot set a mode, and a mode set afterwards comes too late. */
static int l_write_private(lua_State *L) {
    size_t len;
    const char *path = check_path(L), *text = luaL_checklstring(L, 2, &len);
    return push_done(L, ho_write_private(path, text, len));
}

int hol_open_file(lua_State *L) {
    static const luaL_Reg functions[] = {{"write_private", l_write_private}, {NULL, NULL}};
    hol_newlib(L, functions);
    return 1;
}
