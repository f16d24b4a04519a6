/* SPDX-License-Identifier: MIT */
/* core.file: what Lua's io library cannot do with files. What fails returns nil and the system's reason. */
#include "hol.h"

#include "../core/file.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOCKS_MT "handoff.locks"
#define FOLDER_MT "handoff.folder"

typedef struct locks {
    int fd; /* -1: closed */
} locks;

/* --- arguments and results ---------------------------------------------------------------------------------------- */

static int push_failure(lua_State *L, ho_code code) {
    char text[128];
    const char *why = code == HO_INVALID   ? "it is there and no regular file"
                      : code == HO_FOREIGN ? "it is there and another user's"
                                           : strerror_r(errno, text, sizeof text);
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

static int push_answer(lua_State *L, ho_code code, bool answer) {
    if (code != HO_OK) return push_failure(L, code);
    lua_pushboolean(L, answer);
    return 1;
}

/* A path as C has it: one with a NUL in it would name another file. Of an empty one the system says that it is none. */
static const char *check_path(lua_State *L) {
    size_t len;
    const char *path = luaL_checklstring(L, 1, &len);
    luaL_argcheck(L, strlen(path) == len, 1, "a path expected");
    return path;
}

static locks *check_locks(lua_State *L) {
    locks *own = luaL_checkudata(L, 1, LOCKS_MT);
    if (own->fd < 0) luaL_error(L, "the locks are closed");
    return own;
}

static int64_t check_number(lua_State *L) {
    lua_Integer number = luaL_checkinteger(L, 2);
    luaL_argcheck(L, number >= 0, 2, "a number from 0 on expected");
    return number;
}

/* --- files and folders -------------------------------------------------------------------------------------------- */

/* write_private(path, text) → true | nil, why: as replace, but only its owner can read it, whatever mode one that was there had.
 * io.open cannot set a mode, and a mode set afterwards comes too late. */
static int l_write_private(lua_State *L) {
    size_t len;
    const char *path = check_path(L), *text = luaL_checklstring(L, 2, &len);
    return push_answer(L, ho_write_private(path, text, len), true);
}

/* replace(path, text) → true | nil, why: puts a file there at one stroke; the mode of one of this user's stays, a new one is its
 * owner's alone. What is no regular file is left alone, a link among it. */
static int l_replace(lua_State *L) {
    size_t len;
    const char *path = check_path(L), *text = luaL_checklstring(L, 2, &len);
    return push_answer(L, ho_replace_file(path, text, len), true);
}

/* create_private(path) → true | nil, why: such a file, empty, where nothing is there; a file that is there stays as it
 * is, and must be this user's own, unless that is root. */
static int l_create_private(lua_State *L) {
    return push_answer(L, ho_create_private(check_path(L)), true);
}

/* check_own(path) → true | nil, why: nothing is there, or such a file as create_private leaves. */
static int l_check_own(lua_State *L) {
    return push_answer(L, ho_check_own(check_path(L)), true);
}

/* make_folder(path) → true | nil, why: the folder and those above it that are missing, their owner's alone. */
static int l_make_folder(lua_State *L) {
    return push_answer(L, ho_make_folder(check_path(L)), true);
}

/* kind(path) → "file", "folder" or "other" | nil, why: what is there, links followed. */
static int l_kind(lua_State *L) {
    static const char *const kinds[] = {"file", "folder", "other"};
    ho_file_kind kind = HO_FILE_OTHER;
    ho_code code = ho_file_kind_of(check_path(L), &kind);
    if (code != HO_OK) return push_failure(L, code);
    lua_pushstring(L, kinds[kind]);
    return 1;
}

/* identity(path) → a text that no other file has while this one is open anywhere, links followed; false where nothing is there |
 * nil, why. Unlike opening it to see this ends no lock that the process has on it. */
static int l_identity(lua_State *L) {
    ho_file_id id;
    char text[48];
    ho_code code = ho_file_id_of(check_path(L), &id);
    if (code != HO_OK && errno == ENOENT) return push_answer(L, HO_OK, false);
    if (code != HO_OK) return push_failure(L, code);
    snprintf(text, sizeof text, "%" PRIx64 ":%" PRIx64, id.device, id.number);
    lua_pushstring(L, text);
    return 1;
}

/* Fills the table on top with the names in a folder; what ends it early is in errno. */
static void list_names(lua_State *L, DIR *folder) {
    struct dirent *entry;
    int count = 0;
    errno = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads this stream */
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        lua_pushstring(L, entry->d_name);
        lua_rawseti(L, -2, ++count);
        errno = 0;
    }
}

static int l_close_folder(lua_State *L) {
    DIR **folder = luaL_checkudata(L, 1, FOLDER_MT);
    if (*folder != NULL) closedir(*folder);
    *folder = NULL;
    return 0;
}

/* list(path) → the names in the folder, sorted by their bytes | nil, why */
static int l_list(lua_State *L) {
    const char *path = check_path(L);
    DIR **folder = lua_newuserdatauv(L, sizeof *folder, 0);
    *folder = NULL;
    luaL_getmetatable(L, FOLDER_MT);
    lua_setmetatable(L, -2);
    *folder = opendir(path);
    if (*folder == NULL) return push_failure(L, HO_FAILED);
    lua_newtable(L);
    list_names(L, *folder);
    int failed = errno;
    closedir(*folder);
    *folder = NULL;
    errno = failed;
    if (failed != 0) return push_failure(L, HO_FAILED);
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    lua_pushvalue(L, -3);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
    return 1;
}

/* --- locks -------------------------------------------------------------------------------------------------------- */

static locks *new_locks(lua_State *L) {
    locks *own = lua_newuserdatauv(L, sizeof *own, 0);
    own->fd = -1;
    luaL_getmetatable(L, LOCKS_MT);
    lua_setmetatable(L, -2);
    return own;
}

static int adopt_locks(lua_State *L) {
    lua_Integer fd = luaL_checkinteger(L, 1);
    luaL_argcheck(L, fd >= 0 && fd <= INT_MAX, 1, "a number from locks:share() expected");
    new_locks(L)->fd = (int)fd;
    return 1;
}

/* locks(path) → locks by number on that file, which is made where it is not there; | nil, why. The system frees those that were
 * taken when this object, or the process, ends, however it ends. Two objects on a file keep each other out.
 * locks(number), of what share gave, perhaps in another state of this process → locks that are one with those. */
static int l_locks(lua_State *L) {
    if (lua_type(L, 1) == LUA_TNUMBER) return adopt_locks(L);
    const char *path = check_path(L);
    ho_code code = ho_locks_open(path, &new_locks(L)->fd);
    return code == HO_OK ? 1 : push_failure(L, code);
}

/* locks:share() → a number for core.file.locks, which must take it once | nil, why. Both take, free and see the same locks as one's
 * own; the system frees them when both are closed. */
static int l_share(lua_State *L) {
    int fd = -1;
    ho_code code = ho_locks_share(check_locks(L)->fd, &fd);
    if (code != HO_OK) return push_failure(L, code);
    lua_pushinteger(L, fd);
    return 1;
}

/* locks:take(number) → whether nobody else has it | nil, why */
static int l_take(lua_State *L) {
    bool taken = false;
    locks *own = check_locks(L);
    ho_code code = ho_locks_take(own->fd, check_number(L), &taken);
    return push_answer(L, code, taken);
}

/* locks:free(number) → true | nil, why */
static int l_free(lua_State *L) {
    locks *own = check_locks(L);
    return push_answer(L, ho_locks_free(own->fd, check_number(L)), true);
}

/* locks:held(number) → whether somebody else has it | nil, why. Looking disturbs nobody. */
static int l_held(lua_State *L) {
    bool held = false;
    locks *own = check_locks(L);
    ho_code code = ho_locks_held(own->fd, check_number(L), &held);
    return push_answer(L, code, held);
}

/* locks:close(): frees them all; idempotent. */
static int l_close(lua_State *L) {
    locks *own = luaL_checkudata(L, 1, LOCKS_MT);
    if (own->fd >= 0) close(own->fd);
    own->fd = -1;
    return 0;
}

static void new_locks_class(lua_State *L) {
    static const luaL_Reg methods[] = {{"take", l_take},   {"free", l_free},   {"held", l_held},
                                       {"share", l_share}, {"close", l_close}, {NULL, NULL}};
    luaL_newmetatable(L, LOCKS_MT);
    hol_newlib(L, methods);
    lua_getfield(L, -1, "close");
    lua_setfield(L, -3, "__gc");
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, LOCKS_MT);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

int hol_open_file(lua_State *L) {
    static const luaL_Reg functions[] = {{"write_private", l_write_private},
                                         {"replace", l_replace},
                                         {"create_private", l_create_private},
                                         {"check_own", l_check_own},
                                         {"make_folder", l_make_folder},
                                         {"kind", l_kind},
                                         {"identity", l_identity},
                                         {"list", l_list},
                                         {"locks", l_locks},
                                         {NULL, NULL}};
    new_locks_class(L);
    luaL_newmetatable(L, FOLDER_MT);
    lua_pushcfunction(L, l_close_folder);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    hol_newlib(L, functions);
    return 1;
}
